"""Migrating: whoever goes along stands where the new version says, and what they waited counts."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from sojourn.definitions.chart import Chart
from sojourn.definitions.moving import counterpart, is_place, start_of
from sojourn.engine.migrating import Placed, place
from sojourn.engine.statechart import Machine, Step, Timer, fire, go_on, next_due, send
from tests.engine.charts import ChartOnly, after, begin, chart, final, hear, history, parallel, state, wants
from tests.engine.test_statechart_laws import chart_of, illegal, live
from tests.soak import tries

seeds = st.integers(0, 2**32)
HOUR, DAY = 3_600_000, 86_400_000


def moved(old: Chart, new: Chart, machine: Machine, at: int = 0, **states: str) -> Step:
    """Put a machine into another chart and let it come to rest."""
    placed = place(old, new, machine, states, at=at)
    return go_on(new, placed.machine, ChartOnly(), at=at, entering=placed.entering, done=placed.done)


def waiting(**fields: Any) -> Chart:
    """Make a chart of one state that waits."""
    return chart(state("waiting", **fields), final("end"))


def late(after_ms: int, to: str = "end") -> dict[str, Any]:
    """Make a way out by time."""
    return {"after_ms": after_ms, "target": [to]}


def random_map(old: Chart, new: Chart, machine: Machine, random: Random) -> dict[str, str]:
    """Map every active leaf that has no counterpart, and now and then one that has."""
    places = [one.id for one in new.states if is_place(new, one.id)]
    leaves = machine.active
    return {
        leaf: random.choice(places)
        for leaf in leaves
        if counterpart(old, new, leaf, {}) is None or random.random() < 0.3
    }


@settings(max_examples=tries(400), deadline=None)
@given(seeds, seeds, seeds)
def test_nobody_ends_in_a_state_that_does_not_exist(old_seed: int, new_seed: int, life_seed: int) -> None:
    """Two random charts share names and little else: every configuration, then and later, is legal."""
    old, new = chart_of(old_seed), chart_of(new_seed)
    random = Random(life_seed)
    for step in live(old, life_seed)[:-1]:
        if step.machine.is_done:
            continue
        states = random_map(old, new, step.machine, random)
        placed = place(old, new, step.machine, states, at=99)
        assert illegal(new, placed.machine) == []
        found = go_on(new, placed.machine, ChartOnly(), at=99, entering=placed.entering, done=placed.done)
        assert illegal(new, found.machine) == []
        for event in ("e1", "e2", "e3"):
            found = send(new, found.machine, event, ChartOnly(), at=99)
            assert illegal(new, found.machine) == []
        while not found.machine.is_done and (due := next_due(found.machine)) is not None and due < 10_000:
            found = fire(new, found.machine, ChartOnly(), at=due)
            assert illegal(new, found.machine) == []


@settings(max_examples=tries(150), deadline=None)
@given(seeds, seeds)
def test_going_along_to_the_same_chart_changes_nothing(seed: int, life_seed: int) -> None:
    """The edit that is none: states, timers, memories and variables stay, and nothing is done."""
    made = chart_of(seed)
    for step in live(made, life_seed)[:-1]:
        if not step.machine.is_done:
            assert place(made, made, step.machine, {}, at=99) == Placed(step.machine, [], [])


@pytest.mark.parametrize(
    ("after_ms", "due"),
    [(2 * DAY, 2 * DAY), (DAY, DAY), (2 * HOUR, 3 * HOUR), (3 * HOUR, 3 * HOUR)],
    ids=["longer", "as it was", "shorter than waited", "exactly over"],
)
def test_a_timer_keeps_the_time_already_waited(after_ms: int, due: int) -> None:
    """A delay that was shortened is asked again at once, and never before it was."""
    old, new = waiting(transitions=[late(DAY)]), waiting(transitions=[late(after_ms)])
    assert moved(old, new, begin(old), at=3 * HOUR).machine.timers[0].due == due


def test_a_timer_that_is_gone_is_dropped_and_a_new_one_starts_now() -> None:
    """Where nothing tells how long somebody waited, they begin to."""
    old, new = waiting(transitions=[late(DAY)]), waiting(on={"x": "end"})
    assert moved(old, new, begin(old)).machine.timers == []
    assert moved(new, old, begin(new), at=HOUR).machine.timers[0].due == HOUR + DAY


def test_a_timer_that_has_fired_does_not_fire_again() -> None:
    """Its guard said no then; the edit is about another thing."""
    old = waiting(transitions=[late(HOUR) | {"when": "no"}, late(DAY)], on={"x": "end"})
    machine = begin(old)
    machine = replace(machine, timers=machine.timers[1:])
    assert [one.due for one in moved(old, old, machine, at=2 * HOUR).machine.timers] == [DAY]


def test_what_one_stays_in_is_not_entered_again() -> None:
    """Nobody gets the same message twice because somebody mended a word elsewhere."""
    old = chart(state("told", entry=[{"want": "hello"}], on={"x": "end"}), final("end"))
    new = chart(state("told", entry=[{"want": "hello, mended"}], on={"y": "end"}), final("end"))
    step = moved(old, new, begin(old))
    assert (step.machine.active, wants(step)) == (["told"], [])


def test_a_state_with_another_name_is_the_same_state() -> None:
    """A map says what a state is called now: it is not entered again, and its timer runs on."""
    old = chart(state("a", entry=[{"want": "hello"}], transitions=[late(DAY)]), final("end"))
    new = chart(state("b", entry=[{"want": "hello"}], transitions=[late(DAY)]), final("end"))
    step = moved(old, new, begin(old), at=HOUR, a="b")
    assert (step.machine.active, wants(step)) == (["b"], [])
    assert step.machine.timers == [Timer(DAY, 0, f"after(b,{DAY})", f"after(b,{DAY})")]


def test_what_is_new_around_and_inside_is_entered() -> None:
    """A compound that a state became starts; one that holds it now begins to wait."""
    old = chart(state("a", on={"x": "end"}), final("end"))
    inside = state("a", state("first", entry=[{"want": "first"}]), entry=[{"want": "a"}])
    new = chart(state("around", inside, entry=[{"want": "around"}], transitions=[late(DAY)]), final("end"))
    step = moved(old, new, begin(old), at=HOUR)
    assert (step.machine.active, wants(step)) == (["first"], ["around", "first"])
    assert step.machine.timers[0].due == HOUR + DAY


def test_a_region_without_a_counterpart_starts() -> None:
    """The others stay where they were."""
    one = state("one", state("a", on={"x": "b"}), state("b"))
    two = state("two", state("c", entry=[{"want": "c"}]))
    old, new = chart(parallel("both", one)), chart(parallel("both", one, two))
    step = moved(old, new, after_machine(old, "x"))
    assert (step.machine.active, wants(step)) == (["b", "c"], ["c"])


def after_machine(made: Chart, *events: str) -> Machine:
    """Start a chart and send events."""
    return hear(made, begin(made), *events)


def test_a_region_that_goes_lets_nobody_wait_for_it() -> None:
    """What it kept from being done is done by the move: nobody is stuck for an event that cannot come."""
    one = state("one", state("a", on={"x": "b"}), final("b"))
    two = state("two", state("c", on={"never": "d"}), final("d"))
    way = {"done.state.both": "end"}
    old = chart(parallel("both", one, two, on=way), final("end"))
    new = chart(parallel("both", one, on=way), final("end"))
    assert after(old, "x") == ["b", "c"]
    step = moved(old, new, after_machine(old, "x"), c="both")
    assert (step.machine.active, step.machine.is_done) == (["end"], True)


def test_regions_that_became_one_after_the_other_leave_one() -> None:
    """Nobody can be in both; the first counts."""
    old = chart(parallel("both", state("a", on={"x": "b"}), state("b")))
    new = chart(state("a", on={"x": "b"}), state("b"))
    assert moved(old, new, begin(old)).machine.active == ["a"]


def test_a_branch_one_is_put_into_is_left_at_once() -> None:
    """The machine comes to rest as after every step."""
    old = chart(state("a", on={"x": "end"}), final("end"))
    new = chart(state("choose", on={"": "b"}), state("b", on={"x": "end"}), final("end"))
    assert moved(old, new, begin(old), a="choose").machine.active == ["b"]


def test_what_is_remembered_is_kept_where_it_still_fits() -> None:
    """And forgotten where the state is gone: the history's own default holds then."""
    back = state("out", on={"back": "h"})

    def made(*inside: dict[str, Any]) -> Chart:
        return chart(state("in", history("h", "a"), *inside, on={"leave": "out"}), back)

    old = made(state("a", on={"x": "b"}), state("b"))
    machine = hear(old, begin(old), "x", "leave")
    for new, where in ((old, ["b"]), (made(state("a"), state("c")), ["a"])):
        assert hear(new, moved(old, new, machine).machine, "back").active == where


def test_variables_are_kept_where_the_new_chart_has_them() -> None:
    """Others would be there for ever; new ones begin."""
    old = chart(state("a", on={"x": "b"}), state("b"), data={"n": 1, "gone": 2})
    new = chart(state("a", on={"x": "b"}), state("b"), data={"n": 0, "fresh": 3})
    assert moved(old, new, begin(old)).machine.data == {"n": 1, "fresh": 3}


def test_a_map_of_a_compound_holds_for_all_inside() -> None:
    """Unless it says more of one of them, or the state is still there."""
    old = chart(state("a", state("b"), state("c"), state("d")), state("z"))
    new = chart(state("x"), state("y"), state("d"))
    found = {leaf: counterpart(old, new, leaf, {"a": "x", "c": "y"}) for leaf in ("b", "c", "d", "z")}
    assert found == {"b": "x", "c": "y", "d": "d", "z": None}


def test_nobody_is_put_into_a_memory() -> None:
    """A history state is a way back, not a place."""
    made = chart(state("in", history("h", "a"), state("a")), state("out"))
    assert counterpart(made, made, "out", {"out": "h"}) is None
    assert (start_of(made, "in"), start_of(made, "done")) == (["a"], ["done"])
