"""Charts of XState machines: what XState means by a transition, and what is refused where we mean another."""

from __future__ import annotations

from typing import Any

import pytest

from tests.definitions.xstate.machines import Json, around, inside, lead, machine, refusals


def acting(name: str, **fields: Any) -> Json:
    """Make a state that says when it is entered and left."""
    return {"entry": f"in {name}", "exit": f"out {name}", **fields}


def test_a_transition_into_its_own_state_keeps_it() -> None:
    """Transitions are internal unless they say reenter: the state's timers and actions go on."""
    outer = acting(
        "a", on={"X": ".c", "Y": {"target": ".c", "reenter": True}}, **inside(b=acting("b"), c=acting("c"))
    )
    assert lead(machine(a=outer), "X") == (["a.c"], ["in a", "in b", "out b", "in c"])
    assert lead(machine(a=outer), "Y")[1] == ["in a", "in b", "out b", "out a", "in a", "in c"]


def test_a_transition_to_itself_starts_anew_inside_and_keeps_the_state() -> None:
    """And of a state with nothing inside, it only acts."""
    outer = acting("a", on={"X": "a", "Y": ".c"}, **inside(b=acting("b"), c=acting("c")))
    assert lead(machine(a=outer), "Y", "X")[1][-2:] == ["out c", "in b"]
    alone = acting("a", on={"X": {"target": "a", "actions": "act"}})
    assert lead(machine(a=alone), "X") == (["a"], ["in a", "act"])


def test_a_transition_between_regions_restarts_them_and_keeps_what_is_around() -> None:
    """SCXML would leave the parallel state too."""
    regions = around(
        inside(a=acting("a", on={"X": "#m.p.r2.d"})), inside(c=acting("c"), d=acting("d")), **acting("p")
    )
    assert lead(machine(p=regions), "X") == (
        ["p.r1.a", "p.r2.d"],
        ["in p", "in a", "in c", "out c", "out a", "in a", "in d"],
    )


def test_a_parallel_state_whose_regions_restart_is_still_done() -> None:
    """The state that is put around them must not hide that they are done."""
    regions = around(inside(a={"on": {"X": "f"}}, f={"type": "final"}), onDone="over", on={"R": ".r1"})
    assert lead(machine(p=regions, over={}), "R", "X")[0] == ["over"]


def test_targets_are_found_as_xstate_finds_them() -> None:
    """By id, by id and path, from the state inwards, and beside it."""
    states = machine(
        a={"on": {"1": "b", "2": "b.d", "3": "#there", "4": "#there.d", "5": "#m.b.c"}},
        b={"id": "there", "on": {"6": ".d"}, **inside(c={}, d={})},
    )
    ends = {event: lead(states, event)[0] for event in ("1", "2", "3", "4", "5")}
    assert ends == {"1": ["b.c"], "2": ["b.d"], "3": ["b.c"], "4": ["b.d"], "5": ["b.c"]}
    assert lead(states, "1", "6")[0] == ["b.d"]


def test_a_wildcard_answers_what_nothing_else_in_the_state_answers() -> None:
    """Wherever in the object it stands."""
    states = machine(a={"on": {"*": "b", "X": "c"}}, b={}, c={})
    assert (lead(states, "X")[0], lead(states, "Y")[0]) == (["c"], ["b"])


def test_raised_events_initial_actions_and_combined_guards_are_understood() -> None:
    """The kernel has them, though a journey has no words for them."""
    start: Json = {"target": "b", "actions": ["begin"]}
    guard = {
        "type": "and",
        "guards": ["yes", {"type": "not", "guards": [{"type": "stateIn", "params": {"state": "c"}}]}],
    }
    outer = {
        "initial": start,
        "states": {"b": {"entry": {"type": "xstate.raise", "event": {"type": "I"}}}},
        "on": {"I": {"target": "c", "guard": guard}},
    }
    assert lead(machine(a=outer, c={})) == (["c"], ["begin"])


BACK = inside(x={}, h={"type": "history"})
ANSWERING = {"on": {"E": {"actions": "act"}}}

REFUSED = {
    "invoke": (machine(a={"invoke": {"src": "load"}}), "not-supported", "$.states.a.invoke"),
    "context": (machine(a={}, root={"context": {"n": 1}}), "not-supported", "$.context"),
    "v4 guard": (
        machine(a={"on": {"E": {"target": "a", "cond": "yes"}}}),
        "not-supported",
        "$.states.a.on.E.cond",
    ),
    "assign": (machine(a={"entry": [{"type": "xstate.assign"}]}), "not-supported", "$.states.a.entry[0]"),
    "part of a name": (machine(a={"on": {"mouse.*": "a"}}), "not-supported", "$.states.a.on['mouse.*']"),
    "unknown guard": (
        machine(a={"always": {"guard": "no", "target": "b"}}, b={}),
        "unknown-guard",
        "$.states.a.always.guard",
    ),
    "no parameter": (
        machine(a={"on": {"E": {"guard": "isOver", "target": "b"}}}, b={}),
        "unknown-parameter",
        "$.states.a.on.E.guard",
    ),
    "unknown target": (
        machine(a={"on": {"E": [{"target": "z"}]}}),
        "unknown-state",
        "$.states.a.on.E[0].target",
    ),
    "unknown delay": (machine(a={"after": {"soon": "a"}}), "unknown-name", "$.states.a.after.soon"),
    "always inside": (
        machine(a={"always": ".c", **inside(b={}, c={})}),
        "loop-without-wait",
        "$.states.a.always",
    ),
    "always nowhere": (machine(a={"always": {"actions": "act"}}), "loop-without-wait", "$.states.a.always"),
    "history from inside": (
        machine(a=inside(b={"on": {"E": "h"}}, h={"type": "history"})),
        "history-inside",
        "$.states.a.states.b.on.E",
    ),
    "answered twice": (
        machine(p=around(ANSWERING, {}, on={"E": ".r2"})),
        "parallel-answer",
        "$.states.p.on.E",
    ),
    "regions of regions": (
        machine(p=around(around({"on": {"E": "r2"}}, {}), {})),
        "parallel-domain",
        "$.states.p.states.r1",
    ),
    "a final region": (machine(p=around({"type": "final"}, {})), "final-region", "$.states.p.states.r1"),
    "the machine again": (machine(a={"on": {"E": "#m"}}), "root-target", "$.states.a.on.E"),
    "an end of regions": (
        {"id": "m", **around(inside(f={"type": "final"}), inside(f={"type": "final"}))},
        "parallel-end",
        "$",
    ),
    "no start": ({"states": {"a": {}}}, "unknown-state", "$.initial"),
    "no machine": ({"id": "m"}, "missing", "$"),
    "two of one id": (machine(a={"id": "x"}, b={"id": "x"}), "duplicate-id", "$.states.b"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_outside_the_subset_is_refused_at_its_path(what: str) -> None:
    """A machine that would do something else here must not seem to be imported."""
    value, code, path = REFUSED[what]
    assert refusals(value) == [(code, path)]


@pytest.mark.parametrize(
    "value", [None, 1, [], "x", {"states": 1}, {"states": {"a": 1}}, {"on": []}, {"type": 7}]
)
def test_what_is_no_machine_is_refused_and_breaks_nothing(value: Any) -> None:
    """Any JSON may be given."""
    assert refusals(value) != []


def test_states_nested_too_deep_are_refused() -> None:
    """A bound with a name, before Python's own."""
    value: Json = {}
    for _ in range(60):
        value = {"initial": "a", "states": {"a": value}}
    assert "bad-type" in {code for code, _ in refusals(value)}
