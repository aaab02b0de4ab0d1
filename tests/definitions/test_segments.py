"""Segments in files: what they may ask, in which order they are told, and what is refused where."""

from __future__ import annotations

import pytest

from sojourn.definitions.catalogue import build_catalogue, check_definitions, load_definitions
from sojourn.definitions.clocks import MAX_AGE_S
from sojourn.definitions.segments import MAX_SEGMENTS

JOURNEY = "{journey: j, entry: {on: E}, states: {a: {on: {F: {to: done, when: \"in_segment('%s')\"}}}}}"


def problems(*texts: str) -> list[str]:
    """Return `file:line:column code` of each problem."""
    found = check_definitions([(f"{n}.yaml", text) for n, text in enumerate(texts)]).problems
    return [f"{each.file}:{each.line}:{each.column} {each.code}" for each in found]


def segment(condition: str) -> str:
    """Write a file with one segment."""
    return f'segments:\n  s: "{condition}"\n'


def test_segments_may_stand_in_several_files_beside_journeys() -> None:
    """A folder is read as a whole; a journey may ask for what another file defines."""
    files = [
        ("j.yaml", JOURNEY % "b"),
        ("x.yaml", "segments:\n  b: \"in_segment('a')\"\n"),
        ("y.yaml", "segments: { a: { when: \"count('X') > 1\", description: looks often } }"),
    ]
    found = load_definitions(files)
    assert [one.name for one in found.segments] == ["a", "b"]
    assert [one.name for one in found.journeys] == ["j"]
    assert found.texts == (files[1][1], files[2][1])


def test_the_catalogue_keeps_what_segments_ask() -> None:
    """Else a counter that only a segment needs would not be kept."""
    found = load_definitions([("s.yaml", segment("count('X', within='1h') > 1 and since('Y') > 60"))])
    catalogue = build_catalogue([], segments=found.segments)
    assert (catalogue.needs.counts, catalogue.needs.since) == ({"X": 3_600_000}, frozenset({"Y"}))
    assert set(catalogue.segment_index.by_event) == {"X", "Y"}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("event.name == 'X'", "0.yaml:2:7 unknown-name"),
        ("properties.x > 1", "0.yaml:2:7 unknown-name"),
        ("entry.key == 'x'", "0.yaml:2:7 unknown-name"),
        ("session.n_events > 3", "0.yaml:2:7 unknown-name"),
        ("visits('X') > 1", "0.yaml:2:7 unknown-name"),
        ("regressed()", "0.yaml:2:7 unknown-name"),
        ("variant('e') == 'x'", "0.yaml:2:7 unknown-name"),
        ("In('x')", "0.yaml:2:7 unknown-name"),
        ("trait.x and since('X')", "0.yaml:2:19 untimed"),
        ("since('X') / 60 > 5", "0.yaml:2:7 untimed"),
        ("since('X') > since('Y')", "0.yaml:2:7 untimed"),
        ("since('X') in [1, 2]", "0.yaml:2:7 untimed"),
        (f"since('X') > {MAX_AGE_S + 1}", "0.yaml:2:7 untimed"),
        ("in_segment('t')", "0.yaml:2:18 unknown-segment"),
        ("in_segment('s')", "0.yaml:2:3 circle"),
        ("1 > 2", "0.yaml:2:6 never-true"),
        ("trait.x ==", "0.yaml:2:17 syntax"),
    ],
)
def test_what_a_segment_cannot_ask_is_refused_at_its_place(condition: str, expected: str) -> None:
    """Membership must be one thing for whoever looks, and change at instants that can be told."""
    found = problems(segment(condition))
    assert found[0] == expected


@pytest.mark.parametrize(
    "condition",
    [
        "since('X') > days(3)",
        "days(3) <= since('X')",
        "hours(1) < since('X') < days(1)",
        "since('X') is None or since('Y') != null",
        "trait.plan == 'pro' and profile.user_id != null",
        "not (count('X', within='7d') > 3)",
    ],
)
def test_what_a_segment_can_ask_is_taken(condition: str) -> None:
    """Ages compared with constants, windows, traits and the profile."""
    assert problems(segment(condition)) == []


@pytest.mark.parametrize(
    ("condition", "instead"),
    [
        ("friction.score > 0.5", "count('$friction.rage', within='1h')"),
        ("friction('rage', within='1h') > 1", "count('$friction.rage', within='1h')"),
        ("propensity('X') > 0.5", "ask for it where a journey decides"),
        ("hazard() > 0.5", "ask for it where a journey decides"),
        ("churn() > 0.5", "since('..') > days(30)"),
    ],
)
def test_what_fades_or_is_forecast_is_refused_with_what_to_ask_instead(condition: str, instead: str) -> None:
    """Nobody could say at which instant such a segment changes."""
    (problem,) = check_definitions([("s.yaml", segment(condition))]).problems
    assert instead in problem.message
    assert (problem.line, problem.column, problem.code) == (2, 7, "unknown-name")


def test_a_segment_that_counts_signals_switches_friction_on() -> None:
    """They are found only where somebody asks."""
    asking, silent = (
        load_definitions([("s.yaml", segment(f"count('{name}', within='1h') > 1"))]).segments
        for name in ("$friction.rage", "X")
    )
    assert build_catalogue([], segments=asking).needs.friction
    assert not build_catalogue([], segments=silent).needs.friction


def test_segments_that_ask_for_one_another_are_refused() -> None:
    """Neither could be told first; the message names the circle."""
    text = "segments:\n  a: \"in_segment('c')\"\n  b: \"in_segment('a')\"\n  c: \"in_segment('b')\"\n"
    found = check_definitions([("s.yaml", text)]).problems
    assert [(each.line, each.code) for each in found] == [(2, "circle")]
    assert "a -> c -> b -> a" in found[0].message


def test_a_name_stands_once_over_all_files() -> None:
    """The second one is refused, and told where the first is."""
    assert problems(segment("trait.x"), segment("trait.y")) == ["1.yaml:2:3 duplicate-segment"]


def test_there_is_a_bound_to_how_many() -> None:
    """Each can be asked of everybody."""
    names = "\n".join(f"  s{n}: trait.x" for n in range(MAX_SEGMENTS + 1))
    assert [each.split()[1] for each in problems("segments:\n" + names)] == ["too-many"]


def test_a_journey_that_asks_for_an_unknown_segment_is_refused_at_its_place() -> None:
    """With what it might have meant."""
    files = [("j.yaml", JOURNEY % "loyale"), ("s.yaml", "segments: { loyal: trait.x }")]
    (problem,) = check_definitions(files).problems
    assert (problem.file, problem.line, problem.code) == ("j.yaml", 1, "unknown-segment")
    assert "did you mean 'loyal'?" in problem.message


def test_an_entry_by_an_unknown_segment_is_refused_at_its_place() -> None:
    """Nobody would ever enter."""
    text = "{journey: j, entry: {segment: loyal}, states: {a: {on: {F: done}}}}"
    assert problems(text) == ["0.yaml:1:31 unknown-segment"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("segments: []", "bad-type"),
        ("segments: { 'a b': trait.x }", "bad-name"),
        ("segments: { a: { description: x } }", "missing"),
        ("segments: { a: { wen: trait.x } }", "unknown-keyword"),
        ("{segments: { a: trait.x }, polisy: {}}", "unknown-keyword"),
    ],
)
def test_a_file_of_segments_that_is_misspelt_is_refused(text: str, code: str) -> None:
    """As in a journey."""
    assert code in [each.split()[1] for each in problems(text)]


def test_two_policies_are_refused() -> None:
    """Nobody could say which holds."""
    assert problems("policy: {}", "policy: {}") == ["1.yaml:1:1 duplicate-policy"]
