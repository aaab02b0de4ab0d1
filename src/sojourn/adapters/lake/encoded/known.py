"""Known: what a base holds and what was learnt since, kept apart, so that news cost what they touch.

The rows of everybody who is touched by news are taken together, asked anew whose they are, and put behind
all others; where a person's rows lie is known by name. Whose rows may move is known beforehand: a fact of
identity moves rows from one end of a chain of aliases to another, and both ends are touched.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sojourn.adapters.lake.encoded.base import Base
from sojourn.adapters.lake.encoded.delta import Delta, DeltaRows
from sojourn.adapters.lake.encoded.ledger import Ledger
from sojourn.adapters.lake.encoded.rows import (
    AT,
    NAME,
    POSITION,
    PROFILE,
    VISIT,
    Block,
    Rows,
    joined,
    numbered,
    offsets,
    ranges,
    taken,
)
from sojourn.adapters.lake.encoded.visits import Revision, rename
from sojourn.adapters.lake.encoded.words import Places, Words

SPARE_ROWS = 1 << 20
"""Rows that may lie where nobody needs them any more: some 60 MB."""
_RESOLVED = "resolved"  # the hash of a visit's name by what is known


class Changed(NamedTuple):
    """People whose rows changed, sorted, and their rows before and after."""

    people: list[str]
    gone: Block
    come: Block


class Known:
    """All events that are known, and whose they are."""

    def __init__(self, base: Base) -> None:
        self.base = base
        self.words = {name: Words(texts) for name, texts in base.words.items()}
        self.ledger = Ledger(base.ledger)
        self.changed: dict[str, tuple[int, int]] = {}
        """Where rows of people lie that are not as in the base."""
        self.revisions: dict[str, list[Revision]] = {}
        """Of these people."""
        self.places = Places(base.people)
        """Of people in the base."""
        self._revised = Places(base.revisions.people)
        self._rows = _Growing(base.rows)
        self._n_used = 0

    def take(self, delta: Delta) -> Changed:
        """Take news in."""
        touched = self.ledger.learn(delta.owned, delta.aliased)
        self.ledger.look_up(delta.rows.profiles)
        new = self._encoded(delta.rows)
        _, people = self._whose(new[PROFILE], new[POSITION])
        touched.update(people)
        said = [(revision, self._who(revision)) for revision in delta.revisions]
        touched.update(person for _, person in said)
        after = sorted(touched)
        self.places.look_up(after)
        self._revised.look_up(after)
        gone = self._block(after)
        place = {person: i for i, person in enumerate(after)}
        revisions = self._revisions_of(after, delta.revisions)

        rows = joined(_columns_of(gone.rows, new), new)
        codes, people = self._whose(rows[PROFILE], rows[POSITION])
        # Whoever is not among them was not touched, and no row of theirs is here.
        whose = np.array([place[person] for person in people], dtype=np.int64)[codes]
        order = np.lexsort((rows[POSITION], rows[AT], whose))
        rows = taken(rows, order)
        counts = np.bincount(whose, minlength=len(after))
        starts = offsets(counts)
        rows[_RESOLVED] = rows[VISIT].copy()
        said_of = (revisions.get(person, ()) for person in after)
        rename(rows[_RESOLVED], zip(starts[:-1].tolist(), starts[1:].tolist(), said_of, strict=True))
        self._tidy()
        first = self._rows.add(rows)
        for person, low, high in zip(after, starts[:-1].tolist(), starts[1:].tolist(), strict=True):
            before = self.changed.get(person, (0, 0))
            self._n_used += high - low - (before[1] - before[0])
            self.changed[person] = (first + low, first + high)
            self.revisions[person] = revisions.get(person, [])
        come = Block(starts, rows, numbered(rows[_RESOLVED], starts))
        return Changed(after, gone, come)

    def block(self, people: Sequence[str]) -> Block:
        """Return the rows of some people, sorted, as they are known."""
        return self._block(people)

    def _tidy(self) -> None:
        """Give back the room of rows that lie elsewhere by now, where that is most of it."""
        if self._rows.n - self._n_used <= SPARE_ROWS + self._n_used:
            return
        where = np.array(list(self.changed.values()), dtype=np.int64)
        kept = taken(self._rows.columns, ranges(where[:, 0], where[:, 1]))
        ends = np.cumsum(where[:, 1] - where[:, 0]).tolist()
        self._rows = _Growing(kept)
        self._rows.add(kept)
        self.changed = dict(zip(self.changed, pairwise([0, *ends]), strict=True))

    def _encoded(self, new: DeltaRows) -> Rows:
        rows: Rows = {
            PROFILE: self.words[PROFILE].codes(new.profiles),
            NAME: self.words[NAME].codes(new.names),
            AT: new.at,
            POSITION: new.position,
            VISIT: new.visit,
        }
        for name, texts in new.texts.items():
            rows[name] = self.words[name].codes(texts)
        return rows | new.numbers

    def _whose(
        self, profile: NDArray[np.int32], position: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], list[str]]:
        """Return (each row's person, an index; the people)."""
        distinct, code = np.unique(profile, return_inverse=True)
        words, identity = self.words[PROFILE], self.ledger.identity
        people: dict[str, int] = {}
        before, until, after = [], [], []
        extents = zip(*(each.tolist() for each in _extent(code, position, len(distinct))), strict=True)
        for one, (first, last) in zip(distinct.tolist(), extents, strict=True):
            who = identity(words[one])
            until.append(who.until)
            before.append(people.setdefault(who.before, len(people)) if first < who.until else 0)
            after.append(people.setdefault(who.after, len(people)) if last >= who.until else 0)
        is_before = position < np.array(until, dtype=np.int64)[code]
        whose = np.where(is_before, np.array(before, np.int64)[code], np.array(after, np.int64)[code])
        return whose, list(people)

    def _who(self, revision: Revision) -> str:
        who = self.ledger.identity(revision.profile)
        return who.before if revision.position < who.until else who.after

    def _block(self, people: Sequence[str]) -> Block:
        """Gather the rows of people from where they lie."""
        n_base, base = len(self.base.session), self.base
        lows, highs = np.zeros(len(people), dtype=np.int64), np.zeros(len(people), dtype=np.int64)
        for i, person in enumerate(people):
            where = self.changed.get(person)
            if where is not None:
                lows[i], highs[i] = n_base + where[0], n_base + where[1]
            else:
                place, is_there = self.places.find(person)
                if is_there:
                    lows[i], highs[i] = base.starts[place], base.starts[place + 1]
        index = ranges(lows, highs)
        starts = offsets(highs - lows)
        is_kept = index < n_base
        kept, later = index[is_kept], index[~is_kept] - n_base
        rows = {
            name: _merged(is_kept, base.rows[name][kept], self._rows.columns[name][later])
            for name in base.rows
        }
        # A number of the base and a hash name one visit each; nobody has rows of both kinds.
        visits = _merged(
            is_kept, (base.session[kept] + 1).astype(np.uint64), self._rows.columns[_RESOLVED][later]
        )
        return Block(starts, rows, numbered(visits, starts))

    def _revisions_of(self, people: Iterable[str], new: Iterable[Revision]) -> dict[str, list[Revision]]:
        """Return the revisions of touched people by whose they are now."""
        found: dict[str, list[Revision]] = {}
        old = (revision for person in people for revision in self._revisions_before(person))
        for revision in (*old, *new):
            found.setdefault(self._who(revision), []).append(revision)
        return found

    def _revisions_before(self, person: str) -> list[Revision]:
        if person in self.revisions:
            return self.revisions[person]
        place, is_there = self._revised.find(person)
        return self.base.revisions.of(place) if is_there else []


class _Growing:
    """Rows that are added to; each column has room for more than it holds."""

    def __init__(self, like: Rows) -> None:
        self.columns: Rows = {name: np.empty(0, dtype=column.dtype) for name, column in like.items()}
        self.columns[_RESOLVED] = np.empty(0, dtype=np.uint64)
        self.n = 0
        """How many rows there are."""

    def add(self, rows: Rows) -> int:
        """Add rows; return the place of the first."""
        first, n = self.n, len(rows[POSITION])
        for name, column in self.columns.items():
            if first + n > len(column):
                grown = np.empty(2 * (first + n), dtype=column.dtype)
                grown[:first] = column[:first]
                self.columns[name] = grown
            self.columns[name][first : first + n] = rows[name]
        self.n += n
        return first


def _columns_of(rows: Rows, like: Rows) -> Rows:
    """Return the columns that another has."""
    return {name: rows[name] for name in like}


def _merged(is_first: NDArray[np.bool_], first: NDArray[Any], second: NDArray[Any]) -> NDArray[Any]:
    merged = np.empty(len(is_first), dtype=first.dtype)
    merged[is_first] = first
    merged[~is_first] = second
    return merged


def _extent(
    code: NDArray[np.int64], position: NDArray[np.int64], n: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return each group's first and last position."""
    first, last = np.full(n, np.iinfo(np.int64).max), np.full(n, -1)
    np.minimum.at(first, code, position)
    np.maximum.at(last, code, position)
    return first, last
