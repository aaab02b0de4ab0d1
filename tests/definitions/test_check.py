"""Checks of the graph: dead ends, unreachable states, loops that never wait."""

from __future__ import annotations

import pytest

from sojourn.definitions.compile import check_journey


def checked(states: str, *, goal: str = "") -> list[str]:
    """Return problems and warnings of states that begin in line 2, each as `line:column code`."""
    text = f"{{journey: x, entry: {{on: E}}{goal}, states: {{\n{states}\n}}}}"
    found = check_journey(text, file="j.yaml")
    return [f"{each.line}:{each.column} {each.code}" for each in (*found.problems, *found.warnings)]


@pytest.mark.parametrize(
    "states",
    [
        "a: {}",
        "a: {type: final, do: [{console: }]}",
        "a: {after: {1h: done}}",
        "a: {branch: [{when: properties.x, to: b}], on: {F: b}}, b: {}",
        "a: {branch: [{when: properties.x, to: b}, {to: done}]}, b: {}",
        "a: {states: {x: {on: {F: y}}, y: {do: [{console: }]}}, after: {1h: done}}",
        "a: {states: {x: {on: {F: y}}, y: {}}, on: {done.state.a: done}}",
        "p: {regions: {l: {states: {x: {on: {F: y}}, y: {}}}, r: {states: {z: {on: {G: done}}}}}}",
        "a: {on: {F: b}}, b: {on: {F: a}}",
        "a: {branch: [b]}, b: {after: {1h: a}}",
        "a: {states: {x: {on: {F: b}}, h: {type: history, deep: true}}}, b: {on: {G: h, H: done}}",
    ],
)
def test_a_sound_graph_has_no_problems(states: str) -> None:
    """A check that cries wolf is switched off."""
    assert checked(states) == []


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ("a: {do: [{console: }]}", ["2:1 dead-end"]),
        ("a: {on: {F: b}},\nb: {do: [{console: }]}", ["3:1 dead-end"]),
        ("a: {states: {x: {on: {F: y}}, y: {}}}", ["2:31 dead-end"]),
        ("a: {branch: [{when: properties.x, to: b}]}, b: {}", ["2:1 stuck-branch"]),
        ("a: {},\nb: {}", ["3:1 unreachable"]),
        ("a: {},\nb: {states: {x: {on: {F: a}}}}", ["3:1 unreachable"]),
        ("a: {states: {x: {on: {F: done}}, y: {on: {F: x}}}}", ["2:34 unreachable"]),
        ("a: {branch: [b]},\nb: {branch: [a]}", ["2:1 loop-without-wait"]),
        ("a: {branch: [{when: properties.x, to: a}, {to: done}]}", ["2:1 loop-without-wait"]),
        (
            "a: {on: {F: b}},\nb: {branch: [{when: properties.x, to: c}, done]},\nc: {branch: [b]}",
            ["3:1 loop-without-wait"],
        ),
        ("a: {branch: [x], states: {x: {on: {F: done}}}}", ["2:1 loop-without-wait"]),
        (
            "a: {experiment: {id: e, variants: {u: 1}, to: {u: b}}},\nb: {branch: [a]}",
            ["2:1 loop-without-wait"],
        ),
    ],
)
def test_an_unsound_graph_is_refused_at_the_state(states: str, expected: list[str]) -> None:
    """People must not get stuck, nor the engine."""
    assert checked(states) == expected


def test_a_sink_that_the_configuration_lacks_is_a_warning_where_it_is_named() -> None:
    """Actions would wait for it, and become dead letters."""
    text = """\
journey: j
entry: { on: A }
states:
  a:
    do:
      - { webhook: suport, body: { say: hello } }
      - { sink: audit }
      - { console: }
    after: { 1d: done }
"""

    def warned(*sinks: str) -> list[str]:
        found = check_journey(text, file="j.yaml", sinks=sinks)
        assert found.journey is not None
        return [str(warning) for warning in found.warnings]

    assert warned("suport", "audit", "console") == []
    assert warned("support", "audit", "console") == [
        "j.yaml:6:20: what goes to 'suport' is given up: the configuration has no such sink; "
        "did you mean 'support'? [unknown-sink]"
    ]
    assert [warning.partition(": ")[0] for warning in warned()] == [
        "j.yaml:6:20",
        "j.yaml:7:17",
        "j.yaml:8:11",
    ]
    assert check_journey(text).warnings == []


def test_a_wait_beyond_the_goals_window_is_a_warning() -> None:
    """It may be meant; mostly it is not."""
    assert checked("a: {after: {8d: done}}", goal=", goal: {on: G, within: 7d}") == ["2:17 after-goal"]


def test_a_long_chain_of_states_is_checked_without_recursion() -> None:
    """A generated journey may have thousands of states."""
    chain = ",\n".join(f"s{i}: {{branch: [s{i + 1}]}}" for i in range(1_500))
    assert checked(chain + ",\ns1500: {}") == []
