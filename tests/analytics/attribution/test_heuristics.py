"""Heuristics: each shares every conversion, and shares it as its rule says."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings

from sojourn.analytics.attribution import Paths, Weights
from sojourn.model.errors import ConfigError
from tests.analytics.attribution.making import ask, conversions_of, paths_from, row_lists
from tests.analytics.attribution.oracles import Row, by_weights, u_shaped, w_shaped

RULES = {
    "first": lambda length: [1, *[0] * (length - 1)],
    "last": lambda length: [*[0] * (length - 1), 1],
    "linear": lambda length: [1] * length,
    "u-shaped": u_shaped,
    "w-shaped": w_shaped,
}


@pytest.mark.parametrize("model", RULES)
@settings(deadline=None)
@given(rows=row_lists())
def test_credit_is_what_the_rule_says_touch_by_touch(model: str, rows: list[Row]) -> None:
    """Against plain Python in fractions."""
    expected = by_weights(rows, RULES[model])
    given_credit = conversions_of(ask(paths_from(rows), model))
    for channel, credit in expected.items():
        assert given_credit[channel] == pytest.approx(float(credit), abs=1e-9)


def test_two_touches_of_a_u_have_half_each() -> None:
    """There is nothing between them that could have the 20 %."""
    assert conversions_of(ask(paths_from([Row(("a", "b"), 10)]), "u-shaped")) == {"a": 5.0, "b": 5.0}


def test_the_middle_of_a_w_is_the_earlier_of_two() -> None:
    """A path of four has two touches halfway."""
    credit = conversions_of(ask(paths_from([Row(("a", "b", "c", "d"), 10)]), "w-shaped"))
    assert credit == pytest.approx({"a": 3.0, "b": 3.0, "c": 1.0, "d": 3.0})


def test_custom_weights_name_places_from_both_ends() -> None:
    """The first two, the last, and all others together."""
    weights = Weights(head=(0.3, 0.1), tail=(0.4,), rest=0.2)
    credit = conversions_of(ask(paths_from([Row(("a", "b", "c", "d", "e"), 10)]), "custom", weights=weights))
    assert credit == pytest.approx({"a": 3.0, "b": 1.0, "c": 1.0, "d": 1.0, "e": 4.0})


def test_custom_weights_that_meet_on_one_touch_are_added_up() -> None:
    """In a path of two the second is also the last."""
    weights = Weights(head=(0.3, 0.1), tail=(0.4,), rest=0.2)
    credit = conversions_of(ask(paths_from([Row(("a", "b"), 8)]), "custom", weights=weights))
    assert credit == pytest.approx({"a": 3.0, "b": 5.0})


def test_touches_that_all_weigh_nothing_have_the_same() -> None:
    """A conversion is never lost."""
    weights = Weights(head=(0.0,), tail=(0.0,), rest=1.0)
    credit = conversions_of(ask(paths_from([Row(("a", "b"), 8)]), "custom", weights=weights))
    assert credit == {"a": 4.0, "b": 4.0}


@pytest.mark.parametrize(
    "weights",
    [
        Weights(head=(-0.1,), tail=(0.5,), rest=0.6),
        Weights(head=(float("nan"),), tail=(), rest=1.0),
        Weights(head=(), tail=(), rest=0.0),
    ],
)
def test_weights_that_cannot_share_are_refused(weights: Weights) -> None:
    """Negative, not a number, or all nothing."""
    with pytest.raises(ConfigError, match="position weights"):
        ask(paths_from([Row(("a",), 1)]), "custom", weights=weights)


def test_direct_traffic_has_what_nobody_else_can_have() -> None:
    """The last touch that is not direct, whatever came after; alone, direct keeps its own."""
    rows = [Row(("ads", "email", "direct", "Direct"), 3), Row(("direct", "direct"), 2), Row(("ads",), 1)]
    credit = conversions_of(ask(paths_from(rows), "last-non-direct"))
    assert credit == {"email": 3.0, "direct": 2.0, "ads": 1.0, "Direct": 0.0}


def timed(rows: list[Row], *ages_ms: int) -> Paths:
    """Give the touches ages."""
    return replace(paths_from(rows), age_ms=np.array(ages_ms, dtype=np.int64))


def test_a_touch_one_half_life_earlier_has_half() -> None:
    """In real time: 2^(-age / half-life)."""
    answer = ask(timed([Row(("a", "b", "c"), 7)], 2_000, 1_000, 0), "time-decay", half_life_ms=1_000)
    assert conversions_of(answer) == pytest.approx({"a": 1.0, "b": 2.0, "c": 4.0})


def test_decay_depends_on_time_and_not_on_places() -> None:
    """Two touches of one instant have the same."""
    answer = ask(timed([Row(("a", "b", "c"), 4)], 500, 500, 500), "time-decay", half_life_ms=10)
    assert conversions_of(answer) == pytest.approx(dict.fromkeys("abc", 4 / 3))


def test_touches_a_thousand_half_lives_back_are_shared_as_younger_ones_are() -> None:
    """2^-1000 is no number that divides; only differences count."""
    answer = ask(timed([Row(("a", "b"), 3)], 10**9 + 1_000, 10**9), "time-decay", half_life_ms=1_000)
    assert conversions_of(answer) == pytest.approx({"a": 1.0, "b": 2.0})


def test_decay_without_times_is_refused() -> None:
    """Aggregated paths have places and no times, and a place is no time."""
    with pytest.raises(ConfigError, match="time decay needs the time of each touch"):
        ask(paths_from([Row(("a",), 1)]), "time-decay")


def test_a_half_life_of_nothing_is_refused() -> None:
    """It would divide by it."""
    with pytest.raises(ConfigError, match="half-life"):
        ask(timed([Row(("a",), 1)], 0), "time-decay", half_life_ms=0)


@settings(deadline=None)
@given(rows=row_lists())
def test_value_is_shared_as_conversions_are(rows: list[Row]) -> None:
    """Each conversion's worth goes where the conversion goes."""
    same = [row._replace(value=row.conversions) for row in rows]
    for channel in ask(paths_from(same), "linear").channels:
        assert channel.value == pytest.approx(channel.conversions, abs=1e-12)


def test_a_conversion_may_be_a_fraction() -> None:
    """Counts that were weighted before are counts."""
    rows = [Row(("a", "b"), Fraction(1, 2))]  # type: ignore[arg-type]
    assert conversions_of(ask(paths_from(rows), "linear")) == {"a": 0.25, "b": 0.25}
