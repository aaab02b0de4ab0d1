"""Corrections, groups and power: literal answers of small cases, and naive oracles."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.analytics.statistics.heterogeneity import interaction
from sojourn.analytics.statistics.interval import Contrast
from sojourn.analytics.statistics.multiplicity import benjamini_hochberg, holm
from sojourn.analytics.statistics.power import days_needed, people_needed, power_of, share_deviation

P = st.lists(st.floats(0, 1), max_size=12)


def test_benjamini_and_hochbergs_own_example() -> None:
    """Their paper of 1995: of fifteen p-values the four smallest are claimed at 5 %."""
    p = [
        0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719,
        0.6528, 0.7590, 1.0,
    ]  # fmt: skip
    assert int((benjamini_hochberg(p) <= 0.05).sum()) == 4
    assert int((holm(p) <= 0.05).sum()) == 3


@given(P, st.floats(0.001, 0.999))
def test_a_q_is_claimed_where_the_procedure_claims_it(p: list[float], alpha: float) -> None:
    """The procedure: the largest k with p(k) <= k alpha / n, and all up to it; Holm: until the first miss."""
    n = len(p)
    ranked = sorted(p)
    k = max((i for i in range(1, n + 1) if ranked[i - 1] * n / i <= alpha), default=0)
    assert int((benjamini_hochberg(p) <= alpha).sum()) == k
    claims = 0
    while claims < n and ranked[claims] * (n - claims) <= alpha:
        claims += 1
    assert int((holm(p) <= alpha).sum()) == claims


def test_what_was_not_asked_takes_no_part() -> None:
    """NaN is no question."""
    assert benjamini_hochberg([0.01, math.nan, 0.02]).tolist() == pytest.approx(
        [0.02, math.nan, 0.02], nan_ok=True
    )


def test_effects_of_groups_that_are_one() -> None:
    """Q of three estimates 1, 2, 3 with variance 1 each is 2, of two degrees: exp(-1)."""
    found = interaction([Contrast(x, 1.0, 1_000) for x in (1.0, 2.0, 3.0)], alpha=0.05, tuning=5_000)
    assert (found.statistic, found.df, found.p) == (pytest.approx(2.0), 2, pytest.approx(math.exp(-1)))
    assert found.always_valid_p == 1.0


def test_effects_of_groups_that_differ() -> None:
    """Ten standard errors are no chance at any look."""
    found = interaction([Contrast(0.0, 1.0, 5_000), Contrast(14.2, 1.0, 5_000)], alpha=0.05, tuning=5_000)
    assert found.p < found.always_valid_p < 1e-10


def test_a_group_of_which_nothing_is_known_says_nothing() -> None:
    """One group is left, and differs from nobody."""
    found = interaction([Contrast(1.0, 1.0, 100), Contrast(9.0, 0.0, 100)], alpha=0.05, tuning=5_000)
    assert (found.p, found.always_valid_p) == (1.0, 1.0)


def test_power_as_cohen_prints_it() -> None:
    """d = 0.5 with 64 people in each group is found in 80 of 100 (Cohen, 1988; statsmodels 0.8014596)."""
    assert power_of(0.5, (1, 1), (64, 64)) == pytest.approx(0.8014596, abs=1e-7)
    assert people_needed(0.5, (1, 1)) == (64, 64)


def test_people_a_test_of_shares_needs() -> None:
    """5 % beside 6 %, four of five found: 8,155 in each arm (unpooled z)."""
    deviations = share_deviation(0.06), share_deviation(0.05)
    assert people_needed(0.01, deviations, law="normal") == (8_155, 8_155)
    assert power_of(0.01, deviations, (8_155, 8_155), law="normal") == pytest.approx(0.8, abs=1e-4)


def test_nothing_is_found_as_often_as_it_may_be() -> None:
    """Without an effect power is alpha."""
    assert power_of(0, (1, 2), (10, 14)) == pytest.approx(0.05)


def test_power_is_what_happens() -> None:
    """4,000 small tests, seed 2."""
    random = np.random.default_rng(2)
    a, b = random.normal(1.0, 1.0, (4_000, 12)), random.normal(0.0, 1.0, (4_000, 12))
    error = np.sqrt(a.var(axis=1, ddof=1) / 12 + b.var(axis=1, ddof=1) / 12)
    found = (np.abs(a.mean(axis=1) - b.mean(axis=1)) / error > 2.0739).mean()
    assert power_of(1.0, (1, 1), (12, 12)) == pytest.approx(found, abs=0.02)


def test_nobody_finds_nothing() -> None:
    """And no number of people finds what is too small."""
    with pytest.raises(ValueError, match="an effect of nothing"):
        people_needed(0, (1, 1))
    with pytest.raises(ValueError, match="more people are needed than there are"):
        people_needed(1e-9, (1, 1), law="normal")


def test_days_are_those_of_arrivals_and_of_the_last_window() -> None:
    """20,000 people at 1,000 a day, each looked at for a week."""
    assert days_needed(20_000, 1_000, window_days=7) == 27
