"""Chunks: one pass over long arrays, cut so that its temporaries stay small, on a few threads.

NumPy lets go of the interpreter's lock while it works. Chunks write to places of their own, so the result
is the same on any number of threads.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

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


def taken(values: NDArray[Any], order: NDArray[Any]) -> NDArray[Any]:
    """Return `values[order]`."""
    found = np.empty(len(order), dtype=values.dtype)

    def take(part: slice) -> None:
        found[part] = values[order[part]]

    in_chunks(take, len(order))
    return found
