"""Instants: what a date or a time means by a person's own clock, as far as a trait or an author says it."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

from sojourn.definitions.durations import UNITS_MS

MAX_CHARACTERS = 40  # of a date: the longest form of ISO 8601, nanoseconds and offset, has 35.
_MS_FROM = 100_000_000_000  # a larger number is in ms: as seconds it lies in the year 5138, as ms in 1973.
_END_MS = 253_402_300_800_000  # the year 10,000, where calendars end.
_DAY_MS = UNITS_MS["d"]


def read_instant(value: Any, zone: ZoneInfo | timezone, *, at_min: int = 0, offset_ms: int = 0) -> int | None:
    """Return the instant a value names, ms, with an offset; None where it names none.

    A value is an ISO 8601 date or time, or a number of seconds or ms since 1970. A time without a zone is by
    the clock of `zone`, and a date without a time is `at_min` minutes after its midnight; of both, whole days
    of the offset are days of the calendar, so that nine o'clock stays nine o'clock.
    """
    try:
        if isinstance(value, str) and len(value) <= MAX_CHARACTERS:
            return _of_text(value.strip(), zone, at_min, offset_ms)
        if isinstance(value, int | float) and not isinstance(value, bool):
            since_1970_ms = int(value if abs(value) >= _MS_FROM else value * 1000)
            return since_1970_ms + offset_ms if since_1970_ms < _END_MS else None
    except (ValueError, OverflowError):
        pass  # no date, or none that a calendar has
    return None


def _of_text(text: str, zone: ZoneInfo | timezone, at_min: int, offset_ms: int) -> int:
    moment = _wall_of_date(text, at_min) or datetime.fromisoformat(text)
    if moment.tzinfo is not None:
        return _ms(moment) + offset_ms
    n_days = int(offset_ms / _DAY_MS)  # towards zero: -2h are no days
    wall = moment + timedelta(days=n_days)
    return _ms(wall.replace(tzinfo=zone)) + offset_ms - n_days * _DAY_MS


def _wall_of_date(text: str, at_min: int) -> datetime | None:
    """Read a date without a time; None where there is a time, or no date."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return datetime(day.year, day.month, day.day, at_min // 60, at_min % 60)  # noqa: DTZ001  the wall's


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
