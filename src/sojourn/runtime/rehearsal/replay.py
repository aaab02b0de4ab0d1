"""Replay: a history under a draft, beside the version that is published; nothing is sent."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator, Sequence
from heapq import merge
from pathlib import Path
from typing import IO, Any

import msgspec
from msgspec import Struct

from sojourn.definitions.journey import Catalogue
from sojourn.model.fact import Fact
from sojourn.model.ids import ProfileId
from sojourn.model.turn import Arrived
from sojourn.runtime.rehearsal.comparing import Difference, Side, compare, lay_out
from sojourn.runtime.rehearsal.history import History
from sojourn.runtime.rehearsal.playing import Deliver, Played, hears_outcomes, play
from sojourn.runtime.rehearsal.tally import Counter, Tally, add
from sojourn.runtime.rehearsal.versions import can_be_entered
from sojourn.runtime.rehearsal.watch import Asked, Watch
from sojourn.runtime.rehearsal.workers import Tell, spread

TASK_EVENTS = 10_000
"""About so many events make a task: few enough to share work out evenly and to tell how far it is."""

RUN_DIFFERENCES = 50_000  # kept in memory at once, about 50 MB; sorted runs of them wait in files.
MAX_BROKEN = 10  # of the groups that a bug of ours kept out, told by name.

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


class Example(Struct, frozen=True, kw_only=True):
    """One person to whom the versions make a difference."""

    person: ProfileId
    differences: list[Difference]
    draft: list[Fact]
    published: list[Fact]


class Part(Struct, kw_only=True):
    """What some groups came to; parts add up, in any order, to the same whole."""

    draft: dict[str, Tally] = {}
    published: dict[str, Tally] = {}
    n_events: int = 0
    n_groups: int = 0
    n_people: int = 0
    """Who entered a journey in one version or the other."""
    n_affected: int = 0
    """To whom the versions make a difference."""
    n_different: dict[str, dict[str, dict[str, int]]] = {}
    """Journey -> what, and where -> kind -> how many."""
    n_affected_by: dict[str, dict[str, dict[str, int]]] = {}
    """Journey -> what, and where -> kind -> how many people."""
    asked: dict[str, dict[str, Asked]] = {}
    """Journey -> guard of the draft -> its answers."""
    n_broken: int = 0
    broken: list[str] = []
    examples: list[Example] = []
    """The first few by their first difference."""


def replay(
    history: History, plan: Plan, *, n_processes: int, tell: Tell, out: IO[bytes] | None = None, scratch: Path
) -> Part:
    """Play a whole history under both versions.

    Args:
        history: to be played; every event of it counts as live.
        plan: what is set side by side.
        n_processes: how many share the work; the answer does not depend on it.
        tell: is told of events as they are done.
        out: where every difference is written, one JSON object a line, by time.
        scratch: an empty folder, for differences on their way.
    """
    groups = range(len(history.members)) if plan.only is None else plan.only
    tasks = list(_tasks(history, groups))

    def work(some: Sequence[Sequence[int]], told: Tell) -> bytes:
        return msgspec.json.encode(_Player(history, plan, scratch if out else None).play(some, told))

    parts = spread(tasks, work, n_processes=n_processes, tell=tell)
    total = Part()
    for part in parts:
        _add(total, msgspec.json.decode(part, type=Part), plan.n_examples)
    if out is not None:
        for line in merge(*map(_lines, sorted(scratch.iterdir())), key=_order_of):
            out.write(line)
    return total


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
    """Plays tasks, one group after the other."""

    def __init__(self, history: History, plan: Plan, scratch: Path | None) -> None:
        self._history = history
        self._plan = plan
        self._until = history.until
        self._hears = [
            catalogue is not None and hears_outcomes(catalogue) for catalogue in (plan.draft, plan.published)
        ]
        self._draft, self._published = Counter(), Counter()
        self._part = Part()
        self._runs = None if scratch is None else _Runs(scratch)

    def play(self, tasks: Sequence[Sequence[int]], tell: Tell) -> Part:
        """Play all of them, and return what they came to."""
        before = gc.get_threshold()
        gc.set_threshold(*COLLECT_AT)
        for task in tasks:
            for number in task:
                self._play_group(number)
            tell(sum(len(self._history.members[number]) for number in task))
        gc.set_threshold(*before)
        if self._runs is not None:
            self._runs.close()
        part = self._part
        part.draft, part.published = self._draft.tallies, self._published.tallies
        part.asked = {} if self._plan.watch is None else self._plan.watch.asked
        return part

    def _play_group(self, number: int) -> None:
        part, plan = self._part, self._plan
        arrivals = self._history.read(number)
        part.n_groups += 1
        part.n_events += len(arrivals)
        names = {arrived.event.name for arrived in arrivals}
        if not any(can_be_entered(each, names) for each in (plan.draft, plan.published) if each is not None):
            return
        try:
            draft = lay_out(self._play(arrivals, plan.draft, hears=self._hears[0]))
            published = None
            if plan.published is not None:
                published = lay_out(self._play(arrivals, plan.published, hears=self._hears[1]))
        except MemoryError:
            raise
        except Exception as error:  # The edge: whatever it is, it is this group's alone, and is told.
            part.n_broken += 1
            event = arrivals[0].event
            part.broken.append(f"{event.user_id or event.anonymous_id}: {error!r}")
            part.broken = sorted(part.broken)[:MAX_BROKEN]
            return
        self._count(draft, published)

    def _play(self, arrivals: Sequence[Arrived], catalogue: Catalogue, *, hears: bool) -> Played:
        return play(arrivals, catalogue, until=self._until, deliver=self._plan.deliver, hears=hears)

    def _count(self, draft: Side, published: Side | None) -> None:
        self._draft.take(draft.told, draft.owner_of, until=self._until)
        people = {person for person, *_ in draft.moments}
        if published is None:
            self._part.n_people += len(people)
            self._keep_told(draft, Side({}, [], {}))
            return
        self._published.take(published.told, published.owner_of, until=self._until)
        self._part.n_people += len(people | {person for person, *_ in published.moments})
        found = sorted(compare(draft, published), key=lambda difference: difference.order)
        if found:
            _tell_apart(self._part, found)
            _keep_examples(self._part, _examples(found, draft, published), self._plan.n_examples)
            if self._runs is not None:
                self._runs.add(found)
        self._keep_told(draft, published)

    def _keep_told(self, draft: Side, published: Side) -> None:
        """Where only some groups are asked for, tell all of them, whether or not there is a difference."""
        if self._plan.only is None:
            return
        told = {example.person for example in self._part.examples}
        people = {side.owner_of(fact) for side in (draft, published) for fact in side.told}
        for person in sorted(people - told):
            self._part.examples.append(_example(person, [], draft, published))


def _tell_apart(part: Part, found: Sequence[Difference]) -> None:
    """Count differences, and the people that each kind of them is about."""
    people: set[tuple[str, str, str, ProfileId]] = set()
    for one in found:
        what = f"{one.what}: {one.where}" if one.where else one.what
        _count(part.n_different, one.journey, what, one.kind)
        people.add((one.journey, what, one.kind, one.person))
    for journey, what, kind, _ in people:
        _count(part.n_affected_by, journey, what, kind)
    part.n_affected += len({one.person for one in found})


def _count(counts: dict[str, dict[str, dict[str, int]]], journey: str, what: str, kind: str) -> None:
    kinds = counts.setdefault(journey, {}).setdefault(what, {})
    kinds[kind] = kinds.get(kind, 0) + 1


def _examples(found: Sequence[Difference], draft: Side, published: Side) -> list[Example]:
    by_person: dict[ProfileId, list[Difference]] = {}
    for one in found:
        by_person.setdefault(one.person, []).append(one)
    return [_example(person, own, draft, published) for person, own in by_person.items()]


def _example(person: ProfileId, own: list[Difference], draft: Side, published: Side) -> Example:
    return Example(
        person=person,
        differences=own,
        draft=_story(person, draft),
        published=_story(person, published),
    )


def _story(person: ProfileId, side: Side) -> list[Fact]:
    mine = [fact for fact in side.told if side.owner_of(fact) == person]
    return sorted(mine, key=lambda fact: fact.at)


def _keep_examples(part: Part, more: Sequence[Example], limit: int) -> None:
    """Keep the first few, actions before anything else: what people get is asked first."""
    part.examples = sorted([*part.examples, *more], key=_place_of)[:limit]


def _place_of(example: Example) -> tuple[Any, ...]:
    if not example.differences:
        return (2, example.person)
    has_action = any(one.what == "action" for one in example.differences)
    return (0 if has_action else 1, example.differences[0].order)


def _add(total: Part, more: Part, n_examples: int) -> None:
    for name in ("draft", "published", "n_different", "n_affected_by", "asked"):
        add(getattr(total, name), getattr(more, name))
    for name in ("n_events", "n_groups", "n_people", "n_affected", "n_broken"):
        setattr(total, name, getattr(total, name) + getattr(more, name))
    total.broken = sorted(total.broken + more.broken)[:MAX_BROKEN]
    is_told_in_full = any(not example.differences for example in more.examples)
    limit = len(total.examples) + len(more.examples) if is_told_in_full else n_examples
    _keep_examples(total, more.examples, limit)


_encode = msgspec.json.Encoder().encode
_Line = tuple[list[Any], Difference]


class _Runs:
    """Sorted runs of differences in files of one process's own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._found: list[Difference] = []
        self._n_runs = 0

    def add(self, found: Sequence[Difference]) -> None:
        """Keep differences."""
        self._found += found
        if len(self._found) >= RUN_DIFFERENCES:
            self.close()

    def close(self) -> None:
        """Write what is in memory."""
        path = self._folder / f"{os.getpid()}-{self._n_runs}.jsonl"
        self._n_runs += 1
        self._found.sort(key=lambda difference: difference.order)
        with path.open("wb") as file:
            file.writelines(_encode(one) + b"\n" for one in self._found)
        self._found = []


_decode = msgspec.json.Decoder(Difference).decode


def _lines(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from file


def _order_of(line: bytes) -> tuple[Any, ...]:
    return _decode(line).order
