"""Stickiness: how many days people are active, and how many of a month's people are there on a day."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from sojourn.analytics.events import Events
from sojourn.analytics.kinds import ANYTHING, Kind, where_is
from sojourn.analytics.periods import Periods, periods
from sojourn.analytics.tables import Table
from sojourn.model.errors import ConfigError

WEEK_DAYS, MONTH_DAYS = 7, 30
"""Of the trailing windows: the same length on every day, so that days can be compared."""


class Stickiness(Struct, frozen=True, kw_only=True):
    """What counts as being active, and in which periods active days are counted."""

    active: Kind = ANYTHING
    period: Literal["week", "month"] = "week"
    zone: str = "UTC"
    until_ms: int | None = None
    """Up to when everything was observed. None: up to the last event."""

    def __post_init__(self) -> None:
        """Refuse what has no days."""
        if self.period not in ("week", "month"):
            raise ConfigError(f"{self.period!r}: active days are counted by week or month")


@dataclass(frozen=True, eq=False)
class StickinessAnswer:
    """Who was active on which day, each pair of a person and a day once, by person, then by day."""

    asked: Stickiness
    events: Events
    days: Periods
    until_ms: int
    person: NDArray[np.int64]
    day: NDArray[np.int64]

    @cached_property
    def definition(self) -> dict[str, Any]:
        """Say what the numbers mean, and how many people stand behind them."""
        return {
            "active": str(self.asked.active),
            "period": self.asked.period,
            "zone": self.asked.zone,
            "until_ms": self.until_ms,
            "status": "whole: all its days are in the data; partial: some are before it, or not over",
            "n_events": len(self.events),
            "n_people": self.events.n_people,
            "n_active": int(np.count_nonzero(np.diff(self.person, prepend=-1))),
        }

    def active_days(self) -> Table:
        """Tell of each period how many people were active on how many of its days.

        One row for each period and number of days from 1; those of one period add up to its active people.
        """
        calendar = periods(
            self.asked.period, self.asked.zone, first=int(self.days.starts[0]), last=self.until_ms - 1
        )
        period = calendar.of(self.days.starts[self.day]).astype(np.int64)
        begins = np.flatnonzero((np.diff(self.person, prepend=-1) != 0) | (np.diff(period, prepend=-1) != 0))
        n_days = np.diff(np.append(begins, len(period)))
        most = WEEK_DAYS if self.asked.period == "week" else 31
        counts = np.bincount(period[begins] * most + n_days - 1, minlength=len(calendar) * most)
        counts = counts.reshape(len(calendar), most)
        active = counts.sum(axis=1)
        with np.errstate(invalid="ignore"):
            share = (counts / active[:, None]).ravel()
            mean = np.repeat((counts * np.arange(1, most + 1)).sum(axis=1) / active, most)
        is_whole = (calendar.starts[:-1] >= self.days.starts[0]) & (calendar.starts[1:] <= self.until_ms)
        labels = [calendar.label(i) for i in range(len(calendar))]
        return Table(
            {
                "period": [label for label in labels for _ in range(most)],
                "status": np.repeat(np.where(is_whole, "whole", "partial"), most).tolist(),
                "active": np.repeat(active, most),
                "mean_days": mean,
                "days": np.tile(np.arange(1, most + 1), len(calendar)),
                "people": counts.ravel(),
                "share": share,
            },
            self.definition,
        )

    def daily(self) -> Table:
        """Tell of each day how many people were active on it, in the 7 days and in the 30 days that end
        with it.

        `day_of_month` is the share of the month's people who were there on the day (DAU / MAU),
        `day_of_week` and `week_of_month` likewise.
        """
        n_days = len(self.days)
        day, week, month = (self._active_within(window, n_days) for window in (1, WEEK_DAYS, MONTH_DAYS))
        number = np.arange(n_days)
        is_over = self.days.starts[1:] <= self.until_ms
        with np.errstate(invalid="ignore"):
            ratios = {"day_of_week": day / week, "day_of_month": day / month, "week_of_month": week / month}
        return Table(
            {
                "day": [self.days.label(i) for i in range(n_days)],
                "status": np.where((number >= MONTH_DAYS - 1) & is_over, "whole", "partial").tolist(),
                "active_day": day,
                "active_week": week,
                "active_month": month,
                **ratios,
            },
            self.definition,
        )

    def _active_within(self, window: int, n_days: int) -> NDArray[np.int64]:
        """Count for each day who was active in the window that ends with it.

        A day of a person counts for the days from it until the window has passed, or the person's next day
        takes over.
        """
        until = self.day + window
        goes_on = np.append(self.person[1:] == self.person[:-1], False)[: len(until)]
        following = np.append(self.day[1:], 0)[: len(until)]
        until = np.minimum(np.where(goes_on, np.minimum(until, following), until), n_days)
        changes = np.bincount(self.day, minlength=n_days + 1) - np.bincount(until, minlength=n_days + 1)
        return np.cumsum(changes)[:n_days]


def stickiness(events: Events, asked: Stickiness) -> StickinessAnswer:
    """Find on which days people were active.

    Raises:
        ConfigError: The events lack a name that is asked for, the zone is unknown, or `until_ms` lies
            before the last event.
    """
    first, last = (int(events.at.min()), int(events.at.max())) if len(events) else (0, 0)
    until_ms = last + 1 if asked.until_ms is None else asked.until_ms
    if until_ms <= last:
        raise ConfigError(
            "there are events after the instant up to which all was observed: leave them out first"
        )
    days = periods("day", asked.zone, first=first, last=until_ms - 1)
    some = where_is(events, asked.active)
    person = np.repeat(np.arange(events.n_people), np.diff(np.searchsorted(some, events.starts)))
    day = days.of(events.at[some]).astype(np.int64)
    is_new = np.flatnonzero((np.diff(person, prepend=-1) != 0) | (np.diff(day, prepend=-1) != 0))
    return StickinessAnswer(asked, events, days, until_ms, person[is_new], day[is_new])
