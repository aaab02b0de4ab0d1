"""What a funnel looks at: the events of its steps and exclusions, and where in their cases they lie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sojourn.analytics.events import Cases, Codes, Events, Instants, Offsets
from sojourn.analytics.funnel.definition import Funnel
from sojourn.analytics.kinds import bits_of

Indices = NDArray[np.int64]
"""Of relevant events, ascending."""


@dataclass(frozen=True, slots=True, eq=False)
class Relevant:
    """Events that are of any step or exclusion, in the order of their cases. Arrays are (n_relevant,) but
    `starts`."""

    place: Offsets
    """Where among all events of all cases it lies; ascending."""
    event: Offsets
    """Its index in the events."""
    case: Codes
    at: Instants
    bits: NDArray[Any]
    """Bit `k`: it is of step `k` (from 0); after the steps' bits, one for each exclusion."""
    starts: Offsets
    """Shape (n_cases + 1,): the relevant events of case `i` are `starts[i]` to `starts[i + 1]`."""

    def of(self, mask: int) -> Indices:
        """Return the relevant events that have any bit of a mask."""
        return np.flatnonzero(self.bits & self.bits.dtype.type(mask))

    def __len__(self) -> int:
        """Count them."""
        return len(self.place)

    def n_before(self, some: Indices) -> NDArray[np.int32]:
        """Count for each relevant event how many of `some` lie before it; shape (n_relevant + 1,)."""
        counts = np.zeros(len(self) + 1, dtype=np.int32)
        counts[some + 1] = 1
        return np.cumsum(counts, out=counts)


def relevant(events: Events, cases: Cases, funnel: Funnel) -> Relevant:
    """Take out of all events what a funnel looks at.

    Raises:
        ConfigError: A step or an exclusion names what no event has.
    """
    kinds = [*funnel.steps, *(exclusion.kind for exclusion in funnel.without)]
    bits = bits_of(events, kinds)
    if cases.order is None:
        place = np.flatnonzero(bits)
        event = place
    else:
        bits = bits[cases.order]
        place = np.flatnonzero(bits)
        event = cases.order[place]
    starts = np.searchsorted(place, cases.starts)
    return Relevant(
        place=place,
        event=event,
        case=np.repeat(np.arange(len(cases), dtype=np.int32), np.diff(starts)),
        at=events.at[event],
        bits=bits[place],
        starts=starts,
    )
