"""Reading: a file of logged decisions, one a row, encoded."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from msgspec import Struct

from sojourn.analytics.policies.decisions import Decisions, Floats, Half, encode, of_rows, rows_of_half
from sojourn.analytics.sql.names import quoted, text_sql
from sojourn.definitions.suggestions import did_you_mean
from sojourn.model.errors import ConfigError, InputError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

COLUMNS = ("variant", "reward", "propensity", "context", "person", "eligible", "target")
"""What a row may say. The first three it must."""
_NEEDED = 3
_READERS = {
    ".parquet": "read_parquet({file})",
    ".csv": "read_csv({file}, header = true, all_varchar = true)",
    ".tsv": "read_csv({file}, header = true, all_varchar = true, delim = '\t')",
    ".jsonl": "read_json({file}, format = 'newline_delimited')",
}

_Eligible = msgspec.json.Decoder(dict[str, float])


class Logged(Struct, frozen=True):
    """Decisions of a file, and what a policy would have drawn with which probability, where the file says."""

    decisions: Decisions
    target: Floats | None = None

    def half(self, which: Half) -> Logged:
        """Return those of one half of the people."""
        rows = rows_of_half(self.decisions, which)
        target = None if self.target is None else self.target[rows]
        return Logged(of_rows(self.decisions, rows), target)


def parse_columns(text: str) -> dict[str, str]:
    """Read `variant=item_id,reward=click` (what=column).

    Raises:
        ConfigError: A part is not what=column, stands twice, or is nothing that a decision has.
    """
    columns: dict[str, str] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        what, _, column = (piece.strip() for piece in part.partition("="))
        if what not in COLUMNS or not column or what in columns:
            raise ConfigError(
                f"--map: expected what=column, each once, of {', '.join(COLUMNS)}; got {part!r}"
            )
        columns[what] = column
    return columns


def read_decisions(file: Path, columns: Mapping[str, str]) -> Logged:
    """Read decisions from Parquet, CSV, TSV or JSON lines (text packed with gzip or not).

    Columns are `variant`, `reward` and `propensity`, and, where they are there: `context` (the name of a
    cell), `person`, `eligible` (JSON: variant -> probability) and `target` (the probability under the policy
    to be evaluated). `columns` are other names of them.

    Raises:
        ConfigError: There is no such file, or a column is missing.
        InputError: It cannot be read, or a row cannot be; it says which.
    """
    import duckdb  # noqa: PLC0415 - takes longer to load than the command line's help

    with duckdb.connect() as connection:
        try:
            connection.execute(f"create view rows as from {_call(file)}")
            found = _columns(connection, file, columns)
            rows = _rows(connection, found)
        except duckdb.Error as error:
            raise InputError("damaged-file", str(error).splitlines()[0], path=str(file)) from None
    decisions = encode(
        variant=rows["variant"],
        reward=rows["reward"],
        propensity=rows["propensity"],
        context=rows.get("context"),
        person=rows.get("person"),
        eligible=_eligible(rows["eligible"], str(file)) if "eligible" in rows else None,
        place=str(file),
    )
    return Logged(decisions, _target(rows["target"], str(file)) if "target" in rows else None)


def _call(file: Path) -> str:
    suffixes = [suffix.lower() for suffix in file.suffixes]
    is_packed = suffixes[-1:] == [".gz"]
    kind = "".join(suffixes[:-1][-1:] if is_packed else suffixes[-1:])
    if kind not in _READERS or (is_packed and kind == ".parquet"):
        raise ConfigError(f"{file}: expected a file named *.parquet, *.csv, *.tsv or *.jsonl, text also *.gz")
    if not file.is_file():
        raise ConfigError(f"{file}: there is no such file")
    return _READERS[kind].format(file=text_sql(str(file)))


def _columns(connection: DuckDBPyConnection, file: Path, others: Mapping[str, str]) -> dict[str, str]:
    """Return the columns of the file that say what we know."""
    there = [str(row[0]) for row in connection.execute("describe rows").fetchall()]
    found = {name: name for name in COLUMNS if name in there}
    for what, column in others.items():
        if column not in there:
            raise ConfigError(f"{file}: has no column {column!r}{did_you_mean(column, there)}")
        found[what] = column
    missing = [name for name in COLUMNS[:_NEEDED] if name not in found]
    if missing:
        example = ",".join(f"{name}=COLUMN" for name in missing)
        known = ", ".join(there)[:300]
        raise ConfigError(
            f"{file}: its columns ({known}) do not say {' and '.join(missing)}: --map {example}"
        )
    return found


def _rows(connection: DuckDBPyConnection, columns: Mapping[str, str]) -> dict[str, Any]:
    numbers = ("reward", "propensity", "target")
    texts = {what: f"{quoted(column)}::varchar" for what, column in columns.items()}
    # Trimmed, which a reader of CSV cannot do by itself: otherwise it casts, and fails where it should not.
    chosen = ", ".join(
        f"try_cast(trim({text}) as double) as {what}" if what in numbers else f"{text} as {what}"
        for what, text in texts.items()
    )
    rows = connection.execute(f"select {chosen} from rows").fetchnumpy()
    masked = {what: np.ma.asarray(values) for what, values in rows.items()}
    return {
        what: values.filled(np.nan) if what in numbers else values.tolist() for what, values in masked.items()
    }


def _target(values: Any, place: str) -> Floats:
    found = np.asarray(values, dtype=np.float64)
    bad = ~((found >= 0) & (found <= 1))
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        reason = f"row {row + 1}: expected a target probability from 0 to 1, got {found[row]:g}"
        raise InputError("bad-decision", reason, path=place)
    return found


def _eligible(texts: list[str | None], place: str) -> list[dict[str, float] | None]:
    known: dict[str | None, dict[str, float] | None] = {None: None, "": None}
    for row, text in enumerate(texts):
        if text not in known:
            try:
                known[text] = _Eligible.decode(text or "")
            except msgspec.MsgspecError:
                reason = (
                    f"row {row + 1}: `eligible` must be JSON, variant -> probability, got {str(text)[:80]!r}"
                )
                raise InputError("bad-decision", reason, path=place) from None
    return [known[text] for text in texts]
