"""The catalogue: all journeys in force, and what they together ask of a profile."""

from __future__ import annotations

import pytest

from sojourn.definitions.catalogue import build_catalogue, load_journeys
from sojourn.definitions.compile import compile_journey
from sojourn.definitions.expression import Needs
from sojourn.definitions.journey import Journey
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
