"""Echoes: what would answer its own outcomes for ever is warned of, and what ends by itself is not."""

from __future__ import annotations

import pytest

from sojourn.definitions.compile import check_journey

SEND = "do: [{console: }]"
RETRY = "sending: {do: [{console: }], on: {$delivery_failed: again}, after: {1d: done}},\nagain: "


def warned(states: str, *, entry: str = "on: E") -> list[str]:
    """Return the warnings of states that begin in line 3, each as `line:column code`."""
    text = f"{{journey: x,\nentry: {{{entry}}}, states: {{\n{states}\n}}}}"
    found = check_journey(text, file="j.yaml")
    assert found.problems == []
    return [f"{each.line}:{each.column} {each.code}" for each in found.warnings]


@pytest.mark.parametrize(
    "states",
    [
        f"a: {{{SEND}, on: {{$delivered: b}}, after: {{1d: done}}}},\nb: {{{SEND}, on: {{$delivered: a}}}}",
        f"a: {{{SEND}, on: {{$delivery_failed: a, $delivered: done}}}}",
        RETRY + "{branch: [sending]}",
        "a: {steps: [{name: s, send: {console: }}, {wait_for: {on: $delivered, within: 1d}}, {goto: s}]}",
        f"a: {{states: {{x: {{{SEND}, after: {{1d: x}}}}}}, on: {{$delivery_expired: a, Stop: done}}}}",
    ],
)
def test_a_circle_that_outcomes_alone_keep_going_is_warned_of(states: str) -> None:
    """A person would get as many messages as a sink can take."""
    assert [each.split()[1] for each in warned(states)] == ["endless-echo"]


@pytest.mark.parametrize(
    "states",
    [
        f"a: {{{SEND}, on: {{$delivered: b}}}},\nb: {{{SEND}, on: {{$delivered: done}}}}",
        f"p: {{{SEND}, states: {{a: {{on: {{$delivered: b}}}}, b: {{on: {{$delivered: a, E: done}}}}}}}}",
        RETRY + "{after: {1h: sending}}",
        RETRY + "{on: {Clicked: sending}}",
        RETRY + "{branch: [{when: \"count('$delivery_failed') > 3\", to: done}, sending]}",
        f"a: {{{SEND}, on: {{$delivered: {{to: a, when: \"count('E') > 3\"}}}}, after: {{1d: done}}}}",
        "a: {on: {$delivered: b}},\nb: {on: {$delivered: a, E: done}}",
        "a: {steps: [{repeat: {times: 3, steps: [{send: {console: }}, {wait_for: {on: $delivered}}]}}],"
        " on: {done.state.a: done}}",
    ],
)
def test_what_time_people_or_a_condition_end_is_not(states: str) -> None:
    """A check that cries wolf is switched off."""
    assert warned(states) == []


@pytest.mark.parametrize(
    ("entry", "n_warnings"),
    [
        ("on: [E, $delivered]", 1),
        ("on: $delivery_failed, reentry: always", 1),
        ("on: $delivered, reentry: never", 0),
        ("on: $delivered, reentry: {cooldown: 1d}", 0),
        ("on: $delivered, when: \"properties.journey == 'mails'\"", 0),
    ],
)
def test_an_entry_by_the_outcomes_of_ones_own_actions_is_warned_of(entry: str, n_warnings: int) -> None:
    """It sends, which is delivered, which lets the person in again."""
    states = f"a: {{{SEND}, after: {{1h: done}}}}"
    assert warned(states, entry=entry) == ["2:8 endless-echo"] * n_warnings


def test_a_journey_that_only_hears_of_outcomes_may_be_entered_by_them() -> None:
    """Without an action there is no echo."""
    assert warned("a: {after: {1h: done}}", entry="on: $delivered") == []
