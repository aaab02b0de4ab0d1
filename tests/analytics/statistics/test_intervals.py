"""Intervals of one look and of any number of looks: literal answers, and what holds of both."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.analytics.statistics.fixed import welch
from sojourn.analytics.statistics.moments import Joint, Moments, joint_of, moments_of, pooled
from sojourn.analytics.statistics.sequential import always_valid_p, confidence_sequence

MENS = Moments(21_307, 3_894 / 21_307, 3_894 / 21_307 * (1 - 3_894 / 21_307) * 21_307 / 21_306)
NONE = Moments(21_306, 2_262 / 21_306, 2_262 / 21_306 * (1 - 2_262 / 21_306) * 21_306 / 21_305)
"""Who visited the shop in Hillstrom's e-mail experiment: 3,894 of 21,307, and 2,262 of 21,306."""

ARMS = st.builds(Moments, st.integers(2, 10**6), st.floats(-1e3, 1e3), st.floats(1e-3, 1e4))


def test_welch_of_a_published_experiment() -> None:
    """Hillstrom: the men's e-mail and visits; scipy 1.18."""
    found = welch(MENS, NONE)
    assert (found.estimate, found.low, found.high) == (
        pytest.approx(0.076590, abs=5e-7),
        pytest.approx(0.069953, abs=1e-6),
        pytest.approx(0.083226, abs=1e-6),
    )
    assert found.standard_error == pytest.approx(0.003386, abs=5e-7)


def test_welch_of_two_small_samples() -> None:
    """By scipy 1.17: ttest_ind([3, 4, 5, 9], [1, 2, 2], equal_var=False)."""
    found = welch(moments_of([3, 4, 5, 9]), moments_of([1, 2, 2]))
    assert found.estimate == pytest.approx(3.5833333333)
    assert found.p == pytest.approx(0.0685181490, abs=1e-9)


def test_the_always_valid_interval_of_a_published_experiment() -> None:
    """Hillstrom, as gbstats 0.8.0 has it with the tuning 5,000."""
    found = confidence_sequence(MENS, NONE)
    assert (found.low, found.high) == (pytest.approx(0.065686, abs=2e-6), pytest.approx(0.087494, abs=2e-6))


@pytest.mark.parametrize(
    ("treated", "control"),
    [
        (Moments(3, 1.0, 0.0), Moments(3, 0.0, 0.0)),
        (Moments(1, 1.0, math.nan), Moments(50, 0.0, 1.0)),
        (Moments(0, math.nan, math.nan), Moments(50, 0.0, 1.0)),
    ],
)
def test_where_nobody_varies_nothing_is_known(treated: Moments, control: Moments) -> None:
    """Three of three beside none of three is not certainty, though its variance is 0."""
    for found in (welch(treated, control), confidence_sequence(treated, control)):
        assert (found.low, found.high, found.p) == (-math.inf, math.inf, 1.0)
        assert not found.is_clear


def test_a_share_of_nothing_is_not_known() -> None:
    """Whoever had none before has no percentage more now."""
    found = welch(Moments(100, 1.0, 1.0), Moments(100, 0.0, 1.0), relative=True)
    assert (found.low, found.high) == (-math.inf, math.inf)


@given(ARMS, ARMS)
def test_looking_always_costs_width(treated: Moments, control: Moments) -> None:
    """At the same data the interval for any look holds the one for one look (of many people)."""
    one, any_time = welch(treated, control), confidence_sequence(treated, control)
    if min(treated.n, control.n) > 100:
        assert any_time.low <= one.low
        assert any_time.high >= one.high


@given(ARMS, ARMS, st.sampled_from([0.01, 0.05, 0.2]), st.booleans())
def test_p_is_below_alpha_exactly_where_the_interval_leaves_nothing_out(
    treated: Moments, control: Moments, alpha: float, sequential: bool
) -> None:
    """Two ways to say one thing."""
    compare = confidence_sequence if sequential else welch
    found = compare(treated, control, alpha)
    if abs(found.p - alpha) > 1e-9:
        assert (found.p < alpha) == found.is_clear


@given(ARMS, ARMS)
def test_the_other_way_round_is_the_opposite(treated: Moments, control: Moments) -> None:
    """Nothing depends on which arm is called treated."""
    there, back = confidence_sequence(treated, control), confidence_sequence(control, treated)
    assert (there.estimate, there.low, there.p) == (
        pytest.approx(-back.estimate), pytest.approx(-back.high), pytest.approx(back.p)
    )  # fmt: skip


def test_evidence_once_found_stays_found() -> None:
    """The smallest p of all looks counts."""
    strong = always_valid_p(MENS, NONE)
    weak = always_valid_p(Moments(100, 0.1, 0.09), Moments(100, 0.1, 0.09), before=strong)
    assert weak == strong < 1e-50


FLOATS = st.lists(st.tuples(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3)), min_size=1, max_size=30)


@given(FLOATS, FLOATS)
def test_two_arms_put_together_have_the_moments_of_all_their_people(
    one: list[tuple[float, float]], other: list[tuple[float, float]]
) -> None:
    """The oracle measures them anew."""
    a, b = joint_of(*zip(*one, strict=True)), joint_of(*zip(*other, strict=True))
    whole = joint_of(*zip(*one, *other, strict=True))
    if len(one) > 1 and len(other) > 1:
        found = pooled(a, b)
        assert found.means == pytest.approx(whole.means, abs=1e-6)
        assert found.variances == pytest.approx(whole.variances, rel=1e-6, abs=1e-5)
        assert found.covariance == pytest.approx(whole.covariance, rel=1e-6, abs=1e-5)


@given(FLOATS)
def test_moments_are_those_of_the_definition(rows: list[tuple[float, float]]) -> None:
    """Sums over people, divided by n - 1."""
    found = joint_of(*zip(*rows, strict=True))
    n = len(rows)
    means = [sum(row[i] for row in rows) / n for i in (0, 1)]
    assert found.means == pytest.approx(means, abs=1e-9)
    if n > 1:
        products = sum((x - means[0]) * (y - means[1]) for x, y in rows) / (n - 1)
        assert found.covariance == pytest.approx(products, rel=1e-7, abs=1e-6)
        assert found.first.variance == pytest.approx(
            sum((x - means[0]) ** 2 for x, _ in rows) / (n - 1), rel=1e-7, abs=1e-6
        )


def test_equal_numbers_have_no_variance_at_all() -> None:
    """Rounding would make some, and a tiny one would look like certainty."""
    assert moments_of(np.full(7, 0.1)).variance == 0.0


def test_a_joint_tells_each_of_its_two_measures() -> None:
    """In the order they were given."""
    joint = Joint(5, (1.0, 2.0), (3.0, 4.0), 0.5)
    assert (joint.first, joint.second) == (Moments(5, 1.0, 3.0), Moments(5, 2.0, 4.0))
