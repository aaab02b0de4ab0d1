"""Instants: what a file writes as a time, read as milliseconds since 1970 UTC.

The rules are those of `sojourn import`: a time without a zone is UTC; a number's unit is told by its size.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# An epoch number's unit is told by its size: each bound is the year 5138 in the unit before it.
_SECONDS_BELOW = 10**11
_MILLISECONDS_BELOW = 10**14
_MICROSECONDS_BELOW = 10**17
_NANOSECONDS_BELOW = 10**20

_INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")
_UNSIGNED = tuple(f"U{name}" for name in _INTEGERS)
_FRACTIONS = ("FLOAT", "DOUBLE", "DECIMAL")

_INFINITY = np.iinfo(np.int64).max  # as DuckDB keeps it, and minus that.


def instant_sql(column: str, type_: str) -> str | None:
    """Return SQL of a column's instants; None where its type holds no times.

    It gives a TIMESTAMP, or BIGINT milliseconds; null where there is no such instant. `milliseconds` takes
    both.

    Args:
        column: SQL of the column.
        type_: Its DuckDB type.
    """
    if type_.startswith("TIMESTAMP"):
        return column
    if type_ == "DATE":
        return f"{column}::timestamp"
    if type_ in _INTEGERS or type_ in _UNSIGNED:
        return _number_sql(f"{column}::hugeint")
    if type_.startswith(_FRACTIONS):
        return f"case when isfinite({column}::double) then {_number_sql(f'{column}::double')} end"
    if type_ in ("VARCHAR", "JSON"):
        return _text_sql(f"trim({column}::varchar)")
    return None


def milliseconds(fetched: NDArray[np.generic]) -> tuple[NDArray[np.int64], NDArray[np.bool_] | None]:
    """Return (ms since 1970, which rows are no instants; None where all are).

    Args:
        fetched: What DuckDB gave for `instant_sql`: integers or datetimes, perhaps masked. It may be changed
            in place: of ten million instants a copy is dear.
    """
    missing = np.ma.getmaskarray(fetched) if isinstance(fetched, np.ma.MaskedArray) else None
    plain = np.ma.getdata(fetched)
    if plain.dtype.kind != "M":
        return plain.astype(np.int64, copy=False), missing
    unit, _ = np.datetime_data(plain.dtype)
    at = plain.view(np.int64)
    if len(at) and (at.max() == _INFINITY or at.min() == -_INFINITY):
        infinite = np.abs(at) == _INFINITY
        missing = infinite if missing is None else missing | infinite
    if unit in ("us", "ns"):
        at //= {"us": 1_000, "ns": 1_000_000}[unit]
    elif unit == "s":
        at *= 1_000
    return at, missing


def _number_sql(number: str) -> str:
    size = f"abs({number})"
    return (
        f"case when {size} < {_SECONDS_BELOW} then round({number} * 1000)::bigint"
        f" when {size} < {_MILLISECONDS_BELOW} then floor({number})::bigint"
        f" when {size} < {_MICROSECONDS_BELOW} then floor({number} / 1000)::bigint"
        f" when {size} < {_NANOSECONDS_BELOW} then floor({number} / 1000000)::bigint end"
    )


def _text_sql(text: str) -> str:
    # Eight digits are a date, 20240131: as seconds they would be a day in 1970, which no product has seen.
    number = _number_sql(f"try_cast({text} as decimal(38, 9))")
    moment = f"try_cast({text} as timestamptz)"
    return (
        f"case when regexp_full_match({text}, '\\d{{8}}') then epoch_ms(try_strptime({text}, '%Y%m%d'))"
        f" when regexp_full_match({text}, '-?\\d+(\\.\\d*)?') then {number}"
        f" when isfinite({moment}) then epoch_ms({moment}) end"
    )
