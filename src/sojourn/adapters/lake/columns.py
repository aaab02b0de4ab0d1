"""Columns: a slice of entries and facts laid out as DuckDB's tables, column by column, never row by row."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from msgspec import Raw, Struct

from sojourn.analytics.sql.names import quoted
from sojourn.model.event import Entry, Event
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
TABLE_OF = {kind: table for table in FACT_TABLES for kind in table.facts}
"""Which table a kind of facts makes rows of."""
_encode = msgspec.json.Encoder().encode

Array = np.ndarray[Any, Any]
Placed = tuple[int, int, Fact]
"""(fact_group, fact_n, a fact)."""


def empty(connection: DuckDBPyConnection, table: Table, *, schema: str) -> None:
    """Make a table without rows, with its columns and the day, which files have in their folder's name."""
    columns = ", ".join(f"{quoted(column.name)} {DUCKDB_TYPES[column.kind]}" for column in table.columns)
    connection.execute(f"CREATE OR REPLACE TABLE {schema}.{table.name} ({columns}, date DATE)")


def fill(connection: DuckDBPyConnection, slice_: Slice, *, schema: str) -> list[str]:
    """Add a slice to tables that `empty` made; return the names of those that got rows."""
    kinds = _by_kind(
        (group, place, fact) for group, facts in slice_.groups for place, fact in enumerate(facts)
    )
    laid = _facts(kinds)
    if slice_.entries:
        laid[EVENTS.name] = _events(slice_.entries, kinds, None)
    return _insert(connection, laid, schema=schema)


def fill_apart(
    connection: DuckDBPyConnection, entries: Sequence[Entry], facts: Iterable[Placed], *, schema: str
) -> list[str]:
    """Add entries, and facts of others: what steps say of events stays NULL; as `fill`."""
    laid = _facts(_by_kind(facts))
    if entries:
        laid[EVENTS.name] = _events(entries, {}, None)
    return _insert(connection, laid, schema=schema)


def _insert(
    connection: DuckDBPyConnection, laid: Mapping[str, Mapping[str, Array]], *, schema: str
) -> list[str]:
    for name, arrays in laid.items():
        chosen = ", ".join(_chosen(column, arrays) for column in TABLES[name].columns)
        connection.register("incoming", arrays)
        connection.execute(
            f"INSERT INTO {schema}.{name} "
            f"SELECT *, CAST(logged_at AS DATE) FROM (SELECT {chosen} FROM incoming)"
        )
        connection.unregister("incoming")
    return list(laid)


def lay_events(
    entries: Sequence[Entry], steps: Iterable[StepTaken], wanted: Collection[str]
) -> tuple[dict[str, Array], str]:
    """Lay some columns of events out, without a table: return (arrays, SQL of their values).

    The SQL stands between SELECT and FROM, behind which the arrays stand; the columns are those of `events`.
    """
    taken = _Kind()
    taken.facts.extend(steps)
    arrays = _events(entries, {StepTaken: taken}, wanted)
    return arrays, ", ".join(_chosen(column, arrays) for column in EVENTS.columns if column.name in wanted)


def _chosen(column: Column, arrays: Mapping[str, Array]) -> str:
    name = quoted(column.name)
    is_there = column.name in arrays
    cast = _CASTS[column.kind].format(name) if is_there else f"CAST(NULL AS {DUCKDB_TYPES[column.kind]})"
    return f"{cast} AS {name}"


# -- Facts.


class _Kind:
    """All facts of one kind in a slice, column-wise."""

    __slots__ = ("facts", "groups", "places")

    def __init__(self) -> None:
        self.groups: list[int] = []
        self.places: list[int] = []
        self.facts: list[Fact] = []


_Kinds = dict[type[Fact], _Kind]


def _by_kind(facts: Iterable[Placed]) -> _Kinds:
    kinds: _Kinds = defaultdict(_Kind)
    for group, place, fact in facts:
        kind = kinds[type(fact)]
        kind.groups.append(group)
        kind.places.append(place)
        kind.facts.append(fact)
    return kinds


def _facts(kinds: _Kinds) -> dict[str, dict[str, Array]]:
    tables: dict[str, list[type[Fact]]] = defaultdict(list)
    for kind in kinds:
        tables[TABLE_OF[kind].name].append(kind)
    return {
        name: _table(TABLES[name], {kind: kinds[kind] for kind in found}) for name, found in tables.items()
    }


def _table(table: Table, kinds: _Kinds) -> dict[str, Array]:
    """Lay out the facts of some kinds that share a table."""
    laid = {}
    for column in table.columns:
        parts = [_values(table, column, kind, rows) for kind, rows in kinds.items()]
        if any(part is not None for part in parts):
            n_rows = [len(rows.facts) for rows in kinds.values()]
            arrays = [_array(column, *pair) for pair in zip(parts, n_rows, strict=True)]
            laid[column.name] = arrays[0] if len(arrays) == 1 else np.concatenate(arrays)
    return laid


def _values(table: Table, column: Column, kind: type[Fact], rows: _Kind) -> Sequence[Any] | None:
    """Return one column's values of the facts of a kind; None where the kind has no such field."""
    if column.name == "fact_group":
        return rows.groups
    if column.name == "fact_n":
        return rows.places
    if column.name == table.word:
        return [table.facts[kind]] * len(rows.facts)
    if column.field not in kind.__struct_fields__:
        return None
    return _known(map(attrgetter(column.field), rows.facts))


def _known(values: Iterable[Any]) -> Sequence[Any] | None:
    """Return values as a list; None where all of them are None, which costs nothing further."""
    listed = list(values)
    return listed if any(value is not None for value in listed) else None


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
            return _objects([None] * n_rows if values is None else _texts(values))


def _objects(values: Sequence[Any]) -> Array:
    return np.array(values, dtype=object)


def _integers(values: Sequence[Any]) -> Array:
    try:
        return np.array(values, dtype=np.int64)
    except TypeError:
        return _integers([MISSING if each is None else each for each in values])
    except OverflowError:  # nothing of ours counts that far; what somebody made up must not stop the lake
        return np.array([max(min(each, -MISSING - 1), MISSING + 1) for each in values], dtype=np.int64)


def _texts(values: Sequence[Any]) -> Sequence[str | None]:
    """Write values as JSON; bytes of JSON are text already."""
    if not isinstance(values[0], Raw):
        return list(map(_json, values))
    # One decoding instead of thousands. JSON has no NUL in it; should one be there, it is done one by one.
    texts = b"\0".join(values).decode("utf-8", "replace").split("\0")
    return texts if len(texts) == len(values) else [str(each, "utf-8", "replace") for each in values]


def _json(value: Any) -> str | None:
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
_OF_CONTEXT = {"campaign_source", "campaign_medium", "campaign_name", "page_path"}
_decode_context = msgspec.json.Decoder(_Context).decode
_decode_page = msgspec.json.Decoder(_Page).decode


def _events(entries: Sequence[Entry], kinds: _Kinds, wanted: Collection[str] | None) -> dict[str, Array]:
    laid = {}
    for column, values in _event_values(entries, kinds, wanted):
        known = _known(values)
        if known is not None:
            laid[column.name] = _array(column, known, len(entries))
    return laid


def _event_values(
    entries: Sequence[Entry], kinds: _Kinds, wanted: Collection[str] | None
) -> Iterator[tuple[Column, Iterable[Any]]]:
    """Yield the values of every column that some entry may have; with `wanted`, only of these."""
    events = [entry.event for entry in entries]
    is_context_read = wanted is None or not _OF_CONTEXT.isdisjoint(wanted)
    contexts = [_context(event.context) if is_context_read else _NOTHING for event in events]
    steps = {fact.position: fact for fact in kinds[StepTaken].facts} if StepTaken in kinds else {}
    parts: dict[str, Sequence[Any]] = {
        "step": [steps.get(entry.position) for entry in entries],
        "campaign": [context.campaign for context in contexts],
        "device": [event.device for event in events],
        "geo": [event.geo for event in events],
    }
    is_there = {name: any(each is not None for each in values) for name, values in parts.items()}
    for column in EVENTS.columns:
        if wanted is not None and column.name not in wanted:
            continue
        part, field = _PARTS.get(column.name, ("", column.field))
        if column.name == "page_path":
            yield column, map(_page_path, events, contexts)
        elif not part:
            holders: Sequence[Any] = events if field in Event.__struct_fields__ else entries
            yield column, map(attrgetter(field), holders)
        elif is_there[part]:
            nothing = -1 if column.kind == "flag" else None
            yield column, [nothing if one is None else getattr(one, field) for one in parts[part]]


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
