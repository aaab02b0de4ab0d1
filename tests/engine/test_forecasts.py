"""Forecasts: which number a person gets from what is in force."""

from __future__ import annotations

import pytest

from sojourn.definitions.churn import UNITS_MS, ChurnModel, p_alive
from sojourn.definitions.expression import EXIT
from sojourn.definitions.forecasts import OTHER
from sojourn.definitions.journey import Catalogue
from sojourn.engine.forecasts import churn, probability
from sojourn.engine.state import Life, Session
from sojourn.model.ids import SessionId
from tests.engine.makers import MINUTE, T0

CATALOGUE = Catalogue(
    journeys={}, forecasts={"Bought": {"Cart": 0.5, OTHER: 0.1}, EXIT: {"Cart": 0.2, OTHER: 0.4}}
)


def person(step: str, *, n_sessions: int = 1, started_at: int = T0) -> Life:
    """Make somebody in a visit."""
    session = Session(SessionId("s"), started_at, started_at, 1, "direct", "m", last_step=step)
    return Life(step=step, sessions=[session], first_seen_at=T0, n_sessions=n_sessions)


@pytest.mark.parametrize(
    ("step", "goal", "minutes", "expected"),
    [
        ("Cart", "Bought", 0, 0.5),
        ("Cart", EXIT, 0, 0.2),
        ("Cart", "Bought", 30, 0.5),
        ("Cart", "Bought", 31, 0.0),  # the visit is over: nothing can be reached in it
        ("Cart", EXIT, 31, 1.0),
        ("Nowhere", "Bought", 0, 0.1),  # too rare to be told apart
        ("Cart", "Sold", 0, None),  # nothing learnt yet
        ("", "Bought", 0, None),
    ],
)
def test_a_probability_is_of_the_current_step_of_the_current_visit(
    step: str, goal: str, minutes: int, expected: float | None
) -> None:
    """And of no other."""
    assert probability(person(step), CATALOGUE, goal, at=T0 + minutes * MINUTE) == expected


def test_who_never_came_has_no_forecast() -> None:
    """The edge where there is no visit."""
    assert probability(Life(), CATALOGUE, "Bought", at=T0) is None
    assert churn(Life(), ChurnModel(), at=T0) is None


def test_churn_counts_visits_after_the_first_in_the_units_of_the_fit() -> None:
    """x = 2, t_x = 3 weeks, T = 8 weeks."""
    week = UNITS_MS["week"]
    back = person("Cart", n_sessions=3, started_at=T0 + 3 * week)
    expected = 1 - p_alive(ChurnModel(), n_repeats=2, last=3, now=8)
    assert churn(back, ChurnModel(), at=T0 + 8 * week) == pytest.approx(expected)
    by_day = ChurnModel(unit="day")
    expected = 1 - p_alive(by_day, n_repeats=2, last=21, now=56)
    assert churn(back, by_day, at=T0 + 8 * week) == pytest.approx(expected)
