"""Listening: which events, properties and traits some journeys ask about, and for what."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import Literal

from msgspec import Struct

from sojourn.definitions.expression import Expression
from sojourn.definitions.journey import Journey, Segment
from sojourn.definitions.loops import INTERNAL
from sojourn.model.event import OUTCOMES

Role = Literal["goal", "exit", "entry", "on", "asked"]
"""What an event is to a journey: the first of these that it is."""

Constant = str | int | float | bool

_PROPERTIES = {"properties": "properties", "trait": "traits", "traits": "traits"}


class Listening(Struct, frozen=True):
    """What some journeys together listen to."""

    roles: dict[str, Role]
    """Event name -> what it is to them, sorted by name."""
    properties: dict[str, list[Constant]]
    """Name -> the values that guards compare it with, sorted."""
    traits: dict[str, list[Constant]]
    values: frozenset[str]
    """Properties that goals take their value from."""


def listen(journeys: Iterable[Journey], segments: Iterable[Segment] = ()) -> Listening:
    """Find what journeys listen to, and the segments that they may ask for."""
    each = sorted(journeys, key=lambda journey: journey.name)
    roles: dict[str, Role] = {}
    found: dict[str, dict[str, set[Constant]]] = {"properties": {}, "traits": {}}
    values: set[str] = set()
    for journey in each:
        for name, role in _names(journey):
            if name not in OUTCOMES and not name.startswith(INTERNAL):
                roles.setdefault(name, role)
        for expression in _expressions(journey):
            for kind, name, constants in _asked(expression):
                found[kind].setdefault(name, set()).update(constants)
        if journey.goal is not None and journey.goal.value is not None:
            values |= {name for kind, name, _ in _asked(journey.goal.value) if kind == "properties"}
    for segment in segments:
        for name in sorted({*segment.when.needs.counts, *segment.when.needs.since}):
            roles.setdefault(name, "asked")
        for kind, name, constants in _asked(segment.when):
            found[kind].setdefault(name, set()).update(constants)
    return Listening(
        roles=dict(sorted(roles.items())),
        properties={name: _sorted(constants) for name, constants in sorted(found["properties"].items())},
        traits={name: _sorted(constants) for name, constants in sorted(found["traits"].items())},
        values=frozenset(values),
    )


def _names(journey: Journey) -> Iterator[tuple[str, Role]]:
    goals = journey.goal.names if journey.goal else frozenset()
    exits = [name for rule in journey.exits for name in rule.names]
    needs = journey.needs
    asked = [*needs.counts, *needs.since, *needs.visits]
    roles: tuple[tuple[Role, Iterable[str]], ...] = (
        ("goal", goals), ("exit", exits), ("entry", journey.entry.names), ("on", journey.chart.names),
        ("asked", asked),
    )  # fmt: skip
    for role, names in roles:
        for name in sorted(names):
            yield name, role


def _expressions(journey: Journey) -> Iterator[Expression]:
    goal = journey.goal
    ways = [transition.when for state in journey.chart.states for transition in state.transitions]
    several = [
        journey.entry.when, journey.entry.key, *(rule.when for rule in journey.exits), *ways,
        *((goal.when, goal.value) if goal else ()),
    ]  # fmt: skip
    yield from (expression for expression in several if expression is not None)


def _asked(expression: Expression) -> Iterator[tuple[str, str, list[Constant]]]:
    """Yield (`properties` or `traits`, a name, the constants it is compared with)."""
    tree = ast.parse(" ".join(expression.source.splitlines()).strip(), mode="eval")  # it may span lines
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            yield from ((kind, name, []) for kind, name in _place(node))
        if isinstance(node, ast.Compare):
            constants = [
                part.value
                for part in ast.walk(node)
                if isinstance(part, ast.Constant) and isinstance(part.value, str | int | float)
            ]
            places = [place for part in ast.walk(node) for place in _place(part)]
            yield from ((kind, name, constants) for kind, name in places)


def _place(node: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield what `properties.x`, `event.properties.x` and `trait.x` name; not what the entry had."""
    if not isinstance(node, ast.Attribute):
        return
    root = node.value
    if isinstance(root, ast.Name) and root.id in _PROPERTIES:
        yield _PROPERTIES[root.id], node.attr
    elif isinstance(root, ast.Attribute) and isinstance(root.value, ast.Name):
        kind = {("event", "properties"): "properties", ("profile", "traits"): "traits"}.get(
            (root.value.id, root.attr)
        )
        if kind:
            yield kind, node.attr


def _sorted(constants: Iterable[Constant]) -> list[Constant]:
    return sorted(constants, key=lambda value: (type(value).__name__, str(value)))
