"""The catalogue: where the tables are, what they look like, and how far each of them has come.

Every commit of ours carries, in its snapshot, what it took of the topics; the table's own properties have the
same, for when somebody has expired that snapshot.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from sojourn.model.errors import ConfigError
from sojourn.model.lake import EVENTS, TABLES, VERSION, Column, Kind, Table

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog
    from pyiceberg.table import Table as IcebergTable

OWNER = "cluster.lake"
OFFSETS = "sojourn.offsets"
LAYOUT = "sojourn.layout"

OF_STEPS = frozenset({"profile_id", "session_id", "channel"})
"""Columns of events that say what their steps say: readers join those, which come in another topic."""
DATE = Column("date", "text", "the day of `logged_at`, in UTC")

PROPERTIES = {
    "format-version": "2",
    LAYOUT: str(VERSION),
    # A commit on top of what somebody else committed meanwhile is to fail: it may be the same rows.
    "commit.retry.num-retries": "0",
    "commit.manifest-merge.enabled": "true",
    "write.metadata.delete-after-commit.enabled": "true",
    "write.metadata.previous-versions-max": "20",
    "write.parquet.compression-codec": "zstd",
}

_TYPES: dict[Kind, str] = {
    "text": "StringType",
    "names": "StringType",
    "json": "StringType",
    "integer": "LongType",
    "number": "DoubleType",
    "flag": "BooleanType",
    "instant": "TimestampType",
}


class Place(Struct, frozen=True, kw_only=True):
    """Where a lake is: a catalogue, and what of it is not to be told."""

    catalog: dict[str, str]
    """Properties, as pyiceberg names them."""
    catalog_env: dict[str, str] = {}
    """Those that are secrets, each with the environment variable that holds it."""
    namespace: str = "sojourn"

    def __repr__(self) -> str:
        return f"Place(namespace={self.namespace!r})"


class Reached(Struct, frozen=True, kw_only=True):
    """How far a table has come: all of the topics up to here, and nothing after."""

    log: str
    """Whose topics: the Kafka cluster's id, and the installation's prefix."""
    next: dict[str, list[int]] = {}
    """Topic, without its prefix -> the offset to go on at, for each partition."""
    clock: int = 0
    """The latest instant of anything in it, ms."""

    def at(self, topic: str, partition: int) -> int:
        """Return where to go on in a partition."""
        return self.known(topic, partition) or 0

    def known(self, topic: str, partition: int) -> int | None:
        """Return where to go on in a partition; None where nothing of it was taken ever."""
        known = self.next.get(topic, [])
        return known[partition] if partition < len(known) else None


def library(name: str) -> Any:
    """Return a module of pyiceberg; ConfigError where it is not installed."""
    try:
        return import_module(name)
    except ImportError:
        raise ConfigError(
            f"{OWNER}: needs pyiceberg; install it with: pip install 'sojourn[iceberg]' [no-iceberg]"
        ) from None


def open_catalogue(place: Place) -> Catalog:
    """Open a catalogue; raises ConfigError where that cannot be done."""
    catalog = library("pyiceberg.catalog")
    properties = dict(place.catalog)
    for key, variable in place.catalog_env.items():
        if not os.environ.get(variable):
            raise ConfigError(f"{OWNER}: environment variable {variable} is not set [no-secret]")
        properties[key] = os.environ[variable]
    try:
        opened: Catalog = catalog.load_catalog("sojourn", **properties)
    except Exception as error:  # whatever its driver says of what is wrong with the settings
        raise refusal(place, error) from None
    return opened


def refusal(place: Place, error: Exception) -> ConfigError:
    """Say that a catalogue does not answer, without what is secret."""
    said = f"{type(error).__name__}: {error}".splitlines()[0]
    for variable in place.catalog_env.values():
        said = said.replace(os.environ.get(variable) or "\0", "***")
    return ConfigError(
        f"{OWNER}: the catalogue does not answer, or refuses: {said[:500]}; see cluster.lake.catalog, and "
        "that it is up [lake-catalog]"
    )


def make_tables(catalog: Catalog, namespace: str) -> dict[str, IcebergTable]:
    """Return every table, made where it is not there, with columns that a newer release has added.

    Raises ConfigError where a newer release made them.
    """
    catalog.create_namespace_if_not_exists(namespace)
    made = {}
    for table in TABLES.values():
        found = catalog.create_table_if_not_exists(
            f"{namespace}.{table.name}",
            schema=_schema(table),
            partition_spec=_by_date(table),
            properties=PROPERTIES,
        )
        _check(found, table)
        made[table.name] = _grown(found, table)
    return made


def load_tables(catalog: Catalog, namespace: str) -> dict[str, IcebergTable]:
    """Return every table there is; raises ConfigError where there is none."""
    errors = library("pyiceberg.exceptions")
    found = {}
    for name, table in TABLES.items():
        try:
            found[name] = catalog.load_table(f"{namespace}.{name}")
        except errors.NoSuchTableError:
            continue
        _check(found[name], table)
    if EVENTS.name not in found:
        raise ConfigError(
            f"{OWNER}: namespace {namespace!r} has no lake yet; `sojourn cluster lake` makes it [no-lake]"
        )
    return found


def columns_of(table: Table) -> tuple[Column, ...]:
    """Return the columns that a table has in Iceberg; beside them, all have a `date`."""
    if table is not EVENTS:
        return table.columns
    return tuple(column for column in table.columns if column.name not in OF_STEPS)


def reached(table: IcebergTable) -> Reached | None:
    """Return how far a table says that it has come; None where nobody has written to it.

    Others may have made newer snapshots: to merge files, say. What they are made of says it.
    """
    metadata = table.metadata
    snapshot = metadata.current_snapshot()
    while snapshot is not None:
        said = None if snapshot.summary is None else snapshot.summary.additional_properties.get(OFFSETS)
        if said is not None:
            return msgspec.json.decode(said, type=Reached)
        parent = snapshot.parent_snapshot_id
        snapshot = None if parent is None else metadata.snapshot_by_id(parent)
    said = metadata.properties.get(OFFSETS)
    return None if said is None else msgspec.json.decode(said, type=Reached)


def properties_of(reach: Reached | None) -> dict[str, str]:
    """Write how far a table has come, for its snapshot and for the table."""
    return {} if reach is None else {OFFSETS: msgspec.json.encode(reach).decode()}


def _check(found: IcebergTable, table: Table) -> None:
    layout = found.metadata.properties.get(LAYOUT, "")
    if not layout.isdigit() or int(layout) > VERSION:
        said = f"was made by a newer Sojourn (layout {layout})" if layout.isdigit() else "is not ours"
        raise ConfigError(
            f"{OWNER}: table {table.name} {said}; use that release, or another cluster.lake.namespace "
            "[lake-newer]"
        )


def _grown(found: IcebergTable, table: Table) -> IcebergTable:
    there = set(found.schema().column_names)
    absent = [column for column in columns_of(table) if column.name not in there]
    if absent:
        with found.update_schema() as update:
            for column in absent:
                update.add_column(column.name, _type(column), doc=column.meaning)
    return found


def _schema(table: Table) -> Any:
    module, types = library("pyiceberg.schema"), library("pyiceberg.types")
    fields = [
        types.NestedField(number, column.name, _type(column), required=False, doc=column.meaning)
        for number, column in enumerate(columns_of(table), start=1)
    ]
    day = types.NestedField(len(fields) + 1, DATE.name, types.DateType(), required=False, doc=DATE.meaning)
    return module.Schema(*fields, day)


def _by_date(table: Table) -> Any:
    partitioning, transforms = library("pyiceberg.partitioning"), library("pyiceberg.transforms")
    source = len(columns_of(table)) + 1
    field = partitioning.PartitionField(
        source_id=source, field_id=1_000, transform=transforms.IdentityTransform(), name=DATE.name
    )
    return partitioning.PartitionSpec(field)


def _type(column: Column) -> Any:
    return getattr(library("pyiceberg.types"), _TYPES[column.kind])()
