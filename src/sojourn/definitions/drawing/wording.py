"""Wording: states, ways and rules in the few words that a drawing has room for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from sojourn.definitions.chart import Assign, Cancel, Content, Raise, Send, State, Transition, Want
from sojourn.definitions.chart_builder import UNTIL, timer_name
from sojourn.definitions.durations import write_duration
from sojourn.definitions.experiment import Experiment
from sojourn.definitions.internal_events import DONE_STATE
from sojourn.definitions.journey import Call, Do, Journey

MAX_BODY_CHARACTERS = 40  # of an action's body: enough to tell two templates apart.

_TIMER = re.compile(r"after\((?P<state>.*),(?P<ms>\d+|until)\)", re.S)
_WAYS_IN = ("on", "segment", "schedule", "api")
_REENTRIES = {"never": "once only", "after_exit": "again after leaving", "always": "several times at once"}


def plain_text(text: str) -> str:
    """Put text on one line, without what a page would obey instead of show: names come from anybody.

    >>> plain_text("a\\n b\\x1b[2J")
    'a b�[2J'
    """
    line = " ".join(text.split())
    if line.isprintable():
        return line
    return "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in line)


def rules_of(journey: Journey) -> tuple[str, ...]:
    """Say what holds in every state: who enters, what it is for, what ends it, who is held out."""
    rules = [_entry_rule(journey)]
    rules += [f"goal: {goal_words(journey)}"] if journey.goal else []
    rules += [f"exit: {words}" for words in exit_words(journey)]
    if journey.holdout:
        rules.append(f"held out: {holdout_words(journey)}")
    if journey.group:
        rules.append(f"one at a time of: {journey.group}")
    if journey.priority:
        rules.append(f"priority: {journey.priority}")
    return tuple(plain_text(rule) for rule in rules)


def entry_words(journey: Journey) -> dict[str, str]:
    """Say who enters, and how often, by the keyword that says so."""
    entry = journey.entry
    said = {
        "on": " or ".join(sorted(entry.names)),
        "segment": entry.segment,
        "schedule": entry.schedule.text if entry.schedule else "",
        "api": "a call" if entry.is_api else "",
        "when": entry.when.source if entry.when else "",
        "key": entry.key.source if entry.key else "",
        "reentry": _REENTRIES[entry.reentry],
        "cooldown": write_duration(entry.cooldown_ms) if entry.cooldown_ms else "",
    }
    return {keyword: plain_text(words) for keyword, words in said.items() if words}


def goal_words(journey: Journey) -> str:
    """Say what the journey is for; empty where it does not say."""
    goal = journey.goal
    if goal is None:
        return ""
    window = "" if goal.within_ms is None else f" within {write_duration(goal.within_ms)}"
    worth = f", worth {goal.value.source}" if goal.value else ""
    return plain_text(f"{' or '.join(sorted(goal.names))}{_condition(goal.when)}{window}{worth}")


def exit_words(journey: Journey) -> list[str]:
    """Say what ends it, a line for each rule."""
    each = [(" or ".join(sorted(one.names)) or "as soon as", one.when) for one in journey.exits]
    return [plain_text(f"{what}{_condition(when)}") for what, when in each]


def holdout_words(journey: Journey) -> str:
    """Say how many are held out; empty: nobody."""
    return f"{journey.holdout * 100:g}%" if journey.holdout else ""


def arrow_words(state: State, way: Transition) -> str:
    """Say what takes a way: an event, a time or nothing, its condition, and what is done on it."""
    words = [_cause(state, way), _when(state, way), *_deeds(way.content)]
    return plain_text(", ".join(word for word in words if word))


def itself_words(state: State, way: Transition) -> str:
    """Say what a state answers and stays, or leaves itself for."""
    again = "again" if way.targets else "stays"
    return plain_text(f"{arrow_words(state, way)}: {again}")


def content_words(state: State) -> Iterator[str]:
    """Say what a state does when it is entered, and when it is left."""
    yield from (plain_text(words) for words in _deeds(state.entry))
    yield from (plain_text(f"leaving: {words}") for words in _deeds(state.exit))


def _entry_rule(journey: Journey) -> str:
    said = entry_words(journey)
    ways = [
        said[name] if name in ("on", "api") else f"{name} {said[name]}" for name in _WAYS_IN if name in said
    ]
    key = f", one per {said['key']}" if "key" in said else ""
    wait = f", not within {said['cooldown']}" if "cooldown" in said else ""
    return f"enter: {'; '.join(ways)}{_condition(journey.entry.when)}{key}, {said['reentry']}{wait}"


def _condition(when: Any) -> str:
    return f" if {when.source}" if when is not None else ""


def _cause(state: State, way: Transition) -> str:
    if way.is_any:
        return "any event"
    named = [*sorted(way.names), *(f"{prefix}.*" for prefix in way.prefixes)]
    return " or ".join(_event(state, name) for name in named)


def _event(state: State, name: str) -> str:
    if name == timer_name(state.id, UNTIL):
        return next((one.due.source for one in state.entry if isinstance(one, Send) and one.due), name)
    timer = _TIMER.fullmatch(name)
    if timer is not None and timer["state"] == state.id and timer["ms"] != UNTIL:
        return f"after {write_duration(int(timer['ms']))}"
    if name.startswith(DONE_STATE):
        done = name.removeprefix(DONE_STATE)
        return "done" if done == state.id else f"{done.rpartition('.')[2]} done"
    return name


def _when(state: State, way: Transition) -> str:
    """Say a condition; a split's variants are known by name, and what is left over is otherwise."""
    experiments = [
        one.body for one in state.entry if isinstance(one, Want) and isinstance(one.body, Experiment)
    ]
    for experiment in experiments:
        for variant, weight in zip(experiment.variants, experiment.weights, strict=True):
            is_rest = way.when is None and variant == experiment.variants[0]
            if is_rest or (way.when and way.when.source == f"variant({experiment.id!r}) == {variant!r}"):
                return variant if experiment.allocation == "adaptive" else f"{variant} {weight:.0%}"
    if way.when is not None:
        return f"if {way.when.source}"
    is_one_of_several = not _cause(state, way) and len(state.transitions) > 1
    return "otherwise" if is_one_of_several else ""


def _deeds(block: tuple[Content, ...]) -> Iterator[str]:
    for content in block:
        match content:
            case Want():
                yield _wanted(content.body)
            case Raise():
                yield f"raise {content.event}"
            case Send() if not _TIMER.fullmatch(content.event):
                yield f"send {content.event} after {write_duration(content.after_ms)}"
            case Cancel() if not _TIMER.fullmatch(content.id):
                yield f"cancel {content.id}"
            case Assign():
                yield f"{content.name} = {content.value.source}"


def _wanted(body: Any) -> str:
    match body:
        case Do():
            return f"{body.sink}{_summary(body.body.source)}"
        case Experiment():
            return f"split {body.id}"
        case Call():
            return f"call {body.journey}"
        case _:
            return type(body).__name__ if not isinstance(body, str) else body


def _summary(source: Any) -> str:
    """Say the first value of an action's body that is the same for everybody: which template, which note."""
    values = source.values() if isinstance(source, dict) else ()
    for value in values:
        text = str(value) if isinstance(value, str | int | float) else ""
        fixed = text.partition("{")[0].strip()[:MAX_BODY_CHARACTERS]
        if fixed:
            return f": {fixed}" if fixed == text else f": {fixed} …"
    return ""
