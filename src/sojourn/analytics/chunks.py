"""Chunks: one pass over long arrays, cut so that its temporaries stay small, on a few threads.

NumPy lets go of the interpreter's lock while it works. Chunks write to places of their own, so the result
is the same on any number of threads.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Result = TypeVar("Result")

CHUNK = 1 << 18  # rows: temporaries of 2 MB stay in a core's cache.
MAX_THREADS = 8  # more only wait for memory.


def in_chunks(work: Callable[[slice], None], n: int) -> None:
    """Call `work` with slices that together cover `n` rows, each once; the order is not promised."""
    slices = [slice(start, min(start + CHUNK, n)) for start in range(0, n, CHUNK)]
    n_threads = min(MAX_THREADS, os.cpu_count() or 1, len(slices))
    if n_threads <= 1:
        for part in slices:
            work(part)
        return
    with ThreadPoolExecutor(n_threads) as pool:
        list(pool.map(work, slices))


def side_by_side(*works: Callable[[], Result], n: int) -> list[Result]:
    """Return what each of some works returns; of more than a chunk of rows each has a thread of its own."""
    if n <= CHUNK:
        return [work() for work in works]
    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(lambda work: work(), works))


def taken(values: NDArray[Any], order: NDArray[Any]) -> NDArray[Any]:
    """Return `values[order]`."""
    found = np.empty(len(order), dtype=values.dtype)

    def take(part: slice) -> None:
        found[part] = values[order[part]]

    in_chunks(take, len(order))
    return found


def left_of(make: Callable[[slice], NDArray[Any]], n: int, gone: NDArray[np.int64]) -> NDArray[Any]:
    """Return `n` values without those at some places.

    Args:
        make: Called with slices that together cover all `n`; returns the values there.
        n: How many there are.
        gone: The places that are left out, ascending.
    """
    found = np.empty(n - len(gone), dtype=make(slice(0, 0)).dtype)

    def keep(part: slice) -> None:
        low, high = np.searchsorted(gone, (part.start, part.stop))
        is_left = np.ones(part.stop - part.start, dtype=np.bool_)
        is_left[gone[low:high] - part.start] = False
        found[part.start - low : part.stop - high] = make(part)[is_left]

    in_chunks(keep, n)
    return found
