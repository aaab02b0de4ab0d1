"""Splicing: what is known as one run of arrays again; stretches that did not change are copied whole."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sojourn.adapters.lake.encoded.base import Base, Origin, Revisions
from sojourn.adapters.lake.encoded.known import Known
from sojourn.adapters.lake.encoded.rows import Block, Rows, offsets, session_starts
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
    joints = _joints(known, people, np.diff(block.starts).tolist())
    n_rows = _spliced(np.diff(base.starts), np.diff(block.starts), joints)
    spans = _spans(base.starts, block.starts, joints)
    session, n_sessions = _sessions(base, block, joints)
    return Whole(
        people=_names(base.people, people, joints),
        starts=offsets(n_rows),
        session=session,
        session_starts=offsets(n_sessions),
        rows={name: _spliced(base.rows[name], block.rows[name], spans) for name in columns},
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


_Joint = tuple[int, int, int, int]
"""Of the base, from where to where nothing changed; and what changed and comes behind that."""


def _joints(known: Known, people: list[str], n_rows: list[int]) -> list[_Joint]:
    """Say in which order people stand, by their places: those of the base, and the changed ones.

    Whoever has no rows any more, being somebody else, is nobody.
    """
    joints, first = [], 0
    for i, (person, n) in enumerate(zip(people, n_rows, strict=True)):
        place, is_there = known.places.find(person)
        joints.append((first, place, i, i + (n > 0)))
        first = place + is_there
    return [*joints, (first, len(known.base.people), len(people), len(people))]


def _spans(base: NDArray[np.int64], block: NDArray[np.int64], joints: list[_Joint]) -> list[_Joint]:
    """Say the same by places of rows; `base` and `block` are where each person's begin."""
    some = np.array(joints)
    columns = [base[some[:, 0]], base[some[:, 1]], block[some[:, 2]], block[some[:, 3]]]
    return list(zip(*(column.tolist() for column in columns), strict=True))


def _spliced(base: NDArray[Any], block: NDArray[Any], joints: list[_Joint]) -> NDArray[Any]:
    parts = [part for a, b, c, d in joints for part in (base[a:b], block[c:d])]
    return np.concatenate(parts)


def _names(base: Names, people: list[str], joints: list[_Joint]) -> Names:
    changed = Names.of(people)
    lengths = _spliced(np.diff(base.offsets), np.diff(changed.offsets), joints)
    blob = _spliced(base.blob, changed.blob, _spans(base.offsets, changed.offsets, joints))
    return Names(blob, offsets(lengths))


def _sessions(base: Base, block: Block, joints: list[_Joint]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Return (each row's visit, numbered in the order of first rows; each person's number of visits)."""
    starts, numbers = block.starts, block.session
    block_starts = session_starts(numbers, starts)
    n_sessions = _spliced(np.diff(base.session_starts), np.diff(block_starts), joints)
    session = _spliced(base.session, numbers, _spans(base.starts, starts, joints))
    # A person's visits have numbers of their own, without gaps: so a stretch's numbers move all alike.
    shifts, lengths, n = [], [], 0
    for (a, b, c, d), (low, high, first, last) in zip(
        _spans(base.session_starts, block_starts, joints), _spans(base.starts, starts, joints), strict=True
    ):
        shifts += [n - a, n + b - a - c]
        lengths += [high - low, last - first]
        n += b - a + d - c
    moved = session + np.repeat(np.array(shifts, dtype=np.int32), lengths)
    if (session == MISSING).any():
        moved[session == MISSING] = MISSING
    return moved, n_sessions


def _revisions(known: Known) -> Revisions:
    """Return all revisions, of those whose rows changed and of the others."""
    kept = known.base.revisions
    found = {person: kept.of(i) for i, person in enumerate(kept.people)} | known.revisions
    return Revisions.of_people(found)
