"""Splicing: what is known as one run of arrays again; stretches that did not change are copied whole."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sojourn.adapters.lake.encoded.base import Base, Origin, Revisions
from sojourn.adapters.lake.encoded.known import Known
from sojourn.adapters.lake.encoded.rows import Rows, offsets, ranges, session_starts
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
    block_starts = session_starts(block.session, block.starts)
    names = Names.of(people)
    n_rows, n_sessions, lengths = _Splice(joints).of(
        (np.diff(base.starts), np.diff(block.starts)),
        (np.diff(base.session_starts), np.diff(block_starts)),
        (np.diff(base.people.offsets), np.diff(names.offsets)),
    )
    blob = _joined(base.people.blob, names.blob, _spans(base.people.offsets, names.offsets, joints))
    session, *spliced = _Splice(_spans(base.starts, block.starts, joints)).of(
        (base.session, block.session),
        *((base.rows[name], block.rows[name]) for name in columns),
        moved=_moved(_spans(base.session_starts, block_starts, joints)),
    )
    return Whole(
        people=Names(blob, offsets(lengths)),
        starts=offsets(n_rows),
        session=session,
        session_starts=offsets(n_sessions),
        rows=dict(zip(columns, spliced, strict=True)),
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


_Column = tuple[NDArray[Any], NDArray[Any]]
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

    def of(self, *columns: _Column, moved: NDArray[np.int32] | None = None) -> list[NDArray[Any]]:
        """Return some columns.

        Args:
            columns: Of the base, and of what changed.
            moved: Shape (n_stretches,): what is added in each stretch to the first of them, but for MISSING.
        """
        found = [np.empty(int(self._starts[-1]), dtype=base.dtype) for base, _ in columns]
        places = ranges(self._starts[1:-1:2], self._starts[2::2])
        changed = ranges(self._low, self._high)

        def copy(part: slice) -> None:
            where = self._repeated(self._shifts, part)
            where += np.arange(part.start, part.stop)
            # What did not come from the base is put in afterwards.
            np.minimum(where, len(columns[0][0]) - 1, out=where)
            for one, (base, _) in zip(found, columns, strict=True):
                one[part] = base[where]

        def move(part: slice) -> None:
            assert moved is not None
            own = found[0][part]
            own += np.where(own == MISSING, 0, self._repeated(moved, part))

        if len(columns[0][0]):
            in_chunks(copy, len(found[0]))
        for one, (_, block) in zip(found, columns, strict=True):
            one[places] = block[changed]
        if moved is not None:
            in_chunks(move, len(found[0]))
        return found

    def _repeated(self, values: NDArray[Any], part: slice) -> NDArray[Any]:
        """Return what is said of each stretch for all its places in a part."""
        first = int(np.searchsorted(self._starts, part.start, side="right")) - 1
        last = int(np.searchsorted(self._starts, part.stop, side="left"))
        ends = np.clip(self._starts[first : last + 1], part.start, part.stop)
        return np.repeat(values[first:last], np.diff(ends))


def _joined(base: NDArray[np.uint8], block: NDArray[np.uint8], joints: _Joints) -> NDArray[np.uint8]:
    """Put stretches of bytes one after another: long ones and few, they are copied as they are."""
    parts = [part for a, b, c, d in joints.T.tolist() for part in (base[a:b], block[c:d])]
    return np.concatenate(parts)


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


def _moved(sessions: _Joints) -> NDArray[np.int32]:
    """Return how far the numbers of visits move in each stretch, of the base and of what changed by turns.

    A person's visits have numbers of their own, without gaps: so those of a stretch move all alike.
    """
    kept_low, kept_high, low, high = sessions
    lengths = np.stack([kept_high - kept_low, high - low], axis=1).ravel()
    moved: NDArray[np.int64] = np.cumsum(lengths) - lengths - np.stack([kept_low, low], axis=1).ravel()
    return moved.astype(np.int32)


def _revisions(known: Known) -> Revisions:
    """Return all revisions, of those whose rows changed and of the others."""
    kept = known.base.revisions
    found = {person: kept.of(i) for i, person in enumerate(kept.people)} | known.revisions
    return Revisions.of_people(found)
