"""Allocations that learn: plain means are biased by them, and means weighted by logged chances are not."""

from __future__ import annotations

import math

import numpy as np
import pytest
from msgspec import Struct

from sojourn.analytics.experiments.samples import Sample, apart
from sojourn.analytics.statistics.distributions import normal_cdf
from sojourn.analytics.statistics.sequential import sequential_interval
from sojourn.analytics.statistics.weighted import hajek

FLOOR = 0.05  # of a propensity, as adaptive splits have it.
SHARE = 0.3
BATCH = 50


class Learnt(Struct):
    """What many experiments without any effect came to."""

    plain: list[float]
    """The plain mean of the first arm, each."""
    weighted: list[float]
    n_wrong: int
    """How many were called clear at any look."""


def learn(streams: int, people: int, *, seed: int) -> Learnt:
    """Let Thompson sampling (normal approximation, a floor) learn from nothing, and look at each batch."""
    random = np.random.default_rng(seed)
    found = Learnt([], [], 0)
    for _ in range(streams):
        y, arm, chance = (np.zeros(people) for _ in range(3))
        is_wrong = False
        for start in range(0, people, BATCH):
            past = slice(0, start)
            p = _best(y[past], arm[past])
            some = slice(start, start + BATCH)
            arm[some] = random.random(BATCH) < p
            chance[some] = np.where(arm[some] == 1, p, 1 - p)
            y[some] = random.random(BATCH) < SHARE
            sides = _sides(y[: start + BATCH], arm[: start + BATCH], chance[: start + BATCH])
            is_wrong |= sequential_interval(apart(*sides)).is_clear
        found.plain.append(float(y[arm == 1].mean()))
        found.weighted.append(hajek(y[arm == 1], chance[arm == 1]).mean)
        found.n_wrong += is_wrong
    return found


def _best(y: np.ndarray, arm: np.ndarray) -> float:
    """Return how likely arm 1 is the better one, at least the floor."""
    means, variances = [], []
    for code in (1, 0):
        n, won = (arm == code).sum(), y[arm == code].sum()
        mean = (won + 1) / (n + 2)
        means.append(mean)
        variances.append(mean * (1 - mean) / (n + 3))
    return min(1 - FLOOR, max(FLOOR, normal_cdf((means[0] - means[1]) / math.sqrt(sum(variances)))))


def _sides(y: np.ndarray, arm: np.ndarray, chance: np.ndarray) -> list[Sample]:
    return [Sample(y[arm == code], chance=chance[arm == code]) for code in (1, 0)]


def test_an_arm_that_was_unlucky_first_is_not_called_worse() -> None:
    """It gets few people afterwards, so its plain mean stays low: a bias that weights take away."""
    found = learn(200, 600, seed=1)
    assert np.mean(found.plain) < SHARE - 0.004
    assert abs(np.mean(found.weighted) - SHARE) < 0.012
    assert found.n_wrong / 200 <= 0.05


@pytest.mark.slow
def test_weighted_always_valid_intervals_are_wrong_at_most_as_often_as_said() -> None:
    """1,000 experiments of 4,000 people without any effect, looked at every 50."""
    found = learn(1_000, 4_000, seed=2)
    bias = np.mean(found.plain) - SHARE
    error = np.std(found.plain) / math.sqrt(1_000)
    assert bias < -3 * error
    assert abs(np.mean(found.weighted) - SHARE) < 0.25 * abs(bias)
    assert found.n_wrong / 1_000 <= 0.05
