"""Zones: what it is by a person's own clock, also where the clock skips an hour or repeats one."""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random
from zoneinfo import ZoneInfo

import pytest

from sojourn.definitions.zones import (
    DAY_MIN,
    is_between,
    next_open,
    next_outside,
    next_time,
    start_of,
    zone_named,
    zone_names,
)

BERLIN = ZoneInfo("Europe/Berlin")
NINE, TEN_PM = 9 * 60, 22 * 60
WORKDAYS = frozenset(range(5))


def ms(text: str) -> int:
    """Read an instant."""
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def utc(at_ms: int) -> str:
    """Write an instant in UTC."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M")


def test_a_zone_is_known_by_its_name() -> None:
    """Names come from devices: what is none is nothing, and no path into the file system."""
    berlin = zone_named("Europe/Berlin")
    assert berlin is not None
    assert berlin.key == "Europe/Berlin"
    for name in (
        "",
        "Mars/Base",
        "../../etc/passwd",
        "Europe",
        "/etc/localtime",
        "Europe/Berlin\n",
        "x" * 99,
        ".",
    ):
        assert zone_named(name) is None, name


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-07-01T06:59:00+02:00", "2026-07-01 07:00"),
        ("2026-07-01T09:00:00+02:00", "2026-07-01 07:00"),
        ("2026-07-01T09:00:01+02:00", "2026-07-02 07:00"),
        ("2026-10-24T12:00:00+02:00", "2026-10-25 08:00"),  # the clock goes back that night
        ("2026-03-28T12:00:00+01:00", "2026-03-29 07:00"),  # and forward that one
    ],
)
def test_the_next_nine_o_clock_is_nine_by_the_persons_clock(at: str, expected: str) -> None:
    """Complaint 16: a message at nine comes at nine, also on the day after the clocks change."""
    assert utc(next_time(ms(at), BERLIN, NINE)) == expected


def test_a_time_that_the_clock_skips_comes_later() -> None:
    """There is no 02:30 on that night: 03:30 is what the clock shows half an hour after 02:00."""
    assert utc(next_time(ms("2026-03-29T00:10:00+01:00"), BERLIN, 150)) == "2026-03-29 01:30"


def test_a_time_that_comes_twice_is_met_once() -> None:
    """02:30 comes twice on that night: the first one counts, and the next is a day later."""
    first = next_time(ms("2026-10-25T00:10:00+02:00"), BERLIN, 150)
    assert utc(first) == "2026-10-25 00:30"
    assert utc(next_time(first + 1, BERLIN, 150)) == "2026-10-26 01:30"


def test_a_window_opens_on_its_days_only() -> None:
    """Friday evening waits for Monday."""
    friday = ms("2026-07-03T19:00:00+02:00")
    assert utc(next_open(friday, BERLIN, NINE, 18 * 60, days=WORKDAYS)) == "2026-07-06 07:00"
    assert next_open(friday - 4 * 3_600_000, BERLIN, NINE, 18 * 60, days=WORKDAYS) == friday - 4 * 3_600_000


def test_a_window_over_midnight_belongs_to_the_day_it_begins() -> None:
    """Friday's night is open on Saturday at one; Saturday's is not on Sunday."""
    nights = frozenset({4})
    saturday = ms("2026-07-04T01:00:00+02:00")
    assert next_open(saturday, BERLIN, TEN_PM, 120, days=nights) == saturday
    assert utc(next_open(saturday + 86_400_000, BERLIN, TEN_PM, 120, days=nights)) == "2026-07-10 20:00"


@pytest.mark.parametrize(
    ("clock", "is_quiet"), [("21:59", False), ("22:00", True), ("07:59", True), ("08:00", False)]
)
def test_a_span_may_go_over_midnight(clock: str, is_quiet: object) -> None:
    """Quiet hours nearly always do."""
    assert is_between(ms(f"2026-07-01T{clock}:00+02:00"), BERLIN, TEN_PM, 8 * 60) is is_quiet


def test_days_weeks_and_months_begin_by_the_persons_clock() -> None:
    """A cap of one a day is one a day of theirs."""
    at = ms("2026-07-01T01:00:00+02:00")
    assert [utc(start_of(at, BERLIN, each)) for each in ("day", "week", "month")] == [
        "2026-06-30 22:00",
        "2026-06-28 22:00",
        "2026-06-30 22:00",
    ]


MINUTE = 60_000
CHANGES = (
    ("Europe/Berlin", "2026-03-29T01:00Z"),
    ("Europe/Berlin", "2026-10-25T01:00Z"),
    ("America/New_York", "2026-03-08T07:00Z"),
    ("America/New_York", "2026-11-01T06:00Z"),
    ("Australia/Lord_Howe", "2026-04-04T15:00Z"),  # by half an hour
    ("Asia/Beirut", "2026-03-28T22:00Z"),  # at midnight
    ("Asia/Kolkata", "2026-03-29T01:00Z"),  # never
)
"""Zones, and nights on which their clocks change."""


def test_all_zones_are_known_by_their_names() -> None:
    """So that a misspelt one finds its neighbour."""
    assert len(zone_names()) > 400
    assert all(zone_named(name) is not None for name in zone_names())


def scanned(at_ms: int, zone: ZoneInfo, start_min: int, end_min: int) -> int:
    """Look at every minute until one is outside."""
    while is_between(at_ms, zone, start_min, end_min):
        at_ms += MINUTE - at_ms % MINUTE
    return at_ms


@pytest.mark.parametrize("seed", range(150))
def test_a_window_is_left_at_the_first_minute_outside_whatever_the_clock_does(seed: int) -> None:
    """On nights on which the clock is put forward or back, too; the oracle asks every minute."""
    random = Random(seed)
    name, around = random.choice(CHANGES)
    zone = zone_named(name)
    assert zone is not None
    at_ms = ms(around) + random.randrange(-30 * 60, 6 * 60) * MINUTE + random.randrange(MINUTE)
    start_min, end_min = random.sample(range(0, DAY_MIN, random.choice((1, 15, 30))), 2)
    expected = scanned(at_ms, zone, start_min, end_min)
    assert next_outside(at_ms, zone, start_min, end_min) == expected
