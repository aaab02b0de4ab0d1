"""Small makers of charts, and a scope that asks nothing of a profile."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from sojourn.definitions.chart import Chart
from sojourn.definitions.chart_builder import build_chart
from sojourn.definitions.expression import Expression
from sojourn.definitions.guards import compile_expression
from sojourn.engine.statechart import Machine, Moved, Step, Wanted, send, start

Tree = dict[str, Any]

compile_guard = partial(compile_expression, bare_names=True)


class ChartOnly:
    """A scope of a chart that asks nothing of a profile."""

    active: frozenset[str]
    data: Mapping[str, Any]


def broken(reason: str) -> Expression:
    """Make an expression that raises."""

    def call(_scope: Any) -> Any:
        raise ValueError(reason)

    return Expression("broken", call)


def state(name: str, *inside: Tree, on: Mapping[str, Any] | None = None, **fields: Any) -> Tree:
    """Make a state: `on` maps an event to a target, or to the fields of a transition; "" is no event."""
    ways = [
        {"event": [event] if event else [], **({"target": [to]} if isinstance(to, str) else to)}
        for event, to in (on or {}).items()
    ]
    made: Tree = {"id": name, "transitions": [*ways, *fields.pop("transitions", [])], **fields}
    if inside:
        made = {"kind": "compound", **made, "states": list(inside)}
    return {key: value for key, value in made.items() if value}


def parallel(name: str, *inside: Tree, **fields: Any) -> Tree:
    """Make a parallel state."""
    return {**state(name, *inside, **fields), "kind": "parallel"}


def final(name: str, **fields: Any) -> Tree:
    """Make a final state."""
    return state(name, kind="final", **fields)


def history(name: str, default: str, *, deep: bool = False) -> Tree:
    """Make a history state."""
    return {"id": name, "kind": "history", "deep": deep, "transitions": [{"target": [default]}]}


def chart(*states: Tree, **root: Any) -> Chart:
    """Build a chart from the states below its root."""
    return build_chart({**root, "states": list(states)}, compile_guard=compile_guard, exact=True)


def begin(made: Chart, *, at: int = 0) -> Machine:
    """Start a chart."""
    return start(made, ChartOnly(), at=at).machine


def hear(made: Chart, machine: Machine, *events: str, at: int = 0) -> Machine:
    """Send events one after the other."""
    for event in events:
        machine = send(made, machine, event, ChartOnly(), at=at).machine
    return machine


def after(made: Chart, *events: str) -> list[str]:
    """Start a chart, send events, and return where it stands."""
    return hear(made, begin(made), *events).active


def wants(step: Step) -> list[Any]:
    """Return what a step wanted, in order."""
    return [effect.body for effect in step.effects if isinstance(effect, Wanted)]


def moves(step: Step) -> list[tuple[list[str], list[str], str]]:
    """Return the moves of a step as (source, target, event)."""
    return [(one.source, one.target, one.event) for one in step.effects if isinstance(one, Moved)]
