"""Skew: keys are not alike, and a shard gets what its keys do. Zipf's law, and the fullest of n shards.

The key of rank r does a share proportional to r^-s of all events: s = 0 is everybody alike, 1 the law of
words and of pages.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from math import exp, log, sqrt
from statistics import NormalDist

HEAD = 2_000
"""Ranks that are summed one by one; the sum of the rest is an integral (Euler and Maclaurin)."""
HEAVY = 0.2
"""Keys of more than this part of an even shard are looked at one by one."""
MOST_HEAVY = 64
STEPS = 400

_NORMAL = NormalDist()


@cache
def power_sum(exponent: float, n: float) -> float:
    """Return the sum of r^-exponent for r = 1..n."""
    head = sum(rank**-exponent for rank in range(1, int(min(n, HEAD)) + 1))
    if n <= HEAD:
        return head
    if abs(exponent - 1) < 1e-9:
        tail = log(n / HEAD)
    else:
        tail = (n ** (1 - exponent) - HEAD ** (1 - exponent)) / (1 - exponent)
    return head + tail + (n**-exponent - HEAD**-exponent) / 2


def top_share(exponent: float, n_keys: float) -> float:
    """Return the share of all events that the busiest key does."""
    return 1 / power_sum(exponent, n_keys)


@cache
def fullest_share(exponent: float, n_keys: float, n_bins: int) -> float:
    """Return the expected share of the fullest of so many bins (shards, or tasks), keys spread by a hash.

    Heavy keys are put into bins one by one; what the others bring a bin is taken for gamma distributed, by
    its mean and variance (Wilson and Hilferty's cube root). The greatest is below x where every bin is; its
    expectation is the integral of the rest. Within 9% of drawing it (tests/bench/test_scale.py), below rather
    than above: two heavy keys may share a bin.
    """
    if n_bins <= 1:
        return 1.0
    heavy = _heavy(exponent, n_keys, n_bins)
    whole = power_sum(exponent, n_keys)
    squares = power_sum(2 * exponent, n_keys) / whole**2 - sum(share**2 for share in heavy)
    mean = max(1e-15, (1 - sum(heavy)) / n_bins)
    deviation = sqrt(max(squares, 1e-18) / n_bins * (1 - 1 / n_bins))
    shape = (mean / deviation) ** 2

    def all_below(most: float) -> float:
        found = _gamma_below(most / mean, shape) ** (n_bins - len(heavy))
        for share in heavy:
            found *= _gamma_below((most - share) / mean, shape)
        return found

    reach = 2 * max(heavy, default=0.0) + mean + 8 * deviation
    return reach / STEPS * sum(1 - all_below((step + 0.5) * reach / STEPS) for step in range(STEPS))


def _heavy(exponent: float, n_keys: float, n_bins: int) -> Sequence[float]:
    whole = power_sum(exponent, n_keys)
    most = int(min(n_keys, MOST_HEAVY, n_bins / 2))
    shares = [rank**-exponent / whole for rank in range(1, most + 1)]
    return [share for share in shares if share > HEAVY / n_bins]


def _gamma_below(ratio: float, shape: float) -> float:
    """Return how probably a gamma variable of a shape is below so many times its mean."""
    if ratio <= 0:
        return 0.0
    deviation = 1 / (9 * shape)
    return _NORMAL.cdf((ratio ** (1 / 3) - 1 + deviation) / sqrt(deviation))


def hit_share(n_active: float, n_kept: float) -> float:
    """Return how often somebody who acts again is among those whose state is decoded already."""
    return 1.0 if n_active <= n_kept else n_kept / n_active


def active_people(events_per_s: float, *, visit_events: float, visit_s: float) -> float:
    """Return how many people are in the middle of a visit (Little's law)."""
    return events_per_s / visit_events * visit_s


def load_of_key(exponent: float, n_keys: float, *, rank: float, events_per_s: float) -> float:
    """Return how many events a second the key of a rank does."""
    return events_per_s * top_share(exponent, n_keys) * exp(-exponent * log(rank))
