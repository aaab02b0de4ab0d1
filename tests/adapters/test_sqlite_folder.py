"""The data folder: who may open it, and what is refused."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from threading import Event as Flag
from threading import Thread

import pytest

from sojourn.adapters.sqlite import SqliteLog, SqliteStore, lock_folder
from sojourn.model.errors import ConfigError
from sojourn.model.ports import Commit, Stored, Write
from sojourn.model.turn import Key

KEYS: list[Key] = [("profile", f"u:{number}") for number in range(40)]


def test_a_data_folder_is_held_by_one(tmp_path: Path) -> None:
    """Two processes writing would each believe their own clock and positions."""
    lock = lock_folder(tmp_path / "new")
    with pytest.raises(ConfigError, match=rf"in use by process {os.getpid()}; stop it"):
        lock_folder(tmp_path / "new")
    lock.close()
    lock_folder(tmp_path / "new").close()


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    """The operator named a file."""
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="cannot be used as data folder"):
        lock_folder(tmp_path / "file")


@pytest.mark.parametrize(
    ("name", "make"), [("log.db", SqliteLog), ("state.db", SqliteStore), ("states.db", SqliteStore)]
)
def test_a_file_of_a_newer_release_is_refused(tmp_path: Path, name: str, make: type) -> None:
    """An older program would not know what it destroys."""
    make(tmp_path).close()
    connection = sqlite3.connect(tmp_path / name)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(ConfigError, match="newer"):
        make(tmp_path)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    """And it is left as it is."""
    (tmp_path / "log.db").write_bytes(b"not a database, but long enough to look at" * 100)
    with pytest.raises(ConfigError, match="cannot be opened"):
        SqliteLog(tmp_path)


def test_a_commit_that_fails_leaves_nothing(tmp_path: Path) -> None:
    """Law 5: stored whole or not at all, also in memory."""
    store = SqliteStore(tmp_path)
    with pytest.raises(OverflowError):
        store.commit(Commit(1 << 70, 1, [Write(KEYS[0], b"never", 1, b"")], []))
    assert store.load(KEYS) == {}
    store.commit(Commit(1, 1, [Write(KEYS[0], b"one", 1, b"")], []))
    assert store.load(KEYS) == {KEYS[0]: Stored(b"one", 1, 0)}
    store.close()


def test_states_can_be_loaded_while_a_commit_is_under_way(tmp_path: Path) -> None:
    """The engine loads the next batch while the last one is stored; a state never goes back."""
    store, is_done = SqliteStore(tmp_path, generation_rows=50), Flag()

    def commit_all() -> None:
        for number in range(60):
            state = b"%06d" % number
            store.commit(Commit(number, number, [Write(key, state, number, b"") for key in KEYS], []))
        is_done.set()

    thread = Thread(target=commit_all)
    thread.start()
    seen = dict.fromkeys(KEYS, b"")
    while not is_done.is_set():
        for key, stored in store.load(KEYS).items():
            assert stored.state >= seen[key]
            seen[key] = stored.state
    thread.join()
    assert {stored.state for stored in store.load(KEYS).values()} == {b"000059"}
    store.close()
