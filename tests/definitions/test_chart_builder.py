"""Building charts: what a tree of states becomes, and what is refused, where and why."""

from __future__ import annotations

from typing import Any

import pytest

from sojourn.definitions.chart import Cancel, Chart, Send
from sojourn.definitions.chart_builder import build_chart
from sojourn.definitions.chart_tree import MAX_DEPTH, ChartError, Flaw
from sojourn.definitions.expression import Expression

Tree = dict[str, Any]


def constant(text: str) -> Expression:
    """Compile nothing: a test of structure asks no guard."""
    return Expression(text, lambda _scope: text)


def build(*states: Tree, exact: bool = True, **root: Any) -> Chart:
    """Build a chart from the states below its root."""
    return build_chart({**root, "states": list(states)}, compile_guard=constant, exact=exact)


def flaws(*states: Tree, **root: Any) -> list[tuple[str, tuple[str | int, ...]]]:
    """Return the code and path of each flaw."""
    with pytest.raises(ChartError) as caught:
        build(*states, **root)
    return [(flaw.code, flaw.path) for flaw in caught.value.flaws]


def way(target: str | list[str], **fields: Any) -> Tree:
    """Make the transitions of a state: one."""
    return {"transitions": [{"event": ["e"], "target": target, **fields}]}


def regions(*more: Tree) -> Tree:
    """Make a parallel state of two regions of two states each."""
    inside = [{"id": name, "states": [{"id": name + "1"}, {"id": name + "2"}]} for name in "ab"]
    return {"id": "p", "kind": "parallel", "states": [*inside, *more]}


def test_states_stand_in_document_order_with_the_range_of_their_descendants() -> None:
    """Order and descent are comparisons of numbers."""
    made = build({"id": "a", "states": [{"id": "b"}, {"id": "c"}]}, {"id": "d"})
    assert [(state.id, state.last) for state in made.states] == [
        ("", 4),
        ("a", 3),
        ("b", 2),
        ("c", 3),
        ("d", 4),
    ]


def test_the_kind_follows_from_what_is_inside() -> None:
    """Authors of plain charts need not name it."""
    made = build({"id": "a", "states": [{"id": "b"}]})
    assert [state.kind for state in made.states] == ["root", "compound", "atomic"]


def test_a_compound_state_starts_in_its_first_state_that_is_no_history() -> None:
    """SCXML's default."""
    keeper = {"id": "h", "kind": "history", "transitions": [{"target": ["b"]}]}
    made = build({"id": "a", "states": [keeper, {"id": "b"}]})
    initial = made.states[made.by_id["a"]].initial
    assert initial is not None
    assert initial.targets == (made.by_id["b"],)


def test_a_history_state_without_transition_leads_where_its_parent_would_start() -> None:
    """What a reader expects."""
    made = build(
        {"id": "a", "initial": ["c"], "states": [{"id": "h", "kind": "history"}, {"id": "b"}, {"id": "c"}]}
    )
    initial = made.states[made.by_id["h"]].initial
    assert initial is not None
    assert initial.targets == (made.by_id["c"],)


def test_exact_names_are_taken_as_they_are() -> None:
    """Product events have dots and spaces of their own."""
    transition = (
        build({"id": "a", "transitions": [{"event": ["Order v2.0", "x.*"]}]}).states[1].transitions[0]
    )
    assert (transition.names, transition.prefixes) == (frozenset({"Order v2.0", "x.*"}), ())


def test_by_scxmls_rule_names_are_prefixes() -> None:
    """`a`, `a.` and `a.*` mean the same."""
    tree = {"id": "a", "transitions": [{"event": ["a", "b.", "c.*", "*"]}]}
    transition = build(tree, exact=False).states[1].transitions[0]
    assert (transition.names, transition.prefixes, transition.is_any) == (frozenset(), ("a", "b", "c"), True)


def test_a_time_becomes_a_delayed_event_sent_on_entry_and_cancelled_on_exit() -> None:
    """One timer for each length, before the author's own content, which may fail."""
    timed = [{"after_ms": 60, "target": ["b"], "when": "x"}, {"after_ms": 60, "target": ["a"]}]
    state = build({"id": "a", "transitions": timed, "entry": [{"cancel": "k"}]}, {"id": "b"}).states[1]
    assert state.entry == (Send("after(a,60)", after_ms=60, id="after(a,60)"), Cancel("k"))
    assert state.exit == (Cancel("after(a,60)"),)
    assert [transition.names for transition in state.transitions] == [frozenset({"after(a,60)"})] * 2


def test_a_chart_knows_every_name_it_answers_to() -> None:
    """Events nobody names are turned away by one look."""
    made = build({"id": "a", **way("b")}, {"id": "b", "transitions": [{"event": ["f", "g"], "target": "a"}]})
    assert (made.names, made.is_listening_to_any) == (frozenset("efg"), False)


@pytest.mark.parametrize("transition", [{"event": ["*"]}, {"when": "x"}])
def test_a_chart_knows_where_names_do_not_tell_all(transition: Tree) -> None:
    """`*`, or a guard that any event may turn true."""
    assert build({"id": "a", "transitions": [transition]}).is_listening_to_any


def test_a_branch_with_a_way_out_is_no_reason_to_listen_to_everything() -> None:
    """Nobody rests in it."""
    branch = [{"when": "x", "target": "b"}, {"target": "c"}]
    assert not build({"id": "a", "transitions": branch}, {"id": "b"}, {"id": "c"}).is_listening_to_any


def test_compiled_expressions_and_plain_values_are_taken_as_they_are() -> None:
    """A caller that reports errors with their lines has compiled them already."""
    guard = constant("mine")
    made = build({"id": "a", "transitions": [{"when": guard, "actions": [{"assign": {"x": 3}}]}]})
    transition = made.states[1].transitions[0]
    assert transition.when is guard
    assert [content.value.call(None) for content in transition.content] == [3]  # type: ignore[union-attr]


def test_a_flaw_says_where_what_and_why() -> None:
    """Another room turns the path into file, line and column."""
    with pytest.raises(ChartError) as caught:
        build({"id": "a", **way("nowhere")})
    path = ("states", 0, "transitions", 0, "target")
    message = "there is no state 'nowhere'; name one of this chart"
    assert caught.value.flaws == [Flaw(path, "a", message, "unknown-target")]


def test_all_flaws_are_told_at_once_in_document_order() -> None:
    """Authors mend a file once, not line by line."""
    assert flaws({"id": "a", **way("x")}, {"id": "b", **way("y")}) == [
        ("unknown-target", ("states", 0, "transitions", 0, "target")),
        ("unknown-target", ("states", 1, "transitions", 0, "target")),
    ]


HISTORY = {"id": "h", "kind": "history"}
MISTAKES = {
    "an id used twice": ([{"id": "a"}, {"id": "a"}], "duplicate-id"),
    "no id": ([{"id": "a"}, {}], "missing-id"),
    "a kind nobody knows": ([{"id": "a", "kind": "choice"}], "bad-kind"),
    "a root inside": ([{"id": "a", "kind": "root"}], "bad-kind"),
    "an empty chart": ([], "no-children"),
    "an empty compound state": ([{"id": "a", "kind": "compound"}], "no-children"),
    "a parallel state without regions": (
        [{"id": "a", "kind": "parallel", "states": [HISTORY]}],
        "no-children",
    ),
    "an atomic state with states": (
        [{"id": "a", "kind": "atomic", "states": [{"id": "b"}]}],
        "unexpected-children",
    ),
    "a final state with a way out": ([{"id": "a", "kind": "final", **way("a")}], "unexpected-content"),
    "a history state with entry content": (
        [{"id": "a", "states": [{"id": "b"}, {**HISTORY, "entry": [{"raise": "x"}]}]}],
        "unexpected-content",
    ),
    "history below the root": ([{"id": "a"}, HISTORY], "history-parent"),
    "a final region": ([regions({"id": "f", "kind": "final"})], "final-region"),
    "an initial state of an atomic one": ([{"id": "a", "initial": ["a"]}], "unexpected-initial"),
    "an initial state outside": (
        [{"id": "a", "initial": ["c"], "states": [{"id": "b"}]}, {"id": "c"}],
        "initial-outside",
    ),
    "an initial state nobody knows": (
        [{"id": "a", "initial": ["x"], "states": [{"id": "b"}]}],
        "unknown-target",
    ),
    "two targets in one region": ([{"id": "s", **way(["a1", "a2"])}, regions()], "conflicting-targets"),
    "a target inside another": ([{"id": "s", **way(["a", "a2"])}, regions()], "conflicting-targets"),
    "targets that exclude each other": ([{"id": "s", **way(["s", "a2"])}, regions()], "conflicting-targets"),
    "history of all beside a region": (
        [{"id": "s", **way(["h", "a2"])}, regions(HISTORY)],
        "conflicting-targets",
    ),
    "an event and a time": ([{"id": "a", **way("a", after_ms=5)}], "event-and-time"),
    "a negative time": ([{"id": "a", "transitions": [{"after_ms": -1, "target": "a"}]}], "negative-time"),
    "a negative delay": ([{"id": "a", "entry": [{"send": "x", "after_ms": -1}]}], "negative-time"),
    "a start whose action nobody knows": (
        [{"id": "a", "initial": {"target": ["b"], "actions": [{"log": 1}]}, "states": [{"id": "b"}]}],
        "bad-action",
    ),
    "an action nobody knows": ([{"id": "a", "exit": [{"log": "x"}]}], "bad-action"),
    "two actions in one": ([{"id": "a", "exit": [{"raise": "x", "cancel": "y"}]}], "bad-action"),
    "an action without a name": ([{"id": "a", "entry": [{"cancel": ""}]}], "bad-action"),
    "a guarded default of history": (
        [{"id": "a", "states": [{"id": "b"}, {**HISTORY, "transitions": [{"when": "x", "target": "b"}]}]}],
        "history-default",
    ),
    "a default outside": (
        [{"id": "a", "states": [{"id": "b"}, {**HISTORY, "transitions": [{"target": "c"}]}]}, {"id": "c"}],
        "history-default",
    ),
    "a default that is history again": (
        [{"id": "a", "states": [{"id": "b"}, {**HISTORY, "transitions": [{"target": "h"}]}]}],
        "history-default",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_tree_that_is_no_chart_is_refused(mistake: str) -> None:
    """Each mistake by its own code, once."""
    states, code = MISTAKES[mistake]
    assert [found for found, _ in flaws(*states)] == [code]


def test_the_root_cannot_be_a_target() -> None:
    """It is never left, so it cannot be entered."""
    assert flaws({"id": "a", **way("top")}, id="top")[0][0] == "root-target"


def test_a_tree_nested_too_deep_is_refused_before_it_is_walked() -> None:
    """Walking it must not exhaust the stack."""
    tree: Tree = {"id": "leaf"}
    for i in range(5_000):
        tree = {"id": f"s{i}", "states": [tree]}
    assert flaws(tree)[0][0] == "too-deep"


def test_a_tree_as_deep_as_the_bound_is_built() -> None:
    """The bound is the number it says."""
    tree: Tree = {"id": "leaf"}
    for i in range(MAX_DEPTH - 1):
        tree = {"id": f"s{i}", "states": [tree]}
    assert len(build(tree).states) == MAX_DEPTH + 1
