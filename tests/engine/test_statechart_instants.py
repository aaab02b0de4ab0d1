"""Instants: delayed events whose time is computed when their state is entered."""

from __future__ import annotations

from typing import Any

import pytest

from sojourn.definitions.chart import Chart
from sojourn.definitions.expression import Expression
from sojourn.engine.statechart import Timer, fire, start
from tests.engine.charts import ChartOnly, begin, broken, chart, hear, state


def due_at(value: Any) -> Expression:
    """Make an expression that gives a value, whatever it is."""
    return Expression("instant", lambda _scope: value)


def until(value: Any) -> Chart:
    """Make a chart that waits in `a` until an instant."""
    return chart(state("a", transitions=[{"due": due_at(value), "target": ["b"]}]), state("b"))


def test_a_delay_may_be_computed_on_entry() -> None:
    """A trial ends on another day for each person."""
    step = start(until(70), ChartOnly(), at=50)
    assert step.machine.timers == [Timer(70, 0, "after(a,until)", "after(a,until)")]
    assert fire(until(70), step.machine, ChartOnly(), at=70).machine.active == ["b"]


@pytest.mark.parametrize(
    ("value", "n_errors"), [(None, 0), (50, 0), (-1, 0), (True, 1), ("soon", 1), (9.5, 1)]
)
def test_an_instant_that_is_past_or_none_comes_at_once(value: Any, n_errors: int) -> None:
    """Nobody is stuck because a trait is missing or broken; what is nonsense is told."""
    step = start(until(value), ChartOnly(), at=50)
    assert (step.machine.active, step.machine.timers, len(step.errors)) == (["b"], [], n_errors)


def test_an_instant_that_cannot_be_computed_comes_at_once() -> None:
    """As a guard that raises counts as false."""
    made = chart(state("a", transitions=[{"due": broken("why"), "target": ["b"]}]), state("b"))
    step = start(made, ChartOnly(), at=50)
    assert step.machine.active == ["b"]
    assert step.errors == ["a: broken: ValueError: why [expression]"]


def test_leaving_early_forgets_the_computed_instant() -> None:
    """Of an event and a timer exactly one wins, also where the timer is computed."""
    ways = [{"due": due_at(70), "target": ["b"]}, {"event": ["e"], "target": ["c"]}]
    made = chart(state("a", transitions=ways), state("b"), state("c"))
    assert hear(made, begin(made), "e").timers == []
