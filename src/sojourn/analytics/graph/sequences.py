"""Sequences: the steps of each case in a row, one after another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sojourn.analytics.cases import Unit, cases_of
from sojourn.analytics.events import Codes, Events, Offsets


@dataclass(frozen=True, slots=True, eq=False)
class Sequences:
    """The steps of all cases. Where repeats are collapsed, equal steps right after one another are one."""

    starts: Offsets
    """Shape (n_cases + 1,): the steps of case `i` are `starts[i]` to `starts[i + 1]`; at least one."""
    step: Codes
    """Shape (n_steps,): an index into the events' `steps`."""
    order: NDArray[np.int64] | None
    """Shape (n_steps,): the event that took the step; of a run of equal ones the first. None: as they lie."""
    last_event: NDArray[np.int64]
    """Shape (n_cases,): each case's last event."""
    person: Codes
    """Shape (n_cases,): whose each case is, ascending."""
    names: Sequence[str]
    """The names of steps."""

    def __len__(self) -> int:
        """Count the cases."""
        return len(self.person)

    def case(self) -> Codes:
        """Return the case of each step, shape (n_steps,)."""
        return np.repeat(np.arange(len(self), dtype=np.int32), np.diff(self.starts))

    @property
    def event(self) -> NDArray[np.int64]:
        """The event that took each step, shape (n_steps,)."""
        return np.arange(len(self.step)) if self.order is None else self.order

    def of_events(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return what the event of each step has; where steps are all events as they lie, without a copy."""
        return values if self.order is None else values[self.order]


def sequences(events: Events, unit: Unit, *, collapse: bool = False) -> Sequences:
    """Line up the steps of people or sessions."""
    cases = cases_of(events, unit)
    order, starts, last = cases.order, cases.starts, cases.starts[1:] - 1
    step = events.step if order is None else events.step[order]
    last_event = last if order is None else order[last]
    if collapse:
        is_new = np.ones(len(step), dtype=np.bool_)
        is_new[1:] = step[1:] != step[:-1]
        is_new[starts[:-1]] = True
        kept = np.flatnonzero(is_new)
        starts = np.searchsorted(kept, starts)
        order, step = kept if order is None else order[kept], step[kept]
    return Sequences(starts, step, order, last_event, cases.person, events.steps)


def n_people(group: NDArray[np.int64], person: NDArray[np.int32], n_groups: int) -> NDArray[np.int64]:
    """Count the distinct people of each group, shape (n_groups,).

    Args:
        group: Shape (n,): 0 to n_groups - 1.
        person: Shape (n,): whose it is.
        n_groups: How many groups there are.
    """
    n = int(person.max(initial=0)) + 1
    pairs = np.sort(group * n + person)
    return np.bincount(pairs[np.flatnonzero(np.diff(pairs, prepend=-1))] // n, minlength=n_groups)
