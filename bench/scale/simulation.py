"""A discrete-event simulation: doors, partitions, and tasks that take shards through three stages.

What the formulas leave out is in here: people by Zipf's law, bursts, the clocks of every partition,
watermarks that the slowest task holds back, checkpoints that stop a task, a task's death. Lanes and ticks are
the door's own. Seeded: the same orders come to the same. Times are ms.
"""

from __future__ import annotations

from bisect import bisect
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial
from heapq import heappop, heappush
from itertools import accumulate
from random import Random
from typing import NamedTuple

from bench.scale.costs import Costs
from bench.scale.simulated import Item, Marked, Orders, Passed, Paused, Record, Task, Told, Work
from sojourn.adapters.kafka_beat import Beat
from sojourn.adapters.kafka_gather import Lane, Part
from sojourn.engine.records import shard_of

STAGES = 3
REST_MS = 1_000.0
BURST_SHARE = 0.1
"""Of each second, in which bursts come."""
PATIENCE = 20
"""So many times the time asked for, until it is clear that less is done than comes."""


class _Door(NamedTuple):
    lanes: list[Lane[Item]]
    beat: Beat


class Simulation:
    """One run."""

    def __init__(self, orders: Orders, costs: Costs) -> None:
        self.orders, self.costs, self.told = orders, costs, Told()
        self._random = Random(orders.seed)
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._n_pushed, self._n_items = 0, 0
        self.now = 0.0
        n = orders.shards
        self._doors = [
            _Door([Lane() for _ in range(n)], Beat(n, tick_ms=int(costs.tick_ms)))
            for _ in range(orders.doors)
        ]
        self._tasks = [Task(number, range(number, n, orders.tasks)) for number in range(orders.tasks)]
        self._marks = [[-1.0] * orders.tasks for _ in range(STAGES + 1)]
        """How far each task has come with the stage before the n-th."""
        self._done: set[int] = set()
        self._run = 0
        """How often the job began."""
        self._weights = list(accumulate(rank**-orders.skew for rank in range(1, orders.people + 1)))
        self._homes = [(shard_of(f"d-{who}", n), shard_of(f"u-{who}", n)) for who in range(orders.people)]

    def run(self) -> Told:
        """Run until all that arrived is done, or it is clear that it will not be."""
        orders, costs = self.orders, self.costs
        self._fill()
        if orders.events_per_s:
            self._at(self._gap(), self._arrive)
        self._at(0.0, self._watermarks)
        for number in range(orders.doors):
            self._at(self._random.random() * costs.tick_ms, partial(self._tick, number))
        self._at(costs.checkpoint_every_ms, self._checkpoint)
        if orders.dies_at_s:
            self._at(orders.dies_at_s * 1_000, self._die)
        ends = orders.seconds * 1_000
        while self._heap and self.now < PATIENCE * ends:
            if self.now > ends and len(self._done) == self._n_items:
                break
            self.now, _, happens = heappop(self._heap)
            happens()
        self.told.took_ms = self.now
        self.told.busy = [task.busy / self.now for task in self._tasks]
        return self.told

    def _at(self, at: float, happens: Callable[[], None]) -> None:
        self._n_pushed += 1
        heappush(self._heap, (at, self._n_pushed, happens))

    # Doors and partitions.

    def _gap(self) -> float:
        rate = self.orders.events_per_s / 1_000
        if self.orders.burst > 1:
            is_burst = self.now % 1_000 < BURST_SHARE * 1_000
            calm = (1 - BURST_SHARE * self.orders.burst) / (1 - BURST_SHARE)
            rate *= self.orders.burst if is_burst else max(0.01, calm)
        return self._random.expovariate(rate)

    def _item(self) -> Item:
        who = bisect(self._weights, self._random.random() * self._weights[-1])
        self._n_items += 1
        return Item(self._n_items, self.now, *self._homes[min(who, self.orders.people - 1)])

    def _arrive(self) -> None:
        if self.now < self.orders.seconds * 1_000:
            item = self._item()
            number = self._random.randrange(self.orders.doors)
            self._doors[number].lanes[item.device_shard].put(Part(b"", item))
            self._send(number, item.device_shard)
            self._at(self.now + self._gap(), self._arrive)

    def _send(self, number: int, shard: int) -> None:
        door = self._doors[number]
        parts = door.lanes[shard].take()
        if not parts:
            return
        door.beat.sent(shard, now=int(self.now))
        # Whole ms, as a broker stamps; jitter as of a queue that is served at random.
        stamp = self.now + self.costs.append_ms * (0.5 + self._random.expovariate(2.0))
        record = Record(float(int(stamp)), (shard,), [part.of for part in parts])
        self._at(stamp + self.costs.fetch_ms, lambda: self._seen(record))
        self._at(self.now + self.costs.door_ack_ms, lambda: self._confirmed(number, shard, record.stamp))

    def _confirmed(self, number: int, shard: int, stamp: float) -> None:
        door = self._doors[number]
        door.lanes[shard].settle()
        door.beat.confirmed(shard, int(stamp), now=int(self.now))
        self._send(number, shard)

    def _tick(self, number: int) -> None:
        beat = self._doors[number].beat
        if self.now >= beat.next_at():
            chosen = beat.round(now=int(self.now))
            self.told.n_ticks += len(chosen)
            stamp = self.now + self.costs.append_ms * (0.5 + self._random.expovariate(2.0))
            record = Record(float(int(stamp)), tuple(chosen), [])
            self._at(stamp + self.costs.fetch_ms, lambda: self._seen(record))
            self._at(stamp, partial(_ticked, beat, chosen, int(stamp)))
        self._at(self.now + 1.0, lambda: self._tick(number))

    def _fill(self) -> None:
        """Put in the log what lies there at the beginning: one instant's records in every partition."""
        by_shard: dict[int, list[Item]] = defaultdict(list)
        for _ in range(self.orders.backlog):
            item = self._item()
            by_shard[item.device_shard].append(item)
        size = self.orders.in_record
        cut = [
            (start // size, shard, items[start : start + size])
            for shard, items in by_shard.items()
            for start in range(0, len(items), size)
        ]
        for turn, shard, items in sorted(cut, key=lambda one: one[:2]):
            self._seen(Record(float(turn + 1), (shard,), items))

    def _seen(self, record: Record) -> None:
        for task in self._tasks:
            if any(task.has(shard) for shard in record.shards):
                task.log.append(record)
                self._read(task)
                self._work(task)

    # Tasks.

    def _read(self, task: Task) -> None:
        """Take records as far as the task's buffers have room."""
        while task.log and task.n_buffered < self.costs.buffered_events and not task.is_down:
            record = task.log.popleft()
            for shard in record.shards:
                if task.has(shard):
                    task.clocks[shard] = max(task.clocks[shard], record.stamp)
            if record.items:
                task.kept.append(record)
                task.n_buffered += len(record.items)
                self.told.n_records += 1
                task.queue.append(Passed(0, record.shards[0], [(record.stamp, one) for one in record.items]))

    def _watermarks(self) -> None:
        for task in self._tasks:
            mark = min(task.clocks.values()) - 1
            if mark > task.mark and not task.is_down and not task.is_marked:
                task.mark, task.is_marked = mark, True
                task.queue.append(Marked(0, mark))
                self._work(task)
        self._at(self.now + self.costs.watermark_ms, self._watermarks)

    def _work(self, task: Task) -> None:
        """Begin what is next, if nothing is being done."""
        if task.is_working or task.is_down or not task.queue:
            return
        work = task.queue.popleft()
        task.is_working, run = True, self._run
        took, then = self._begun(task, work)
        if not isinstance(work, Paused):
            task.busy += took

        def ended() -> None:
            if run == self._run:
                task.is_working = False
                then()
                self._read(task)
                self._work(task)

        self._at(self.now + took, ended)

    def _begun(self, task: Task, work: Work) -> tuple[float, Callable[[], None]]:
        """Return how long a piece of work takes, and what comes of it."""
        costs = self.costs
        match work:
            case Paused():
                return work.took, _nothing
            case Passed():
                task.waiting[work.stage][work.shard] += work.items
                if work.stage:
                    return costs.passed_us / 1_000, _nothing
                task.n_buffered -= len(work.items)
                return (costs.record_us + costs.take_us * len(work.items)) / 1_000, _nothing
            case Marked():
                ready = task.ready(work.stage, work.mark)
                n = sum(len(items) for items in ready.values())
                self.told.n_calls += len(ready)
                took = (costs.call_us * len(ready) + costs.turns_us[work.stage] * n) / 1_000
                return took, lambda: self._marked(task, work, ready)

    def _marked(self, task: Task, work: Marked, ready: dict[int, list[tuple[float, Item]]]) -> None:
        """A stage is done up to a mark: hand on what came of it, then how far it is."""
        stage = work.stage + 1
        if work.stage == 0:
            task.is_marked = False
        if stage == STAGES:
            for items in ready.values():
                self._finished(items)
            return
        for items in ready.values():
            parts: dict[int, list[tuple[float, Item]]] = defaultdict(list)
            for pair in items:
                parts[pair[1].user_shard].append(pair)
            for shard, part in parts.items():
                owner = self._tasks[shard % len(self._tasks)]
                owner.queue.append(Passed(stage, shard, part))
        before = min(self._marks[stage])
        self._marks[stage][task.number] = work.mark
        after = min(self._marks[stage])
        for each in self._tasks:
            if after > before:
                each.queue.append(Marked(stage, after))
            self._work(each)

    def _finished(self, items: Sequence[tuple[float, Item]]) -> None:
        for _, item in items:
            if item.number in self._done:
                self.told.n_again += 1
                continue
            self._done.add(item.number)
            self.told.arrived.append(item.at)
            self.told.done.append(self.now)
            self.told.waits.append(self.now - item.at + self.costs.out_ms)

    # What goes wrong, and what is done against it.

    def _checkpoint(self) -> None:
        for task in self._tasks:
            task.kept = [one for one in task.kept if any(each.number not in self._done for each in one.items)]
            took = self._random.uniform(0, 2 * self.costs.pause_ms)
            task.queue.appendleft(Paused(took))
            self._work(task)
        self._at(self.now + self.costs.checkpoint_every_ms, self._checkpoint)

    def _die(self) -> None:
        """A task is gone: all stand still, then go on from the last checkpoint."""
        self._run += 1
        for task in self._tasks:
            task.die()
        self._marks = [[-1.0] * len(self._tasks) for _ in range(STAGES + 1)]
        self._at(self.now + self.orders.down_s * 1_000, self._begin_again)

    def _begin_again(self) -> None:
        for task in self._tasks:
            task.is_down = False
            self._read(task)
            self._work(task)


def _ticked(beat: Beat, shards: Sequence[int], stamp: int) -> None:
    for shard in shards:
        beat.ticked(shard, stamp)


def _nothing() -> None:
    """A record waits: nothing comes of it yet."""
