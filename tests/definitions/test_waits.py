"""Waits: when they end, also where the clock skips an hour or has one twice."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from sojourn.definitions.durations import MAX_DURATION_MS
from sojourn.definitions.instants import read_instant
from sojourn.definitions.reading import Reading
from sojourn.definitions.waits import Wait, read_wait
from sojourn.definitions.yaml import load
from tests.definitions.scopes import PlainScope

BERLIN = ZoneInfo("Europe/Berlin")
NEW_YORK = ZoneInfo("America/New_York")
DAY = 86_400_000


@dataclass
class Person(PlainScope):
    """A person with a clock of their own."""

    zone: ZoneInfo = field(default_factory=lambda: BERLIN)
    drawn: float = 0.0

    def draw(self, seed: str) -> float:
        return self.drawn


def ms(text: str) -> int:
    """Read an instant."""
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def utc(at_ms: int | None) -> str:
    """Write an instant in UTC."""
    return "" if at_ms is None else datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M")


def wait(text: str) -> Wait:
    """Read a wait, which must be good."""
    reading = Reading("j.yaml")
    found = read_wait(load(text, file="j.yaml"), reading, seed="wait-1")
    assert reading.problems == []
    return found


def end(text: str, at: str, **fields: Any) -> str:
    """Say when a wait that begins at an instant ends; empty: at once."""
    due = wait(text).due
    assert due is not None
    return utc(due.call(Person(at=ms(at), **fields)))


def test_a_time_alone_needs_no_clock() -> None:
    """It lowers to the timers that states have."""
    assert wait("1d") == Wait(DAY)


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-03-27T12:00:00+01:00", "2026-03-28 08:00"),
        ("2026-03-28T12:00:00+01:00", "2026-03-29 07:00"),  # the clock goes forward that night
        ("2026-10-24T12:00:00+02:00", "2026-10-25 08:00"),  # and back that one
        ("2026-10-25T08:59:59+01:00", "2026-10-25 08:00"),
        ("2026-10-25T09:00:00+01:00", "2026-10-26 08:00"),  # never at once
    ],
)
def test_the_next_time_of_day_is_by_the_persons_clock(at: str, expected: str) -> None:
    """Complaint: a message at nine comes at eight for half the year."""
    assert end("{until: '09:00'}", at) == expected


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-03-28T12:00:00+01:00", "2026-03-29 01:30"),  # 02:30 is skipped: as much later
        ("2026-10-25T00:00:00+02:00", "2026-10-25 00:30"),  # 02:30 comes twice: the first one
        ("2026-10-25T02:40:00+02:00", "2026-10-26 01:30"),  # and the second is none
    ],
)
def test_a_time_that_is_skipped_or_comes_twice(at: str, expected: str) -> None:
    """Once a day, on each of those days too."""
    assert end("{until: '02:30'}", at) == expected


def test_a_zone_of_the_step_wins_over_the_persons() -> None:
    """A shop's own opening hours, for example."""
    assert end("{until: '09:00', zone: America/New_York}", "2026-07-01T12:00:00Z") == "2026-07-01 13:00"


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-10-23T18:00:00+02:00", "2026-10-26 08:00"),  # a Friday; the next Monday is in winter
        ("2026-10-26T10:00:00+01:00", "2026-10-26 09:00"),  # inside: at once
        ("2026-10-26T18:00:00+01:00", "2026-10-27 08:00"),  # its end is outside
    ],
)
def test_a_window_opens_by_the_persons_clock(at: str, expected: str) -> None:
    """Working hours, over a change of the clock."""
    assert end("{window: 09:00-18:00, days: [mon, tue, wed, thu, fri]}", at) == expected


def test_a_window_over_midnight_belongs_to_the_day_on_which_it_begins() -> None:
    """Saturday night lasts into Sunday."""
    window = "{window: '22:00-04:00', days: sat}"
    assert end(window, "2026-07-05T03:00:00+02:00") == "2026-07-05 01:00"
    assert end(window, "2026-07-05T05:00:00+02:00") == "2026-07-11 20:00"


@pytest.mark.parametrize(
    ("drawn", "expected"), [(0.0, 3_600_000), (0.5, 7_200_000), (1 - 2**-48, 10_800_000)]
)
def test_a_random_wait_reaches_both_of_its_bounds_and_nothing_beyond(drawn: float, expected: int) -> None:
    """The bounds are part of it."""
    due = wait("{between: [1h, 3h]}").due
    assert due is not None
    assert due.call(Person(drawn=drawn)) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-03-29", "2026-03-28 23:00"),
        ("20260329", "2026-03-28 23:00"),
        ("2026-03-29T09:00", "2026-03-29 07:00"),
        ("2026-03-29 09:00:00", "2026-03-29 07:00"),
        ("2026-03-29T02:30", "2026-03-29 01:30"),
        ("2026-10-25T02:30", "2026-10-25 00:30"),
        ("2026-03-29T09:00Z", "2026-03-29 09:00"),
        ("2026-03-29T09:00:00.123456789-05:00", "2026-03-29 14:00"),
        (" 2026-03-29T09:00Z ", "2026-03-29 09:00"),
        (1_774_774_800, "2026-03-29 09:00"),
        (1_774_774_800_000, "2026-03-29 09:00"),
        (1_774_774_800.5, "2026-03-29 09:00"),
        *[
            (nothing, "")
            for nothing in (None, True, "", "soon", "2026-02-30", "25:00", [], {}, 1e300, "9" * 50)
        ],
        *[(far, "") for far in ("0001-01-01", 10**15, float("inf"), float("nan"))],
    ],
)
def test_an_instant_is_read_as_far_as_it_is_one(value: Any, expected: str) -> None:
    """Traits come from strangers: what is no date is none, and never an error."""
    found = read_instant(value, BERLIN)
    assert utc(found if found is None or found > 0 else None) == expected


@pytest.mark.parametrize(
    ("value", "offset", "expected"),
    [
        ("2026-03-30", "-3d", "2026-03-27 08:00"),  # nine o'clock, on the other side of the change
        ("2026-03-30", "3d", "2026-04-02 07:00"),
        ("2026-03-30", "-3d2h", "2026-03-27 06:00"),
        ("2026-03-30T12:00", "-1w", "2026-03-23 11:00"),
        ("2026-03-30T12:00Z", "-1w", "2026-03-23 12:00"),
        (1_774_774_800, "-2h", "2026-03-29 07:00"),
        ("2026-03-29T03:30", "-2h", "2026-03-28 23:30"),  # hours are hours
    ],
)
def test_an_offset_is_in_days_of_the_calendar_where_the_zone_is_the_persons(
    value: Any, offset: str, expected: str
) -> None:
    """Three days before at nine is at nine, also when the clock changes in between."""
    text = f"{{until: trait.ends, offset: {offset}, at: '09:00'}}"
    assert end(text, "2026-01-01T00:00Z", traits={"ends": value}) == expected


def test_an_expression_may_compute_the_instant() -> None:
    """Whatever the language gives: here, an hour after the entry."""
    at = ms("2026-07-01T12:00Z")
    text = '{until: "entry.at / 1000 + hours(1)"}'
    assert end(text, "2026-07-01T12:00Z", entry={"at": at}) == "2026-07-01 13:00"


def test_a_date_may_be_written_out() -> None:
    """It is no subtraction."""
    assert end("{until: 2026-12-24, at: '18:00'}", "2026-07-01T12:00Z") == "2026-12-24 17:00"


def test_nobody_waits_longer_than_anything_can_be_waited_for() -> None:
    """`9999-12-31` stands for never in many a database."""
    due = wait("{until: trait.ends}").due
    assert due is not None
    assert due.call(Person(traits={"ends": "9999-12-31"}, at=5)) == 5 + MAX_DURATION_MS
