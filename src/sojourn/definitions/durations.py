"""Durations: `30m`, `1h30m`, `7d` as authors write them, in milliseconds."""

from __future__ import annotations

import re

UNITS_MS = {
    "w": 604_800_000,
    "d": 86_400_000,
    "h": 3_600_000,
    "m": 60_000,
    "s": 1_000,
    "ms": 1,
}
"""Largest first: the order in which the parts of one duration stand."""

MAX_DURATION_MS = 10 * 365 * UNITS_MS["d"]  # ten years: longer than any profile is kept.

DURATION_PATTERN = r"^(\d{1,9}w)?(\d{1,9}d)?(\d{1,9}h)?(\d{1,9}m)?(\d{1,9}s)?(\d{1,12}ms)?$"
"""Also what the JSON Schema gives editors."""

_SHAPE = re.compile(DURATION_PATTERN, re.ASCII)
_PART = re.compile(r"(\d+)([a-z]+)", re.ASCII)
_MAX_SHOWN = 40  # characters of a wrong duration that a message repeats.


def parse_duration(text: str) -> int:
    """Read a duration: whole numbers with units w, d, h, m, s, ms, largest first, each at most once.

    Returns milliseconds, 1 to MAX_DURATION_MS. Raises ValueError saying what was expected.

    >>> parse_duration("1h30m")
    5400000
    """
    if not text or text.endswith("\n") or not _SHAPE.match(text):
        shown = text[:_MAX_SHOWN]
        raise ValueError(f"expected a duration such as 30s, 5m, 1h30m, 7d or 2w, got {shown!r}")
    total_ms = sum(int(number) * UNITS_MS[unit] for number, unit in _PART.findall(text))
    if total_ms == 0:
        raise ValueError(f"a duration must be longer than nothing, got {text!r}")
    if total_ms > MAX_DURATION_MS:
        raise ValueError(f"{text!r} is longer than the ten years that can be waited for")
    return total_ms


def write_duration(duration_ms: int) -> str:
    """Write milliseconds as an author would, in whole numbers, largest unit first.

    Weeks are written in days, as people do. What this writes, `parse_duration` reads, up to its ten years.

    >>> write_duration(5_400_000), write_duration(14 * 86_400_000), write_duration(0)
    ('1h30m', '14d', '0s')
    """
    parts: list[str] = []
    for unit, unit_ms in UNITS_MS.items():
        if unit != "w" and duration_ms >= unit_ms:
            parts.append(f"{duration_ms // unit_ms}{unit}")
            duration_ms %= unit_ms
    return "".join(parts) or "0s"
