"""The cluster: the same turn on Kafka and Flink, started here: throughput by tasks, and time to an action.

Everything shares this machine's cores: the broker, Flink, and whoever sends. A TaskManager has one task.
Where there are fewer cores than tasks and brokers want, events a second say little of how it grows; processor
time an event does: as long as it stays the same with more tasks, throughput grows as cores do.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import quantiles
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from confluent_kafka import Consumer, Message, Producer
from msgspec import Struct

from bench import cluster_decisions, cluster_door, cluster_embedded, journeys, traffic
from bench.figures import Figure, Figures, NotMeasuredError
from sojourn.adapters.kafka_beat import Beat
from sojourn.adapters.kafka_topics import make_topics
from sojourn.definitions.compile import compile_journey
from sojourn.definitions.publishing import InForce, Version
from sojourn.engine.records import Sent, encode_events, entry_shard
from sojourn.model.event import Event
from sojourn.model.topics import Topics
from sojourn.server.ingest.message import Request
from sojourn.server.ingest.segment import judge, open_parcel
from tests.cluster.machines import Flink, Kafka, require

TASKS = (1, 2, 4)
N_SHARDS = 32
IN_RECORD = 200  # events at most: what a busy door writes to one shard at once.
BETWEEN = (0.1, 0.9)  # of a drain: where it is measured.
TICK_MS = 20  # of a round of ticks behind an event, as at doors.
TASKMANAGER = "\n".join(
    (
        "taskmanager.memory.process.size: 4096m",
        "taskmanager.memory.task.off-heap.size: 768m",
        "taskmanager.memory.managed.size: 1200m",
    )
)
"""As deploy/kubernetes has it; the machines of tests are smaller."""
LOOK_S = 0.005  # at most between two looks at what is to be sent.
WARM_UP_S = 30.0  # at rest Java compiles late what it runs: actions take half a second first.
RATES = {"action": 100, "busy_action": 500, "loaded_action": 1_000}  # events/s, one to a record.


def measure(folder: Path, *, is_quick: bool) -> Figures:
    """Measure with one task, with two and with four.

    Raises NotMeasuredError where there is no Java, Kafka or Flink.
    """
    try:
        require()
    except pytest.skip.Exception as reason:
        raise NotMeasuredError(str(reason)) from None
    n_events = 20_000 if is_quick else 150_000
    found: Figures = {}
    with machines(folder, n_tasks=TASKS[0]) as (kafka, flink):
        found |= cluster_door.measure(kafka, folder, n_shards=N_SHARDS, is_quick=is_quick)
        found |= cluster_decisions.measure(kafka, folder / "decisions", is_quick=is_quick)
        Run(kafka, flink, folder).throughput(n_events // 3, parallelism=1)  # Java compiles meanwhile
        for name, rate in RATES.items():
            waits = Run(kafka, flink, folder).latency(45 if is_quick else 75, rate=rate)
            for share, at in (("p50", 49), ("p95", 94), ("p99", 98)):
                limit = f"goal 100; one task, {rate:,} events/s"
                found[f"cluster_{name}_{share}_ms"] = Figure(round(waits[at], 1), "ms", limit)
        for n_tasks in TASKS:
            flink.grow(n_tasks)
            if n_tasks > 1:
                Run(kafka, flink, folder).throughput(n_events, parallelism=n_tasks)
            drained = Run(kafka, flink, folder).throughput(n_events, parallelism=n_tasks)
            found |= _figures(drained, n_tasks)
        found |= cluster_embedded.measure(folder, events(n_events), in_force())
        found["cluster_checkpoint_every_ms"] = Figure(flink.checkpoint_every_ms, "ms", "as it was run")
    return found


def _figures(drained: Drained, n_tasks: int) -> Figures:
    name = f"cluster_{n_tasks}"
    return {
        f"{name}_events_per_s": Figure(round(drained.events_per_s), "events/s", "goal 6,800 a task"),
        f"{name}_cpu_us": Figure(round(drained.cpu_us, 1), "us CPU/event", "of all TaskManagers"),
        f"{name}_broker_cpu_us": Figure(round(drained.broker_cpu_us, 1), "us CPU/event", "of the broker"),
    }


@contextmanager
def machines(folder: Path, *, n_tasks: int) -> Iterator[tuple[Kafka, Flink]]:
    """Start a broker and a Flink of so many tasks; end them."""
    kafka, flink = Kafka(folder / "kafka"), Flink(folder / "flink", more=TASKMANAGER)
    try:
        kafka.start()
        flink.start(n_tasks=n_tasks)
        yield kafka, flink
    finally:
        flink.end()
        kafka.machine.kill()


def in_force() -> InForce:
    """Return the bench's twenty journeys, as they are in force before the first control."""
    compiled = [compile_journey(text) for text in journeys.texts("shop").values()]
    return InForce(
        current={one.name: one.version for one in compiled},
        versions=[Version(journey=one.name, version=one.version, text=one.text) for one in compiled],
    )


def events(n_events: int) -> Iterator[Event]:
    """Yield the bench's traffic, as the door reads it."""
    templates = traffic.templates(seed=1, n_templates=100)
    for n in range(-(-n_events // traffic.BATCH)):
        body = traffic.stamped(templates[n % len(templates)], round_name=str(n // len(templates)))
        now = time.time_ns() // 1_000_000
        request = Request(source="web", received_at=now, arrival=str(n))
        yield from judge(open_parcel(body), request).events


def _now_ms() -> int:
    return time.monotonic_ns() // 1_000_000


class Drained(Struct, frozen=True):
    """What it took to take a log in, between a tenth and nine tenths of it."""

    events_per_s: float
    cpu_us: float
    """Processor time of all TaskManagers, an event."""
    broker_cpu_us: float
    """Processor time of the broker, an event: of whoever writes and reads beside the job, too."""


class _Mark(Struct, frozen=True):
    """How far a drain has come, and what had been spent by then."""

    at: float
    n_steps: int
    cpu_s: float
    broker_cpu_s: float


class Run:
    """Topics of their own, and one job over them."""

    def __init__(self, kafka: Kafka, flink: Flink, folder: Path) -> None:
        prefix = f"bench-{uuid4().hex[:8]}"
        self._flink, self._kafka = flink, kafka
        self.topics = Topics.of(prefix)
        make_topics({"bootstrap.servers": kafka.brokers}, self.topics, n_shards=N_SHARDS)
        self.settings = folder / f"{prefix}.json"
        told = {"brokers": kafka.brokers, "prefix": prefix, "shards": N_SHARDS, "in_force": in_force()}
        self.settings.write_bytes(msgspec.json.encode(told))
        self._producer = Producer({"bootstrap.servers": kafka.brokers, "acks": "all", "linger.ms": 0})
        self._beat = Beat(N_SHARDS + 1, tick_ms=TICK_MS)
        self.n_rounds = 0
        """Of ticks, so far."""

    def throughput(self, n_events: int, *, parallelism: int) -> Drained:
        """Drain a log that lies there, its clock moved on as doors do."""
        self.fill(n_events)
        job = self._flink.run(self.settings, parallelism=parallelism)
        marks: list[_Mark] = []
        n_steps = 0
        for content in self.read(self.topics.facts):
            n_steps += content.count(b'"type":"step"')
            if n_steps >= BETWEEN[len(marks)] * n_events:
                marks.append(self._mark(n_steps))
            if len(marks) == len(BETWEEN):
                break
        self._flink.cancel(job)
        began, ended = marks
        n_taken = ended.n_steps - began.n_steps
        return Drained(
            events_per_s=n_taken / (ended.at - began.at),
            cpu_us=(ended.cpu_s - began.cpu_s) / n_taken * 1e6,
            broker_cpu_us=(ended.broker_cpu_s - began.broker_cpu_s) / n_taken * 1e6,
        )

    def _mark(self, n_steps: int) -> _Mark:
        return _Mark(
            at=time.monotonic(),
            n_steps=n_steps,
            cpu_s=sum(machine.cpu_s() for machine in self._flink.taskmanagers),
            broker_cpu_s=self._kafka.machine.cpu_s(),
        )

    def fill(self, n_events: int, *, in_record: int = IN_RECORD) -> None:
        """Put so many events in the log, so many to a record."""
        waiting: dict[int, list[Sent]] = {}
        for event in events(n_events):
            shard = entry_shard(event, N_SHARDS)
            waiting.setdefault(shard, []).append(Sent(event))
            if len(waiting[shard]) == in_record:
                self.put(shard, encode_events(waiting.pop(shard)))
        for shard, sent in waiting.items():
            self.put(shard, encode_events(sent))
        self._producer.flush()

    def put(self, shard: int, record: bytes) -> None:
        """Send a record of events."""
        self._beat.sent(shard, now=_now_ms())
        self._produce(self.topics.events, record, partition=shard, on_delivery=self._confirmed)

    def _confirmed(self, error: object, message: Message) -> None:
        assert error is None, error
        self._beat.confirmed(message.partition() or 0, message.timestamp()[1], now=_now_ms())

    def _tick(self) -> None:
        """Move clocks on, where that is due: as a door does, by the same beat."""
        self._producer.poll(0)
        if _now_ms() < self._beat.next_at():
            return
        self.n_rounds += 1
        for lane in self._beat.round(now=_now_ms()):

            def ticked(error: object, message: Message, lane: int = lane) -> None:
                self._beat.ticked(lane, message.timestamp()[1] if error is None else None)

            if lane == N_SHARDS:
                self._produce(self.topics.controls, None, partition=0, key="tick", on_delivery=ticked)
            else:
                self._produce(self.topics.events, None, partition=lane, on_delivery=ticked)

    def _produce(self, topic: str, value: bytes | None, **more: Any) -> None:
        while True:
            try:
                return self._producer.produce(topic, value=value, **more)
            except BufferError:
                self._producer.poll(0.1)

    def read(self, topic: str, *, patience_s: float = 120) -> Iterator[bytes]:
        """Yield what is in a topic as it comes, and nothing now and then; move the clock on, as doors do."""
        consumer = Consumer(
            {
                "bootstrap.servers": self._kafka.brokers,
                "group.id": uuid4().hex,
                "auto.offset.reset": "earliest",
                # As it is written: what waits for a checkpoint is not the engine's pace.
                "isolation.level": "read_uncommitted",
                "fetch.wait.max.ms": 5,
            }
        )
        consumer.subscribe([topic])
        ends = time.monotonic() + patience_s
        try:
            while time.monotonic() < ends:
                self._tick()
                message = consumer.poll(LOOK_S)
                content = None if message is None else message.value()
                if isinstance(content, bytes):
                    yield content
                elif message is None:
                    yield b""
        finally:
            consumer.close()

    def latency(self, seconds: int, *, rate: int) -> list[float]:
        """Send so many events a second; return the percentiles of the time from one to its action, ms."""
        job = self._flink.run(self.settings, parallelism=1)
        sent_at: dict[str, float] = {}
        waits: list[float] = []
        stream = events(seconds * rate)
        began = time.monotonic()
        is_warm = began + WARM_UP_S
        n_sent, ends = 0, began + seconds + 5
        for content in self.read(self.topics.actions):
            now = time.monotonic()
            if content:
                user = msgspec.json.decode(content)["user_id"]
                if user in sent_at and now > is_warm:
                    waits.append((now - sent_at[user]) * 1_000)
            while n_sent < min((now - began) * rate, seconds * rate):
                event = next(stream)
                sent_at[str(event.user_id)] = time.monotonic()
                self.put(entry_shard(event, N_SHARDS), encode_events([Sent(event)]))
                n_sent += 1
            if now > ends:
                break
        self._flink.cancel(job)
        return quantiles(waits, n=100)
