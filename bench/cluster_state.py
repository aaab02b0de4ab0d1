"""Checkpoints against state: how long they take and what they write, with so many people in RocksDB.

Each person is small: one event, no journey. What is written goes to this machine's disk, by one task.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from confluent_kafka import Consumer, Producer

from bench.figures import Figure, Figures, NotMeasuredError
from sojourn.adapters.kafka_topics import make_topics
from sojourn.engine.records import MAX_EVENTS, Sent, encode_events, entry_shard
from sojourn.model.event import Event
from sojourn.model.topics import Topics
from tests.cluster.machines import Flink, Kafka, require

N_SHARDS = 16
SIZES = {"10k": 10_000, "100k": 100_000, "1m": 1_000_000}
SHARE = 100  # one in so many people is seen again before an incremental checkpoint.
PATIENCE_S = 1_800.0


def measure(folder: Path, *, is_quick: bool) -> Figures:
    """Measure at each size, one after another in one job."""
    try:
        require()
    except pytest.skip.Exception as reason:
        raise NotMeasuredError(str(reason)) from None
    folder.mkdir()
    kafka, flink = Kafka(folder / "kafka"), Flink(folder / "flink")
    try:
        kafka.start()
        flink.start(n_tasks=1)
        run = _Run(kafka, folder)
        job = flink.run(run.settings, parallelism=1)
        found: Figures = {}
        n_before = 0
        for name, n_people in list(SIZES.items())[: 1 if is_quick else None]:
            run.see(range(n_before, n_people), name)
            full = flink.checkpoint(job, "FULL", patience_s=PATIENCE_S)
            run.see(range(0, n_people, SHARE), f"{name}-again")
            found |= _figures(
                name, full=full, more=flink.checkpoint(job, "CONFIGURED", patience_s=PATIENCE_S)
            )
            n_before = n_people
        flink.cancel(job)
        return found
    finally:
        flink.end()
        kafka.machine.kill()


def _figures(name: str, *, full: dict[str, Any], more: dict[str, Any]) -> Figures:
    found: Figures = {}
    for kind, told in (("full", full), ("incremental", more)):
        limit = "all of it" if kind == "full" else f"one in {SHARE} changed"
        place = f"cluster_checkpoint_{name}_{kind}"
        found[f"{place}_ms"] = Figure(told["end_to_end_duration"], "ms", limit)
        found[f"{place}_mb"] = Figure(round(told["checkpointed_size"] / 1e6, 1), "MB written", "")
    return found | {f"cluster_state_{name}_mb": Figure(round(full["state_size"] / 1e6, 1), "MB", "")}


class _Run:
    """Topics of their own, and what is sent into them and comes out."""

    def __init__(self, kafka: Kafka, folder: Path) -> None:
        prefix = f"state-{uuid4().hex[:8]}"
        self._topics = Topics.of(prefix)
        make_topics({"bootstrap.servers": kafka.brokers}, self._topics, n_shards=N_SHARDS)
        self.settings = folder / f"{prefix}.json"
        told = {"brokers": kafka.brokers, "prefix": prefix, "shards": N_SHARDS}
        self.settings.write_bytes(msgspec.json.encode(told))
        self._producer = Producer({"bootstrap.servers": kafka.brokers, "acks": "all", "linger.ms": 5})
        reading = {"bootstrap.servers": kafka.brokers, "group.id": prefix, "auto.offset.reset": "earliest"}
        self._facts = Consumer(reading | {"isolation.level": "read_uncommitted"})
        self._facts.subscribe([self._topics.facts])

    def see(self, people: range, name: str) -> None:
        """Let people do something, in wide records; return when the job has taken all of it."""
        n_waiting = len(people)
        waiting: dict[int, list[Sent]] = {}
        for event in _events(people, name):
            shard = entry_shard(event, N_SHARDS)
            waiting.setdefault(shard, []).append(Sent(event))
            if len(waiting[shard]) == MAX_EVENTS:
                self._put(shard, encode_events(waiting.pop(shard)))
        for shard, sent in waiting.items():
            self._put(shard, encode_events(sent))
        ends = time.monotonic() + PATIENCE_S
        while n_waiting > 0:
            assert time.monotonic() < ends, f"{n_waiting} events were not taken"
            for shard in range(N_SHARDS):
                self._put(shard, None)
            self._producer.produce(self._topics.controls, value=None, key="tick", partition=0)
            self._producer.poll(0)
            for message in self._facts.consume(500, 0.1):
                content = message.value()
                assert isinstance(content, bytes)
                n_waiting -= content.count(b'"type":"step"')

    def _put(self, shard: int, record: bytes | None) -> None:
        while True:
            try:
                return self._producer.produce(self._topics.events, value=record, partition=shard)
            except BufferError:
                self._producer.poll(0.1)


def _events(people: range, name: str) -> Iterator[Event]:
    now = time.time_ns() // 1_000_000
    for number in people:
        yield Event(
            source="shop", message_id=f"{name}-{number}", kind="track", name="Seen", user_id=f"user-{number}",
            occurred_at=now, received_at=now,
        )  # fmt: skip
