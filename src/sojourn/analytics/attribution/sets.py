"""Sets: which channels a path holds, whatever their order and however often."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sojourn.analytics.attribution.paths import Paths

WORD_BITS = 62  # channels a 64-bit number holds, its sign left alone


def distinct_channels(paths: Paths, chosen: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """List (path, channel) of some paths (ascending), each once, ascending by path and channel."""
    n = max(paths.n_channels, 1)
    lengths = paths.lengths[chosen]
    before = np.cumsum(lengths) - lengths
    touches = np.arange(int(lengths.sum())) + np.repeat(paths.offsets[chosen] - before, lengths)
    pairs = np.repeat(chosen.astype(np.int64) * n, lengths) + paths.codes[touches]
    pairs.sort()
    pairs = pairs[np.concatenate([[True], np.diff(pairs) != 0])] if len(pairs) else pairs
    return (pairs // n).astype(np.int32), (pairs % n).astype(np.int32)


def words_of(paths: Paths) -> NDArray[np.int64]:
    """Return the set of channels of each path, a bit a channel, shape (n_words, n_paths)."""
    words = np.zeros((max(1, -(-paths.n_channels // WORD_BITS)), len(paths)), dtype=np.int64)
    touched = np.flatnonzero(paths.lengths > 0)
    if len(touched):
        for i, word in enumerate(words):
            bit = paths.codes.astype(np.int64) - i * WORD_BITS
            is_here = (bit >= 0) & (bit < WORD_BITS)
            bits = np.where(is_here, np.left_shift(np.int64(1), np.where(is_here, bit, 0)), 0)
            word[touched] = np.bitwise_or.reduceat(bits, paths.offsets[touched])
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
