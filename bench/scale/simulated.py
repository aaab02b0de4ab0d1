"""What is simulated: orders, the things that move, and what came of it. Times are ms unless told."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple


@dataclass(frozen=True)
class Orders:
    """One run."""

    events_per_s: float
    seconds: float
    tasks: int = 1
    shards: int = 32
    doors: int = 1
    people: int = 20_000
    skew: float = 0.0
    """Exponent of Zipf's law of people."""
    burst: float = 1.0
    """So many times the events in a tenth of each second; the mean stays."""
    backlog: int = 0
    """Events that lie in the log at the beginning."""
    in_record: int = 200
    """How many of those to a record."""
    dies_at_s: float = 0.0
    """When a task dies; 0: none does."""
    down_s: float = 0.0
    """How long nothing runs then."""
    seed: int = 1


class Item(NamedTuple):
    """One event."""

    number: int
    at: float
    """When it arrived at the door."""
    device_shard: int
    user_shard: int


class Record(NamedTuple):
    """A record of one partition; without items it is a tick, of one or many."""

    stamp: float
    shards: tuple[int, ...]
    items: list[Item]


class Passed(NamedTuple):
    """A record that a stage is to let wait."""

    stage: int
    shard: int
    items: list[tuple[float, Item]]


class Marked(NamedTuple):
    """A watermark that has come to a stage."""

    stage: int
    mark: float


class Paused(NamedTuple):
    """A checkpoint's part that a task stands still for."""

    took: float


Work = Passed | Marked | Paused


class Task:
    """One task: an interpreter lock, so one piece of work at a time, in the order in which it came."""

    def __init__(self, number: int, shards: Iterable[int]) -> None:
        self.number = number
        self.clocks = dict.fromkeys(shards, -1.0)
        self.log: deque[Record] = deque()
        """What lies in its partitions and is not read."""
        self.kept: list[Record] = []
        """What was read and was not done at the last checkpoint."""
        self.busy = 0.0
        self._empty()

    def _empty(self) -> None:
        self.queue: deque[Work] = deque()
        self.waiting: list[defaultdict[int, list[tuple[float, Item]]]] = [defaultdict(list) for _ in range(3)]
        self.mark = -1.0
        self.n_buffered = 0
        self.is_marked = self.is_working = self.is_down = False

    def has(self, shard: int) -> bool:
        """Tell whether a shard is this task's."""
        return shard in self.clocks

    def ready(self, stage: int, mark: float) -> dict[int, list[tuple[float, Item]]]:
        """Take what waits at a stage and is not after a mark, by shard."""
        found: dict[int, list[tuple[float, Item]]] = {}
        for shard, waiting in list(self.waiting[stage].items()):
            now = [pair for pair in waiting if pair[0] <= mark]
            if now:
                found[shard] = now
                left = [pair for pair in waiting if pair[0] > mark]
                if left:
                    self.waiting[stage][shard] = left
                else:
                    del self.waiting[stage][shard]
        return found

    def die(self) -> None:
        """Lose all that is in memory; what was read since the last checkpoint is to be read again."""
        self.log.extendleft(reversed(self.kept))
        self.kept = []
        self.clocks = dict.fromkeys(self.clocks, -1.0)
        self._empty()
        self.is_down = True


@dataclass
class Told:
    """What came of a run."""

    waits: list[float] = field(default_factory=list)
    """From an event's arrival at the door to what it led to, ms; of each that was done, in that order."""
    arrived: list[float] = field(default_factory=list)
    done: list[float] = field(default_factory=list)
    busy: list[float] = field(default_factory=list)
    """Of each task, the part of the time it worked."""
    took_ms: float = 0.0
    n_calls: int = 0
    n_records: int = 0
    n_ticks: int = 0
    n_again: int = 0
    """Events that were taken again after a death."""

    def wait(self, share: float, *, after_ms: float = 0.0) -> float:
        """Return a quantile of the waits of those that arrived after a while."""
        waits = sorted(wait for wait, at in zip(self.waits, self.arrived, strict=True) if at >= after_ms)
        return waits[min(len(waits) - 1, int(share * len(waits)))]

    def mean_wait(self, *, after_ms: float = 0.0) -> float:
        """Return the mean of those waits."""
        waits = [wait for wait, at in zip(self.waits, self.arrived, strict=True) if at >= after_ms]
        return sum(waits) / len(waits)

    def drained_per_s(self) -> float:
        """Return how many were done a second between a tenth and nine tenths of them."""
        first, last = len(self.done) // 10, len(self.done) * 9 // 10
        return (last - first) / (self.done[last] - self.done[first]) * 1_000
