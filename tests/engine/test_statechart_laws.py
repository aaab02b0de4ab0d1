"""Laws of the kernel: on random charts and random lives it does what the naive oracle does."""

from __future__ import annotations

from functools import cache, partial
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.definitions.chart import Chart
from sojourn.definitions.chart_builder import build_chart
from sojourn.definitions.guards import compile_expression
from sojourn.engine.statechart import (
    Machine,
    Moved,
    Step,
    fire,
    leave,
    listens,
    next_due,
    send,
    start,
)
from tests.engine.random_charts import random_life, random_tree
from tests.engine.scxml_oracle import Oracle
from tests.soak import tries

compile_guard = cache(partial(compile_expression, bare_names=True))
seeds = st.integers(0, 2**32)


class ChartOnly:
    """A scope of a chart that asks nothing of a profile."""

    active: frozenset[str]
    data: dict[str, Any]


def chart_of(seed: int) -> Chart:
    """Build the random chart of a seed."""
    return build_chart(random_tree(seed), compile_guard=compile_guard, exact=True)


def live(chart: Chart, seed: int) -> list[Step]:
    """Lead the random life of a seed: every step, each timer fired when it is due, interrupted at last."""
    steps, now = [start(chart, ChartOnly(), at=0)], 0
    for verb, value in random_life(seed):
        machine = steps[-1].machine
        if verb == "send":
            steps.append(send(chart, machine, value, ChartOnly(), at=now))
            continue
        now += value
        while (due := next_due(steps[-1].machine)) is not None and due <= now:
            steps.append(fire(chart, steps[-1].machine, ChartOnly(), at=due))
    return [*steps, leave(chart, steps[-1].machine, ChartOnly(), at=now)]


def live_naively(tree: Any, seed: int) -> list[Any]:
    """Lead the same life by the oracle: the picture of each step."""
    oracle = Oracle(tree)
    oracle.start()
    pictures, now = [picture_of_oracle(oracle)], 0
    for verb, value in random_life(seed):
        if verb == "send":
            oracle.send(value, now)
            pictures.append(picture_of_oracle(oracle))
            continue
        now += value
        while oracle.timers and oracle.timers[0][0] <= now:
            oracle.fire()
            pictures.append(picture_of_oracle(oracle))
        oracle.now = now
    oracle.leave()
    return [*pictures, picture_of_oracle(oracle)]


def picture_of_oracle(oracle: Oracle) -> Any:
    """Take what the oracle came to, and what it did on the way."""
    history = {name: oracle._sorted(kept) for name, kept in oracle.history_value.items()}
    trace, oracle.trace = oracle.trace, []
    return (oracle.active(), oracle.data.copy(), history, oracle.timers.copy(), not oracle.running, trace)


def picture_of(step: Step) -> Any:
    """Take the same of a step."""
    machine = step.machine
    trace = [
        (effect.source, effect.target, effect.event)
        if isinstance(effect, Moved)
        else (effect.state, effect.body)
        for effect in step.effects
    ]
    timers = [(timer.due, timer.n, timer.event, timer.id) for timer in machine.timers]
    return (machine.active, machine.data, machine.history, timers, machine.is_done, trace)


def illegal(chart: Chart, machine: Machine) -> list[str]:
    """Say what is illegal in a machine's configuration; nothing where the machine was left."""
    if machine.is_done and not machine.active:
        return []
    leaves = [chart.states[chart.by_id[name]] for name in machine.active]
    active = {index for leaf in leaves for index in leaf.line}
    wrong = [f"{leaf.id} is {leaf.kind}" for leaf in leaves if leaf.kind not in ("atomic", "final")]
    for index in active:
        state = chart.states[index]
        n_inside = len(active & set(state.children))
        if state.kind in ("root", "compound") and n_inside != 1:
            wrong.append(f"{state.id} has {n_inside} active children")
        if state.kind == "parallel" and n_inside != len(state.children):
            wrong.append(f"{state.id} lacks active regions")
    return wrong


@settings(max_examples=tries(400), deadline=None)
@given(seeds, seeds)
def test_the_kernel_does_what_the_naive_oracle_does(chart_seed: int, life_seed: int) -> None:
    """Indexes, routes found once and lazy sets must change nothing but the time it takes."""
    steps = live(chart_of(chart_seed), life_seed)
    assert [picture_of(step) for step in steps] == live_naively(random_tree(chart_seed), life_seed)


@settings(max_examples=tries(150), deadline=None)
@given(seeds, seeds)
def test_a_configuration_is_always_legal(chart_seed: int, life_seed: int) -> None:
    """One child of each compound state, every region of each parallel one, no history state."""
    chart = chart_of(chart_seed)
    assert [illegal(chart, step.machine) for step in live(chart, life_seed)] == [[]] * len(
        live(chart, life_seed)
    )


@settings(max_examples=tries(150), deadline=None)
@given(seeds, seeds)
def test_a_machine_survives_the_wire_at_every_step(chart_seed: int, life_seed: int) -> None:
    """It is stored after each turn and read before the next."""
    for step in live(chart_of(chart_seed), life_seed):
        assert msgspec.msgpack.decode(msgspec.msgpack.encode(step.machine), type=Machine) == step.machine


@settings(max_examples=tries(150), deadline=None)
@given(seeds, seeds)
def test_the_machine_that_came_in_is_left_alone(chart_seed: int, life_seed: int) -> None:
    """A turn that fails half-way must find the state it began with."""
    chart = chart_of(chart_seed)
    for step in live(chart, life_seed):
        before = msgspec.msgpack.encode(step.machine)
        send(chart, step.machine, "e1", ChartOnly(), at=99)
        leave(chart, step.machine, ChartOnly(), at=99)
        assert msgspec.msgpack.encode(step.machine) == before


@settings(max_examples=tries(100), deadline=None)
@given(seeds, seeds)
def test_the_same_life_is_lived_twice(chart_seed: int, life_seed: int) -> None:
    """Replay rests on it: no order may come from a hash or an address."""
    assert live(chart_of(chart_seed), life_seed) == live(chart_of(chart_seed), life_seed)


@settings(max_examples=tries(150), deadline=None)
@given(seeds, seeds, st.sampled_from(["e1", "e2", "e3", "i1", "d1"]))
def test_what_nobody_listens_to_changes_nothing(chart_seed: int, life_seed: int, event: str) -> None:
    """`listens` lets most events pass a machine by: it must never swallow one that matters."""
    chart = chart_of(chart_seed)
    for step in live(chart, life_seed):
        if not listens(chart, step.machine, event):
            assert send(chart, step.machine, event, ChartOnly(), at=99) == Step(step.machine, [], [])


@pytest.mark.parametrize("feature", ["parallel", "history", "deep", "internal", "pair", "done"])
def test_random_charts_exercise_what_is_hard(feature: str) -> None:
    """An oracle proves nothing on charts that never meet the hard parts."""
    charts = [chart_of(seed) for seed in range(150)]
    states = [state for chart in charts for state in chart.states]
    ways = [way for state in states for way in state.transitions]
    n_met = {
        "parallel": sum(state.kind == "parallel" for state in states),
        "history": sum(way.route is not None and not way.route.is_fixed for way in ways),
        "deep": sum(state.is_deep for state in states),
        "internal": sum(way.is_internal for way in ways),
        "pair": sum(len(way.targets) > 1 for way in ways),
        "done": sum(any(name.startswith("done.") for name in way.names) for way in ways),
    }
    assert n_met[feature] > 50
