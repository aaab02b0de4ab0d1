"""Draws: uniform numbers named by what they are for, so that every world of the same people uses the same.

A draw is a hash of (seed, person, step, channel, purpose) and of nothing else. So a world in which a channel
is off differs from the one in which it is on by what the channel does, and by no luck: differences are exact.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)  # SplitMix64: G. Steele, D. Lea, C. Flood, OOPSLA 2014.
_MIX_1, _MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_TO_UNIT = 2.0**-53


class Purpose(IntEnum):
    """What a draw decides."""

    INTENT = 0
    NOISE = 1
    REACH = 2
    OPPORTUNITY = 3
    CLICK = 4
    ANYWAY = 5
    VISIT = 6
    CONVERT = 7
    DELAY = 8
    VALUE = 9


MAX_CHANNELS = 64


class Draws:
    """The draws of some people.

    Args:
        seed: Another seed, other people.
        first: The number of the first of them.
        n_people: How many.
    """

    def __init__(self, seed: int, first: int, n_people: int) -> None:
        people = np.arange(first, first + n_people, dtype=np.uint64)
        with np.errstate(over="ignore"):
            self._keys = _mixed(people * _GOLDEN + _mixed(np.full(1, seed % (1 << 64), dtype=np.uint64)))
        self.n_people = n_people

    def uniform(self, purpose: Purpose, step: int = 0, channel: int = 0) -> Floats:
        """Return a number in (0, 1) for each person, shape (n_people,)."""
        code = np.uint64((step * MAX_CHANNELS + channel) * len(Purpose) + purpose + 1)
        with np.errstate(over="ignore"):
            bits = _mixed(self._keys + code * _GOLDEN)
        return ((bits >> np.uint64(11)).astype(np.float64) + 0.5) * _TO_UNIT

    def logit(self, purpose: Purpose, step: int = 0, channel: int = 0) -> Floats:
        """Return their log-odds: below z with the probability 1 / (1 + exp(-z)), shape (n_people,)."""
        u = self.uniform(purpose, step, channel)
        return np.log(u / (1 - u))

    def normal(self, purpose: Purpose) -> Floats:
        """Return standard normal numbers, shape (n_people,) (G. Box, M. Muller, 1958)."""
        radius = np.sqrt(-2 * np.log(self.uniform(purpose)))
        angle: Floats = radius * np.cos(2 * np.pi * self.uniform(purpose, 1))
        return angle


def _mixed(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    x = (x ^ (x >> np.uint64(30))) * _MIX_1
    x = (x ^ (x >> np.uint64(27))) * _MIX_2
    mixed: NDArray[np.uint64] = x ^ (x >> np.uint64(31))
    return mixed
