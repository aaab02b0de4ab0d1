"""Figures: shares, spans of time and bars, as people read them in a terminal."""

from __future__ import annotations

from math import isnan

_UNITS = (("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1_000))
MANY = {"person": "people", "session": "sessions", "attempt": "attempts"}
"""What is counted, as a heading."""

_EIGHTHS = " ▏▎▍▌▋▊▉█"
BAR_CHARACTERS = 20


def percent(share: float | None) -> str:
    """Write a share; nothing where there is none.

    >>> percent(0.4567), percent(1.0), percent(None)
    ('45.7%', '100.0%', '')
    """
    return "" if share is None or isnan(share) else f"{share:.1%}"


def interval(low: float | None, high: float | None) -> str:
    """Write the bounds of a share.

    >>> interval(0.031, 0.125)
    '3.1 to 12.5%'
    """
    return "" if low is None or high is None or isnan(low) else f"{low * 100:.1f} to {high:.1%}"


def span(ms: float | None) -> str:
    """Write a span of time in its two largest units.

    >>> span(93_784_000), span(60_000), span(0), span(250), span(None)
    ('1 d 2 h', '1 min', '0 s', '0.25 s', '')
    """
    if ms is None or isnan(ms):
        return ""
    if 0 < ms < _UNITS[-1][1]:
        return f"{ms / 1000:.2g} s"
    parts: list[str] = []
    left = round(ms / 1000) * 1000
    for name, unit_ms in _UNITS:
        count, rest = divmod(left, unit_ms)
        if count or parts:
            parts.append(f"{count} {name}" if count else "")
            left = rest
        if len(parts) == 2:
            break
    return " ".join(filter(None, parts)) or "0 s"


def bar(share: float | None, *, characters: int = BAR_CHARACTERS) -> str:
    """Draw a share as a bar, to an eighth of a character.

    >>> bar(0.5, characters=4), bar(0.3, characters=4), bar(None)
    ('██', '█▎', '')
    """
    if share is None or isnan(share):
        return ""
    whole, eighths = divmod(round(share * characters * 8), 8)
    return "█" * whole + _EIGHTHS[eighths].strip()


def walk(steps: list[str], *, n_more: int = 0) -> str:
    """Write a path.

    >>> walk(["View", "Cart"], n_more=3)
    'View > Cart > ... 3 more'
    """
    return " > ".join([*steps, f"... {n_more:,} more"] if n_more else steps)
