"""Columns: a slice of entries and facts laid out as DuckDB's tables, column by column, never row by row."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from msgspec import Raw, Struct

from sojourn.model.event import Event
from sojourn.model.fact import Fact, StepTaken
from sojourn.model.lake import EVENTS, FACT_TABLES, TABLES, Column, Kind, Slice, Table

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MISSING = -(1 << 63)
"""Stands for NULL among integers; no instant and no count is that."""

DUCKDB_TYPES: dict[Kind, str] = {
    "text": "VARCHAR",
    "names": "VARCHAR",
    "json": "VARCHAR",
    "integer": "BIGINT",
    "number": "DOUBLE",
    "flag": "BOOLEAN",
    "instant": "TIMESTAMP",
}

# What of Python's values becomes which of DuckDB's. Instants outside the years 1 to 9999 are no instants.
_CASTS: dict[Kind, str] = {
    "text": "nullif({0}, '')",
    "names": "nullif({0}, '')",
    "json": "nullif({0}, '{{}}')",
    "integer": f"nullif({{0}}, {MISSING})",
    "number": "{0}",
    "flag": "CAST(nullif({0}, -1) AS BOOLEAN)",
    "instant": "CASE WHEN {0} BETWEEN -62135596800000 AND 253402300799999 THEN make_timestamp_ms({0}) END",
}
_TABLE_OF = {kind: table for table in FACT_TABLES for kind in table.facts}
_encode = msgspec.json.Encoder().encode

Array = np.ndarray[Any, Any]


def quoted(name: str) -> str:
    """Write a name so that no dialect's keywords are in its way."""
    return '"' + name.replace('"', '""') + '"'


def empty(connection: DuckDBPyConnection, table: Table, *, schema: str) -> None:
    """Make a table without rows, with its columns and the day, which files have in their folder's name."""
    columns = ", ".join(f"{quoted(column.name)} {DUCKDB_TYPES[column.kind]}" for column in table.columns)
    connection.execute(f"CREATE OR REPLACE TABLE {schema}.{table.name} ({columns}, date DATE)")


def fill(connection: DuckDBPyConnection, slice_: Slice, *, schema: str) -> list[str]:
    """Add a slice to tables that `empty` made; return the names of those that got rows."""
    laid = _facts(slice_)
    if slice_.entries:
        laid[EVENTS.name] = _events(slice_)
    for name, arrays in laid.items():
        chosen = ", ".join(_chosen(column, arrays) for column in TABLES[name].columns)
        connection.register("incoming", arrays)
        connection.execute(
            f"INSERT INTO {schema}.{name} "
            f"SELECT *, CAST(logged_at AS DATE) FROM (SELECT {chosen} FROM incoming)"
        )
        connection.unregister("incoming")
    return list(laid)


def _chosen(column: Column, arrays: Mapping[str, Array]) -> str:
    name = quoted(column.name)
    cast = _CASTS[column.kind].format(name) if column.name in arrays else "NULL"
    return f"{cast} AS {name}"


# -- Facts.


def _facts(slice_: Slice) -> dict[str, dict[str, Array]]:
    rows: dict[type[Fact], list[tuple[int, int, Fact]]] = defaultdict(list)
    for group, facts in slice_.groups:
        for n, fact in enumerate(facts):
            rows[type(fact)].append((group, n, fact))
    kinds: dict[str, list[type[Fact]]] = defaultdict(list)
    for kind in rows:
        kinds[_TABLE_OF[kind].name].append(kind)
    return {name: _table(found, rows) for name, found in kinds.items()}


def _table(
    kinds: Sequence[type[Fact]], rows: Mapping[type[Fact], list[tuple[int, int, Fact]]]
) -> dict[str, Array]:
    """Lay out the facts of some kinds that share a table."""
    table = _TABLE_OF[kinds[0]]
    laid = {}
    unzipped = {kind: tuple(zip(*rows[kind], strict=True)) for kind in kinds}
    for column in table.columns:
        parts = [_values(table, kind, column, unzipped[kind]) for kind in kinds]
        n_rows = [len(rows[kind]) for kind in kinds]
        if any(part is not None for part in parts):
            arrays = [_array(column, *pair) for pair in zip(parts, n_rows, strict=True)]
            laid[column.name] = arrays[0] if len(arrays) == 1 else np.concatenate(arrays)
    return laid


def _values(
    table: Table, kind: type[Fact], column: Column, rows: Sequence[Sequence[Any]]
) -> Sequence[Any] | None:
    """Return one column's values of the facts of a kind; None where the kind has no such field."""
    groups, places, facts = rows
    if column.name == "fact_group":
        return groups
    if column.name == "fact_n":
        return places
    if column.name == table.word:
        return [table.facts[kind]] * len(facts)
    if column.field not in kind.__struct_fields__:
        return None
    return _known(map(attrgetter(column.field), facts))


def _known(values: Iterable[Any]) -> Sequence[Any] | None:
    """Return values as a list; None where all of them are None, which costs nothing further."""
    listed = list(values)
    return None if listed.count(None) == len(listed) else listed


def _array(column: Column, values: Sequence[Any] | None, n_rows: int) -> Array:
    """Turn one column's values into an array; without values, all of it is NULL."""
    match column.kind:
        case "integer" | "instant":
            return np.full(n_rows, MISSING) if values is None else _integers(values)
        case "number":
            return np.full(n_rows, np.nan) if values is None else np.array(values, dtype=np.float64)
        case "flag":
            return np.full(n_rows, -1, dtype=np.int8) if values is None else np.array(values, dtype=np.int8)
        case "text":
            return _objects([None] * n_rows if values is None else values)
        case "names":
            return _objects([None] * n_rows if values is None else [",".join(each) for each in values])
        case "json":
            return _objects([None] * n_rows if values is None else list(map(_json, values)))


def _objects(values: Sequence[Any]) -> Array:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def _integers(values: Sequence[Any]) -> Array:
    known = values if None not in values else [MISSING if each is None else each for each in values]
    try:
        return np.array(known, dtype=np.int64)
    except OverflowError:  # nothing of ours counts that far; what somebody made up must not stop the lake
        return np.array([max(min(each, -MISSING - 1), MISSING + 1) for each in known], dtype=np.int64)


def _json(value: Any) -> str | None:
    if isinstance(value, Raw):
        return str(value, "utf-8", "replace")
    return _encode(value).decode() if value else None


# -- Events.


class _Campaign(Struct, gc=False):
    source: str | None = None
    medium: str | None = None
    name: str | None = None


class _Page(Struct, gc=False):
    path: str | None = None


class _Context(Struct, gc=False):
    campaign: _Campaign | None = None
    page: _Page | None = None


_NOTHING = _Context()

# Columns that come from a part of an event that may not be there: (the part, its field).
_PARTS = {
    "profile_id": ("step", "profile_id"),
    "session_id": ("step", "session_id"),
    "channel": ("step", "channel"),
    "campaign_source": ("campaign", "source"),
    "campaign_medium": ("campaign", "medium"),
    "campaign_name": ("campaign", "name"),
    "device_kind": ("device", "kind"),
    "browser": ("device", "browser"),
    "os": ("device", "os"),
    "is_bot": ("device", "is_bot"),
    "country": ("geo", "country"),
    "region": ("geo", "region"),
    "city": ("geo", "city"),
}
_decode_context = msgspec.json.Decoder(_Context).decode
_decode_page = msgspec.json.Decoder(_Page).decode


def _events(slice_: Slice) -> dict[str, Array]:
    entries = slice_.entries
    events = [entry.event for entry in entries]
    laid = {}
    for column, values in _event_values(slice_, events):
        known = _known(values)
        if known is not None:
            laid[column.name] = _array(column, known, len(entries))
    return laid


def _event_values(slice_: Slice, events: Sequence[Event]) -> Iterator[tuple[Column, Iterable[Any]]]:
    """Yield the values of every column that entries have."""
    taken = _steps_of(slice_)
    contexts = [_context(event.context) for event in events]
    parts: dict[str, Sequence[Any]] = {
        "step": taken,
        "campaign": [context.campaign for context in contexts],
        "device": [event.device for event in events],
        "geo": [event.geo for event in events],
    }
    is_there = {name: any(each is not None for each in values) for name, values in parts.items()}
    for column in EVENTS.columns:
        part, field = _PARTS.get(column.name, ("", column.field))
        if column.name == "page_path":
            yield column, map(_page_path, events, contexts)
        elif not part:
            holders: Sequence[Any] = events if field in Event.__struct_fields__ else slice_.entries
            yield column, map(attrgetter(field), holders)
        elif is_there[part]:
            nothing = -1 if column.kind == "flag" else None
            yield column, [nothing if one is None else getattr(one, field) for one in parts[part]]


def _steps_of(slice_: Slice) -> list[StepTaken | None]:
    """Return the step that each entry took; None where it took none."""
    steps = {fact.position: fact for _, facts in slice_.groups for fact in facts if type(fact) is StepTaken}
    return [steps.get(entry.position) for entry in slice_.entries]


def _context(raw: Raw) -> _Context:
    """Read what the table shows of a context; what is not as the spec says is as if it were not there."""
    try:
        return _decode_context(raw)
    except (msgspec.DecodeError, RecursionError):
        return _NOTHING


def _page_path(event: Event, context: _Context) -> str | None:
    if context.page is not None and context.page.path is not None:
        return context.page.path
    if event.kind != "page":
        return None
    try:
        return _decode_page(event.properties).path
    except (msgspec.DecodeError, RecursionError):
        return None
