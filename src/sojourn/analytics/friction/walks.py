"""Walks: cases laid end to end, so that every signal is found in one pass over all of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sojourn.analytics.cases import Unit
from sojourn.analytics.events import MISSING, Codes, Events, Instants
from sojourn.analytics.graph.sequences import sequences

DAY_MS = 86_400_000
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Walks:
    """The steps of all cases, one case after the other; shape (n_steps,) where none is named."""

    case: Codes
    """Which case, from 0."""
    step: Codes
    at: Instants
    n_cases: int
    n_kinds: int
    """How many different steps there are; codes are below it."""
    person: Codes
    """Whose each case is, shape (n_cases,)."""
    first: NDArray[np.int64]
    """Where each case begins, shape (n_cases + 1,)."""
    event: NDArray[np.int64]
    """Which event took each step."""

    @property
    def follows(self) -> Flags:
        """Tell of each step but the last whether the next one is of the same case, shape (n_steps - 1,)."""
        follows: Flags = self.case[1:] == self.case[:-1]
        return follows

    def has(self, where: NDArray[np.int64] | Flags) -> Flags:
        """Tell which cases have one of these steps, shape (n_cases,)."""
        found = np.zeros(self.n_cases, dtype=np.bool_)
        found[self.case[where]] = True
        return found

    def day(self) -> NDArray[np.int64]:
        """Return the day (UTC, since 1970) each case began, shape (n_cases,)."""
        return self.at[self.first[:-1]] // DAY_MS

    def labels(self, codes: Codes) -> Codes:
        """Return the first known value of an attribute in each case, shape (n_cases,)."""
        laid = codes[self.event]
        known = np.flatnonzero(laid != MISSING)[::-1]
        found = np.full(self.n_cases, MISSING, dtype=np.int32)
        found[self.case[known]] = laid[known]  # of several, the last one assigned stays: the first in time
        return found


def walks_of(events: Events, unit: Unit) -> Walks:
    """Lay the cases of people, or of sessions, end to end."""
    lined_up = sequences(events, unit)
    return Walks(
        case=lined_up.case(),
        step=lined_up.step,
        at=lined_up.of_events(events.at),
        n_cases=len(lined_up),
        n_kinds=len(events.steps),
        person=lined_up.person,
        first=lined_up.starts,
        event=lined_up.event,
    )
