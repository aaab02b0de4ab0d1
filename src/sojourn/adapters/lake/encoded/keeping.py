"""Keeping: a base is opened, made, brought up to date, and what came after it is joined."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from sojourn.adapters.lake.durable import locked
from sojourn.adapters.lake.encoded import staging
from sojourn.adapters.lake.encoded.base import (
    FOLDER,
    LOCK,
    Base,
    Origin,
    add_columns,
    open_base,
    read_origin,
    save_base,
)
from sojourn.adapters.lake.encoded.building import STAGED, build_base, build_columns
from sojourn.adapters.lake.encoded.delta import Columns, read_delta
from sojourn.adapters.lake.encoded.following import Slices
from sojourn.adapters.lake.encoded.known import Known
from sojourn.adapters.lake.encoded.rows import NUMBER, TEXT, Rows, number_key, text_key
from sojourn.adapters.lake.encoded.splicing import settled
from sojourn.adapters.lake.files import File
from sojourn.adapters.lake.reading import SLICE_EVENTS, Listing, join_tables, listed
from sojourn.adapters.lake.writing import open_database
from sojourn.analytics.names import Names
from sojourn.model.lake import EVENTS, Reach
from sojourn.model.ports import Tail

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Built = TypeVar("Built")

FEW_EVENTS = 50_000
"""A lake that is not larger is read anew as quickly."""
FEW_NEW, MANY_NEW = 10_000, 500
"""A base is brought up to date where more are new than these few and one of so many: joining a new event at
each question costs some 30 us, and writing an old one again, once, some 0.5 us."""
FAR_BEHIND = 15
"""Where one of so many is new, all are read anew: that costs some 2 us each."""
READ = (EVENTS.name, "session_changes", "identity_changes")


def read_known(
    lake: Path,
    tail: Tail,
    columns: Columns,
    *,
    few_events: int = FEW_EVENTS,
    since: tuple[Known, Reach] | None = None,
) -> tuple[Known, Reach] | None:
    """Read all there is at this instant, with some attributes; return (it, up to where it goes).

    What is not kept yet is kept, where the folder can be written. None: the lake holds few events.

    Args:
        lake: The lake's folder.
        tail: What is not in its files yet.
        columns: The attributes.
        few_events: A lake with fewer is not kept.
        since: What was returned before, for the same attributes: then only what came since is read into it,
            as long as it is of what is kept now. It cannot be used any more.

    Raises:
        ConfigError: The lake belongs to another log, or has no such column.
    """
    with listed(lake, tail) as listing:
        if listing.written.reach.position < few_events:
            return None
        if since is not None and _goes_on(*since, listing, lake):
            known, reach = since
            _follow(known, tail, reach, listing.reach, columns=columns)
        else:
            known = Known(_base(lake, tail, listing, columns))
            _catch_up(known, listing, columns, tail=tail)
        return known, listing.reach


def _goes_on(known: Known, reach: Reach, listing: Listing, lake: Path) -> bool:
    """Tell whether what is known is what would be read anew, but for what came after it."""
    origin, written = known.base.origin, listing.written.reach
    return (
        read_origin(lake) == origin
        and _days(listing.files, origin.position, origin.group) == origin.days
        and not _is_old(origin, written.position)
        and (reach.position, reach.group) <= (listing.reach.position, listing.reach.group)
    )


def is_due(lake: Path, position: int, *, few_events: int = FEW_EVENTS) -> bool:
    """Tell whether a lake that is written up to a position should be kept, and is not, or is kept too old."""
    if position < few_events:
        return False
    origin = read_origin(lake)
    return origin is None or _is_old(origin, position)


def keep_up(lake: Path, tail: Tail, *, few_events: int = FEW_EVENTS) -> None:
    """Keep what is in files, as far as they go, where it `is_due`; so nobody's question has to.

    Raises ConfigError where the lake belongs to another log.
    """
    with listed(lake, tail) as listing:
        if is_due(lake, listing.written.reach.position, few_events=few_events):
            kept = _kept(lake, tail, listing)
            _base(lake, tail, listing, Columns() if kept is None else _columns(kept))


def _base(lake: Path, tail: Tail, listing: Listing, columns: Columns) -> Base:
    """Return a base that has the attributes, and is not old."""
    base = _kept(lake, tail, listing)
    written = listing.written.reach.position
    if base is None or _is_old(base.origin, written) or _missing(base, columns):
        with _alone(lake) as folder:
            base = _kept(lake, tail, listing)  # Somebody else may have been quicker.
            if base is None:
                base = _built(lake, listing, columns, folder)
            elif _is_far_behind(base.origin, written):
                base = _built(lake, listing, _together(columns, _columns(base)), folder)
            elif _is_old(base.origin, written):
                base = _advanced(lake, listing, base, folder)
            base = _widened(lake, listing, base, columns, folder=folder)
    return _narrowed(base, columns)


def _kept(lake: Path, tail: Tail, listing: Listing) -> Base | None:
    """Return what is kept, where it is of these files and this log."""
    base = open_base(lake)
    if base is None:
        return None
    origin, written = base.origin, listing.written.reach
    is_of_log = tail.mark(origin.position) == origin.mark
    is_of_files = _days(listing.files, origin.position, origin.group) == origin.days
    is_reached = origin.position <= written.position and origin.group <= written.group
    return base if is_of_log and is_of_files and is_reached else None


def _is_old(origin: Origin, position: int) -> bool:
    return position - origin.position > FEW_NEW + origin.position // MANY_NEW


def _is_far_behind(origin: Origin, position: int) -> bool:
    return _is_old(origin, position) and position - origin.position > position // FAR_BEHIND


def _built(lake: Path, listing: Listing, columns: Columns, folder: Path | None) -> Base:

    def build(memory: str | None) -> Base:
        with closing(_database(listing.files)) as connection:
            return build_base(connection, _origin(listing), columns, folder=folder, memory=memory)

    return _saved(lake, _in_little_memory(build), folder)


def _advanced(lake: Path, listing: Listing, base: Base, folder: Path | None) -> Base:
    """Take what files have by now into a base."""
    if folder is None:
        return base
    known = Known(base)
    _catch_up(known, listing, _columns(base))
    return _saved(lake, settled(known, _origin(listing)), folder)


def _widened(lake: Path, listing: Listing, base: Base, columns: Columns, *, folder: Path | None) -> Base:
    """Add the attributes that a base does not have."""
    missing = _missing(base, columns)
    if missing is None:
        return base
    wanted, files = missing, _files_of(base.origin, listing.files, is_after=False)

    def build(memory: str | None) -> tuple[Rows, dict[str, Names]]:
        with closing(_database(files)) as connection:
            return build_columns(connection, base, wanted, folder=folder, memory=memory)

    rows, words = _in_little_memory(build)
    if folder is not None:
        with contextlib.suppress(OSError):
            add_columns(lake, base.origin, rows, words)
    return base._replace(rows=base.rows | rows, words=base.words | words)


def _in_little_memory(build: Callable[[str | None], Built]) -> Built:
    """Build something within a bound; in as much memory as there is, where DuckDB cannot do it within."""
    import duckdb  # noqa: PLC0415 - as in `open_database`

    try:
        return build(staging.MEMORY)
    except duckdb.OutOfMemoryException:
        return build(None)


def _saved(lake: Path, base: Base, folder: Path | None) -> Base:
    """Keep a base; return it from where it is kept, so that it takes no memory."""
    if folder is None:
        return base
    try:
        save_base(lake, base)
    except OSError:  # The disk is full: an answer needs it not.
        return base
    return open_base(lake) or base


def _catch_up(known: Known, listing: Listing, columns: Columns, *, tail: Tail | None = None) -> None:
    """Take in what came after the base: in files, and with a tail what is not in files yet."""
    origin, written = known.base.origin, listing.written.reach
    if (written.position, written.group) != (origin.position, origin.group):
        connection = _database(_files_of(origin, listing.files, is_after=True))
        try:
            known.take(read_delta(connection, columns, position=origin.position, group=origin.group))
        finally:
            connection.close()
    if tail is not None:
        _follow(known, tail, written, listing.reach, columns=columns)


def _follow(known: Known, tail: Tail, after: Reach, reach: Reach, *, columns: Columns) -> None:
    """Take in what is in no file yet, as views that follow do: making tables of it takes far longer."""
    if (after.position, after.group) == (reach.position, reach.group):
        return
    slices = Slices(columns)
    try:
        while (after.position, after.group) != (reach.position, reach.group):
            slice_ = tail.read(after, reach, n_events=SLICE_EVENTS)
            known.take(slices.delta(slice_))
            after = slice_.reach
    finally:
        slices.close()


def _database(files: Iterable[File]) -> DuckDBPyConnection:
    connection = open_database()
    connection.execute(f"SET threads = {os.cpu_count() or 1}")
    join_tables(connection, [file for file in files if file.table in READ])
    return connection


def _files_of(origin: Origin, files: Iterable[File], *, is_after: bool) -> list[File]:
    """Return the files that have rows of a base, or rows that came after it; some have both."""
    found = []
    for file in files:
        end = origin.position if file.table == EVENTS.name else origin.group
        if file.last > end if is_after else file.first <= end:
            found.append(file)
    return found


def _origin(listing: Listing) -> Origin:
    reach = listing.written.reach
    days = _days(listing.files, reach.position, reach.group)
    return Origin(reach.position, reach.group, listing.written.mark, days)


def _days(files: Iterable[File], position: int, group: int) -> tuple[str, ...]:
    """Return the days that have rows up to a position and a group."""
    ends = {EVENTS.name: position, "session_changes": group}
    return tuple(
        sorted({f"{file.table} {file.date}" for file in files if file.first <= ends.get(file.table, 0)})
    )


def _columns(base: Base) -> Columns:
    def named(prefix: str) -> tuple[str, ...]:
        return tuple(name.removeprefix(prefix) for name in base.rows if name.startswith(prefix))

    return Columns(named(TEXT), named(NUMBER))


def _together(one: Columns, other: Columns) -> Columns:
    return Columns(tuple(sorted({*one.texts, *other.texts})), tuple(sorted({*one.numbers, *other.numbers})))


def _missing(base: Base, columns: Columns) -> Columns | None:
    texts = tuple(name for name in columns.texts if text_key(name) not in base.rows)
    numbers = tuple(name for name in columns.numbers if number_key(name) not in base.rows)
    return Columns(texts, numbers) if texts or numbers else None


def _narrowed(base: Base, columns: Columns) -> Base:
    """Leave out the attributes that nobody asks for."""
    gone = {text_key(name) for name in _columns(base).texts if name not in columns.texts}
    gone |= {number_key(name) for name in _columns(base).numbers if name not in columns.numbers}
    rows = {name: column for name, column in base.rows.items() if name not in gone}
    words = {name: texts for name, texts in base.words.items() if name not in gone}
    return base._replace(rows=rows, words=words)


@contextmanager
def _alone(lake: Path) -> Iterator[Path | None]:
    """Wait to be the only one who writes; yields the folder, None where it cannot be written."""
    folder = lake / FOLDER
    with ExitStack() as stack:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            stack.enter_context(locked(folder / LOCK, wait=True))
            for staged in folder.glob(f"{STAGED}*"):  # by somebody who was killed
                shutil.rmtree(staged)
        except OSError:
            yield None
            return
        yield folder
