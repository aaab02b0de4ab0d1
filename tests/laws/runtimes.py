"""Three ways to run one history: batch by batch with clock ticks, all at once, and on partitions."""

from __future__ import annotations

from random import Random
from typing import Any
from zlib import crc32

import msgspec

from sojourn.definitions.controls import is_control, read_forgetting
from sojourn.definitions.journey import Catalogue
from sojourn.definitions.publishing import InForce, apply_control, catalogue_of, rests_on_the_last
from sojourn.engine.forgetting import forget, goes, keys_of
from sojourn.engine.state import decode, encode
from sojourn.engine.turn import route, turn
from sojourn.model.event import Entry, is_erased
from sojourn.model.turn import STAGES, Arrived, Input, Result, Stage


class Outcome(msgspec.Struct):
    """All that came of a history, in an order that does not depend on how it was run."""

    facts: list[bytes]
    actions: list[bytes]
    states: dict[tuple[str, str], bytes]


class Switch(msgspec.Struct, frozen=True):
    """A control on its way to every partition: from its position on, another catalogue is in force."""

    at: int
    position: int
    catalogue: Catalogue
    asks_first: bool
    """Everybody must have been asked about what was in force before."""
    entry: Entry
    """The control itself."""


def switches(entries: list[Entry], in_force: InForce | None, catalogue: Catalogue) -> dict[int, Switch]:
    """Work out what each control comes to, by its position."""
    found: dict[int, Switch] = {}
    for entry in entries:
        if in_force is None or not is_control(entry.event):
            continue
        in_force = apply_control(in_force, entry)
        after, problems = catalogue_of(in_force, known=catalogue)
        assert not problems
        asks_first = rests_on_the_last(catalogue, after, at=entry.at)
        found[entry.position] = Switch(entry.at, entry.position, after, asks_first, entry)
        catalogue = after
    return found


class Collector:
    """Takes results in and lays them out for comparison."""

    def __init__(self) -> None:
        self.facts: list[bytes] = []
        self.actions: list[bytes] = []
        self.states: dict[tuple[str, str], bytes] = {}

    def take(self, stage: Stage, key: str, result: Result) -> None:
        """Keep what one turn came to; states only where there is one to keep."""
        self.facts.extend(msgspec.json.encode(fact) for fact in result.facts)
        self.actions.extend(msgspec.json.encode(action) for action in result.actions)
        if result.changed or result.facts:
            self.states[stage, key] = encode(result.state)

    def forget(self, stage: Stage, key: str, result: Result) -> None:
        """Take in what came of somebody's leaving: what they were to get is withheld."""
        self.facts.extend(msgspec.json.encode(fact) for fact in result.facts)
        if result.state is not None:
            self.states[stage, key] = encode(result.state)
            return
        self.states.pop((stage, key), None)
        person = {"identity": "a:", "profile": "u:"}.get(stage, "") + key
        gone = [each for each in self.actions if msgspec.json.decode(each)["profile_id"] == person]
        self.actions = [each for each in self.actions if each not in gone]

    def outcome(self) -> Outcome:
        """Return everything, sorted."""
        return Outcome(sorted(self.facts), sorted(self.actions), dict(sorted(self.states.items())))


class Partition:
    """One partition of one stage: its own keys, its own queue, its own pace."""

    def __init__(self, stage: Stage, catalogue: Catalogue, collector: Collector) -> None:
        self.stage = stage
        self.catalogue = catalogue
        self.collector = collector
        self.states: dict[str, Any] = {}
        self.wakes: dict[str, int] = {}
        self.queue: list[Input] = []

    def step(self, n_inputs: int, *, upto: int, until: int, random: Random) -> list[tuple[Stage, str, Input]]:
        """Process some inputs up to a position, and maybe wake sleepers; return what goes forward."""
        self.queue.sort(key=lambda pair: (pair[1].at, pair[1].position))  # type: ignore[index]
        forward = []
        for _ in range(n_inputs):
            if not self.queue or self.queue[0][1].position > upto:  # type: ignore[index]
                break
            key, given = self.queue.pop(0)  # type: ignore[misc]
            if isinstance(given, Switch):
                self.switch(given, random=random)
                continue
            forward += self._turn(key, [given], until=given.at, random=random)
        else:
            return forward
        if random.random() < 0.5:
            n_swept = random.randrange(3)
            swept = random.sample(sorted(self.states), k=min(n_swept, len(self.states)))
            for key in [key for key, wake in self.wakes.items() if wake <= until] + swept:
                forward += self._turn(key, [], until=until, random=random)
        return forward

    def switch(self, switch: Switch, *, random: Random) -> None:
        """Do all that is due by a control under the old catalogue, then take the new one."""
        is_due = {key for key, wake in self.wakes.items() if wake <= switch.at}
        for key in list(self.states) if switch.asks_first else sorted(is_due):
            assert not self._turn(key, [], until=switch.at, random=random), "a timer forwards nothing"
        self.catalogue = switch.catalogue
        forgetting = read_forgetting(switch.entry.event)
        for stage, key in keys_of(forgetting) if forgetting is not None else ():
            if stage != self.stage or key not in self.states:
                continue
            if goes(key, self.states[key], forgetting):
                assert not self._turn(key, [], until=switch.at, random=random), "a timer forwards nothing"
            state = self.states[key]
            result = forget(stage, key, state, forgetting, at=switch.at, position=switch.position)
            if result is not None:
                self.collector.forget(stage, key, result)
                self.states[key] = result.state
                self.wakes.pop(key, None)
                if result.state is None:
                    del self.states[key]
                elif result.wake is not None:
                    self.wakes[key] = result.wake

    def _turn(
        self, key: str, inputs: list[Input], *, until: int, random: Random
    ) -> list[tuple[Stage, str, Input]]:
        state = self.states.get(key)
        if state is not None and random.random() < 0.3:  # as if it had been stored and loaded
            state = decode(self.stage, encode(state))
        result = turn(self.stage, key, state, inputs, until=until, catalogue=self.catalogue)
        self.states[key] = result.state
        self.wakes.pop(key, None)
        if result.wake is not None:
            self.wakes[key] = result.wake
        self.collector.take(self.stage, key, result)
        return [(one.stage, one.key, one.input) for one in result.forward]

    def watermark(self, upstream: int) -> int:
        """Every input of ours up to this position is processed."""
        waiting = min((pair[1].position for pair in self.queue), default=upstream + 1)  # type: ignore[index]
        return min(upstream, waiting - 1)


def entering(entry: Entry) -> list[tuple[Stage, str, Input]]:
    """Say where an entry begins its walk; a tombstone that concerns no device of others begins none."""
    if is_erased(entry.event) and entry.event.anonymous_id is None:
        return []
    stage, key = route(entry.event)
    given = Arrived(entry.at, entry.position, entry.event, entry.is_history, entry.is_shadow)
    return [(stage, key, given)]


def partitioned(
    entries: list[Entry],
    catalogue: Catalogue,
    *,
    until: int,
    n_partitions: int,
    random: Random,
    in_force: InForce | None = None,
) -> Outcome:
    """Run a history on partitions, interleaved at random; stages wait for the watermark of the one before."""
    collector = Collector()
    floors = {
        stage: [Partition(stage, catalogue, collector) for _ in range(n_partitions)] for stage in STAGES
    }
    controls = switches(entries, in_force, catalogue)
    clocks = {entry.position: entry.at for entry in entries}
    clocks[0] = 0
    last = entries[-1].position if entries else 0
    n_fed = 0
    marks = {stage: [0] * n_partitions for stage in STAGES}
    while True:
        for entry in entries[n_fed : n_fed + random.randrange(1, 5)]:
            n_fed += 1
            if entry.position in controls:
                for partition in (one for floor in floors.values() for one in floor):
                    partition.queue.append(("", controls[entry.position]))  # type: ignore[arg-type]
                continue
            for stage, key, given in entering(entry):
                floors[stage][crc32(key.encode()) % n_partitions].queue.append((key, given))  # type: ignore[arg-type]
        upstream = n_fed
        for stage in STAGES:
            order = list(range(n_partitions))
            random.shuffle(order)
            for index in order[: random.randrange(n_partitions + 1)]:
                partition = floors[stage][index]
                done = partition.step(
                    random.randrange(1, 9), upto=upstream, until=clocks[marks[stage][index]], random=random
                )
                for target, key, given in done:
                    floors[target][crc32(key.encode()) % n_partitions].queue.append((key, given))  # type: ignore[arg-type]
                marks[stage][index] = max(marks[stage][index], partition.watermark(upstream))
            upstream = min(marks[stage])
        if n_fed == last and all(mark == last for row in marks.values() for mark in row):
            break
    _fire_all(floors, until=until, random=random)
    return collector.outcome()


def _fire_all(floors: dict[Stage, list[Partition]], *, until: int, random: Random) -> None:
    """Fire what is due up to the end of time."""
    for stage in STAGES:
        for partition in floors[stage]:
            for key in list(partition.states):
                assert not partition._turn(key, [], until=until, random=random), "a timer forwards nothing"


def sequential(
    entries: list[Entry], catalogue: Catalogue, *, until: int, in_force: InForce | None = None
) -> Outcome:
    """Run a history entry by entry through all stages; timers fire when the next input or the end comes."""
    collector = Collector()
    floors = {stage: Partition(stage, catalogue, collector) for stage in STAGES}
    calm = Random(1)
    controls = switches(entries, in_force, catalogue)
    for entry in entries:
        if entry.position in controls:
            for stage in STAGES:
                floors[stage].switch(controls[entry.position], random=calm)
            continue
        waiting = entering(entry)
        while waiting:
            target, name, given = waiting.pop(0)
            waiting += floors[target]._turn(name, [given], until=given.at, random=calm)
    for stage in STAGES:
        for key in list(floors[stage].states):
            floors[stage]._turn(key, [], until=until, random=calm)
    return collector.outcome()
