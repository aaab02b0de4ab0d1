"""Moments: when each step of a counted pass was taken, and how long that took."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sojourn.analytics.funnel.any_order import completions
from sojourn.analytics.funnel.counted import Counted
from sojourn.analytics.funnel.definition import Funnel
from sojourn.analytics.funnel.relevant import Indices, Relevant
from sojourn.analytics.funnel.spans import excluded_before

NOT_REACHED = -1


def moments(events: Relevant, funnel: Funnel, counted: Counted) -> NDArray[np.int64]:
    """Return the relevant event of each step of each pass, shape (n_steps, n_counted); NOT_REACHED past its
    depth.

    From where it begins a pass takes each step as early as it can and still reach its end. In any order the
    event of a step is the one with which all the steps up to it are done.
    """
    found = np.full((len(funnel.steps), len(counted)), NOT_REACHED, dtype=np.int64)
    if funnel.order == "any":
        for k, complete in enumerate(completions(events, funnel)):
            which = counted.reached(k + 1)
            found[k, which] = complete[counted.first[which]]
        return found
    found[0] = counted.first
    if funnel.without:
        for depth in range(2, len(funnel.steps) + 1):
            which = np.flatnonzero(counted.depth == depth)
            leading = _leading_to(events, funnel, counted.last[which], depth)
            for k in range(1, depth):
                found[k, which] = leading[k][_first_after(leading[k], found[k - 1, which])]
        return found
    for k in range(1, len(funnel.steps)):
        which = counted.reached(k + 1)
        before = found[k - 1, which]
        if funnel.order == "strict":
            found[k, which] = before + 1
        else:
            step = events.of(1 << k)
            found[k, which] = step[_first_after(step, before)]
    return found


def _leading_to(events: Relevant, funnel: Funnel, ends: Indices, depth: int) -> list[Indices]:
    """Return for each step the events from which a pass of that depth leads to one of the ends.

    Of the later events that lead there the next is the only one to look at: whatever is excluded before it is
    excluded before the others too.
    """
    leading = [ends]
    for k in range(depth - 2, -1, -1):
        here = events.of(1 << k)
        after = np.append(leading[0], len(events))[_first_after(leading[0], here)]
        excluded = events.of(excluded_before(funnel, k + 1))
        until = np.append(excluded, len(events))[_first_after(excluded, here)]
        leading.insert(0, here[(after < len(events)) & (until >= after)])
    return leading


def _first_after(some: Indices, here: Indices) -> Indices:
    """Return for each of `here` which of `some` is the first after it; their number where none is."""
    return np.searchsorted(some, here, side="right")
