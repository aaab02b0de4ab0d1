"""One installation's topics: a recorded history goes in, facts and actions come out."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from uuid import uuid4

import msgspec
from confluent_kafka import Consumer, Producer, TopicPartition

from sojourn.adapters.kafka_topics import make_topics
from sojourn.definitions.controls import is_control
from sojourn.definitions.publishing import InForce
from sojourn.engine.records import HISTORY, SHADOW, Sent, encode_events, entry_shard
from sojourn.model.event import Entry
from sojourn.model.topics import Topics
from tests.laws.runtimes import Outcome

READ_S = 180.0  # at most: killed TaskManagers are away for half a minute, on a busy machine for two.


def bare(outcome: Outcome) -> Outcome:
    """Leave the states out."""
    return Outcome(outcome.facts, outcome.actions, {})


class Installation:
    """Topics of their own, and a job's settings that name them."""

    def __init__(
        self,
        brokers: str,
        folder: Path,
        in_force: InForce,
        *,
        n_shards: int = 4,
        entries: bool = False,
        states: bool = False,
    ) -> None:
        self.brokers = brokers
        self.n_shards = n_shards
        self.prefix = f"test-{uuid4().hex[:8]}"
        self.topics = Topics.of(self.prefix)
        # A recorded history brings its instants along, however old.
        make_topics(
            {"bootstrap.servers": brokers},
            self.topics,
            n_shards=n_shards,
            is_moved=True,
            has_entries=entries,
        )
        told = {"brokers": brokers, "prefix": self.prefix, "shards": n_shards, "in_force": in_force}
        told |= {"entries": entries, "states": states}
        self.settings = folder / f"{self.prefix}.json"
        self.settings.write_bytes(msgspec.json.encode(told))
        self._producer = Producer({"bootstrap.servers": brokers, "enable.idempotence": True})

    def feed(self, entries: Iterable[Entry]) -> None:
        """Put entries where they belong, with their places."""
        for entry in entries:
            flags = HISTORY * entry.is_history | SHADOW * entry.is_shadow
            record = encode_events([Sent(entry.event, flags, entry.at, entry.position)])
            if is_control(entry.event):
                self._put(self.topics.controls, 0, record, entry.at)
                for shard in range(self.n_shards):
                    self._put(self.topics.events, shard, b"", entry.at)
            else:
                self._put(self.topics.events, entry_shard(entry.event, self.n_shards), record, entry.at)
        self._producer.flush()

    def tick(self, at: int) -> None:
        """Say on every partition that it is later than an instant."""
        for shard in range(self.n_shards):
            self._put(self.topics.events, shard, None, at + 1)
        self._put(self.topics.controls, 0, None, at + 1)
        self._producer.flush()

    def _put(self, topic: str, partition: int, record: bytes | None, at: int) -> None:
        # What is compacted needs keys, and every control one of its own.
        key = (f"{at}-{uuid4().hex}" if record else "tick") if topic == self.topics.controls else None
        self._producer.produce(topic, value=record, key=key, partition=partition, timestamp=at)

    def keyed(self, topic: str) -> dict[str, list[bytes | None]]:
        """Return all there is in a topic now, in its order, by name; each name lies in one partition."""
        settings = {"bootstrap.servers": self.brokers, "group.id": uuid4().hex, "enable.auto.commit": False}
        consumer = Consumer({**settings, "enable.partition.eof": True})
        found: dict[str, list[bytes | None]] = defaultdict(list)
        places: dict[str, int | None] = {}
        partitions = consumer.list_topics(topic, timeout=30).topics[topic].partitions
        consumer.assign([TopicPartition(topic, number, 0) for number in partitions])
        n_open = len(partitions)
        while n_open:
            for message in consumer.consume(1_000, 5.0):
                if message.error() is not None:
                    n_open -= 1
                    continue
                key, content = message.key(), message.value()
                assert isinstance(key, bytes)
                assert content is None or isinstance(content, bytes)
                assert places.setdefault(key.decode(), message.partition()) == message.partition()
                found[key.decode()].append(content)
        consumer.close()
        return found

    def read(self, expected: Outcome, *, patience_s: float = READ_S) -> Outcome:
        """Return what came out, committed, once there is as much as expected or it is time to look."""
        facts: list[bytes] = []
        actions: list[bytes] = []
        topics: Sequence[str] = (self.topics.facts, self.topics.actions, self.topics.failed)
        consumer = Consumer(
            {
                "bootstrap.servers": self.brokers,
                "group.id": uuid4().hex,
                "auto.offset.reset": "earliest",
                "isolation.level": "read_committed",
            }
        )
        consumer.subscribe(list(topics))
        ends = time.monotonic() + patience_s
        try:
            while time.monotonic() < ends:
                message = consumer.poll(0.5)
                if message is None:
                    if len(facts) >= len(expected.facts) and len(set(actions)) >= len(expected.actions):
                        break
                    continue
                content = message.value()
                assert message.error() is None
                assert isinstance(content, bytes)
                assert message.topic() != self.topics.failed, content
                if message.topic() == self.topics.facts:
                    facts += [bytes(fact) for fact in msgspec.json.decode(content, type=list[msgspec.Raw])]
                else:
                    actions.append(content)
        finally:
            consumer.close()
        return Outcome(sorted(facts), sorted(actions), {})
