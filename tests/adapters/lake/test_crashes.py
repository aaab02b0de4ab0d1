"""Crashes: whatever instant the writer dies at, no row is lost and none is there twice."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from pathlib import Path
from random import Random, SystemRandom

import duckdb
import pytest

from sojourn.adapters.lake import ParquetLake, compacting
from sojourn.model.lake import EVENTS, TABLES
from tests.adapters.lake.folders import Folder, read_all
from tests.adapters.lake.naive import naive
from tests.laws.catalogues import rich_catalogue, rich_history


def lived(path: Path, seed: int, *, n_events: int = 250) -> Folder:
    """Make a folder in which a random history was lived."""
    folder = Folder(path, rich_catalogue())
    waiting = rich_history(Random(seed), n_events=n_events)
    for start in range(0, n_events, 10):
        batch = waiting[start : start + 10]
        folder.live([entry.event for entry in batch], now=batch[-1].at)
    return folder


def files_alone(lake: Path) -> dict[str, list[tuple[int, ...]]]:
    """Return the keys of all rows that a plain glob finds, table by table."""
    found = {}
    for name in TABLES:
        pattern = f"{lake}/{name}/*/*.parquet"
        key = "position" if name == EVENTS.name else "fact_group, fact_n"
        if list(lake.glob(f"{name}/*/*.parquet")):
            found[name] = duckdb.sql(f"SELECT {key} FROM read_parquet('{pattern}', union_by_name = true)").fetchall()
    return found


def check(folder: Folder) -> None:
    """Compare what a reader sees with all facts; and look for rows that a glob would find twice."""
    with folder.reading() as reading:
        found = read_all(reading)
    assert found == naive(folder.entries(), folder.facts())
    for name, rows in files_alone(folder.lake_path).items():
        assert len(rows) == len(set(rows)), f"{name} has rows twice in its files"


@pytest.mark.parametrize("can_exchange", [True, False])
def test_a_disk_that_fails_at_any_write_leaves_a_lake_that_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, can_exchange: bool
) -> None:
    """Every fsync is an instant to die at; the next start goes on as if nothing had been."""
    if not can_exchange:
        monkeypatch.setattr(compacting, "exchange", lambda one, other: False)
    monkeypatch.setattr(compacting, "FAN_IN", 3)
    folder = lived(tmp_path, 1, n_events=60)
    real, left = os.fsync, [0]

    def fsync(descriptor: int) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise OSError(errno.ENOSPC, "no space left")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    n_failures, n_alive = 0, 1
    lake = ParquetLake(folder.lake_path)
    while lake.reach != folder.tail.reach() or lake.compact(is_final=True):
        left[0] = n_alive  # lives longer each time
        try:
            folder.flush(lake, n_events=7)
            while lake.compact(is_final=n_alive % 2 == 0):
                pass
        except OSError:
            n_failures += 1
            lake.close()
            if n_failures % 5 == 0:
                check(folder)
            lake = ParquetLake(folder.lake_path)
        n_alive += 1
    left[0] = -1
    check(folder)
    assert n_failures > 20
    lake.close()
    folder.close()


def kill_at_random(folder: Folder, *, n_rounds: int, seed: int) -> int:
    """Let a writer run and kill it, so many times; return how often it had come further."""
    random, n_further, reached = Random(seed), 0, 0
    for n in range(n_rounds):
        command = [sys.executable, "-m", "tests.adapters.lake.crash_child", str(folder.lake_path.parent), str(n)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            line = child.stdout.readline()  # it is at work
            time.sleep(random.uniform(0, 0.4))
            child.kill()
            lines = [line, *child.stdout]
        n_further += int(lines[-1]) > reached
        reached = int(lines[-1])
        if n % 10 == 0 or n == n_rounds - 1:
            check(folder)
    return n_further


def test_a_writer_killed_at_random_instants_loses_and_doubles_nothing(tmp_path: Path) -> None:
    """The promise of the lake, in the time a test may take."""
    folder = lived(tmp_path, 2, n_events=400)
    assert kill_at_random(folder, n_rounds=4, seed=SystemRandom().getrandbits(32)) > 0
    folder.close()


@pytest.mark.slow
def test_a_writer_killed_a_hundred_times_loses_and_doubles_nothing(tmp_path: Path) -> None:
    """Rare instants need many tries."""
    folder = lived(tmp_path, 3, n_events=4_000)
    assert kill_at_random(folder, n_rounds=100, seed=SystemRandom().getrandbits(32)) > 5
    folder.close()
