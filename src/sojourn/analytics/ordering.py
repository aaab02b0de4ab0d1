"""Ordering: stable orders and look-ups of millions of integers, in a few passes over arrays."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

Order = NDArray[np.int64]

_KEY_BITS = 63  # of a signed integer that stays positive.
_BUCKETS_PER_KEY = 2  # of a look-up: most buckets hold one key at most, and the table stays small.
_MAX_BUCKET_BITS = 24
_SPLIT_ABOVE = 1 << 21  # numbers to sort: below it a thread costs what it saves.
_SAMPLE = 1_024  # numbers, to find the middle.


def stable_order(keys: NDArray[np.integer], within: Order | None = None) -> Order:
    """Return the order that sorts integers; equal ones keep the order they have.

    NumPy sorts plain 64-bit numbers several times faster than it finds an order. So each key is packed with
    its place into one number, where both fit; the order is then the places of the sorted numbers.

    Args:
        keys: Shape (n,).
        within: An order the keys are already in for smaller keys; ties keep it.
    """
    if within is not None:
        order = stable_order(keys[within])
        return within[order]
    n = len(keys)
    if n == 0 or is_sorted(keys):
        return np.arange(n, dtype=np.int64)
    lowest, highest = int(keys.min()), int(keys.max())
    place_bits = (n - 1).bit_length()
    if (highest - lowest).bit_length() + place_bits > _KEY_BITS:
        return np.argsort(keys, kind="stable").astype(np.int64, copy=False)
    packed = keys.astype(np.int64)
    packed -= lowest
    packed <<= place_bits
    packed |= np.arange(n, dtype=np.int64)
    packed = _sorted(packed)
    packed &= (1 << place_bits) - 1
    return packed


def _sorted(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """Sort numbers, each half of many on a thread of its own; they may be changed in place."""
    if len(numbers) < _SPLIT_ABOVE:
        numbers.sort()
        return numbers
    sample = np.sort(numbers[:: len(numbers) // _SAMPLE])
    is_low = numbers < sample[len(sample) // 2]
    halves = [numbers[is_low], numbers[~is_low]]
    with ThreadPoolExecutor(len(halves)) as pool:
        list(pool.map(np.ndarray.sort, halves))
    return np.concatenate(halves, out=numbers)


def is_sorted(keys: NDArray[np.integer]) -> bool:
    """Tell whether no key is smaller than the one before it."""
    return bool((keys[1:] >= keys[:-1]).all())


def are_distinct(keys: NDArray[np.integer]) -> bool:
    """Tell whether no key stands there twice. (`np.unique` takes twenty times as long.)"""
    ordered = np.sort(keys)
    return bool((ordered[1:] != ordered[:-1]).all())


class Lookup:
    """Where each of some well-mixed 64-bit keys stands among known ones.

    The keys are hashes, spread evenly, so the first bits of one nearly say its place: a table of these bits
    gives the place of the first candidate, and few keys have to look at a second.
    """

    def __init__(self, known: NDArray[np.uint64]) -> None:
        """Take the known keys: shape (n,), distinct."""
        order = np.argsort(known)
        self._sorted = known[order]
        self._order = order.astype(np.int32)
        bits = min(max((len(known) * _BUCKETS_PER_KEY).bit_length(), 1), _MAX_BUCKET_BITS)
        self._shift = np.uint64(64 - bits)
        counts = np.bincount((self._sorted >> self._shift).astype(np.int64), minlength=1 << bits)
        self._first = (np.cumsum(counts) - counts).astype(np.int32)

    def places(self, keys: NDArray[np.uint64]) -> NDArray[np.int32]:
        """Return each key's index in `known`; all of them must be known."""
        places = self._first[(keys >> self._shift).astype(np.int64)]
        behind = np.flatnonzero(self._sorted[places] != keys)
        while len(behind):
            places[behind] += 1
            behind = behind[self._sorted[places[behind]] != keys[behind]]
        return self._order[places]
