"""Known answers: cohorts of real purchases."""

from __future__ import annotations

from sojourn.analytics.retention import Retention, retention
from tests.analytics.known import online_retail


def test_monthly_cohorts_of_online_retail() -> None:
    """README of online_retail: active customers in months 0 to 5 by first purchase."""
    answer = retention(online_retail(), Retention(n_periods=5))
    rows = dict(zip((name for _, name in answer.cohorts), answer.cells.count.tolist(), strict=True))
    assert {name: rows[name] for name in ("2010-12", "2011-01", "2011-02", "2011-03")} == {
        "2010-12": [885, 324, 286, 340, 321, 352],
        "2011-01": [417, 92, 111, 96, 134, 120],
        "2011-02": [380, 71, 71, 108, 103, 94],
        "2011-03": [452, 68, 114, 90, 101, 76],
    }
    assert answer.definition["n_followed"] == 4_339


def test_the_month_that_is_not_over_is_not_compared_with_whole_ones() -> None:
    """The data ends on 2011-12-09: 235 of the first cohort so far."""
    answer = retention(online_retail(), Retention(n_periods=12))
    assert answer.cells.status()[0].tolist() == ["over"] * 12 + ["running"]
    assert (answer.cells.count[0, 12], answer.cells.count_so_far[0, 12]) == (0, 235)
