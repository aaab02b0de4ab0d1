"""Thompson weights, against what is known in closed form, against chance, and against slow integration."""

from __future__ import annotations

import doctest
import math
from itertools import permutations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sojourn.definitions import thompson
from sojourn.definitions.thompson import chances, weights

arms = st.integers(0, 10_000_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def naive(successes: list[float], trials: list[float], *, points: int = 12_000) -> list[float]:
    """Integrate by trapezes, on a grid of log-odds that is fine wherever an arm is."""
    a, b = 1 + np.array(successes, dtype=float), 1 + np.array(trials, float) - np.array(successes, float)
    modes, scales = np.log(a / b), np.sqrt((a + b) / a / b)
    steps = np.linspace(-35, 35, points)
    grid = np.unique(
        np.concatenate([mode + scale * steps for mode, scale in zip(modes, scales, strict=True)])
    )
    densities, below = [], []
    for one, other in zip(a, b, strict=True):
        log = -one * np.logaddexp(0, -grid) - other * np.logaddexp(0, grid)
        density = np.exp(log - log.max())
        total = np.concatenate([[0], np.cumsum((density[1:] + density[:-1]) / 2 * np.diff(grid))])
        densities.append(density / total[-1])
        below.append(total / total[-1])
    found = [
        float(np.trapezoid(density * np.prod(below[:i] + below[i + 1 :], axis=0), grid))
        for i, density in enumerate(densities)
    ]
    return [chance / sum(found) for chance in found]


def second_is_better(a: tuple[int, int], b: tuple[int, int]) -> float:
    """Return P(rate b > rate a) of whole counts, as a finite sum (E. Miller, Bayesian A/B testing)."""

    def log_beta(x: float, y: float) -> float:
        return math.lgamma(x) + math.lgamma(y) - math.lgamma(x + y)

    (a1, a2), (b1, b2) = ((won + 1, tried - won + 1) for won, tried in (a, b))
    return math.fsum(
        math.exp(log_beta(a1 + i, a2 + b2) - math.log(b2 + i) - log_beta(1 + i, b2) - log_beta(a1, a2))
        for i in range(b1)
    )


def test_what_the_docstrings_show_is_so() -> None:
    """Examples are promises."""
    assert doctest.testmod(thompson).failed == 0


@given(
    st.integers(0, 3000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
    st.integers(0, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
)
@example((1, 1), (66, 66))  # 2.4e-7 off
def test_two_arms_are_as_the_finite_sum_says(a: tuple[int, int], b: tuple[int, int]) -> None:
    """The one case with whole counts that needs no integral; as near as is promised."""
    assert chances([a[0], b[0]], [a[1], b[1]])[1] == pytest.approx(second_is_better(a, b), abs=1e-6)


@given(st.lists(st.integers(0, 10_000_000), min_size=1, max_size=20))
def test_arms_that_never_fail_win_by_their_trials(trials: list[int]) -> None:
    """Then P(best) is (n + 1) / sum of (n + 1): exact for any number of arms and any counts."""
    total = sum(n + 1 for n in trials)
    assert chances(trials, trials) == pytest.approx([(n + 1) / total for n in trials], abs=1e-6)


@pytest.mark.parametrize("seed", range(8))
def test_any_arms_are_as_slow_integration_says(seed: int) -> None:
    """Counts of all sizes, rates from one in a million to all but one, alike and apart."""
    random = np.random.default_rng(seed)
    n_arms = int(random.integers(2, 21))
    trials = np.floor(10 ** random.uniform(0, 7, n_arms))
    rate = random.choice([1e-6, 0.001, 0.05, 0.5, 0.99])
    successes = np.minimum(trials, random.poisson(trials * rate))
    expected = naive(successes.tolist(), trials.tolist())
    assert chances(successes.tolist(), trials.tolist()) == pytest.approx(expected, abs=2e-6)


def test_chance_agrees() -> None:
    """What the sum is meant to be: how often the arm draws most (200,000 draws, 5 standard errors)."""
    won, tried, n_draws = np.array([12, 20, 3.5]), np.array([400, 500, 60.0]), 200_000
    drawn = np.random.default_rng(0).beta(1 + won, 1 + tried - won, (n_draws, 3))
    seen = np.bincount(drawn.argmax(axis=1), minlength=3) / n_draws
    assert chances(won.tolist(), tried.tolist()) == pytest.approx(
        seen.tolist(), abs=5 * 0.5 / math.sqrt(n_draws)
    )


@given(st.lists(arms, min_size=1, max_size=20), st.floats(0, 1))
def test_weights_sum_to_one_above_the_floor_in_whole_millionths(
    counts: list[tuple[int, int]], part: float
) -> None:
    """What is drawn by them must be a distribution, and no arm may die."""
    floor = part / len(counts)
    found = weights(*zip(*counts, strict=True), floor)
    units = [round(weight * 1e6) for weight in found]
    assert found == tuple(unit / 1e6 for unit in units)
    assert sum(units) == 1_000_000
    assert min(units) >= math.floor(floor * 1e6)


@given(st.lists(arms, min_size=2, max_size=6))
def test_a_floor_keeps_the_order_of_arms(counts: list[tuple[int, int]]) -> None:
    """It takes from all that are above it, and lifts nobody past another by more than the rounding."""
    share, weight = chances(*zip(*counts, strict=True)), weights(*zip(*counts, strict=True), 0.05)
    for i, j in permutations(range(len(counts)), 2):
        assert share[i] > share[j] or weight[i] <= weight[j] + 1.5e-6


def test_shares_above_the_floor_stay() -> None:
    """A floor that binds nobody changes nothing."""
    assert weights([3, 4, 5], [100, 100, 100], 0.02) == weights([3, 4, 5], [100, 100, 100], 0.0)


def test_who_loses_for_certain_gets_the_floor_and_no_more() -> None:
    """Its chance is far below it."""
    assert weights([10, 900, 20], [1000, 1000, 1000], 0.03) == (0.03, 0.94, 0.03)


def test_arms_of_which_nothing_is_known_are_drawn_alike() -> None:
    """The millionth that is left over goes to the first."""
    assert weights([0, 0, 0], [0, 0, 0], 0.02) == (0.333334, 0.333333, 0.333333)


def test_one_arm_is_always_drawn() -> None:
    """Nothing is left to choose."""
    assert weights([1], [2], 1.0) == (1.0,)


@pytest.mark.parametrize(
    ("successes", "trials", "floor", "says"),
    [
        ([], [], 0.0, "each arm"),
        ([1], [1, 2], 0.0, "each arm"),
        ([2, 0], [1, 1], 0.0, "successes <= trials"),
        ([-1, 0], [1, 1], 0.0, "0 <= successes"),
        ([math.nan, 0], [1, 1], 0.0, "0 <= successes"),
        ([0, 0], [math.inf, 1], 0.0, "0 <= successes"),
        ([0, 0], [1, 1], 0.6, "a floor of 0.6 for 2 arms"),
        ([0, 0], [1, 1], -0.1, "a floor of -0.1"),
    ],
)
def test_what_cannot_be_is_refused(
    successes: list[float], trials: list[float], floor: float, says: str
) -> None:
    """A wrong count must not become a weight."""
    with pytest.raises(ValueError, match=says):
        weights(successes, trials, floor)
