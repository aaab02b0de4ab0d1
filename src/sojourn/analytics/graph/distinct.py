"""Distinct: how many different cases, people or sessions are behind each group of steps.

Nothing is sorted. Whoever is counted lies in one part of the steps, so that each part counts its own, and a
table of the pairs (who, group) of one part fits into a core's cache.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sojourn.analytics.chunks import in_parts
from sojourn.analytics.events import MISSING
from sojourn.analytics.graph.sequences import Sequences

Counts = NDArray[np.int64]

PART = 1 << 15
"""Steps of a part, more where one person has more: what is made of them stays in a core's cache."""
_TABLE = 1 << 24  # pairs that have a table; more of them are sorted.


class Part(NamedTuple):
    """Some people, all their cases, and all steps of these."""

    cases: slice
    steps: slice
    case: NDArray[np.int64]
    """Shape (n_steps of the part,): each step's case, from 0."""


class Parts:
    """The steps of cases, cut where one person ends and the next begins."""

    def __init__(self, lined_up: Sequences, *, least: int = 0) -> None:
        """Cut them, into parts of so many steps at least but for the last."""
        self._starts = lined_up.starts
        self._cases = _cuts(lined_up, max(PART, least))

    def run(self, work: Callable[[Part], None]) -> None:
        """Do something with each, on a few threads."""
        in_parts(lambda i: work(self._part(i)), len(self._cases) - 1)

    def total(self, work: Callable[[Part], Counts], n: int) -> Counts:
        """Return the sum of what some work finds in each part, shape (n,)."""
        total, lock = np.zeros(n, dtype=np.int64), Lock()

        def add(part: Part) -> None:
            found = work(part)
            with lock:
                np.add(total, found, out=total)

        self.run(add)
        return total

    def _part(self, i: int) -> Part:
        low, high = self._cases[i : i + 2].tolist()
        starts = self._starts[low : high + 1]
        case = np.repeat(np.arange(high - low), np.diff(starts))
        return Part(slice(low, high), slice(int(starts[0]), int(starts[-1])), case)


def n_distinct(who: NDArray[np.int64], group: NDArray[Any], n_groups: int) -> Counts:
    """Count how many are in each group, shape (n_groups,); who is there more than once is counted once.

    Args:
        who: Shape (n,): from 0, with few numbers that are nobody's.
        group: Shape (n,): 0 to n_groups - 1.
        n_groups: How many groups there are.
    """
    if not len(who):
        return np.zeros(n_groups, dtype=np.int64)
    pair = who * n_groups
    pair += group
    n_pairs = (int(who.max()) + 1) * n_groups
    if n_pairs > _TABLE:
        pair.sort()
        is_first = np.ones(len(pair), dtype=np.bool_)
        np.not_equal(pair[1:], pair[:-1], out=is_first[1:])
        return np.bincount(pair[is_first] % n_groups, minlength=n_groups)
    # Of all that write to one place of the table, one finds there what it wrote.
    place = np.arange(len(pair), dtype=np.min_scalar_type(len(pair)))
    table = np.empty(n_pairs, dtype=place.dtype)
    table[pair] = place
    return np.bincount(group[table[pair] == place], minlength=n_groups)


def n_sessions(session: NDArray[np.int32], group: NDArray[Any], n_groups: int) -> Counts:
    """Count the sessions in each group, as `n_distinct` does; of steps that are MISSING one, none."""
    is_in = session != MISSING
    if not is_in.all():
        session, group = session[is_in], group[is_in]
    if not len(session):
        return np.zeros(n_groups, dtype=np.int64)
    lowest, highest = int(session.min()), int(session.max())
    if highest - lowest > 2 * len(session):
        return n_distinct(np.unique(session, return_inverse=True)[1], group, n_groups)
    return n_distinct(session - np.int64(lowest), group, n_groups)


def _cuts(lined_up: Sequences, length: int) -> NDArray[np.int64]:
    """Return the first case of each part, and behind them how many there are."""
    starts, person = lined_up.starts, lined_up.person
    places = np.arange(0, int(starts[-1]), length)
    near = person[np.searchsorted(starts[:-1], places, side="right") - 1]
    return np.unique(np.append(np.searchsorted(person, near), len(person)))
