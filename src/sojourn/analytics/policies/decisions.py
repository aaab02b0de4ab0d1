"""Decisions: what was drawn for whom, with which probability, and what came of it, as numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from sojourn.model.errors import InputError

Floats = NDArray[np.float64]
Codes = NDArray[np.int32]
Half = Literal["first", "second"]

SURE = 1e-9  # what a sum of probabilities may miss 1 by: they were written with 6 digits or more
_ROUNDED = 1e-3  # what probabilities that somebody else wrote may miss it by


@dataclass(frozen=True, slots=True, eq=False)
class Decisions:
    """Logged decisions of one experiment. Arrays have the shape (n_decisions,) unless they say otherwise."""

    variants: tuple[str, ...]
    contexts: tuple[str, ...]
    """Cells of the context; one empty name where there is none."""
    variant: Codes
    """What was drawn: a place in `variants`."""
    context: Codes
    reward: Floats
    propensity: Floats
    """The probability with which that was drawn, above 0 and at most 1."""
    person: Codes
    """Whose decision it was, from 0: decisions of one person are not independent."""
    n_people: int
    drawn_from: Codes | None = None
    """A row of `eligible`; None where the log does not say what else could have been drawn."""
    eligible: Floats | None = None
    """Shape (n_distinct, n_variants): the probability of each variant."""
    half: NDArray[np.bool_] | None = None
    """Whether a decision is of the second half of the people, by a hash; None where nobody is named."""
    left_out: Mapping[str, int] | None = None
    """Rows that are no decisions to learn from, by reason."""

    def __len__(self) -> int:
        """Count the decisions."""
        return len(self.variant)


def rows_of_half(decisions: Decisions, which: Half) -> NDArray[np.int64]:
    """Return the rows of one half of the people: learn from one, judge by the other.

    Who is in which is a hash of who they are; where nobody is named, it goes by the row.
    """
    is_second = np.arange(len(decisions)) % 2 == 1 if decisions.half is None else decisions.half
    return np.flatnonzero(is_second == (which == "second"))


def of_rows(decisions: Decisions, rows: NDArray[np.int64]) -> Decisions:
    """Return some of the decisions; raise InputError where there are none."""
    if not len(rows):
        raise InputError("no-decisions", "this half of the people has none", path="the decisions", status=404)
    people, person = np.unique(decisions.person[rows], return_inverse=True)
    changes: dict[str, Any] = {
        name: None if column is None else column[rows]
        for name in ("variant", "context", "reward", "propensity", "drawn_from", "half")
        for column in (getattr(decisions, name),)
    }
    return replace(decisions, person=person.astype(np.int32), n_people=len(people), **changes)


def check(decisions: Decisions, place: str) -> None:
    """Raise InputError with the first row that cannot be right."""
    chances, gains = decisions.propensity, decisions.reward
    _refuse((chances > 0) & (chances <= 1 + SURE), chances, place, "a propensity above 0, at most 1")
    _refuse(np.isfinite(gains), gains, place, "a finite reward")
    if decisions.eligible is None or decisions.drawn_from is None:
        return
    told = decisions.eligible[decisions.drawn_from, decisions.variant]
    apart = np.abs(told - chances) > _ROUNDED
    if apart.any():
        row = int(np.flatnonzero(apart)[0])
        reason = (
            f"row {row + 1}: its propensity is {chances[row]:g}, and {told[row]:g} in what was eligible; "
            "one of them was logged wrongly"
        )
        raise InputError("bad-decision", reason, path=place)
    total = decisions.eligible.sum(axis=1)[decisions.drawn_from]
    _refuse(np.abs(total - 1) <= _ROUNDED, total, place, "eligible shares that sum to 1")


def _refuse(is_good: NDArray[np.bool_], values: Floats, place: str, expected: str) -> None:
    if not is_good.all():
        row = int(np.flatnonzero(~is_good)[0])
        raise InputError(
            "bad-decision", f"row {row + 1}: expected {expected}, got {values[row]:g}", path=place
        )
