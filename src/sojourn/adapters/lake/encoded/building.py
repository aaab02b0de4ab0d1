"""Building: a base made from a lake's files alone, in a few passes over their columns."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sojourn.adapters.lake.encoded.base import Base, Origin, Revisions
from sojourn.adapters.lake.encoded.delta import REVISIONS, VISIT_SQL, Columns
from sojourn.adapters.lake.encoded.ledger import KeptLedger
from sojourn.adapters.lake.encoded.rows import (
    AT,
    NAME,
    NO_TIME,
    POSITION,
    PROFILE,
    VISIT,
    Rows,
    numbered,
    offsets,
    session_starts,
)
from sojourn.adapters.lake.encoded.staging import WHO, Spool, Staged, by_people, confine
from sojourn.adapters.lake.encoded.visits import Revision, rename
from sojourn.adapters.lake.encoded.words import places_among
from sojourn.adapters.lake.resolving import FIRST_OWNERS, JOIN_PEOPLE, PERSON, resolve_people
from sojourn.analytics.chunks import taken
from sojourn.analytics.events import MISSING
from sojourn.analytics.names import Names
from sojourn.analytics.ordering import stable_order

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

STAGED = "staged-"
"""What folders begin with that rows are put down in."""

_SESSION = "session"
_CHOSEN = {
    WHO: PERSON,
    PROFILE: "t.profile_id",
    NAME: "t.name",
    AT: f"coalesce(epoch_ms(t.occurred_at), {NO_TIME})",
    VISIT: VISIT_SQL.format("t.session_id"),
}


def build_base(
    connection: DuckDBPyConnection,
    origin: Origin,
    columns: Columns,
    *,
    folder: Path | None,
    memory: str | None,
) -> Base:
    """Make a base of all that the schema `raw` has, some people at a time: memory does not grow with rows.

    Args:
        connection: Nothing else lies in it.
        origin: What the schema has.
        columns: The attributes to keep; more can be added.
        folder: Where rows are put down meanwhile; None: where the system has such files.
        memory: What DuckDB may take, as it says it; None: as much as there is.
    """
    with TemporaryDirectory(dir=folder, prefix=STAGED) as place:
        confine(connection, Path(place), memory)
        aliases = resolve_people(connection)
        revisions = _revisions(connection)
        staged = Staged(connection, Path(place), chosen=_CHOSEN, columns=columns, end=origin.position)
        words = dict(staged.words)
        people = words.pop(WHO)
        n_rows, rows = _in_order(staged, people, revisions, Path(place))
    session, starts = rows.pop(_SESSION), offsets(n_rows)
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
    connection: DuckDBPyConnection,
    base: Base,
    columns: Columns,
    *,
    folder: Path | None,
    memory: str | None,
) -> tuple[Rows, dict[str, Names]]:
    """Read more attributes of the rows of a base; the schema `raw` may have later ones, too."""
    with TemporaryDirectory(dir=folder, prefix=STAGED) as place:
        confine(connection, Path(place), memory)
        staged = Staged(connection, Path(place), chosen={}, columns=columns, end=base.origin.position)
        n_rows, n_read = len(base.session), 0
        row_at = np.empty(base.origin.position + 1, dtype=np.int64)
        row_at[base.rows[POSITION]] = np.arange(n_rows)
        rows: Rows = {}
        for piece in staged.pieces():
            places = row_at[piece.pop(POSITION)]
            n_read += len(places)
            for name, values in piece.items():
                if name not in rows:
                    rows[name] = np.empty(n_rows, dtype=values.dtype)
                rows[name][places] = values
    assert n_read == n_rows, "rows of a day are never changed"
    return rows, staged.words


def _in_order(
    staged: Staged, people: Names, revisions: Revisions, folder: Path
) -> tuple[NDArray[np.int64], Rows]:
    """Put each person's rows in order; return (how many everybody has, all columns and `_SESSION`)."""
    dealt, n_rows, stretches = by_people(staged, folder)
    ordered, n_sessions = Spool(folder / "ordered"), 0
    revised, _ = places_among(people, revisions.people)
    for low, high in pairwise(stretches):
        rows = dealt.read(low, high)
        person = rows.pop(WHO)
        order = stable_order(rows[POSITION])
        for keys in (rows[AT], person):
            order = stable_order(keys, order)
        rows = {name: taken(column, order) for name, column in rows.items()}
        first, last = (int(person.min()), int(person.max()) + 1) if len(person) else (0, 0)
        starts = offsets(n_rows[first:last])
        said = (
            (*starts[place - first : place - first + 2].tolist(), revisions.of(i))
            for i, place in enumerate(revised.tolist())
            if first <= place < last
        )
        visits = rows[VISIT].copy()
        rename(visits, said)
        session = numbered(visits, starts)
        rows[_SESSION] = np.where(session == MISSING, MISSING, session + n_sessions).astype(np.int32)
        n_sessions += int(session.max(initial=MISSING)) + 1
        ordered.write(rows, low)
    dealt.close()
    return n_rows, ordered.columns()


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
    said = REVISIONS.format(person=PERSON, group=0, join=JOIN_PEOPLE)
    rows = connection.execute(f"{said} ORDER BY fact_group, fact_n, old").fetchall()
    found: dict[str, list[Revision]] = {}
    for person, *row in rows:
        found.setdefault(person, []).append(Revision(*row))
    return Revisions.of_people(found)
