"""Durations: how long things took, counted in classes, so that counts add up exactly."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

PRECISION_BITS = 10  # A class is 1/1024 wide: a quantile is told to within 0.1 %.

QUANTILES = (0.1, 0.5, 0.9)


class Quantiles(Struct, frozen=True):
    """What many durations look like; each to within 0.1 %."""

    n: int
    p10_ms: int
    p50_ms: int
    p90_ms: int


def class_of(duration_ms: int) -> int:
    """Return the class of a duration: its lower edge, ms.

    >>> class_of(1_000), class_of(5_000_000), class_of(5_000_001)
    (1000, 4997120, 4997120)
    """
    excess_bits = max(0, duration_ms.bit_length() - PRECISION_BITS - 1)
    return duration_ms >> excess_bits << excess_bits


def quantiles(counts: Mapping[int, int]) -> Quantiles:
    """Sum up counts by class (see `class_of`), of which there is at least one."""
    n = sum(counts.values())
    found = []
    for share in QUANTILES:
        rank = max(1, -(-n * round(share * 100) // 100))  # the nearest rank, in whole numbers
        seen = 0
        for edge in sorted(counts):
            seen += counts[edge]
            if seen >= rank:
                found.append(edge)
                break
    return Quantiles(n, *found)
