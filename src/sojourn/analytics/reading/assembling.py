"""Assembling: rows as they came, encoded, become events in their one order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sojourn.analytics.chunks import taken
from sojourn.analytics.events import MISSING, Codes, Column, Events
from sojourn.analytics.names import Names
from sojourn.analytics.ordering import Order, are_distinct, is_sorted, stable_order

Mask = NDArray[np.bool_]


@dataclass(kw_only=True)
class Rows:
    """Encoded rows in the order of their file; all arrays have the shape (n_rows,)."""

    person: Codes
    """An index into `people`."""
    step: Codes
    """An index into `steps`."""
    at: NDArray[np.int64]
    sequence: NDArray[np.int64] | None = None
    session: NDArray[np.uint64] | None = None
    """A hash of the session's id."""
    no_session: NDArray[np.uint64] = field(default_factory=lambda: np.empty(0, np.uint64))
    """The hashes that say that there is no session."""
    columns: dict[str, Column] = field(default_factory=dict)
    values: dict[str, NDArray[np.float64]] = field(default_factory=dict)


def keep(rows: Rows, kept: Mask) -> None:
    """Drop the rows that are no events."""
    rows.person, rows.step, rows.at = rows.person[kept], rows.step[kept], rows.at[kept]
    rows.sequence = None if rows.sequence is None else rows.sequence[kept]
    rows.session = None if rows.session is None else rows.session[kept]
    rows.columns = {name: Column(one.codes[kept], one.values) for name, one in rows.columns.items()}
    rows.values = {name: one[kept] for name, one in rows.values.items()}


def assemble(rows: Rows, *, people: Names, steps: list[str], left_out: Mapping[str, int]) -> Events:
    """Order rows by person, time, sequence and place in the file; forget people and steps without one."""
    person, order = rows.person, _order(rows)
    counts = np.bincount(person, minlength=len(people))
    rows.person = np.empty(0, np.int32)
    if not counts.all():
        seen = np.flatnonzero(counts)
        people, counts = people.take(seen), counts[seen]
    starts = np.zeros(len(counts) + 1, dtype=np.int64)
    np.cumsum(counts, out=starts[1:])

    def take(array: NDArray[Any]) -> NDArray[Any]:
        return array if order is None else taken(array, order)

    step, steps = _compact(rows.step, steps)
    session = None if rows.session is None else number_sessions(take(rows.session), starts, rows.no_session)
    return Events(
        starts=starts,
        step=take(step),
        at=take(rows.at),
        steps=steps,
        people=people,
        session=session,
        columns={name: Column(take(one.codes), one.values) for name, one in rows.columns.items()},
        values={name: take(one) for name, one in rows.values.items()},
        left_out=left_out,
    )


def _order(rows: Rows) -> Order | None:
    """Return the order of events; None where they already have it."""
    order = None
    for keys in (rows.sequence, rows.at, rows.person):
        if keys is None:
            continue
        ordered = keys if order is None else keys[order]
        if not is_sorted(ordered):
            turned = stable_order(ordered)
            order = turned if order is None else order[turned]
    return order


def _compact(step: Codes, steps: list[str]) -> tuple[Codes, list[str]]:
    """Forget the steps nobody took."""
    seen = np.bincount(step, minlength=len(steps)) > 0
    if seen.all():
        return step, steps
    codes = (np.cumsum(seen) - 1).astype(np.int32)
    return codes[step], [name for name, is_seen in zip(steps, seen, strict=True) if is_seen]


def number_sessions(hashes: NDArray[np.uint64], starts: NDArray[np.int64], none: NDArray[np.uint64]) -> Codes:
    """Number the sessions in the order of their first events: what is one is (person, session id).

    A hash of 64 bits tells the sessions of one person apart; no list of their ids is made.
    """
    is_new = np.ones(len(hashes), dtype=bool)
    np.not_equal(hashes[1:], hashes[:-1], out=is_new[1:])
    is_new[starts[:-1]] = True
    firsts = np.flatnonzero(is_new)
    keys = hashes[firsts]
    person = np.searchsorted(starts, firsts, side="right") - 1
    codes = _number(person, keys)
    missing = np.isin(keys, none)
    if missing.any():
        # What is missing takes no number.
        gone = np.unique(codes[missing])
        codes = np.where(missing, MISSING, codes - np.searchsorted(gone, codes))
    return np.repeat(codes.astype(np.int32), np.diff(firsts, append=len(hashes)))


def _number(person: NDArray[np.int64], keys: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Number distinct pairs by where they are first met. People do not go down along the pairs."""
    if are_distinct(keys):
        return np.arange(len(keys))
    order = np.lexsort((keys, person))
    is_new = np.ones(len(order), dtype=bool)
    is_new[1:] = (keys[order][1:] != keys[order][:-1]) | (person[order][1:] != person[order][:-1])
    group = np.cumsum(is_new) - 1
    # The sort is stable: the first of a group is where the pair is first met.
    rank = np.empty(group[-1] + 1, dtype=np.int64)
    rank[np.argsort(order[is_new])] = np.arange(len(rank))
    codes = np.empty(len(order), dtype=np.int64)
    codes[order] = rank[group]
    return codes
