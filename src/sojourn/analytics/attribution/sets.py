"""Sets: which channels a path holds, whatever their order and however often."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sojourn.analytics.attribution.paths import Paths

WORD_BITS = 62  # channels a 64-bit number holds, its sign left alone


class Meetings(NamedTuple):
    """The touches of some paths, shape (n,) each, and which of them are one path's with one channel."""

    touch: NDArray[np.int32]
    path: NDArray[np.int32]
    order: NDArray[np.int64]
    """Puts touches of one path with one channel beside one another."""
    is_new: NDArray[np.bool_]
    """In that order: whether a touch is the first of its path with its channel."""

    def first(self) -> NDArray[np.bool_]:
        """Tell of each touch whether it is the first of its path with its channel."""
        is_first = np.zeros(len(self.touch), dtype=np.bool_)
        is_first[self.order[self.is_new]] = True
        return is_first

    def times(self) -> NDArray[np.int64]:
        """Count for each touch how often its path meets its channel."""
        group = np.cumsum(self.is_new) - 1
        times = np.empty(len(self.touch), dtype=np.int64)
        times[self.order] = np.bincount(group)[group] if len(group) else group
        return times


def meetings(paths: Paths, chosen: NDArray[np.int32]) -> Meetings:
    """Group the touches of some paths (ascending) by path and channel."""
    if len(chosen) == len(paths):
        touch, path = np.arange(len(paths.codes), dtype=np.int32), paths.path_of_touch()
    else:
        lengths = paths.lengths[chosen]
        moved = paths.offsets[chosen] - (np.cumsum(lengths) - lengths)
        touch = np.repeat(moved.astype(np.int32), lengths)
        touch += np.arange(len(touch), dtype=np.int32)
        path = np.repeat(chosen, lengths)
    code = paths.codes[touch].astype(np.uint16)
    order = np.argsort(code, kind="stable")  # of 16 bits: a radix sort, and paths stay ascending
    code, place = code[order], path[order]
    is_new = np.ones(len(touch), dtype=np.bool_)
    is_new[1:] = (code[1:] != code[:-1]) | (place[1:] != place[:-1])
    return Meetings(touch, path, order, is_new)


def distinct_channels(paths: Paths, chosen: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """List (path, channel) of some paths (ascending), each once, ascending by path."""
    met = meetings(paths, chosen)
    is_first = met.first()
    return met.path[is_first], paths.codes[met.touch[is_first]]


def words_of(paths: Paths) -> NDArray[np.int64]:
    """Return the set of channels of each path, a bit a channel, shape (n_words, n_paths)."""
    n = paths.n_channels
    words = np.zeros((max(1, -(-n // WORD_BITS)), len(paths)), dtype=np.int64)
    touched = np.flatnonzero(paths.lengths > 0)
    if len(touched):
        for i, word in enumerate(words):
            bit = np.arange(n) - i * WORD_BITS
            is_here = (bit >= 0) & (bit < WORD_BITS)
            bits = np.where(is_here, np.left_shift(np.int64(1), np.where(is_here, bit, 0)), 0)
            word[touched] = np.bitwise_or.reduceat(bits[paths.codes], paths.offsets[touched])
    return words


def numbered(words: NDArray[np.int64]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Number different columns in the order they come: (each column's number, the first of each)."""
    order = np.lexsort(words)
    is_new = (np.diff(words[:, order], axis=1, prepend=-1) != 0).any(axis=0)
    # The sort is stable, so the first of equal columns stands first.
    example, place = order[is_new], np.cumsum(is_new) - 1
    rank = np.empty(len(example), dtype=np.int32)
    rank[np.argsort(example)] = np.arange(len(example))
    number = np.empty(len(order), dtype=np.int32)
    number[order] = rank[place]
    return number, np.sort(example)
