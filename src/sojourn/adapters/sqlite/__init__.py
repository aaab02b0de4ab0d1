"""SQLite: the log, the store, the outbox and the accounts of a data folder."""

from sojourn.adapters.sqlite.accounts import SqliteAccounts
from sojourn.adapters.sqlite.folder import FolderLock, Moving, lock_folder, mark_moved, moved_to, refuse_moved
from sojourn.adapters.sqlite.log import SqliteLog
from sojourn.adapters.sqlite.outbox import SqliteOutbox
from sojourn.adapters.sqlite.reading import SqliteLogReader
from sojourn.adapters.sqlite.store import SqliteStore

__all__ = [
    "FolderLock",
    "Moving",
    "SqliteAccounts",
    "SqliteLog",
    "SqliteLogReader",
    "SqliteOutbox",
    "SqliteStore",
    "lock_folder",
    "mark_moved",
    "moved_to",
    "refuse_moved",
]
