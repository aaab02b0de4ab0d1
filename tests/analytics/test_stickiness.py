"""Stickiness: the days people are active, as one would count them in a diary."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.analytics.events import Events
from sojourn.analytics.kinds import parse_kind
from sojourn.analytics.stickiness import Stickiness, stickiness
from sojourn.model.errors import ConfigError
from tests.analytics.making import DAY, HOUR, events_of, rows_of
from tests.soak import tries

MONDAY = 4 * DAY  # 1970-01-05


def diary(events: Events, asked: Stickiness) -> dict[str, set[date]]:
    """Write down each person's active days."""
    days: dict[str, set[date]] = {}
    for who, step, at, _ in rows_of(events):
        if not asked.active.names or step in asked.active.names:
            local = datetime.fromtimestamp(at / 1000, UTC).astimezone(ZoneInfo(asked.zone))
            days.setdefault(who, set()).add(local.date())
    return days


def test_active_days_of_a_week_are_counted_by_person() -> None:
    """Twice on one day is one day; those of a week add up to its people."""
    rows = [("ada", "Used", MONDAY + day * DAY + hour * HOUR) for day in (0, 1, 6) for hour in (1, 9)]
    rows += [("bob", "Used", MONDAY + 2 * DAY), ("bob", "Used", MONDAY + 7 * DAY)]
    table = stickiness(events_of(rows), Stickiness()).active_days().to_dicts()
    first_week = [row for row in table if row["period"] == "1970-01-05"]
    assert [row["people"] for row in first_week] == [1, 0, 1, 0, 0, 0, 0]
    assert {(row["active"], row["mean_days"], row["status"]) for row in first_week} == {(2, 2.0, "whole")}
    assert {row["status"] for row in table if row["period"] == "1970-01-12"} == {"partial"}


def test_the_ratio_of_a_day_to_its_month_is_of_trailing_windows() -> None:
    """Ada comes daily, Bob came once: on day 30 he is still in the month, on day 31 no more."""
    rows = [("ada", "Used", day * DAY) for day in range(31)] + [("bob", "Used", 0)]
    rows = stickiness(events_of(rows), Stickiness(until_ms=31 * DAY)).daily().to_dicts()
    assert [(row["active_day"], row["active_week"], row["active_month"]) for row in (rows[6], rows[7])] == [
        (1, 2, 2),
        (1, 1, 2),
    ]
    assert [(row["status"], row["day_of_month"]) for row in rows[28:]] == [
        ("partial", 0.5),
        ("whole", 0.5),
        ("whole", 1.0),
    ]


@st.composite
def uses(draw: st.DrawFn) -> tuple[Events, Stickiness]:
    """Uses over three months, by the clock of some place."""
    row = st.tuples(st.sampled_from("abc"), st.sampled_from("XY"), st.integers(0, 24 * 100))
    rows = [(who, step, hours * HOUR) for who, step, hours in draw(st.lists(row, max_size=40))]
    asked = Stickiness(
        active=parse_kind(draw(st.sampled_from(["*", "X"]))),
        period=draw(st.sampled_from(["week", "month"])),
        zone=draw(st.sampled_from(["UTC", "America/Sao_Paulo"])),
    )
    return events_of([("z", "X", 40 * DAY), *rows]), asked


@given(uses())
@settings(max_examples=tries(150), deadline=None)
def test_every_day_is_what_a_diary_says(question: tuple[Events, Stickiness]) -> None:
    """On the day, in its week and in its month."""
    events, asked = question
    days = diary(events, asked)
    for row in stickiness(events, asked).daily().to_dicts():
        today = date.fromisoformat(row["day"])
        for name, n_days in (("active_day", 1), ("active_week", 7), ("active_month", 30)):
            window = {today - timedelta(days=n) for n in range(n_days)}
            assert row[name] == sum(bool(window & active) for active in days.values())


@given(uses())
@settings(max_examples=tries(100), deadline=None)
def test_every_period_is_what_a_diary_says(question: tuple[Events, Stickiness]) -> None:
    """How many people had how many days in it."""
    events, asked = question
    days = diary(events, asked)
    for row in stickiness(events, asked).active_days().to_dicts():
        begin = date.fromisoformat(row["period"] if asked.period == "week" else f"{row['period']}-01")
        end = (
            begin + timedelta(days=7)
            if asked.period == "week"
            else (begin + timedelta(days=31)).replace(day=1)
        )
        counts = [sum(begin <= day < end for day in active) for active in days.values()]
        assert row["people"] == sum(count == row["days"] for count in counts)
        assert row["active"] == sum(count > 0 for count in counts)


def test_questions_without_an_answer_are_refused() -> None:
    """An hour has no days."""
    with pytest.raises(ConfigError, match="by week or month"):
        Stickiness(period="hour")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="leave them out first"):
        stickiness(events_of([("ada", "Used", 5)]), Stickiness(until_ms=5))


def test_nobody_is_never_active() -> None:
    """No division by zero on the first day of a shop."""
    answer = stickiness(events_of([]), Stickiness())
    assert np.isnan(answer.daily()["day_of_month"]).all()
    assert (answer.definition["n_active"], sum(answer.active_days()["people"])) == (0, 0)
