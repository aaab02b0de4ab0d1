"""Rehearsals over HTTP: the command line's report, one at a time, cancelled, bounded, gone with a server."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from sojourn.config import Config
from sojourn.model.errors import InputError, UnavailableError
from sojourn.server.asked import Definition
from sojourn.server.rehearsals import Rehearse
from sojourn.wiring import rehearsals
from sojourn.wiring.house import open_house
from sojourn.wiring.rehearsals import MAX_KEPT, MAX_WAITING, SCRATCH, Job, Rehearsals, rehearsed
from tests.engine.makers import T0, event
from tests.wiring.houses import WELCOME, serving, settle_in

WAIT_S = 60.0
LATER = WELCOME.replace("1d", "2d")


def drafts(text: str = LATER) -> list[Definition]:
    """Make what is rehearsed."""
    return [Definition(file="journeys/welcome.yaml", text=text)]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Return a data folder in which ten people signed up, four days ago."""
    (tmp_path / "journeys").mkdir()
    (tmp_path / "journeys/welcome.yaml").write_text(WELCOME)
    config = Config(data=tmp_path / "data", journeys=[tmp_path / "journeys"])
    with open_house(config) as house:
        events = [event("Signed Up", user_id=f"u{n}", at=n) for n in range(10)]
        events += [event("Looked", user_id="u0", at=4 * 24 * 60)]
        for one in events:
            house.driver.take(house.log.append([one], now=one.occurred_at).entries)
    return tmp_path / "data"


def on(data: Path, work: Callable[[Rehearsals], Awaitable[None]], **limits: Any) -> None:
    """Work with the rehearsals of a folder, and let them go."""

    async def run() -> None:
        made = Rehearsals(Config(data=data), now=lambda: T0, **limits)
        try:
            await work(made)
        finally:
            await made.stop()

    asyncio.run(run())


async def ended(made: Rehearsals, name: str) -> Any:
    """Wait until one has ended."""
    deadline = time.monotonic() + WAIT_S
    while (view := made.rehearsal(name)).state in ("waiting", "running"):
        assert time.monotonic() < deadline, view
        await asyncio.sleep(0.02)
    return view


def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the process that rehearses do nothing for a minute."""
    program = (sys.executable, "-c", "import sys, time; sys.stdin.readline(); time.sleep(60)")
    monkeypatch.setattr(rehearsals.child, "module", lambda _: program)


def test_a_replay_is_what_the_command_line_says_with_states_and_ways(data: Path) -> None:
    """Both sides, by the ids of the chart."""

    async def work(made: Rehearsals) -> None:
        asked = Rehearse(kind="replay", definitions=drafts())
        view = await ended(made, (await made.start(asked)).id)
        assert (view.state, view.progress, view.error) == ("done", 1.0, "")
        (journey,) = view.report["journeys"]
        both = [(journey[side]["states"], journey[side]["ways"]) for side in ("draft", "published")]
        assert both == [
            (
                {"done": 10, "waiting": 10},
                {">>entry": 10, f"waiting>done>after(waiting,{days * 86_400_000})": 10},
            )
            for days in (2, 1)
        ]

    on(data, work)


def test_nothing_is_written_but_scratch_and_that_is_gone(data: Path) -> None:
    """The folder may be a server's: it is read beside it."""
    before = {
        path: path.stat().st_mtime_ns for path in data.rglob("*") if path.suffix not in (".db-shm", ".db-wal")
    }

    async def work(made: Rehearsals) -> None:
        view = await ended(made, (await made.start(Rehearse(kind="replay", definitions=drafts()))).id)
        assert view.state == "done"

    on(data, work)
    after = {
        path: path.stat().st_mtime_ns for path in data.rglob("*") if path.suffix not in (".db-shm", ".db-wal")
    }
    assert after.keys() == before.keys()
    assert [path.name for path in data.iterdir() if SCRATCH in path.name] == []


def test_a_simulation_says_the_same_of_the_same_seed(data: Path, tmp_path: Path) -> None:
    """And as much as asked for."""
    asked = Rehearse(kind="simulate", definitions=drafts(), n_people=40, days=5, seed=7)
    job = Job(data=str(data), steps=[], session_gap_ms=1_800_000, asked=asked, now=T0)
    found = []
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        found.append(rehearsed(job, tmp_path / name, lambda *_: None))
    assert found[0] == found[1]
    assert msgspec.json.decode(found[0])["groups"] == 40


def test_a_draft_that_is_wrong_fails_by_its_own_name(data: Path) -> None:
    """Not by where it was written down for the process."""

    async def work(made: Rehearsals) -> None:
        asked = Rehearse(kind="replay", definitions=drafts("journey: welcome\n"))
        view = await ended(made, (await made.start(asked)).id)
        assert (view.state, view.code) == ("failed", "bad-definition")
        assert view.error.startswith("journeys/welcome.yaml:1:1: ")

    on(data, work)


def test_where_nothing_happened_there_is_nothing_to_replay(tmp_path: Path) -> None:
    """And it says so."""

    async def work(made: Rehearsals) -> None:
        view = await ended(made, (await made.start(Rehearse(kind="replay", definitions=drafts()))).id)
        assert view.state == "failed"
        assert "no data is there yet" in view.error

    on(tmp_path, work)


def test_one_runs_at_a_time_and_so_many_wait(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks more is told to come again."""
    slow(monkeypatch)

    async def work(made: Rehearsals) -> None:
        asked = Rehearse(kind="replay", definitions=drafts())
        first = await made.start(asked)
        await asyncio.sleep(0.05)
        others = [await made.start(asked) for _ in range(MAX_WAITING)]
        assert [first.state, *(one.state for one in others)] == ["running", *["waiting"] * MAX_WAITING]
        with pytest.raises(UnavailableError):
            await made.start(asked)

    on(data, work)


def test_what_is_cancelled_is_ended_at_once_and_the_next_one_begins(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that waits never begins; what has ended stays as it is."""
    slow(monkeypatch)

    async def work(made: Rehearsals) -> None:
        asked = Rehearse(kind="replay", definitions=drafts())
        first, second, third = [await made.start(asked) for _ in range(3)]
        await asyncio.sleep(0.1)
        process = made._process
        assert process is not None
        await made.cancel(second.id)
        began = time.monotonic()
        assert (await made.cancel(first.id)).state == "cancelled"
        await asyncio.sleep(0.1)
        assert time.monotonic() - began < 5
        assert process.returncode is not None
        assert (second.state, third.state) == ("cancelled", "running")
        assert (await made.cancel(first.id)).ended_at == first.ended_at

    on(data, work)


def test_what_is_cancelled_while_it_waits_takes_no_place(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever cancels one may ask for another, however long the one that runs takes."""
    slow(monkeypatch)

    async def work(made: Rehearsals) -> None:
        asked = Rehearse(kind="replay", definitions=drafts())
        await made.start(asked)
        await asyncio.sleep(0.05)
        others = [await made.start(asked) for _ in range(MAX_WAITING)]
        await made.cancel(others[3].id)
        assert (await made.start(asked)).state == "waiting"

    on(data, work)


def test_what_takes_too_long_is_ended_and_says_so(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bound with a name."""
    slow(monkeypatch)

    async def work(made: Rehearsals) -> None:
        view = await ended(made, (await made.start(Rehearse(kind="replay", definitions=drafts()))).id)
        assert (view.state, view.code) == ("failed", "too-slow")

    on(data, work, time_limit_s=0.2)


def test_a_process_that_dies_is_told_of_and_the_next_one_runs(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where memory runs out."""

    async def work(made: Rehearsals) -> None:
        asked = Rehearse(kind="simulate", definitions=drafts(), n_people=5, days=2)
        with monkeypatch.context() as patch:
            patch.setattr(
                rehearsals.child, "module", lambda _: (sys.executable, "-c", "import os; os._exit(9)")
            )
            view = await ended(made, (await made.start(asked)).id)
        assert (view.state, view.code) == ("failed", "no-answer")
        assert (await ended(made, (await made.start(asked)).id)).state == "done"

    on(data, work)


@pytest.mark.parametrize(
    "asked",
    [
        {"kind": "replay", "last": "7d", "from": 1},
        {"kind": "replay", "from": 2, "to": 2},
        {"kind": "simulate", "last": "7d"},
    ],
)
def test_what_cannot_be_meant_is_refused(data: Path, asked: dict[str, Any]) -> None:
    """Before anything is put into the queue."""
    wanted = msgspec.convert({**asked, "definitions": [{"file": "a", "text": ""}]}, Rehearse)

    async def work(made: Rehearsals) -> None:
        with pytest.raises(InputError):
            await made.start(wanted)
        assert made.rehearsals() == []

    on(data, work)


def test_the_last_ones_are_remembered(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without their reports where they are listed, and no more than so many."""
    monkeypatch.setattr(rehearsals.child, "module", lambda _: ("true",))

    async def work(made: Rehearsals) -> None:
        asked = Rehearse(kind="replay", definitions=drafts())
        for _ in range(MAX_KEPT + 3):
            last = await made.start(asked)
            await ended(made, last.id)
        kept = made.rehearsals()
        assert (len(kept), kept[0].id) == (MAX_KEPT, last.id)
        with pytest.raises(InputError):
            made.rehearsal("r0-0")

    on(data, work)


def test_a_server_rehearses_over_its_own_log_and_ends_what_runs_when_it_stops(tmp_path: Path) -> None:
    """By HTTP, with the process gone afterwards."""
    with serving(settle_in(tmp_path)) as house:
        house.ask("/v1/track", {"event": "Signed Up", "userId": "ann", "messageId": "1"})
        body = {"kind": "replay", "last": "7d", "definitions": [{"file": "a.yaml", "text": LATER}]}
        status, view = house.ask("/api/v1/rehearsals", body, **{"Content-Type": "application/json"})
        assert (status, view["state"]) == (200, "waiting")
        deadline = time.monotonic() + WAIT_S
        while view["state"] in ("waiting", "running"):
            assert time.monotonic() < deadline, view
            time.sleep(0.05)
            _, view = house.ask(f"/api/v1/rehearsals/{view['id']}")
        assert (view["state"], view["report"]["people"]) == ("done", 1)
        body = {"kind": "simulate", "n_people": 100_000, "days": 365, "definitions": body["definitions"]}
        _, view = house.ask("/api/v1/rehearsals", body, **{"Content-Type": "application/json"})
        while not (running := _children(house.process.pid, "wiring.rehearsals")):
            assert time.monotonic() < deadline, view
            time.sleep(0.05)
        house.signal()
        assert house.end() == 0
        assert [pid for pid in running if Path(f"/proc/{pid}").exists()] == []
    assert not (tmp_path / "data" / SCRATCH).exists()


def _children(pid: int, name: str) -> list[str]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [one for one in children if name.encode() in Path(f"/proc/{one}/cmdline").read_bytes()]
