"""Spans: stretches of time of many people, asked at once which of them meet some other times."""

from __future__ import annotations

from typing import Self

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]


class Spans(Struct, frozen=True, eq=False):
    """Stretches of time; those of one person lie together, in the order of time, and no two meet.

    Both ends belong to a stretch, so one that ended when it began is an instant.
    """

    person: Ints
    """Shape (n_spans,): whose it is, an index; ascending."""
    begin: Ints
    """When it began, ms."""
    end: Ints
    """When it ended, ms; never before it began."""

    @classmethod
    def of(cls, person: Ints, begin: Ints, end: Ints) -> Self:
        """Order stretches and join those that meet; what ends before it begins is taken as an instant."""
        if not len(person):
            return cls(person, begin, end)
        end = np.maximum(begin, end)
        order = np.lexsort((begin, person))
        person, begin, end = person[order], begin[order], end[order]
        begins, ends = _keys(person, begin, person, end)
        furthest = np.maximum.accumulate(ends)
        is_first = np.append(True, begins[1:] > furthest[:-1])
        first = np.flatnonzero(is_first)
        return cls(person[first], begin[first], np.maximum.reduceat(end, first))

    def meet(self, person: Ints, first: Ints, last: Ints) -> Mask:
        """Tell of each time (whose, its first instant, its last one) whether one of the spans meets it."""
        if not len(self.person):
            return np.zeros(len(person), dtype=bool)
        begins, asked = _keys(self.person, self.begin, person, last)
        # Of the spans that began by then, the latest ended last.
        latest = np.searchsorted(begins, asked, side="right") - 1
        is_theirs: Mask = (latest >= 0) & (self.person[latest] == person) & (self.end[latest] >= first)
        return is_theirs

    def of_some(self, is_kept: Mask) -> Spans:
        """Return those of some people, by their places among these."""
        kept = is_kept[self.person]
        places = np.cumsum(is_kept) - 1
        return Spans(places[self.person[kept]], self.begin[kept], self.end[kept])


def _keys(person: Ints, at: Ints, other_person: Ints, other_at: Ints) -> tuple[Ints, Ints]:
    """Return numbers that order all of two lists of (person, instant): by person, then by instant."""
    _, ranks = np.unique(np.concatenate([at, other_at]), return_inverse=True)
    n_ranks = len(ranks)  # Ranks in place of ms: people times ms of centuries are more than 63 bits.
    return person * n_ranks + ranks[: len(at)], other_person * n_ranks + ranks[len(at) :]
