"""Compiling: from the YAML text of a journey to the journey that runs, or to all that is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from hashlib import blake2b
from typing import Any

import msgspec

from sojourn.definitions.chart import Assign, Chart
from sojourn.definitions.chart_builder import UNTIL, build_chart, timer_name
from sojourn.definitions.chart_tree import ChartError
from sojourn.definitions.check import check_graph
from sojourn.definitions.drafts import Draft, Way
from sojourn.definitions.echoes import check_echoes
from sojourn.definitions.experiment import Experiment
from sojourn.definitions.guards import compile_expression
from sojourn.definitions.journey import Journey
from sojourn.definitions.needs import merge_needs
from sojourn.definitions.policy import DEFAULT_JOURNEY_HOLDOUT, Policy
from sojourn.definitions.reading import Reading
from sojourn.definitions.rules import read_entry, read_exits, read_goal, read_priority
from sojourn.definitions.schema_parts import JOURNEY_NAME_PATTERN
from sojourn.definitions.states import read_states, read_steps
from sojourn.definitions.way_ids import ENTRY, EXIT, GOAL, way_id
from sojourn.definitions.yaml import AnyNode, MappingNode, ScalarNode, SequenceNode, load, plain
from sojourn.model.errors import DefinitionError, Problem

VERSION_DIGITS = 12  # 48 bits: the versions of one journey are thousands at most.

_NAME = re.compile(JOURNEY_NAME_PATTERN)


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """What came of checking one file."""

    journey: Journey | None
    """None where there are problems."""
    problems: list[Problem]
    warnings: list[Problem]


def compile_journey(text: str, *, file: str = "<journey>") -> Journey:
    """Compile one journey, or raise DefinitionError with every problem found, in the order of the file."""
    checked = check_journey(text, file=file)
    if checked.journey is None:
        raise DefinitionError(checked.problems)
    return checked.journey


def check_journey(
    text: str,
    *,
    file: str = "<journey>",
    sinks: Collection[str] | None = None,
    segments: Collection[str] | None = None,
    policy: Policy | None = None,
) -> Checked:
    """Compile one journey and say what is wrong, or probably not meant; this raises nothing.

    `sinks` are those of the configuration, `segments` those that are defined, `policy` is the one in force;
    None: nobody knows.
    """
    reading = Reading(file, sinks=sinks, segments=segments, policy=policy)
    journey: Journey | None = None
    try:
        journey = _journey(text, load(text, file=file), reading)
    except DefinitionError as error:
        reading.problems += error.problems
    problems, warnings = reading.told()
    return Checked(journey=None if problems else journey, problems=problems, warnings=warnings)


def _journey(text: str, node: AnyNode, reading: Reading) -> Journey | None:
    entries = reading.mapping(node, "journey", required=("journey", "entry"))
    reading.journey = name = _name(entries.get("journey"), reading)
    if "description" in entries:
        reading.text(entries["description"], "a description")
    entry = read_entry(entries["entry"], reading) if "entry" in entries else None
    goal = read_goal(entries["goal"], reading) if "goal" in entries else None
    reading.goal_within_ms = None if goal is None else goal.within_ms or 0
    exits = read_exits(entries["exit"], reading) if "exit" in entries else ()
    holdout = reading.share(entries["holdout"]) if "holdout" in entries else DEFAULT_JOURNEY_HOLDOUT
    priority = read_priority(entries.get("priority"), reading)
    group = _name(entries.get("group"), reading, what="group")
    drafted = _graph(node, entries, reading)
    if drafted is None or reading.problems:
        return None  # a graph with holes would only be blamed for them again
    root, experiments = drafted
    check_graph(root, reading, goal_within_ms=goal.within_ms if goal else None)
    if entry is not None:
        check_echoes(root, entry, entries["entry"], reading)
    chart = _chart(root, reading)
    if chart is None or entry is None:
        return None
    return Journey(
        name=name,
        version=version_of(node),
        text=text,
        entry=entry,
        goal=goal,
        exits=exits,
        holdout=holdout,
        priority=priority,
        group=group,
        chart=chart,
        experiments={experiment.id: experiment for experiment in experiments},
        needs=merge_needs(reading.needs),
        lines=_lines(root, node),
    )


def _lines(root: Draft, node: AnyNode) -> dict[str, int]:
    """Say where each state and each way stands; of ways that share an id, the first."""
    keys = node.keys if isinstance(node, MappingNode) else {}
    rules = {"entry": ENTRY, "goal": GOAL, "exit": EXIT}
    lines = {rule: keys[name].line for name, rule in rules.items() if name in keys}
    for draft in [*root.all()][1:]:
        lines[draft.id] = draft.place.line
        for way in draft.ways:
            lines.setdefault(way_id(draft.id, way.to.id, _event_of(draft, way)), way.place.line)
    return lines


def _event_of(draft: Draft, way: Way) -> str:
    if way.cause == "time":
        return timer_name(draft.id, UNTIL if way.due is not None else way.after_ms)
    return way.event


def _graph(
    node: AnyNode, entries: Mapping[str, AnyNode], reading: Reading
) -> tuple[Draft, list[Experiment]] | None:
    """Read the states of a journey, or its steps; None where there are neither, or both."""
    if ("states" in entries) is ("steps" in entries):
        if "states" in entries:
            reading.refuse(entries["steps"], "a journey has states or steps; got both", "bad-value")
        elif entries:
            reading.refuse(node, "journey needs 'states' or 'steps'", "missing")
        return None
    if "steps" in entries:
        if "initial" in entries:
            reading.refuse(entries["initial"], "steps begin with the first one", "bad-value")
        return read_steps(entries["steps"], reading)
    if isinstance(entries["states"], MappingNode) and not entries["states"].entries:
        reading.refuse(entries["states"], "expected at least one state", "missing")
    return read_states(entries["states"], entries.get("initial"), reading)


def version_of(node: AnyNode) -> str:
    """Name a version after its meaning: layout and comments do not change it, the order of keys does.

    Where a name may stand, `007` and `7` are two: a number that is not written as JSON writes it counts as
    written.
    """
    said = [msgspec.json.encode(plain(node)), *(text.encode() for text in _as_written(node))]
    return blake2b(b"\n".join(said), digest_size=VERSION_DIGITS // 2).hexdigest()


def _as_written(node: AnyNode) -> Iterator[str]:
    """Yield the numbers, and true and false, that JSON writes in another way."""
    if isinstance(node, ScalarNode):
        is_other = (
            not isinstance(node.value, str | None) and msgspec.json.encode(node.value) != node.text.encode()
        )
        yield from [node.text] if is_other else []
    elif isinstance(node, SequenceNode):
        yield from (text for item in node.items for text in _as_written(item))
    else:
        yield from (text for value in node.entries.values() for text in _as_written(value))


def _name(node: AnyNode | None, reading: Reading, *, what: str = "journey") -> str:
    if node is None:
        return ""
    name = reading.text(node, f"the {what}'s name")
    if name and not _NAME.fullmatch(name):
        message = f"a {what}'s name is letters, digits, - and _, got {name[:40]!r}"
        reading.refuse(node, message, "bad-name")
    return name


def _chart(root: Draft, reading: Reading) -> Chart | None:
    if reading.problems:
        return None
    try:
        return build_chart(_tree(root), compile_guard=compile_expression, exact=True)
    except ChartError as error:
        for flaw in error.flaws:
            reading.refuse(_follow(root, flaw.path).place, flaw.message, flaw.code)
        return None


def _tree(draft: Draft) -> dict[str, Any]:
    """Write a draft as the neutral tree that the chart builder reads."""
    tree: dict[str, Any] = {"kind": draft.kind}
    if draft.id:
        tree["id"] = draft.id
    if draft.children:
        tree["states"] = [_tree(child) for child in draft.children]
    if draft.initial is not None:
        tree["initial"] = [draft.initial.id]
    if draft.kind == "history":
        tree["deep"] = draft.is_deep
    for key, wanted in (("entry", draft.entry), ("exit", draft.exit)):
        if wanted:
            tree[key] = [_content(each) for each in wanted]
    if draft.ways:
        tree["transitions"] = [_transition(way) for way in draft.ways]
    return tree


def _content(wanted: Any) -> Mapping[str, Any]:
    return {"assign": {wanted.name: wanted.value}} if isinstance(wanted, Assign) else {"want": wanted}


def _transition(way: Way) -> Mapping[str, Any]:
    transition: dict[str, Any] = {"target": [way.to.id]}
    if way.cause == "event":
        transition["event"] = [way.event]
    if way.cause == "time" and way.due is not None:
        transition["due"] = way.due
    elif way.cause == "time":
        transition["after_ms"] = way.after_ms
    if way.content:
        transition["actions"] = [_content(each) for each in way.content]
    if way.when is not None:
        transition["when"] = way.when
    return transition


def _follow(root: Draft, path: Iterable[Any]) -> Draft:
    """Find the state at a path of the neutral tree: `("states", 0, "states", 1, ..)`."""
    steps = list(path)
    draft = root
    while len(steps) >= 2 and steps[0] == "states":
        draft = draft.children[steps[1]]
        steps = steps[2:]
    return draft
