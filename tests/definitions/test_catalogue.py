"""The catalogue: all journeys in force, and what they together ask of a profile."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from sojourn.definitions.catalogue import build_catalogue, load_definitions, load_journeys
from sojourn.definitions.chart_builder import build_chart
from sojourn.definitions.compile import compile_journey
from sojourn.definitions.expression import Needs
from sojourn.definitions.guards import compile_expression
from sojourn.definitions.journey import Call, Journey
from sojourn.model.errors import DefinitionError


def text(name: str, *, on: str = "E", guard: str = "properties.x", extra: str = "") -> str:
    """Return a small journey's text."""
    states = f'a: {{on: {{F: {{to: done, when: "{guard}"}}}}}}{extra}'
    return f"{{journey: {name}, entry: {{on: {on}}}, states: {{{states}}}}}"


def journey(name: str, *, on: str = "E", guard: str = "properties.x", extra: str = "") -> Journey:
    """Return a small journey."""
    return compile_journey(text(name, on=on, guard=guard, extra=extra))


def test_journeys_are_found_by_their_entry_events_in_the_order_of_their_names() -> None:
    """An event asks first who cares about its name."""
    b, a = journey("b", on="[E, G]"), journey("a")
    catalogue = build_catalogue([b, a])
    assert catalogue.entries == {"E": (a, b), "G": (b,)}


def test_needs_are_those_of_all_versions_in_force() -> None:
    """Somebody may still be inside an older version."""
    older = journey("a", guard="count('X', within='2h') > 1 and since('Y') > 1")
    newer = journey("a", guard="count('X', within='1h') > 1 and trait.plan == 'pro'")
    catalogue = build_catalogue([newer], older=[older])
    assert catalogue.needs == Needs(
        counts={"X": 7_200_000}, since=frozenset({"Y"}), traits=frozenset({"plan"})
    )
    assert catalogue.versions == {("a", older.version): older, ("a", newer.version): newer}


def test_nobody_enters_an_older_version() -> None:
    """Older versions are kept for those inside."""
    assert build_catalogue([], older=[journey("a")]).entries == {}


def test_two_journeys_of_one_name_are_refused() -> None:
    """A name is how everything is found."""
    with pytest.raises(DefinitionError, match="duplicate-journey"):
        build_catalogue([journey("a"), journey("a", guard="properties.y")])


def test_one_experiment_id_with_different_variants_is_refused() -> None:
    """A person has one variant of an experiment, everywhere."""
    split = ", s: {{experiment: {{id: e, variants: {{u: {}, v: 1}}, to: {{u: done, v: done}}}}}}"
    journeys = [
        compile_journey(
            f"{{journey: {name}, entry: {{on: E}}, states: {{a: {{on: {{F: s}}}}{split.format(weight)}}}}}"
        )
        for name, weight in (("a", 1), ("b", 2))
    ]
    with pytest.raises(DefinitionError, match="duplicate-experiment"):
        build_catalogue(journeys)


def test_the_problems_of_all_files_are_told_at_once() -> None:
    """A folder is checked in one go."""
    files = [
        ("a.yaml", "journey: a"),
        ("b.yaml", text("b", guard="nope")),
        ("c.yaml", text("c")),
        ("d.yaml", text("c")),
    ]
    with pytest.raises(DefinitionError) as caught:
        load_journeys(files)
    assert [(each.file, each.code) for each in caught.value.problems] == [
        ("a.yaml", "missing"),
        ("a.yaml", "missing"),
        ("b.yaml", "unknown-name"),
        ("d.yaml", "duplicate-journey"),
    ]


def caller(name: str, *, calls: str, group: str = "") -> Journey:
    """Return a journey whose first state calls another one."""
    first = {
        "id": "a",
        "kind": "atomic",
        "entry": [{"want": Call(journey=calls)}],
        "transitions": [{"target": ["b"], "event": ["done.call.a"]}],
    }
    tree = {"kind": "root", "initial": ["a"], "states": [first, {"id": "b", "kind": "final"}]}
    chart = build_chart(tree, compile_guard=compile_expression, exact=True)
    return replace(journey(name), chart=chart, group=group)


def test_files_of_one_name_are_all_read() -> None:
    """A program that publishes may call all of them alike; one that is not read would be closed."""
    segments = "segments: { gold: trait.plan == 'gold' }"
    loaded = load_definitions([("", text("a")), ("", segments), ("", text("b"))])
    assert [one.name for one in loaded.journeys] == ["a", "b"]
    assert [one.name for one in loaded.segments] == ["gold"]
    assert loaded.texts == (segments,)


@pytest.mark.parametrize(
    ("journeys", "code"),
    [
        ([caller("a", calls="b")], "unknown-journey"),
        ([caller("a", calls="a")], "circle"),
        ([caller("a", calls="b"), caller("b", calls="c"), caller("c", calls="a")], "circle"),
        ([caller("a", calls="b", group="g"), replace(journey("b"), group="g")], "excluded"),
        (
            [caller("a", calls="b", group="g"), caller("b", calls="c"), replace(journey("c"), group="g")],
            "excluded",
        ),
    ],
)
def test_a_call_that_could_never_come_back_is_refused(journeys: list[Journey], code: str) -> None:
    """It would go round in circles, or lead nowhere."""
    with pytest.raises(DefinitionError, match=code):
        build_catalogue(journeys)


def test_a_journey_may_call_another_one() -> None:
    """Also one that others call."""
    catalogue = build_catalogue([caller("a", calls="c"), caller("b", calls="c"), journey("c")])
    assert set(catalogue.journeys) == {"a", "b", "c"}


def test_journeys_that_one_event_enters_stand_by_priority_and_then_by_name() -> None:
    """Who comes first may exclude the others."""
    a, b, c = (replace(journey(name), priority=priority) for name, priority in (("a", 0), ("b", 0), ("c", 1)))
    assert build_catalogue([b, a, c]).entries == {"E": (c, a, b)}


def test_a_segment_enters_by_itself_only_where_it_is_no_condition() -> None:
    """With an event or a schedule it says which of those who come may enter."""
    texts = [
        "{journey: a, entry: {segment: s}, states: {x: {on: {F: done}}}}",
        "{journey: b, entry: {segment: s, on: E}, states: {x: {on: {F: done}}}}",
        "{journey: c, entry: {segment: s, schedule: FREQ=DAILY}, states: {x: {on: {F: done}}}}",
        "{journey: d, entry: {segment: s, api: true}, states: {x: {on: {F: done}}}}",
    ]
    catalogue = build_catalogue([compile_journey(text) for text in texts])
    assert [journey.name for journey in catalogue.by_segment["s"]] == ["a", "d"]
    assert [journey.name for journey in catalogue.scheduled] == ["c"]
