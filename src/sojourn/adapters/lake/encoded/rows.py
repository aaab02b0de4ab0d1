"""Rows: events as columns of numbers, by name; a person's rows lie together."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sojourn.analytics.reading.assembling import number_sessions

Rows = dict[str, NDArray[Any]]
"""Columns of one length: `profile` and `name` (codes), `at` (ms; NO_TIME), `position`, `visit` (a hash of its
name as it was written; NO_VISIT), and the attributes asked for: `text_key` (codes), `number_key` (NaN)."""

PROFILE, NAME, AT, POSITION, VISIT = "profile", "name", "at", "position", "visit"
TEXT, NUMBER = "text ", "number "
NO_TIME = np.iinfo(np.int64).min
NO_VISIT = np.uint64(0)


class Block(NamedTuple):
    """The rows of some people, in the order person, time, position."""

    starts: NDArray[np.int64]
    """Shape (n_people + 1,): who has no rows any more has none here."""
    rows: Rows
    session: NDArray[np.int32]
    """The visit of each row by what is known: numbered in the order of their first rows, MISSING of none."""


def text_key(column: str) -> str:
    """Name the column of an attribute of text."""
    return TEXT + column


def number_key(column: str) -> str:
    """Name the column of a number."""
    return NUMBER + column


def taken(rows: Rows, index: Any) -> Rows:
    """Return some rows, by index or slice."""
    return {name: column[index] for name, column in rows.items()}


def joined(*parts: Rows) -> Rows:
    """Return the rows of several, one after another; all have the same columns."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def ranges(lows: NDArray[np.int64], highs: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return all numbers of some ranges, one range after another."""
    lengths = highs - lows
    ends = np.cumsum(lengths)
    return np.repeat(lows - (ends - lengths), lengths) + np.arange(int(lengths.sum()))


def numbered(visits: NDArray[np.uint64], starts: NDArray[np.int64]) -> NDArray[np.int32]:
    """Number the visits of a block; `starts` as a block has them."""
    if not len(visits):
        return np.empty(0, dtype=np.int32)
    filled = np.append(starts[:-1][np.diff(starts) > 0], starts[-1])
    return number_sessions(visits, filled, np.array([NO_VISIT]))


def session_starts(session: NDArray[np.int32], starts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the first number of each person's visits in a block, and behind them how many there are."""
    if not len(session):
        return np.zeros(len(starts), dtype=np.int64)
    so_far = np.maximum.accumulate(session) + 1
    return np.where(starts > 0, so_far[starts - 1], 0).astype(np.int64)


def offsets(lengths: NDArray[np.integer]) -> NDArray[np.int64]:
    """Return where stretches of some lengths begin, and where the last ends."""
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
