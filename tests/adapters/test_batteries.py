"""The public batteries, over every adapter of the log, the store, the outbox and the accounts."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path

from sojourn.adapters.memory import MemoryAccounts, MemoryLog, MemoryStore
from sojourn.adapters.sqlite import SqliteAccounts, SqliteLog, SqliteOutbox, SqliteStore
from sojourn.model.ports import Accounts, Log, Store
from sojourn.testing.accounts import check_accounts
from sojourn.testing.log import check_log
from sojourn.testing.outbox import check_outbox
from sojourn.testing.store import check_store


def folders(root: Path) -> Callable[[], Path]:
    """Return a maker of new folders."""
    numbers = count()

    def make() -> Path:
        folder = root / str(next(numbers))
        folder.mkdir()
        return folder

    return make


def test_the_memory_log_keeps_what_the_port_promises() -> None:
    """The reference is a log like any other."""
    check_log(MemoryLog, is_shared=False)


def test_the_memory_store_keeps_what_the_port_promises() -> None:
    """The reference is a store like any other."""
    check_store(MemoryStore)


def test_the_memory_outbox_keeps_what_the_port_promises() -> None:
    """The reference is an outbox like any other."""

    def make() -> tuple[Store, MemoryStore]:
        store = MemoryStore()
        return store, store

    check_outbox(make)


def test_the_sqlite_log_keeps_what_the_port_promises(tmp_path: Path) -> None:
    """With so few open marks that most are in files, which are merged while it runs."""
    new_folder, opened = folders(tmp_path), {}

    def make(folder: Path | None = None) -> Log:
        folder = folder or new_folder()
        log = SqliteLog(folder, max_open_marks=16)
        opened[log] = folder
        return log

    def reopen(log: Log) -> Log:
        log.close()
        return make(opened[log])

    check_log(make, reopen=reopen, is_shared=True)


def test_the_sqlite_store_keeps_what_the_port_promises(tmp_path: Path) -> None:
    """With so small generations that most states are in the table, and with the sizes in use."""
    new_folder, opened = folders(tmp_path), {}
    for generation_rows in (16, 16_384):

        def make(folder: Path | None = None, *, rows: int = generation_rows) -> Store:
            folder = folder or new_folder()
            store = SqliteStore(folder, generation_rows=rows)
            opened[store] = folder
            return store

        def reopen(store: Store, make: Callable[[Path], Store] = make) -> Store:
            store.close()
            return make(opened[store])

        check_store(make, reopen=reopen)


def test_the_sqlite_outbox_keeps_what_the_port_promises(tmp_path: Path) -> None:
    """It is in the file of the commits that decided its actions."""
    new_folder = folders(tmp_path)

    def make() -> tuple[Store, SqliteOutbox]:
        store = SqliteStore(new_folder())
        return store, store.outbox

    check_outbox(make)


def test_the_memory_accounts_keep_what_the_port_promises() -> None:
    """The reference is accounts like any other."""
    check_accounts(MemoryAccounts)


def test_the_sqlite_accounts_keep_what_the_port_promises(tmp_path: Path) -> None:
    """In a file of their own."""
    new_folder, opened = folders(tmp_path), {}

    def make(folder: Path | None = None) -> Accounts:
        folder = folder or new_folder()
        accounts = SqliteAccounts(folder)
        opened[accounts] = folder
        return accounts

    def reopen(accounts: Accounts) -> Accounts:
        accounts.close()
        return make(opened[accounts])

    check_accounts(make, reopen=reopen)
