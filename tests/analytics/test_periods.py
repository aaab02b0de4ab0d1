"""Periods: what a calendar on the wall would say, whatever the clocks there do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.analytics.periods import Unit, periods
from sojourn.model.errors import ConfigError

# Changes at midnight, at half past, of half an hour, of a whole day, and of the rules themselves.
ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/Sao_Paulo",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "America/St_Johns",
]
INSTANTS = st.integers(
    int(datetime(2005, 1, 1, tzinfo=UTC).timestamp()), int(datetime(2019, 12, 31, tzinfo=UTC).timestamp())
)


def at(text: str) -> int:
    """Read an instant, ms."""
    return int(datetime.fromisoformat(text).timestamp() * 1000)


def on_the_wall(at_ms: int, unit: Unit, zone: str) -> str:
    """Name the period as one would with a calendar."""
    local = datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(ZoneInfo(zone))
    if unit == "month":
        return local.strftime("%Y-%m")
    if unit == "week":
        return str(local.date() - timedelta(days=local.weekday()))
    return str(local.date())


@given(
    st.lists(INSTANTS, min_size=1, max_size=20),
    st.sampled_from(ZONES),
    st.sampled_from(["day", "week", "month"]),
)
def test_a_period_is_what_the_calendar_on_the_wall_says(seconds: list[int], zone: str, unit: Unit) -> None:
    """Of each instant, in each zone."""
    instants = np.array(seconds, dtype=np.int64) * 1000
    found = periods(unit, zone, first=int(instants.min()), last=int(instants.max()))
    labels = [found.label(number) for number in found.of(instants).tolist()]
    assert labels == [on_the_wall(instant, unit, zone) for instant in instants.tolist()]
    assert (np.diff(found.starts) >= 0).all()
    assert found.starts[0] <= instants.min() <= instants.max() < found.starts[-1]


@settings(deadline=None)
@given(st.lists(INSTANTS, min_size=1, max_size=20), st.sampled_from(ZONES))
def test_an_hour_holds_its_instants(seconds: list[int], zone: str) -> None:
    """It begins at most an hour before, and never later; an hour of 15 days is looked up and not searched."""
    instants = np.array(seconds, dtype=np.int64) * 1000
    instants = instants.min() + (instants - instants.min()) % (15 * 86_400_000)
    found = periods("hour", zone, first=int(instants.min()), last=int(instants.max()))
    into = instants - found.starts[found.of(instants)]
    assert ((into >= 0) & (into < 3_600_000)).all()


@pytest.mark.parametrize("unit", ["hour", "day", "week", "month"])
def test_many_instants_are_looked_up_as_few_are_searched(unit: Unit) -> None:
    """The table is a shortcut, also to instants at the very edges of periods."""
    random = np.random.default_rng(0)
    instants = random.integers(at("2023-01-01T00:00+00:00"), at("2025-01-01T00:00+00:00"), 150_000)
    found = periods(unit, "America/Sao_Paulo", first=int(instants.min()), last=int(instants.max()))
    edges = np.concatenate([found.starts[1:-1], found.starts[1:-1] - 1])
    instants[: len(edges)] = edges
    one_by_one = [found.of(some) for some in np.array_split(instants, 10)]
    assert found.of(instants).tolist() == np.concatenate(one_by_one).tolist()


def test_a_day_with_a_change_of_the_clock_has_23_or_25_hours() -> None:
    """Berlin, 2024-03-31 and 2024-10-27."""
    for day, n_hours in (("2024-03-31", 23), ("2024-10-27", 25), ("2024-10-28", 24)):
        noon = at(f"{day}T12:00+00:00")
        assert len(periods("hour", "Europe/Berlin", first=noon, last=noon)) == n_hours


def test_months_are_as_long_as_they_are() -> None:
    """Not thirty days."""
    year = periods("month", "UTC", first=at("2024-01-15T00:00+00:00"), last=at("2024-12-15T00:00+00:00"))
    assert (np.diff(year.starts) // 86_400_000).tolist() == [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]


def test_what_is_after_the_last_period_has_the_next_number() -> None:
    """The end of what was observed may be the end of a period."""
    month = periods("month", "UTC", first=at("2024-01-15T00:00+00:00"), last=at("2024-01-16T00:00+00:00"))
    assert month.of(np.array([at("2024-01-31T23:59:59+00:00"), at("2024-02-01T00:00+00:00")])).tolist() == [
        0,
        1,
    ]


def test_what_no_calendar_knows_is_refused() -> None:
    """A misspelt zone must not become UTC, and a broken clock not a million rows."""
    with pytest.raises(ConfigError, match="'Europe/Berln'; did you mean 'Europe/Berlin'"):
        periods("day", "Europe/Berln", first=0, last=0)
    with pytest.raises(ConfigError, match="expected a period of hour, day, week, month"):
        periods("year", "UTC", first=0, last=0)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="over 200,000 hours"):
        periods("hour", "UTC", first=0, last=at("2020-01-01T00:00+00:00"))
