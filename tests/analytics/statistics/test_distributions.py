"""Distributions: tails and quantiles, by published values and by what must hold between them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.analytics.statistics.distributions import (
    chi_square_tail,
    normal_cdf,
    normal_quantile,
    normal_tail,
    t_quantile,
    t_tail,
)

SHARES = st.floats(1e-6, 1 - 1e-6)
DEGREES = st.floats(0.6, 1e6)


@pytest.mark.parametrize(
    ("df", "share", "expected"),
    [(1, 0.975, 12.7062), (2, 0.95, 2.9200), (5, 0.975, 2.5706), (10, 0.995, 3.1693), (120, 0.975, 1.9799)],
)
def test_quantiles_of_t_are_those_of_the_tables(df: float, share: float, expected: float) -> None:
    """As printed at the back of every textbook."""
    assert t_quantile(share, df) == pytest.approx(expected, abs=5e-5)


@pytest.mark.parametrize(
    ("x", "df", "expected"), [(3.841459, 1, 0.05), (9.487729, 4, 0.05), (23.20925, 10, 0.01)]
)
def test_tails_of_chi_square_are_those_of_the_tables(x: float, df: float, expected: float) -> None:
    """Its critical values."""
    assert chi_square_tail(x, df) == pytest.approx(expected, rel=1e-6)


def test_tails_of_t_are_right_far_out() -> None:
    """A p-value of a large experiment is no rounding error: df 1 is Cauchy, which has a closed form."""
    for x in (0.3, 1.0, 40.0, 1e6):
        assert t_tail(x, 1) == pytest.approx(math.atan(1 / x) / math.pi, rel=1e-9)
    assert t_tail(22.6, 42_000) == pytest.approx(1.0172348e-112, rel=1e-7)


@given(SHARES, DEGREES)
def test_a_quantile_of_t_has_its_share_below_it(share: float, df: float) -> None:
    """One undoes the other."""
    assert 1 - t_tail(t_quantile(share, df), df) == pytest.approx(share, rel=1e-6, abs=1e-9)


@given(SHARES)
def test_the_normal_law_is_symmetric_and_its_quantile_undoes_it(share: float) -> None:
    """Either tail is the other's mirror."""
    x = normal_quantile(share)
    assert normal_cdf(x) == pytest.approx(share, rel=1e-9)
    assert normal_tail(x) == pytest.approx(normal_cdf(-x), rel=1e-12)


@given(st.floats(0.001, 2_000))
def test_chi_square_of_two_degrees_is_exponential(x: float) -> None:
    """A closed form, by series below and by fraction above."""
    assert chi_square_tail(x, 2) == pytest.approx(math.exp(-x / 2), rel=1e-9, abs=1e-300)


def test_t_of_many_degrees_is_the_normal_law() -> None:
    """Where one turns into the other nothing jumps."""
    for x in (0.5, 1.96, 4.0):
        assert t_tail(x, 9.9e6) == pytest.approx(t_tail(x, 1.01e7), rel=1e-5)
