"""Time to convert: the textbook's curve, and why the converters alone are no answer."""

from __future__ import annotations

from fractions import Fraction
from math import exp, log, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.analytics.kinds import Kind
from sojourn.analytics.timing import Conversion, kaplan_meier, time_to_convert
from sojourn.model.errors import ConfigError
from tests.analytics.making import DAY, events_of

SIGNED_UP, BOUGHT = Kind(("Signed Up",)), Kind(("Bought",))

# Weeks of remission under 6-MP (Freireich and others, 1963), as in every textbook: 21 patients, 12 censored.
RELAPSED = [6, 6, 6, 7, 10, 13, 16, 22, 23]
CENSORED = [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]


def by_hand(
    took: list[int], has_converted: list[bool]
) -> list[tuple[int, float, float | None, float | None]]:
    """Multiply fractions, time by time: (time, waiting, low, high)."""
    waiting, variance, rows = Fraction(1), Fraction(0), []
    for time in sorted({t for t, did in zip(took, has_converted, strict=True) if did}):
        at_risk = sum(t >= time for t in took)
        n = sum(t == time and did for t, did in zip(took, has_converted, strict=True))
        waiting *= Fraction(at_risk - n, at_risk)
        if n == at_risk:
            rows.append((time, 0.0, 0.0, None))
            continue
        variance += Fraction(n, at_risk * (at_risk - n))
        reach = 1.959963984540054 * sqrt(variance) / log(waiting)
        rows.append((time, float(waiting), float(waiting) ** exp(-reach), float(waiting) ** exp(reach)))
    return rows


def test_the_textbook_curve() -> None:
    """Kalbfleisch and Prentice's table: the estimate at each relapse, its median, and Greenwood's error at
    10."""
    took = np.array(RELAPSED + CENSORED)
    curve = kaplan_meier(took, np.arange(len(took)) < len(RELAPSED), level=0.95)
    assert curve.after_ms.tolist() == [6, 7, 10, 13, 16, 22, 23]
    assert curve.at_risk.tolist() == [21, 17, 15, 12, 11, 7, 6]
    assert curve.waiting.round(3).tolist() == [0.857, 0.807, 0.753, 0.690, 0.627, 0.538, 0.448]
    assert curve.quantile_ms(0.5)[0] == 23


@given(st.lists(st.tuples(st.integers(0, 8), st.booleans()), min_size=1, max_size=20))
def test_the_curve_is_the_product_of_fractions(people: list[tuple[int, bool]]) -> None:
    """With many ties, and whoever is censored at the instant of a conversion still at risk."""
    took, has_converted = zip(*people, strict=True)
    curve = kaplan_meier(np.array(took), np.array(has_converted), level=0.95)
    columns = (curve.after_ms, curve.waiting, curve.low, curve.high)
    found = [tuple(None if np.isnan(v) else float(v) for v in row) for row in zip(*columns, strict=True)]
    expected = by_hand(list(took), list(has_converted))
    assert found == [tuple(v if v is None else pytest.approx(v, abs=1e-12) for v in row) for row in expected]


def test_without_censoring_it_is_the_share_of_people() -> None:
    """And its quantiles are those of the sample."""
    took = np.array([5, 1, 3, 2, 4, 4, 9, 7, 6, 8])
    curve = kaplan_meier(took, np.ones(10, dtype=bool), level=0.95)
    assert [curve.quantile_ms(q / 10)[0] for q in (1, 5, 9, 10)] == [1, 4, 8, 9]


def test_who_has_not_converted_yet_is_no_converter_and_no_dropout() -> None:
    """Of four who signed up two bought on the day; the others were seen for a day only, or for ten."""
    rows = [
        ("ada", "Signed Up", 0),
        ("ada", "Bought", DAY),
        ("bob", "Signed Up", 2 * DAY),
        ("cid", "Signed Up", 9 * DAY),
        ("dan", "Bought", 0),
        ("dan", "Signed Up", DAY),
        ("dan", "Bought", 5 * DAY),
        ("eve", "Bought", 9 * DAY),
    ]
    answer = time_to_convert(events_of(rows), Conversion(first=SIGNED_UP, to=BOUGHT, until_ms=10 * DAY))
    assert (answer.took_ms // DAY).tolist() == [1, 8, 1, 4]
    assert answer.has_converted.tolist() == [True, False, False, True]
    assert [answer.definition[name] for name in ("n_people", "n_started", "n_converted")] == [5, 4, 2]
    row = answer.quantiles((0.5,)).to_dicts()[0]
    assert (row["all_ms"], row["converters_ms"]) == (4 * DAY, DAY)


def test_a_share_that_was_not_reached_has_no_time() -> None:
    """Half have not bought, so there is no median; the converters alone would name one."""
    rows = [(who, "Signed Up", 0) for who in "abcde"] + [("a", "Bought", DAY), ("b", "Signed Up", 9 * DAY)]
    row = (
        time_to_convert(events_of(rows), Conversion(first=SIGNED_UP, to=BOUGHT))
        .quantiles((0.5,))
        .to_dicts()[0]
    )
    assert (row["all_ms"], row["all_high_ms"], row["converters_ms"]) == (None, None, DAY)


def test_nobody_is_looked_at_for_longer_than_asked() -> None:
    """A purchase after a year is none within a week."""
    rows = [
        ("ada", "Signed Up", 0),
        ("ada", "Bought", 365 * DAY),
        ("bob", "Signed Up", 0),
        ("bob", "Bought", 7 * DAY),
    ]
    answer = time_to_convert(events_of(rows), Conversion(first=SIGNED_UP, to=BOUGHT, within_ms=7 * DAY))
    assert (answer.took_ms // DAY).tolist() == [7, 7]
    assert answer.has_converted.tolist() == [False, True]


def test_the_estimate_is_right_where_the_converters_are_too_fast() -> None:
    """People take 10 days in the median and come over 20 days, of which 20 are seen: a simulation."""
    random = np.random.default_rng(0)
    started = random.uniform(0, 20, 20_000)
    takes = random.exponential(10 / np.log(2), 20_000)
    ends = np.minimum(started + takes, 20)
    took = ((ends - started) * DAY).astype(np.int64)
    curve = kaplan_meier(took, started + takes < 20, level=0.95)
    median, low, high = curve.quantile_ms(0.5)
    assert median is not None
    assert low is not None
    assert high is not None
    assert low <= 10 * DAY <= high
    assert high - low < DAY
    assert np.median(took[started + takes < 20]) < 5 * DAY


def test_the_interval_of_the_curve_holds_the_truth_as_often_as_it_says() -> None:
    """At the true median, over 500 samples of 80 people."""
    random = np.random.default_rng(1)
    held = 0
    for _ in range(500):
        takes, seen = random.exponential(1 / np.log(2), 80), random.uniform(0.5, 3, 80)
        took = (np.minimum(takes, seen) * 1_000_000).astype(np.int64)
        curve = kaplan_meier(took, takes <= seen, level=0.95)
        i = np.searchsorted(curve.after_ms, 1_000_000, side="right") - 1
        held += bool(curve.low[i] <= 0.5 <= curve.high[i])
    assert held / 500 == pytest.approx(0.95, abs=0.025)


def test_a_long_curve_is_laid_out_in_a_thousand_points() -> None:
    """Its end among them."""
    rows = [row for i in range(1_500) for row in ((f"p{i}", "Signed Up", 0), (f"p{i}", "Bought", i + 1))]
    table = time_to_convert(events_of(rows), Conversion(first=SIGNED_UP, to=BOUGHT)).table()
    assert (len(table), table["after_ms"][-1], table["converted"][-1]) == (1_000, 1_500, 1.0)
    assert table.definition["n_times"] == 1_500


def test_questions_without_an_answer_are_refused() -> None:
    """Nobody converts within nothing."""
    with pytest.raises(ConfigError, match="longer than nothing"):
        Conversion(to=BOUGHT, within_ms=0)
    with pytest.raises(ConfigError, match="between 0 and 1"):
        Conversion(to=BOUGHT, level=2.0)
    with pytest.raises(ConfigError, match="leave them out first"):
        time_to_convert(events_of([("ada", "Bought", 5)]), Conversion(to=BOUGHT, until_ms=5))


def test_nobody_has_no_curve() -> None:
    """Who signed up is waited for; nobody bought."""
    rows = [("ada", "Bought", 0), ("ada", "Signed Up", 1)]
    answer = time_to_convert(events_of(rows), Conversion(first=SIGNED_UP, to=BOUGHT))
    assert (len(answer.table()), answer.quantiles((0.5,))["converters_ms"]) == (0, [None])
