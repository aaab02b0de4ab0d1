"""Durations: how long things took, counted in classes, so that the counts of many processes add up exactly."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

PRECISION_BITS = 5  # A class is 1/32 wide: a quantile is told to within 3 %.

QUANTILES = (0.1, 0.5, 0.9)


class Quantiles(Struct, frozen=True):
    """What many durations look like; each to within 3 %."""

    n: int
    p10_ms: int
    p50_ms: int
    p90_ms: int


def class_of(duration_ms: int) -> int:
    """Return the class of a duration: its lower edge, ms.

    >>> class_of(17), class_of(1000), class_of(1001)
    (17, 992, 992)
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
