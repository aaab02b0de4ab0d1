"""Files: merged while others list them, of older releases, of days that are over, of another log."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pytest

from sojourn.adapters.lake import ParquetLake
from sojourn.adapters.lake.compacting import FAN_IN, FULL_BYTES, choose
from sojourn.adapters.lake.files import File
from sojourn.adapters.lake.writing import Written
from sojourn.definitions.journey import Catalogue
from sojourn.model.errors import ConfigError, FolderInUseError
from sojourn.model.lake import DAY_MS, TABLES, Reach
from tests.adapters.lake.folders import T0, Folder, event, read_all, rows
from tests.adapters.lake.naive import naive

NOBODY = Catalogue(journeys={})


@pytest.fixture
def folder(tmp_path: Path) -> Any:
    """A folder in which one person takes a step a minute, over three days."""
    made = Folder(tmp_path, NOBODY)
    for n in range(60):
        made.live([event(n, f"step {n % 7}", at=T0 + n * DAY_MS // 20)], now=T0 + n * DAY_MS // 20)
    yield made
    made.close()


def written(folder: Folder, *, n_events: int) -> ParquetLake:
    """Write all of it in slices of so many events."""
    lake = ParquetLake(folder.lake_path)
    while lake.reach != folder.tail.reach():
        folder.flush(lake, n_events=n_events)
    return lake


def test_who_lists_files_while_they_are_merged_sees_each_row_once_or_is_told(folder: Folder) -> None:
    """A day's folder changes as a whole: a listing is of before or of after, and never of both."""
    lake = written(folder, n_events=1)
    pattern = f"{folder.lake_path}/steps/*/*.parquet"
    seen: list[tuple[int, int]] = []
    is_over, is_looking = threading.Event(), threading.Event()

    def look() -> None:
        connection = duckdb.connect(config={"threads": 1})
        while not is_over.is_set() or not seen:
            is_looking.set()
            query = f"SELECT count(*), count(DISTINCT position) FROM read_parquet('{pattern}')"
            try:
                seen.append(connection.execute(query).fetchall()[0])
            except duckdb.IOException:  # a file that it had listed is gone: told, not guessed
                continue

    looking = threading.Thread(target=look)
    looking.start()
    is_looking.wait()
    while lake.compact(is_final=True):
        pass
    is_over.set()
    looking.join()
    lake.close()
    assert set(seen) == {(60, 60)}


def test_nobody_merges_files_under_a_reader_of_ours(folder: Folder) -> None:
    """A relation is read when it is asked, which may be long after it was made."""
    lake = written(folder, n_events=5)
    with folder.reading() as reading:
        assert not lake.compact(is_final=True)
        assert reading.table("steps").count("*").fetchall() == [(60,)]
    assert lake.compact(is_final=True)
    lake.close()


def file(first: int, n_bytes: int) -> File:
    """Describe a file of one row."""
    return File("steps", "2026-01-01", first, first, Path(f"{first}"), n_bytes)


def test_a_day_that_goes_on_has_few_files_however_long_it_goes_on() -> None:
    """Each row is written again a few times, and not at every flush."""
    files: list[File] = []
    n_rewritten = 0
    for n in range(8_640):  # one every ten seconds
        files.append(file(n, 100_000))
        while chosen := choose(files, is_closed=False):
            n_bytes = sum(one.n_bytes for one in chosen)
            n_rewritten += n_bytes
            place = files.index(chosen[0])
            files[place : place + len(chosen)] = [file(chosen[0].first, n_bytes)]
    assert len(files) < 3 * FAN_IN
    assert n_rewritten < 3 * 8_640 * 100_000
    assert [one.first for one in files] == sorted(one.first for one in files)


def test_of_a_day_that_is_over_files_are_merged_up_to_a_size() -> None:
    """A file that is full is left alone."""
    files = [file(0, FULL_BYTES), file(1, 10), file(2, 20), file(3, FULL_BYTES), file(4, 30)]
    assert [one.first for one in choose(files, is_closed=True)] == [1, 2]
    assert choose([files[0], files[3], files[4]], is_closed=True) == ()


def test_days_that_were_kept_long_enough_go_and_the_ledger_of_identity_stays(folder: Folder) -> None:
    """Who somebody is today may rest on what was said on the first day."""
    folder.live([event(99, user_id="bob", anonymous_id="d")], now=T0 + 4 * DAY_MS)
    lake = written(folder, n_events=7)
    before = "2023-11-16"
    assert lake.expire(before=before) > 0
    lake.close()
    with folder.reading() as reading:
        assert rows(reading, "steps", "DISTINCT CAST(logged_at AS DATE) >= DATE '2023-11-16'") == [(True,)]
        assert len(rows(reading, "identity_changes")) == 1
    assert not any(folder.lake_path.glob("events/date=2023-11-15"))


def test_a_column_that_older_files_do_not_have_is_null_in_them(folder: Folder) -> None:
    """A release adds a column; nobody writes old files anew."""
    lake = written(folder, n_events=30)
    lake.close()
    for path in folder.lake_path.glob("steps/*/*.parquet"):
        old = path.with_suffix(".old")
        duckdb.sql(f"COPY (SELECT * EXCLUDE (channel) FROM '{path}') TO '{old}' (FORMAT parquet)")
        old.rename(path)
    folder.live([event(99, context={"campaign": {"source": "n", "medium": "email"}})], now=T0 + 9 * DAY_MS)
    with folder.reading() as reading:
        found = reading.connection.sql(
            "SELECT channel, count(*) FROM steps GROUP BY ALL ORDER BY ALL"
        ).fetchall()
    assert found == [("email", 1), (None, 60)]


def test_a_file_says_which_table_and_layout_it_is_of(folder: Folder) -> None:
    """A file that is found alone explains itself."""
    written(folder, n_events=100).close()
    path = next(folder.lake_path.glob("steps/*/*.parquet"))
    said = dict(duckdb.sql(f"SELECT key, value FROM parquet_kv_metadata('{path}')").fetchall())
    assert (said[b"sojourn_table"], said[b"sojourn_lake"]) == (b"steps", b"1")


def test_columns_of_files_are_of_the_plain_types_that_everybody_reads(folder: Folder) -> None:
    """No lists, structs or zones: what a warehouse loads without being told how."""
    written(folder, n_events=100).close()
    paths = [path for name in TABLES for path in folder.lake_path.glob(f"{name}/*/*.parquet")]
    kinds = {
        kind
        for path in paths
        for kind in map(str, duckdb.read_parquet(str(path), hive_partitioning=False).types)
    }
    assert kinds <= {"VARCHAR", "BIGINT", "DOUBLE", "BOOLEAN", "TIMESTAMP"}


@pytest.mark.parametrize(
    ("progress", "said"),
    [
        (Written(99, Reach(5, 5, 5), "x"), "newer Sojourn"),
        (Written(1, Reach(10_000, 5, 5), "x"), "another log"),
        (Written(1, Reach(5, 5, 5), "00" * 16), "another log"),
    ],
)
def test_a_lake_that_is_not_of_this_log_and_release_is_not_read(
    folder: Folder, progress: Written, said: str
) -> None:
    """A log restored from a backup has other events at the same positions."""
    written(folder, n_events=100).close()
    (folder.lake_path / "progress.json").write_bytes(msgspec.json.encode(progress))
    with pytest.raises(ConfigError, match=said), folder.reading():
        pass


def test_a_progress_that_is_not_ours_is_refused_with_what_to_do(tmp_path: Path) -> None:
    """Half a file is never written; something else has been here."""
    (tmp_path / "progress.json").write_text("{")
    with pytest.raises(ConfigError, match=r"move .* away"):
        ParquetLake(tmp_path)


def test_one_process_writes_a_lake(tmp_path: Path) -> None:
    """Two would each remove what the other is about to count."""
    lake = ParquetLake(tmp_path)
    with pytest.raises(FolderInUseError, match="stop the server first"):
        ParquetLake(tmp_path)
    lake.close()
    ParquetLake(tmp_path).close()


def test_what_somebody_made_up_does_not_stop_the_lake(tmp_path: Path) -> None:
    """Whatever an SDK sends is some row; a context that is not as the spec says shows nothing of itself."""
    folder = Folder(tmp_path, NOBODY)
    odd: list[dict[str, Any]] = [
        {"context": {"page": "a text", "campaign": 7}},
        {"context": {"page": {"path": 7}}, "properties": {"n": 1e308, "text": "a\0b'\"\\ \N{GRINNING FACE}"}},
        {"user_id": "o'brien; DROP TABLE steps"},
        {"at": -(1 << 62)},
        {"at": 1 << 62},
    ]
    for n, fields in enumerate(odd):
        folder.live([event(n, f"odd\0{n}", **fields)], now=T0 + n)
    lake = written(folder, n_events=100)
    lake.close()
    with folder.reading() as reading:
        found = reading.connection.sql(
            "SELECT name, user_id, occurred_at IS NULL FROM events ORDER BY position"
        )
        assert found.fetchall() == [
            (f"odd\0{n}", fields.get("user_id", "ann"), "at" in fields) for n, fields in enumerate(odd)
        ]
    folder.close()


def test_a_reader_without_files_reads_all_from_the_log(folder: Folder) -> None:
    """An import that nobody has served yet, or a lake that is switched off."""
    with folder.reading() as reading:
        found = read_all(reading)
    assert found == naive(folder.entries(), folder.facts())
    assert not folder.lake_path.exists()


def test_a_table_that_is_not_there_is_refused_with_those_that_are(folder: Folder) -> None:
    """A slip of the pen is told what it could have meant."""
    with folder.reading() as reading, pytest.raises(ConfigError, match="session_changes"):
        reading.table("sesions")
