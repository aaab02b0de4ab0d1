"""Segments: who belongs to a named condition, kept up to date by what can change it and by nothing else.

An event is asked of the segments that name it; time, at the very instants at which an answer may change
(law 3). Membership is a function of what is known of the person and of the log's clock.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence

from sojourn.definitions.journey import Segment
from sojourn.engine.ledger import Ledger
from sojourn.engine.state import Life
from sojourn.engine.view import View
from sojourn.model.fact import SegmentEntered, SegmentLeft


def follow(life: Life, event_name: str, ledger: Ledger) -> Sequence[str]:
    """Tell anew the segments that an event, already taken in, may concern; return those joined."""
    index = ledger.catalogue.segment_index
    concerned = index.by_event.get(event_name, index.by_any)
    return _tell(life, concerned, ledger) if concerned else ()


def fire(life: Life, ledger: Ledger) -> Sequence[str]:
    """Tell anew the segments that time may change, now that `segments_due` has come; return those joined."""
    return _tell(life, ledger.catalogue.segment_index.by_time, ledger)


def review(life: Life, ledger: Ledger) -> Sequence[str]:
    """Tell all segments in force anew, and forget those that are not; return those joined."""
    in_force = ledger.catalogue.segments
    for name in [name for name in life.segments if name not in in_force]:
        del life.segments[name]
        ledger.note(SegmentLeft, segment=name)
    if not in_force:
        life.segments_due = 0
        return ()
    return _tell(life, in_force.values(), ledger)


def _tell(life: Life, segments: Iterable[Segment], ledger: Ledger) -> list[str]:
    """Ask each of some segments; they stand in an order in which each asks only for those before it."""
    view = View(life, ledger.catalogue, at=ledger.at, unit=ledger.unit)
    joined = []
    for segment in segments:
        name = segment.name
        is_member = bool(segment.when.call(view))
        if is_member == (name in life.segments):
            continue
        if is_member:
            life.segments[name] = ledger.at
            joined.append(name)
            ledger.note(SegmentEntered, segment=name)
        else:
            del life.segments[name]
            ledger.note(SegmentLeft, segment=name)
    life.segments_due = _next_due(life, ledger)
    return joined


def _next_due(life: Life, ledger: Ledger) -> int:
    """Return the next instant at which time alone may change an answer; 0: there is none."""
    at, clock = ledger.at, ledger.catalogue.segment_index.clock
    instants: list[int] = []
    for name, within_ms in clock.windows:
        counter = life.counters.get(name)
        if counter is None:
            continue
        times = counter.times
        n_counted = bisect_right(
            times, at
        )  # later ones are ahead of the log's clock, and enter by themselves
        instants += times[n_counted : n_counted + 1]
        n_gone = bisect_right(times, at - within_ms)
        instants += [time + within_ms for time in times[n_gone : n_gone + 1]]
    for name, age_ms in clock.ages:
        counter = life.counters.get(name)
        if counter is not None and counter.last_at + age_ms > at:
            instants.append(counter.last_at + age_ms)
    return min(instants, default=0)
