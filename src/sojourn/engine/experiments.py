"""Assignment: which people a hold-out keeps back, and which variant a person gets.

GrowthBook's hash, version 2 (`n = fnv1a(str(fnv1a(seed + unit))) mod 10,000`): the same person gets the
same answer everywhere, and two experiments with different seeds are independent.
"""

from __future__ import annotations

from functools import lru_cache

from sojourn.definitions.journey import Experiment

_FNV_OFFSET = 0x811C9DC5  # FNV-1a, 32 bits: offset basis and prime of its authors.
_FNV_PRIME = 0x01000193
BUCKETS = 10_000


def bucket(seed: str, unit: str) -> float:
    """Place a unit in [0, 1), in steps of 1/10,000, uniformly and independently of other seeds."""
    return _fnv1a(str(_fnv1a(unit, _hash_of(seed)))) % BUCKETS / BUCKETS


def is_held_out(seed: str, unit: str, share: float) -> bool:
    """Tell whether a hold-out of this share keeps the unit back."""
    return share > 0 and bucket(seed, unit) < share


def assign(experiment: Experiment, unit: str) -> tuple[str, float]:
    """Return the unit's variant and the probability with which it gets it."""
    place = bucket(experiment.id, unit)
    edge = 0.0
    for variant, weight in zip(experiment.variants, experiment.weights, strict=True):
        edge += weight
        if place < edge:
            return variant, weight
    return experiment.variants[-1], experiment.weights[-1]  # the weights' sum, rounded, may miss 1 by a hair


@lru_cache(4096)  # seeds are those of definitions; a hash that goes on from one costs half
def _hash_of(seed: str) -> int:
    return _fnv1a(seed)


def _fnv1a(text: str, value: int = _FNV_OFFSET) -> int:
    for byte in text.encode():
        value = (value ^ byte) * _FNV_PRIME & 0xFFFFFFFF
    return value
