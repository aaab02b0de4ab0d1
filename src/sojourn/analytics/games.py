"""Games: what each player of a small game is worth, where what every set of them is worth is known."""

from __future__ import annotations

from math import factorial

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def shapley_of(by_set: Floats) -> Floats:
    """Return the Shapley value of a game given by set (bit `i` of the index: player `i` is in).

    Args:
        by_set: Shape (2^n,).

    Returns:
        Shape (n,); it sums to all minus none.
    """
    return shapley_weights(len(by_set).bit_length() - 1) @ by_set


def shapley_weights(n: int) -> Floats:
    """Return the matrix that makes Shapley values of what sets are worth, shape (n, 2^n)."""
    weights = np.zeros((n, 1 << n))
    for mask in range(1 << n):
        size = mask.bit_count()
        for i in range(n):
            if mask >> i & 1:
                weights[i, mask] = factorial(size - 1) * factorial(n - size) / factorial(n)
            else:
                weights[i, mask] = -factorial(size) * factorial(n - size - 1) / factorial(n)
    return weights
