"""Any order: where all of some steps were done, whichever came first, each by an event of its own.

One event may be of several steps. By Hall's theorem (P. Hall, 1935) events can be dealt out to steps
exactly when every set of steps finds as many events as it has steps. Sets of steps that share no event need
no look.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from sojourn.analytics.funnel.definition import Funnel
from sojourn.analytics.funnel.relevant import Indices, Relevant
from sojourn.analytics.funnel.spans import Spans, excluded_before
from sojourn.model.errors import ConfigError

MAX_SHARING = 8  # steps that share events: 2^8 sets of them are looked at.


def spans_in_any_order(events: Relevant, funnel: Funnel) -> list[Spans]:
    """Return the passes of each depth: those that end at an event of any of its steps, and begin last.

    Raises:
        ConfigError: More than MAX_SHARING steps share events.
    """
    found = []
    begins = np.arange(len(events), dtype=np.int64)
    for k, sets in enumerate(_sets(events, funnel)):
        for some, n_others in sets:
            nth = events.n_before(some)[1:] - n_others
            begins = np.minimum(begins, np.append(-1, some)[np.maximum(nth, 0)])
        last = events.of((2 << k) - 1)
        first = begins[last]
        first, last = first[first >= 0], last[first >= 0]
        holds = events.case[first] == events.case[last]
        if funnel.within_ms is not None:
            holds &= events.at[last] - events.at[first] <= funnel.within_ms
        if funnel.without:
            excluded = events.of(excluded_before(funnel, 1))
            holds &= np.append(excluded, -1)[events.n_before(excluded)[last] - 1] <= first
        found.append(Spans(first[holds], last[holds]))
    return found


def completions(events: Relevant, funnel: Funnel) -> list[Indices]:
    """Return for each depth, from each event on, the first event at which all the steps so far are done.

    Each has the shape (n_relevant,); n_relevant where that never comes. Cases are not told apart.
    """
    found = []
    complete = np.zeros(len(events), dtype=np.int64)
    for sets in _sets(events, funnel):
        for some, n_others in sets:
            nth = np.minimum(events.n_before(some)[:-1] + n_others, len(some))
            complete = np.maximum(complete, np.append(some, len(events))[nth])
        found.append(complete)
    return found


def _sets(events: Relevant, funnel: Funnel) -> Iterator[list[tuple[Indices, int]]]:
    """Yield for each step the sets of steps that need a look: it, with any of the earlier ones it shares
    events with.

    Of each set: the events of any of its steps, and how many steps it has beside this one.
    """
    for k, sharing in enumerate(_sharing_before(events, len(funnel.steps))):
        yield [
            (events.of(sum(1 << step for step in (*others, k))), n_others)
            for n_others in range(len(sharing) + 1)
            for others in combinations(sharing, n_others)
        ]


def _sharing_before(events: Relevant, n_steps: int) -> list[list[int]]:
    """Return for each step the earlier ones that it shares events with, be it through others of them."""
    together = [1 << k for k in range(n_steps)]
    for bits in np.unique(events.bits).tolist():
        met = bits & ((1 << n_steps) - 1)
        for mask in [mask for mask in together if mask & met]:
            met |= mask
        together = [met if mask & met else mask for mask in together]
    sharing = [[j for j in range(k) if together[k] >> j & 1] for k in range(n_steps)]
    if max(map(len, sharing)) >= MAX_SHARING:
        raise ConfigError(
            f"{max(map(len, sharing)) + 1} steps share events; in any order at most {MAX_SHARING} can: "
            "make steps of names that no other step has"
        )
    return sharing
