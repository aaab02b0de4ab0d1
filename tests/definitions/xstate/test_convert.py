"""Converting: machines as journeys that people go on writing."""

from __future__ import annotations

import pytest

from sojourn.definitions.xstate import convert, read_names
from sojourn.model.errors import DefinitionError
from tests.definitions.xstate.machines import NAMES, Json, around, inside, journey_of, machine, refusals


def test_a_machine_in_full() -> None:
    """One that fits the page, to see what comes out."""
    value = machine(
        a={
            "entry": {"type": "greet", "params": {"n": 1}},
            "on": {"B": "b"},
            "after": {"oneDay": "c", "1500": "c"},
        },
        b={"onDone": "d", "exit": "bye", **inside(x={"on": {"X": "y"}}, y={"type": "final"})},
        c={"always": [{"guard": {"type": "isOver", "params": {"limit": 9}}, "target": "b"}, "d"]},
        d={"type": "final"},
    )
    assert (
        journey_of(value)
        == """\
# From the XState machine m.
journey: m
entry: { on: Go }
states:
  a:
    do: [{ sink: console, body: { action: greet, "n": 1 } }]
    on: { B: b }
    after: { 1d: c, 1s500ms: c }
  b:
    on: { done.state.b: d }
    exit_do: [{ sink: console, body: { action: bye } }]
    states:
      x:
        on: { X: "y" }
      "y":
        type: final
  c:
    branch:
      - { when: "entry.properties.total > 9", to: b }
      - { to: d }
  d:
    type: final
"""
    )


def test_what_the_machine_itself_does_lies_in_a_state_around_all() -> None:
    """A journey's own root has goal and exit rules, and no transitions."""
    value = machine(a={"on": {"X": "b"}}, b={"type": "final"}, root={"on": {"STOP": ".b"}})
    text = journey_of(value, name="stopping")
    assert "journey: stopping" in text
    assert "  machine:\n    on: { STOP: b, done.state.machine: done }" in text


def test_regions_of_the_machine_itself_become_regions() -> None:
    """The state around them is the only one of the journey."""
    value: Json = {
        "id": "m",
        "on": {"X": "#end"},
        **around(inside(a={"on": {"A": "b"}}, b={"on": {"B": "a"}})),
    }
    value["states"]["r2"] = inside(c={"id": "end", "on": {"C": "d"}}, d={"on": {"C": "c"}})
    assert "    regions:\n      r1:\n" in journey_of(value)


def test_a_name_that_would_mean_another_state_is_written_in_full() -> None:
    """A journey looks for a name nearby first."""
    value = machine(
        a={"on": {"X": "#m.b.x"}, **inside(x={"on": {"Y": "y"}}, y={})},
        b=inside(x={"on": {"Z": "#m.a"}}),
    )
    assert "on: { X: b.x }" in journey_of(value)


REFUSED = {
    "actions on the way": (
        machine(a={"on": {"E": {"target": "b", "actions": "act"}}}, b={}),
        "$.states.a.on.E.actions",
    ),
    "only acting": (machine(a={"on": {"E": {}}}), "$.states.a.on.E"),
    "a wildcard": (machine(a={"on": {"*": "b"}}, b={}), "$.states.a.on['*']"),
    "a raised event": (
        machine(a={"entry": {"type": "xstate.raise", "event": {"type": "I"}}}),
        "$.states.a.entry",
    ),
    "initial actions": (
        machine(a={"initial": {"target": "b", "actions": "act"}, "states": {"b": {}}}),
        "$.states.a.initial.actions",
    ),
    "no time": (machine(a={"after": {"0": "b"}}, b={}), "$.states.a.after.0"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_a_journey_has_no_words_for_is_refused_at_its_path(what: str) -> None:
    """The kernel could run it; the author could not read it."""
    value, path = REFUSED[what]
    assert refusals(value) == []
    assert refusals(value, is_journey=True) == [("not-supported", path)]


@pytest.mark.parametrize(
    "fields", [{"entry": "act"}, {"exit": "act"}, {"after": {"9": "z"}}], ids=["entry", "exit", "after"]
)
def test_a_state_that_xstate_keeps_and_a_journey_would_leave_is_refused(fields: Json) -> None:
    """Its timer would start again, and its actions run twice."""
    state = {**inside(b={}, c={}), "on": {"E": ".c"}}
    assert refusals(machine(a=state, z={}), is_journey=True) == []
    assert refusals(machine(a={**state, **fields}, z={}), is_journey=True) == [
        ("kept-state", "$.states.a.on.E")
    ]


def test_a_problem_names_line_and_column_also_in_a_file_with_tabs() -> None:
    """As editors of JSON indent it."""
    text = '{\n\t"initial": "a",\n\t"states": {\n\t\t"a": { "on": { "E": "z" } }\n\t}\n}\n'
    with pytest.raises(DefinitionError) as caught:
        convert(text, entry=["Go"], names=NAMES, file="m.json")
    assert str(caught.value).startswith("m.json:4:23: $.states.a.on.E: the machine holds no state 'z'")


def test_names_are_read_with_every_problem_at_its_place() -> None:
    """Guards, actions, delays and events; anything else is a slip."""
    names = read_names("guards: { g: trait.x }\ndelays: { d: 2h }\n", file="names.yaml")
    assert (names.guards, names.delays) == ({"g": "trait.x"}, {"d": 7_200_000})
    with pytest.raises(DefinitionError) as caught:
        read_names("guard: { g: x }\nactions: [a]\ndelays: { d: soon }\n", file="names.yaml")
    assert [problem.code for problem in caught.value.problems] == [
        "unknown-keyword",
        "bad-type",
        "bad-duration",
    ]
