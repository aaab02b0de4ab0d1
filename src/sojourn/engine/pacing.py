"""Pacing: whether a message may go now: consent, quiet hours, caps, in this order.

Each is asked at the instant the message would go. So quiet hours come before caps: what is put off to the
morning is counted in the morning. Hold-outs come last, elsewhere: a message kept back by one would have gone
but for it. What belongs to no channel is no message to a person, and nothing here concerns it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from typing import Literal
from zoneinfo import ZoneInfo

from msgspec import Struct

from sojourn.definitions.durations import UNITS_MS, write_duration
from sojourn.definitions.policy import MAX_MOST, Cap, Quiet
from sojourn.definitions.zones import is_between, next_outside, start_of
from sojourn.engine.consent import objection
from sojourn.engine.ledger import Ledger
from sojourn.engine.state import Life, Pacing, Wanted
from sojourn.engine.zone import zone_of

MAX_SENT = MAX_MOST  # instants kept, per person and channel: the newest; the fullest cap asks for no more.

# An hour above each: the clock is put back once in them.
_LONGEST_MS = {
    "day": 25 * UNITS_MS["h"],
    "week": UNITS_MS["w"] + UNITS_MS["h"],
    "month": 31 * UNITS_MS["d"] + UNITS_MS["h"],
}


class Stop(Struct, frozen=True):
    """Why a message does not go now."""

    reason: Literal["consent", "quiet-hours", "cap"]
    detail: str
    until: int = 0
    """When to ask again, ms; 0: it never goes."""


def judge(life: Life, wanted: Wanted, ledger: Ledger, *, is_owed: bool) -> Stop | None:
    """Say what keeps a message of a channel from going now; None: nothing.

    `is_owed`: a transactional one, which neither quiet hours nor caps concern.
    """
    policy, name = ledger.catalogue.policy, wanted.channel
    channel = policy.channel(name)
    refusal = objection(life, name, wanted.topic, rule=channel.consent, is_owed=is_owed)
    if refusal:
        return Stop("consent", refusal)
    if is_owed or not (channel.quiet or channel.caps or policy.caps):
        return None
    zone = zone_of(life, policy)
    if channel.quiet is not None and is_between(
        ledger.at, zone, channel.quiet.start_min, channel.quiet.end_min
    ):
        return _hush(channel.quiet, ledger.at, zone)
    sent = life.pacing.sent if life.pacing is not None else {}
    full = _full(channel.caps, [sent.get(name, [])], at=ledger.at, zone=zone)
    if full:
        return Stop("cap", f"{name}: {full}")
    full = _full(policy.caps, sent.values(), at=ledger.at, zone=zone)
    return Stop("cap", f"all channels: {full}") if full else None


def record(life: Life, name: str, ledger: Ledger) -> None:
    """Remember that a message went by a channel, or would have but for a hold-out, where a cap asks."""
    policy = ledger.catalogue.policy
    caps = (*policy.channel(name).caps, *policy.caps)
    if not caps:
        return
    if life.pacing is None:
        life.pacing = Pacing()
    times = life.pacing.sent.setdefault(name, [])
    assert not times or times[-1] <= ledger.at, "a person's inputs and timers come in order"
    times.append(ledger.at)
    oldest = ledger.at - max(cap.within_ms or _LONGEST_MS.get(cap.calendar, 0) for cap in caps)
    del times[: max(bisect_left(times, oldest), len(times) - MAX_SENT)]


def merge_sent(life: Life, other: Life) -> None:
    """Count what was sent in another life too."""
    if other.pacing is None or not other.pacing.sent:
        return
    if life.pacing is None:
        life.pacing = Pacing()
    for name, times in other.pacing.sent.items():
        life.pacing.sent[name] = sorted([*life.pacing.sent.get(name, ()), *times])[-MAX_SENT:]


def _hush(quiet: Quiet, at: int, zone: ZoneInfo) -> Stop:
    until = next_outside(at, zone, quiet.start_min, quiet.end_min) if quiet.then == "later" else 0
    return Stop("quiet-hours", f"{quiet}, {zone.key}", until)


def _full(caps: Iterable[Cap], sent: Iterable[list[int]], *, at: int, zone: ZoneInfo) -> str:
    """Describe the first cap that is full, with how many there were; empty where none is."""
    for cap in caps:
        n_sent = sum(len(times) - _n_before(times, cap, at=at, zone=zone) for times in sent)
        if n_sent >= cap.most:
            window = f"a {cap.calendar}" if cap.calendar else write_duration(cap.within_ms)
            return f"{n_sent} of {cap.most} in {window}"
    return ""


def _n_before(times: list[int], cap: Cap, *, at: int, zone: ZoneInfo) -> int:
    """Count what was before the window: it is (at - within, at], or begins with the day, week or month."""
    if cap.calendar:
        return bisect_left(times, start_of(at, zone, cap.calendar))
    return bisect_right(times, at - cap.within_ms)
