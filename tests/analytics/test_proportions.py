"""Proportions: intervals that hold what they say."""

from __future__ import annotations

from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.analytics.proportions import Share, independent, share_of, wilson


def test_wilson_equals_published_values() -> None:
    """Newcombe (1998), table I, method 3: 81 of 263, 15 of 148, 0 of 20, 1 of 29."""
    published = [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ]
    for count, of, low, high in published:
        found = wilson(count, of)
        assert (round(float(found[0]), 4), round(float(found[1]), 4)) == (low, high)


@given(st.integers(1, 10_000), st.data())
def test_wilson_is_where_the_score_test_turns(of: int, data: st.DataObject) -> None:
    """Its bounds solve (share - p)^2 = z^2 p (1 - p) / n."""
    count = data.draw(st.integers(0, of))
    for bound in wilson(count, of):
        p = float(bound)
        assert 0 <= p <= 1
        assert (count / of - p) ** 2 == pytest.approx(1.959963984540054**2 * p * (1 - p) / of, abs=1e-12)


def test_wilson_holds_the_truth_about_as_often_as_it_says() -> None:
    """Exactly, over all outcomes of 50 trials and a grid of true shares: on average 95 %."""
    n = 50
    low, high = wilson(np.arange(n + 1), n)
    chance = np.array([comb(n, k) for k in range(n + 1)], dtype=np.float64)
    covered = []
    for p in np.linspace(0.02, 0.98, 97):
        weights = chance * p ** np.arange(n + 1) * (1 - p) ** np.arange(n, -1, -1)
        covered.append(float(weights[(low <= p) & (p <= high)].sum()))
    assert np.mean(covered) == pytest.approx(0.95, abs=0.005)


def test_a_share_of_nothing_is_nothing() -> None:
    """Neither 0 nor 1."""
    assert share_of(0, 0) == Share(0, 0, None, None, None)


def test_trials_of_different_people_are_independent() -> None:
    """One trial each: nothing is to be corrected."""
    hit = np.array([True, False, False, True, True])
    assert independent(hit, np.ones(5, dtype=bool), np.arange(5)) == pytest.approx(5)


def test_trials_of_one_person_that_are_all_alike_are_worth_one() -> None:
    """Ten people with a hundred trials each, who always or never do it: worth ten."""
    hit = np.repeat(np.arange(10) < 5, 100)
    assert independent(hit, np.ones(1_000, dtype=bool), np.repeat(np.arange(10), 100)) == pytest.approx(
        9, abs=0.1
    )


def test_where_nothing_varies_each_person_counts_once() -> None:
    """A hundred successes of one person are no certainty about others."""
    every = np.ones(100, dtype=bool)
    assert independent(every, every, np.zeros(100, dtype=np.int32)) == 1
    assert independent(every, every, np.repeat([0, 1], 50)) == 2
    assert independent(every, ~every, np.repeat([0, 1], 50)) == 0


def test_intervals_of_alike_trials_cover_the_truth() -> None:
    """People differ in how likely they are; over 400 samples the widened interval holds the mean share."""
    random = np.random.default_rng(0)
    held = naive = 0
    for _ in range(400):
        likely = random.beta(1, 1, 60)
        n_trials = random.integers(1, 12, 60)
        person = np.repeat(np.arange(60), n_trials)
        hit = random.random(len(person)) < likely[person]
        worth = independent(hit, np.ones(len(hit), dtype=bool), person)
        low, high = wilson(hit.sum(), len(hit), of_effective=worth)
        held += bool(low <= 0.5 <= high)
        low, high = wilson(hit.sum(), len(hit))
        naive += bool(low <= 0.5 <= high)
    assert held / 400 == pytest.approx(0.95, abs=0.03)
    assert naive / 400 < 0.85
