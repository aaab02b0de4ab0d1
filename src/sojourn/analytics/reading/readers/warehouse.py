"""Warehouse: the tables that Segment and RudderStack write, read as one history.

`tracks`, `pages` and `screens` are what people did, and so is each table of one event, which has the same
rows as `tracks` and their properties beside them; `identifies` says who a device belongs to.

An event that names a user is that user's. One that names a device alone is of whoever was last named on the
device by then; what was done before the first naming is of who was named first. That is the engine's own
rule, but for devices of many people, which it leaves to nobody. Every row with both ids names, as `identify`
does.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct, structs

from sojourn.analytics.reading.columns import Schema
from sojourn.analytics.reading.encoding import text_of
from sojourn.analytics.reading.instants import instant_sql
from sojourn.analytics.reading.mapping import Mapping, plain, unknown_column
from sojourn.analytics.sql.names import quoted, text_sql
from sojourn.model.errors import ConfigError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_VIEWS = {"pages": "page", "screens": "screen"}
"""Tables of views, and what a view without a name is called."""
_NAMINGS = "identifies"
_NO_STEPS = frozenset([_NAMINGS, "users", "groups", "accounts", "aliases", "rudder_discards"])
_MARKS = frozenset(["tracks", "identifies", "pages", "screens"])
"""A folder in which a file is called so is a warehouse, where it has _NEEDED columns."""
_SESSION = "context_session_id"  # RudderStack's; Segment's SDKs send none.
_NEEDED = ("id", "anonymous_id", "timestamp")

DATABASES = (".duckdb", ".ddb", ".db")


class Table(NamedTuple):
    """A table, and how DuckDB reads it."""

    name: str
    schema: Schema


class Warehouse(Struct, frozen=True, kw_only=True):
    """One history, written as one Parquet file."""

    part: Path
    mapping: Mapping
    """Of its columns."""
    n_duplicates: int
    """Rows of a table that had another one's id."""


def tables_of_files(connection: DuckDBPyConnection, paths: Sequence[Path]) -> list[Table] | None:
    """Return the tables that files hold, one each or a folder each; None where they are no warehouse.

    Raises:
        ConfigError: They are one, and a file among them is no table of it.
    """
    if any(path.suffix not in (".parquet", ".csv") for path in paths):
        return None
    by_folder = not any(path.stem in _MARKS for path in paths)
    files: dict[str, list[Path]] = {}
    for path in paths:
        files.setdefault(path.parent.name if by_folder else path.stem, []).append(path)
    if not _MARKS & files.keys():
        return None
    tables = [Table(name, _schema_of(connection, parts)) for name, parts in sorted(files.items())]
    if not any(_is_of_warehouse(table) for table in tables if table.name in _MARKS):
        return None
    for table in tables:
        if table.name not in _NO_STEPS and not _is_of_warehouse(table):
            raise ConfigError(
                f"{table.schema.place}: lies beside tables of a warehouse, and has no columns "
                f"{', '.join(_NEEDED)} as they have; leave it out, or move it away"
            )
    return tables


def tables_of_database(connection: DuckDBPyConnection, path: Path) -> list[Table]:
    """Return the tables of a DuckDB database, of all its schemas; others than a warehouse's are passed over.

    Raises:
        ConfigError: It is no database, or holds no such table.
    """
    import duckdb  # noqa: PLC0415 - it takes longer to load than the command line's help

    try:
        connection.execute(f"attach {text_sql(str(path))} as warehouse (type duckdb, read_only)")
    except duckdb.Error as error:
        reason = str(error).splitlines()[0]
        raise ConfigError(f"{path}: cannot be opened as a DuckDB database ({reason})") from None
    listed = connection.execute(
        "select schema_name, table_name from duckdb_tables() where database_name = 'warehouse' union all"
        " select schema_name, view_name from duckdb_views() where database_name = 'warehouse'"
        " and not internal"
        " order by all"
    ).fetchall()
    tables = []
    for schema, name in listed:
        source = f"warehouse.{quoted(schema)}.{quoted(name)}"
        relation = connection.sql(f"from {source}")
        tables.append(Table(name, Schema.of_relation(relation, place=f"{path}, table {name}", sql=source)))
    found = [table for table in tables if _is_of_warehouse(table)]
    if not any(table.name not in _NO_STEPS for table in found):
        raise ConfigError(
            f"{path}: has no table of events, as `tracks` with the columns {', '.join(_NEEDED)}; "
            f"there are {', '.join(name for _, name in listed) or 'none'}"
        )
    return found


def open_warehouse(
    connection: DuckDBPyConnection, tables: Sequence[Table], mapping: Mapping, *, folder: Path
) -> Warehouse:
    """Write the history of some tables.

    Args:
        connection: Where they are read.
        tables: What `tables_of_files` or `tables_of_database` returned.
        mapping: What is asked of them, as attributes; what it says of who, what and when comes before what is
            known of such tables.
        folder: Where the history is kept, for as long as it is read.

    Raises:
        ConfigError: No table has a column that is asked for.
    """
    steps = [table for table in tables if table.name not in _NO_STEPS]
    extras = list(dict.fromkeys([*mapping.attributes.values(), *mapping.values.values(), *mapping.without]))
    for column in extras:
        if not any(table.schema.find(column) for table in steps):
            known = dict.fromkeys(name for table in steps for name in table.schema.names())
            raise unknown_column(column, list(known), place=steps[0].schema.place)
    said = "\nunion all\n".join(_steps_sql(table, mapping, extras) for table in steps)
    connection.execute(f"create temp table said as {said}")
    namings = [_namings_sql(table) for table in tables if _is_of_warehouse(table)]
    connection.execute(f"create temp table namings as {' union '.join(filter(None, namings))}")
    part = folder / "warehouse.parquet"
    connection.execute(f"copy ({_resolved_sql(extras)}) to {text_sql(str(part))} (format parquet)")
    counted = "select count(*) - count(distinct (origin, id)) from said where id is not null"
    n_duplicates = int(connection.execute(counted).fetchall()[0][0])
    connection.execute("drop table said; drop table namings")
    place = {column: f"extra_{i}" for i, column in enumerate(extras)}
    has_sessions = any(table.schema.find(mapping.session or _SESSION) for table in steps)
    return Warehouse(
        part=part,
        mapping=structs.replace(
            mapping,
            person=("person",),
            step=("step",),
            time="happened_at",
            session="session" if has_sessions else "",
            page="page",
            sequence="",
            attributes={name: place[column] for name, column in mapping.attributes.items()},
            values={name: place[column] for name, column in mapping.values.items()},
            without={place[column]: values for column, values in mapping.without.items()},
        ),
        n_duplicates=n_duplicates,
    )


def _steps_sql(table: Table, mapping: Mapping, extras: Sequence[str]) -> str:
    """Select what one table says that people did."""
    name = table.name
    if name in _VIEWS:
        known = f"coalesce({_text(table, ['name'])}, {text_sql(_VIEWS[name])})"
    else:
        known = _text(table, ["event_text", "event"])
    step = _text(table, mapping.step) if mapping.step else known
    columns = {
        "id": _text(table, ["id"]),
        "anonymous_id": _text(table, ["anonymous_id"]),
        "user_id": _text(table, mapping.person or ["user_id"]),
        "step": step,
        "happened_at": _instant(table, mapping.time or "timestamp"),
        "received_at": _instant(table, "received_at"),
        "session": _text(table, [mapping.session or _SESSION]),
        "page": _text(table, [mapping.page] if mapping.page else ["path", "context_page_path", "url"]),
        # A table of one event has more columns than `tracks`, and the same rows.
        "rank": "2" if name == "tracks" else "1",
        "origin": text_sql(table.schema.sql),
        **{f"extra_{i}": _text(table, [column]) for i, column in enumerate(extras)},
    }
    chosen = ", ".join(f"{sql} as {column}" for column, sql in columns.items())
    return f"select {chosen} from {table.schema.sql}"


def _namings_sql(table: Table) -> str:
    """Select who was named on which device when; empty where the table never tells."""
    if table.schema.find("user_id") is None:
        return ""
    return (
        "select * from (select"
        f" {_text(table, ['anonymous_id'])} as anonymous_id, {_text(table, ['user_id'])} as user_id,"
        f" {_instant(table, 'timestamp')} as named_at from {table.schema.sql})"
        " where anonymous_id is not null and user_id is not null and named_at is not null"
    )


def _resolved_sql(extras: Sequence[str]) -> str:
    """Select each event once, with whose it is, in an order that no thread decides."""
    more = "".join(f", extra_{i}" for i, _ in enumerate(extras))
    return f"""
        with once as (
            select * from said
            qualify id is null or row_number() over (
                partition by id order by rank, received_at nulls last, happened_at, origin) = 1
        ), first_named as (
            select anonymous_id, arg_min(user_id, (named_at, user_id)) as user_id from namings group by all
        ), one_at_a_time as (
            select anonymous_id, named_at, max(user_id) as user_id from namings group by all
        )
        select coalesce(once.user_id, last_named.user_id, first_named.user_id, once.anonymous_id) as person,
               step, happened_at, session, page{more}
        from once
        asof left join one_at_a_time last_named
            on last_named.anonymous_id = once.anonymous_id and last_named.named_at <= once.happened_at
        left join first_named on first_named.anonymous_id = once.anonymous_id
        order by happened_at, received_at, id, step
    """


def _text(table: Table, columns: Sequence[str]) -> str:
    """Return SQL of the first of some columns that says something; those that are not there say nothing."""
    found = [one for one in map(table.schema.find, columns) if one is not None]
    texts = [f"nullif(({text})::varchar, '')" for text in (text_of([one]) for one in found) if text]
    return f"coalesce({', '.join(texts)})" if texts else "null::varchar"


def _instant(table: Table, column: str) -> str:
    """Return SQL of an instant as a timestamp without a zone, in UTC; null where there is none."""
    found = table.schema.find(column)
    sql = None if found is None else instant_sql(*found)
    if sql is None:
        return "null::timestamp"
    assert found is not None
    is_timestamp = found.type == "DATE" or found.type.startswith("TIMESTAMP")
    return f"({sql})::timestamp" if is_timestamp else f"make_timestamp_ms({sql})"


def _is_of_warehouse(table: Table) -> bool:
    known = {plain(name) for name in table.schema.names()}
    return all(plain(column) in known for column in _NEEDED)


def _schema_of(connection: DuckDBPyConnection, paths: Sequence[Path]) -> Schema:
    files = ", ".join(text_sql(str(path)) for path in paths)
    if paths[0].suffix == ".csv":
        source = f"read_csv([{files}], all_varchar = true, header = true, union_by_name = true)"
    else:
        source = f"read_parquet([{files}], union_by_name = true)"
    return Schema.of_relation(connection.sql(f"from {source}"), place=str(paths[0]), sql=source)
