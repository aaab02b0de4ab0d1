"""The statechart kernel where something is wrong: failing expressions, endless loops, foreign machines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sojourn.definitions.chart import Chart
from sojourn.engine import statechart
from sojourn.engine.statechart import Machine, listens, send, start
from tests.engine.charts import ChartOnly, after, begin, broken, chart, history, state, wants


def test_a_guard_that_raises_counts_as_false_and_is_told() -> None:
    """One bad guard must not stop a journey."""
    made = chart(state("a", on={"e": {"when": broken("no"), "target": ["b"]}}), state("b"))
    step = send(made, begin(made), "e", ChartOnly(), at=0)
    assert (step.machine.active, step.errors) == (["a"], ["a: broken: ValueError: no [expression]"])


def test_an_error_is_an_event_the_chart_may_answer() -> None:
    """SCXML's `error.execution`."""
    made = chart(state("a", on={"e": {"when": broken("no")}, "error.execution": "rescued"}), state("rescued"))
    assert after(made, "e") == ["rescued"]


def test_an_assignment_that_raises_assigns_nothing_and_ends_its_block() -> None:
    """What came after it may rest on it; other blocks do not."""
    actions = [{"want": 1}, {"assign": {"x": broken("no")}}, {"want": 2}]
    made = chart(
        state("a", on={"e": {"target": ["b"], "actions": actions}}),
        state("b", entry=[{"want": 3}]),
        data={"x": 0},
    )
    step = send(made, begin(made), "e", ChartOnly(), at=0)
    assert (step.machine.data, wants(step), len(step.errors)) == ({"x": 0}, [1, 3], 1)


def test_a_failing_guard_asked_without_an_event_does_not_ask_itself_for_ever() -> None:
    """It raises an error event, which must not be the reason to ask it again."""
    made = chart(state("a", transitions=[{"when": broken("no"), "target": ["b"]}]), state("b"))
    assert start(made, ChartOnly(), at=0).errors == ["a: broken: ValueError: no [expression]"]


def test_an_error_in_answering_an_error_raises_no_further_one() -> None:
    """A guard on `*` hears of its own failure."""
    made = chart(state("a", on={"*": {"when": broken("no")}}))
    assert len(send(made, begin(made), "e", ChartOnly(), at=0).errors) == 2


def test_a_loop_without_rest_ends_with_an_error() -> None:
    """Bounded, never endless; the machine stands in a legal place."""
    made = chart(state("a", on={"e": "b"}), state("b", on={"": "c"}), state("c", on={"": "b"}))
    step = send(made, begin(made), "e", ChartOnly(), at=0)
    assert step.errors == ["no rest after 1,000 microsteps [microstep-limit]"]
    assert len(step.effects) == statechart.MAX_MICROSTEPS
    assert step.machine.active == ["c"]


def test_a_chain_as_long_as_the_bound_is_no_error() -> None:
    """The bound is the number it says."""
    chain = {"when": f"x < {statechart.MAX_MICROSTEPS}", "actions": [{"assign": {"x": "x + 1"}}]}
    made = chart(state("a", transitions=[chain]), data={"x": 0})
    step = start(made, ChartOnly(), at=0)
    assert (step.machine.data, step.errors) == ({"x": 1_000}, [])


def test_a_chart_that_keeps_sending_to_itself_ends_with_an_error() -> None:
    """Each event is a macrostep of its own, so this needs a bound of its own."""
    made = chart(state("a", on={"e": {"actions": [{"send": "e"}]}}))
    step = send(made, begin(made), "e", ChartOnly(), at=0)
    assert step.errors == ["more than 100 events sent to itself at once [macrostep-limit]"]


def test_a_machine_holds_no_more_timers_than_the_bound() -> None:
    """What is stored for a person stays small."""
    made = chart(state("a", on={"e": {"actions": [{"send": "late", "after_ms": 5}] * 600}}))
    machine = send(made, begin(made), "e", ChartOnly(), at=0).machine
    step = send(made, machine, "e", ChartOnly(), at=0)
    assert len(step.machine.timers) == statechart.MAX_TIMERS
    assert step.errors[0] == "a: late not sent, 1,000 timers run already [timer-limit]"


def test_only_the_first_errors_are_told() -> None:
    """A loop must not fill the ledger with one sentence."""
    made = chart(state("a", transitions=[{"when": broken("no")}] * 50))
    assert len(start(made, ChartOnly(), at=0).errors) == statechart.MAX_ERRORS


def test_an_error_tells_no_more_than_fits() -> None:
    """What an expression says of itself may be long."""
    made = chart(state("a", transitions=[{"when": broken("no" * 1_000)}]))
    assert len(start(made, ChartOnly(), at=0).errors[0]) == statechart.ERROR_CHARACTERS


@pytest.mark.parametrize(
    "ask", [listens, lambda made, machine, event: send(made, machine, event, ChartOnly(), at=0)]
)
def test_a_machine_of_another_chart_is_refused(ask: Callable[[Chart, Machine, str], Any]) -> None:
    """A bug is loud: nobody guesses where such a machine may be."""
    with pytest.raises(AssertionError, match="names the state 'gone'"):
        ask(chart(state("a")), Machine(active=["gone"]), "e")


def test_a_machine_cannot_rest_in_a_compound_state() -> None:
    """Mapping people to a new version must name where inside they go."""
    with pytest.raises(AssertionError, match="which is compound"):
        send(chart(state("p", state("a"))), Machine(active=["p"]), "e", ChartOnly(), at=0)


def test_a_machine_that_remembers_a_foreign_state_is_refused() -> None:
    """When it would go back there, not before: forgotten history hurts nobody."""
    made = chart(state("a", on={"e": "h"}), state("p", state("p1"), history("h", "p1")))
    with pytest.raises(AssertionError, match="names the state 'gone'"):
        send(made, Machine(active=["a"], history={"h": ["gone"]}), "e", ChartOnly(), at=0)
