"""Clock: what the four times of an event are, and how far a device's clock is trusted.

- `timestamp` is the device's: `originalTimestamp` (RudderStack) where there is one, else `timestamp`.
- `sent_at` is the device's too: the event's `sentAt`, else the batch's, else the header's.
- `received_at` is ours.
- `occurred_at` = `timestamp + (received_at - sent_at)`: the device's clock error is what it shows at sending.
  This is Segment's formula (https://segment.com/docs/connections/spec/common/#timestamps). All four are kept,
  so a better one can be computed later.

Rules: no timestamp means it happened when it was received. Nothing happens in the future: what lies more than
`MAX_AHEAD_MS` ahead happened when it was received, and so did what lies before 1970. Unreadable timestamps
are the event's fault (`bad-timestamp`); an unreadable `sentAt` only loses the correction. An import's
`sentAt` is years old and says nothing of a clock: there nothing is corrected.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
MAX_AHEAD_MS = 60_000  # What is left of a clock error after correction is transit and rounding: seconds.
MAX_INSTANT_MS = 253_402_300_800_000  # The year 10000, where datetime ends.

# A number is taken for seconds, ms, us or ns by its size: each covers 1973 to 5138 in its unit.
SECONDS_BELOW = 1e11
MILLISECONDS_BELOW = 1e14
MICROSECONDS_BELOW = 1e17
NANOSECONDS_BELOW = 1e20


def read_instant(value: Any) -> int | None:
    """Return an instant in ms since 1970 UTC; None where it cannot be read.

    Takes ISO 8601 (UTC where it names no zone) and epoch numbers, also as text, in s, ms, us or ns.

    >>> read_instant("2026-11-03T10:11:12.345+01:00"), read_instant(1793700672), read_instant("soon")
    (1793697072345, 1793700672000, None)
    """
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            return _read_number(value)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return (moment - EPOCH) // MILLISECOND
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _scaled(value)
    return None


def occurred_at(timestamp: int | None, *, sent_at: int | None, received_at: int, is_import: bool) -> int:
    """Return when an event happened by our clock, by the rules at the head of this file; all in ms."""
    if timestamp is None:
        return received_at
    instant = timestamp
    if sent_at is not None and not is_import:
        instant += received_at - sent_at
    return instant if 0 <= instant <= received_at + MAX_AHEAD_MS else received_at


def _read_number(text: str) -> int | None:
    """Read an instant that is a number in text; a bare year or date is ISO 8601 and was read as such."""
    try:
        return _scaled(float(text))
    except ValueError:
        pass
    try:
        # `2026-11-03T10:11:12.345 Z`, and the padding that some clients leave.
        moment = datetime.fromisoformat(text.replace(" Z", "Z").strip())
    except ValueError:
        return None
    return ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - EPOCH) // MILLISECOND


def _scaled(number: float) -> int | None:
    size = abs(number)
    if not size < NANOSECONDS_BELOW:  # which NaN is not, either
        return None
    if size < SECONDS_BELOW:
        instant = number * 1000
    elif size < MILLISECONDS_BELOW:
        instant = number
    elif size < MICROSECONDS_BELOW:
        instant = number / 1000
    else:
        instant = number / 1_000_000
    return int(instant) if abs(instant) < MAX_INSTANT_MS else None
