"""Splicing: what is known as one run of arrays again; stretches that did not change are copied whole."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sojourn.adapters.lake.encoded.base import Base, Origin, Revisions
from sojourn.adapters.lake.encoded.known import Known
from sojourn.adapters.lake.encoded.rows import Block, Rows, offsets, ranges, session_starts
from sojourn.analytics.chunks import in_chunks
from sojourn.analytics.events import MISSING
from sojourn.analytics.names import Names


class Whole(NamedTuple):
    """Everybody's rows, as a base has them; codes are those of the known words."""

    people: Names
    starts: NDArray[np.int64]
    session: NDArray[np.int32]
    session_starts: NDArray[np.int64]
    rows: Rows


def whole(known: Known, columns: list[str]) -> Whole:
    """Return everybody's rows, of some columns; where nothing changed, nothing is copied."""
    base = known.base
    if not known.changed:
        rows = {name: base.rows[name] for name in columns}
        return Whole(base.people, base.starts, base.session, base.session_starts, rows)
    people = sorted(known.changed)
    block = known.block(people)
    joints = _joints(known, people, np.diff(block.starts))
    by_person = _Splice(joints)
    by_row = _Splice(_spans(base.starts, block.starts, joints))
    session, n_sessions = _sessions(base, block, joints, by_row)
    return Whole(
        people=_names(base.people, people, joints),
        starts=offsets(by_person.of(np.diff(base.starts), np.diff(block.starts))),
        session=session,
        session_starts=offsets(n_sessions),
        rows={name: by_row.of(base.rows[name], block.rows[name]) for name in columns},
    )


def settled(known: Known, origin: Origin) -> Base:
    """Return all that is known as a base."""
    found = whole(known, list(known.base.rows))
    rows, words = dict(found.rows), {}
    for name, one in known.words.items():
        texts, table = one.in_order()
        words[name] = texts if isinstance(texts, Names) else Names.of(texts)
        if table is not None:
            rows[name] = table[rows[name]]
    return Base(
        origin=origin,
        people=found.people,
        starts=found.starts,
        session=found.session,
        session_starts=found.session_starts,
        rows=rows,
        words=words,
        ledger=known.ledger.kept(),
        revisions=_revisions(known),
    )


_Joints = NDArray[np.int64]
"""Shape (4, n): of the base, from where to where nothing changed; and what changed and comes behind that."""


class _Splice:
    """Puts stretches of two arrays one after another, some columns of one length with the same joints."""

    def __init__(self, joints: _Joints) -> None:
        kept_low, kept_high, self._low, self._high = joints
        lengths = np.empty(2 * len(kept_low), dtype=np.int64)
        lengths[::2], lengths[1::2] = kept_high - kept_low, self._high - self._low
        self._starts = offsets(lengths)
        """Where stretches begin, by turns of the base and of what changed."""
        self._shifts = np.zeros(len(lengths), dtype=np.int64)
        """From a place to where it was in the base."""
        self._shifts[::2] = kept_low - self._starts[:-1:2]

    def of(
        self, base: NDArray[Any], block: NDArray[Any], *, moved: NDArray[np.int32] | None = None
    ) -> NDArray[Any]:
        """Return one column.

        Args:
            base: The column of the base.
            block: That of what changed.
            moved: Shape (n_stretches,): what is added in each stretch to what is not MISSING.
        """
        found = np.empty(int(self._starts[-1]), dtype=base.dtype)
        places = ranges(self._starts[1:-1:2], self._starts[2::2])

        def copy(part: slice) -> None:
            where = self._repeated(self._shifts, part)
            where += np.arange(part.start, part.stop)
            # What did not come from the base is put in afterwards.
            found[part] = base[np.minimum(where, len(base) - 1, out=where)]

        def move(part: slice) -> None:
            assert moved is not None
            own, more = found[part], self._repeated(moved, part)
            own += np.where(own == MISSING, 0, more)

        if len(base):
            in_chunks(copy, len(found))
        found[places] = block[ranges(self._low, self._high)]
        if moved is not None:
            in_chunks(move, len(found))
        return found

    def _repeated(self, values: NDArray[Any], part: slice) -> NDArray[Any]:
        """Return what is said of each stretch for all its places in a part."""
        first = int(np.searchsorted(self._starts, part.start, side="right")) - 1
        last = int(np.searchsorted(self._starts, part.stop, side="left"))
        ends = np.clip(self._starts[first : last + 1], part.start, part.stop)
        return np.repeat(values[first:last], np.diff(ends))


def _joints(known: Known, people: list[str], n_rows: NDArray[np.int64]) -> _Joints:
    """Say in which order people stand, by their places: those of the base, and the changed ones.

    Whoever has no rows any more, being somebody else, is nobody.
    """
    found = np.array([known.places.find(person) for person in people], dtype=np.int64).reshape(-1, 2)
    place, n = np.append(found[:, 0], len(known.base.people)), np.arange(len(people))
    first = np.append(0, found[:, 0] + found[:, 1])
    return np.stack([first, place, np.append(n, len(n)), np.append(n + (n_rows > 0), len(n))])


def _spans(base: NDArray[np.int64], block: NDArray[np.int64], joints: _Joints) -> _Joints:
    """Say the same by places of rows; `base` and `block` are where each person's begin."""
    return np.stack([base[joints[0]], base[joints[1]], block[joints[2]], block[joints[3]]])


def _names(base: Names, people: list[str], joints: _Joints) -> Names:
    changed = Names.of(people)
    lengths = _Splice(joints).of(np.diff(base.offsets), np.diff(changed.offsets))
    blob = _Splice(_spans(base.offsets, changed.offsets, joints)).of(base.blob, changed.blob)
    return Names(blob, offsets(lengths))


def _sessions(
    base: Base, block: Block, joints: _Joints, by_row: _Splice
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Return (each row's visit, numbered in the order of first rows; each person's number of visits)."""
    block_starts = session_starts(block.session, block.starts)
    n_sessions = _Splice(joints).of(np.diff(base.session_starts), np.diff(block_starts))
    # A person's visits have numbers of their own, without gaps: so a stretch's numbers move all alike.
    kept_low, kept_high, low, high = _spans(base.session_starts, block_starts, joints)
    lengths = np.stack([kept_high - kept_low, high - low], axis=1).ravel()
    moved = np.cumsum(lengths) - lengths - np.stack([kept_low, low], axis=1).ravel()
    return by_row.of(base.session, block.session, moved=moved.astype(np.int32)), n_sessions


def _revisions(known: Known) -> Revisions:
    """Return all revisions, of those whose rows changed and of the others."""
    kept = known.base.revisions
    found = {person: kept.of(i) for i, person in enumerate(kept.people)} | known.revisions
    return Revisions.of_people(found)
