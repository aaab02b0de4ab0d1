"""Retention: what each rule means, and the same as counting people one by one."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.analytics.events import Events
from sojourn.analytics.kinds import Kind, parse_kind
from sojourn.analytics.retention import Retention, RetentionAnswer, parse_brackets, retention
from sojourn.model.errors import ConfigError
from tests.analytics.making import DAY, HOUR, events_of
from tests.analytics.oracles_retention import retention_by_hand
from tests.soak import tries


def at(text: str) -> int:
    """Read an instant in UTC, ms."""
    return int(datetime.fromisoformat(f"{text}+00:00").timestamp() * 1000)


def visits(*rows: tuple[str, str]) -> Events:
    """Encode visits of people at instants in words."""
    return events_of([(who, "Visited", at(text)) for who, text in rows])


def cells(answer: RetentionAnswer) -> dict[str | None, list[tuple[int, int]]]:
    """List what came back of what, by cohort; what is not over yet is not in it."""
    pairs = np.dstack([answer.cells.count, answer.cells.of]).tolist()
    return {name: [(a, b) for a, b in row] for (_, name), row in zip(answer.cohorts, pairs, strict=True)}


SHOP = visits(
    ("ada", "2024-01-31T23:00"),
    ("ada", "2024-02-01T00:30"),
    ("ada", "2024-04-10T12:00"),
    ("bob", "2024-01-05T12:00"),
    ("bob", "2024-03-05T12:00"),
    ("cid", "2024-02-10T12:00"),
)


def test_months_are_those_of_the_calendar() -> None:
    """Ada was back in the next month after an hour and a half; April is not over, and counted apart."""
    answer = retention(SHOP, Retention(n_periods=3))
    assert cells(answer) == {
        "2024-01": [(2, 2), (1, 2), (1, 2), (0, 0)],
        "2024-02": [(1, 1), (0, 1), (0, 0), (0, 0)],
    }
    assert answer.cells.status().tolist() == [
        ["over", "over", "over", "running"],
        ["over", "over", "running", "ahead"],
    ]
    assert (answer.cells.count_so_far[0, 3], answer.cells.of_so_far[0, 3]) == (1, 2)


def test_a_month_begins_by_the_clock_of_the_place() -> None:
    """In Berlin it was February at once."""
    answer = retention(SHOP, Retention(n_periods=1, zone="Europe/Berlin"))
    assert cells(answer) == {"2024-01": [(1, 1), (0, 1)], "2024-02": [(2, 2), (0, 2)]}


def test_rolling_is_in_the_period_or_later() -> None:
    """Bob was not there in February, and came back."""
    answer = retention(SHOP, Retention(n_periods=2, counting="rolling"))
    assert cells(answer)["2024-01"] == [(2, 2), (2, 2), (2, 2)]


def test_a_bracket_is_any_of_its_periods() -> None:
    """However often they came in it, they count once."""
    asked = Retention(counting="bracket", period="day", brackets=parse_brackets("0, 1-7, 1-70"))
    answer = retention(SHOP, asked)
    assert answer.retention.labels == ["0", "1-7", "1-70"]
    assert cells(answer)["2024-01-05"] == [(1, 1), (0, 1), (1, 1)]


def test_a_day_with_a_change_of_the_clock_is_one_day() -> None:
    """23 hours later is the next day, and 24 hours later too."""
    events = visits(("ada", "2024-03-30T23:30"), ("ada", "2024-03-31T22:30"), ("bob", "2024-04-05T12:00"))
    answer = retention(events, Retention(period="day", zone="Europe/Berlin", n_periods=2))
    assert cells(answer)["2024-03-31"] == [(1, 1), (1, 1), (0, 1)]


def test_the_first_event_counts_as_coming_back_where_it_is_such() -> None:
    """Who only signed up was never active, not even in the first week."""
    rows = [
        ("ada", "Signed Up", 0),
        ("ada", "Used", HOUR),
        ("bob", "Signed Up", 0),
        ("cid", "Used", 20 * DAY),
    ]
    signed_up = Retention(first=Kind(("Signed Up",)), period="week", n_periods=1)
    assert cells(retention(events_of(rows), signed_up)) == {"1969-12-29": [(2, 2), (0, 2)]}
    used = Retention(first=Kind(("Signed Up",)), returning=Kind(("Used",)), period="week", n_periods=1)
    answer = retention(events_of(rows), used)
    assert cells(answer) == {"1969-12-29": [(1, 2), (0, 2)]}
    assert (answer.definition["n_followed"], answer.definition["n_without_first"]) == (2, 1)


def test_coming_back_before_the_first_event_does_not_count() -> None:
    """Using it as a guest is no return of a member."""
    rows = [("ada", "Used", 0), ("ada", "Signed Up", 1), ("bob", "Used", 20 * DAY)]
    asked = Retention(first=Kind(("Signed Up",)), returning=Kind(("Used",)), period="day", n_periods=1)
    assert cells(retention(events_of(rows), asked)) == {"1970-01-01": [(0, 1), (0, 1)]}


def test_cohorts_by_an_attribute_count_only_whose_period_is_over() -> None:
    """Of the two Swedes one came so late that her second week is not over."""
    rows = [
        ("ada", "Used", 0, {"country": "SE"}),
        ("ada", "Used", 7 * DAY, {"country": "DE"}),
        ("bob", "Used", 21 * DAY, {"country": "SE"}),
        ("cid", "Used", 0, {"country": "NO"}),
        ("dan", "Used", 0, {}),
    ]
    answer = retention(events_of(rows), Retention(by="country", limit=1, period="week", n_periods=1))
    assert answer.cohorts == [("value", "SE"), ("other", None), ("none", None)]
    rows_of_se = [row for row in answer.table().to_dicts() if row["cohort"] == "SE"]
    assert [
        (row["status"], row["count"], row["of"], row["of_so_far"], row["ahead"]) for row in rows_of_se
    ] == [
        ("partly", 1, 1, 1, 0),
        ("partly", 1, 1, 0, 1),
    ]
    assert answer.people(0) == ["ada", "bob"]
    assert (answer.people(0, 0), answer.people(0, 0, so_far=True)) == (["ada"], ["bob"])


def test_what_cannot_be_seen_yet_is_no_zero() -> None:
    """A share that is not there has no number, and no interval."""
    row = retention(SHOP, Retention(n_periods=9)).table().to_dicts()[-1]
    assert row["status"] == "ahead"
    assert np.isnan([row["share"], row["low"], row["high"]]).all()
    assert (row["count"], row["of"], row["ahead"]) == (0, 0, 1)


def test_the_end_of_what_was_observed_can_be_said() -> None:
    """The last event was on the tenth; that nothing came until the end of April is known from elsewhere."""
    answer = retention(SHOP, Retention(n_periods=3, until_ms=at("2024-05-01T00:00")))
    assert cells(answer)["2024-01"][3] == (1, 2)
    with pytest.raises(ConfigError, match="leave them out first"):
        retention(SHOP, Retention(until_ms=at("2024-02-01T00:00")))


def test_all_cohorts_together_are_their_sum() -> None:
    """Each column is of those whose period is over."""
    rows = retention(SHOP, Retention(n_periods=2)).overall().to_dicts()
    assert [(row["n"], row["count"], row["of"], row["status"]) for row in rows] == [
        ("0", 3, 3, "over"),
        ("1", 1, 3, "over"),
        ("2", 1, 2, "partly"),
    ]
    assert (rows[1]["low"], rows[1]["high"]) == (pytest.approx(0.06149194), pytest.approx(0.79234030))


@st.composite
def questions(draw: st.DrawFn) -> tuple[Events, Retention]:
    """People who come and go over three months, and some question about them."""
    start = at("2024-02-20T00:00")
    row = st.tuples(st.sampled_from("abcd"), st.sampled_from("XYZ"), st.integers(0, 100 * 24))
    rows = [(who, step, start + hours * HOUR) for who, step, hours in draw(st.lists(row, max_size=25))]
    rows += [("z", step, start) for step in "XYZ"]
    countries = draw(
        st.lists(st.sampled_from([None, "SE", "DE", "NO"]), min_size=len(rows), max_size=len(rows))
    )
    full = [
        (*row, {"country": country} if country else {}) for row, country in zip(rows, countries, strict=True)
    ]
    full.append(("z", "X", start + 1, {"country": "SE"}))
    counting: Any = draw(st.sampled_from(["classic", "rolling", "bracket"]))
    bracket = st.tuples(st.integers(0, 5), st.integers(0, 5)).map(lambda pair: (min(pair), max(pair)))
    kinds = st.sampled_from(["*", "X", "X | Y", "Z"]).map(parse_kind)
    last = max(row[2] for row in full)
    return events_of(full), Retention(
        first=draw(kinds),
        returning=draw(kinds),
        counting=counting,
        period=draw(st.sampled_from(["day", "week", "month"])),
        zone=draw(st.sampled_from(["UTC", "Europe/Berlin", "Pacific/Auckland"])),
        n_periods=draw(st.integers(0, 6)),
        brackets=tuple(draw(st.lists(bracket, min_size=1, max_size=3))) if counting == "bracket" else (),
        by=draw(st.sampled_from([None, "country"])),
        until_ms=draw(st.sampled_from([None, last + 1, last + DAY, last + 40 * DAY])),
    )


@given(questions())
@settings(max_examples=tries(300), deadline=None)
def test_every_cell_is_what_counting_people_one_by_one_gives(question: tuple[Events, Retention]) -> None:
    """In every counting, period and zone, by every cohort."""
    events, asked = question
    answer = retention(events, asked)
    counted = answer.cells
    fields = (counted.count, counted.of, counted.count_so_far, counted.of_so_far, counted.ahead)
    found = [
        [tuple(int(field[i, j]) for field in fields) for j in range(len(asked.columns))]
        for i in range(len(answer.cohorts))
    ]
    by_hand = retention_by_hand(events, asked)
    if asked.by is None:
        assert found == [by_hand[name] for name in sorted(by_hand, key=lambda name: int(name or 0))]
    else:
        assert dict(zip((name for _, name in answer.cohorts), found, strict=True)) == by_hand


@given(questions())
@settings(max_examples=tries(100), deadline=None)
def test_every_view_is_of_the_same_people(question: tuple[Events, Retention]) -> None:
    """Cells split their cohort, the drill-down lists whom they count, and cohorts hold all who are
    followed."""
    events, asked = question
    answer = retention(events, asked)
    counted = answer.cells
    parts = counted.of + counted.of_so_far + counted.ahead
    assert (parts == answer.sizes[:, None]).all()
    assert answer.sizes.sum() == answer.definition["n_followed"]
    for i in range(len(answer.cohorts)):
        assert len(answer.people(i)) == answer.sizes[i]
        for j in range(len(asked.columns)):
            for so_far, count in ((False, counted.count), (True, counted.count_so_far)):
                people = answer.people(i, j, so_far=so_far)
                assert (len(people), len(set(people))) == (count[i, j], count[i, j])


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ({"counting": "sideways"}, "expected a counting of classic, rolling, bracket"),
        ({"counting": "bracket"}, "brackets go with"),
        ({"brackets": ((0, 1),)}, "brackets go with"),
        ({"counting": "bracket", "brackets": ((2, 1),)}, "2-1: expected a bracket"),
        ({"n_periods": 1_000}, "at most 999"),
        ({"level": 0.0}, "between 0 and 1"),
    ],
)
def test_what_is_no_retention_is_refused(rules: dict[str, Any], message: str) -> None:
    """Better no number than one that answers another question."""
    with pytest.raises(ConfigError, match=message):
        Retention(**rules)


def test_what_the_data_does_not_know_is_refused() -> None:
    """A misspelt word must not become a table of zeros."""
    with pytest.raises(ConfigError, match="no event is called 'Visitd'; did you mean 'Visited'"):
        retention(SHOP, Retention(returning=Kind(("Visitd",))))
    with pytest.raises(ConfigError, match="no attribute of text is called 'country'"):
        retention(SHOP, Retention(by="country"))
    with pytest.raises(ConfigError, match="counted from 0"):
        retention(SHOP, Retention()).people(2)
    with pytest.raises(ConfigError, match="'1-x': expected brackets as in"):
        parse_brackets("0, 1-x")
    many = events_of([(f"p{i}", "Visited", i * HOUR) for i in range(2_001)])
    with pytest.raises(ConfigError, match=r"2,001 hours are a cohort each; at most 2,000"):
        retention(many, Retention(period="hour"))


def test_no_events_have_no_cohorts() -> None:
    """The first day of a shop is an empty table."""
    answer = retention(events_of([]), Retention(n_periods=1))
    assert (answer.cohorts, len(answer.table()), answer.overall()["of"].tolist()) == ([], 0, [0, 0])  # type: ignore[union-attr]
