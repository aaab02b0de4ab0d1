"""Compiling: from the YAML text of a journey to the journey that runs, or to all that is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from hashlib import blake2b
from typing import Any, Literal, cast

import msgspec

from sojourn.definitions.chart import Assign, Chart
from sojourn.definitions.chart_builder import build_chart
from sojourn.definitions.chart_tree import ChartError
from sojourn.definitions.check import check_graph
from sojourn.definitions.drafts import Draft, Way
from sojourn.definitions.guards import compile_expression
from sojourn.definitions.journey import Entry, Exit, Experiment, Goal, Journey, Reentry
from sojourn.definitions.needs import merge_needs
from sojourn.definitions.reading import AT_THE_ENTRY, IN_A_RULE, Reading
from sojourn.definitions.schema_parts import JOURNEY_NAME_PATTERN
from sojourn.definitions.states import read_states, read_steps
from sojourn.definitions.suggestions import did_you_mean
from sojourn.definitions.yaml import AnyNode, MappingNode, ScalarNode, SequenceNode, load, plain
from sojourn.model.errors import DefinitionError, Problem

VERSION_DIGITS = 12  # 48 bits: the versions of one journey are thousands at most.
MAX_PROBLEMS = 100  # nobody reads more of them at once.
MAX_PRIORITY = 1_000_000  # more steps than anybody tells apart.

REENTRIES: tuple[Reentry, ...] = ("never", "after_exit", "always")

_NAME = re.compile(JOURNEY_NAME_PATTERN)
_PERCENTAGE = re.compile(r"(\d{1,3}(?:\.\d{1,9})?)%", re.ASCII)


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


def check_journey(text: str, *, file: str = "<journey>", sinks: Collection[str] | None = None) -> Checked:
    """Compile one journey and say what is wrong, or probably not meant; this raises nothing.

    `sinks` are those of the configuration; None: nobody knows.
    """
    reading = Reading(file, sinks=sinks)
    journey: Journey | None = None
    try:
        journey = _journey(text, load(text, file=file), reading)
    except DefinitionError as error:
        reading.problems += error.problems
    problems = sorted(set(reading.problems))[:MAX_PROBLEMS]
    warnings = sorted(set(reading.warnings))[:MAX_PROBLEMS]
    return Checked(journey=None if problems else journey, problems=problems, warnings=warnings)


def _journey(text: str, node: AnyNode, reading: Reading) -> Journey | None:
    entries = reading.mapping(node, "journey", required=("journey", "entry"))
    reading.journey = name = _name(entries.get("journey"), reading)
    if "description" in entries:
        reading.text(entries["description"], "a description")
    entry = _entry(entries.get("entry"), reading)
    goal = _goal(entries["goal"], reading) if "goal" in entries else None
    exits = _exits(entries["exit"], reading) if "exit" in entries else ()
    holdout = _holdout(entries["holdout"], reading) if "holdout" in entries else 0.0
    priority = _priority(entries["priority"], reading) if "priority" in entries else 0
    group = _name(entries.get("exclusive"), reading, "the name of a group of journeys")
    drafted = _graph(node, entries, reading)
    if drafted is None or reading.problems:
        return None  # a graph with holes would only be blamed for them again
    root, experiments = drafted
    check_graph(root, reading, goal_within_ms=goal.within_ms if goal else None)
    chart = _chart(root, reading)
    if chart is None or entry is None:
        return None
    return Journey(
        name=name,
        version=_version(node),
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
    )


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


def _priority(node: AnyNode, reading: Reading) -> int:
    value = node.value if isinstance(node, ScalarNode) else None
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > MAX_PRIORITY:
        message = f"expected a whole number, -{MAX_PRIORITY} to {MAX_PRIORITY}"
        reading.refuse(node, message, "bad-value")
        return 0
    return value


def _version(node: AnyNode) -> str:
    """Name a version after its meaning: layout and comments do not change it, the order of keys does."""
    canonical = msgspec.json.encode(plain(node))
    return blake2b(canonical, digest_size=VERSION_DIGITS // 2).hexdigest()


def _name(node: AnyNode | None, reading: Reading, what: str = "the journey's name") -> str:
    if node is None:
        return ""
    name = reading.text(node, what)
    if name and not _NAME.fullmatch(name):
        message = f"{what} is letters, digits, - and _, got {name[:40]!r}"
        reading.refuse(node, message, "bad-name")
    return name


def _entry(node: AnyNode | None, reading: Reading) -> Entry | None:
    if node is None:
        return None
    entries = reading.mapping(node, "entry", required=("on",))
    when = reading.condition(entries.get("when"), hidden=AT_THE_ENTRY)
    reentry: str = "after_exit"
    if "reentry" in entries:
        reentry = reading.text(entries["reentry"], "never, after_exit or always")
        if reentry and reentry not in REENTRIES:
            message = f"this is no way to re-enter: {reentry!r}{did_you_mean(reentry, REENTRIES)}"
            reading.refuse(entries["reentry"], message, "bad-value")
    return Entry(
        names=reading.names(entries.get("on")),
        when=when.expression if when else None,
        key=reading.expression(entries.get("key"), hidden=AT_THE_ENTRY),
        reentry=cast(Literal["never", "after_exit", "always"], reentry),
    )


def _goal(node: AnyNode, reading: Reading) -> Goal:
    entries = reading.mapping(node, "goal", required=("on",))
    when = reading.condition(entries.get("when"), hidden=IN_A_RULE)
    return Goal(
        names=reading.names(entries.get("on")),
        when=when.expression if when else None,
        within_ms=reading.duration(entries["within"]) if "within" in entries else None,
        value=reading.expression(entries.get("value"), hidden=IN_A_RULE),
    )


def _exits(node: AnyNode, reading: Reading) -> tuple[Exit, ...]:
    several = node.items if isinstance(node, SequenceNode) else (node,)
    return tuple(_exit(each, reading) for each in several)


def _exit(node: AnyNode, reading: Reading) -> Exit:
    entries = reading.mapping(node, "exit")
    if isinstance(node, MappingNode) and not {"on", "when"} & entries.keys():
        reading.refuse(node, "exit needs 'on' or 'when'", "missing")
    when = reading.condition(entries.get("when"), hidden=IN_A_RULE)
    return Exit(names=reading.names(entries.get("on")), when=when.expression if when else None)


def _holdout(node: AnyNode, reading: Reading) -> float:
    """Read a share: `10%`, or a number from 0 to 1."""
    share = -1.0
    if isinstance(node, ScalarNode) and not isinstance(node.value, bool):
        percentage = _PERCENTAGE.fullmatch(node.text)
        if percentage:
            share = float(percentage.group(1)) / 100
        elif isinstance(node.value, int | float):
            share = float(node.value)
    if not 0 <= share < 1:
        got = f", got {node.text!r}" if isinstance(node, ScalarNode) else ""
        message = f"expected a share from 0% to below 100%, such as 10% or 0.1{got}"
        reading.refuse(node, message, "bad-value")
        return 0.0
    return share


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
