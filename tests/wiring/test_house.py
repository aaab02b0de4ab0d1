"""The house: opened to write by one, to read by any, and taken up where a crash left it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from sojourn.adapters.sqlite import SqliteLog, lock_folder
from sojourn.config import Config
from sojourn.definitions.planning import Request
from sojourn.model.errors import ConfigError
from sojourn.model.event import Event, FailedEvent
from sojourn.model.fact import SegmentEntered, SegmentLeft
from sojourn.wiring import House, open_house, open_readings
from sojourn.wiring.desk import Desk
from tests.engine.makers import MINUTE, T0, event

WELCOME = """
journey: welcome
entry: { on: Signed Up }
states: { STATE: { after: { 1d: done } }, done: {} }
"""


def settings(folder: Path, *, state: str = "waiting") -> Config:
    """Write one journey whose first state has this name; return the configuration."""
    journeys = folder / "journeys"
    journeys.mkdir(exist_ok=True)
    (journeys / "welcome.yaml").write_text(WELCOME.replace("STATE", state))
    return Config(data=folder / "data", journeys=[journeys])


def take(house: House, *events: Event, failed: Sequence[FailedEvent] = ()) -> None:
    """Take events in, as an import does."""
    with house.play() as player:
        player.append(events, failed)


def signed_up(who: str) -> Event:
    """Make an event that enters the journey."""
    return event("Signed Up", user_id=who, message_id=who)


def test_what_is_written_is_read_beside_the_writer(tmp_path: Path) -> None:
    """An operator asks while the server runs."""
    config = settings(tmp_path)
    refused = FailedEvent(source="web", received_at=T0, code="missing-id", reason="no id", message_id="m")
    with open_house(config) as house:
        take(house, signed_up("ann"), failed=[refused])
        with open_readings(config) as readings:
            assert readings.profile("ann") == house.profile("ann")
            assert readings.journeys() == house.journeys()
            assert readings.status() == house.status()
            assert [each.code for each in readings.failed()] == ["missing-id"]
            assert readings.dead() == []


def test_readers_do_not_stop_a_writer(tmp_path: Path) -> None:
    """Nor does a writer that comes later disturb them."""
    config = settings(tmp_path)
    with open_house(config):
        pass
    with open_readings(config) as readings, open_house(config) as house:
        take(house, signed_up("ann"))
        assert readings.log.end() == 3  # the publishing of what the folder says, the play, and ann's
    lock_folder(config.data).close()


def test_reading_changes_no_file_of_a_folder_at_rest(tmp_path: Path) -> None:
    """A backup is looked into before it is needed."""
    config = settings(tmp_path)
    with open_house(config) as house:
        take(house, signed_up("ann"))

    def contents() -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in config.data.rglob("*") if path.is_file()}

    before = contents()
    with open_readings(config) as readings:
        readings.profile("ann")
    assert contents() == before


def test_a_folder_in_which_nothing_is_says_so(tmp_path: Path) -> None:
    """And is not made by asking."""
    with (
        pytest.raises(ConfigError, match=r"no data is there yet.*\[no-data\]"),
        open_readings(settings(tmp_path)),
    ):
        pass
    assert not (tmp_path / "data").exists()


def test_what_a_crash_left_is_processed_under_the_definitions_it_was_acknowledged_under(
    tmp_path: Path,
) -> None:
    """An edit made meanwhile holds for who comes after it."""
    with open_house(settings(tmp_path)):
        pass
    log = SqliteLog(tmp_path / "data")
    log.append([signed_up("ann")], now=T0)  # and the process dies
    log.close()
    with open_house(settings(tmp_path, state="greeted")) as house:
        take(house, signed_up("bob"))
        ann, bob = house.profile("ann"), house.profile("bob")
    assert ann is not None
    assert bob is not None
    assert [ann.enrolments[0].state, bob.enrolments[0].state] == [["waiting"], ["greeted"]]


def test_people_inside_an_older_version_go_on_in_it_over_restarts(tmp_path: Path) -> None:
    """Versions are immutable; the file in the folder is only the newest."""
    with open_house(settings(tmp_path)) as house:
        take(house, signed_up("ann"))
    for state in ("greeted", "welcomed"):
        with open_house(settings(tmp_path, state=state)) as house:
            found = {view.version: (view.is_open, view.states) for view in house.journeys()}
    assert sorted(found.values(), key=str) == [(False, {"waiting": 1}), (True, {})]


def test_what_is_published_while_it_is_open_is_what_answers_are_about(tmp_path: Path) -> None:
    """A server is open for months."""
    with open_house(settings(tmp_path)) as house:
        take(house, signed_up("ann"))
        texts = [("b.yaml", WELCOME.replace("welcome", "bye").replace("STATE", "leaving"))]
        texts += [("s.yaml", "segments: { all: profile.first_seen_at > 0 }")]
        desk = Desk(house.driver, house.store)
        found = desk.plan(texts, Request(), is_whole=False)
        assert found.publishing is not None
        house.driver.bring(desk.publishing(found.publishing, now=T0))
        house.driver.finish_sweep()
        explained = house.explain("ann", "bye")
        assert explained is not None
        assert "not yet in force" in explained.hints[0]
        segment = house.segment("all", limit=10, tell=lambda _: None)
        assert segment is not None
        assert segment.n_members == 1


def test_what_a_crash_left_is_processed_under_the_segments_it_was_acknowledged_under(tmp_path: Path) -> None:
    """And who belongs to the new ones is told when the person is touched next."""
    config = settings(tmp_path)
    shared = tmp_path / "journeys" / "segments.yaml"
    shared.write_text("segments: { before: \"count('Signed Up') > 0\" }")
    with open_house(config):
        pass
    log = SqliteLog(tmp_path / "data")
    log.append([signed_up("ann")], now=T0)  # and the process dies
    log.close()
    shared.write_text("segments: { after: \"count('Signed Up') > 0\" }")
    with open_house(config) as house:
        take(house, event("Viewed", user_id="ann"))
        ann = house.profile("ann")
    assert ann is not None
    changes = [fact for fact in ann.timeline if isinstance(fact, SegmentEntered | SegmentLeft)]
    assert [(type(fact).__name__, fact.segment) for fact in changes] == [
        ("SegmentEntered", "before"),
        ("SegmentLeft", "before"),
        ("SegmentEntered", "after"),
    ]


def test_what_a_crash_left_is_processed_under_the_settings_it_was_acknowledged_under(tmp_path: Path) -> None:
    """The order of steps and the gap of sessions are in the log, as journeys are."""
    config = replace(settings(tmp_path), session_gap_ms=10 * MINUTE)
    with open_house(config):
        pass
    log = SqliteLog(tmp_path / "data")
    log.append([event("Viewed", user_id="ann", at=at) for at in (0, 20)], now=T0)  # and the process dies
    log.close()
    with open_house(replace(config, session_gap_ms=60 * MINUTE)) as house:
        take(house, *(event("Viewed", user_id="bob", at=at) for at in (0, 20)))
        ann, bob = house.profile("ann"), house.profile("bob")
    assert ann is not None
    assert bob is not None
    assert (len(ann.sessions), len(bob.sessions)) == (2, 1)


def test_a_version_that_this_release_refuses_is_left_out_aloud(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A stricter release must still open last year's folder."""
    config = settings(tmp_path)
    with open_house(config) as house:
        house.store.keep("definitions", b'{"current":["journey: gone"],"older":[]}')
    with open_house(config) as house:
        assert list(house.catalogue.journeys) == ["welcome"]
    told = [json.loads(line)["event"] for line in capsys.readouterr().err.splitlines()]
    assert "a journey of an earlier run is refused by this release" in told


def test_asking_imports_no_web_framework() -> None:
    """`sojourn status` answers at once; only a server needs HTTP."""
    program = "import sys, sojourn.wiring; print(*{'litestar', 'uvicorn'} & set(sys.modules))"
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == ""
