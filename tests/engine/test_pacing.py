"""Pacing: caps and quiet hours against oracles that look at everything, and the order of the reasons."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest

from sojourn.definitions.catalogue import build_catalogue
from sojourn.definitions.policy import MAX_MOST, Cap, Channel, Policy, Quiet
from sojourn.engine.ledger import Ledger
from sojourn.engine.pacing import MAX_SENT, Stop, judge, merge_sent, record
from sojourn.engine.state import Life, Pacing, Wanted, Zone
from sojourn.model.ids import EnrolmentId, user_profile

HOUR = 3_600_000
DAY = 24 * HOUR
ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Beirut", "UTC")
CHANGES = ("2026-03-28", "2026-10-24", "2026-04-04", "2026-11-01", "2026-12-30")
"""Days around which a clock is put forward or back, or a year ends."""


def ledger_of(policy: Policy, at: int) -> Ledger:
    """Stand at an instant."""
    ledger = Ledger(build_catalogue([], policy=policy), user_profile("ann"))
    ledger.at = at
    return ledger


def wanted(channel: str = "email", topic: str = "") -> Wanted:
    """Want something of a channel."""
    return Wanted(0, "a1", "crm", channel, topic, 1 << 60, EnrolmentId("e1"), "j", "v", "s", b"{}")


def ms(text: str) -> int:
    """Read an instant, UTC."""
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def random_cap(random: Random) -> Cap:
    """Draw a cap whose window may slide or be a calendar's."""
    most = random.randrange(1, 5)
    kind = random.choice(("sliding", "day", "week", "month"))
    if kind == "sliding":
        return Cap(most=most, within_ms=random.choice((1, HOUR, 5 * HOUR, DAY, 7 * DAY)))
    return Cap(most=most, calendar=kind)


def is_in_window(sent_at: int, at: int, cap: Cap, zone: ZoneInfo) -> bool:
    """Ask the calendar itself whether two instants share a window."""
    if cap.within_ms:
        return at - sent_at < cap.within_ms
    one, other = (datetime.fromtimestamp(each / 1000, UTC).astimezone(zone) for each in (sent_at, at))
    match cap.calendar:
        case "day":
            return one.date() == other.date()
        case "week":
            return one.isocalendar()[:2] == other.isocalendar()[:2]
        case _:
            return (one.year, one.month) == (other.year, other.month)


@pytest.mark.parametrize("seed", range(200))
def test_caps_count_as_somebody_would_who_remembers_everything(seed: int) -> None:
    """Over days of 23 and 25 hours, on two channels, and over both together."""
    random = Random(seed)
    zone_name = random.choice(ZONES)
    zone = ZoneInfo(zone_name)
    policy = Policy(
        channels={
            name: Channel(caps=tuple(random_cap(random) for _ in range(random.randrange(3))))
            for name in ("email", "push")
        },
        caps=tuple(random_cap(random) for _ in range(random.randrange(3))),
    )
    life = Life(user_ids=["ann"], time_zone=Zone(0, "m", zone_name, 1))
    at = ms(random.choice(CHANGES))
    sent: dict[str, list[int]] = {"email": [], "push": []}
    for _ in range(60):
        at += random.choice((0, 1, HOUR // 2, HOUR, 7 * HOUR, DAY))
        channel = random.choice(("email", "push"))
        everything = sent["email"] + sent["push"]
        is_full = any(
            sum(is_in_window(one, at, cap, zone) for one in times) >= cap.most
            for caps, times in ((policy.channels[channel].caps, sent[channel]), (policy.caps, everything))
            for cap in caps
        )
        ledger = ledger_of(policy, at)
        stop = judge(life, wanted(channel), ledger, is_owed=False)
        assert (stop is not None) == is_full, (seed, at, stop)
        if not is_full:
            sent[channel].append(at)
            record(life, channel, ledger)


@pytest.mark.parametrize("seed", range(200))
def test_quiet_hours_end_at_the_first_minute_at_which_nobody_sleeps(seed: int) -> None:
    """The oracle asks every minute, by the wall clock; a message is put off exactly as long."""
    random = Random(seed)
    zone_name = random.choice(ZONES)
    start_min, end_min = random.sample(range(0, 1_440, 15), 2)
    policy = Policy(quiet=Quiet(start_min=start_min, end_min=end_min))
    life = Life(time_zone=Zone(0, "m", zone_name, 1))
    at = ms(random.choice(CHANGES)) + random.randrange(2 * DAY)
    stop = judge(life, wanted(), ledger_of(policy, at), is_owed=False)
    expected, moment = at, datetime.fromtimestamp(at / 1000, UTC)
    while sleeps(moment, ZoneInfo(zone_name), start_min, end_min):
        moment = moment.replace(second=0, microsecond=0) + timedelta(minutes=1)
        expected = round(moment.timestamp() * 1000)
    assert (stop.until if stop else at) == expected


def sleeps(moment: datetime, zone: ZoneInfo, start_min: int, end_min: int) -> bool:
    """Look at the clock on the wall."""
    local = moment.astimezone(zone)
    minute = local.hour * 60 + local.minute
    hours = range(start_min, end_min) if start_min < end_min else [*range(end_min), *range(start_min, 1_440)]
    asleep = set(hours) if start_min < end_min else set(range(1_440)) - set(range(end_min, start_min))
    return minute in asleep


NOON, MIDNIGHT = ms("2026-05-05T12:00"), ms("2026-05-05T00:00")
NIGHT = Quiet(start_min=22 * 60, end_min=8 * 60)


def test_a_full_cap_says_which_and_how_many() -> None:
    """Whoever asks why a person got nothing is told the numbers."""
    email = Channel(caps=(Cap(most=2, within_ms=7 * DAY),))
    life = Life(pacing=Pacing(sent={"email": [NOON - DAY, NOON - HOUR]}))
    policy = Policy(channels={"email": email})
    assert judge(life, wanted(), ledger_of(policy, NOON), is_owed=False) == Stop("cap", "email: 2 of 2 in 7d")
    over_all = Policy(caps=(Cap(most=1, calendar="day"),))
    assert judge(life, wanted("push"), ledger_of(over_all, NOON), is_owed=False) == Stop(
        "cap", "all channels: 1 of 1 in a day"
    )


def test_quiet_hours_are_asked_before_caps() -> None:
    """What is put off to the morning is counted in the morning: the evening's cap is no answer then."""
    policy = Policy(channels={"email": Channel(quiet=NIGHT, caps=(Cap(most=0, calendar="day"),))})
    stop = judge(Life(), wanted(), ledger_of(policy, MIDNIGHT), is_owed=False)
    assert stop == Stop("quiet-hours", "22:00 to 08:00, UTC", MIDNIGHT + 8 * HOUR)


def test_quiet_hours_may_drop_instead() -> None:
    """A rider is at the door now, or never."""
    policy = Policy(quiet=Quiet(start_min=22 * 60, end_min=8 * 60, then="drop"))
    stop = judge(Life(), wanted(), ledger_of(policy, MIDNIGHT), is_owed=False)
    assert stop == Stop("quiet-hours", "22:00 to 08:00, UTC", 0)


def test_what_is_owed_knows_no_night_and_no_cap() -> None:
    """A failed payment is told at once."""
    policy = Policy(quiet=NIGHT, caps=(Cap(most=0, calendar="day"),))
    assert judge(Life(), wanted(), ledger_of(policy, MIDNIGHT), is_owed=True) is None


def test_instants_are_kept_only_where_a_cap_asks() -> None:
    """A person costs no bytes for what nobody wants to know."""
    life = Life()
    record(
        life, "email", ledger_of(Policy(channels={"push": Channel(caps=(Cap(most=1, calendar="day"),))}), 5)
    )
    assert life.pacing is None


def test_instants_older_than_every_window_are_forgotten() -> None:
    """A month has 31 days and, once a year, an hour more."""
    policy = Policy(caps=(Cap(most=200, calendar="month"),))
    life = Life()
    for day in range(100):
        record(life, "email", ledger_of(policy, NOON + day * DAY))
    assert life.pacing is not None
    assert len(life.pacing.sent["email"]) == 32


def test_of_a_channel_a_bounded_number_of_instants_is_kept() -> None:
    """As many as the fullest cap may ask for, and a person who is sent more is judged the same."""
    policy = Policy(caps=(Cap(most=MAX_MOST, within_ms=DAY),))
    life = Life()
    for n in range(MAX_SENT + 50):
        record(life, "email", ledger_of(policy, NOON + n))
    assert life.pacing is not None
    assert len(life.pacing.sent["email"]) == MAX_SENT
    assert judge(life, wanted(), ledger_of(policy, NOON + 999), is_owed=False) is not None


def test_what_two_lives_were_sent_counts_together() -> None:
    """A person who got three messages before the name got three."""
    life, other = (
        Life(pacing=Pacing(sent={"email": [1, 5]})),
        Life(pacing=Pacing(sent={"email": [3], "push": [4]})),
    )
    merge_sent(life, other)
    assert life.pacing == Pacing(sent={"email": [1, 3, 5], "push": [4]})
