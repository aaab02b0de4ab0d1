"""Reading: a file of aggregated paths, encoded; DuckDB reads and groups it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from sojourn.analytics.attribution.direct import DIRECT_NAMES, DirectRule, apply_direct_rule
from sojourn.analytics.attribution.names import tidy
from sojourn.analytics.attribution.paths import MAX_CHANNELS, Paths, Sample, summed
from sojourn.analytics.reading.frames import copy_frame
from sojourn.analytics.sql.names import quoted, text_sql
from sojourn.definitions.suggestions import did_you_mean
from sojourn.model.errors import ConfigError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

SEPARATOR = " > "
EmptyTouches = Literal["error", "drop"]

_COLUMNS = ("path", "total_conversions", "total_conversion_value", "total_null")
_READERS = {
    ".parquet": "read_parquet({file})",
    ".csv": "read_csv({file}, all_varchar = true, header = true, delim = ',', quote = '\"')",
    ".tsv": "read_csv({file}, all_varchar = true, header = true, delim = '\t', quote = '\"')",
}


class Reading(Struct, frozen=True, kw_only=True):
    """How a file of paths is to be understood."""

    columns: Mapping[str, str] = {}
    """Other names of columns, as ChannelAttribution's `var_path` and the like take them:
    `{"path": "journey", "total_conversions": "conv"}`."""
    separator: str | None = None
    """What is between touches. None: ` > `, and no name may hold a `>`; given, names may hold anything."""
    empty_touches: EmptyTouches = "error"
    """What becomes of a touch without a name; at an end of a path it is a stray separator, and dropped."""
    direct: DirectRule = "keep"
    direct_names: tuple[str, ...] = DIRECT_NAMES


def parse_columns(text: str) -> dict[str, str]:
    """Read `path=journey,total_conversions=conv` (what=column).

    Raises:
        ConfigError: A part is not what=column, or stands twice.
    """
    columns: dict[str, str] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        what, _, column = (piece.strip() for piece in part.partition("="))
        if not what or not column or what in columns:
            raise ConfigError(
                f"--map: expected what=column, each once, got {part!r}; for example path=journey"
            )
        columns[what] = column
    return columns


def read_paths(source: Path | str | Any, reading: Reading = Reading()) -> Paths:  # noqa: B008 - it is frozen
    """Read aggregated paths from Parquet, CSV or TSV (the last two packed with gzip or not), or from a table.

    Columns are `path` and `total_conversions`, and, where there are any, `total_conversion_value` and
    `total_null`: those of ChannelAttribution's frames. Rows of one path are summed. A row without a path is
    journeys without a touch.

    Args:
        source: A file, a DuckDB relation, or whatever speaks Arrow: a frame of pyarrow, polars or pandas, a
            `Table`.
        reading: How it is to be understood.

    Raises:
        ConfigError: It cannot be read, or holds what cannot be counted; it says the row.
    """
    import duckdb  # noqa: PLC0415 - takes longer to load than most questions

    name = str(source) if isinstance(source, str | Path) else "the table"
    with duckdb.connect() as connection:
        try:
            _open(connection, source)
            columns = _columns(connection, name, reading.columns)
            _group(connection, columns, name)
            paths = _encode(connection, reading, name)
        except duckdb.Error as error:
            raise ConfigError(f"{name}: {str(error).splitlines()[0]}") from None
    return apply_direct_rule(paths, reading.direct, reading.direct_names)


def _open(connection: DuckDBPyConnection, source: Any) -> None:
    """Make the source a view `rows`."""
    if not isinstance(source, str | Path):
        copy_frame(connection, source, "rows")
        return
    file = Path(source)
    suffixes = [suffix.lower() for suffix in file.suffixes]
    is_packed = suffixes[-1:] == [".gz"]
    kind = "".join(suffixes[:-1][-1:] if is_packed else suffixes[-1:])
    if kind not in _READERS or (is_packed and kind == ".parquet"):
        raise ConfigError(f"{file}: expected a file named *.parquet, *.csv, *.csv.gz, *.tsv or *.tsv.gz")
    if not file.is_file():
        raise ConfigError(f"{file}: there is no such file")
    call = _READERS[kind].format(file=text_sql(str(file)))
    connection.execute(f"create view rows as from {call}")


def _columns(connection: DuckDBPyConnection, name: str, others: Mapping[str, str]) -> dict[str, str]:
    """Return the columns we know by their names, as they are quoted."""
    there = [str(row[0]) for row in connection.execute("describe rows").fetchall()]
    found = {column.strip().lower(): quoted(column) for column in there}
    for column, other in others.items():
        if column not in _COLUMNS:
            raise ConfigError(f"{name}: {column!r} is no part of a path; those are {', '.join(_COLUMNS)}")
        if other not in there:
            raise ConfigError(f"{name}: has no column {other!r}{did_you_mean(other, there)}")
        found[column] = quoted(other)
    for column in _COLUMNS[:2]:
        if column not in found:
            raise ConfigError(
                f"{name}: expected a column {column!r}{did_you_mean(column, there)}; "
                f"there are {', '.join(there)}"
            )
    return {column: found[column] for column in _COLUMNS if column in found}


def _group(connection: DuckDBPyConnection, columns: dict[str, str], name: str) -> None:
    """Sum the rows into a table `cells`: one for each path and worth of one conversion."""
    texts = {
        short: f"trim({columns[column]}::varchar)" if column in columns else "'0'"
        for short, column in zip("cvn", _COLUMNS[1:], strict=True)
    }
    numbers = {
        short: f"try_cast({columns[column]} as double)" if column in columns else "0::double"
        for short, column in zip("cvn", _COLUMNS[1:], strict=True)
    }
    # A value may be missing where there is no conversion it could be of.
    connection.execute(f"""
        create view checked as
        select *, coalesce(
            c < 0 or n < 0 or not isfinite(c + n + coalesce(v, 0))
            or coalesce(v < 0 or (c = 0 and v > 0), false)
            or case when v is null then c > 0 or coalesce(v_text, '') <> '' else false end, true) as is_bad
        from (
            select coalesce({columns["path"]}::varchar, '') as path,
                   {numbers["c"]} as c, {numbers["v"]} as v, {numbers["n"]} as n,
                   {texts["c"]} as c_text, {texts["v"]} as v_text, {texts["n"]} as n_text
            from rows
        )
    """)
    # Whole numbers add up exactly in any order, fractions only with care: threads must decide no digit.
    types = dict(row[:2] for row in connection.execute("describe rows").fetchall())
    counts = [columns[column].strip('"') for column in (_COLUMNS[1], _COLUMNS[3]) if column in columns]
    add = "sum" if all("INT" in types.get(column, "") for column in counts) else "fsum"
    connection.execute(f"""
        create table cells as
        select path, worth, {add}(c) as c, {add}(c) * worth as v, {add}(n) as n, bool_or(is_bad) as is_bad
        from (select *, case when c > 0 and v is not null then v / c else 0 end as worth from checked)
        group by path, worth
    """)
    if connection.execute("select 1 from cells where is_bad limit 1").fetchall():
        raise ConfigError(f"{name}: {_first_bad_row(connection)}")


def _first_bad_row(connection: DuckDBPyConnection) -> str:
    (row, *texts) = connection.execute("""
        select row, c_text, v_text, n_text from (select row_number() over () as row, * from checked)
        where is_bad order by row limit 1
    """).fetchall()[0]
    return f"row {row:,}: {_what_is_bad(dict(zip(_COLUMNS[1:], texts, strict=True)))}"


def _what_is_bad(given: dict[str, str | None]) -> str:
    """Say why a row's numbers cannot be counted."""
    numbers: dict[str, float] = {}
    for name, text in given.items():
        if not text:
            if name == "total_conversion_value" and numbers["total_conversions"] == 0:
                numbers[name] = 0.0
                continue
            return f"{name} is missing; write 0 where there is none"
        try:
            numbers[name] = float(text)
        except ValueError:
            return f"{name} is {text!r}; expected a number"
        if not np.isfinite(numbers[name]) or numbers[name] < 0:
            return f"{name} is {text}; expected a number that is 0 or more"
    if numbers["total_conversion_value"] > 0 and numbers["total_conversions"] == 0:
        return "there is a value and no conversion it belongs to"
    return f"expected plain numbers, got {', '.join(filter(None, given.values()))}"


def _encode(connection: DuckDBPyConnection, reading: Reading, name: str) -> Paths:
    separator = SEPARATOR if reading.separator is None else reading.separator
    if not separator:
        raise ConfigError("the separator is empty; give what stands between touches, as ' > '")
    # An order of no meaning, but the same on every run: seeds depend on it. (Should two paths ever have one
    # hash, one of them may be kept in two parts, which changes nothing.)
    connection.execute("""
        create table ordered as
        select *, path is distinct from lag(path) over () as is_first
        from (select path, c, v, n from cells order by hash(path), worth)
    """)
    cells = connection.execute("select is_first, c, v, n from ordered").fetchnumpy()
    touches = _touches(connection, name, separator)
    place = (np.cumsum(_plain(cells["is_first"])) - 1).astype(np.int32)
    n_paths = int(place[-1]) + 1 if len(place) else 0
    sample = Sample(place, *(_plain(cells[column]) for column in "cvn"))
    sums = [summed(place, column, n_paths) for column in (sample.conversions, sample.value, sample.nulls)]
    paths = Paths(
        channels=touches.names,
        offsets=np.concatenate([[0], np.cumsum(np.bincount(touches.path, minlength=n_paths))]),
        codes=touches.codes,
        conversions=sums[0],
        value=sums[1],
        nulls=sums[2],
        sample=sample,
        rules={"source": f"paths of {name}", "window": "as the file has it"},
    )
    return tidy(
        paths, separator=separator, is_given=reading.separator is not None, empty=reading.empty_touches
    )


class _Touches(NamedTuple):
    """What stood between separators."""

    names: list[str]
    codes: NDArray[np.int32]
    path: NDArray[np.int64]


def _touches(connection: DuckDBPyConnection, name: str, separator: str) -> _Touches:
    """Split the paths; a dictionary does the rest."""
    connection.execute(
        """
        create table touches as
        select unnest(string_split(path, ?)) as name, path_number
        from (select path, row_number() over () - 1 as path_number from ordered where is_first)
        """,
        [separator],
    )
    rows = connection.execute("select distinct name from touches order by name").fetchall()
    names = [str(row[0]) for row in rows]
    if len(names) > MAX_CHANNELS:
        raise ConfigError(
            f"{name}: over {MAX_CHANNELS:,} different channels; is the separator {separator!r}? "
            "Say which it is, or group the channels"
        )
    if not names:
        return _Touches([], np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.int64))
    labels = ", ".join("'" + each.replace("'", "''") + "'" for each in names)
    connection.execute(f"create type channel as enum ({labels})")
    touches = connection.execute(
        "select enum_code(name::channel)::integer as code, path_number from touches"
    ).fetchnumpy()
    path = _plain(touches["path_number"])
    # DuckDB keeps the order of what it inserts, and all depends on it.
    assert not (np.diff(path) < 0).any()
    return _Touches(names, _plain(touches["code"]), path)


def _plain(column: Any) -> NDArray[Any]:
    """Take the mask away from a column that has no nulls."""
    return np.asarray(getattr(column, "data", column)) if isinstance(column, np.ma.MaskedArray) else column
