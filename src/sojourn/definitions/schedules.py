"""Schedules: recurrence rules (RFC 5545), compiled once to the next occurrence after an instant.

A rule is read by the wall clock: its occurrences are local times, the same for everybody, computed once a
year of them; a person's time zone turns one into an instant, as `zones` does with any local time.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import islice, takewhile
from typing import cast

from dateutil.rrule import DAILY, HOURLY, MONTHLY, WEEKLY, YEARLY, rrule, rrulestr

from sojourn.definitions.journey import Schedule
from sojourn.definitions.reading import Reading
from sojourn.definitions.suggestions import did_you_mean
from sojourn.definitions.yaml import AnyNode, MappingNode
from sojourn.definitions.zones import instant_of, zone_named

MAX_RULE_CHARACTERS = 500
MAX_PER_YEAR = 366 * 24  # one an hour: a person is no cron job.
MAX_INTERVAL = 1_000
MAX_YEARS_AHEAD = 40  # the calendar's own cycle is 28 years, 40 where a leap year falls out (2100).
MAX_YEARS_KEPT = 16  # of occurrences, per rule: at most 8,784 numbers each.
MAX_INSTANTS_KEPT = 4_096  # (instant, zone) -> next one: a schedule asks the same for everybody in a zone.

ORIGIN = datetime(2000, 1, 1)  # noqa: DTZ001 - a wall clock's; where intervals are counted from.
_HOUR_MS = 3_600_000
_LAST_YEAR = 9_999  # of Python's calendar.
_SKIPPED = timedelta(days=1)  # the most a clock was ever put forward: Samoa left out a day.

_FREQUENCIES = ("HOURLY", "DAILY", "WEEKLY", "MONTHLY", "YEARLY")
_PARTS = ("FREQ", "INTERVAL", "BYMONTH", "BYMONTHDAY", "BYDAY", "BYHOUR", "BYMINUTE", "BYSETPOS", "WKST")
_WHY_NOT = {
    "COUNT": "it would count from a first day that nobody names",
    "UNTIL": "to end a schedule, take it out of the journey",
    "DTSTART": "intervals are counted from 2000-01-01",
    "BYSECOND": "schedules know minutes",
}


def read_schedule(node: AnyNode, reading: Reading) -> Schedule | None:
    """Read a rule, or `{ rule: .., zone: .. }`; None where it is none."""
    rule, zone = node, None
    if isinstance(node, MappingNode):
        entries = reading.mapping(node, "schedule", required=("rule",))
        if "rule" not in entries:
            return None
        rule, zone = entries["rule"], entries.get("zone")
    text = reading.text(rule, "a recurrence rule, such as FREQ=WEEKLY;BYDAY=MO;BYHOUR=9")
    time_zone = "" if zone is None else reading.text(zone, "a time zone, such as Europe/Berlin")
    if zone is not None and time_zone and zone_named(time_zone) is None:
        reading.refuse(zone, f"no time zone is named {time_zone[:40]!r}; see the IANA's list", "bad-value")
    if not text:
        return None
    try:
        return compile_schedule(text, time_zone=time_zone)
    except ValueError as error:
        reading.refuse(rule, str(error), "bad-schedule")
        return None


def compile_schedule(text: str, *, time_zone: str = "") -> Schedule:
    """Compile a rule; raises ValueError with what is wrong. `time_zone` is whose clock; empty: each one's."""
    recurrence = _Recurrence(_parse(text))
    recurrence.refuse_odd_ones()
    return Schedule(text, _remembering(recurrence.after), time_zone)


def _remembering(after: Callable[[int, str], int | None]) -> Callable[[int, str], int | None]:
    """Ask from the start of each hour on, and then from occurrence to occurrence.

    Everybody is planned at an instant of their own; of few starts the answers can be kept.
    """
    kept = lru_cache(MAX_INSTANTS_KEPT)(after)

    def stepwise(at_ms: int, zone_name: str) -> int | None:
        first = kept(at_ms - at_ms % _HOUR_MS, zone_name)
        while first is not None and first <= at_ms:
            first = kept(first, zone_name)
        return first

    return stepwise


class _Recurrence:
    """One rule, and its occurrences by the wall clock, year by year."""

    def __init__(self, rule: rrule) -> None:
        self._rule = rule
        self._of_year = lru_cache(MAX_YEARS_KEPT)(self._compute)

    def after(self, at_ms: int, zone_name: str) -> int | None:
        """Return the first instant after `at_ms` at which the rule falls due there; None: there is none.

        A time that the clock skips comes as much later as was skipped; one that comes twice is met once.
        """
        zone = zone_named(zone_name)
        assert zone is not None, "an unknown zone is refused where it is said"
        local = datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(zone).replace(tzinfo=None)
        first: tuple[datetime, int] | None = None
        for wall in self._from(local - _SKIPPED):
            instant = instant_of(wall.date(), wall.hour * 60 + wall.minute, zone)
            if first is None and instant > at_ms:
                first = wall, instant
            elif first is not None:
                # One that the clock skips may come after others that are later by the wall clock.
                if wall > first[0] + _SKIPPED:
                    break
                first = first[0], min(first[1], instant if instant > at_ms else first[1])
        return None if first is None else first[1]

    def refuse_odd_ones(self) -> None:
        """Raise ValueError for a rule that never happens, or too often.

        The years at the end of the calendar are asked, for there the search for an occurrence ends; without
        the last one, whose last week dateutil cannot write down.
        """
        near_the_end = _LAST_YEAR - MAX_YEARS_AHEAD
        rule = self._rule.replace(dtstart=self._start(near_the_end))
        near = (wall for wall in takewhile(_is_within, rule) if wall.year >= near_the_end)
        sample = list(islice(near, MAX_PER_YEAR + 1))
        if not sample:
            raise ValueError(f"this does not happen within {MAX_YEARS_AHEAD} years; correct the rule")
        if len(sample) > MAX_PER_YEAR and (sample[-1] - sample[0]).days < 365:
            raise ValueError("expected a rule that happens hourly at most")

    def _from(self, start: datetime) -> Iterator[datetime]:
        for year in range(start.year, min(start.year + MAX_YEARS_AHEAD, _LAST_YEAR)):
            occurrences = self._of_year(year)
            yield from occurrences[bisect_left(occurrences, start) :]

    def _compute(self, year: int) -> list[datetime]:
        rule = self._rule.replace(
            dtstart=self._start(year),
            until=datetime(year + 1, 1, 1) - timedelta(minutes=1),  # noqa: DTZ001 - a wall clock's
        )
        return [wall for wall in rule if wall.year == year]

    def _start(self, year: int) -> datetime:
        """Return a whole number of intervals from the origin, at least one of them before the year."""
        interval = cast(int, self._rule._interval)
        frequency = self._rule._freq
        if frequency == YEARLY:
            return ORIGIN.replace(year=max(1, 2000 + _floor(year - 2000, interval)))
        if frequency == MONTHLY:
            months = _floor((year - 2000) * 12, interval)
            return ORIGIN.replace(year=2000 + months // 12, month=months % 12 + 1)
        days = (ORIGIN.replace(year=year) - ORIGIN).days
        if frequency == WEEKLY:
            return ORIGIN + timedelta(weeks=_floor(days // 7, interval))
        if frequency == DAILY:
            return ORIGIN + timedelta(days=_floor(days, interval))
        assert frequency == HOURLY, "other frequencies are refused"
        return ORIGIN + timedelta(hours=_floor(days * 24, interval))


def _is_within(wall: datetime) -> bool:
    return wall.year < _LAST_YEAR


def _floor(n: int, interval: int) -> int:
    """Round down to whole intervals, and one more down: a period may begin before the year."""
    return (n // interval - 1) * interval


def _parse(text: str) -> rrule:
    if len(text) > MAX_RULE_CHARACTERS:
        raise ValueError(f"expected at most {MAX_RULE_CHARACTERS} characters")
    written = text.strip().upper().removeprefix("RRULE:")
    parts = dict(part.partition("=")[::2] for part in written.split(";") if part)
    for name in parts:
        if name not in _PARTS:
            why = f": {_WHY_NOT[name]}" if name in _WHY_NOT else did_you_mean(name, _PARTS)
            raise ValueError(f"a schedule knows no {name[:40]}{why}")
    frequency = parts.get("FREQ", "")
    if frequency not in _FREQUENCIES:
        raise ValueError(f"expected FREQ as one of {', '.join(_FREQUENCIES)}; got {frequency[:40]!r}")
    try:
        rule = rrulestr("RRULE:" + written, dtstart=ORIGIN)
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise ValueError(f"this is no recurrence rule (RFC 5545): {error}") from None
    if not isinstance(rule, rrule) or not 1 <= cast(int, rule._interval) <= MAX_INTERVAL:
        raise ValueError(f"expected INTERVAL from 1 to {MAX_INTERVAL}")
    return rule
