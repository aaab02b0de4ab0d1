"""Instants: what exports write as a time, read as milliseconds since 1970 UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any

# An epoch number's unit is told by its size: each bound is the year 5138 in the unit before it.
SECONDS_BELOW = 100_000_000_000
MILLISECONDS_BELOW = SECONDS_BELOW * 1000
MICROSECONDS_BELOW = MILLISECONDS_BELOW * 1000
NANOSECONDS_BELOW = MICROSECONDS_BELOW * 1000

BASIC_DATE_DIGITS = 8  # 20240131; as seconds it would be a day in 1970, which no product has seen.

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def parse_instant(value: Any, zone: tzinfo = UTC) -> int:
    """Read an instant as milliseconds since 1970 UTC.

    Args:
        value: ISO 8601 text, a `datetime` or `date`, or a number (or its digits) of seconds, milliseconds,
            microseconds or nanoseconds since 1970.
        zone: Where a time without a zone of its own was written.

    Raises:
        ValueError: It is none of these; the message says what came.

    >>> parse_instant("2024-03-13 10:21:14")
    1710325274000
    >>> parse_instant("1710325274") == parse_instant(1710325274000) == parse_instant(1710325274000000)
    True
    """
    if isinstance(value, str):
        return _from_text(value, zone)
    if isinstance(value, bool):
        raise ValueError(f"expected a time, got {value}")
    if isinstance(value, int | float | Decimal):
        return _from_number(value)
    if isinstance(value, datetime):
        return _from_datetime(value, zone)
    if isinstance(value, date):
        return _from_datetime(datetime(value.year, value.month, value.day, tzinfo=zone), zone)
    raise ValueError(f"expected a time, got {type(value).__name__}")


def _from_text(text: str, zone: tzinfo) -> int:
    stripped = text.strip()
    digits = stripped.removeprefix("-").replace(".", "", 1)
    # Digits first: the standard library reads some of them as a date, any sign between day and hour.
    if digits.isdecimal() and digits.isascii() and len(digits) != BASIC_DATE_DIGITS:
        return _from_number(Decimal(stripped))
    if stripped.endswith(" UTC"):  # BigQuery exports write it so.
        stripped, zone = stripped.removesuffix(" UTC"), UTC
    try:
        return _from_datetime(datetime.fromisoformat(stripped), zone)
    except (ValueError, OverflowError):
        expected = "expected a time as 2024-01-31T12:00:00Z, or a number of seconds or milliseconds"
        raise ValueError(f"{expected}, got {text[:40]!r}") from None


def _from_datetime(moment: datetime, zone: tzinfo) -> int:
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    return (moment - _EPOCH) // _MILLISECOND


def _from_number(number: int | float | Decimal) -> int:
    size = number if number >= 0 else -number
    if size < SECONDS_BELOW:
        return round(number * 1000)
    if size < MILLISECONDS_BELOW:
        return int(number)
    if size < MICROSECONDS_BELOW:
        return int(number // 1000)
    if size < NANOSECONDS_BELOW:
        return int(number // 1_000_000)
    raise ValueError(f"expected a time, got {str(number)[:40]}")
