"""Keeping Iceberg's tables in order: few files, no old snapshots, and nobody who was forgotten.

All of it may run beside the writer. Whoever of two commits second is refused, looks again, and goes on top;
what is done here carries on how far the table is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from msgspec import Struct

from sojourn.adapters.lake.iceberg.catalogue import (
    DATE,
    OWNER,
    Place,
    library,
    load_tables,
    open_catalogue,
    properties_of,
    reached,
)
from sojourn.model.errors import UnavailableError
from sojourn.model.ids import ProfileId
from sojourn.model.lake import EVENTS, TABLES

if TYPE_CHECKING:
    from pyiceberg.table import Table as IcebergTable

FEW_FILES = 8
"""So many files of one day are merged, once it is over."""
MERGED_BYTES = 128 << 20
"""A day's files of one table that are more stay as they are: it is merged in memory."""
TRIES = 10
FORGOTTEN = "sojourn.forgotten"
LEDGER, STEPS = "identity_changes", "steps"


class Leaving(Struct, frozen=True, kw_only=True):
    """Somebody who is forgotten."""

    people: Collection[ProfileId]
    """Profiles that go whole."""
    users: Collection[str]
    devices: Collection[str]
    """Those that are nobody else's."""
    stand_ins: Mapping[str, str]
    """What others' rows say in the place of each id of theirs."""


class IcebergKeeper:
    """The tables, open to be kept in order."""

    def __init__(self, place: Place) -> None:
        """Open them; raises ConfigError where there are none."""
        self._tables = load_tables(open_catalogue(place), place.namespace)
        self._errors = library("pyiceberg.exceptions")

    @property
    def clock(self) -> int:
        """The latest instant of anything in them, ms."""
        reach = reached(self._tables[EVENTS.name])
        return reach.clock if reach else 0

    def erase(self, leaving: Leaving) -> int:
        """Remove every row of somebody, and their ids from the rows of others; return how many rows went.

        Files that have such rows are written anew. The old ones are still there, for older snapshots: until
        `expire`. Done twice it does no harm; a crash in between leaves rows, and it is to be done again.
        """
        ops = library("pyiceberg.expressions")
        n_rows = self._change(EVENTS.name, lambda table: _delete(table, self._events_of(leaving)))
        theirs = ops.In("profile_id", sorted(leaving.people))
        # Steps go last: they tell which events are theirs.
        for name in sorted(self._tables.keys() - {EVENTS.name}, key=lambda name: name == STEPS):
            n_rows += self._change(name, lambda table: _delete(table, theirs))
        if LEDGER in self._tables:
            self._change(LEDGER, lambda table: _rename(table, leaving.stand_ins))
        return n_rows

    def merge(self) -> int:
        """Merge the small files of days that are over, a person's rows together; return how many days."""
        today = datetime.fromtimestamp(self.clock / 1_000, UTC).date()
        n_days = 0
        for name in self._tables:
            for day in _scattered(self._tables[name], before=today):
                n_days += self._change(name, partial(_merge, day))
        return n_days

    def drop(self, *, keep_ms: int) -> int:
        """Remove days that were kept long enough, but what today's answers rest on; count the rows."""
        ops = library("pyiceberg.expressions")
        first = datetime.fromtimestamp((self.clock - keep_ms) / 1_000, UTC).date()
        old = ops.LessThan(DATE.name, first.isoformat())
        names = [name for name in self._tables if not TABLES[name].is_kept_for_ever]
        return sum(self._change(name, lambda table: _delete(table, old)) for name in names)

    def expire(self, *, before: datetime, unused: datetime) -> int:
        """Remove snapshots from before an instant, and the files that no other needs; count the files.

        Among them are those that a killed writer left; none younger than `unused`, for whoever is about to
        commit it.
        """
        n_files = sum(self._change(name, lambda table: _expire(table, before)) for name in self._tables)
        return n_files + sum(_sweep(table.refresh(), unused) for table in self._tables.values())

    @property
    def forgotten(self) -> int:
        """Up to which control everybody who was forgotten is erased for good: its instant, ms."""
        return int(self._tables[EVENTS.name].properties.get(FORGOTTEN, "0"))

    def note_forgotten(self, at: int) -> None:
        """Note that up to a control everybody is."""

        def note(table: IcebergTable) -> int:
            with table.transaction() as transaction:
                transaction.set_properties({FORGOTTEN: str(at)})
            return 0

        self._change(EVENTS.name, note)

    def _events_of(self, leaving: Leaving) -> Any:
        """Say which events are theirs, by their positions.

        By nothing else: of a row with NULLs pyiceberg 0.12 keeps what one side of an Or says is to go.
        """
        found: set[int] = set()
        if STEPS in self._tables:
            found |= _numbers(self._tables[STEPS].refresh(), "position", {"profile_id": leaving.people})
        ids = {*leaving.users, *leaving.devices}
        said = {"user_id": leaving.users, "anonymous_id": leaving.devices, "previous_id": ids}
        found |= _numbers(self._tables[EVENTS.name].refresh(), "position", said)
        return library("pyiceberg.expressions").In("position", sorted(found))

    def _change(self, name: str, change: Callable[[IcebergTable], int]) -> int:
        """Change a table; where somebody else did meanwhile, look at it anew."""
        for _ in range(TRIES):
            try:
                return change(self._tables[name].refresh())
            except (self._errors.CommitFailedException, self._errors.ValidationException):
                continue
        raise UnavailableError(f"{OWNER}: table {name} is changed all the time; try again later")


def _delete(table: IcebergTable, rows: Any) -> int:
    n_before = _n_rows(table)
    if not any(True for _ in table.scan(rows).plan_files()):
        return 0
    table.delete(rows, snapshot_properties=properties_of(reached(table)))
    return n_before - _n_rows(table)


def _rename(table: IcebergTable, stand_ins: Mapping[str, str]) -> int:
    """Let the ledger's rows of others say something else in the place of ids."""
    compute, ops = library("pyarrow.compute"), library("pyiceberg.expressions")
    names = ("other_id", "user_id", "anonymous_id")
    concerned = ops.In("fact_n", sorted(_numbers(table, "fact_n", dict.fromkeys(names, stand_ins))))
    rows = table.scan(concerned).to_arrow()
    if not rows.num_rows:
        return 0
    for name in names:
        column = rows[name]
        for told, stand_in in stand_ins.items():
            column = compute.if_else(compute.equal(column, told), stand_in, column)
        rows = rows.set_column(rows.column_names.index(name), name, column)
    nothing = library("pyarrow").nulls(rows.num_rows, rows["message_id"].type)
    rows = rows.set_column(rows.column_names.index("message_id"), "message_id", nothing)
    table.overwrite(rows, concerned, snapshot_properties=properties_of(reached(table)))
    return int(rows.num_rows)


def _numbers(table: IcebergTable, number: str, said: Mapping[str, Collection[str]]) -> set[int]:
    """Return what numbers rows in which a column says one of some values."""
    ops = library("pyiceberg.expressions")
    found: set[int] = set()
    for column, values in said.items():
        if values:
            rows = table.scan(ops.In(column, sorted(values)), selected_fields=(number,)).to_arrow()
            found |= set(rows[number].to_pylist())
    return found


def _scattered(table: IcebergTable, *, before: date) -> list[date]:
    """Return the days that are over and lie in many files, which together are not too large."""
    sizes: dict[date, list[int]] = defaultdict(list)
    for task in table.scan().plan_files():
        day = date(1970, 1, 1) + timedelta(days=task.file.partition[0])
        sizes[day].append(task.file.file_size_in_bytes)
    return sorted(
        day
        for day, files in sizes.items()
        if day < before and len(files) >= FEW_FILES and sum(files) <= MERGED_BYTES
    )


def _merge(day: date, table: IcebergTable) -> int:
    ops = library("pyiceberg.expressions")
    of_day = ops.EqualTo(DATE.name, day.isoformat())
    rows = table.scan(of_day).to_arrow()
    order = (
        ("profile_id", "fact_group", "fact_n") if "fact_n" in rows.column_names else ("user_id", "position")
    )
    rows = rows.sort_by([(name, "ascending") for name in order])
    table.overwrite(rows, of_day, snapshot_properties=properties_of(reached(table)))
    return 1


def _expire(table: IcebergTable, before: datetime) -> int:
    current = table.current_snapshot()
    last = before.timestamp() * 1_000
    if all(each is current or each.timestamp_ms >= last for each in table.snapshots()):
        return 0
    needed = _files(table)
    table.maintenance.expire_snapshots().older_than(before).commit()
    gone = needed - _files(table.refresh())
    for path in sorted(gone):
        table.io.delete(path)
    return len(gone)


def _files(table: IcebergTable) -> set[str]:
    """Return all that any snapshot needs."""
    found: set[str] = set()
    for snapshot in table.snapshots():
        found.add(snapshot.manifest_list)
        for manifest in snapshot.manifests(table.io):
            if manifest.manifest_path not in found:
                found.add(manifest.manifest_path)
                entries = manifest.fetch_manifest_entry(table.io, discard_deleted=True)
                found |= {entry.data_file.file_path for entry in entries}
    return found


def _sweep(table: IcebergTable, unused: datetime) -> int:
    """Remove what lies in a table's folder and nothing refers to."""
    arrow, files = library("pyiceberg.io.pyarrow"), library("pyarrow.fs")
    at = urlsplit(table.location())
    store = arrow.PyArrowFileIO(table.io.properties).fs_by_scheme(at.scheme or "file", at.netloc)
    described = {table.metadata_location, *(each.metadata_file for each in table.metadata.metadata_log)}
    needed = {_plain(path) for path in _files(table) | described}
    lying = store.get_file_info(files.FileSelector(at.netloc + at.path, recursive=True, allow_not_found=True))
    gone = [each.path for each in lying if each.is_file and each.path not in needed and each.mtime < unused]
    for path in gone:
        store.delete_file(path)
    return len(gone)


def _plain(path: str) -> str:
    at = urlsplit(path)
    return at.netloc + at.path


def _n_rows(table: IcebergTable) -> int:
    return sum(task.file.record_count for task in table.scan().plan_files())
