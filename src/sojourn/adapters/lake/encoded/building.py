"""Building: a base made from a lake's files alone, in a few passes over their columns."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sojourn.adapters.lake.encoded.base import Base, Origin, Revisions
from sojourn.adapters.lake.encoded.delta import PLACE, REVISIONS, VISIT_SQL, Columns, expressions
from sojourn.adapters.lake.encoded.ledger import KeptLedger
from sojourn.adapters.lake.encoded.rows import (
    AT,
    NAME,
    NO_TIME,
    POSITION,
    PROFILE,
    TEXT,
    VISIT,
    Rows,
    numbered,
    offsets,
    session_starts,
)
from sojourn.adapters.lake.encoded.visits import Revision, rename
from sojourn.adapters.lake.encoded.words import Places
from sojourn.adapters.lake.resolving import FIRST_OWNERS, JOIN_PEOPLE, PERSON, resolve_people
from sojourn.adapters.lake.writing import text
from sojourn.analytics.chunks import taken
from sojourn.analytics.names import Names
from sojourn.analytics.ordering import stable_order
from sojourn.analytics.reading.columns import Schema
from sojourn.analytics.reading.encoding import Encoder

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

STAGED = "staged-"
"""What folders begin with that rows are put down in."""

_PERSON = "person"
_TEXTS = (_PERSON, PROFILE, NAME)
_KINDS = {POSITION: np.int64, AT: np.int64, VISIT: np.uint64}


def build_base(
    connection: DuckDBPyConnection, origin: Origin, columns: Columns, *, folder: Path | None
) -> Base:
    """Make a base of all that the schema `raw` has.

    Args:
        connection: Nothing else lies in it.
        origin: What the schema has.
        columns: The attributes to keep; more can be added.
        folder: Where rows are put down meanwhile; None: where the system has such files.
    """
    aliases = resolve_people(connection)
    chosen = {
        _PERSON: PERSON, PROFILE: "t.profile_id", NAME: "t.name",
        AT: f"coalesce(epoch_ms(t.occurred_at), {NO_TIME})", VISIT: VISIT_SQL.format("t.session_id"),
    }  # fmt: skip
    rows, words = _encoded(connection, chosen, columns, folder=folder, end=origin.position)
    person, people = rows.pop(_PERSON), words.pop(_PERSON)
    order = stable_order(rows[POSITION])
    for keys in (rows[AT], person):
        order = stable_order(keys, order)
    starts = offsets(np.bincount(person, minlength=len(people)))
    rows = {name: taken(column, order) for name, column in rows.items()}
    revisions = _revisions(connection)
    session = numbered(_visits(rows[VISIT], starts, people, revisions), starts)
    return Base(
        origin=origin,
        people=people,
        starts=starts,
        session=session,
        session_starts=session_starts(session, starts),
        rows=rows,
        words=words,
        ledger=_ledger(connection, aliases),
        revisions=revisions,
    )


def build_columns(
    connection: DuckDBPyConnection, base: Base, columns: Columns, *, folder: Path | None
) -> tuple[Rows, dict[str, Names]]:
    """Read more attributes of the rows of a base; the schema `raw` may have later ones, too."""
    rows, words = _encoded(connection, {}, columns, folder=folder, end=base.origin.position)
    position = rows.pop(POSITION)
    assert len(position) == len(base.session), "rows of a day are never changed"
    place = np.empty(base.origin.position + 1, dtype=np.int64)
    place[position] = np.arange(len(position))
    order = place[base.rows[POSITION]]
    return {name: taken(column, order) for name, column in rows.items()}, words


def _encoded(
    connection: DuckDBPyConnection, chosen: dict[str, str], columns: Columns, *, folder: Path | None, end: int
) -> tuple[Rows, dict[str, Names]]:
    """Read some expressions, and the attributes, of all rows; they stand in one order, of no meaning."""
    schema = Schema.of_relation(connection.sql("SELECT * FROM raw.events"), place=PLACE)
    chosen = {POSITION: "t.position", **chosen, **expressions(schema, columns)}
    names = {name: f"c{i}" for i, name in enumerate(chosen)}
    selected = ", ".join(f"{sql} AS {names[name]}" for name, sql in chosen.items())
    joined = JOIN_PEOPLE if _PERSON in chosen else ""
    with TemporaryDirectory(dir=folder, prefix=STAGED) as staged:
        file = Path(staged) / "rows.parquet"
        connection.execute(
            f"COPY (SELECT {selected} FROM raw.events t {joined} "
            f"WHERE t.profile_id IS NOT NULL AND t.position <= {end}) "
            f"TO {text(file)} (FORMAT parquet, COMPRESSION lz4)"
        )
        encoder = Encoder(connection, f"read_parquet({text(file)})")
        rows: Rows = {}
        words: dict[str, Names] = {}
        for name, column in names.items():
            if name in _TEXTS or name.startswith(TEXT):
                rows[name], texts = encoder.encode(column)
                words[name] = Names.of(texts)
            else:
                rows[name] = _numbers(encoder.fetch(column), name)
        return rows, words


def _numbers(fetched: NDArray[Any], name: str) -> NDArray[Any]:
    if name in _KINDS:
        return np.ma.getdata(fetched).astype(_KINDS[name], copy=False)
    return np.ma.filled(fetched.astype(np.float64, copy=False), np.nan)


def _visits(
    visits: NDArray[np.uint64], starts: NDArray[np.int64], people: Names, revisions: Revisions
) -> NDArray[np.uint64]:
    """Return the names of visits as they are by now."""
    renamed, places, stretches = visits.copy(), Places(people), []
    for i, person in enumerate(revisions.people):
        place, is_there = places.find(person)
        if is_there:
            low, high = starts[place : place + 2].tolist()
            stretches.append((low, high, revisions.of(i)))
    rename(renamed, stretches)
    return renamed


def _ledger(connection: DuckDBPyConnection, aliases: Mapping[str, str]) -> KeptLedger:
    found = connection.execute(f"{FIRST_OWNERS} ORDER BY profile_id").fetchall()
    profiles = sorted(aliases)
    return KeptLedger(
        devices=Names.of(row[0] for row in found),
        owners=Names.of(row[1] for row in found),
        until=np.array([row[2] for row in found], dtype=np.int64),
        profiles=Names.of(profiles),
        targets=Names.of(aliases[profile] for profile in profiles),
    )


def _revisions(connection: DuckDBPyConnection) -> Revisions:
    rows = connection.execute(REVISIONS.format(person=PERSON, group=0, join=JOIN_PEOPLE)).fetchall()
    found: dict[str, list[Revision]] = {}
    for person, *row in rows:
        found.setdefault(person, []).append(Revision(*row))
    return Revisions.of_people(found)
