"""Backing up: a copy of a data folder as it is at one instant, beside whoever writes in it.

Three files belong together, and each is its own database: no transaction spans them. A read transaction holds
one file as it is, however long the copy takes and whatever is committed meanwhile; so the three are held one
after the other, in the order in which a crash could have left them: states, then the commits that go beyond
them, then the log, which is never behind. What a start does after a crash, it does after a restore.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import IO

from msgspec import Struct

from sojourn.adapters.sqlite.accounts import FILE_NAME as ACCOUNTS
from sojourn.adapters.sqlite.database import connect
from sojourn.adapters.sqlite.drafts import FILE as DRAFTS
from sojourn.model.errors import ConfigError

STATES, COMMITS, LOG = "states.db", "state.db", "log.db"
MARKS = "marks"
APART = (ACCOUNTS, DRAFTS)
"""Right by themselves; not in every folder."""
STEP_PAGES = 1_024  # copied at once, with the interpreter's lock let go: 4 to 16 MB.
TRIES = 1_000  # A generation of states takes longer to write than two transactions to begin.
CACHE_MB = 1  # What is copied is read once.

_END = "SELECT coalesce(max(first + n - 1), 0) FROM blocks"


class Copied(Struct, frozen=True):
    """What a copy holds."""

    position: int
    """Up to which entry of the log states and facts go; the next start takes up the rest."""
    clock: int
    """The last commit's, ms."""
    log_end: int
    n_bytes: int


def copy_folder(data: Path, to: Path, *, tell: Callable[[int], None] = lambda _: None) -> Copied:
    """Copy what cannot be made anew of a data folder into a new folder, and wait until it is on disk.

    Left out is what a server makes from the rest: the lake, the counts of traffic, encoded events.

    Args:
        data: a folder that was used; it may be in use.
        to: the copy, for nobody else to read; it must not be there.
        tell: is given the bytes of each part that was copied.

    Raises ConfigError where the folder cannot be read, or a copy is damaged: then so is what it is of.
    """
    to.mkdir(mode=0o700)
    try:
        return _copy(data, to, tell)
    except sqlite3.Error as error:
        raise ConfigError(
            f"{data}: cannot be copied ({error}); is it a data folder, may we write in it, and "
            "is there room? [backup-unreadable]"
        ) from None


def _copy(data: Path, to: Path, tell: Callable[[int], None]) -> Copied:
    with ExitStack() as stack:
        states, commits = _held_together(stack, data)
        log, marks = _held_log(stack, data)
        position, clock = _one(
            commits, "SELECT position, clock FROM commits ORDER BY id DESC LIMIT 1", (0, 0)
        )
        (end,) = _one(log, _END, (0,))
        for connection, name in ((states, STATES), (commits, COMMITS), (log, LOG)):
            _copy_database(connection, to / name, tell)
        (to / MARKS).mkdir()
        for mark in marks:
            _copy_file(mark, to / MARKS / Path(mark.name).name)
    for name in APART:
        if (data / name).exists():
            with closing(connect(data / name, cache_mb=CACHE_MB)) as connection:
                _copy_database(connection, to / name, tell)
    _sync(to / MARKS)
    _sync(to)
    return Copied(position, clock, end, sum(each.stat().st_size for each in to.rglob("*") if each.is_file()))


def size_of(data: Path) -> int:
    """Return how many bytes a copy may come to, at most."""
    databases = [data / f"{name}{end}" for name in (STATES, COMMITS, LOG, *APART) for end in ("", "-wal")]
    files = [*databases, *(data / MARKS).glob("*")]
    return sum(file.stat().st_size for file in files if file.exists())


def _held_together(stack: ExitStack, data: Path) -> tuple[sqlite3.Connection, sqlite3.Connection]:
    """Hold states and commits such that every commit is in the one or the other."""
    states, now, commits = [
        stack.enter_context(closing(connect(data / name, cache_mb=CACHE_MB)))
        for name in (STATES, STATES, COMMITS)
    ]
    for _ in range(TRIES):
        through = _hold(states, "SELECT through FROM written")
        _hold(commits, "SELECT count(*) FROM commits")
        # A commit is let go of once the states have it: if they did not grow, none is between the two.
        if now.execute("SELECT through FROM written").fetchone() == through:
            return states, commits
        states.rollback()
        commits.rollback()
    raise ConfigError(f"{data}: states change faster than they can be held; try again [backup-busy]")


def _held_log(stack: ExitStack, data: Path) -> tuple[sqlite3.Connection, Sequence[IO[bytes]]]:
    """Hold the log, and its files of marks: those that are merged away stay readable while they are open."""
    log = stack.enter_context(closing(connect(data / LOG, cache_mb=CACHE_MB)))
    for _ in range(TRIES):
        _hold(log, "SELECT count(*) FROM segments")
        opened = ExitStack()
        try:
            marks = [
                opened.enter_context((data / MARKS / name).open("rb"))
                for (name,) in log.execute("SELECT name FROM segments")
            ]
        except FileNotFoundError:
            # Merged just now, so that the log names another; or lost, which it heals by itself at a start.
            opened.close()
            log.rollback()
            continue
        stack.push(opened)
        return log, marks
    _hold(log, _END)
    return log, ()


def _hold(connection: sqlite3.Connection, question: str) -> tuple[int, ...]:
    """Begin to read, and hold what is there now; return the first answer."""
    connection.execute("BEGIN")
    row: tuple[int, ...] = connection.execute(question).fetchone()
    return row


def _one(connection: sqlite3.Connection, question: str, default: tuple[int, ...]) -> tuple[int, ...]:
    return connection.execute(question).fetchone() or default


def _copy_database(source: sqlite3.Connection, to: Path, tell: Callable[[int], None]) -> None:
    to.touch(mode=0o600)
    (page_bytes,) = source.execute("PRAGMA page_size").fetchone()
    left: int | None = None

    def told(_: int, remaining: int, total: int) -> None:
        nonlocal left
        tell(((total if left is None else left) - remaining) * page_bytes)
        left = remaining

    with closing(sqlite3.connect(to, isolation_level=None)) as target:
        target.execute("PRAGMA journal_mode=OFF")
        target.execute("PRAGMA synchronous=OFF")  # it counts when all of it is on disk
        source.backup(target, pages=STEP_PAGES, progress=told)
    _sync(to)
    # As it lies there: to read it must not change it.
    with closing(sqlite3.connect(f"{to.absolute().as_uri()}?immutable=1", uri=True)) as copy:
        (found,) = copy.execute("PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        what = found.splitlines()[-1]
        raise ConfigError(
            f"{to}: the copy is damaged ({what}), and so is what it is of, or the disk it is on; keep the "
            "copies there are, and look [backup-damaged]"
        )


def _copy_file(source: IO[bytes], to: Path) -> None:
    with to.open("wb") as target:
        shutil.copyfileobj(source, target, 1 << 20)
        target.flush()
        os.fsync(target.fileno())


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
