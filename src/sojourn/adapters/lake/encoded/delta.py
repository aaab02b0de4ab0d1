"""Delta: what came after a base, read from tables as they were written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sojourn.adapters.lake.encoded.ledger import NOBODY, Aliased, Owned
from sojourn.adapters.lake.encoded.rows import NO_TIME, NUMBER, TEXT, number_key, text_key
from sojourn.adapters.lake.encoded.visits import Revision
from sojourn.analytics.reading.columns import Schema
from sojourn.analytics.reading.encoding import text_of
from sojourn.analytics.reading.mapping import unknown_column

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

PLACE = "the lake's events"
"""For messages."""
VISIT_SQL = "CASE WHEN {0} IS NULL OR {0} = '' THEN 0::UBIGINT ELSE hash({0}) END"
"""SQL of a visit's hash."""


class Columns(NamedTuple):
    """Attributes that are asked for, by the names of their columns."""

    texts: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()


class DeltaRows(NamedTuple):
    """Rows of events, column by column, in the order of the log."""

    profiles: Sequence[str]
    names: Sequence[str | None]
    at: NDArray[np.int64]
    position: NDArray[np.int64]
    visit: NDArray[np.uint64]
    texts: dict[str, Sequence[str | None]]
    """By `text_key`."""
    numbers: dict[str, NDArray[np.float64]]
    """By `number_key`."""


class Delta(NamedTuple):
    """Rows of events, and what was learnt of people and visits, each in order."""

    rows: DeltaRows
    owned: list[Owned]
    aliased: list[Aliased]
    revisions: list[Revision]


def read_delta(
    connection: DuckDBPyConnection, columns: Columns, *, position: int = 0, group: int = 0
) -> Delta:
    """Read what the schema `raw` has after a position and a group."""
    schema = Schema.of_relation(connection.sql("SELECT * FROM raw.events"), place=PLACE)
    later = f"(SELECT * FROM raw.events WHERE position > {position})"
    rows = fetch_rows(connection, later, expressions(schema, columns))
    return Delta(rows, *_identities(connection, group), _revisions(connection, group))


def fetch_rows(connection: DuckDBPyConnection, events: str, attributes: Mapping[str, str]) -> DeltaRows:
    """Read rows.

    Args:
        connection: Where they are.
        events: What stands behind FROM: it has the columns of the lake's events.
        attributes: SQL of each, by its key.
    """
    chosen = [
        "profile_id", "name", f"coalesce(epoch_ms(occurred_at), {NO_TIME})", "position",
        VISIT_SQL.format("session_id"), *attributes.values(),
    ]  # fmt: skip
    named = ", ".join(f"{sql} AS c{i}" for i, sql in enumerate(chosen))
    found = connection.execute(
        f"SELECT {named} FROM {events} WHERE profile_id IS NOT NULL ORDER BY position"
    ).fetchnumpy()
    profiles, names, at, position, visit, *rest = (found[f"c{i}"] for i in range(len(chosen)))
    told = dict(zip(attributes, rest, strict=True))
    return DeltaRows(
        profiles=_texts(profiles),
        names=_texts(names),
        at=_plain(at, np.int64),
        position=_plain(position, np.int64),
        visit=_plain(visit, np.uint64),
        texts={key: _texts(values) for key, values in told.items() if key.startswith(TEXT)},
        numbers={
            key: np.ma.filled(values.astype(np.float64), np.nan)
            for key, values in told.items()
            if key.startswith(NUMBER)
        },
    )


def expressions(schema: Schema, columns: Columns) -> dict[str, str]:
    """Return SQL of each attribute, by its key; raises ConfigError where there is no such column."""
    found: dict[str, str] = {}
    for name in columns.texts:
        text = text_of([_found(schema, name)])
        assert text is not None, "no column of the lake is a list or a struct"
        found[text_key(name)] = f"nullif(({text})::VARCHAR, '')"
    for name in columns.numbers:
        found[number_key(name)] = f"try_cast({_found(schema, name).sql} AS DOUBLE)"
    return found


def _found(schema: Schema, name: str) -> Any:
    found = schema.find(name)
    if found is None:
        raise unknown_column(name, schema.names(), place=schema.place)
    return found


def _identities(connection: DuckDBPyConnection, group: int) -> tuple[list[Owned], list[Aliased]]:
    rows = connection.execute(
        "SELECT change, profile_id, anonymous_id, user_id, other_id, position FROM raw.identity_changes "
        f"WHERE fact_group > {group} AND (change = 'identified' OR reason = 'merge-limit') "
        "ORDER BY position, fact_group, fact_n"
    ).fetchall()
    owned: list[Owned] = []
    aliased: list[Aliased] = []
    for change, profile, device, user, other, position in rows:
        if change != "identified":
            owned.append(Owned(f"a:{other}", NOBODY, position))
        elif device is not None:
            owned.append(Owned(f"a:{device}", profile, position))
        elif user is not None:
            aliased.append(Aliased(profile, f"u:{user}"))
    return owned, aliased


REVISIONS = """
SELECT {person} AS person_id, t.profile_id, position, hash(old) AS old, hash(session_id) AS new,
       fact_group, fact_n
FROM (
    SELECT *, unnest(string_split(replaces, ',')) AS old FROM raw.session_changes
    WHERE change = 'revised' AND replaces IS NOT NULL AND fact_group > {group}
) t {join}
WHERE old <> session_id
"""


def _revisions(connection: DuckDBPyConnection, group: int) -> list[Revision]:
    sql = REVISIONS.format(person="NULL", group=group, join="")
    return [Revision(*row) for _, *row in connection.execute(sql).fetchall()]


def _texts(fetched: NDArray[Any]) -> list[Any]:
    return list(fetched.tolist())


def _plain(fetched: NDArray[Any], kind: Any) -> NDArray[Any]:
    return np.ma.getdata(fetched).astype(kind, copy=False)
