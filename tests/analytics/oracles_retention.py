"""A naive oracle of retention: people one by one, days by the calendar on the wall."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from sojourn.analytics.events import Events
from sojourn.analytics.kinds import Kind
from sojourn.analytics.retention import Retention
from tests.analytics.making import rows_of

Cell = tuple[int, int, int, int, int]
"""count, of, count so far, of so far, ahead."""


def number_of(at_ms: int, asked: Retention) -> int:
    """Number days, weeks and months by the clock there."""
    day = datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(ZoneInfo(asked.zone)).date()
    if asked.period == "month":
        return day.year * 12 + day.month
    days = (day - date(1969, 12, 29)).days  # a Monday
    return days // 7 if asked.period == "week" else days


def is_of(kind: Kind, step: str) -> bool:
    """Tell whether an event is meant."""
    return not kind.names or step in kind.names


def retention_by_hand(events: Events, asked: Retention) -> dict[str | None, list[Cell]]:
    """Count each cohort: its name (None: without the attribute) -> its cells. For `by` without a limit."""
    histories = defaultdict(list)
    for person, step, at, extra in rows_of(events):
        histories[person].append((step, at, extra))
    until = asked.until_ms if asked.until_ms is not None else max(int(at) for at in events.at) + 1
    counted: dict[str | None, list[list[int]]] = {}
    for history in histories.values():
        begin = next((i for i, (step, *_) in enumerate(history) if is_of(asked.first, step)), None)
        if begin is None:
            continue
        zero = number_of(history[begin][1], asked)
        back = {
            number_of(at, asked) - zero
            for i, (step, at, _) in enumerate(history)
            if i >= begin and is_of(asked.returning, step)
        }
        name = str(zero) if asked.by is None else history[begin][2].get(asked.by)
        cells = counted.setdefault(name, [[0] * 5 for _ in asked.columns])
        for cell, (low, high) in zip(cells, asked.columns, strict=True):
            wanted = range(low, 10**6 if asked.counting == "rolling" else high + 1)
            did = any(n in wanted for n in back)
            if zero + high < number_of(until, asked):
                cell[0] += did
                cell[1] += 1
            elif zero + low <= number_of(until - 1, asked):
                cell[2] += did
                cell[3] += 1
            else:
                cell[4] += 1
    return {name: [(a, b, c, d, e) for a, b, c, d, e in cells] for name, cells in counted.items()}
