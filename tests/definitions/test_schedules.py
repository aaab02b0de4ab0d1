"""Schedules: recurrence rules by the wall clock of a zone, over changes of daylight-saving time too."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.definitions.schedules import MAX_INTERVAL, ORIGIN, compile_schedule
from sojourn.definitions.zones import instant_of, zone_named
from tests.soak import tries


def ms(text: str) -> int:
    """Return the instant of an ISO time in UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def following(rule: str, zone: str, start: str, n: int) -> list[str]:
    """Return the next occurrences after a time in UTC, in UTC, to the minute."""
    schedule, at, found = compile_schedule(rule), ms(start), []
    for _ in range(n):
        at = schedule.after(at, zone) or 0
        found.append(datetime.fromtimestamp(at / 1000, UTC).isoformat()[:16])
    return found


def test_nine_on_monday_is_nine_on_the_wall_all_year() -> None:
    """In UTC it is an hour earlier once summer has come."""
    assert following("RRULE:FREQ=WEEKLY;BYDAY=MO;BYHOUR=9;BYMINUTE=0", "Europe/Berlin", "2026-03-20", 2) == [
        "2026-03-23T08:00",
        "2026-03-30T07:00",
    ]


def test_a_time_that_the_clock_skips_comes_as_much_later() -> None:
    """Half past two does not exist on that night."""
    assert following("FREQ=DAILY;BYHOUR=2;BYMINUTE=30", "Europe/Berlin", "2026-03-28T02:00", 2) == [
        "2026-03-29T01:30",
        "2026-03-30T00:30",
    ]


def test_a_time_that_comes_twice_is_met_once() -> None:
    """Half past two exists twice on that night."""
    assert following("FREQ=DAILY;BYHOUR=2;BYMINUTE=30", "Europe/Berlin", "2026-10-24T02:00", 2) == [
        "2026-10-25T00:30",
        "2026-10-26T01:30",
    ]


RULES = (
    "FREQ=HOURLY;INTERVAL=5;BYMINUTE=20",
    "FREQ=DAILY;BYHOUR=2,9;BYMINUTE=0,30",
    "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,SU;BYHOUR=1;BYMINUTE=15",
    "FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=23;BYMINUTE=59",
)
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia")
FIRST, LAST = ORIGIN.replace(year=2011, month=12), ORIGIN.replace(year=2027, month=4)  # around INSTANTS
WALLS = {rule: rrulestr(rule, dtstart=ORIGIN).between(FIRST, LAST) for rule in RULES}
SCHEDULES = {rule: compile_schedule(rule) for rule in RULES}
INSTANTS = st.integers(ms("2011-12-20"), ms("2012-01-10")) | st.integers(ms("2024-01-01"), ms("2027-01-01"))
LONGEST = timedelta(days=63)  # more than lies between two occurrences of the rarest rule.


def plainly_after(rule: str, at_ms: int, zone_name: str) -> int:
    """Take the first that is later of all that dateutil finds around an instant; nothing is kept."""
    zone = zone_named(zone_name)
    assert zone is not None
    start = datetime.fromtimestamp(at_ms / 1000, UTC).replace(tzinfo=None) - timedelta(days=2)
    walls = [wall for wall in WALLS[rule] if start <= wall <= start + LONGEST]
    instants = (instant_of(wall.date(), wall.hour * 60 + wall.minute, zone) for wall in walls)
    return min(instant for instant in instants if instant > at_ms)


@settings(max_examples=tries(100), deadline=None)
@given(
    st.sampled_from(RULES),
    st.sampled_from(ZONES),
    st.lists(INSTANTS, max_size=20),
)
def test_what_is_kept_of_earlier_questions_changes_no_answer(rule: str, zone: str, asked: list[int]) -> None:
    """One schedule is asked for all instants, in any order, and answers as if asked for the first time."""
    hours = [at - at % 3_600_000 + shift for at in asked[:2] for shift in (-1, 0, 1, 1_200_000)]
    assert [(at, SCHEDULES[rule].after(at, zone)) for at in asked + hours] == [
        (at, plainly_after(rule, at, zone)) for at in asked + hours
    ]


def test_a_rule_of_weeks_is_good_though_the_calendar_ends_within_one() -> None:
    """The last week of Python's calendar reaches into a year 10000 that it does not have."""
    assert compile_schedule("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,SU;BYHOUR=1").text


def test_an_instant_at_which_it_falls_due_is_not_after_itself() -> None:
    """Else it would fall due at that instant for ever."""
    assert following("FREQ=HOURLY", "UTC", "2026-01-01T05:00", 1) == ["2026-01-01T06:00"]


RULES = (
    "FREQ=HOURLY;INTERVAL=5",
    "FREQ=HOURLY;BYHOUR=9,10,11;BYMINUTE=15",
    "FREQ=DAILY;INTERVAL=3;BYHOUR=8,20",
    "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,TH;BYHOUR=7;BYMINUTE=45",
    "FREQ=WEEKLY;INTERVAL=3;BYDAY=SU;WKST=SU",
    "FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=17",
    "FREQ=MONTHLY;INTERVAL=5;BYMONTHDAY=31",
    "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=1,-1",
    "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29",
    "FREQ=YEARLY;INTERVAL=3;BYMONTH=1,12;BYDAY=2WE",
)


@pytest.mark.parametrize("rule", RULES)
def test_it_is_what_the_rule_says_from_its_first_day_on(rule: str) -> None:
    """The library counts from 2000 on; we begin nearer, and by whole intervals."""
    plain = rrulestr(rule, dtstart=ORIGIN)
    utc = zone_named("UTC")
    assert utc is not None
    random = Random(rule)
    for _ in range(20):
        wall = ORIGIN + timedelta(minutes=random.randrange(30 * 366 * 24 * 60))
        expected = plain.after(wall)
        minute = expected.hour * 60 + expected.minute
        at = int(wall.replace(tzinfo=UTC).timestamp() * 1000)
        assert compile_schedule(rule).after(at, "UTC") == instant_of(expected.date(), minute, utc)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia"])
def test_every_occurrence_is_met_in_order_and_none_twice(zone: str) -> None:
    """Walked step by step it is the set of all instants, through both changes of a year."""
    schedule = compile_schedule("FREQ=HOURLY")
    where = zone_named(zone)
    assert where is not None
    start, end = ms("2011-12-01"), ms("2012-12-01")
    walked, at = [], start
    while (at := schedule.after(at, zone) or end) < end:
        walked.append(at)
    days = [datetime(2011, 11, 29, tzinfo=UTC).date() + timedelta(days=n) for n in range(370)]
    every = {instant_of(day, hour * 60, where) for day in days for hour in range(24)}
    assert walked == sorted(instant for instant in every if start < instant < end)


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("", "expected FREQ"),
        ("FREQ=MINUTELY", "expected FREQ"),
        ("FREQ=DAILY;COUNT=3", "knows no COUNT"),
        ("FREQ=DAILY;UNTIL=20300101", "knows no UNTIL"),
        ("FREQ=DAILY;BYSECOND=3", "knows no BYSECOND"),
        ("FREQ=DAILY;BYHUOR=3", "did you mean 'BYHOUR'"),
        ("FREQ=DAILY;BYHOUR=99", "this is no recurrence rule"),
        ("FREQ=DAILY;BYDAY=XX", "this is no recurrence rule"),
        ("FREQ=DAILY;BYHOUR", "this is no recurrence rule"),
        ("FREQ=DAILY;INTERVAL=0", "expected INTERVAL"),
        (f"FREQ=DAILY;INTERVAL={MAX_INTERVAL + 1}", "expected INTERVAL"),
        ("FREQ=YEARLY;INTERVAL=1000", "does not happen"),
        ("FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30", "does not happen"),
        ("FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30", "does not happen"),
        ("FREQ=DAILY;INTERVAL=7;BYDAY=MO", "does not happen"),
        ("FREQ=HOURLY;BYMINUTE=0,30", "hourly at most"),
        ("FREQ=DAILY;" + "BYHOUR=1," * 100, "characters"),
    ],
)
def test_a_rule_that_cannot_be_kept_is_refused(rule: str, said: str) -> None:
    """With what is wrong, and before anybody waits for it."""
    with pytest.raises(ValueError, match=said):
        compile_schedule(rule)
