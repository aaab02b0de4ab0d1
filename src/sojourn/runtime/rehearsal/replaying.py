"""Replay: a history under a draft, beside the version that is published; nothing is sent."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import msgspec
from msgspec import Struct

from sojourn.definitions.journey import Catalogue
from sojourn.model.turn import Arrived
from sojourn.runtime.rehearsal.collecting import Collector, Part, add_up, merged_lines
from sojourn.runtime.rehearsal.comparing import Side, lay_out
from sojourn.runtime.rehearsal.history import History
from sojourn.runtime.rehearsal.playing import Deliver, hears_outcomes, play
from sojourn.runtime.rehearsal.versions import can_be_entered
from sojourn.runtime.rehearsal.watch import Watch
from sojourn.runtime.rehearsal.workers import Tell, spread

TASK_EVENTS = 10_000
"""About so many events make a task: few enough to share work out evenly and to tell how far it is."""

# Facts and events die young and make no cycles; by default the collector looks for some all the time.
COLLECT_AT = (100_000, 20, 100)


class Plan(Struct, frozen=True, kw_only=True):
    """What is set side by side."""

    draft: Catalogue
    published: Catalogue | None
    """None: the draft is beside nothing."""
    watch: Watch | None = None
    """What counts the answers of the draft's guards."""
    deliver: Deliver = "yes"
    n_examples: int = 3
    only: tuple[int, ...] | None = None
    """These groups only, and whatever came of them told in full."""


def replay(
    history: History, plan: Plan, *, n_processes: int, tell: Tell, scratch: Path, out: IO[bytes] | None = None
) -> Part:
    """Play a whole history under both versions.

    Args:
        history: to be played; every event of it counts as live.
        plan: what is set side by side.
        n_processes: how many share the work; the answer does not depend on it.
        tell: is told of events as they are done.
        scratch: an empty folder, for differences on their way.
        out: where every difference is written, one JSON object a line, by time.
    """
    groups = range(len(history.members)) if plan.only is None else plan.only

    def work(tasks: Sequence[Sequence[int]], told: Tell) -> bytes:
        player = _Player(history, plan, scratch if out else None)
        with seldom_collecting():
            for task in tasks:
                told(sum(player.play(number) for number in task))
        return msgspec.json.encode(player.part())

    parts = spread(list(_tasks(history, groups)), work, n_processes=n_processes, tell=tell)
    if out is not None:
        out.writelines(merged_lines(scratch))
    return add_up(parts, n_examples=plan.n_examples)


def _tasks(history: History, groups: Sequence[int]) -> Iterator[list[int]]:
    task: list[int] = []
    n_events = 0
    for number in groups:
        task.append(number)
        n_events += len(history.members[number])
        if n_events >= TASK_EVENTS:
            yield task
            task, n_events = [], 0
    if task:
        yield task


class _Player:
    """Plays one group after the other."""

    def __init__(self, history: History, plan: Plan, scratch: Path | None) -> None:
        self._history = history
        self._plan = plan
        self._sides = [
            (catalogue, hears_outcomes(catalogue))
            for catalogue in (plan.draft, plan.published)
            if catalogue is not None
        ]
        self._collector = Collector(
            until=history.until,
            n_examples=plan.n_examples,
            scratch=scratch,
            is_told_in_full=plan.only is not None,
        )

    def play(self, number: int) -> int:
        """Play a group; return how many events it has."""
        arrivals = self._history.read(number)
        names = {arrived.event.name for arrived in arrivals}
        if not any(can_be_entered(catalogue, names) for catalogue, _ in self._sides):
            self._collector.skip(n_events=len(arrivals))
            return len(arrivals)
        try:
            sides = [self._side(arrivals, catalogue, hears=hears) for catalogue, hears in self._sides]
        except MemoryError:
            raise
        except Exception as error:  # The edge: whatever it is, it is this group's alone, and is told.
            first = arrivals[0].event
            who = first.user_id or first.anonymous_id or ""
            self._collector.leave_out(who, error, n_events=len(arrivals))
            return len(arrivals)
        self._collector.take(sides[0], sides[1] if len(sides) > 1 else None, n_events=len(arrivals))
        return len(arrivals)

    def part(self) -> Part:
        """Return what all groups came to."""
        watch = self._plan.watch
        return self._collector.part({} if watch is None else watch.asked)

    def _side(self, arrivals: Sequence[Arrived], catalogue: Catalogue, *, hears: bool) -> Side:
        until, deliver = self._history.until, self._plan.deliver
        return lay_out(play(arrivals, catalogue, until=until, deliver=deliver, hears=hears))


@contextmanager
def seldom_collecting() -> Iterator[None]:
    """Let the garbage collector look seldom."""
    before = gc.get_threshold()
    gc.set_threshold(*COLLECT_AT)
    try:
        yield
    finally:
        gc.set_threshold(*before)
