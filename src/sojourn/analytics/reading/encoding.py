"""Encoding: a column of text as small integers and its distinct texts, in two passes that DuckDB makes.

The first pass lists the distinct texts, sorted, each with its hash; the second gives every row's hash. Where
a row's text stands in the list is then a look-up of integers. The list is of texts, not of hashes: should two
texts share a hash, all are hashed otherwise, so the codes are exact.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sojourn.analytics.chunks import in_chunks
from sojourn.analytics.events import MISSING, Codes
from sojourn.analytics.ordering import Lookup, are_distinct
from sojourn.analytics.reading.columns import Found

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MAX_SALTS = 16  # ways to hash: one chance in 10^7 to need a second for a million texts.
_FEW = 512  # texts told apart by 16 bits of their hashes: a quarter of the bytes to move.
_WINDOW = 0xFFFF
_WINDOW_BITS = 16

_NUMBERS = ("FLOAT", "DOUBLE")
_PLAIN = (
    "VARCHAR", "UUID", "BOOLEAN", "DATE", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT",
    "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT",
)  # fmt: skip
_PLAIN_FAMILIES = ("ENUM", "DECIMAL", "TIMESTAMP")


def text_of(columns: Sequence[Found]) -> str | None:
    """Return SQL of what a row says: the first of some columns that says something; None: they hold no text.

    A whole number in a column of fractions is written as a whole one: tables turn 12 into 12.0 where a row
    has none.
    """
    texts = [_one_text(column) for column in columns]
    if None in texts:
        return None
    if len(columns) == 1:
        return texts[0]
    return f"coalesce({', '.join(f'nullif(({text})::varchar, {_EMPTY})' for text in texts)})"


class Dictionary(NamedTuple):
    """The texts of a column, and what tells them apart."""

    texts: list[str]
    """Distinct, sorted, none of them empty."""
    places: Callable[[NDArray[np.uint64]], NDArray[np.int32]]
    """From hashes to places: of what says nothing, and then of the texts."""
    window: int | None
    """How far right a hash is shifted to the bits that are looked at; None: it is looked at whole."""
    salt: int
    n_empty: int
    """How many places say nothing: of null, of the empty text."""


class Encoder:
    """Encodes columns of one table."""

    def __init__(self, connection: DuckDBPyConnection, table: str) -> None:
        """Take what stands behind FROM; its rows must come in the same order each time."""
        self._connection = connection
        self._table = table

    def fetch(self, sql: str) -> NDArray[np.generic]:
        """Return one expression for every row, masked where it is null."""
        fetched: NDArray[np.generic] = self._ask(f"select {sql} as v from {self._table}")["v"]
        return fetched

    def encode(self, text: str) -> tuple[Codes, list[str]]:
        """Return (each row's code, the texts): shape (n_rows,); a code is an index into the texts.

        What says nothing, null or empty, is MISSING. The texts are distinct and sorted.

        Args:
            text: SQL of the column, as `text_of` writes it.
        """
        dictionary = self.dictionary(text)
        return self.codes(text, dictionary), dictionary.texts

    def dictionary(self, text: str) -> Dictionary:
        """Return the distinct texts of all rows, sorted."""
        texts, hashes, salt = self._texts(text)
        n_empty = texts[:2].count("")
        window = _window(hashes) if len(hashes) <= _FEW else None
        if window is None:
            return Dictionary(texts[n_empty:], Lookup(hashes).places, None, salt, n_empty)
        table = np.zeros(_WINDOW + 1, dtype=np.int32)
        table[_windows(hashes, window)] = np.arange(len(hashes), dtype=np.int32)
        return Dictionary(texts[n_empty:], table.__getitem__, window, salt, n_empty)

    def codes(self, text: str, dictionary: Dictionary) -> Codes:
        """Return each row's code in a dictionary that has all its texts, shape (n_rows,)."""
        row_hash = _hash_sql(f"({text})", dictionary.salt)
        if dictionary.window is not None:
            row_hash = f"(({row_hash} >> {dictionary.window}) & {_WINDOW})::usmallint"
        keys, places = self._plain(row_hash), dictionary.places
        codes = np.empty(len(keys), dtype=np.int32)

        def look_up(part: slice) -> None:
            codes[part] = places(keys[part])

        in_chunks(look_up, len(keys))
        if dictionary.n_empty:
            codes -= dictionary.n_empty
            np.maximum(codes, MISSING, out=codes)
        return codes

    def hashes(self, text: str) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
        """Return (each row's hash of a text, the hashes of rows that say nothing)."""
        empty = self._ask(f"select unnest([hash(null), hash({_EMPTY})]) as v")["v"]
        return self._plain(f"hash(({text})::varchar)"), empty.astype(np.uint64)

    def _texts(self, text: str) -> tuple[list[str], NDArray[np.uint64], int]:
        """List the distinct texts, sorted, those that say nothing first, with hashes that differ."""
        for salt in range(MAX_SALTS):
            found = self._ask(
                f"select coalesce(v::varchar, {_EMPTY}) as text, {_hash_sql('v', salt)} as h"
                f" from (select distinct {text} as v from {self._table}) order by text, h"
            )
            hashes = found["h"].astype(np.uint64, copy=False)
            if are_distinct(hashes):
                return found["text"].tolist(), hashes, salt
        raise AssertionError(f"texts that no {MAX_SALTS} hashes tell apart")

    def _plain(self, sql: str) -> NDArray[np.uint64]:
        return np.ma.getdata(self.fetch(sql))

    def _ask(self, sql: str) -> dict[str, NDArray[np.generic]]:
        return self._connection.execute(sql).fetchnumpy()


_EMPTY = "''"


def _one_text(column: Found) -> str | None:
    sql, type_ = column
    if type_ == "JSON":
        return f"json_extract_string({sql}, '$')"
    if type_ in _NUMBERS:
        is_whole = f"{sql} = trunc({sql}) and abs({sql}) < 1e15"
        return f"case when {is_whole} then {sql}::bigint::varchar else {sql}::varchar end"
    return sql if type_ in _PLAIN or type_.startswith(_PLAIN_FAMILIES) else None


def _hash_sql(value: str, salt: int) -> str:
    return f"hash({value}, {salt})" if salt else f"hash({value})"


def _window(hashes: NDArray[np.uint64]) -> int | None:
    """Find 16 neighbouring bits in which all hashes differ; return how far right they are shifted."""
    for shift in range(64 - _WINDOW_BITS + 1):
        if are_distinct(_windows(hashes, shift)):
            return shift
    return None


def _windows(hashes: NDArray[np.uint64], shift: int) -> NDArray[np.int64]:
    return ((hashes >> np.uint64(shift)) & np.uint64(_WINDOW)).astype(np.int64)
