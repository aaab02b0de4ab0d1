"""Way ids: who counts and who draws mean the same way, and the kernel took that one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.definitions.chart import Block, Chart, Transition
from sojourn.definitions.compile import compile_journey
from sojourn.definitions.drawing import chart_of
from sojourn.definitions.publishing import catalogue_of
from sojourn.definitions.way_ids import event_of, way_id, ways_taken
from sojourn.engine import statechart
from sojourn.engine.statechart import Moved
from tests.definitions.drawing.journeys import nested
from tests.laws.runtimes import sequential
from tests.laws.test_equality import end_of
from tests.laws.test_everything_published import FIRST, edited
from tests.soak import tries


class Spy:
    """Notes which transitions the kernel took for each move."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.moves: list[tuple[Any, Moved, set[str]]] = []
        shift = statechart._Run._shift

        def noted(
            run: Any, left: Sequence[int], enabled: Iterable[Transition], blocks: Sequence[tuple[int, Block]]
        ) -> None:
            before = len(run.effects)
            shift(run, left, enabled, blocks)
            states = run.states
            taken = {
                way_id(states[way.source].id, states[target].id, event_of(way))
                for way in enabled
                for target in way.targets
            }
            moved = [one for one in run.effects[before:] if isinstance(one, Moved)]
            if moved and taken:
                self.moves.append((states, moved[0], taken))

        patch.setattr(statechart._Run, "_shift", noted)


def chart_with(states: Any) -> Chart:
    """Return a chart of these states, to be asked about."""
    return Chart(states=tuple(states), by_id={state.id: state.index for state in states})


@settings(max_examples=tries(5), deadline=None)
@given(st.integers(0, 2**32), st.integers(20, 60))
def test_the_ways_told_of_a_move_are_those_that_the_kernel_took(seed: int, n_events: int) -> None:
    """In charts with regions, history, races and everything, a fact has enough to tell."""
    _, entries = edited(seed, n_events)
    catalogue, _ = catalogue_of(FIRST)
    with pytest.MonkeyPatch.context() as patch:
        spy = Spy(patch)
        sequential(entries, catalogue, until=end_of(entries), in_force=FIRST)
    for states, move, taken in spy.moves:
        assert set(ways_taken(chart_with(states), move.source, move.target, move.event)) == taken


def test_nested_states_history_and_regions_are_told_by_random_walks() -> None:
    """The journey that has everything a drawing must show."""
    journey, random = nested(), Random(1)
    events = [
        "Next",
        "Back",
        "Out",
        "Again",
        "Go",
        "Jump",
        "Up",
        "End",
        "Pause",
        "Restart",
        "Resume",
        "Start",
        "Flip",
    ]
    with pytest.MonkeyPatch.context() as patch:
        spy = Spy(patch)
        for _ in range(60):
            machine = statechart.start(journey.chart, _Scope(), at=0).machine
            for at in range(1, 40):
                if machine.timers and random.random() < 0.2:
                    machine = statechart.fire(
                        journey.chart, machine, _Scope(), at=machine.timers[0].due
                    ).machine
                else:
                    machine = statechart.send(
                        journey.chart, machine, random.choice(events), _Scope(), at=at
                    ).machine
    drawn = {way.id for way in chart_of(journey).ways}
    seen: set[str] = set()
    for _, move, taken in spy.moves:
        assert set(ways_taken(journey.chart, move.source, move.target, move.event)) == taken
        seen |= taken
    assert seen <= drawn
    assert len(seen) >= 15


def test_a_move_of_another_version_is_none_of_the_chart_s() -> None:
    """Its states are not there; it is counted by states, and by no way."""
    chart = nested().chart
    assert ways_taken(chart, ["nowhere"], ["outer.first"], "Next") == []


def test_ways_between_the_same_states_by_the_same_event_are_one() -> None:
    """A fact cannot tell them apart, so a drawing does not either; both conditions are read."""
    journey = compile_journey(
        "journey: two\nentry: { on: A }\nstates:\n  a:\n    on:\n      E:\n"
        '        - { when: "trait.x == 1", to: b }\n        - { when: "trait.x == 2", to: b }\n'
        "        - { to: c }\n"
        "  b: { after: { 1d: done } }\n  c: { after: { 1d: done } }\n"
    )
    (one,) = [way for way in chart_of(journey).ways if way.id == "a>b>E"]
    assert one.label == "E, if trait.x == 1; or E, if trait.x == 2"
    assert one.line == 7


class _Scope:
    """A person of whom nothing is known."""

    def __getattr__(self, name: str) -> Any:
        return {}
