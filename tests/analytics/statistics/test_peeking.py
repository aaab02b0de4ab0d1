"""Peeking: an interval that may be looked at whenever one likes is wrong no more often than it says."""

from __future__ import annotations

import numpy as np
import pytest

from bench.peeking import RULES, Setting, _chunks, _first_clear, measure
from sojourn.analytics.statistics.moments import moments_of
from sojourn.analytics.statistics.sequential import confidence_sequence

MAX_WRONG, MAX_BOUND = 0.05, 0.06
ALWAYS_VALID = RULES.index("always-valid")


def wrong(setting: Setting) -> dict[str, tuple[float, float]]:
    """Return, of each rule, (how often it is wrong, the upper bound of its 95 % interval)."""
    return {one.rule: (one.found, one.high) for one in measure(setting)}


def test_looking_after_every_person_is_wrong_at_most_as_often_as_said() -> None:
    """300 streams of 2,000 people; the slow tests have 2,000 streams of 20,000."""
    found = wrong(Setting(control=0.2, treated=0.2, people=2_000, every=1, streams=300, seed=4))
    assert found["always-valid"][0] <= MAX_WRONG
    assert found["p < 0.05 at any look"][0] > 0.3


def test_the_streams_are_judged_by_the_products_own_interval() -> None:
    """What is counted fast is what `confidence_sequence` says of the same people."""
    setting = Setting(control=0.3, treated=0.5, people=400, every=1, streams=20, seed=9)
    random = np.random.default_rng(setting.seed)
    is_treated = random.random((20, 400)) < 0.5
    y = (random.random((20, 400)) < np.where(is_treated, 0.5, 0.3)) * 1.0
    counted = _first_clear(*next(_chunks(setting)), setting)[ALWAYS_VALID]
    for bought, treated, first in zip(y, is_treated, counted.tolist(), strict=True):
        clear = (
            n
            for n in range(1, 401)
            if confidence_sequence(
                moments_of(bought[:n][treated[:n]]), moments_of(bought[:n][~treated[:n]])
            ).is_clear
        )
        assert next(clear, 0) == first


@pytest.mark.slow
@pytest.mark.parametrize(
    ("share", "is_skewed"), [(0.5, False), (0.05, False), (0.2, True)], ids=["half", "few", "skewed"]
)
def test_2000_streams_with_a_look_after_every_person(share: float, *, is_skewed: bool) -> None:
    """The goal: at most 5 % wrong, and at most 6 % by the bound of what was seen."""
    setting = Setting(
        control=share, treated=share, people=20_000, every=1, streams=2_000, seed=1, is_skewed=is_skewed
    )
    rate, bound = wrong(setting)["always-valid"]
    assert (rate <= MAX_WRONG, bound <= MAX_BOUND) == (True, True)


@pytest.mark.slow
def test_an_effect_is_found_though_one_looks_all_the_time() -> None:
    """5 % beside 6 %: most streams find it, and stop early; planned looks find it more often."""
    outcomes = measure(Setting(control=0.05, treated=0.06, people=20_000, every=100, streams=1_000))
    found = {one.rule: one for one in outcomes}
    assert found["always-valid"].found > 0.55
    assert found["5 planned looks"].found > 0.8
    assert found["always-valid"].mean_people < 16_000
