"""Small makers of XState machines, and what comes of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sojourn.definitions.compile import compile_journey
from sojourn.definitions.guards import compile_expression
from sojourn.definitions.xstate import Names, chart_of, convert
from sojourn.engine.statechart import Machine, Wanted, send, start
from sojourn.model.errors import DefinitionError

Json = dict[str, Any]

NAMES = Names(
    guards={"yes": "true", "isOver": "entry.properties.total > {limit}"}, delays={"oneDay": 86_400_000}
)


class ChartOnly:
    """A scope of a chart that asks nothing of a profile."""

    active: frozenset[str]
    data: Mapping[str, Any]


def machine(**states: Any) -> Json:
    """Make a machine that starts in its first state; fields of the machine itself come as `root`."""
    root = states.pop("root", {})
    return {"id": "m", "initial": next(iter(states)), **root, "states": states}


def around(*regions: Any, **fields: Any) -> Json:
    """Make a parallel state of regions, each called r1, r2, ..."""
    return {"type": "parallel", "states": {f"r{i}": one for i, one in enumerate(regions, 1)}, **fields}


def inside(**states: Any) -> Json:
    """Make a compound state."""
    return {"initial": next(iter(states)), "states": states}


def lead(value: Json, *events: str) -> tuple[list[str], list[str]]:
    """Start a machine's chart and send events: where it stands, and all it did on the way, in order."""
    chart = chart_of(value, names=NAMES, compile_guard=compile_expression)
    steps = [start(chart, ChartOnly(), at=0)]
    for event in events:
        current: Machine = steps[-1].machine
        steps.append(send(chart, current, event, ChartOnly(), at=0))
    wanted = [
        effect.body["action"] for step in steps for effect in step.effects if isinstance(effect, Wanted)
    ]
    return sorted(steps[-1].machine.active), wanted


def refusals(value: Json, *, is_journey: bool = False) -> list[tuple[str, str]]:
    """Return (code, path) of all that is refused."""
    try:
        if is_journey:
            convert(json.dumps(value), entry=["Go"], names=NAMES)
        else:
            chart_of(value, names=NAMES, compile_guard=compile_expression)
    except DefinitionError as error:
        return [(problem.code, problem.message.partition(": ")[0]) for problem in error.problems]
    return []


def journey_of(value: Json, **options: Any) -> str:
    """Convert a machine, and see that the journey is a good one."""
    text = convert(json.dumps(value, indent=2), entry=["Go"], names=NAMES, **options)
    compile_journey(text)
    return text
