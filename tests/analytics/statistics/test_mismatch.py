"""Sample ratio mismatch: found where it is, at any look, and not where it is not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.analytics.statistics.mismatch import MAX_P, chi_square_p, sequential_p, sequential_path


def test_the_published_experiment_has_none() -> None:
    """Hillstrom: 21,306, 21,307 and 21,387 people; chi-square 0.2025."""
    assert chi_square_p([21_306, 21_307, 21_387], [1, 1, 1]) == pytest.approx(0.9037, abs=1e-4)
    assert sequential_p([21_306, 21_307, 21_387], [1, 1, 1]) == 1.0


def test_a_mismatch_is_told() -> None:
    """An arm that lost a tenth of its people."""
    assert chi_square_p([10_000, 9_000], [1, 1]) < 1e-10
    assert sequential_p([10_000, 9_000], [1, 1]) < 1e-9


def test_nobody_is_no_mismatch() -> None:
    """Before the first person nothing is wrong."""
    assert (chi_square_p([0, 0], [1, 1]), sequential_p([0, 0], [1, 1])) == (1.0, 1.0)
    assert sequential_path([], [0.5, 0.5]).tolist() == []


@given(st.lists(st.integers(0, 2), min_size=1, max_size=60), st.sampled_from([(0.2, 0.3, 0.5), (1 / 3,) * 3]))
def test_the_path_is_the_smallest_p_of_all_looks(drawn: list[int], shares: tuple[float, ...]) -> None:
    """The oracle looks after each person, by gamma functions."""
    smallest, expected = 1.0, []
    for i in range(1, len(drawn) + 1):
        counts = [drawn[:i].count(arm) for arm in range(3)]
        smallest = min(smallest, sequential_p(counts, shares))
        expected.append(smallest)
    assert sequential_path(drawn, shares).tolist() == pytest.approx(expected)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=20)
def test_shares_that_change_are_followed(seed: int) -> None:
    """The oracle goes person by person: what was foreseen, beside what should have been."""
    random = np.random.default_rng(seed)
    shares = random.dirichlet([2, 2, 2], 50)
    drawn = np.array([random.choice(3, p=row) for row in shares])
    start = 100 * shares.mean(axis=0)
    got, should, log_e, smallest = np.zeros(3), np.zeros(3), 0.0, 1.0
    for i, arm in enumerate(drawn):
        foreseen = shares[i] * (start + got) / (start + should)
        log_e += np.log(foreseen[arm] / foreseen.sum() / shares[i, arm])
        smallest = min(smallest, float(np.exp(-max(log_e, 0.0))))
        got[arm] += 1
        should += shares[i]
    assert sequential_path(drawn, shares)[-1] == pytest.approx(smallest)


def test_an_allocation_that_learns_is_no_mismatch_and_a_loss_in_it_is_one() -> None:
    """Shares drift from a half to nine tenths; then every fourth person of the favoured arm is lost."""
    random = np.random.default_rng(3)
    chance = np.linspace(0.5, 0.9, 20_000)
    drawn = (random.random(20_000) < chance).astype(int)
    shares = np.stack([1 - chance, chance], axis=1)
    assert sequential_path(drawn, shares)[-1] > MAX_P
    kept = (drawn == 0) | (np.arange(20_000) % 4 > 0)
    assert sequential_path(drawn[kept], shares[kept])[-1] < 1e-6


def looks(n_tests: int, people: int, share: float, *, seed: int) -> float:
    """Return how many tests of a half are called mismatched at any of all looks."""
    random = np.random.default_rng(seed)
    alarms = 0
    for _ in range(n_tests):
        drawn = (random.random(people) < share).astype(np.int64)
        alarms += bool(sequential_path(drawn, [0.5, 0.5])[-1] < MAX_P)
    return alarms / n_tests


def test_a_sound_test_is_seldom_called_mismatched() -> None:
    """A look after each of 2,000 people: at most 1 % by the theory; 400 tests."""
    assert looks(400, 2_000, 0.5, seed=1) <= 0.02


@pytest.mark.slow
def test_sound_tests_alarm_in_at_most_one_of_a_hundred() -> None:
    """2,000 tests with a look after each of 20,000 people: the goal."""
    assert looks(2_000, 20_000, 0.5, seed=2) <= 0.01


@pytest.mark.slow
def test_51_to_49_is_found_by_50_000_people() -> None:
    """In at least three of four tests: the goal."""
    assert looks(1_000, 50_000, 0.51, seed=3) >= 0.75
