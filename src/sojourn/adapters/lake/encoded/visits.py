"""Visits: what became of their names; a visit's name is its first event's, and each earlier one leads on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Revision(NamedTuple):
    """A visit got another name; names are hashes."""

    profile: str
    """Whom it was said of, as it was then."""
    position: int
    old: int
    new: int
    group: int
    n: int
    """Of several revisions the last counts, by group and n."""


def rename(visits: NDArray[np.uint64], stretches: Iterable[tuple[int, int, Sequence[Revision]]]) -> None:
    """Give visits the names that they have by now, in place.

    Args:
        visits: Shape (n_rows,).
        stretches: From which row to which, and the revisions that count there.
    """
    for low, high, revisions in stretches:
        if not revisions:
            continue
        newest = {one.old: one.new for one in sorted(revisions, key=lambda one: (one.group, one.n))}
        visits[low:high] = [_follow(visit, newest) for visit in visits[low:high].tolist()]


def _follow(visit: int, newest: dict[int, int]) -> int:
    for _ in range(len(newest) + 1):
        if visit not in newest:
            return visit
        visit = newest[visit]
    raise AssertionError("a visit's names lead back to it")
