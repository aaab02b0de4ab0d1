"""Agreeing: whether two that answered the same question found the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

EXACT = 1e-6  # of what is computed, and not drawn: removal effects, shares of conversions

Verdict = Literal["agree", "differ as explained", "DIFFER", "not compared"]


class Agreement(NamedTuple):
    """One comparison."""

    what: str
    verdict: Verdict
    detail: str

    def __str__(self) -> str:
        """Write it as a line."""
        return f"{self.verdict}: {self.what}: {self.detail}"


def same_numbers(
    what: str, ours: Mapping[str, float] | None, theirs: Mapping[str, float] | None, *, bound: float = EXACT
) -> Agreement:
    """Compare numbers by name, each with a bound of its own size."""
    if ours is None or theirs is None:
        return Agreement(what, "not compared", "one has no answer")
    if ours.keys() != theirs.keys():
        return Agreement(what, "DIFFER", f"names {sorted(ours.keys() ^ theirs.keys())[:5]}")
    worst = max((abs(ours[name] - theirs[name]) / max(1.0, abs(ours[name])) for name in ours), default=0.0)
    return Agreement(
        what, "agree" if worst <= bound else "DIFFER", f"at most {worst:.1e} apart, of {len(ours)}"
    )


def same_rows(what: str, ours: Sequence[Any] | None, theirs: Sequence[Any] | None) -> Agreement:
    """Compare rows of names and whole numbers, in any order."""
    if ours is None or theirs is None:
        return Agreement(what, "not compared", "one has no answer")
    left, right = ({tuple(row) for row in rows} for rows in (ours, theirs))
    if left == right and len(ours) == len(theirs):
        return Agreement(what, "agree", f"all {len(left):,}")
    return Agreement(what, "DIFFER", f"{len(left ^ right):,} rows of {len(left | right):,}")


def explained(found: Agreement, why: str) -> Agreement:
    """Say why two differ; where they do not, nothing needs to be said."""
    if found.verdict != "DIFFER":
        return found
    return Agreement(found.what, "differ as explained", f"{found.detail}; {why}")
