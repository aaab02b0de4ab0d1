"""Waits: how long a `wait:` step lasts: a time, or an instant that is computed when the step is reached."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sojourn.definitions.durations import MAX_DURATION_MS, parse_duration
from sojourn.definitions.expression import Expression
from sojourn.definitions.instants import read_instant
from sojourn.definitions.reading import IN_A_STATE, Reading
from sojourn.definitions.step_schema import DAY_NAMES
from sojourn.definitions.yaml import AnyNode, ScalarNode, SequenceNode
from sojourn.definitions.zones import EVERY_DAY, next_open, next_time, zone_named

_TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)", re.ASCII)
_LIKE_TIME = re.compile(r"\d{1,2}:\d{1,2}", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_FORMS: Mapping[str, tuple[str, ...]] = {
    "until": ("offset", "at", "days", "zone"),
    "window": ("days", "zone"),
    "between": (),
}
"""How a wait may be written, and what may stand beside it."""


class Wait(NamedTuple):
    """How long one step lasts."""

    after_ms: int
    """The time, or where it is computed the least it can be."""
    due: Expression | None = None
    """Gives the instant it ends; None: after `after_ms`."""
    may_be_at_once: bool = False


def read_wait(node: AnyNode, reading: Reading, *, seed: str) -> Wait:
    """Read what stands after `wait:`; `seed` tells this step's draws from those of others."""
    if isinstance(node, ScalarNode):
        return Wait(reading.duration(node))
    entries = reading.mapping(node, "wait")
    forms = [form for form in _FORMS if form in entries]
    if len(forms) != 1:
        got = " and ".join(forms) or "none of them"
        reading.refuse(node, f"a wait says one of until, window or between; got {got}", "bad-value")
        return Wait(1)
    form = forms[0]
    for key in entries.keys() - {form, *_FORMS[form]}:
        if key in ("offset", "at", "days", "zone"):
            reading.refuse(entries[key], f"{key} does not go with {form}", "bad-value")
    if form == "between":
        return _between(entries[form], reading, seed)
    if form == "window":
        return _window(entries, reading)
    is_clock = isinstance(node := entries[form], ScalarNode) and _LIKE_TIME.fullmatch(node.text) is not None
    return _clock(entries, reading) if is_clock else _date(entries, reading)


def _between(node: AnyNode, reading: Reading, seed: str) -> Wait:
    items = node.items if isinstance(node, SequenceNode) else ()
    if len(items) != 2:
        reading.refuse(node, "expected the shortest and the longest time: [1h, 3h]", "bad-value")
        return Wait(1)
    low_ms, high_ms = reading.duration(items[0]), reading.duration(items[1])
    if low_ms >= high_ms:
        reading.refuse(node, "expected the shorter time first: [1h, 3h]", "bad-value")
    n_ms = high_ms - low_ms + 1

    def instant(scope: Any) -> int:
        return int(scope.at + low_ms + int(scope.draw(seed) * n_ms))

    return Wait(low_ms, Expression(f"between {_text(items[0])} and {_text(items[1])}", instant))


def _window(entries: Mapping[str, AnyNode], reading: Reading) -> Wait:
    node = entries["window"]
    start_min, end_min = _span(node, reading)
    days, zone = _days(entries, reading), _zone(entries, reading)

    def instant(scope: Any) -> int:
        return next_open(scope.at, zone or scope.zone, start_min, end_min, days=days)

    return Wait(0, Expression(f"window {_text(node)}", instant), may_be_at_once=True)


def _clock(entries: Mapping[str, AnyNode], reading: Reading) -> Wait:
    """Wait for a time of day: always the next one, so that two such steps are two days."""
    minute = _minute(entries["until"], reading)
    days, zone = _days(entries, reading), _zone(entries, reading)
    for key in ("offset", "at"):
        if key in entries:
            reading.refuse(entries[key], f"{key} goes with a date, not with a time of day", "bad-value")

    def instant(scope: Any) -> int:
        return next_time(scope.at + 1, zone or scope.zone, minute, days)

    return Wait(1, Expression(f"until {_text(entries['until'])}", instant))


def _date(entries: Mapping[str, AnyNode], reading: Reading) -> Wait:
    """Wait for a date or a time that an expression or the author gives."""
    node = entries["until"]
    value = _value(node, reading)
    offset_ms = _offset(entries["offset"], reading) if "offset" in entries else 0
    at_min = _minute(entries["at"], reading) if "at" in entries else 0
    zone = _zone(entries, reading)
    if "days" in entries:
        reading.refuse(entries["days"], "days go with a time of day, not with a date", "bad-value")
    if value is None:
        return Wait(1)
    ask = value.call

    def instant(scope: Any) -> int | None:
        found = read_instant(ask(scope), zone or scope.zone, at_min=at_min, offset_ms=offset_ms)
        return None if found is None else min(found, scope.at + MAX_DURATION_MS)

    due = Expression(f"until {_text(node)}", instant, value.needs, value.reads)
    return Wait(0, due, may_be_at_once=True)


def _value(node: AnyNode, reading: Reading) -> Expression | None:
    """Read an expression, or a date written out."""
    text = _text(node)
    if not _DATE.match(text):
        return reading.expression(node, hidden=IN_A_STATE)
    zone = zone_named("UTC")
    assert zone is not None, "the database of zones has UTC"
    if read_instant(text, zone) is None:
        message = f"expected a date such as 2026-12-24 or 2026-12-24T18:00, got {text[:40]!r}"
        reading.refuse(node, message, "bad-date")
    return Expression(text, lambda _scope: text)


def _offset(node: AnyNode, reading: Reading) -> int:
    text = reading.text(node, "a time before or after it, such as -3d or 2h")
    sign = -1 if text.startswith("-") else 1
    try:
        return sign * parse_duration(text[1:] if text[:1] in ("+", "-") else text or "1ms")
    except ValueError as error:
        reading.refuse(node, str(error), "bad-duration")
        return 0


def _span(node: AnyNode, reading: Reading) -> tuple[int, int]:
    text = reading.text(node, "hours of the day, such as 09:00-18:00")
    start, _, end = text.replace(" ", "").partition("-")
    found = [_TIME.fullmatch(start), _TIME.fullmatch(end)]
    if not text:
        return 0, 1
    if found[0] is None or found[1] is None or start == end:
        reading.refuse(node, f"expected hours of the day, such as 09:00-18:00, got {text[:40]!r}", "bad-time")
        return 0, 1
    start_min, end_min = (int(each[1]) * 60 + int(each[2]) for each in found if each)
    return start_min, end_min


def _minute(node: AnyNode, reading: Reading) -> int:
    text = reading.text(node, "a time of day, such as 09:00")
    found = _TIME.fullmatch(text)
    if found is None:
        if text:
            reading.refuse(node, f"expected a time of day, such as 09:00, got {text[:40]!r}", "bad-time")
        return 0
    return int(found[1]) * 60 + int(found[2])


def _days(entries: Mapping[str, AnyNode], reading: Reading) -> frozenset[int]:
    if "days" not in entries:
        return EVERY_DAY
    node = entries["days"]
    each = reading.items(node, "days such as [mon, fri]") if isinstance(node, SequenceNode) else (node,)
    days: set[int] = set()
    for item in each:
        name = reading.text(item, f"a day: {', '.join(DAY_NAMES)}")
        if name in DAY_NAMES:
            days.add(DAY_NAMES.index(name))
        elif name:
            reading.refuse(item, f"expected a day: {', '.join(DAY_NAMES)}; got {name[:40]!r}", "bad-value")
    return frozenset(days) or EVERY_DAY


def _zone(entries: Mapping[str, AnyNode], reading: Reading) -> ZoneInfo | None:
    if "zone" not in entries:
        return None
    name = reading.text(entries["zone"], "a time zone such as Europe/Berlin")
    zone = zone_named(name) if name else None
    if name and zone is None:
        message = f"no time zone is named {name[:40]!r}; write one such as Europe/Berlin"
        reading.refuse(entries["zone"], message, "unknown-zone")
    return zone


def _text(node: AnyNode) -> str:
    return node.text if isinstance(node, ScalarNode) else ""
