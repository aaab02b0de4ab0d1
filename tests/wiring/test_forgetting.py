"""Forgetting, in a folder: no byte of a person is left in any file, and everybody else is as they were."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from hashlib import blake2b
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import msgspec
import pytest
from msgspec import Raw
from structlog.testing import capture_logs

from sojourn.adapters.memory import MemoryLog, MemoryStore
from sojourn.config import Config
from sojourn.definitions.publishing import InForce, catalogue_of
from sojourn.model.errors import InputError
from sojourn.model.event import Event, FailedEvent
from sojourn.model.views import ForgottenView
from sojourn.runtime.driver import Driver
from sojourn.runtime.forgotten import Waiting
from sojourn.runtime.live import Live
from sojourn.runtime.tallies import Tallies
from sojourn.server.forgetting import Forget
from sojourn.server.metrics import Metrics
from sojourn.wiring import House, open_house, open_readings
from sojourn.wiring import forgetting as forgetting_module
from sojourn.wiring.erasing import Erasing
from sojourn.wiring.forgetting import Clerk, Forgetters, forget_in
from sojourn.wiring.lake import compact, erase_lake, open_lake
from sojourn.wiring.trafficside import IdleTraffic
from tests.engine.makers import MINUTE, T0, event

MARK = "markedperson"
"""Stands in every id and value of the person who goes."""

WELCOME = """
journey: welcome
entry: { on: Signed Up }
holdout: off
states:
  told:
    do: [ { webhook: crm, body: { name: "{{ trait.name }}" } } ]
    after: { 1d: done }
  done: {}
"""


def settings(folder: Path) -> Config:
    """Write a journey that greets; return the configuration."""
    journeys = folder / "journeys"
    journeys.mkdir(exist_ok=True)
    (journeys / "welcome.yaml").write_text(WELCOME)
    return Config(data=folder / "data", journeys=[journeys])


def raw(**fields: Any) -> Raw:
    return Raw(msgspec.json.encode(fields))


def lives(name: str, random: Random, *, n_events: int) -> list[Event]:
    """Make somebody's events: a device that is named later, visits, a journey."""
    device, events = f"{name}-phone", []
    for n in range(n_events):
        step = random.choice(("Viewed", "Viewed", "Searched", "Signed Up", "Order Completed"))
        known = {"user_id": name} if n > n_events // 3 else {}
        at = T0 + n * random.choice((1, 3, 50)) * MINUTE
        fields = {"anonymous_id": device, **known, "message_id": f"{name}-{n}", "occurred_at": at}
        if n == n_events // 3 + 1:
            traits = raw(name=f"{name} of {name}", email=f"{name}@example.org")
            events.append(event("$identify", kind="identify", traits=traits, **fields))
        else:
            properties = raw(
                note=f"{name} was here", address=f"{name} street", pad="x" * random.randrange(900)
            )
            events.append(
                event(step, properties=properties, context=raw(page={"path": f"/{name}"}), **fields)
            )
    return events


def fill(house: House, *, n_people: int = 12, n_events: int = 40) -> None:
    """Let people live, one of whom will be forgotten, their events among one another's."""
    random = Random(7)
    names = [MARK, *(f"person{n}" for n in range(n_people))]
    several = [lives(name, random, n_events=n_events) for name in names]
    bad = b'{"type":"track","userId":"%s","event":1}' % MARK.encode()
    failed = FailedEvent(
        source="web", received_at=T0, code="bad-type", reason="x", body=bad, message_id=f"{MARK}-bad"
    )
    other = msgspec.structs.replace(failed, body=b'{"userId":"person1"}', message_id="other")
    for n in range(n_events):
        batch = [events[n] for events in several]
        failures = [failed, other] if n == 3 else []
        house.driver.log.append(batch, now=T0 + n * MINUTE, failed=failures)
        house.driver.catch_up()
    back = [event(name, user_id=MARK, message_id=f"{MARK}-{name}") for name in ("Viewed", "Searched")]
    house.driver.log.append(back, now=T0 + 9_999 * MINUTE)
    house.driver.catch_up()


def traces(folder: Path) -> list[str]:
    """Return every file in which a byte of the person is."""
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_file() and MARK.encode() in path.read_bytes():
            found.append(str(path.relative_to(folder)))
        if path.suffix == ".parquet" and path.exists():  # its columns are compressed
            rows = duckdb.sql(f"SELECT * FROM read_parquet('{path}', hive_partitioning = false)").fetchall()
            if MARK in str(rows):
                found.append(f"{path.relative_to(folder)}, unpacked")
    return found


def others(data: Path) -> Any:
    """Return what others did: every row of every table that is not the person's, and the journey graph's."""
    with open_lake(data) as reading:
        return {
            name: reading.connection.execute(
                f"SELECT * FROM {name} WHERE person_id IS NOT NULL AND person_id <> 'u:{MARK}' ORDER BY ALL"
            ).fetchall()
            for name in ("steps", "sessions", "enrolments", "people", "actions", "identity_changes")
        }


def test_no_byte_of_somebody_is_left(tmp_path: Path) -> None:
    """In no file of the folder, compressed or not; and everybody else's rows are what they were."""
    config = settings(tmp_path)
    with open_house(config) as house:
        fill(house)
    compact(config, now=lambda: T0)
    before = others(config.data)
    assert len(traces(config.data)) > 5
    with open_house(config) as house:
        assert house.store.counts()["outbox"] > 0
        view = forget(config, house)
        assert view.done is not None
        assert view.done.stage == "done"
        assert view.done.n_events == 42
        assert view.done.n_failed == 1
        assert view.done.n_withheld > 0
        assert view.done.n_files > 0
        assert view.ids == [MARK, f"{MARK}-phone"]
        assert traces(config.data) == []
        assert house.profile(MARK) is None
        assert [each.body for each in house.failed()] == [b'{"userId":"person1"}']
        again = forget(config, house)
        assert (again.request_id, again.ids) == (None, [])
        assert replayed(house) == kept(house)
    assert others(config.data) == before
    assert traces(config.data) == []


def test_late_events_begin_a_new_life_and_stay(tmp_path: Path) -> None:
    """A stranger with the same id; a second forgetting takes that life alone."""
    config = settings(tmp_path)
    with open_house(config) as house:
        fill(house, n_people=3, n_events=12)
        forget(config, house)
        late = event("Signed Up", user_id=MARK, message_id=f"{MARK}-late", occurred_at=T0)
        house.driver.log.append([late], now=T0 + 20_000 * MINUTE)
        house.driver.catch_up()
        profile = house.profile(MARK)
        assert profile is not None
        assert profile.n_events == 1
        assert profile.traits == {}
        assert replayed(house) == kept(house)
    compact(config, now=lambda: T0)
    with open_house(config) as house:
        assert forget(config, house).n_events == 1
        assert traces(config.data) == []
        assert [row.n_events for row in house.driver.forgotten.ledger] == [14, 1]


def test_an_event_sent_again_is_still_a_duplicate(tmp_path: Path) -> None:
    """Its mark stays where its bytes were."""
    config = settings(tmp_path)
    with open_house(config) as house:
        fill(house, n_people=1, n_events=6)
        forget(config, house)
        again = event("Signed Up", user_id=MARK, message_id=f"{MARK}-Viewed", occurred_at=T0)
        assert house.driver.log.append([again], now=T0 + 9_999 * MINUTE).entries == []


def test_it_is_confirmed_and_its_reason_names_nobody(tmp_path: Path) -> None:
    """There is no way back, and the ledger is kept."""
    config = settings(tmp_path)
    with open_house(config) as house:
        fill(house, n_people=1, n_events=12)
        with pytest.raises(InputError, match="confirm"):
            forget_in(config, house, MARK, Forget(confirm="somebody else"))
        with pytest.raises(InputError, match="reason"):
            forget_in(config, house, MARK, Forget(confirm=MARK, reason=f"{MARK} asked"))
        shown = forget_in(config, house, MARK, Forget(dry_run=True))
        assert shown.request_id is None
        assert shown.n_journeys <= 1
        assert house.profile(MARK) is not None


@pytest.mark.parametrize(
    ("user", "body"),
    [
        ("jürgen", rb'{"userId":"j\u00fcrgen","event":1}'),
        ("jürgen", rb'{"userId":"j\u00FCrgen","event":"cut off he'),
        ("a/7", rb'{"userId":"a\/7","event":1}'),
        ("ada", b'{"userId":" ada ","event":1}'),
        ("ada", b'{"userId":" ada ","event":"cut off he'),
        ("4711", b'{"userId":4711,"event":1}'),
        ("4711", b'{"event":1,"userId": 4711.0}'),
        ("4711", b'{"userId": 4711, "event":"cut off he'),
    ],
)
def test_a_failed_event_goes_however_its_sender_wrote_the_id(tmp_path: Path, user: str, body: bytes) -> None:
    """Python escapes letters, PHP slashes; an id may be a number, or have blanks around it, at the door."""
    config = settings(tmp_path)
    other = b'{"userId":"somebody","event":47110,"note":"ada a/7 \\u00fc"}'
    with open_house(config) as house:
        found = [
            FailedEvent(source="web", received_at=T0, code="bad-type", reason="x", body=each)
            for each in (body, other)
        ]
        house.driver.log.append([event("Viewed", user_id=user, message_id="1")], now=T0, failed=found)
        house.driver.catch_up()
        assert forget_in(config, house, user, Forget(dry_run=True)).n_failed == 1
        forget_in(config, house, user, Forget(confirm=user))
        assert [each.body for each in house.failed()] == [other]


def test_what_a_destination_said_of_somebody_goes(tmp_path: Path) -> None:
    """An address in the text of its last error; the counts of what it did stay."""
    config = settings(tmp_path)
    book = {"crm": {"delivered": 3, "last_error": f"550 no {MARK}@example.org here", "last_error_at": T0}}
    with open_house(config) as house:
        fill(house, n_people=1, n_events=12)
        house.store.keep("sinks", msgspec.json.encode(book))
        forget(config, house)
        assert traces(config.data) == []
        kept_book = msgspec.json.decode(house.store.kept("sinks") or b"")["crm"]
        assert (kept_book["delivered"], kept_book["last_error_at"]) == (3, T0)
        assert kept_book["last_error"] != ""


def test_a_key_that_a_crash_left_empty_hashes_nothing(tmp_path: Path) -> None:
    """Whoever guesses an id could test it against the ledger."""
    config = settings(tmp_path)
    config.data.mkdir()
    (config.data / "forget.key").touch()
    with open_house(config) as house:
        fill(house, n_people=1, n_events=6)
        row = forget(config, house).done
    assert row is not None
    assert blake2b(MARK.encode(), digest_size=16).hexdigest() not in row.hashes
    assert len((config.data / "forget.key").read_bytes()) == 32


def test_what_would_go_is_counted_beforehand_and_stays(tmp_path: Path) -> None:
    """Facts and actions, too; what is forgotten then is what was counted, and the ends of their journeys."""
    config = settings(tmp_path)
    with open_house(config) as house:
        fill(house)
        before = kept(house)
        shown = forget_in(config, house, MARK, Forget(dry_run=True))
        assert (shown.request_id, shown.ids, shown.n_failed) == (None, [MARK, f"{MARK}-phone"], 1)
        assert shown.n_facts > 10
        assert shown.n_actions > 0
        assert kept(house) == before
        done = forget(config, house).done
        assert done is not None
        assert (done.n_facts, done.n_withheld) == (shown.n_facts + shown.n_journeys, shown.n_actions)


def forget(config: Config, house: House) -> ForgottenView:
    return forget_in(config, house, MARK, Forget(confirm=MARK, reason="ticket 7"))


def kept(house: House) -> Any:
    """Lay out what the store has of everybody: states, facts, counts."""
    return laid_out(house.store)


def replayed(house: House) -> Any:
    """Replay the log into an empty store."""
    store = MemoryStore()
    first = InForce()
    driver = Driver(MemoryLog(), store, catalogue_of(first)[0], in_force=first)
    driver.take(house.log.read(0, 1 << 40))
    driver.settle([], until=house.driver.clock)
    driver.finish_sweep()
    return laid_out(store)


def laid_out(store: Any) -> Any:
    facts = sorted(msgspec.json.encode(fact) for _, group in store.facts_after(0, 1 << 30) for fact in group)
    keys = [(stage, key) for stage in ("identity", "alias", "profile") for key in store.keys(stage)]
    states = {key: one.state for key, one in store.load(keys).items()}
    tallies = Tallies(store)
    return facts, states, tallies._tallies


class Killed(BaseException):
    """The process is no more."""


class Fate:
    """Ends the work at its n-th step."""

    def __init__(self, n_steps: int) -> None:
        self.n_left = n_steps

    def step(self) -> None:
        self.n_left -= 1
        if self.n_left == 0:
            raise Killed


def erase(config: Config, house: House, fate: Fate) -> None:
    """Carry out what waits, as a start does."""

    def tell(change: Callable[[], None]) -> None:
        fate.step()
        change()
        house.driver.settle((), until=house.driver.clock)
        fate.step()

    def lake() -> None:
        fate.step()
        erase_lake(config.data)
        fate.step()

    traffic = IdleTraffic(config.data)
    erasing = Erasing(config.data, house, tell=tell, lake=lake, traffic=traffic, check=fate.step, rest=0)
    erasing.clean_up()
    for waiting in list(house.driver.forgotten.waiting):
        erasing.erase(waiting)


def test_one_under_way_shows_in_the_status(tmp_path: Path) -> None:
    """Since when, and what is done; to whoever reads the folder as well, and no more once it is done."""
    config = settings(tmp_path)
    with open_house(config) as house:
        fill(house, n_people=2, n_events=20)
    compact(config, now=lambda: T0)
    with open_house(config) as house:
        assert house.status().forgetting == []
        clerk, asked = Clerk(config.data, house), Forget(confirm=MARK)
        kin, _ = clerk.look(MARK, asked)
        house.driver.bring(clerk.control(kin, asked, by="me", now=house.driver.clock))
        (row,) = house.status().forgetting
        assert (row.stage, row.at, row.n_events) == ("waiting", house.driver.clock, 0)
        (waiting,) = house.driver.forgotten.waiting

        def die() -> None:
            raise Killed

        with pytest.raises(Killed):
            erasing(config, house, lake=die).erase(waiting)
        with open_readings(config) as readings:
            (row,) = readings.status().forgetting
        assert (row.stage, row.n_events, row.n_failed, row.n_files) == ("lake", 22, 1, 0)
        assert row.n_facts > 0
        erasing(config, house, lake=lambda: erase_lake(config.data)).erase(waiting)
        assert house.status().forgetting == []
        assert house.driver.forgotten.ledger[0].n_failed == 1


def test_a_reader_in_the_way_has_nothing_cleaned_twice(tmp_path: Path) -> None:
    """A table of states is written anew as a whole: not again and again while somebody reads the log."""
    config, seen = settings(tmp_path), []
    with open_house(config) as house, closing(sqlite3.connect(config.data / "log.db")) as reader:
        fill(house, n_people=1, n_events=6)
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM blocks").fetchone()

        def check() -> None:
            seen.append((config.data / "states.db").stat().st_mtime_ns)
            if len(seen) == 2:
                reader.rollback()

        work = erasing(config, house, lake=lambda: None)
        work._check = check
        house.driver.log.append([event("Viewed", user_id="ann", message_id="w")], now=T0 + 1)
        work.clean()
    assert len(seen) == 2
    assert len(set(seen)) == 1


def test_an_erasing_that_fails_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that was full must not leave somebody half erased until the next start."""
    config, fails = settings(tmp_path), [OSError("no space left")]
    monkeypatch.setattr(forgetting_module, "RETRY_S", 0.0)

    class Failing(Erasing):
        def erase(self, waiting: Waiting) -> None:
            if fails:
                raise fails.pop()
            super().erase(waiting)

    monkeypatch.setattr(forgetting_module, "Erasing", Failing)

    async def story(house: House) -> list[str]:
        live = Live(
            house.driver, now=lambda: house.driver.clock, observer=Metrics(), on_actions=lambda _: None
        )
        erased = asyncio.Event()

        async def bring(event: Event) -> None:
            await live.tell([event])
            await live.processed(live.appended)

        traffic = IdleTraffic(config.data)
        made = Forgetters(config, house, live, bring=bring, traffic=traffic, on_erased=erased.set)
        tasks = [asyncio.create_task(live.run()), asyncio.create_task(made.run())]
        await made.forget(MARK, Forget(confirm=MARK), by="me")
        await asyncio.wait_for(erased.wait(), 30)
        made.stop()
        live.close()
        await asyncio.gather(*tasks)
        return [row.stage for row in made.forgotten()]

    with open_house(config) as house:
        fill(house, n_people=1, n_events=6)
        with capture_logs() as logs:
            assert asyncio.run(story(house)) == ["done"]
    assert [line["event"] for line in logs if line["log_level"] == "error"] == ["erasing failed"]


def erasing(config: Config, house: House, *, lake: Callable[[], None]) -> Erasing:
    """Erase in a folder that nobody serves."""

    def tell(change: Callable[[], None]) -> None:
        change()
        house.driver.settle((), until=house.driver.clock)

    traffic = IdleTraffic(config.data)
    return Erasing(config.data, house, tell=tell, lake=lake, traffic=traffic, check=lambda: None, rest=0)


def test_a_crash_at_any_step_is_taken_up_by_the_next_start(tmp_path: Path) -> None:
    """Nothing is left then, and live is replay: counts, too."""
    config = settings(tmp_path)
    with open_house(config) as house:
        fill(house, n_people=2, n_events=20)
    compact(config, now=lambda: T0)
    shutil.copytree(config.data, tmp_path / "before")
    n_steps, has_died = 1, True
    while has_died:
        shutil.rmtree(config.data)
        shutil.copytree(tmp_path / "before", config.data)
        with open_house(config) as house:
            clerk = Clerk(config.data, house)
            asked = Forget(confirm=MARK)
            kin, _ = clerk.look(MARK, asked)
            house.driver.bring(clerk.control(kin, asked, by="me", now=house.driver.clock))
            try:
                erase(config, house, Fate(n_steps))
                has_died = False
            except Killed:
                pass
        with open_house(config) as house:
            erase(config, house, Fate(0))
            assert traces(config.data) == [], f"died at step {n_steps}"
            assert replayed(house) == kept(house), f"died at step {n_steps}"
            (row,) = house.driver.forgotten.ledger
            assert (row.stage, row.n_events) == ("done", 22)
        n_steps += 9
    assert n_steps > 9
