"""Events as numbers: what every question is answered from.

Strings are encoded once, when events are read; a question is then a few passes over small integers.
Everything lies in one order: by person, then by time, then in the order it came, so that ties never depend on
chance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sojourn.analytics.belonging.known import Belonging

MISSING = -1
"""The code of a value that is not there."""

Codes = NDArray[np.int32]
Offsets = NDArray[np.int64]
Instants = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Column:
    """One attribute of events (country, device, channel), dictionary-encoded."""

    codes: Codes
    """Shape (n_events,): an index into `values`, or MISSING."""
    values: Sequence[str]
    """Distinct, in an order of no meaning."""


@dataclass(frozen=True, slots=True)
class Cases:
    """What is followed from its first step to its last: a person, or one session of a person.

    The events of case `i` are `order[starts[i]:starts[i + 1]]` (`order` None: as they lie).
    """

    starts: Offsets
    """Shape (n_cases + 1,)."""
    person: Codes
    """Shape (n_cases,): whose it is, an index into `Events.people`."""
    order: Offsets | None = None

    def __len__(self) -> int:
        """Count the cases."""
        return len(self.person)


@dataclass(frozen=True, slots=True)
class Events:
    """Encoded events, ordered by person, time and sequence. Arrays are never changed in place.

    All arrays but `starts` have the shape (n_events,).
    """

    starts: Offsets
    """Shape (n_people + 1,): the events of person `i` are `starts[i]` to `starts[i + 1]`; at least one."""
    step: Codes
    """What was done, an index into `steps`; never MISSING: what has no name is no event."""
    at: Instants
    """When, in ms since 1970 UTC; within a person never going back."""
    steps: Sequence[str]
    """The names of steps: distinct, sorted."""
    people: Sequence[str]
    """The ids of people, as many as there are: distinct, in the order of their events."""
    session: Codes | None = None
    """A code per session, distinct over all people; MISSING where an event has none. None: unknown."""
    columns: Mapping[str, Column] = field(default_factory=dict)
    """Attributes by name."""
    values: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    """Amounts by name (revenue); NaN where an event has none."""
    left_out: Mapping[str, int] = field(default_factory=dict)
    """How many rows were no events, by reason: `no-person`, `no-step`, `no-time`, `bad-time`, `bad-line` (no
    row at all), `left-out` (step rules say so), `excluded` (columns say so), `duplicate` (of an event's
    id)."""
    belonging: Belonging | None = None
    """Of the segments and experiments that a question names; None: it names none."""

    def __len__(self) -> int:
        """Count the events."""
        return len(self.step)

    @property
    def n_people(self) -> int:
        """Count the people."""
        return len(self.starts) - 1

    def person(self) -> Codes:
        """Return whose each event is, shape (n_events,)."""
        return np.repeat(np.arange(self.n_people, dtype=np.int32), np.diff(self.starts))

    def by_person(self) -> Cases:
        """Follow people."""
        return Cases(self.starts, np.arange(self.n_people, dtype=np.int32))
