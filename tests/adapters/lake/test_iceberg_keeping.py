"""An Iceberg lake is kept in order beside its writer: rows stay, or go, and nothing of these is left."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pytest

from sojourn.adapters.lake.iceberg import keeping
from sojourn.adapters.lake.iceberg.catalogue import Place, load_tables, open_catalogue, reached
from sojourn.adapters.lake.iceberg.keeping import IcebergKeeper, Leaving
from sojourn.adapters.lake.iceberg.reading import read_iceberg
from sojourn.adapters.lake.iceberg.writing import IcebergLake
from sojourn.model.errors import ConfigError, UnavailableError
from tests.adapters.lake.folders import Folder, event
from tests.adapters.lake.test_iceberg import everything, lived
from tests.adapters.lake.topics import LOG, Topics, Writer, place_in

DAY_MS = 86_400_000
GONE = "u:u1"


def soon() -> datetime:
    """Return an instant that is later than all that was done."""
    return datetime.now(UTC) + timedelta(seconds=1)


def filled(folder: Folder, path: Path, *, at_once: int = 60) -> Place:
    """Write what was lived in a folder to a lake."""
    random = Random(0)
    topics, place = Topics(random), place_in(path)
    topics.add(folder.entries(), folder.facts())
    Writer(place, topics, random).run(at_once=(at_once,))
    return place


def files(place: Place) -> list[Path]:
    """List all that lies in a warehouse, without the catalogue."""
    root = Path(place.catalog["warehouse"].removeprefix("file://"))
    return sorted(path for path in root.rglob("*") if path.is_file())


def rows_of(place: Place) -> dict[str, list[str]]:
    """Read every table."""
    with read_iceberg(place) as reading:
        return everything(reading)


@pytest.fixture
def folder(tmp_path: Path) -> Any:
    """A history on one machine, and somebody who came two days later."""
    folder = lived(tmp_path / "data", Random(0), n_events=20)
    now = folder.store.progress().clock + 2 * DAY_MS
    folder.live([event("later", at=now)], now=now)
    yield folder
    folder.close()


def test_merged_and_expired_it_has_the_same_rows_in_fewer_files(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A writer that was open meanwhile goes on, and knows still how far it is."""
    monkeypatch.setattr(keeping, "FEW_FILES", 2)
    place = filled(folder, tmp_path / "cluster", at_once=4)
    before, n_files = rows_of(place), len(files(place))
    writer = IcebergLake(place, log=LOG)
    keeper = IcebergKeeper(place)
    assert keeper.merge()
    assert keeper.expire(before=soon(), unused=soon())
    assert rows_of(place) == before
    assert len(files(place)) < n_files
    writer.take_entries(folder.entries()[:1])
    writer.commit(writer.reach.next)
    assert len(rows_of(place)["events"]) == len(before["events"]) + 1
    assert IcebergLake(place, log=LOG).reach.next == writer.reach.next


def test_somebody_who_is_erased_is_in_no_file_any_more(folder: Folder, tmp_path: Path) -> None:
    """Neither in rows that are read, nor in files of before, nor in those of a commit that was never made."""
    place = filled(folder, tmp_path / "cluster")
    with read_iceberg(place) as reading:
        count = "SELECT count(*) FROM raw.{} WHERE profile_id {} '" + GONE + "'"
        n_theirs = reading.ask(count.format("steps", "="))[1][0][0]
        n_others = {name: reading.ask(count.format(name, "<>"))[1] for name in ("steps", "transitions")}
        n_events = reading.ask(f"SELECT count(*) FROM events WHERE profile_id IS DISTINCT FROM '{GONE}'")[1][
            0
        ][0]
    keeper = IcebergKeeper(place)
    leaving = Leaving(people={GONE}, users={"u1"}, devices=set(), stand_ins={"u1": "forgotten:r:0"})
    assert keeper.erase(leaving) > n_theirs > 0
    keeper.expire(before=soon(), unused=soon())
    with read_iceberg(place) as reading:
        assert {name: reading.ask(count.format(name, "<>"))[1] for name in n_others} == n_others
        n_left = reading.ask("SELECT count(*) FROM events")[1][0][0]
        n_said = reading.ask("SELECT count(*) FROM events WHERE previous_id = 'u1' OR user_id = 'u1'")[1][0][
            0
        ]
    assert n_events - 3 <= n_left <= n_events  # some say their id that are no steps: aliases
    assert n_said == 0
    parquet = [path for path in files(place) if path.suffix == ".parquet"]
    for path in parquet:
        rows = duckdb.sql(
            f"SELECT * FROM read_parquet('{str(path).replace(chr(39), chr(39) * 2)}')"
        ).fetchall()
        assert not [row for row in rows if {GONE, "u1"} & set(row)], path
    assert not [
        path for path in files(place) if path.suffix == ".avro" and GONE.encode() in path.read_bytes()
    ]
    assert keeper.erase(leaving) == 0


def test_days_that_were_kept_long_enough_go(folder: Folder, tmp_path: Path) -> None:
    """But the ledger of identity, on which today's answers rest."""
    place = filled(folder, tmp_path / "cluster")
    before = rows_of(place)
    assert IcebergKeeper(place).drop(keep_ms=DAY_MS)
    found = rows_of(place)
    assert len(found["events"]) == len(found["steps"]) == 1
    assert found["identity_changes"] == before["identity_changes"]


def test_of_two_writers_one_is_refused(folder: Folder, tmp_path: Path) -> None:
    """It would write the same rows again."""
    place = filled(folder, tmp_path / "cluster")
    one, other = IcebergLake(place, log=LOG), IcebergLake(place, log=LOG)
    for writer in (one, other):
        writer.take_entries(folder.entries()[:3])
    n_before = len(rows_of(place)["events"])
    one.commit({"entries": [100, 100, 100]})
    with pytest.raises(UnavailableError, match="lake-two-writers"):
        other.commit({"entries": [100, 100, 100]})
    assert len(rows_of(place)["events"]) == n_before + 3


def test_topics_of_another_installation_are_refused(folder: Folder, tmp_path: Path) -> None:
    """Their offsets mean nothing here."""
    place = filled(folder, tmp_path / "cluster")
    with pytest.raises(ConfigError, match="lake-other-log"):
        IcebergLake(place, log="another/shop")


def test_how_far_it_is_outlives_the_snapshots_that_said_so(folder: Folder, tmp_path: Path) -> None:
    """Others merge files and expire snapshots, and say nothing of offsets."""
    place = filled(folder, tmp_path / "cluster")
    table = load_tables(open_catalogue(place), place.namespace)["events"]
    known = reached(table)
    table.overwrite(table.scan().to_arrow())
    assert reached(table.refresh()) == known
    table.maintenance.expire_snapshots().older_than(soon()).commit()
    assert reached(table.refresh()) == known
