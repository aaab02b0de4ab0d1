"""What the model is fitted to, of the engine alone: bytes of what is kept and sent, and turns by batch.

The bench's traffic and its twenty journeys, taken through the three stages of shards in this process, as the
tasks of a cluster do, without the cluster. Processor time of this thread.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from random import Random
from statistics import fmean

import msgspec

from bench import cluster
from sojourn.engine.records import Sent, encode_events, entry_shard, read_events, shard_of
from sojourn.model.event import Event
from sojourn.model.turn import STAGES, Forward, Stage
from sojourn.runtime.shards.chronicle import Chronicle
from sojourn.runtime.shards.records import Addressed, arrivals, decode_inputs, encode_inputs
from sojourn.runtime.shards.worker import Worker
from tests.laws.sharded import DictShelf

Found = dict[str, float]

BATCHES = (1, 4, 16, 64, 256)
"""Events of a shard to a record, as the busier a door is the more there are."""
SPLIT_AT = 64
"""The batch of which each stage's part is told."""
N_SHARDS = 8
N_EVENTS = 16_000
INSTANT_MS = 5
"""Between two records of a shard, by the log's clock."""
T0 = 1_800_000_000_000


def measure(*, is_quick: bool) -> Found:
    """Take the same events through by batches of each size."""
    events = list(cluster.events(N_EVENTS // (4 if is_quick else 1)))
    found: Found = {}
    for batch in BATCHES:
        line = _Line()
        began = time.thread_time()
        for shard, content in _records(events, batch):
            line.take(shard, content)
        found[f"turn_us_at_{batch}"] = (time.thread_time() - began) / len(events) * 1e6
        found[f"calls_at_{batch}"] = line.n_calls / len(events)
        if batch == SPLIT_AT:
            found |= {f"turn_us_{stage}": took / len(events) * 1e6 for stage, took in line.took.items()}
    return found | _bytes(events, line)


def _records(events: list[Event], batch: int) -> Iterator[tuple[int, bytes]]:
    """Cut each shard's events into records of so many, the shards by turns, as the log has them."""
    by_shard: dict[int, list[Sent]] = defaultdict(list)
    for event in events:
        by_shard[entry_shard(event, N_SHARDS)].append(Sent(event))
    streams = {shard: iter(sent) for shard, sent in by_shard.items()}
    while streams:
        for shard in list(streams):
            sent = list(islice(streams[shard], batch))
            if sent:
                yield shard, encode_events(sent)
            else:
                del streams[shard]


class _Shelf(DictShelf):
    """One that is called when its line comes to it."""

    def __init__(self, number: int) -> None:
        super().__init__(number, [], Random(number))
        self.waits = False

    def wait(self, inputs: Sequence[Addressed]) -> None:
        super().wait(inputs)
        self.waits = True

    def call_at(self, at: int) -> None:
        """Keep no timers: nobody is due while this is measured."""


class _Line:
    """The three stages, one task."""

    def __init__(self) -> None:
        chronicle = Chronicle(cluster.in_force())
        self.workers: dict[Stage, Worker] = {stage: Worker(stage, chronicle) for stage in STAGES}
        self.shelves = {stage: [_Shelf(number) for number in range(N_SHARDS)] for stage in STAGES}
        self.n_calls = self.n_actions = self.n_facts = 0
        self.took: dict[Stage, float] = dict.fromkeys(STAGES, 0.0)
        self.n_inputs: dict[Stage, int] = dict.fromkeys(STAGES, 0)
        self.facts_bytes = self.actions_bytes = self.passed_bytes = 0
        self._now = T0
        self._offset = 0

    def take(self, shard: int, content: bytes) -> None:
        """Take one record of the log through, as far as it goes."""
        self._now += INSTANT_MS
        self._offset += 1
        entries = read_events(content, shard=shard, offset=self._offset, at=self._now)
        self._passed(Forward(stage, *addressed) for stage, addressed in arrivals(entries))
        for stage in STAGES:
            for shelf in self.shelves[stage]:
                if shelf.waits:
                    self._call(stage, shelf)

    def _call(self, stage: Stage, shelf: _Shelf) -> None:
        shelf.waits = False
        self.n_calls += 1
        began = time.thread_time()
        outcome = self.workers[stage].call(shelf, self._now, upto=self._now)
        self.took[stage] += time.thread_time() - began
        self._passed(outcome.forward)
        if outcome.facts:
            self.n_facts += len(outcome.facts)
            self.facts_bytes += len(msgspec.json.encode(outcome.facts))
        for action in outcome.actions:
            self.n_actions += 1
            self.actions_bytes += len(msgspec.json.encode(action))

    def _passed(self, forward: Iterable[Forward]) -> None:
        by_place: dict[tuple[Stage, int], list[Addressed]] = defaultdict(list)
        for one in forward:
            by_place[one.stage, shard_of(one.key, N_SHARDS)].append((one.key, one.input))
        for (stage, shard), inputs in by_place.items():
            record = encode_inputs(inputs)
            self.passed_bytes += len(record)
            self.n_inputs[stage] += len(inputs)
            self.shelves[stage][shard].wait(decode_inputs(record))


def _bytes(events: list[Event], line: _Line) -> Found:
    n = len(events)
    states = {
        stage: [len(kept.state) for shelf in line.shelves[stage] for kept in shelf.kept.values()]
        for stage in STAGES
    }
    return {
        "event_log_bytes": len(encode_events([Sent(event) for event in events])) / n,
        "facts_an_event": line.n_facts / n,
        "fact_bytes": line.facts_bytes / line.n_facts,
        "actions_an_event": line.n_actions / n,
        "action_bytes": line.actions_bytes / line.n_actions,
        **{f"inputs_{stage}": line.n_inputs[stage] / n for stage in STAGES},
        "passed_bytes": line.passed_bytes / n,
        **{f"state_bytes_{stage}": fmean(sizes or [0]) for stage, sizes in states.items()},
        **{f"keys_{stage}": len(sizes) for stage, sizes in states.items()},
        "events_a_person": n / len(states["profile"]),
    }
