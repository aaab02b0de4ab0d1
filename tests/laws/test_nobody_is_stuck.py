"""A model check by random walk: nobody is ever stuck, and no two transitions claim one event.

Random journeys written as steps are led through random events and timers, by the kernel alone: after every
step, whoever is not through waits for something that can happen.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sojourn.definitions.chart import Chart
from sojourn.definitions.compile import Checked, check_journey
from sojourn.definitions.journey import Journey
from sojourn.engine.statechart import Machine, Moved, Step, fire, leave, next_due, send, start
from sojourn.model.ids import derive
from tests.definitions.scopes import PlainScope
from tests.engine.test_statechart_laws import illegal
from tests.laws.random_steps import EVENTS, random_journey, random_life
from tests.soak import tries

T0 = 1_700_000_000_000
BERLIN = ZoneInfo("Europe/Berlin")
seeds = st.integers(0, 2**32)

REFUSED = {"unreachable", "loop-without-wait", "stuck-branch", "dead-end", "ambiguous-state", "unknown-state"}
"""What the check may say of a random journey: it leads nowhere, or round and round."""


@dataclass
class WalkScope(PlainScope):
    """A person whose traits and counts change with what happens to them."""

    zone: ZoneInfo = BERLIN

    def draw(self, seed: str) -> float:
        return int(derive(seed, str(self.at))[:8], 16) / 2**32


@cache
def checked(seed: int) -> Checked:
    """Check the random journey of a seed."""
    return check_journey(msgspec.json.encode(random_journey(seed)).decode(), file="j.yaml")


def journey_of(seed: int) -> Journey:
    """Return the first journey from a seed on that the check lets pass."""
    while (journey := checked(seed).journey) is None:
        seed += 1
    return journey


def walk(chart: Chart, seed: int) -> list[tuple[str, Step]]:
    """Lead one random life: what happened (empty at the start), and what came of it."""
    scope = WalkScope(at=T0, entry={"properties": {"n": seed % 4}})
    ends = [None, "soon", "2023-11-15", "2024-02-29T10:00:00", T0 + 99_000_000]
    steps = [("", start(chart, scope, at=T0))]
    for i, (verb, value) in enumerate(random_life(seed)):
        machine = steps[-1][1].machine
        scope.traits = {"plan": ("free", "pro")[(seed >> i) % 2], "ends": ends[(seed >> i) % 5]}
        scope.properties = {}
        if verb == "timer" and (due := next_due(machine)) is not None:
            scope.at = max(scope.at, due)
            steps.append((machine.timers[0].event, fire(chart, machine, scope, at=due)))
            continue
        names = [value[0]] if verb == "event" else calls(machine)[:1]
        for name in names:
            scope.properties = {"n": value[1]} if verb == "event" else {}
            scope.counts = {("E1", 86_400_000): i}
            steps.append((name, send(chart, machine, name, scope, at=scope.at)))
    return [*steps, ("left", leave(chart, steps[-1][1].machine, scope, at=scope.at))]


def calls(machine: Machine) -> list[str]:
    """Name the events by which the engine says that a called journey is over."""
    return [f"done.call.{name}" for name in machine.active if name.rpartition(".")[2].startswith("call-")]


def awaited(chart: Chart, machine: Machine) -> set[str]:
    """Name what can happen that an active state answers: an event from outside, an end of a call, a timer."""
    leaves = [chart.states[chart.by_id[name]] for name in machine.active]
    answered = {event for leaf in leaves for event in leaf.answers}
    timers = {timer.event for timer in machine.timers}
    return answered & (set(EVENTS) | timers | {name for name in answered if name.startswith("done.call.")})


@settings(max_examples=tries(125), deadline=None)
@given(seeds, seeds)
def test_nobody_is_ever_stuck(journey_seed: int, life_seed: int) -> None:
    """Complaint 2: whoever is not through waits for something that can happen."""
    chart = journey_of(journey_seed).chart
    for event, step in walk(chart, life_seed):
        assert step.machine.is_done or awaited(chart, step.machine), (event, step.machine)


@settings(max_examples=tries(125), deadline=None)
@given(seeds, seeds)
@example(11_793, 0)  # a way from one region into another, which starts both anew
@example(552, 3_865)  # a parallel state that is done as soon as it is entered
def test_every_step_comes_to_rest_without_an_error(journey_seed: int, life_seed: int) -> None:
    """A chain of steps that go on at once must stay below the kernel's bounds."""
    assert [step.errors for _, step in walk(journey_of(journey_seed).chart, life_seed) if step.errors] == []


@settings(max_examples=tries(125), deadline=None)
@given(seeds, seeds)
def test_every_timer_is_of_a_state_that_is_active(journey_seed: int, life_seed: int) -> None:
    """A timer that outlives its state would fire into another life; one that nobody answers is a lost one."""
    chart = journey_of(journey_seed).chart
    for _, step in walk(chart, life_seed):
        lost = {timer.event for timer in step.machine.timers} - awaited(chart, step.machine)
        assert lost == set()


@settings(max_examples=tries(125), deadline=None)
@given(seeds, seeds)
def test_no_two_transitions_claim_one_event(journey_seed: int, life_seed: int) -> None:
    """One event is one microstep: nothing is left twice, and what is active afterwards is legal."""
    chart = journey_of(journey_seed).chart
    active: list[str] = []
    for event, step in walk(chart, life_seed):
        moves = [effect for effect in step.effects if isinstance(effect, Moved)]
        assert sum(move.event == event for move in moves if event) <= 1
        for move in moves:
            assert len(set(move.source)) == len(move.source)
            assert set(move.source) <= set(active)
            active = [state for state in active if state not in move.source] + move.target
        if event != "left":
            assert sorted(active) == sorted(step.machine.active)
            assert illegal(chart, step.machine) == []


def test_the_check_refuses_a_random_journey_only_for_where_it_leads() -> None:
    """Every kind of step compiles in every place; and most of them are good."""
    found = [checked(seed) for seed in range(400)]
    codes = {problem.code for each in found for problem in each.problems}
    assert codes <= REFUSED
    assert sum(each.journey is not None for each in found) > 200


@pytest.mark.parametrize(
    "feature",
    ["parallel", "history", "until", "rounds", "done.call", "variant", "compound", "entry.properties.n"],
)
def test_random_journeys_exercise_what_is_hard(feature: str) -> None:
    """A walk proves nothing on journeys that never meet the hard parts."""
    charts = [journey_of(seed).chart for seed in range(150)]
    words = [f"{state.kind} {state.entry} {state.transitions}" for chart in charts for state in chart.states]
    assert sum(feature in word for word in words) > 20
