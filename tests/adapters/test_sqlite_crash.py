"""Kill -9 at random moments: what was acknowledged is there, and what is there fits together."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from random import Random

from sojourn.adapters.sqlite import SqliteLog, SqliteStore
from tests.adapters.crash_child import GENERATION_ROWS, N_KEYS, OPEN_MARKS

CHILD = Path(__file__).with_name("crash_child.py")
ROUNDS = int(os.environ.get("SOJOURN_CRASH_ROUNDS", "4"))


def test_nothing_acknowledged_is_lost_in_a_crash(disk_path: Path) -> None:
    """Every round goes on in the folder the last one left behind."""
    seed = int(os.environ.get("SOJOURN_SEED", "0")) or time.time_ns() % 1_000_000
    print("SOJOURN_SEED", seed)
    random = Random(seed)
    for _ in range(ROUNDS):
        acknowledged = run_and_kill(disk_path, after_s=random.uniform(0.02, 0.35))
        check_folder(disk_path, acknowledged)


def run_and_kill(folder: Path, *, after_s: float) -> dict[str, int]:
    """Run the child for a while after it has opened the folder; return the last positions it acknowledged."""
    child = subprocess.Popen([sys.executable, str(CHILD), str(folder)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "open\n"
    time.sleep(after_s)
    child.kill()
    output, _ = child.communicate()
    lines = [line.split() for line in output.splitlines(keepends=True) if line.endswith("\n")]
    return {what: int(position) for what, position in lines}


def check_folder(folder: Path, acknowledged: dict[str, int]) -> None:
    """Check the log by itself, and everything in the store against its progress."""
    store = SqliteStore(folder, generation_rows=GENERATION_ROWS)
    log = SqliteLog(folder, floor=store.progress().clock, max_open_marks=OPEN_MARKS)
    position = store.progress().position
    _, last = log.seal(0)
    entries = log.read(0, last + 1)
    assert [(entry.position, entry.event.message_id) for entry in entries] == [
        (at, str(at)) for at in range(1, last + 1)
    ]
    assert last >= acknowledged.get("log", 0)
    assert last >= position >= acknowledged.get("store", 0)
    assert log.append([entry.event for entry in entries], now=entries[-1].at if entries else 0).entries == []
    newest = {str(at % N_KEYS): at for at in range(1, position + 1)}
    states = store.load([("profile", str(key)) for key in range(N_KEYS)])
    assert {key: int(stored.state) for (_, key), stored in states.items()} == newest
    assert store.due(1 << 60, 1_000) == sorted((at, ("profile", key)) for key, at in newest.items())
    groups = store.facts_after(0, position + 1)
    assert [(number, fact.position) for number, (fact,) in groups] == [
        (at, at) for at in range(1, position + 1)
    ]
    letters = store.outbox.waiting("shop", now=1 << 60, limit=position + 1)
    assert [int(letter.action.id) for letter in letters] == list(range(1, position + 1))
    expected = {
        "profiles": len(newest),
        "devices": 0,
        "timers": len(newest),
        "outbox": position,
        "dead_letters": 0,
    }
    assert store.counts() == expected
    log.close()
    store.close()
