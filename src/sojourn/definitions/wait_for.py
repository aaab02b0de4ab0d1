"""Waiting for something: the step `wait_for`, for an event or a condition, with a timeout."""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping, Sequence

from sojourn.definitions.expression import Expression
from sojourn.definitions.loops import INTERNAL
from sojourn.definitions.needs import merge_needs
from sojourn.definitions.reading import IN_A_STATE, Reading
from sojourn.definitions.step_context import Context, Place
from sojourn.definitions.ways import SHADOWED
from sojourn.definitions.yaml import AnyNode, MappingNode, SequenceNode

_PART = re.compile(r"[A-Za-z]\w*", re.ASCII)


def add_wait_for(step: Context) -> None:
    """Make the state of a step that waits for one of several things, or for a time at most."""
    nodes = step.node.items if isinstance(step.node, SequenceNode) else (step.node,)
    if not nodes:
        step.reading.refuse(step.node, "expected what to wait for: { on: Event, within: 3d }", "missing")
    awaited = [step.reading.mapping(node, "wait_for") for node in nodes]
    timed = [entries for entries in awaited if "within" in entries]
    _check(step, nodes, awaited, timed)
    is_single = len([entries for entries in awaited if _is_something(entries)]) == 1
    paths: list[Place] = []
    for i, entries in enumerate(awaited, start=1):
        label = "then" if is_single else f"then-{i}"
        paths.append(step.lists.add_path(step, entries.get("then"), label))
    late = step.lists.add_path(step, timed[0].get("timeout") if timed else None, "timeout")

    def work() -> None:
        _lead_on_events(step, awaited, paths)
        for entries in timed[:1]:
            after_ms = step.reading.duration(entries["within"])
            step.lead("time", late(), entries["within"], after_ms=after_ms)

    step.drafting.later(work)


def _check(
    step: Context,
    nodes: Sequence[AnyNode],
    awaited: Sequence[Mapping[str, AnyNode]],
    timed: Sequence[Mapping[str, AnyNode]],
) -> None:
    """Refuse what waits for nothing, or for ever."""
    for entries in timed[1:]:
        step.reading.refuse(entries["within"], "the wait has one length; it is said above", "duplicate-key")
    for node, entries in zip(nodes, awaited, strict=True):
        if not isinstance(node, MappingNode):
            return
        if "timeout" in entries and "within" not in entries:
            step.reading.refuse(entries["timeout"], "a timeout needs a time: add within", "missing")
        if not _is_something(entries) and ("within" not in entries or len(nodes) == 1):
            step.reading.refuse(node, "expected what to wait for: on, an event, or when", "missing")
        if not _is_something(entries) and "then" in entries:
            step.reading.refuse(entries["then"], "nothing is awaited here; write timeout", "bad-value")
        if "match" in entries and "on" not in entries:
            message = "match compares an event with the one that let the person in; add on"
            step.reading.refuse(entries["match"], message, "missing")
    if not timed and nodes and not any("on" in entries for entries in awaited):
        step.reading.refuse(step.node, "a condition may never come true; add within", "missing")


def _is_something(entries: Mapping[str, AnyNode]) -> bool:
    return "on" in entries or "when" in entries


def _lead_on_events(step: Context, awaited: Sequence[Mapping[str, AnyNode]], paths: Sequence[Place]) -> None:
    decided: set[str] = set()
    for entries, path in zip(awaited, paths, strict=True):
        if not _is_something(entries):
            continue
        compiled = step.reading.condition(entries.get("when"), hidden=IN_A_STATE)
        is_always = "when" not in entries or (compiled is not None and compiled.is_always_true)
        when = None if is_always or compiled is None else compiled.expression
        if "on" not in entries:
            if is_always:
                message = "this is always true, so that nothing is waited for; leave the step out"
                step.reading.refuse(entries["when"], message, "always-true")
            step.lead("nothing", path(), entries["when"], when=when)
            continue
        if "match" in entries:
            when = _both(when, _match(entries["match"], step.reading))
        for name in sorted(step.reading.names(entries["on"])):
            if name.startswith(INTERNAL):
                step.reading.refuse(entries["on"], f"{name} is nothing that a person does", "not-allowed")
            if name in decided:
                step.reading.refuse(entries["on"], SHADOWED, "shadowed")
            step.lead("event", path(), entries["on"], event=name, when=when)
            decided |= {name} if when is None else set()


def _match(node: AnyNode, reading: Reading) -> Expression | None:
    """Ask whether properties are those of the event that let the person in."""
    each = reading.items(node, "one or more properties") if isinstance(node, SequenceNode) else (node,)
    found: Expression | None = None
    for item in each:
        name = reading.text(item, "a property, such as cart_id").removeprefix("properties.")
        if not name:
            continue
        if any(not part or re.search(r"['\\\n]", part) for part in name.split(".")):
            reading.refuse(item, f"expected a property, such as cart_id, got {name[:40]!r}", "bad-name")
            continue
        path = _path(name)
        found = _both(found, reading.derived(f"properties{path} == entry.properties{path}"))
    return found


def _path(name: str) -> str:
    """Write the parts of a name as an expression has them: `.cart.id`, or `['cart id']`."""
    plain = [_PART.fullmatch(part) and not keyword.iskeyword(part) for part in name.split(".")]
    parts = zip(name.split("."), plain, strict=True)
    return "".join(f".{part}" if is_plain else f"[{part!r}]" for part, is_plain in parts)


def _both(one: Expression | None, other: Expression | None) -> Expression | None:
    """Join two conditions, each of which may be missing."""
    if one is None or other is None:
        return one or other
    first, second = one.call, other.call
    return Expression(
        f"({one.source}) and {other.source}",
        lambda scope: first(scope) and second(scope),
        merge_needs([one.needs, other.needs]),
        (*one.reads, *other.reads),
    )
