"""Rules of a journey as a whole: who enters it and how often, what it is for, and what ends it at once."""

from __future__ import annotations

from collections.abc import Mapping

from sojourn.definitions.journey import Entry, Exit, Goal, Reentry
from sojourn.definitions.reading import AT_THE_ENTRY, IN_A_RULE, Reading
from sojourn.definitions.schedules import read_schedule
from sojourn.definitions.suggestions import did_you_mean
from sojourn.definitions.yaml import AnyNode, MappingNode, ScalarNode, SequenceNode

REENTRIES: tuple[Reentry, ...] = ("never", "after_exit", "always")
MAX_PRIORITY = 1_000  # either way: more than there are journeys to put in order.

_WAYS_IN = ("on", "segment", "schedule", "api")


def read_entry(node: AnyNode, reading: Reading) -> Entry:
    """Read who enters: by an event, a segment, a schedule or a call, or by several of these."""
    entries = reading.mapping(node, "entry")
    if isinstance(node, MappingNode) and not any(way in entries for way in _WAYS_IN):
        reading.refuse(node, "nobody enters; add one of " + ", ".join(_WAYS_IN), "missing")
    when = reading.condition(entries.get("when"), hidden=AT_THE_ENTRY)
    reentry, cooldown_ms = _reentry(entries.get("reentry"), reading)
    return Entry(
        names=reading.names(entries.get("on")),
        when=when.expression if when else None,
        key=reading.expression(entries.get("key"), hidden=AT_THE_ENTRY),
        reentry=reentry,
        cooldown_ms=cooldown_ms,
        segment=reading.segment(entries["segment"]) if "segment" in entries else "",
        schedule=read_schedule(entries["schedule"], reading) if "schedule" in entries else None,
        is_api=_flag(entries, "api", reading, default=False),
    )


def read_goal(node: AnyNode, reading: Reading) -> Goal:
    """Read what the journey is for."""
    entries = reading.mapping(node, "goal", required=("on",))
    when = reading.condition(entries.get("when"), hidden=IN_A_RULE)
    within = entries.get("within")
    outlives = _flag(entries, "outlives", reading, default=within is not None)
    if outlives and within is None:
        message = "a goal outlives the run while its window lasts; add within, such as within: 7d"
        reading.refuse(entries["outlives"], message, "missing")
    return Goal(
        names=reading.names(entries.get("on")),
        when=when.expression if when else None,
        within_ms=reading.duration(within) if within is not None else None,
        value=reading.expression(entries.get("value"), hidden=IN_A_RULE),
        outlives=outlives,
    )


def read_exits(node: AnyNode, reading: Reading) -> tuple[Exit, ...]:
    """Read what ends an enrolment at once: one rule, or a list of them."""
    several = node.items if isinstance(node, SequenceNode) else (node,)
    return tuple(_exit(each, reading) for each in several)


def read_priority(node: AnyNode | None, reading: Reading) -> int:
    """Read a whole number; 0 where there is none."""
    if node is None:
        return 0
    value = node.value if isinstance(node, ScalarNode) else None
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > MAX_PRIORITY:
        message = f"expected a whole number from -{MAX_PRIORITY:,} to {MAX_PRIORITY:,}; the higher one wins"
        reading.refuse(node, message, "bad-value")
        return 0
    return value


def _exit(node: AnyNode, reading: Reading) -> Exit:
    entries = reading.mapping(node, "exit")
    if isinstance(node, MappingNode) and not ("on" in entries or "when" in entries):
        reading.refuse(node, "exit needs 'on', 'when', or both", "missing")
    when = reading.condition(entries.get("when"), hidden=IN_A_RULE)
    return Exit(names=reading.names(entries.get("on")), when=when.expression if when else None)


def _reentry(node: AnyNode | None, reading: Reading) -> tuple[Reentry, int]:
    """Read a word, or `{ cooldown: 7d }`; return it with the cooldown in ms."""
    if node is None:
        return "after_exit", 0
    if isinstance(node, MappingNode):
        entries = reading.mapping(node, "reentry", required=("cooldown",))
        return "after_exit", reading.duration(entries["cooldown"]) if "cooldown" in entries else 0
    text = reading.text(node, "never, after_exit, always or { cooldown: 7d }")
    for reentry in REENTRIES:
        if text == reentry:
            return reentry, 0
    if text:
        message = f"this is no way to re-enter: {text!r}{did_you_mean(text, REENTRIES)}"
        reading.refuse(node, message, "bad-value")
    return "after_exit", 0


def _flag(entries: Mapping[str, AnyNode], name: str, reading: Reading, *, default: bool) -> bool:
    node = entries.get(name)
    if node is None:
        return default
    value = node.value if isinstance(node, ScalarNode) else None
    if not isinstance(value, bool):
        reading.refuse(node, f"expected {name} as true or false", "bad-value")
        return default
    return value
