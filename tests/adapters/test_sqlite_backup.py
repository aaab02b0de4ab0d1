"""A copy of a folder in which somebody appends and commits is one that a crash could have left."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from queue import Queue
from threading import Thread

import pytest

from sojourn.adapters.sqlite import SqliteAccounts, SqliteLog, SqliteStore, backup
from sojourn.adapters.sqlite.backup import APART, COMMITS, LOG, STATES, copy_folder, size_of
from sojourn.model.account import Account
from sojourn.model.errors import ConfigError
from sojourn.model.event import Event
from sojourn.model.ports import Commit, Write
from sojourn.model.turn import Key
from tests.adapters.crash_child import T0
from tests.adapters.test_sqlite_crash import CHILD, check_folder

N_COPIES = int(os.environ.get("SOJOURN_CRASH_ROUNDS", "8"))


class Writer:
    """A process that appends and commits for ever, with generations and files of marks made all the time."""

    def __init__(self, folder: Path) -> None:
        self._child = subprocess.Popen(
            [sys.executable, str(CHILD), str(folder)], stdout=subprocess.PIPE, text=True
        )
        assert self._child.stdout is not None
        assert self._child.stdout.readline() == "open\n"
        self.acknowledged: dict[str, int] = {}
        self._heard: Queue[str] = Queue()
        self._thread = Thread(target=self._hear, daemon=True)
        self._thread.start()

    def _hear(self) -> None:
        assert self._child.stdout is not None
        with self._child.stdout as lines:
            for line in filter(lambda line: line.endswith("\n"), lines):  # the last may be cut
                what, position = line.split()
                self.acknowledged[what] = int(position)
                self._heard.put(what)

    def let_work(self, n_lines: int) -> dict[str, int]:
        """Wait for so many acknowledgements; return the newest."""
        for _ in range(n_lines):
            self._heard.get(timeout=30)
        return dict(self.acknowledged)

    def kill(self) -> None:
        """End it."""
        self._child.kill()
        self._child.wait()
        self._thread.join()


def event(number: int) -> Event:
    """Make one that is known by its number."""
    return Event(
        source="web", message_id=str(number), kind="track", name="Clicked", occurred_at=T0, received_at=T0
    )


def test_a_copy_taken_under_load_is_what_a_crash_could_have_left(disk_path: Path) -> None:
    """All that was acknowledged before is in it, and log, states, timers, facts and outbox fit together."""
    data = disk_path / "data"
    data.mkdir()
    writer = Writer(data)
    try:
        for n in range(N_COPIES):
            acknowledged = writer.let_work(5)
            copy = disk_path / f"copy-{n}"
            copied = copy_folder(data, copy)
            assert copied.log_end >= acknowledged["log"]
            assert copied.log_end >= copied.position >= acknowledged.get("store", 0)
            check_folder(copy, acknowledged)
        assert any((data / "marks").glob("*.marks"))
    finally:
        writer.kill()


def test_whatever_happens_between_two_files_is_in_neither_or_in_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody appends, commits and fills a generation of states just before each file is held."""
    data, copy = tmp_path / "data", tmp_path / "copy"
    data.mkdir()
    store, log = SqliteStore(data, generation_rows=4), SqliteLog(data, max_open_marks=8)
    hold = backup._hold
    n = 0

    def work() -> None:
        nonlocal n
        entries = log.append([event(n + each) for each in range(40)], now=T0 + n).entries
        for entry in entries:  # each a person of their own: what is lost is not written again
            write = Write(("profile", str(entry.position)), b"here", entry.position, b"")
            store.commit(Commit(entry.position, entry.at, [write], []))
        n += 40

    def late(connection: sqlite3.Connection, question: str) -> tuple[int, ...]:
        if n < 400:
            work()
        return hold(connection, question)

    work()
    monkeypatch.setattr(backup, "_hold", late)
    copied = copy_folder(data, copy)
    store.close()
    log.close()
    assert n >= 400
    restored, again = SqliteStore(copy), SqliteLog(copy)
    position = restored.progress().position
    assert copied.log_end == again.end() >= position == copied.position > 0
    keys: list[Key] = [("profile", str(at)) for at in range(1, position + 1)]
    assert restored.load(keys).keys() == set(keys)
    assert again.append([event(each) for each in range(again.end())], now=T0 + n).entries == []
    restored.close()
    again.close()


def test_a_copy_is_for_nobody_else_and_has_the_accounts(tmp_path: Path) -> None:
    """It holds what people did, and hashed passwords."""
    data, copy = tmp_path / "data", tmp_path / "copy"
    data.mkdir()
    for part in (SqliteStore(data), SqliteLog(data)):
        part.close()
    accounts = SqliteAccounts(data)
    accounts.add(Account(name="ada", role="admin", password="hashed", created_at=1))
    copied = copy_folder(data, copy)
    accounts.close()
    assert (copied.position, copied.log_end) == (0, 0)
    assert copied.n_bytes <= size_of(data)
    assert copy.stat().st_mode & 0o077 == 0
    found = {file.name: file.stat().st_mode & 0o077 for file in copy.iterdir() if file.is_file()}
    assert found == dict.fromkeys((STATES, COMMITS, LOG, APART[0]), 0)
    restored = SqliteAccounts(copy)
    assert [account.name for account in restored.all()] == ["ada"]
    restored.close()


def test_a_damaged_folder_is_not_copied_as_if_it_were_whole(tmp_path: Path) -> None:
    """Who copies every night finds out that night."""
    data = tmp_path / "data"
    data.mkdir()
    for part in (SqliteStore(data), SqliteLog(data)):
        part.close()
    database = sqlite3.connect(data / STATES)
    database.executemany(
        "INSERT INTO states VALUES (?, ?, NULL, 0)", [(b"%06d" % n, b"x" * 400) for n in range(2_000)]
    )
    database.commit()
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    with (data / STATES).open("r+b") as file:
        file.seek(40 * 4_096)
        file.write(b"\xff" * 4_096)
    with pytest.raises(ConfigError, match=r"states\.db: the copy is damaged .*\[backup-damaged\]"):
        copy_folder(data, tmp_path / "copy")


def test_what_is_no_database_is_told_of_without_a_traceback(tmp_path: Path) -> None:
    """Somebody named the wrong folder, or the disk lost a file's first page."""
    data = tmp_path / "data"
    data.mkdir()
    for part in (SqliteStore(data), SqliteLog(data)):
        part.close()
    (data / LOG).write_bytes(b"not a database at all" * 400)
    with pytest.raises(ConfigError, match=r"cannot be copied .*\[backup-unreadable\]"):
        copy_folder(data, tmp_path / "copy")
