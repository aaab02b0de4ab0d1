"""Judging: a move tells the guards that were asked on the way, with the values they saw."""

from __future__ import annotations

from typing import Any

import pytest

from sojourn.definitions.guards import compile_expression
from sojourn.engine.judging import MAX_CHARACTERS, told
from sojourn.engine.statechart import MAX_JUDGED, Moved, send, start
from sojourn.model.fact import Judged
from tests.definitions.scopes import PlainScope
from tests.engine.charts import Tree, begin, chart, state


def judged(when: str, scope: PlainScope) -> Judged:
    """Ask one guard."""
    expression = compile_expression(when)
    return told(expression, scope, held=bool(expression.call(scope)))


def way(to: str, when: str) -> Tree:
    """Make one guarded way on `e`."""
    return {"event": ["e"], "when": when, "target": [to]}


def test_a_guard_tells_each_thing_it_reads_as_written() -> None:
    """Why somebody got a message is answered by what was known of them then, not by what is now."""
    when = "trait.plan == 'pro' and count('Paid', within='1h') > 1 and properties.cart.total > 5"
    scope = PlainScope(
        traits={"plan": "pro"}, properties={"cart": {"total": 9}}, counts={("Paid", 3_600_000): 2}
    )
    assert judged(when, scope) == Judged(
        guard=when,
        held=True,
        saw={"trait.plan": "pro", "count('Paid', within='1h')": 2, "properties.cart.total": 9},
    )


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        (0.5, 0.5),
        (2**80, str(2**80)),
        ("x" * 999, "x" * (MAX_CHARACTERS - 1) + "…"),
        ({"a": [1]}, '{"a":[1]}'),
        (["y" * 999], '["' + "y" * (MAX_CHARACTERS - 3) + "…"),
    ],
)
def test_what_a_guard_saw_is_cut_to_what_a_line_can_show(value: Any, expected: Any) -> None:
    """It is kept with every move: a trait of a megabyte must not be."""
    assert judged("trait.x == 1", PlainScope(traits={"x": value})).saw == {"trait.x": expected}


def test_of_many_things_read_the_first_are_told() -> None:
    """A guard of a screenful has a bound too."""
    when = " or ".join(f"trait.t{i} == 1" for i in range(40))
    assert list(judged(when, PlainScope()).saw) == [f"trait.t{i}" for i in range(12)]


def test_a_move_tells_the_guards_asked_for_it_in_order() -> None:
    """The false ones say why it did not go elsewhere; the last one decided."""
    made = chart(
        state("a", transitions=[way("b", "x > 2"), way("c", "x > 1"), way("a", "x > 0")]),
        state("b"),
        state("c"),
        data={"x": 2},
    )
    moved = send(made, begin(made), "e", PlainScope(), at=0).effects[0]
    assert moved == Moved(
        ["a"],
        ["c"],
        "e",
        [
            Judged(guard="x > 2", held=False, saw={"x": 2}),
            Judged(guard="x > 1", held=True, saw={"x": 2}),
        ],
    )


def test_a_move_that_asks_nothing_tells_nothing() -> None:
    """Also where a guard was asked for the move before it."""
    made = chart(
        state("a", transitions=[way("b", "x == 2")]), state("b", on={"": "c"}), state("c"), data={"x": 2}
    )
    first, second = send(made, begin(made), "e", PlainScope(), at=0).effects
    assert isinstance(first, Moved)
    assert isinstance(second, Moved)
    assert [len(first.judged), second.judged] == [1, []]


def test_of_very_many_guards_the_last_are_told() -> None:
    """The one that decided is the last."""
    ways = [way("b", f"x == {i}") for i in range(50)]
    made = chart(state("a", transitions=ways), state("b"), data={"x": 49})
    moved = send(made, begin(made), "e", PlainScope(), at=0).effects[0]
    assert isinstance(moved, Moved)
    assert [len(moved.judged), moved.judged[-1].guard] == [MAX_JUDGED, "x == 49"]


def test_a_guard_that_leads_nowhere_is_not_read_twice() -> None:
    """Values are looked up where somebody moves, and only there: most guards are asked in vain."""
    reads = []

    class Scope(PlainScope):
        def count(self, name: str, within_ms: int | None) -> int:
            reads.append(name)
            return 0

    made = chart(state("a", transitions=[way("b", "count('X') > 1")]), state("b"))
    machine = start(made, Scope(), at=0).machine
    send(made, machine, "e", Scope(), at=0)
    assert reads == ["X"]
