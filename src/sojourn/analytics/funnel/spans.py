"""Spans: from where to where the first steps of a funnel were passed, at every depth.

The passes of one depth are told apart by where they end. Of those that end at the same event only the one
that begins last is kept: it is shortest, so whatever a window or an exclusion allows of the others it
allows of this one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sojourn.analytics.funnel.definition import Funnel
from sojourn.analytics.funnel.relevant import Indices, Relevant


@dataclass(frozen=True, slots=True, eq=False)
class Spans:
    """Passes of the first `d` steps: relevant events where they begin and end.

    `last` ascends, and `first` never goes back; both of a pass are of one case.
    """

    first: Indices
    last: Indices

    def __len__(self) -> int:
        """Count the passes."""
        return len(self.last)

    def __getitem__(self, which: NDArray[np.bool_] | Indices) -> Spans:
        """Take some of them."""
        return Spans(self.first[which], self.last[which])


def spans_in_order(events: Relevant, funnel: Funnel) -> list[Spans]:
    """Return the passes of each depth, where a step comes after the one before it.

    A pass ending at an event of step `k` is one of step `k - 1` that ended before it, and this event. The
    last of those is the only one to look at: it began last (so the window is widest), and nothing that is
    excluded lies after it unless it lies after the others too.
    """
    everywhere = events.of(1)
    found = [Spans(everywhere, everywhere)]
    for k in range(1, len(funnel.steps)):
        here = events.of(1 << k)
        before = events.n_before(found[-1].last)[here].astype(np.int64) - 1
        here, before = here[before >= 0], before[before >= 0]
        previous, first = found[-1].last[before], found[-1].first[before]
        holds = events.case[previous] == events.case[here]
        if funnel.within_ms is not None:
            holds &= events.at[here] - events.at[first] <= funnel.within_ms
        if funnel.order == "strict":
            holds &= events.place[here] == events.place[previous] + 1
        if mask := excluded_before(funnel, k):
            excluded = events.of(mask)
            holds &= np.append(excluded, -1)[events.n_before(excluded)[here] - 1] <= previous
        found.append(Spans(first[holds], here[holds]))
    return found


def excluded_before(funnel: Funnel, k: int) -> int:
    """Return the mask of what must not lie between step `k` (from 0) and the one before it."""
    n_steps = len(funnel.steps)
    return sum(
        1 << (n_steps + i)
        for i, exclusion in enumerate(funnel.without)
        if exclusion.after <= k < (exclusion.before or n_steps)
    )
