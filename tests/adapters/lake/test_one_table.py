"""One table: files and what came since are what all facts in memory say, at every moment."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from sojourn.adapters.lake import ParquetLake
from sojourn.definitions.journey import Catalogue
from sojourn.engine import identity
from sojourn.engine.state import Life, decode
from sojourn.model.event import Event
from tests.adapters.lake.folders import T0, Folder, event, read_all, rows
from tests.adapters.lake.naive import naive
from tests.laws.catalogues import rich_catalogue, rich_history
from tests.laws.histories import catalogue, history
from tests.soak import tries

N_EVENTS = 80
MINUTE = 60_000


def check(folder: Folder, *, what: str = "") -> None:
    """Compare every table with the naive ones."""
    with folder.reading() as reading:
        found = read_all(reading)
    for name, expected in naive(folder.entries(), folder.facts()).items():
        assert found[name] == expected, f"{what} {name}"


def live_at_random(path: Path, seed: int, *, n_events: int) -> Folder:
    """Live a random history, and look at the lake at every moment."""
    random = Random(seed)
    folder = Folder(path, rich_catalogue())
    lake = ParquetLake(folder.lake_path)
    waiting = rich_history(random, n_events=n_events)
    lived: list[Event] = []
    while waiting:
        match random.choice(("live", "live", "live", "wait", "flush", "flush", "compact", "restart")):
            case "live":
                n = random.randrange(1, 20)
                batch, waiting = waiting[:n], waiting[n:]
                again = random.sample(lived, min(len(lived), random.randrange(3)))  # duplicates: refused
                lived += [entry.event for entry in batch]
                events = [entry.event for entry in batch] + again
                is_played = random.random() < 0.2
                folder.live(events, now=batch[-1].at, play=is_played, shadow=random.random() < 0.2)
            case "wait":
                folder.wait(folder.store.progress().clock + random.choice((1, MINUTE, 120 * MINUTE)))
            case "flush":
                folder.flush(lake, n_events=random.choice((1, 3, 10, 1_000)))
            case "compact":
                while lake.compact(is_final=random.random() < 0.5):
                    pass
            case "restart":
                lake.close()
                lake = ParquetLake(folder.lake_path)
        check(folder, what=f"seed {seed}:")
    lake.close()
    return folder


@pytest.mark.parametrize("seed", range(tries(1)))
def test_a_reader_sees_what_all_facts_say_at_every_moment(tmp_path: Path, seed: int) -> None:
    """Late events, duplicates and merges of people, before and after flush, compaction and restart."""
    live_at_random(tmp_path, seed, n_events=N_EVENTS).close()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 100 + tries(4)))
def test_a_reader_sees_what_all_facts_say_over_many_histories(tmp_path: Path, seed: int) -> None:
    """Rare meetings need many tries."""
    live_at_random(tmp_path, seed, n_events=200).close()


@pytest.mark.parametrize("seed", range(20, 20 + tries(3)))
def test_visits_are_what_the_engine_itself_holds(tmp_path: Path, seed: int) -> None:
    """The naive tables read the same facts; the engine's states are another witness."""
    folder = Folder(tmp_path, catalogue())
    for entry in history(Random(seed), n_events=150, is_one_user_per_device=True):
        folder.live([entry.event], now=entry.at)
    held = set()
    for user in folder.store.keys("profile"):
        life = decode("profile", folder.store.load([("profile", user)])["profile", user].state)
        assert isinstance(life, Life)
        held |= {
            (f"u:{user}", session.id, session.started_at, session.channel or None)
            for session in life.sessions
            if not session.client_id  # the engine forgets one after a day, and begins it anew
        }
    with folder.reading() as reading:
        found = set(rows(reading, "sessions", "person_id, session_id, started_at, channel"))
    assert held <= found
    assert len(held) > 5
    folder.close()


def identified(folder: Folder) -> dict[str, str]:
    """Return whose each step is, by the event's id."""
    with folder.reading() as reading:
        found = reading.connection.sql(
            "SELECT message_id, s.person_id FROM steps s JOIN events USING (position)"
        ).fetchall()
    return dict(found)


def test_what_was_lived_before_a_name_is_that_persons_and_what_comes_after_sharing_is_nobodys(
    tmp_path: Path,
) -> None:
    """A kiosk: the first who signs in takes its past; once it is shared, it lives for itself."""
    folder = Folder(tmp_path, Catalogue(journeys={}))
    device = {"anonymous_id": "kiosk"}
    folder.live([event(1, at=T0, **device)], now=T0)
    for n in range(2, 9):
        folder.live([event(n, at=T0 + n, **device, user_id=f"u{n}")], now=T0 + n)
    folder.live([event(9, at=T0 + 9, **device)], now=T0 + 9)

    assert identified(folder)["m1"] == "u:u2"
    assert identified(folder)["m9"] == "a:kiosk"
    check(folder)
    folder.close()


def test_nobody_takes_a_life_that_a_full_profile_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The engine let it go: whoever names the device later must not inherit it by a join."""
    monkeypatch.setattr(identity, "MAX_IDS", 1)
    folder = Folder(tmp_path, Catalogue(journeys={}))
    folder.live([event(1, anonymous_id="d1", user_id="full")], now=T0)
    folder.live([event(2, anonymous_id="d2")], now=T0 + 1)
    folder.live([event(3, anonymous_id="d2", user_id="full")], now=T0 + 2)
    folder.live([event(4, anonymous_id="d2", user_id="other")], now=T0 + 3)

    assert identified(folder) == {"m1": "u:full", "m2": "a:d2", "m3": "u:full", "m4": "u:other"}
    check(folder)
    folder.close()


def test_an_alias_joins_two_people_until_it_is_taken_back(tmp_path: Path) -> None:
    """The engine keeps two pasts, so that an alias can be undone; who reads sees one person meanwhile."""
    folder = Folder(tmp_path, Catalogue(journeys={}))
    folder.live([event(1, user_id="old"), event(2, user_id="new")], now=T0)
    folder.live([event(3, "$alias", previous_id="old", user_id="new")], now=T0 + 1)
    assert set(identified(folder).values()) == {"u:new"}

    undo = {"undo": True}
    folder.live([event(4, "$alias", previous_id="old", user_id="new", properties=undo)], now=T0 + 2)
    assert identified(folder) == {"m1": "u:old", "m2": "u:new"}
    check(folder)
    folder.close()


def test_aliases_in_a_circle_make_one_person(tmp_path: Path) -> None:
    """It is said, so it is believed; the name is the same on every reading."""
    folder = Folder(tmp_path, Catalogue(journeys={}))
    folder.live([event(n, user_id=f"u{n}") for n in range(4)], now=T0)
    pairs = ((0, 1), (1, 2), (2, 3), (3, 1))
    said = [
        event(9 + n, "$alias", previous_id=f"u{old}", user_id=f"u{new}") for n, (old, new) in enumerate(pairs)
    ]
    folder.live(said, now=T0 + 1)

    assert set(identified(folder).values()) == {"u:u1"}
    check(folder)
    folder.close()


def test_a_visit_that_a_late_event_bridged_is_one_visit(tmp_path: Path) -> None:
    """Steps written under either name are its steps, in the files as in the tail."""
    folder = Folder(tmp_path, Catalogue(journeys={}))
    lake = ParquetLake(folder.lake_path)
    for n, minutes in ((1, 30), (2, 80)):
        folder.live([event(n, f"step {n}", at=T0 + minutes * MINUTE)], now=T0 + 90 * MINUTE)
    folder.flush(lake)
    folder.live([event(3, "late", at=T0 + 55 * MINUTE)], now=T0 + 91 * MINUTE)
    folder.live([event(4, "earlier", at=T0 + 25 * MINUTE)], now=T0 + 92 * MINUTE)

    with folder.reading() as reading:
        columns = "started_at, ended_at, n_steps, first_step, last_step"
        assert rows(reading, "sessions", columns) == [
            (T0 + 25 * MINUTE, T0 + 80 * MINUTE, 4, "earlier", "step 2")
        ]
        assert len(rows(reading, "steps", "DISTINCT session_id")) == 1
    check(folder)
    lake.close()
    folder.close()


def test_of_two_events_at_one_instant_the_one_that_began_the_visit_says_how_the_person_came(
    tmp_path: Path,
) -> None:
    """The engine breaks ties by the message's id; the visit's channel is that event's."""
    folder = Folder(tmp_path, Catalogue(journeys={}))
    campaign = {"campaign": {"source": "newsletter", "medium": "email"}}
    folder.live([event(2, at=T0)], now=T0)
    folder.live([event(1, at=T0, context=campaign)], now=T0 + 1)

    with folder.reading() as reading:
        assert [one for (one,) in rows(reading, "sessions", "channel")] == ["email"]
    check(folder)
    folder.close()
