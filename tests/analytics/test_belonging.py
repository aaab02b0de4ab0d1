"""Segments and variants in a selection: against reading one row after the other."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import NamedTuple

import numpy as np
import pytest

from sojourn.analytics.belonging.known import ALWAYS, NEVER, Belonging, Encounter
from sojourn.analytics.belonging.spans import Spans
from sojourn.analytics.events import Events
from sojourn.analytics.questions import Friction, Graph, ask
from sojourn.analytics.questions.selections import wanted_of
from sojourn.analytics.selecting import Met, Selection, Within, select
from sojourn.model.errors import ConfigError
from tests.analytics.making import Row, events_of, rows_of

SEEDS = range(60)
LATEST = 30
SEGMENTS, EXPERIMENTS = ("buyers", "lapsed"), ("checkout", "price")
ARMS = ("a", "b", "c")


class World(NamedTuple):
    """What happened, as plain rows."""

    rows: list[Row]
    spans: dict[str, list[tuple[str, int, int]]]
    """Segment -> (person, first instant, last instant)."""
    met: dict[str, dict[str, tuple[str, int]]]
    """Experiment -> person -> (variant, when)."""

    def events(self) -> Events:
        """Encode it."""
        events = events_of(self.rows)
        place = {person: i for i, person in enumerate(events.people)}
        return replace(
            events,
            belonging=Belonging(
                {name: spans_of(place, spans) for name, spans in self.spans.items()},
                {name: encounter_of(place, met) for name, met in self.met.items()},
            ),
        )


def spans_of(place: dict[str, int], spans: list[tuple[str, int, int]]) -> Spans:
    """Encode stretches of time as they come."""
    columns = [[place[person] for person, *_ in spans], [one[1] for one in spans], [one[2] for one in spans]]
    return Spans.of(*(np.array(column, dtype=np.int64) for column in columns))


def encounter_of(place: dict[str, int], met: dict[str, tuple[str, int]]) -> Encounter:
    """Encode who met what."""
    arm, at = np.full(len(place), -1, dtype=np.int32), np.full(len(place), NEVER, dtype=np.int64)
    for person, (variant, when) in met.items():
        arm[place[person]], at[place[person]] = ARMS.index(variant), when
    return Encounter(ARMS, arm, at)


def world(random: Random) -> World:
    """Draw a few people, who were in segments now and then, also for an instant, and for ever."""
    people = [f"p{i}" for i in range(random.randint(1, 6))]
    rows: list[Row] = []
    for person in people:
        for _ in range(random.randint(1, 6)):
            extra = {"session": str(random.randint(1, 3))} if random.random() < 0.9 else {}
            rows.append((person, random.choice("XYZ"), random.randint(0, LATEST), extra))
    rows.append((people[0], "X", 0, {"session": "1"}))
    spans = {
        name: [
            (person, *sorted((_instant(random), _instant(random))))
            for person in people
            for _ in range(random.randint(0, 4))
        ]
        for name in SEGMENTS
    }
    met = {
        name: {
            person: (random.choice(ARMS), random.randint(0, LATEST))
            for person in people
            if random.random() < 0.7
        }
        for name in EXPERIMENTS
    }
    return World(rows, spans, met)


def _instant(random: Random) -> int:
    return random.choice((ALWAYS, NEVER, *range(LATEST)))


def selection_of(random: Random) -> Selection:
    """Draw what is selected."""
    since, until = sorted((random.randint(0, LATEST), random.randint(0, LATEST)))
    return Selection(
        since_ms=random.choice((None, since)),
        until_ms=random.choice((None, until + 1)),
        of=random.choice(("person", "session")),
        within=tuple(
            Within(
                segments=tuple(random.sample(SEGMENTS, random.randint(1, 2))), is_not=random.random() < 0.3
            )
            for _ in range(random.randint(0, 2))
        ),
        met=tuple(
            Met(
                experiment=name,
                variants=tuple(random.sample(ARMS, random.randint(1, 2))),
                is_not=random.random() < 0.3,
            )
            for name in random.sample(EXPERIMENTS, random.randint(0, 2))
        ),
    )


def naive(world: World, asked: Selection) -> list[tuple[str, str, int]]:
    """Select row by row: what the words of the options say."""
    since = ALWAYS if asked.since_ms is None else asked.since_ms
    until = NEVER if asked.until_ms is None else asked.until_ms - 1
    inside = [row for row in rows_of(events_of(world.rows)) if since <= row[2] <= until]
    chosen = []
    for person, step, at, extra in inside:
        first, last = since, until
        if asked.of == "session" and asked.within:
            if "session" not in extra:
                continue
            times = [
                row[2] for row in inside if row[0] == person and row[3].get("session") == extra["session"]
            ]
            first, last = min(times), max(times)
        is_fit = all(
            any(
                who == person and begin <= last and end >= first
                for name in one.segments
                for who, begin, end in world.spans[name]
            )
            != one.is_not
            for one in asked.within
        )
        for one in asked.met:
            variant, when = world.met[one.experiment].get(person, ("", NEVER))
            is_fit &= bool(variant) and (variant in one.variants) != one.is_not and at >= when
        if is_fit:
            chosen.append((person, step, at))
    return chosen


@pytest.mark.parametrize("seed", SEEDS)
def test_a_selection_is_what_its_words_say(seed: int) -> None:
    """Of random people, segments, exposures and times; several times each."""
    random = Random(seed)
    for _ in range(15):
        drawn, asked = world(random), selection_of(random)
        expected = naive(drawn, asked)
        if expected:
            found = [row[:3] for row in rows_of(select(drawn.events(), asked))]
            assert found == expected, f"{drawn}\n{asked}"
        else:
            with pytest.raises(ConfigError, match="nothing is selected"):
                select(drawn.events(), asked)


SMALL = World(
    [
        ("ann", "View", 0),
        ("ann", "Offer", 5),
        ("ann", "Buy", 9),
        ("bob", "View", 1),
        ("bob", "Offer", 3),
        ("cid", "Buy", 7),
    ],
    {"buyers": [("ann", 9, NEVER)]},
    {"checkout": {"ann": ("a", 5), "bob": ("b", 3)}},
)


def told(question: Graph) -> dict[str, object]:
    """Ask of the small world."""
    answer = ask(question, SMALL.events(), {}).told()
    assert isinstance(answer, dict)
    return answer


def test_what_somebody_did_before_a_variant_is_no_effect_of_it() -> None:
    """And who never met the experiment is in none of its arms."""
    steps = {
        variant: [node["name"] for node in told(Graph(variant=(f"checkout={variant}",)))["nodes"]]  # type: ignore[attr-defined]
        for variant in ("a", "b")
    }
    assert {variant: sorted(names) for variant, names in steps.items()} == {
        "a": ["Buy", "Offer"],
        "b": ["Offer"],
    }


def test_two_variants_are_compared() -> None:
    """Each side says in words whose it is."""
    found = told(Graph(compare="variant:checkout=a:b"))["definition"]
    assert isinstance(found, dict)
    assert (found["n_one"], found["n_other"]) == (1, 1)
    assert found["one"] == "from when they met checkout with a"
    assert found["other"] == "from when they met checkout with b"


def test_who_did_nothing_after_a_variant_counts_among_those_who_met_it() -> None:
    """Whether somebody goes on at all may be what the variant changes."""
    rows: list[Row] = [(f"p{i}", step, at) for i in range(4) for step, at in (("View", 0), ("Cart", 1))]
    rows += [("p0", "Offer", 5), ("p0", "Buy", 6), ("p2", "Offer", 5), ("p2", "Buy", 6)]
    met = {f"p{i}": (ARMS[i // 3], 3) for i in range(4)}
    told_of = ask(
        Graph(compare="variant:checkout=a"),
        World([*rows, ("p3", "Help", 9)], {}, {"checkout": met}).events(),
        {},
    ).told()
    (bought,) = [row for row in told_of["edges"] if row["target"] == "Buy"]
    assert (told_of["definition"]["n_one"], told_of["definition"]["silent_one"]) == (3, 1)
    assert bought["share_one"] == pytest.approx(2 / 3)
    narrowed = ask(
        Graph(compare="variant:checkout=a:b", did=("Offer",), until="1970-01-01T00:00:02"),
        World([*rows, ("p3", "Offer", 9)], {}, {"checkout": met}).events(),
        {},
    ).told()
    assert (narrowed["definition"]["n_one"], narrowed["definition"]["silent_one"]) == (2, 0)


def test_a_condition_on_people_looks_at_what_they_did_before_the_variant_too() -> None:
    """What was known of somebody before is a fair way to narrow both arms."""
    found = told(Graph(did=("View",), variant=("checkout=a",)))
    assert found["definition"]["selection"] == (  # type: ignore[index]
        "people with did View, from when they met checkout with a"
    )
    compared = told(Graph(did=("View",), compare="variant:checkout=a"))
    assert compared["definition"]["n_one"] == 1  # type: ignore[index]


def test_friction_and_others_without_a_time_take_them_too() -> None:
    """The two belong to every question about the journey."""
    found = ask(Friction(segment=("buyers",), by="person"), SMALL.events(), {}).told()
    assert found["definition"]["selection"] == "people with some time in the segment buyers"


def test_events_of_files_say_nothing_of_it() -> None:
    """And what to do is said."""
    events = events_of(SMALL.rows)
    for asked in (Graph(segment=("buyers",)), Graph(variant=("checkout=a",))):
        with pytest.raises(ConfigError, match=r"files do not tell .* with --data, .* \[no-facts\]"):
            ask(asked, events, {})


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (Graph(variant=("checkout",)), "--variant 'checkout': expected experiment=variant"),
        (Graph(variant=("checkout=d",)), "nobody met 'checkout' with the variant 'd'; known: a, b, c"),
        (Graph(segment=(" ",)), "--segment ' ': expected a segment's name"),
        (Graph(compare="segment=!|"), "--compare '!|': expected a segment's name"),
    ],
)
def test_what_cannot_be_read_is_named(asked: Graph, message: str) -> None:
    """With what was expected."""
    with pytest.raises(ConfigError) as refused:
        ask(asked, SMALL.events(), {})
    assert message in str(refused.value)


def test_a_question_says_which_facts_it_needs() -> None:
    """They are read, and no others: also for what is compared."""
    asked = Graph(segment=("a|b", "!c"), variant=("x=1",), compare="variant:y=1:2")
    assert wanted_of(asked) == (("a", "b", "c"), ("x", "y"))
    assert wanted_of(Graph(compare="segment=d")) == (("d",), ())
