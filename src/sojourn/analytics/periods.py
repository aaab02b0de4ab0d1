"""Periods: hours, days, weeks and months by the clock of a place, over changes of daylight-saving time
too."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from sojourn.analytics.events import Instants
from sojourn.definitions.suggestions import did_you_mean
from sojourn.definitions.zones import instant_of, zone_named, zone_names
from sojourn.model.errors import ConfigError

Unit = Literal["hour", "day", "week", "month"]

UNITS: tuple[Unit, ...] = ("hour", "day", "week", "month")
MAX_PERIODS = 200_000  # hours of 22 years, days of 547: what is further apart is a broken clock.
_HOUR_MS = 3_600_000
_BUCKETS = 64  # of a period, at least: about one of so many instants has to be searched for.
_FEW = 100_000  # instants that are sooner searched for than looked up.
_UNSURE = np.int32(-1)


@dataclass(frozen=True, slots=True, eq=False)
class Periods:
    """Periods that follow one another without a gap, numbered from 0."""

    unit: Unit
    zone: ZoneInfo
    starts: Instants
    """Shape (n_periods + 1,): the instant at which each begins, and that at which the last one ends; ms."""

    def __len__(self) -> int:
        """Count them."""
        return len(self.starts) - 1

    def of(self, at: Instants) -> NDArray[np.int32]:
        """Return the number of the period in which each instant lies; one at or after the end has the next
        number.

        Instants lie not before the first period.
        """
        if len(at) < _FEW:
            return self._search(at)
        # Time is cut into buckets of 2^shift ms. Nearly all lie in one period; only in the others one has
        # to search.
        first, span = int(self.starts[0]), int(at.max()) - int(self.starts[0])
        shift = (span // (_BUCKETS * len(self))).bit_length()
        edges = self._search(first + (np.arange((span >> shift) + 2, dtype=np.int64) << shift))
        number = np.where(edges[:-1] == edges[1:], edges[:-1], _UNSURE)
        bucket = at - first
        bucket >>= shift
        found = number.take(bucket, mode="clip")
        unsure = np.flatnonzero(found == _UNSURE)
        found[unsure] = self._search(at[unsure])
        return found

    def _search(self, at: Instants) -> NDArray[np.int32]:
        return np.searchsorted(self.starts, at, side="right").astype(np.int32) - np.int32(1)

    def label(self, number: int) -> str:
        """Name a period by when it begins there: `2010-12`, `2010-12-06`, `2010-12-06 14:00`."""
        local = datetime.fromtimestamp(int(self.starts[number]) / 1000, UTC).astimezone(self.zone)
        form = {"hour": "%Y-%m-%d %H:%M", "month": "%Y-%m"}.get(self.unit, "%Y-%m-%d")
        return local.strftime(form)


def periods(unit: Unit, zone: str, *, first: int, last: int) -> Periods:
    """Return the periods from that of one instant to that of another.

    Weeks begin on Monday. Hours count from midnight, so that a day with a change of the clock has 23 or 25
    of them.

    Raises:
        ConfigError: The unit or the zone is unknown, or there would be more than MAX_PERIODS.
    """
    if unit not in UNITS:
        raise ConfigError(f"{unit!r}: expected a period of {', '.join(UNITS)}")
    rules = zone_named(zone)
    if rules is None:
        raise ConfigError(f"no time zone is called {zone!r}{did_you_mean(zone, zone_names())}")
    days = _starts_of(unit, _day(first, rules), _day(last, rules))
    starts = np.array([instant_of(day, 0, rules) for day in days], dtype=np.int64)
    if unit == "hour":
        n_hours = -(-np.diff(starts) // _HOUR_MS)
        midnight = np.repeat(starts[:-1], n_hours)
        hours = np.arange(len(midnight)) - np.repeat(np.cumsum(n_hours) - n_hours, n_hours)
        starts = np.append(midnight + hours * _HOUR_MS, starts[-1])
    return Periods(unit, rules, starts)


def _starts_of(unit: Unit, first: date, last: date) -> list[date]:
    """List the days on which the periods begin that hold two days and those between, and the day after."""
    if unit == "month":
        months = range(first.year * 12 + first.month - 1, last.year * 12 + last.month + 1)
        days = [date(month // 12, month % 12 + 1, 1) for month in months]
    else:
        stride = timedelta(days=7 if unit == "week" else 1)
        begin = first - timedelta(days=first.weekday()) if unit == "week" else first
        n = (last - begin) // stride + 2
        if n * (24 if unit == "hour" else 1) > MAX_PERIODS:
            raise ConfigError(
                f"from {first} to {last} there are over {MAX_PERIODS:,} {unit}s: ask for a longer period, or "
                "leave out events whose time is wrong"
            )
        days = [begin + i * stride for i in range(n)]
    return days


def _day(at_ms: int, zone: ZoneInfo) -> date:
    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(zone).date()
