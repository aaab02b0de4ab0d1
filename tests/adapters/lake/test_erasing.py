"""Erasing from a lake: its rows are those of a lake that never had the person's, whenever it dies."""

from __future__ import annotations

import shutil
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest

from sojourn.adapters.lake import ParquetLake
from sojourn.adapters.lake.durable import locked, replace_file
from sojourn.adapters.lake.encoded import Columns, read_known
from sojourn.adapters.lake.erasing import PLANS
from sojourn.adapters.lake.writing import ENCODED, READERS_LOCK
from sojourn.model.lake import EVENTS, TABLES, Gone, Renamed
from tests.adapters.lake.folders import Folder
from tests.adapters.lake.test_crashes import Disk, files_alone, lived

Rows = dict[str, list[tuple[Any, ...]]]


def plan_of(folder: Folder, seed: int) -> Gone:
    """Choose entries and facts at random."""
    random = Random(seed)
    positions = [entry.position for entry in folder.entries() if random.random() < 0.3]
    facts = [(group, n) for group, n, _ in folder.facts() if random.random() < 0.3]
    refused = [(group, n) for group, n, fact in folder.facts() if type(fact).__name__ == "IdentityRefused"]
    renamed = [Renamed(*place, "somebody", "7") for place in refused if place not in facts][:3]
    return Gone(positions=positions, facts=facts, renamed=renamed)


def rows(folder: Folder) -> Rows:
    """Return all rows of every table as they were written, for a reader of ours."""
    with folder.reading() as reading:
        return {
            name: reading.connection.execute(f"SELECT * FROM raw.{name} ORDER BY ALL").fetchall()
            for name in TABLES
        }


def without(before: Rows, gone: Gone, columns: dict[str, list[str]]) -> Rows:
    """Take the rows of a plan out, one by one."""
    positions, facts = set(gone.positions), set(gone.facts)
    new = {(one.group, one.n): one for one in gone.renamed}
    left: Rows = {}
    for name, all_rows in before.items():
        left[name] = []
        for row in all_rows:
            said = dict(zip(columns[name], row, strict=True))
            place = (said.get("fact_group"), said.get("fact_n"))
            if said["position"] in positions if name == EVENTS.name else place in facts:
                continue
            if place in new:
                said |= {"other_id": new[place].other_id, "message_id": new[place].message_id}
            left[name].append(tuple(said.values()))
        left[name].sort(key=repr)
    return left


def columns_of(folder: Folder) -> dict[str, list[str]]:
    with folder.reading() as reading:
        return {
            name: [each[0] for each in reading.connection.execute(f"SELECT * FROM raw.{name}").description]
            for name in TABLES
        }


def put(lake: Path, gone: Gone) -> None:
    (lake / PLANS).mkdir(exist_ok=True)
    replace_file(lake / PLANS / "r1.json", msgspec.json.encode(gone))


def written(path: Path) -> Folder:
    """Make a folder whose lake has many files."""
    folder = lived(path, 1, n_events=40)
    lake = ParquetLake(folder.lake_path)
    while lake.reach != folder.tail.reach():
        folder.flush(lake, n_events=25)
    lake.close()
    return folder


def erase(path: Path) -> None:
    """Start the writer, and have it do what plans say."""
    lake = ParquetLake(path)
    try:
        while lake.erase():
            pass
    finally:
        lake.close()


def laid(found: Rows) -> Rows:
    return {name: sorted(all_rows, key=repr) for name, all_rows in found.items()}


def test_a_crash_at_any_instant_leaves_the_old_rows_or_the_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader before the next start sees the one or the other, whole; the next start comes to the new."""
    folder = written(tmp_path / "data")
    gone, old = plan_of(folder, 3), laid(rows(folder))
    new = without(old, gone, columns_of(folder))
    assert new != old
    put(folder.lake_path, gone)
    shutil.copytree(folder.lake_path, tmp_path / "before")
    disk, seen = Disk(monkeypatch), []
    disk.n_left = 0
    erase(folder.lake_path)
    n_syncs = -disk.n_left
    for n_alive in [*range(1, n_syncs - 6, 40), *range(n_syncs - 6, n_syncs + 1, 2)]:
        shutil.rmtree(folder.lake_path)
        shutil.copytree(tmp_path / "before", folder.lake_path)
        disk.n_left = n_alive
        with pytest.raises(OSError, match="no space"):
            erase(folder.lake_path)
        disk.n_left = -1
        between = laid(rows(folder))
        seen.append(between == new)
        assert between in (old, new), f"died at fsync {n_alive}"
        erase(folder.lake_path)
        assert laid(rows(folder)) == new
        assert (folder.lake_path / PLANS / "r1.done").exists()
    assert {True, False} == set(seen), "it also died after the rename"
    lake = ParquetLake(folder.lake_path)
    assert lake.compact(is_final=True)
    lake.close()
    assert laid(rows(folder)) == new, "compaction brings nobody back"
    folder.close()


def test_readers_are_waited_for_and_merging_waits(tmp_path: Path) -> None:
    """Whoever reads goes on with the files they listed; nothing is merged meanwhile."""
    folder = written(tmp_path)
    gone = plan_of(folder, 4)
    put(folder.lake_path, gone)
    before = files_alone(folder.lake_path)
    lake = ParquetLake(folder.lake_path)
    with locked(folder.lake_path / READERS_LOCK, shared=True):
        while lake.erase():
            pass
        assert files_alone(folder.lake_path) == before
        assert not lake.compact(is_final=True)
        assert lake.expire(before="2999-01-01") == 0
    assert lake.erase()
    assert not lake.erase()
    after = files_alone(folder.lake_path)
    assert [position for (position,) in after[EVENTS.name]] == [
        position for (position,) in before[EVENTS.name] if position not in set(gone.positions)
    ]
    lake.close()
    folder.close()


def test_what_is_kept_encoded_goes_with_the_files(tmp_path: Path) -> None:
    """It is made anew, of the files as they are."""
    folder = written(tmp_path)
    lake = folder.lake_path
    assert read_known(lake, folder.tail, Columns(), few_events=1) is not None
    assert (lake / ENCODED / "index.json").exists()
    put(lake, plan_of(folder, 5))
    writer = ParquetLake(lake)
    while writer.erase():
        pass
    writer.close()
    assert not (lake / ENCODED).exists()
    assert read_known(lake, folder.tail, Columns(), few_events=1) is not None
    folder.close()
