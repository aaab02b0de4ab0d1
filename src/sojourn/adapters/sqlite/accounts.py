"""Accounts: who may sign in, and who is, in a file of their own that several processes may have open."""

from __future__ import annotations

from pathlib import Path
from threading import Lock
from typing import Any

from sojourn.adapters.sqlite.database import open_database, transaction
from sojourn.model.account import Account, Role, Session
from sojourn.model.errors import ConfigError

FILE_NAME = "accounts.db"
CHECKPOINT_PAGES = 200  # of the WAL: the file is small, and rarely written.

_SCHEMA = """
CREATE TABLE IF NOT EXISTS account (
    name TEXT PRIMARY KEY, role TEXT NOT NULL, password TEXT NOT NULL, created_at INTEGER NOT NULL,
    last_seen_at INTEGER
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS session (
    mark BLOB PRIMARY KEY, account TEXT NOT NULL, started_at INTEGER NOT NULL, seen_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS session_of ON session (account, seen_at)
"""
_FIND = "SELECT name, role, password, created_at, last_seen_at FROM account WHERE name = ?"
_ALL = "SELECT name, role, password, created_at, last_seen_at FROM account ORDER BY name"
_ADD = "INSERT OR IGNORE INTO account (name, role, password, created_at, last_seen_at) VALUES (?, ?, ?, ?, ?)"
_SESSION = """
SELECT session.account, started_at, seen_at, name, role, password, created_at, last_seen_at
FROM session LEFT JOIN account ON account.name = session.account WHERE mark = ?
"""
_SURPLUS = """
DELETE FROM session WHERE mark IN (
    SELECT mark FROM session WHERE account = ? AND mark != ? ORDER BY seen_at DESC, mark DESC
    LIMIT -1 OFFSET ?
)
"""

Row = tuple[str, Role, str, int, int | None]


class SqliteAccounts:
    """Accounts and sessions in `accounts.db` of a data folder; see the port."""

    def __init__(self, folder: Path) -> None:
        """Open the file, making folder and file where they are not there: for nobody else to read."""
        path = folder / FILE_NAME
        try:
            folder.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
        except OSError as error:
            raise ConfigError(
                f"{path}: cannot be written ({error.strerror}); can we write in its folder? [data-file]"
            ) from None
        self._database = open_database(path, _SCHEMA, version=1, cache_mb=1)
        self._database.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")
        self._lock = Lock()

    def add(self, account: Account) -> bool:
        """Add an account; return False where there is one of that name."""
        row = (account.name, account.role, account.password, account.created_at, account.last_seen_at)
        return self._change(_ADD, row) > 0

    def find(self, name: str) -> Account | None:
        """Return the account of a name."""
        rows = self._rows(_FIND, (name,))
        return _account(rows[0]) if rows else None

    def all(self) -> list[Account]:
        """Return every account, ordered by name."""
        return [_account(row) for row in self._rows(_ALL, ())]

    def change_password(self, name: str, password: str) -> bool:
        """Give an account another hashed password, and end its sessions."""
        with self._lock, transaction(self._database):
            changed = self._database.execute(
                "UPDATE account SET password = ? WHERE name = ?", (password, name)
            )
            self._database.execute("DELETE FROM session WHERE account = ?", (name,))
            return changed.rowcount > 0

    def remove(self, name: str) -> bool:
        """Remove an account, and end its sessions."""
        with self._lock, transaction(self._database):
            removed = self._database.execute("DELETE FROM account WHERE name = ?", (name,))
            self._database.execute("DELETE FROM session WHERE account = ?", (name,))
            return removed.rowcount > 0

    def open_session(self, session: Session, *, password: str | None, most: int) -> bool:
        """Begin a session, and end the oldest above `most`."""
        with self._lock, transaction(self._database):
            if password is not None and not self._has(session.account, password):
                return False
            self._database.execute(
                "INSERT INTO session (mark, account, started_at, seen_at) VALUES (?, ?, ?, ?)",
                (session.mark, session.account, session.started_at, session.seen_at),
            )
            self._database.execute(_SURPLUS, (session.account, session.mark, most - 1))
            return True

    def session(self, mark: bytes) -> tuple[Session, Account | None] | None:
        """Return a session with the account it is of."""
        rows = self._rows(_SESSION, (mark,))
        if not rows:
            return None
        account, started_at, seen_at = rows[0][:3]
        session = Session(mark=mark, account=account, started_at=started_at, seen_at=seen_at)
        row: Row = rows[0][3:]
        return session, None if row[0] is None else _account(row)

    def see(self, session: Session, at: int) -> None:
        """Note that a session, and its account, were seen."""
        with self._lock, transaction(self._database):
            self._database.execute("UPDATE session SET seen_at = ? WHERE mark = ?", (at, session.mark))
            self._database.execute(
                "UPDATE account SET last_seen_at = ? WHERE name = ?", (at, session.account)
            )

    def end_session(self, mark: bytes) -> None:
        """End a session."""
        self._change("DELETE FROM session WHERE mark = ?", (mark,))

    def end_sessions(self, account: str) -> None:
        """End all sessions of a name."""
        self._change("DELETE FROM session WHERE account = ?", (account,))

    def expire(self, *, started_before: int, seen_before: int) -> int:
        """End sessions that are old."""
        text = "DELETE FROM session WHERE started_at < ? OR seen_at < ?"
        return self._change(text, (started_before, seen_before))

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()

    def _has(self, name: str, password: str) -> bool:
        text = "SELECT 1 FROM account WHERE name = ? AND password = ?"
        return self._database.execute(text, (name, password)).fetchone() is not None

    def _rows(self, text: str, values: tuple[object, ...]) -> list[Any]:
        with self._lock:
            return self._database.execute(text, values).fetchall()

    def _change(self, text: str, values: tuple[object, ...]) -> int:
        with self._lock:
            return self._database.execute(text, values).rowcount


def _account(row: Row) -> Account:
    name, role, password, created_at, last_seen_at = row
    return Account(name=name, role=role, password=password, created_at=created_at, last_seen_at=last_seen_at)
