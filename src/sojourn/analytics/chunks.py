"""Chunks: one pass over long arrays, cut so that its temporaries stay small, on a few threads.

NumPy lets go of the interpreter's lock while it works. Chunks write to places of their own, so the result
is the same on any number of threads.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Result = TypeVar("Result")

CHUNK = 1 << 18  # rows: temporaries of 2 MB stay in a core's cache.
MAX_THREADS = 8  # more only wait for memory.
_ROWS_A_COUNT = 4


def in_chunks(work: Callable[[slice], None], n: int) -> None:
    """Call `work` with slices that together cover `n` rows, each once; the order is not promised."""
    slices = [slice(start, min(start + CHUNK, n)) for start in range(0, n, CHUNK)]
    in_parts(lambda i: work(slices[i]), len(slices))


def in_parts(work: Callable[[int], None], n: int) -> None:
    """Call `work` with each number below `n`, on a few threads; the order is not promised."""
    n_threads = min(MAX_THREADS, os.cpu_count() or 1, n)
    if n_threads <= 1:
        for i in range(n):
            work(i)
        return
    with ThreadPoolExecutor(n_threads) as pool:
        list(pool.map(work, range(n)))


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


def counted(numbers: NDArray[Any], n: int) -> NDArray[np.int64]:
    """Count how often each number below `n` occurs, shape (n,)."""
    length = max(CHUNK, _ROWS_A_COUNT * n)  # Adding counts up is not to cost more than counting.
    total, lock = np.zeros(n, dtype=np.int64), Lock()

    def count(i: int) -> None:
        found = np.bincount(numbers[i * length : (i + 1) * length], minlength=n)
        with lock:
            np.add(total, found, out=total)

    in_parts(count, -(-len(numbers) // length))
    return total
