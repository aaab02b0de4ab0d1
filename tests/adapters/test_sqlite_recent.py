"""Recent rows, and what is remembered of the table's, when threads meet."""

from __future__ import annotations

from pathlib import Path

from sojourn.adapters.sqlite import SqliteLog
from sojourn.adapters.sqlite.database import open_database
from sojourn.adapters.sqlite.recent import Recent, Row
from sojourn.model.event import Event

T0 = 1_700_000_000_000


def test_a_row_read_before_the_table_changed_is_not_remembered() -> None:
    """A load that began before a generation was written would bring back the state from before it."""
    recent = Recent()
    _, missing, generation = recent.find([b"pann"])
    recent.put({b"pann": Row(b"new", None, 0)})
    recent.retire()
    recent.let_go()
    recent.remember({b"pann": Row(b"old", None, 0)}, generation=generation)
    assert recent.find(missing)[:2] == ({}, [b"pann"])


def test_a_commit_counts_more_than_what_was_read_before_it() -> None:
    """A load under way when the commit came remembers the row it found, and the commit's stays the newest."""
    recent = Recent()
    _, _, generation = recent.find([b"pann"])
    recent.put({b"pann": Row(b"new", None, 0)})
    recent.remember({b"pann": Row(b"old", None, 0)}, generation=generation)
    assert recent.find([b"pann"])[0] == {b"pann": Row(b"new", None, 0)}


def test_the_clock_of_a_log_opened_again_begins_at_its_floor(tmp_path: Path) -> None:
    """Timers that fired are in the store: no entry may be stamped before them."""
    SqliteLog(tmp_path).close()
    log = SqliteLog(tmp_path, floor=T0 + 50)
    event = Event(source="web", message_id="a", kind="track", name="Clicked", occurred_at=T0, received_at=T0)
    assert log.append([event], now=T0).entries[0].at == T0 + 50
    log.close()


def test_a_commit_waits_for_the_disk(tmp_path: Path) -> None:
    """What a killed process wrote survives without this; what a machine without power wrote does not."""
    connection = open_database(tmp_path / "log.db", "CREATE TABLE one (n)", version=1, cache_mb=1)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
    connection.close()
