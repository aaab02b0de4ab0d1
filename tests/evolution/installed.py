"""Installed: the data folder of one machine as a release left it, in the middle of a history.

`python -m tests.evolution.installed FOLDER` writes a release's.
"""

from __future__ import annotations

import io
import sys
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from sojourn.adapters.sqlite.log import SqliteLog
from sojourn.adapters.sqlite.store import SqliteStore
from sojourn.definitions.publishing import InForce, catalogue_of
from sojourn.model.turn import STAGES
from sojourn.runtime.controls import kept_in_force
from sojourn.runtime.driver import Driver
from tests.laws import test_everything_published as everything
from tests.laws.runtimes import Outcome, sequential
from tests.laws.test_equality import end_of

FOLDER = Path(__file__).parent
SEED, N_EVENTS = 92, 100
SINKS = ("shop", "support", "own")
FIRST = "first.json"


def write(file: Path) -> None:
    """Live half a history on SQLite, and pack up the folder with all of the log in it."""
    with TemporaryDirectory() as place:
        folder = Path(place)
        (folder / FIRST).write_bytes(msgspec.json.encode(everything.FIRST))
        log, store = SqliteLog(folder), SqliteStore(folder)
        _, entries = everything.edited(SEED, N_EVENTS)
        for entry in entries:
            log.append([entry.event], now=entry.at)
        half = log.read(0, len(entries) // 2)
        driver = Driver(log, store, everything.CATALOGUE, in_force=everything.FIRST)
        for entry in half:
            driver.settle([entry], until=entry.at)
        driver.finish_sweep()
        store.close()
        log.close()
        _pack(folder, file)


def _pack(folder: Path, file: Path) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:xz") as tar:
        for one in sorted(path for path in folder.rglob("*") if path.is_file()):
            info = tar.gettarinfo(one, one.relative_to(folder).as_posix())
            info.mtime, info.uname, info.gname, info.uid, info.gid = 0, "", "", 0, 0
            with one.open("rb") as content:
                tar.addfile(info, content)
    file.write_bytes(packed.getvalue())


def gone_on(file: Path, folder: Path) -> tuple[Outcome, Outcome]:
    """Open the folder with today's code and go on to the end; return what it has now, and what replay has."""
    with tarfile.open(file) as tar:
        tar.extractall(folder, filter="data")
    first = msgspec.json.decode((folder / FIRST).read_bytes(), type=InForce)
    log, store = SqliteLog(folder), SqliteStore(folder)
    try:
        in_force = kept_in_force(store) or first
        driver = Driver(log, store, catalogue_of(in_force)[0], in_force=in_force)
        assert 0 < driver.position < log.end(), "it was left in the middle"
        driver.catch_up()
        entries = log.read(0, 1 << 20)
        driver.settle([], until=end_of(entries))
        driver.finish_sweep()
        catalogue = catalogue_of(first)[0]
        return _all_of(store), sequential(entries, catalogue, until=end_of(entries), in_force=first)
    finally:
        store.close()
        log.close()


def _all_of(store: SqliteStore) -> Outcome:
    facts = [msgspec.json.encode(fact) for _, group in store.facts_after(0, 1 << 30) for fact in group]
    letters = [letter for sink in SINKS for letter in store.outbox.waiting(sink, now=1 << 60, limit=1 << 30)]
    keys = [(stage, key) for stage in STAGES for key in store.keys(stage)]
    states = {key: stored.state for key, stored in store.load(keys).items()}
    actions = [msgspec.json.encode(letter.action) for letter in letters]
    return Outcome(sorted(facts), sorted(actions), dict(sorted(states.items())))


if __name__ == "__main__":
    write(Path(sys.argv[1]) / "one-machine.tar.xz")
