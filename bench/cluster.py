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
from uuid import uuid4

import msgspec
import pytest
from confluent_kafka import Consumer, Producer
from msgspec import Struct

from bench import cluster_decisions, cluster_door, cluster_embedded, journeys, traffic
from bench.figures import Figure, Figures, NotMeasuredError
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
WARM_UP_S = 8.0  # until Java has compiled what it runs, and Python has imported what it needs.
RATE = 100  # events/s at rest, of which a third concern a journey.


def measure(folder: Path, *, is_quick: bool) -> Figures:
    """Measure with one task and with two.

    Raises NotMeasuredError where there is no Java, Kafka or Flink.
    """
    try:
        require()
    except pytest.skip.Exception as reason:
        raise NotMeasuredError(str(reason)) from None
    n_events = 20_000 if is_quick else 100_000
    found: Figures = {}
    with machines(folder) as (kafka, flink):
        found |= cluster_door.measure(kafka, folder, n_shards=N_SHARDS, is_quick=is_quick)
        found |= cluster_decisions.measure(kafka, folder / "decisions", is_quick=is_quick)
        for n_tasks in TASKS:
            drained = Run(kafka, flink, folder).throughput(n_events, parallelism=n_tasks)
            found[f"cluster_{n_tasks}_events_per_s"] = Figure(
                round(drained.events_per_s), "events/s", "goal 6,800 a task"
            )
            found[f"cluster_{n_tasks}_cpu_us"] = Figure(
                round(drained.cpu_us, 1), "us CPU/event", "of all TaskManagers"
            )
        found |= cluster_embedded.measure(folder, events(n_events), in_force())
        run = Run(kafka, flink, folder)
        waits = run.latency(20 if is_quick else 40)
        for name, at in (("p50", 49), ("p95", 94), ("p99", 98)):
            found[f"cluster_action_{name}_ms"] = Figure(round(waits[at], 1), "ms", "goal 100")
    return found


@contextmanager
def machines(folder: Path, *, n_tasks: int = 0) -> Iterator[tuple[Kafka, Flink]]:
    """Start a broker and a Flink of so many tasks; end them."""
    kafka, flink = Kafka(folder / "kafka"), Flink(folder / "flink")
    try:
        kafka.start()
        flink.start(n_tasks=n_tasks or max(TASKS))
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


class Drained(Struct, frozen=True):
    """What it took to take a log in, between a tenth and nine tenths of it."""

    events_per_s: float
    cpu_us: float
    """Processor time of all TaskManagers, an event."""


class Run:
    """Topics of their own, and one job over them."""

    def __init__(self, kafka: Kafka, flink: Flink, folder: Path) -> None:
        prefix = f"bench-{uuid4().hex[:8]}"
        self._flink, self._brokers = flink, kafka.brokers
        self.topics = Topics.of(prefix)
        make_topics({"bootstrap.servers": kafka.brokers}, self.topics, n_shards=N_SHARDS)
        self.settings = folder / f"{prefix}.json"
        told = {"brokers": kafka.brokers, "prefix": prefix, "shards": N_SHARDS, "in_force": in_force()}
        self.settings.write_bytes(msgspec.json.encode(told))
        self._producer = Producer({"bootstrap.servers": kafka.brokers, "acks": "all", "linger.ms": 1})

    def throughput(self, n_events: int, *, parallelism: int) -> Drained:
        """Drain a log that lies there."""
        self.fill(n_events)
        job = self._flink.run(self.settings, parallelism=parallelism)
        marks: dict[float, tuple[float, float, int]] = {}
        n_steps = 0
        for content in self.read(self.topics.facts):
            n_steps += content.count(b'"type":"step"')
            self.tick()
            for share in (0.1, 0.9):
                if share not in marks and n_steps >= share * n_events:
                    cpu_s = sum(machine.cpu_s() for machine in self._flink.taskmanagers)
                    marks[share] = (time.monotonic(), cpu_s, n_steps)
            if 0.9 in marks:
                break
        self._flink.cancel(job)
        (began, spent, first), (ended, spent_then, last) = marks[0.1], marks[0.9]
        n_taken = last - first
        return Drained(n_taken / (ended - began), (spent_then - spent) / n_taken * 1e6)

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
        self.tick()

    def put(self, shard: int, record: bytes | None) -> None:
        """Send a record; None: a tick."""
        while True:
            try:
                return self._producer.produce(self.topics.events, value=record, partition=shard)
            except BufferError:
                self._producer.poll(0.1)

    def tick(self) -> None:
        """Move every partition's clock on."""
        for shard in range(N_SHARDS):
            self.put(shard, None)
        self._producer.produce(self.topics.controls, value=None, key="tick", partition=0)
        self._producer.flush()

    def read(self, topic: str, *, patience_s: float = 120) -> Iterator[bytes]:
        """Yield what is in a topic as it comes, and nothing now and then."""
        consumer = Consumer(
            {
                "bootstrap.servers": self._brokers,
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
                message = consumer.poll(0.02)
                content = None if message is None else message.value()
                if isinstance(content, bytes):
                    yield content
                elif message is None:
                    yield b""
        finally:
            consumer.close()

    def latency(self, seconds: int) -> list[float]:
        """Send slowly; return the percentiles of the time from sending to reading an action, ms."""
        job = self._flink.run(self.settings, parallelism=1)
        sent_at: dict[str, float] = {}
        waits: list[float] = []
        stream = events(seconds * RATE)
        began = time.monotonic()
        is_warm = began + WARM_UP_S
        n_sent, ticked_at, ends = 0, 0.0, began + seconds + 5
        for content in self.read(self.topics.actions):
            now = time.monotonic()
            if content:
                user = msgspec.json.decode(content)["user_id"]
                if user in sent_at and now > is_warm:
                    waits.append((now - sent_at[user]) * 1_000)
            while n_sent < min((now - began) * RATE, seconds * RATE):
                event = next(stream)
                sent_at[str(event.user_id)] = time.monotonic()
                self.put(entry_shard(event, N_SHARDS), encode_events([Sent(event)]))
                n_sent += 1
            if now - ticked_at > 0.02:
                ticked_at = now
                self.tick()
            if now > ends:
                break
        self._flink.cancel(job)
        return quantiles(waits, n=100)
