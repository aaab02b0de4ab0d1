"""Assignment: which people a hold-out keeps back, and which variant a person gets.

GrowthBook's rules: its hash, version 2 (`n = fnv1a(str(fnv1a(seed + unit))) mod 10,000`), its ranges of
buckets, its namespaces. The same person gets the same answer everywhere, and two experiments with different
seeds are independent. Version 1 of the hash (`fnv1a(unit + seed) mod 1,000`) is kept for namespaces and for
experiments that began elsewhere: of two seeds that differ in their last character it makes dependent splits.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Literal

import msgspec
from msgspec import Struct

from sojourn.definitions.experiment import Experiment, Namespace
from sojourn.definitions.forecasts import OTHER

_FNV_OFFSET = 0x811C9DC5  # FNV-1a, 32 bits: offset basis and prime of its authors.
_FNV_PRIME = 0x01000193
BUCKETS = 10_000
BUCKETS_V1 = 1_000

MAX_CELL_CHARS = 100  # of the name of a context's cell; a longer one is cut.

Weights = Mapping[str, Mapping[str, Sequence[float]]]
"""Experiment -> cell of its context -> weights in the order of the variants, as learnt."""


class Choice(Struct, frozen=True, kw_only=True):
    """A random choice: the variant somebody gets, and what it was drawn from."""

    experiment: str
    variant: str
    propensity: float
    """The probability with which it was drawn, 0 to 1."""
    eligible: dict[str, float]
    """Variant -> its probability; they sum to 1."""
    context: str = ""
    """Of a contextual allocation: the cell."""
    allocation: Literal["fixed", "adaptive"] = "fixed"
    is_kept: bool = False
    """The person met it before, and keeps it."""


def bucket(seed: str, unit: str) -> float:
    """Place a unit in [0, 1), in steps of 1/10,000, uniformly and independently of other seeds."""
    return _fnv1a(str(_fnv1a(unit, _hash_of(seed)))) % BUCKETS / BUCKETS


def place(seed: str, unit: str, version: int) -> float | None:
    """Place a unit in [0, 1) by a version of the hash; None where there is no such version."""
    if version == 2:
        return bucket(seed, unit)
    if version == 1:
        return _fnv1a(unit + seed) % BUCKETS_V1 / BUCKETS_V1
    return None


def bucket_ranges(
    n_variants: int, coverage: float = 1.0, weights: Sequence[float] | None = None
) -> list[tuple[float, float]]:
    """Return which part of [0, 1) each variant has: of its weight's part, the share that is covered.

    Weights that are not one for each variant, or do not sum to 1 (within 1 %), count as equal ones.
    """
    covered = min(1.0, max(0.0, coverage))
    if weights is None or len(weights) != n_variants or not 0.99 <= sum(weights) <= 1.01:
        weights = [1 / n_variants] * n_variants
    edge = 0.0
    ranges = []
    for weight in weights:
        ranges.append((edge, edge + covered * weight))
        edge += weight
    return ranges


def choose_variant(place: float, ranges: Sequence[tuple[float, float]]) -> int:
    """Return which range a place lies in; -1: none."""
    for i, (start, end) in enumerate(ranges):
        if start <= place < end:
            return i
    return -1


def in_namespace(unit: str, namespace: Namespace) -> bool:
    """Tell whether a unit lies in a part of a namespace."""
    found = place("__" + namespace.id, unit, 1)
    return found is not None and namespace.start <= found < namespace.end


def is_held_out(seed: str, unit: str, share: float) -> bool:
    """Tell whether a hold-out of this share keeps the unit back."""
    return share > 0 and bucket(seed, unit) < share


def cell_of(experiment: Experiment, scope: Any) -> str:
    """Name the cell of a contextual allocation that somebody is in now; empty where it has no context."""
    if not experiment.by:
        return ""
    values = (msgspec.json.encode(one.call(scope)).decode() for one in experiment.by)
    return "|".join(values)[:MAX_CELL_CHARS]


def weights_now(experiment: Experiment, cell: str, learnt: Weights) -> Sequence[float]:
    """Return the weights in force: what was learnt of the cell, else of all rare cells, else as defined."""
    if experiment.allocation == "fixed":
        return experiment.weights
    cells = learnt.get(experiment.id, {})
    found = cells.get(cell) or cells.get(OTHER)
    return found if found and len(found) == len(experiment.variants) else experiment.weights


def choose(
    experiment: Experiment, unit: str, *, kept: Mapping[str, str], scope: Any, learnt: Weights
) -> Choice | None:
    """Return the variant somebody gets; None where they take no part.

    `kept` are the variants the person met, by experiment: a sticky one stays, whatever else would be said.
    """
    if any(other in kept for other in experiment.excludes):
        return None
    met = kept.get(experiment.id) if experiment.is_sticky else None
    is_kept = met in experiment.variants
    if not is_kept and experiment.namespace is not None and not in_namespace(unit, experiment.namespace):
        return None
    cell = cell_of(experiment, scope)
    weights = weights_now(experiment, cell, learnt)
    if is_kept and met is not None:
        chosen = experiment.variants.index(met)
    else:
        found = place(experiment.seed or experiment.id, unit, experiment.hash)
        assert found is not None, "a definition has no other hash"
        chosen = choose_variant(found, _ranges_of(tuple(weights), experiment.coverage))
        if chosen < 0:
            return None
    return Choice(
        experiment=experiment.id,
        variant=experiment.variants[chosen],
        propensity=weights[chosen],
        eligible=dict(zip(experiment.variants, weights, strict=True)),
        context=cell,
        allocation=experiment.allocation,
        is_kept=is_kept,
    )


@lru_cache(4096)  # weights are those of definitions, and what was learnt last
def _ranges_of(weights: tuple[float, ...], coverage: float) -> list[tuple[float, float]]:
    return bucket_ranges(len(weights), coverage, weights)


@lru_cache(4096)  # seeds are those of definitions; a hash that goes on from one costs half
def _hash_of(seed: str) -> int:
    return _fnv1a(seed)


def _fnv1a(text: str, value: int = _FNV_OFFSET) -> int:
    """Hash a text by its UTF-16 code units, as GrowthBook's SDK for browsers does."""
    if text.isascii():
        units: Iterable[int] = text.encode()
    else:
        units = memoryview(text.encode("utf-16", "surrogatepass")).cast("H")[1:]  # behind the byte order mark
    for unit in units:
        value = (value ^ unit) * _FNV_PRIME & 0xFFFFFFFF
    return value
