"""CUPED, ratios and weights: small cases with literal numbers, and what must hold."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.analytics.statistics.cuped import adjusted
from sojourn.analytics.statistics.moments import Moments, joint_of, moments_of
from sojourn.analytics.statistics.ratio import ratio_moments
from sojourn.analytics.statistics.weighted import effective_size, hajek

SEEDS = st.integers(0, 2**32 - 1)


def test_a_past_that_says_all_leaves_only_the_effect() -> None:
    """Whoever bought x before buys x, and one more where treated: the effect is 1 without any doubt."""
    treated, control, theta = adjusted(joint_of([2, 3, 6], [1, 2, 5]), joint_of([1, 2, 5], [1, 2, 5]))
    assert theta == pytest.approx(1.0)
    assert treated.mean - control.mean == pytest.approx(1.0)
    assert (treated.variance, control.variance) == (pytest.approx(0, abs=1e-12), pytest.approx(0, abs=1e-12))


def test_a_past_without_variation_changes_nothing() -> None:
    """New people have none: each a 0."""
    one, other = joint_of([1, 2, 3], [0, 0, 0]), joint_of([2, 2, 5], [0, 0, 0])
    assert adjusted(one, other) == (one.first, other.first, 0.0)


@given(SEEDS)
def test_cuped_is_each_persons_outcome_less_theta_times_their_past(seed: int) -> None:
    """The oracle goes over people."""
    random = np.random.default_rng(seed)
    past = [random.gamma(2, 1, n) for n in (40, 60)]
    now = [x + random.normal(0, 1, len(x)) for x in past]
    one, other, theta = adjusted(joint_of(now[0], past[0]), joint_of(now[1], past[1]))
    every = np.concatenate(past)
    for found, y, x in zip((one, other), now, past, strict=True):
        expected = moments_of(y - theta * (x - every.mean()))
        assert (found.mean, found.variance) == (
            pytest.approx(expected.mean), pytest.approx(expected.variance)
        )  # fmt: skip
    assert one.variance < joint_of(now[0], past[0]).first.variance


def test_the_moments_of_a_ratio() -> None:
    """Three people with 2, 6 and 4 euros in 1, 3 and 2 orders: 2 euros an order, and no doubt about it."""
    assert ratio_moments(joint_of([2, 6, 4], [1, 3, 2])) == Moments(3, 2.0, 0.0)
    found = ratio_moments(joint_of([2, 9, 4], [1, 3, 2]))
    assert found.mean == pytest.approx(2.5)
    assert found.variance == pytest.approx(((2 - 2.5) ** 2 + (9 - 7.5) ** 2 + (4 - 5) ** 2) / 2 / 4)


def test_a_ratio_over_nothing_is_not_known() -> None:
    """Nobody ordered."""
    assert math.isnan(ratio_moments(joint_of([0, 0], [0, 0])).mean)


@given(SEEDS, st.floats(0.05, 0.95))
def test_equal_chances_weigh_nothing(seed: int, chance: float) -> None:
    """The weighted mean is the mean, and its variance the sample's."""
    x = np.random.default_rng(seed).normal(3, 2, 20)
    found, plain = hajek(x, np.full(20, chance)), moments_of(x)
    assert (found.mean, found.variance) == (pytest.approx(plain.mean), pytest.approx(plain.variance))
    assert effective_size(np.full(20, chance)) == pytest.approx(20)


def test_people_of_small_chances_stand_for_more() -> None:
    """One of chance 1/4 is worth four of chance 1."""
    assert hajek([8.0, 3.0], [0.25, 1.0]).mean == pytest.approx((4 * 8 + 3) / 5)
    assert effective_size([0.25, 1.0]) == pytest.approx(25 / 17)


def test_weights_undo_an_allocation_that_favours_an_arm() -> None:
    """Late people buy more, and late the arm was favoured: plain means see an effect that is not there."""
    random = np.random.default_rng(5)
    late = np.arange(40_000) >= 20_000
    chance = np.where(late, 0.9, 0.1)
    is_treated = random.random(40_000) < chance
    bought = random.binomial(1, np.where(late, 0.4, 0.1)) * 1.0
    plain = bought[is_treated].mean() - bought[~is_treated].mean()
    one = hajek(bought[is_treated], chance[is_treated])
    other = hajek(bought[~is_treated], 1 - chance[~is_treated])
    assert plain > 0.2
    assert abs(one.mean - other.mean) < 3 * math.sqrt(one.mean_variance + other.mean_variance) < 0.03
