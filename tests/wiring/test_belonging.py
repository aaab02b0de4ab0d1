"""Segments and variants of a data folder: what facts come to, against what each life said at an instant."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import NamedTuple

import numpy as np
import pytest

from sojourn.adapters.lake import ParquetLake
from sojourn.analytics.belonging.known import NEVER, Belonging
from sojourn.analytics.belonging.reading import Wanted, read_belonging
from sojourn.analytics.questions import Graph
from sojourn.analytics.reading import StepRules
from sojourn.definitions.catalogue import build_catalogue, load_definitions
from sojourn.definitions.journey import Catalogue
from sojourn.engine.state import decode
from sojourn.model.errors import ConfigError
from sojourn.model.event import Event
from sojourn.model.fact import Exposed, Fact, Identified
from sojourn.wiring.questions import Source, list_segments, read_for
from tests.adapters.lake.folders import T0, Folder, event

MINUTE = 60_000
SEGMENTS = ("busy", "idle")
EXPERIMENT = "offer"
DEFINITIONS = """
segments:
  busy: "count('View', within='10m') > 1"
  idle: "since('View') > minutes(15)"
"""
JOURNEY = """
journey: rescue
holdout: off
entry: { on: Cart }
steps:
  - split: { id: offer, variants: { none: 1, gift: 1 }, steps: { gift: [{ wait: 1m }] } }
  - wait: 1m
"""


class Lived(NamedTuple):
    """What a history came to."""

    members: dict[tuple[str, int], set[str]]
    """(profile, instant) -> the segments the profile was in; of those that had a life then."""
    facts: list[Fact]
    people: dict[str, str]
    """Profile -> the person it belongs to by now."""
    known: list[str]
    """Who took a step: the people whose events are asked about."""
    found: Belonging
    occurred: dict[int, int]
    """Position -> when that event happened."""


def catalogue() -> Catalogue:
    """Compile both."""
    definitions = load_definitions([("segments.yaml", DEFINITIONS), ("rescue.yaml", JOURNEY)])
    return build_catalogue(definitions.journeys, segments=definitions.segments)


def happening(random: Random, n: int, at: int) -> Event:
    """Draw what somebody does: on a device, named or not, or under two names that become one."""
    user, device = f"u{random.randrange(3)}", f"d{random.randrange(4)}"
    kind = random.random()
    if kind < 0.12:
        return event(n, "$identify", at=at, user_id=user, anonymous_id=device)
    if kind < 0.17:
        return event(n, "$alias", at=at, user_id=user, previous_id=f"u{random.randrange(3)}")
    who = {"anonymous_id": device} if random.random() < 0.6 else {"user_id": user}
    return event(n, random.choice(("View", "View", "View", "Cart")), at=at - random.randrange(900), **who)


def members(folder: Folder) -> Iterator[tuple[str, set[str]]]:
    """Yield who is in which segments now, as their lives say."""
    for stage in ("identity", "profile"):
        for (_, key), stored in folder.store.load([(stage, key) for key in folder.store.keys(stage)]).items():
            state = decode(stage, stored.state)
            life = state.life if stage == "identity" else state
            if life is not None and life.n_events:
                yield f"{'a' if stage == 'identity' else 'u'}:{key}", set(life.segments)


def lived(path: Path, seed: int) -> Lived:
    """Live a history, look into every life half a minute after each event, and read the lake at the end."""
    random = Random(seed)
    folder, at = Folder(path, catalogue()), T0
    seen: dict[tuple[str, int], set[str]] = {}
    for n in range(60):
        folder.live([happening(random, n, at)], now=at)
        folder.wait(at + MINUTE // 2)
        seen |= {(profile, at + MINUTE // 2): names for profile, names in members(folder)}
        at += random.choice((1, 2, 5, 20)) * MINUTE
    lake = ParquetLake(folder.lake_path)
    folder.flush(lake, n_events=30)  # a part of it is in files, the rest is read from the log
    lake.close()
    with folder.reading() as reading:
        people = dict(reading.connection.sql("SELECT profile_id, person_id FROM identities").fetchall())
        known = [
            one for (one,) in reading.connection.sql("SELECT person_id FROM people ORDER BY 1").fetchall()
        ]
        found = read_belonging(reading.connection, known, Wanted(SEGMENTS, (EXPERIMENT,)))
    facts = [fact for _, _, fact in folder.facts()]
    occurred = {entry.position: entry.event.occurred_at for entry in folder.entries()}
    folder.close()
    return Lived(seen, facts, people, known, found, occurred)


def is_alias(fact: Fact) -> bool:
    """Tell whether a user id belongs to another one from now on."""
    return isinstance(fact, Identified) and bool(fact.user_id) and not fact.anonymous_id


@pytest.fixture(scope="module", params=range(3))
def history(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Lived:
    """Live one of several random histories."""
    return lived(tmp_path_factory.mktemp("lived"), request.param)


def test_who_was_in_a_segment_at_an_instant_is_what_their_life_said_then(history: Lived) -> None:
    """By whom they are by now, also where two became one, and where only time made them members."""
    expected: dict[tuple[str, int], set[str]] = {}
    gone = {fact.profile_id: fact.at for fact in reversed(history.facts) if is_alias(fact)}
    for (profile, at), names in history.members.items():
        if profile in history.people and at >= gone.get(profile, at + 1):
            continue  # what is left under a name that is another person's is nobody's
        expected.setdefault((history.people.get(profile, profile), at), set()).update(names)
    place = {person: i for i, person in enumerate(history.known)}
    asked = [(person, at) for person, at in expected if person in place]
    whose = np.array([place[person] for person, _ in asked], dtype=np.int64)
    instants = np.array([at for _, at in asked], dtype=np.int64)
    for name in SEGMENTS:
        told = history.found.segments[name].meet(whose, instants, instants).tolist()
        assert told == [name in expected[each] for each in asked], name
        assert 0 < sum(told) < len(told)


def test_whoever_met_a_variant_first_met_it_then(history: Lived) -> None:
    """Of two lives that became one, the earlier exposure; the time is that of the event that brought it."""
    first: dict[str, tuple[str, int]] = {}
    for fact in history.facts:
        if isinstance(fact, Exposed):
            at = history.occurred[fact.position] if fact.position else fact.at
            first.setdefault(history.people.get(fact.profile_id, fact.profile_id), (fact.variant, at))
    met = history.found.experiments[EXPERIMENT]
    found = {
        person: (met.arms[arm], at)
        for person, arm, at in zip(history.known, met.arm.tolist(), met.at.tolist(), strict=True)
        if at != NEVER
    }
    assert found == first
    assert {variant for variant, _ in found.values()} == {"none", "gift"}


@contextmanager
def small(path: Path) -> Iterator[Path]:
    """Live a morning of three people: one comes back and is busy, two meet the offer."""
    folder = Folder(path, catalogue())
    for n, (minute, who, name) in enumerate(
        [(0, "ann", "View"), (1, "ann", "View"), (2, "ann", "Cart"), (3, "bob", "View"), (4, "bob", "Cart"),
         (5, "cid", "View"), (60, "ann", "Buy")]
    ):  # fmt: skip
        folder.live([event(n, name, at=T0 + minute * MINUTE, user_id=who)], now=T0 + minute * MINUTE)
    ParquetLake(folder.lake_path).close()
    yield path
    folder.close()


def test_a_question_reads_the_facts_it_names_and_no_others(tmp_path: Path) -> None:
    """Others cost nothing."""
    with small(tmp_path) as data:
        asked = Graph(segment=("busy",), compare="variant:offer=gift:none")
        belonging = read_for(asked, Source(data=data), StepRules()).belonging
        assert belonging is not None
        assert (set(belonging.segments), set(belonging.experiments)) == ({"busy"}, {"offer"})
        assert read_for(Graph(), Source(data=data), StepRules()).belonging is None


def test_segments_are_listed_with_how_many_were_ever_in_them(tmp_path: Path) -> None:
    """By name: what filters offer."""
    with small(tmp_path) as data:
        found = {one.segment: one.people for one in list_segments(data).segments}
    assert found == {"busy": 1, "idle": 3}


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (Graph(segment=("bussy",)), "nobody was ever in a segment named 'bussy'; did you mean 'busy'?"),
        (Graph(variant=("ofer=gift",)), "nobody met an experiment named 'ofer'; did you mean 'offer'?"),
    ],
)
def test_a_name_that_no_fact_has_is_refused(tmp_path: Path, asked: Graph, message: str) -> None:
    """It is a slip, and would be an answer about nothing."""
    with small(tmp_path) as data, pytest.raises(ConfigError) as refused:
        read_for(asked, Source(data=data), StepRules())
    assert message in str(refused.value)


def test_files_are_refused_before_they_are_read() -> None:
    """They cannot tell, whatever is in them."""
    with pytest.raises(ConfigError, match="no-facts"):
        read_for(Graph(segment=("busy",)), Source(files=("nowhere.csv",)), StepRules())
