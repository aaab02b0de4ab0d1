"""Lives of random machines under our kernel, told as `tests/clients/xstate/run.cjs` tells XState's."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from sojourn.definitions.chart import Chart
from sojourn.definitions.expression import Expression
from sojourn.definitions.guards import compile_expression
from sojourn.definitions.journey import Do
from sojourn.definitions.xstate import Names
from sojourn.engine.statechart import Step, Wanted, fire, next_due, send, start
from tests.conformance.random_machines import DELAYS, FLAGS, Json

NAMES = Names(guards={**{flag: f"trait.{flag}" for flag in FLAGS}, "byName": "trait[{flag}]"})
LIMIT = "-limit]"
"""How the kernel's errors end that say it did not come to rest."""

assert min(DELAYS) > 0, "a delay of nothing is XState's next tick, and has no instant of its own"


class Flags:
    """A scope in which the flags of a case are a person's traits."""

    active: frozenset[str]
    data: Mapping[str, Any]

    def __init__(self, traits: Mapping[str, bool]) -> None:
        self.traits = traits


@cache
def compile_guard(text: str) -> Expression:
    """Compile a guard of flags."""
    return compile_expression(text)


def live(chart: Chart, acts: list[Json]) -> list[Json]:
    """Start a chart and let happen what a case says; the last entry is `loop` where there is no rest."""
    scope = Flags(acts[0]["flags"])
    steps, now = [start(chart, scope, at=0)], 0
    told = [told_of(steps)]
    for act in acts:
        if "loop" in told[-1]:
            break
        machine, scope = steps[-1].machine, Flags(act["flags"])
        if "send" in act:
            steps = [send(chart, machine, act["send"], scope, at=now)]
        else:
            now += act["wait"]
            steps = [Step(machine, [], [])]
            while (due := next_due(steps[-1].machine)) is not None and due <= now:
                steps.append(fire(chart, steps[-1].machine, scope, at=due))
        told.append(told_of(steps))
    return told


def told_of(steps: list[Step]) -> Json:
    """Tell what some steps came to."""
    if any(error.endswith(LIMIT) for step in steps for error in step.errors):
        return {"loop": True}
    wanted = [effect.body for step in steps for effect in step.effects if isinstance(effect, Wanted)]
    machine = steps[-1].machine
    return {
        "active": sorted(machine.active),
        "did": [told_action(body) for body in wanted],
        "done": machine.is_done,
    }


def told_action(wanted: Any) -> list[Any]:
    """Tell an action of a chart, or of a journey, as its name and what it was given."""
    body = dict(wanted.body.source if isinstance(wanted, Do) else wanted)
    return [body.pop("action"), body]
