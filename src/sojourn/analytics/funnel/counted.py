"""What a funnel counts: cases, or attempts, each with the deepest step it reached."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sojourn.analytics.events import Codes
from sojourn.analytics.funnel.relevant import Indices, Relevant
from sojourn.analytics.funnel.spans import Spans


@dataclass(frozen=True, slots=True, eq=False)
class Counted:
    """All that got to the first step at least. Arrays are (n_counted,), ordered by case, then by
    beginning."""

    case: Codes
    depth: NDArray[np.int8]
    """How many steps were passed: 1 to all."""
    first: Indices
    """The relevant event with which the pass begins ..."""
    last: Indices
    """... and the one with which it reaches its depth."""
    left: Indices
    """The last relevant event with which this depth was reached (again) before the next attempt: what came
    after it is where they went instead of going on."""

    def __len__(self) -> int:
        """Count them."""
        return len(self.case)

    def reached(self, depth: int) -> NDArray[np.int64]:
        """Return which of them passed so many steps."""
        return np.flatnonzero(self.depth >= depth)


def count_cases(events: Relevant, spans: Sequence[Spans]) -> Counted:
    """Count each case once, by its first pass of the greatest depth."""
    n_cases = len(events.starts) - 1
    depth = np.zeros(n_cases, dtype=np.int8)
    first, last, left = (np.zeros(n_cases, dtype=np.int64) for _ in range(3))
    for d, of_depth in enumerate(spans, start=1):
        case = events.case[of_depth.last]
        begins = np.flatnonzero(np.diff(case, prepend=-1))
        ends = np.append(begins[1:], len(case))[: len(begins)] - 1
        which = case[begins]
        depth[which] = d
        first[which], last[which] = of_depth.first[begins], of_depth.last[begins]
        left[which] = of_depth.last[ends]
    got_in = np.flatnonzero(depth)
    return Counted(got_in.astype(np.int32), depth[got_in], first[got_in], last[got_in], left[got_in])


def count_attempts(events: Relevant, spans: Sequence[Spans]) -> Counted:
    """Count passes that do not overlap: as many complete ones as there can be, then the next depth, and so
    on.

    Passes that end first leave most room for others (interval scheduling); every first step is in the end
    of one attempt, for it is by itself a pass of depth 1.
    """
    n_relevant = len(events)
    chosen, depths = Spans(*(np.zeros(0, dtype=np.int64) for _ in range(2))), np.zeros(0, dtype=np.int8)
    left = chosen.last
    for d, of_depth in reversed(list(enumerate(spans, start=1))):
        n_begun = np.searchsorted(chosen.first, of_depth.last, side="right")
        n_over = np.searchsorted(chosen.last, of_depth.first, side="left")
        free = of_depth[n_begun == n_over]
        more = free[_one_after_another(free, events.case[free.last])]
        first = np.concatenate([chosen.first, more.first])
        rank = np.argsort(first, kind="stable")
        chosen = Spans(first[rank], np.concatenate([chosen.last, more.last])[rank])
        depths = np.concatenate([depths, np.full(len(more), d, dtype=np.int8)])[rank]
        left = np.concatenate([left, more.last])[rank]
    case = events.case[chosen.first]
    until = np.minimum(np.append(chosen.first[1:], n_relevant), events.starts[case + 1])
    for d, of_depth in enumerate(spans, start=1):
        mine = np.flatnonzero(depths == d)
        left[mine] = of_depth.last[np.searchsorted(of_depth.last, until[mine]) - 1]
    return Counted(case, depths, chosen.first, chosen.last, left)


def _one_after_another(spans: Spans, case: Codes) -> NDArray[np.bool_]:
    """Choose in each case the pass that ends first, then of those that begin after it the one that ends
    first, ...

    Which is next is known of each at once; those met from a case's first are found by doubling the stride,
    in as many rounds as the most attempts of a case have binary digits.
    """
    n = len(spans)
    jump = np.append(np.searchsorted(spans.first, spans.last, side="right"), n)
    is_met = np.append(np.diff(case, prepend=-1) != 0, True)
    n_met = 0
    while n_met < (n_met := int(np.count_nonzero(is_met))):
        is_met[jump[is_met]] = True
        jump = jump[jump]
    return is_met[:n]
