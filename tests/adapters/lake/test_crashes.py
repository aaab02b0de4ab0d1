"""Crashes: whatever instant the writer dies at, no row is lost and none is there twice."""

from __future__ import annotations

import errno
import os
import shutil
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
from tests.soak import TIMES

INSTANTS = 1 if TIMES > 1 else 3
"""Every so manieth instant of merging is died at; `make laws-test` dies at each."""


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
            files = f"read_parquet('{pattern}', union_by_name = true)"
            found[name] = sorted(duckdb.sql(f"SELECT {key} FROM {files}").fetchall())
    return found


def check(folder: Folder) -> None:
    """Compare what a reader sees with all facts; and look for rows that a glob would find twice."""
    with folder.reading() as reading:
        found = read_all(reading)
    assert found == naive(folder.entries(), folder.facts())
    for name, rows in files_alone(folder.lake_path).items():
        assert len(rows) == len(set(rows)), f"{name} has rows twice in its files"


class Disk:
    """A disk that fails at one fsync: every one of them is an instant to die at."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.n_left = -1
        self._real = os.fsync
        monkeypatch.setattr(os, "fsync", self._fsync)

    def _fsync(self, descriptor: int) -> None:
        self.n_left -= 1
        if self.n_left == 0:
            raise OSError(errno.ENOSPC, "no space left")
        self._real(descriptor)


def test_a_disk_that_fails_at_any_instant_of_writing_leaves_a_lake_that_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next start goes on as if nothing had been, though it cuts its slices elsewhere."""
    folder, disk = lived(tmp_path, 1, n_events=60), Disk(monkeypatch)
    n_failures, n_alive = 0, 1
    lake = ParquetLake(folder.lake_path)
    while lake.reach != folder.tail.reach():
        disk.n_left = n_alive  # it lives longer each time
        try:
            folder.flush(lake, n_events=5 + n_alive % 7)
        except OSError:
            n_failures += 1
            lake.close()
            lake = ParquetLake(folder.lake_path)
            if n_failures % 5 == 0:
                check(folder)
        n_alive += 1
    disk.n_left = -1
    check(folder)
    assert n_failures > 15
    lake.close()
    folder.close()


@pytest.mark.parametrize("can_exchange", [True, False])
def test_a_disk_that_fails_at_any_instant_of_merging_leaves_a_lake_that_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, can_exchange: bool
) -> None:
    """Where folders cannot change places at once, a crash may leave merged files beside what they hold."""
    if not can_exchange:
        monkeypatch.setattr(compacting, "exchange", lambda one, other: False)
    folder = lived(tmp_path / "data", 1, n_events=60)
    lake = ParquetLake(folder.lake_path)
    while lake.reach != folder.tail.reach():
        folder.flush(lake, n_events=9)
    lake.close()
    whole = files_alone(folder.lake_path)
    shutil.copytree(folder.lake_path, tmp_path / "before")
    disk, n_alive, has_failed = Disk(monkeypatch), 1, True
    while has_failed:
        shutil.rmtree(folder.lake_path)
        shutil.copytree(tmp_path / "before", folder.lake_path)
        has_failed = merge(folder.lake_path, disk, n_alive)
        ParquetLake(folder.lake_path).close()  # the next start
        assert files_alone(folder.lake_path) == whole, f"died at fsync {n_alive}"
        n_alive += INSTANTS
    check(folder)
    assert n_alive > 15
    folder.close()


def merge(path: Path, disk: Disk, n_alive: int) -> bool:
    """Merge until the disk fails; tell whether it did."""
    lake = ParquetLake(path)
    disk.n_left = n_alive
    try:
        while lake.compact(is_final=True):
            pass
    except OSError:
        return True
    finally:
        disk.n_left = -1
        lake.close()
    return False


def test_what_a_crash_left_is_not_there_twice_when_it_is_written_again_in_other_slices(
    tmp_path: Path,
) -> None:
    """The files had their names and the progress had not: nobody may count them, a glob neither."""
    folder = lived(tmp_path, 1, n_events=60)
    lake = ParquetLake(folder.lake_path)
    folder.flush(lake, n_events=10)
    progress = (folder.lake_path / "progress.json").read_bytes()
    folder.flush(lake, n_events=10)
    lake.close()
    (folder.lake_path / "progress.json").write_bytes(progress)
    check(folder)

    lake = ParquetLake(folder.lake_path)
    while lake.reach != folder.tail.reach():
        folder.flush(lake, n_events=4)
    lake.close()
    check(folder)
    folder.close()


def kill_at_random(folder: Folder, *, n_rounds: int, seed: int) -> int:
    """Let a writer run and kill it, so many times; return how often it had come further."""
    random, n_further, reached = Random(seed), 0, 0
    for n in range(n_rounds):
        command = [
            sys.executable,
            "-m",
            "tests.adapters.lake.crash_child",
            str(folder.lake_path.parent),
            str(n),
        ]
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


def test_a_writer_killed_at_random_instants_loses_and_doubles_nothing(disk_path: Path) -> None:
    """The promise of the lake, in the time a test may take."""
    folder = lived(disk_path, 2, n_events=400)
    assert kill_at_random(folder, n_rounds=4, seed=SystemRandom().getrandbits(32)) > 0
    folder.close()


@pytest.mark.slow
def test_a_writer_killed_a_hundred_times_loses_and_doubles_nothing(disk_path: Path) -> None:
    """Rare instants need many tries."""
    folder = lived(disk_path, 3, n_events=4_000)
    assert kill_at_random(folder, n_rounds=100, seed=SystemRandom().getrandbits(32)) > 5
    folder.close()
