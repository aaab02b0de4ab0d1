"""Recording: what was observed as events and as first opportunities, as a lake's readers would find them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sojourn.analytics.causal.trials import Trials, Unit
from sojourn.analytics.events import MISSING, Column, Events
from sojourn.analytics.simulator.observing import Observed, ids_of

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
STARTS_AT = 1_767_571_200_000  # 2026-01-05, a Monday.

OPENED, OPPORTUNITY, SEEN, VIEWED, ORDERED = STEPS = (
    "Account Opened", "Opportunity", "Message Seen", "Product Viewed", "Order Completed",
)  # fmt: skip
"""Names of events, in the order in which they come where they come at one instant."""
ENGAGEMENT, REVENUE = "engagement", "revenue"
"""Numbers: what is known of people before, of `Account Opened`; and what a conversion is worth."""
VERSION = "simulated000"

_FIRST_HOUR, _HOURS_APART = 8, 2  # Each channel has its hour, so that what comes first is plain.
_SEEN_MS, _CLICK_MS = 1_000, 60_000
_VIEW_HOUR, _ORDER_HOUR = 20, 22
_SCATTER = 7_919  # A prime: people are spread over the hour.


class Rows(NamedTuple):
    """Events in the order of people and time; each of the shape (n_events,)."""

    person: NDArray[np.int32]
    at: NDArray[np.int64]
    step: NDArray[np.int8]
    """An index into STEPS."""
    channel: NDArray[np.int8]
    """Of an opportunity, and of a message seen; MISSING otherwise."""
    amount: NDArray[np.float64]
    """Engagement or revenue; NaN otherwise."""


def rows_of(observed: Observed, *, is_lean: bool = False) -> Rows:
    """Lay out everything that happened.

    Args:
        observed: What did.
        is_lean: Leave out what no estimate needs: opportunities, and visits.
    """
    met, visits, n = observed.met, observed.visits, observed.n_people
    met_at = opportunity_at(observed)
    converted = np.flatnonzero(observed.has_converted)
    whole = [
        _rows(
            np.arange(n),
            np.full(n, STARTS_AT - DAY_MS) + jitter(np.arange(n)),
            0,
            amount=engagement(observed),
        ),
        _rows(met.person[met.shown], met_at[met.shown] + _SEEN_MS, 2, channel=met.channel[met.shown]),
        _rows(
            converted,
            _at(observed.converted[converted], _ORDER_HOUR) + jitter(converted),
            4,
            amount=observed.worth[converted],
        ),
    ]
    if not is_lean:
        whole += [
            _rows(met.person, met_at, 1, channel=met.channel),
            _rows(met.person[met.clicked], met_at[met.clicked] + _CLICK_MS, 3),
            _rows(visits.person, _at(visits.step, _VIEW_HOUR) + jitter(visits.person), 3),
        ]
    joined = [np.concatenate([part[i] for part in whole]) for i in range(len(Rows._fields))]
    person, at, step = joined[:3]
    order = np.lexsort((step, at, person))
    return Rows._make(column[order] for column in joined)


def events_of(observed: Observed, *, is_lean: bool = False) -> Events:
    """Encode everything that happened."""
    rows = rows_of(observed, is_lean=is_lean)
    names = sorted(STEPS)
    code = np.array([names.index(name) for name in STEPS], dtype=np.int32)
    counts = np.bincount(rows.person, minlength=observed.n_people)
    is_seen = rows.step == STEPS.index(SEEN)
    return Events(
        starts=np.concatenate([[0], np.cumsum(counts)]),
        step=code[rows.step],
        at=rows.at,
        steps=names,
        people=[each.decode() for each in ids_of(observed.first, observed.n_people).tolist()],
        columns={
            "channel": Column(
                np.where(is_seen, rows.channel, MISSING).astype(np.int32),
                [channel.name for channel in observed.scenario.channels],
            )
        },
        values={
            ENGAGEMENT: np.where(rows.step == STEPS.index(OPENED), rows.amount, np.nan),
            REVENUE: np.where(rows.step == STEPS.index(ORDERED), rows.amount, np.nan),
        },
    )


def trials_of(observed: Observed) -> Trials:
    """Return each channel's first opportunities."""
    met, n = observed.met, observed.n_people
    key = met.channel.astype(np.int64) * n + met.person
    first, row = np.unique(key, return_index=True)
    at = np.full(len(first), np.iinfo(np.int64).max)
    np.minimum.at(at, np.searchsorted(first, key), opportunity_at(observed))
    channel = (first // n).astype(np.int32)
    names = [each.name for each in observed.scenario.channels]
    rank = np.argsort(np.argsort(names)).astype(np.int32)
    order = np.lexsort((first % n, rank[channel]))
    person = (first % n).astype(np.int32)
    return Trials(
        units=[Unit("channel", name) for name in sorted(names)],
        unit=rank[channel][order],
        person=person[order],
        at=at[order],
        is_held=~met.shown[row][order],
        is_mixed=np.zeros(len(first), dtype=bool),
        version=np.zeros(len(first), dtype=np.int32),
        versions=[VERSION],
        ids=ids_of(observed.first, n),
    )


def opportunity_at(observed: Observed) -> NDArray[np.int64]:
    """Return when each opportunity was, ms."""
    met = observed.met
    hour = _FIRST_HOUR + _HOURS_APART * met.channel.astype(np.int64)
    return _at(met.step, 0) + hour * HOUR_MS + jitter(met.person)


def ends_at(observed: Observed) -> int:
    """Return when the simulation is over, ms."""
    return STARTS_AT + (observed.scenario.steps + observed.scenario.tail) * DAY_MS


def engagement(observed: Observed) -> NDArray[np.float64]:
    """Return what is known of people before, on a scale of about 0 to 100."""
    return np.round(50 + 15 * observed.known, 1)


def jitter(person: NDArray[np.int32] | NDArray[np.int64]) -> NDArray[np.int64]:
    """Return when in the hour each person is at work, ms."""
    return person.astype(np.int64) * _SCATTER % HOUR_MS


def _at(step: NDArray[np.int16], hour: int) -> NDArray[np.int64]:
    return STARTS_AT + step.astype(np.int64) * DAY_MS + hour * HOUR_MS


def _rows(
    person: NDArray[np.int32] | NDArray[np.int64],
    at: NDArray[np.int64],
    step: int,
    *,
    channel: NDArray[np.int16] | None = None,
    amount: NDArray[np.float64] | None = None,
) -> Rows:
    n = len(person)
    return Rows(
        person.astype(np.int32),
        at,
        np.full(n, step, dtype=np.int8),
        np.full(n, MISSING, dtype=np.int8) if channel is None else channel.astype(np.int8),
        np.full(n, np.nan) if amount is None else amount,
    )
