"""Who is followed, from when, in which cohort; and in which periods they came back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sojourn.analytics.events import Events
from sojourn.analytics.groups import Named, grouped
from sojourn.analytics.kinds import ANYTHING, first_of, where_is
from sojourn.analytics.periods import Periods
from sojourn.analytics.retention.definition import Retention
from sojourn.model.errors import ConfigError

MAX_COHORTS = 2_000
NOBODY = -1

Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Followed:
    """Who is followed. Arrays are (n_people,)."""

    event: Counts
    """Each person's first event; the number of events for who has none."""
    period: NDArray[np.int32]
    """The period in which it lies."""
    cohort: Counts
    """An index into the cohorts; NOBODY for who is not followed."""
    cohorts: Named
    """(kind, name): a "period"; or by an attribute a "value", the "other" values, and "none"."""


def follow(events: Events, asked: Retention, calendar: Periods) -> Followed:
    """Find each person's first event, and sort people into cohorts.

    Raises:
        ConfigError: There is no such event or attribute, or there are more than MAX_COHORTS cohorts.
    """
    event = first_of(events, where_is(events, asked.first))
    people = np.flatnonzero(event < len(events))
    period = np.zeros(events.n_people, dtype=np.int32)
    period[people] = calendar.of(events.at[event[people]])
    cohort = np.full(events.n_people, NOBODY, dtype=np.int64)
    if asked.by is None:
        n_in = np.bincount(period[people], minlength=len(calendar))
        some = np.flatnonzero(n_in)
        if len(some) > MAX_COHORTS:
            raise ConfigError(
                f"{len(some):,} {asked.period}s are a cohort each; at most {MAX_COHORTS:,} can be: "
                "ask for a longer period or for a part of the events"
            )
        cohort[people] = np.searchsorted(some, period[people])
        cohorts: Named = [("period", calendar.label(number)) for number in some.tolist()]
    else:
        cohort[people], cohorts = grouped(events, asked.by, event[people], limit=asked.limit)
    return Followed(event, period, cohort, cohorts)


@dataclass(frozen=True, slots=True, eq=False)
class Returns:
    """Who came back how many periods after their first event: each pair once, by person, then by n."""

    person: Counts
    n: Counts


def returns(events: Events, asked: Retention, calendar: Periods, followed: Followed) -> Returns:
    """Find when those who are followed came back."""
    if asked.returning == ANYTHING:
        event, person = np.arange(len(events)), events.person()
    else:
        event = where_is(events, asked.returning)
        counts = np.diff(np.searchsorted(event, events.starts))
        person = np.repeat(np.arange(events.n_people, dtype=np.int32), counts)
    is_after = event >= followed.event[person]
    person = person[is_after]
    n = calendar.of(events.at[event[is_after]]) - followed.period[person]
    is_new = np.ones(len(n), dtype=np.bool_)
    is_new[1:] = (person[1:] != person[:-1]) | (n[1:] != n[:-1])
    return Returns(person[is_new].astype(np.int64), n[is_new].astype(np.int64))
