"""A fourth way to run a history: on shards, called as an engine with watermarks and timers calls them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from heapq import heappop, heappush
from random import Random

import msgspec

from sojourn.definitions.controls import is_control
from sojourn.definitions.publishing import InForce
from sojourn.engine.records import Saved, decode_saved, encode_saved, mark_name, saved_name, shard_of
from sojourn.model.event import Entry
from sojourn.model.turn import STAGES, Stage
from sojourn.runtime.shards.chronicle import BEGINNING, Chronicle, Mark
from sojourn.runtime.shards.records import Addressed, arrivals, decode_inputs, encode_inputs
from sojourn.runtime.shards.worker import Kept, Outcome, Worker
from tests.laws import runtimes

ORDER: dict[Stage, int] = {stage: index for index, stage in enumerate(STAGES)}


class DictShelf:
    """A shelf in dicts."""

    def __init__(self, number: int, timers: list[tuple[int, int]], random: Random) -> None:
        self.number = number
        self.random = random
        self.to_ask: list[str] = []
        self.mark: Mark = BEGINNING
        self.kept: dict[str, Kept] = {}
        self._timers = timers
        self.asleep: dict[int, list[str]] = {}
        self.waiting: list[Addressed] = []

    def get(self, key: str) -> Kept | None:
        return self.kept.get(key)

    def put(self, key: str, kept: Kept) -> None:
        self.kept[key] = kept

    def remove(self, key: str) -> None:
        self.kept.pop(key, None)

    def ask_all(self) -> None:
        self.to_ask = list(self.kept)

    def unasked(self, most: int | None = None) -> list[str]:
        """Take fewer at a time than a worker would: histories are of a few people."""
        n_taken = len(self.to_ask) if most is None else self.random.randint(0, 2)
        taken, self.to_ask = self.to_ask[:n_taken], self.to_ask[n_taken:]
        return taken

    def wake(self, key: str, at: int) -> None:
        self.asleep.setdefault(at, []).append(key)
        self.call_at(at)

    def flush(self) -> None:
        pass

    def due(self, at: int) -> list[str]:
        return self.asleep.pop(at, [])

    def take(self, upto: int) -> list[Addressed]:
        taken = [one for one in self.waiting if one[1].at <= upto]
        self.waiting = [one for one in self.waiting if one[1].at > upto]
        if self.waiting:
            self.call_at(min(one[1].at for one in self.waiting))
        return taken

    def wait(self, inputs: Sequence[Addressed]) -> None:
        self.waiting += inputs
        self.call_at(min(one[1].at for one in inputs))

    def call_at(self, at: int) -> None:
        if (at, self.number) not in self._timers:
            heappush(self._timers, (at, self.number))


class Floor:
    """One stage: its shards, the tasks they are spread over, and the instants asked for."""

    def __init__(
        self, stage: Stage, chronicle: Chronicle, *, n_shards: int, n_tasks: int, random: Random | None = None
    ) -> None:
        self.stage = stage
        self.timers: list[tuple[int, int]] = []
        chance = random or Random(0)
        self.shelves = [DictShelf(number, self.timers, chance) for number in range(n_shards)]
        self.watermark = 0
        self._chronicle = chronicle
        self._n_tasks = n_tasks
        self.restart()

    def restart(self) -> None:
        """Lose all that is only in memory."""
        self._workers = [Worker(self.stage, self._chronicle, hot=3) for _ in range(self._n_tasks)]

    def advance(self, watermark: int) -> list[tuple[int, Outcome]]:
        """Call for everything up to a watermark, in order."""
        self.watermark = max(self.watermark, watermark)
        outcomes: list[tuple[int, Outcome]] = []
        while self.timers and self.timers[0][0] <= self.watermark:
            at, number = heappop(self.timers)
            outcomes.append((number, self._call(number, at)))
        for shelf in self.shelves:
            if shelf.to_ask:
                shelf.call_at(self.watermark + 1)
        return outcomes

    def finish(self) -> list[tuple[int, Outcome]]:
        """Ask whoever is still to be asked."""
        outcomes: list[tuple[int, Outcome]] = []
        for number, shelf in enumerate(self.shelves):
            while shelf.to_ask:
                outcomes.append((number, self._call(number, self.watermark)))
        return outcomes

    def _call(self, number: int, at: int) -> Outcome:
        worker = self._workers[number % self._n_tasks]
        return worker.call(self.shelves[number], at, upto=self.watermark)


def sharded(
    entries: list[Entry],
    *,
    in_force: InForce,
    until: int,
    n_shards: int,
    n_tasks: int,
    random: Random,
    told: list[tuple[str, bytes | None]] | None = None,
) -> runtimes.Outcome:
    """Run a history on shards; each stage's watermark follows the one before at a pace of its own.

    What is told of states is added to `told`.
    """
    run = Run(in_force, n_shards=n_shards, n_tasks=n_tasks, random=random)
    if told is not None:
        run.told = told
    run.take(entries, until=until)
    run.hold_to_what_was_told()
    return run.outcome()


class Run:
    """A history on its way: what is fed, what each stage comes to, and what came out so far."""

    def __init__(self, in_force: InForce, *, n_shards: int, n_tasks: int, random: Random) -> None:
        self.chronicle = Chronicle(in_force)
        self._random = random
        self.floors = {
            stage: Floor(stage, self.chronicle, n_shards=n_shards, n_tasks=n_tasks, random=random)
            for stage in STAGES
        }
        self._n_shards = n_shards
        self._states: dict[str, bytes | None] = {}
        """As a compacted topic has them: the newest of each."""
        self._marks: dict[str, bytes | None] = {}
        self.told: list[tuple[str, bytes | None]] = []
        self._facts: list[bytes] = []
        self._actions: list[bytes] = []

    def take(
        self, entries: Sequence[Entry], *, until: int, feed: Callable[[Entry], None] | None = None
    ) -> None:
        """Take entries, and then all that is due by an instant."""
        random, waiting = self._random, list(entries)
        while waiting:
            n_fed = random.randrange(1, 9)
            fed, waiting = waiting[:n_fed], waiting[n_fed:]
            for entry in fed:
                (feed or self.feed)(entry)
            ceiling = waiting[0].at - 1 if waiting else until
            for floor in self.floors.values():
                if random.random() < 0.3:
                    floor.restart()
                ceiling = random.randint(floor.watermark, max(floor.watermark, ceiling))
                self.advance(floor, ceiling)
        self.finish(until)

    def finish(self, until: int) -> None:
        """Do all that is due by an instant, and ask whoever is still to be asked."""
        for floor in self.floors.values():
            for shelf in floor.shelves:
                shelf.call_at(until)
            self.advance(floor, until)
            self._told_by(floor, floor.finish())

    def feed(self, entry: Entry) -> None:
        """Put one entry where it begins its walk, or let it be heard."""
        if is_control(entry.event):
            self.chronicle.hear(entry)
            self._nudge("identity", entry.at)
            return
        for stage, addressed in arrivals([entry]):
            self.deliver(stage, addressed)

    def advance(self, floor: Floor, watermark: int) -> None:
        """Let a stage go on, and hand on what comes of it."""
        self._told_by(floor, floor.advance(watermark))

    def _told_by(self, floor: Floor, outcomes: list[tuple[int, Outcome]]) -> None:
        for number, outcome in outcomes:
            assert not outcome.failures
            self._facts += [msgspec.json.encode(fact) for fact in outcome.facts]
            self._actions += [msgspec.json.encode(action) for action in outcome.actions]
            self._follow(floor, number, outcome)
            for one in outcome.forward:
                assert ORDER[one.stage] > ORDER[floor.stage]
                self.deliver(one.stage, (one.key, one.input))
            for chapter in outcome.switched:
                self._nudge(floor.stage, chapter.mark[0])

    def newest(self) -> dict[str, bytes | None]:
        """Return what the topic of states has of every key, and of every shard's marks."""
        return self._states | self._marks

    def _follow(self, floor: Floor, number: int, outcome: Outcome) -> None:
        stage = floor.stage
        for chapter in outcome.switched:
            self._marks[mark_name(stage, number)] = encode_saved(Saved(b"", 0, *chapter.mark))
        for key, (kept, place) in outcome.kept.items():
            name = saved_name(stage, key)
            if before := self._states.get(name):
                saved = decode_saved(before)
                assert place >= (saved.at, saved.position), "what follows is taken no less far"
            self._states[name] = None if kept is None else encode_saved(Saved(kept.state, kept.wake, *place))
            self.told.append((name, self._states[name]))

    def _nudge(self, stage: Stage, at: int) -> None:
        """Tell some shards of the instant of a control; the others find it when they are called next."""
        for shelf in self.floors[stage].shelves:
            if self._random.random() < 0.3:
                shelf.call_at(max(at, self.floors[stage].watermark + 1))

    def deliver(self, stage: Stage, addressed: Addressed) -> None:
        (again,) = decode_inputs(encode_inputs([addressed]))
        assert again[1].at > self.floors[stage].watermark, "nothing may come late"
        self.floors[stage].shelves[shard_of(again[0], self._n_shards)].wait([again])

    def hold_to_what_was_told(self) -> None:
        """Whoever follows the states from the beginning has them as the shelves do."""
        told = [(name, decode_saved(each)) for name, each in self._states.items() if each is not None]
        assert {name: Kept(saved.state, saved.wake) for name, saved in told} == {
            saved_name(stage, key): kept
            for stage, floor in self.floors.items()
            for shelf in floor.shelves
            for key, kept in shelf.kept.items()
        }

    def outcome(self) -> runtimes.Outcome:
        """Return everything, sorted."""
        states = {
            (str(stage), key): kept.state
            for stage, floor in self.floors.items()
            for shelf in floor.shelves
            for key, kept in shelf.kept.items()
        }
        return runtimes.Outcome(sorted(self._facts), sorted(self._actions), dict(sorted(states.items())))
