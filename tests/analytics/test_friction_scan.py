"""The scan: the window it finds is what trying all of them finds, and chance is told for what it is."""

from __future__ import annotations

from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.analytics.friction.scan import (
    MAX_SHARE,
    MIN_HITS,
    Trials,
    edges,
    gumbel_tail,
    p_value,
    scan,
    scan_many,
)

DAYS = st.lists(
    st.integers(0, 12).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), min_size=1, max_size=14
)


def _plain(days: list[tuple[int, int]]) -> float:
    best = 0.0
    for first in range(len(days)):
        for last in range(first, len(days)):
            if last - first + 1 > int(len(days) * MAX_SHARE):
                continue
            inside, outside = days[first : last + 1], days[:first] + days[last + 1 :]
            (h, n), (g, m) = ((sum(x) for x in zip(*part, strict=True)) for part in (inside, outside))
            if h >= MIN_HITS and h * m > g * n:
                best = max(best, _likelihood(h, n) + _likelihood(g, m) - _likelihood(h + g, n + m))
    return best


def _likelihood(hits: int, trials: int) -> float:
    return sum(k * log(k / trials) for k in (hits, trials - hits) if k)


@given(DAYS)
def test_the_window_found_is_the_best_of_all(days: list[tuple[int, int]]) -> None:
    hits, trials = np.array(days, dtype=np.int64).T
    window = scan(hits, trials)
    assert window.llr == pytest.approx(_plain(days), abs=1e-9)
    if window.llr:
        (low, high), (end_low, end_high) = edges(hits, trials, window)
        assert low <= window.first <= high
        assert end_low <= window.last <= end_high


def test_several_series_are_scanned_as_each_alone() -> None:
    random = np.random.default_rng(3)
    trials = random.integers(5, 20, (6, 40))
    hits = random.binomial(trials, 0.3)
    together = scan_many(hits, trials)
    for row, risk, llr, first, last in zip(hits, trials, *together, strict=True):
        alone = scan(row, risk)
        assert (alone.llr, alone.first, alone.last) == (llr, first, last)


def test_days_on_which_nothing_could_happen_leave_open_when_it_began() -> None:
    trials = np.array([9, 9, 9, 0, 0, 9, 9, 9, 9, 9, 9, 9, 9, 9])
    hits = np.array([0, 0, 0, 0, 0, 8, 8, 8, 0, 0, 0, 0, 0, 0])
    window = scan(hits, trials)
    assert (window.first, window.last) == (3, 7) or (window.first, window.last) == (5, 7)
    assert edges(hits, trials, window) == ((3, 5), (7, 7))


def _trials(seed: int, *, share_in: float) -> Trials:
    """200 people with five visits each over 100 days; in days 40 to 59 a share of its own."""
    random = np.random.default_rng(seed)
    day = random.integers(0, 100, 1000)
    share = np.where((day >= 40) & (day < 60), share_in, 0.1)
    person = np.repeat(np.arange(200, dtype=np.int32), 5)
    return Trials(day, random.random(1000) < share, person, 100)


def test_what_is_there_is_seen_and_what_is_not_is_not() -> None:
    for share_in, is_there in ((0.4, True), (0.1, False)):
        trials = _trials(7, share_in=share_in)
        window = scan(*trials.daily())
        p = p_value(trials, window.llr, n_shuffles=99, random=np.random.default_rng(0))
        assert (p < 1e-4) == is_there
        if is_there:
            assert (window.first, window.last) == pytest.approx((40, 59), abs=3)


def test_chance_is_called_as_often_as_it_is_said_to_be() -> None:
    p_values = []
    for seed in range(100):
        trials = _trials(seed, share_in=0.1)
        found = scan(*trials.daily()).llr
        p_values.append(p_value(trials, found, n_shuffles=49, random=np.random.default_rng(seed)))
    assert np.mean(np.array(p_values) <= 0.05) <= 0.12  # 5 expected of 100; more than 12 is one in a thousand
    assert np.mean(p_values) == pytest.approx(0.5, abs=0.12)


def test_somebody_who_always_struggles_and_came_in_one_week_is_no_incident() -> None:
    day = np.concatenate([np.full(20, 50), np.arange(100)])
    hit = np.concatenate([np.ones(20, bool), np.zeros(100, bool)])
    person = np.concatenate([np.zeros(20), np.ones(100)]).astype(np.int32)
    trials = Trials(day, hit, person, 100)
    found = scan(*trials.daily())
    assert found.llr > 30
    assert p_value(trials, found.llr, n_shuffles=99, random=np.random.default_rng(0)) == 1.0


def test_the_tail_of_a_gumbel_distribution_is_its_own() -> None:
    drawn = np.random.default_rng(1).gumbel(5, 2, 20_000)
    for share in (0.5, 0.1, 0.01):
        assert gumbel_tail(drawn, float(np.quantile(drawn, 1 - share))) == pytest.approx(share, rel=0.15)
