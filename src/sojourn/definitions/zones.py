"""Zones: a person's own clock: days, hours and windows of it, over changes of daylight-saving time too.

The rules of time zones are loaded from the package `tzdata`, which the lock pins: they are code, not
something that is consulted, and the same on every machine (law 1).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from functools import lru_cache
from io import BytesIO
from pkgutil import get_data
from typing import Literal
from zoneinfo import ZoneInfo

MAX_ZONES = 1_024  # known to the IANA: about 600, links included.
EVERY_DAY = frozenset(range(7))
DAY_MIN = 1_440
_MINUTE_MS = 60_000
_MAX_NAME_CHARS = 64

Calendar = Literal["day", "week", "month"]


@lru_cache(MAX_ZONES)
def zone_named(name: str) -> ZoneInfo | None:
    """Return a zone of the IANA database by its name; None where there is none of that name."""
    parts = name.split("/")
    is_plain = all(part.replace("_", "").replace("-", "").replace("+", "").isalnum() for part in parts)
    if not is_plain or not name.isascii() or len(name) > _MAX_NAME_CHARS:
        return None
    try:
        rules = get_data("tzdata", f"zoneinfo/{name}")
        return None if rules is None else ZoneInfo.from_file(BytesIO(rules), key=name)
    except (OSError, ValueError):
        return None


@lru_cache(1)
def zone_names() -> tuple[str, ...]:
    """Return the names of all zones, for whoever misspelt one."""
    listed = get_data("tzdata", "zones")
    assert listed is not None, "the package tzdata lists its zones"
    return tuple(listed.decode().split())


def minute_of_day(at_ms: int, zone: ZoneInfo | timezone) -> int:
    """Return the minute of the day it is there, 0 to 1,439."""
    local = _local(at_ms, zone)
    return local.hour * 60 + local.minute


def is_between(at_ms: int, zone: ZoneInfo | timezone, start_min: int, end_min: int) -> bool:
    """Tell whether it is from `start_min` on and before `end_min` there; the span may go over midnight."""
    minute = minute_of_day(at_ms, zone)
    if start_min <= end_min:
        return start_min <= minute < end_min
    return minute >= start_min or minute < end_min


def next_time(at_ms: int, zone: ZoneInfo | timezone, minute: int, days: frozenset[int] = EVERY_DAY) -> int:
    """Return the first instant at or after `at_ms` at which it is that minute there, on one of those days.

    Days are numbered from Monday, 0. A time that the clock skips comes as much later as was skipped; one that
    comes twice is met the first time.
    """
    for day in _days(_local(at_ms, zone).date()):
        if day.weekday() in days:
            instant = instant_of(day, minute, zone)
            if instant >= at_ms:
                return instant
    raise AssertionError("a week has all its days")


def next_open(
    at_ms: int, zone: ZoneInfo | timezone, start_min: int, end_min: int, *, days: frozenset[int] = EVERY_DAY
) -> int:
    """Return the first instant at or after `at_ms` inside a window of the day; `at_ms` where it is open.

    A window over midnight belongs to the day on which it begins.
    """
    today = _local(at_ms, zone).date()
    began = (
        today - timedelta(days=1) if start_min > end_min and minute_of_day(at_ms, zone) < end_min else today
    )
    if began.weekday() in days and is_between(at_ms, zone, start_min, end_min):
        return at_ms
    return next_time(at_ms, zone, start_min, days)


def next_outside(at_ms: int, zone: ZoneInfo | timezone, start_min: int, end_min: int) -> int:
    """Return the first instant at or after `at_ms` outside a window of the day; `at_ms` where it is outside.

    The clock may be put forward or back inside the window: whatever it shows then decides.
    """
    while is_between(at_ms, zone, start_min, end_min):
        local = _local(at_ms, zone)
        into_minute_ms = local.second * 1000 + local.microsecond // 1000
        n_minutes = (end_min - local.hour * 60 - local.minute) % DAY_MIN
        end_ms = at_ms - into_minute_ms + n_minutes * _MINUTE_MS
        if _local(end_ms, zone).utcoffset() == local.utcoffset():
            return end_ms
        at_ms = _next_change(at_ms, end_ms, zone)
    return at_ms


def start_of(at_ms: int, zone: ZoneInfo | timezone, calendar: Calendar) -> int:
    """Return the instant at which the day, week (from Monday) or month there began."""
    day = _local(at_ms, zone).date()
    if calendar == "week":
        day -= timedelta(days=day.weekday())
    elif calendar == "month":
        day = day.replace(day=1)
    return instant_of(day, 0, zone)


def instant_of(day: date, minute: int, zone: ZoneInfo | timezone) -> int:
    """Return when it is that minute of that day there, ms."""
    wall = datetime(day.year, day.month, day.day, minute // 60, minute % 60, tzinfo=zone)
    return round(wall.timestamp() * 1000)


def _next_change(at_ms: int, end_ms: int, zone: ZoneInfo | timezone) -> int:
    """Return the instant in (at_ms, end_ms] at which the zone's clock is put forward or back."""
    before = _local(at_ms, zone).utcoffset()
    while end_ms - at_ms > 1:
        middle_ms = (at_ms + end_ms) // 2
        if _local(middle_ms, zone).utcoffset() == before:
            at_ms = middle_ms
        else:
            end_ms = middle_ms
    return end_ms


def _local(at_ms: int, zone: ZoneInfo | timezone) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(zone)


def _days(first: date) -> Iterator[date]:
    """Yield a day and the eight after it: a week, and its first day once more for the hours already gone."""
    for n in range(9):
        yield first + timedelta(days=n)
