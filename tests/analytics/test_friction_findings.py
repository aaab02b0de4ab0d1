"""Findings: what was planted is found, when and whose it was; what was not is not."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

import pytest

from sojourn.analytics.events import Events
from sojourn.analytics.friction.findings import Finding, Findings, find_friction
from sojourn.model.errors import ConfigError
from tests.analytics.making import DAY, MINUTE, Row, events_of

N_DAYS = 90
BAD_DAYS = range(40, 55)
DEVICES = ("phone", "desktop")


def _shop(seed: int, *, is_broken: bool) -> Events:
    """A shop of 150 people; on some days, on phones, half of the payments fail."""
    random = Random(seed)
    rows: list[Row] = []
    for person in range(150):
        device = random.choice(DEVICES)
        for visit in range(8):
            day = random.randrange(N_DAYS)
            at = day * DAY + random.randrange(20 * 60) * MINUTE
            fails = is_broken and device == "phone" and day in BAD_DAYS and random.random() < 0.7
            walk = ["Home", "Cart", "Pay", "payment_failed" if fails else "Done"]
            if not fails and random.random() < 0.4:
                walk.append("Order Completed")
            if random.random() < 0.05:
                walk.append("payment_failed")
            attributes = {"session": f"{person}-{visit}", "device": device}
            rows += [(f"p{person}", step, at + i * MINUTE, attributes) for i, step in enumerate(walk)]
    return events_of(rows)


def _incidents(found: Findings) -> list[Finding]:
    return [one for one in found.findings if one.kind == "incident"]


def _find(events: Events, seed: int = 0) -> Findings:
    return find_friction(events, unit="session", goal=["Order Completed"], n_shuffles=49, seed=seed)


def test_a_planted_incident_is_found_with_its_days_and_whose_it_was() -> None:
    found = _incidents(_find(_shop(1, is_broken=True)))[0]
    assert (found.signal, found.steps[-1], found.segment) == ("error", "payment_failed", {"device": "phone"})
    assert found.first is not None
    assert found.last is not None
    began = date(1970, 1, 1) + timedelta(days=BAD_DAYS[0])
    ended = date(1970, 1, 1) + timedelta(days=BAD_DAYS[-1])
    assert abs(found.first - began) <= timedelta(days=1)
    assert abs(found.last - ended) <= timedelta(days=1)
    assert found.first_between is not None
    assert found.first_between[0] <= began <= found.first_between[1]
    assert found.conversions_lost is not None
    assert found.conversions_lost.low > 0
    assert found.share > 0.5 > 0.1 > found.share_elsewhere
    assert found.p is not None
    assert found.p < 1e-6


def test_a_shop_in_which_nothing_happened_has_no_incident() -> None:
    n_false = sum(bool(_incidents(_find(_shop(seed, is_broken=False)))) for seed in range(12))
    assert n_false <= 2  # 0.6 expected at most; more than 2 is one in forty


def test_the_same_seed_finds_the_same() -> None:
    events = _shop(2, is_broken=True)
    assert _find(events, seed=3) == _find(events, seed=3)


def test_every_number_stands_for_people_and_the_costliest_comes_first() -> None:
    found = _find(_shop(1, is_broken=True))
    for one in found.findings:
        assert 0 < one.people <= one.cases <= one.at_risk
        assert one.share == pytest.approx(one.cases / one.at_risk)
    costs = [
        max(0.0, one.conversions_lost.low) for one in _incidents(found) if one.conversions_lost is not None
    ]
    assert costs == sorted(costs, reverse=True)
    assert found.definition["goal"] == ["Order Completed"]


def test_without_a_goal_nothing_is_said_of_conversions() -> None:
    found = find_friction(_shop(1, is_broken=True), unit="session", n_shuffles=19)
    assert _incidents(found)
    assert all(one.conversions_lost is None for one in found.findings)
    assert all(one.signal != "drop" for one in found.findings)


def test_a_goal_that_no_step_is_called_is_refused_with_what_may_be_meant() -> None:
    """Else nobody would ever convert, and nothing would say why."""
    with pytest.raises(
        ConfigError, match="goal: no step is called 'Order Complete'; did you mean 'Order Com"
    ):
        find_friction(_shop(1, is_broken=False), goal=["Order Complete"])


def test_an_attribute_that_was_not_read_is_refused() -> None:
    """Its segments would be missing without a word."""
    with pytest.raises(ConfigError, match="no attribute 'devise' was read; did you mean 'device'"):
        find_friction(_shop(1, is_broken=False), unit="session", attributes=["devise"])


def test_of_no_events_nothing_is_found() -> None:
    assert find_friction(events_of([])).findings == []


def test_a_history_of_years_is_looked_at_in_steps_of_days() -> None:
    rows = [(f"p{i}", step, i * 20 * DAY) for i in range(60) for step in ("Pay", "Pay failed")]
    assert find_friction(events_of(rows)).definition["days_a_bin"] == 3
