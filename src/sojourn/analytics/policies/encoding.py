"""Encoding: rows of decisions in a database, as numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from sojourn.analytics.policies.decisions import (
    Decisions,
    Floats,
    Half,
    check,
    of_rows,
    rows_of_half,
)
from sojourn.model.errors import InputError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

COLUMNS = ("variant", "reward", "propensity", "context", "person", "eligible", "target")
"""What a row may say. The first three it must."""
NUMBERS = frozenset({"reward", "propensity", "target"})

# Told apart in the order of their names, so that the same rows make the same numbers. Whoever is nobody known
# is a person of their own; the halves are of people, and stay theirs whatever other rows there are.
_NUMBERED = """
    SELECT variants.code AS variant, reward, propensity,
           {context} AS context, {person} AS person, {half} AS half, {eligible} AS eligible,
           {target} AS target
    FROM given JOIN variant_numbers AS variants ON variants.name = given.variant {joins}
    ORDER BY given.rowid
"""
_WHO = "coalesce('+' || person, '=' || given.rowid)"
_HALF = "coalesce(md5_number_lower(person) % 2, given.rowid % 2) = 1"

_decode = msgspec.json.Decoder(dict[str, float]).decode


class Logged(Struct, frozen=True):
    """Decisions, and what a policy would have drawn with which probability, where the rows say."""

    decisions: Decisions
    target: Floats | None = None

    def half(self, which: Half) -> Logged:
        """Return those of one half of the people."""
        rows = rows_of_half(self.decisions, which)
        target = None if self.target is None else self.target[rows]
        return Logged(of_rows(self.decisions, rows), target)


def encode(
    connection: DuckDBPyConnection,
    table: str,
    columns: Mapping[str, str],
    *,
    place: str,
    left_out: Mapping[str, int] | None = None,
) -> Logged:
    """Encode the rows of a table, in their order.

    Args:
        connection: Where the table is.
        table: Its name.
        columns: Of COLUMNS, what the table says -> an expression for it: a number, or a text.
        place: Where the rows come from, for messages.
        left_out: Rows that are none of them, by reason; carried along.

    Raises:
        InputError: There is no row, a number is outside its bounds, or a distribution contradicts itself.
    """
    chosen = ", ".join(f"{expression} AS {what}" for what, expression in columns.items())
    connection.execute(f"CREATE OR REPLACE TEMP TABLE given AS SELECT {chosen} FROM {table}")
    _check_variants(connection, place)
    distributions = _distributions(connection, place) if "eligible" in columns else {}
    named = {name for shares in distributions.values() for name in shares}
    variants = tuple(sorted(named.union(_texts(connection, "variant"))))
    contexts = _texts(connection, "coalesce(context, '')") if "context" in columns else ("",)
    _number(connection, "variant", variants)
    _number(connection, "context", contexts)
    _number(connection, "eligible", tuple(distributions))
    found = connection.execute(_numbered(columns, has_distributions=bool(distributions))).fetchnumpy()
    decisions = Decisions(
        variants=variants,
        contexts=contexts,
        variant=_codes(found["variant"]),
        context=_codes(found["context"]),
        reward=_floats(found["reward"]),
        propensity=_floats(found["propensity"]),
        person=_codes(found["person"]),
        n_people=int(found["person"].max()) + 1,
        half=np.asarray(found["half"], dtype=bool) if "person" in columns else None,
        drawn_from=_codes(found["eligible"]) if distributions else None,
        eligible=_table_of(distributions, variants) if distributions else None,
        left_out=left_out,
    )
    check(decisions, place)
    return Logged(decisions, _target(_floats(found["target"]), place) if "target" in columns else None)


def _check_variants(connection: DuckDBPyConnection, place: str) -> None:
    rows, nameless = connection.execute(
        "SELECT count(*), min(rowid) FILTER (variant IS NULL) FROM given"
    ).fetchall()[0]
    if not rows:
        raise InputError("no-decisions", "holds no decision to learn from", path=place, status=404)
    if nameless is not None:
        raise InputError("bad-decision", f"row {nameless + 1}: says no variant", path=place)


def _texts(connection: DuckDBPyConnection, expression: str) -> tuple[str, ...]:
    rows = connection.execute(f"SELECT DISTINCT {expression} AS it FROM given").fetchall()
    return tuple(sorted(str(text) for (text,) in rows))


def _distributions(connection: DuckDBPyConnection, place: str) -> dict[str, dict[str, float]]:
    """Read what could have been drawn, by the text that says so; nothing where any row says nothing."""
    rows = connection.execute(
        "SELECT eligible, min(rowid) FROM given GROUP BY eligible ORDER BY 2"
    ).fetchall()
    found = {}
    for text, row in rows:
        try:
            shares = {} if text is None else _decode(text)
        except msgspec.MsgspecError:
            reason = f"row {row + 1}: `eligible` must be JSON, variant -> probability, got {text[:80]!r}"
            raise InputError("bad-decision", reason, path=place) from None
        if not shares:
            return {}
        found[text] = shares
    return found


def _number(connection: DuckDBPyConnection, what: str, names: Sequence[str]) -> None:
    """Make a table of names and their numbers."""
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {what}_numbers AS "
        "SELECT unnest($names::VARCHAR[]) AS name, unnest(range(len($names)))::INTEGER AS code",
        {"names": list(names)},
    )


def _numbered(columns: Mapping[str, str], *, has_distributions: bool) -> str:
    has_person = "person" in columns
    joins = "JOIN context_numbers AS cells ON cells.name = coalesce(given.context, '')"
    return _NUMBERED.format(
        context="cells.code" if "context" in columns else "0",
        person=f"(dense_rank() OVER (ORDER BY {_WHO}) - 1)" if has_person else "given.rowid",
        half=_HALF if has_person else "false",
        eligible="sets.code" if has_distributions else "0",
        target="target" if "target" in columns else "NULL::DOUBLE",
        joins=(joins if "context" in columns else "")
        + (" JOIN eligible_numbers AS sets ON sets.name = given.eligible" if has_distributions else ""),
    )


def _table_of(distributions: Mapping[str, Mapping[str, float]], variants: Sequence[str]) -> Floats:
    return np.array([[shares.get(name, 0.0) for name in variants] for shares in distributions.values()])


def _codes(values: Any) -> NDArray[np.int32]:
    return np.asarray(values, dtype=np.int32)


def _floats(values: Any) -> Floats:
    return np.ma.filled(np.ma.asarray(values, dtype=np.float64), np.nan)


def _target(found: Floats, place: str) -> Floats:
    bad = ~((found >= 0) & (found <= 1))
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        reason = f"row {row + 1}: expected a target probability from 0 to 1, got {found[row]:g}"
        raise InputError("bad-decision", reason, path=place)
    return found
