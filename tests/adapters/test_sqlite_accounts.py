"""Accounts in SQLite: for nobody else to read, and for several processes at once."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path
from threading import Thread

import pytest

from sojourn.adapters.sqlite import SqliteAccounts
from sojourn.model.account import Account, Session
from sojourn.model.errors import ConfigError

ADD = """
import sys
from pathlib import Path
from sojourn.adapters.sqlite import SqliteAccounts
from sojourn.model.account import Account
accounts = SqliteAccounts(Path(sys.argv[1]))
for number in range(50):
    assert accounts.add(Account(name=f"{sys.argv[2]}{number}", role="viewer", password="", created_at=1))
"""


def account(name: str = "ada") -> Account:
    return Account(name=name, role="viewer", password="kept", created_at=1)


def test_nobody_else_can_read_the_file(tmp_path: Path) -> None:
    """Whatever the umask of whoever made it: hashes of passwords can be guessed at."""
    accounts = SqliteAccounts(tmp_path)
    accounts.add(account())
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.glob("accounts.db*")}
    accounts.close()
    assert set(modes) == {"accounts.db", "accounts.db-wal", "accounts.db-shm"}
    assert set(modes.values()) == {0o600}


def test_what_one_process_changes_another_that_is_open_sees(tmp_path: Path) -> None:
    """The command line beside a server."""
    server, command = SqliteAccounts(tmp_path), SqliteAccounts(tmp_path)
    command.add(account())
    session = Session(mark=b"1", account="ada", started_at=1, seen_at=1)
    assert server.open_session(session, password="kept", most=1)
    command.change_password("ada", "another")
    assert server.session(b"1") is None
    for each in (server, command):
        each.close()


def test_processes_and_threads_that_write_at_once_lose_nothing(tmp_path: Path) -> None:
    """They wait for one another; the file is made by whoever comes first."""
    commands = [subprocess.Popen([sys.executable, "-c", ADD, str(tmp_path), name]) for name in ("ada", "ben")]
    accounts = SqliteAccounts(tmp_path)
    threads = [
        Thread(target=lambda name=name: [accounts.add(account(f"{name}{number}")) for number in range(50)])
        for name in ("cat", "dan")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [command.wait(30) for command in commands] == [0, 0]
    assert len(accounts.all()) == 200
    accounts.close()


def test_a_folder_that_cannot_be_written_is_said_so(tmp_path: Path) -> None:
    """In a sentence, not in a traceback."""
    (tmp_path / "data").write_text("a file")
    with pytest.raises(ConfigError, match=r"accounts.db: cannot be written"):
        SqliteAccounts(tmp_path / "data")
