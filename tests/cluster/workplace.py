"""A workplace: topics of their own, a receiver, and outbox workers as processes that a test may kill."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import msgspec
from confluent_kafka import Consumer, Producer, TopicPartition
from msgspec import Raw

from demo.receiver import Receiver, new_secret
from sojourn.adapters.kafka_topics import make_topics
from sojourn.engine.records import CONTROLS, Sent, encode_events, read_events
from sojourn.model.action import Action
from sojourn.model.event import Event
from sojourn.model.ids import ActionId, EnrolmentId, ProfileId
from sojourn.model.topics import Topics
from tests.cluster.machines import ROOT, Kafka, Machine, free_port, until

FAR = 4_000_000_000_000
N_SHARDS = 4
CONFIG = """
http: {{ port: {port} }}
log: {{ format: json }}
cluster:
  brokers: "{brokers}"
  prefix: {prefix}
  shards: {shards}
  replicas: 1
  client: {{ session.timeout.ms: "6000" }}
sinks:
  shop: {{ type: webhook, url: "{url}", secret: "{secret}" }}
deliver: {{ backoff_base: 50ms, backoff_cap: 500ms, max_attempts: {attempts} }}
"""


def action(name: str, *, sink: str = "shop", user: str = "7", at: int = 0) -> Action:
    """Make an action of an enrolment of its own."""
    return Action(
        id=ActionId(name), sink=sink, at=at, expires_at=FAR, profile_id=ProfileId(f"u:{user}"),
        user_id=user, journey="rescue", version="1", enrolment_id=EnrolmentId(f"e-{name}"), state="nudge",
        body=Raw(b'{"n":1}'),
    )  # fmt: skip


class Worker:
    """One process of the group."""

    def __init__(self, machine: Machine, port: int) -> None:
        self.machine = machine
        self._port = port

    def start(self) -> None:
        """Start it, and wait until the group has given it its share."""
        self.machine.start()
        until(self.machine.name, self.is_ready)

    def is_ready(self) -> bool:
        """Tell whether it says so."""
        try:
            return httpx.get(f"http://127.0.0.1:{self._port}/ready", timeout=2).status_code == 200
        except httpx.HTTPError:
            return False

    def metrics(self) -> str:
        """Return what it measured."""
        return httpx.get(f"http://127.0.0.1:{self._port}/metrics", timeout=5).text

    def n_delivered(self) -> int:
        """Return how many actions it delivered."""
        found = re.search(
            r'sojourn_deliveries_total\{outcome="delivered",sink="shop"\} (\d+)', self.metrics()
        )
        return int(found[1]) if found else 0

    def said(self) -> str:
        """Return the end of its log."""
        return self.machine.log.read_text(errors="replace")[-3_000:] if self.machine.log.exists() else ""


class Workplace:
    """Everything around the workers."""

    def __init__(self, kafka: Kafka, folder: Path, *, unwell: float = 0.0, attempts: int = 100) -> None:
        self._kafka, self._folder, self._attempts = kafka, folder, attempts
        self.prefix = f"work-{uuid4().hex[:8]}"
        self.topics = Topics.of(self.prefix)
        self.client: dict[str, Any] = {"bootstrap.servers": kafka.brokers, "log_level": 0}
        make_topics(self.client, self.topics, n_shards=N_SHARDS, n_partitions=4)
        self._secret = new_secret()
        self.receiver = Receiver(self._secret, share_unwell=unwell)
        self.receiver.start()
        self._producer = Producer(self.client | {"enable.idempotence": True})
        self.workers: list[Worker] = []
        self.configs: list[Path] = []

    def worker(self) -> Worker:
        """Add a worker; it is not started."""
        port, name = free_port(), f"worker-{len(self.workers)}"
        config = self._folder / f"{name}.yaml"
        self.configs.append(config)
        told = CONFIG.format(
            brokers=self._kafka.brokers,
            prefix=self.prefix,
            shards=N_SHARDS,
            port=port,
            url=self.receiver.url,
            secret=self._secret,
            attempts=self._attempts,
        )
        config.write_text(told)
        command = [sys.executable, "-c", "from sojourn.cli import main; main()", "cluster", "work"]
        command += ["--config", str(config)]
        found = Worker(Machine(name, command, self._folder, environment()), port)
        self.workers.append(found)
        return found

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `sojourn cluster ...`, configured as the last worker."""
        command = [sys.executable, "-c", "from sojourn.cli import main; main()", "cluster", *arguments]
        return subprocess.run(
            [*command, "--config", str(self.configs[-1])],
            env=environment(), capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip

    def write(self, actions: Iterable[Action]) -> None:
        """Write actions, as the job does: spread over the partitions, without a key."""
        for at, one in enumerate(actions):
            self._producer.produce(self.topics.actions, value=msgspec.json.encode(one), partition=at % 4)
        assert self._producer.flush(60) == 0

    def write_in_order(self, actions: Iterable[Action]) -> None:
        """Write actions into one partition."""
        for one in actions:
            self._producer.produce(self.topics.actions, value=msgspec.json.encode(one), partition=0)
        assert self._producer.flush(60) == 0

    def control(self, event: Event) -> None:
        """Write a control."""
        record = encode_events([Sent(event)])
        self._producer.produce(self.topics.controls, record, event.message_id, partition=0)
        assert self._producer.flush(60) == 0

    def open(self) -> int:
        """Count the records that are not committed as done."""
        asked = Consumer(self.client | {"group.id": f"{self.prefix}.workers", "enable.auto.commit": False})
        try:
            places = [TopicPartition(self.topics.actions, number) for number in range(4)]
            n_open = 0
            for place in asked.committed(places, timeout=30):
                _, high = asked.get_watermark_offsets(
                    TopicPartition(place.topic, place.partition), timeout=30
                )
                n_open += high - max(place.offset, 0)
            return n_open
        finally:
            asked.close()

    def outcomes(self) -> Counter[str]:
        """Return the message ids of the events, with how often each is there."""
        return Counter(event.message_id for event in self.events())

    def events(self) -> list[Event]:
        """Read all events."""
        client = self.client | {"group.id": uuid4().hex, "enable.partition.eof": True}
        consumer = Consumer(client)
        consumer.assign([TopicPartition(self.topics.events, number, 0) for number in range(N_SHARDS)])
        found: list[Event] = []
        ended: set[int | None] = set()
        while len(ended) < N_SHARDS:
            message = consumer.poll(30)
            assert message is not None, "the broker does not answer"
            if message.error() is not None:
                ended.add(message.partition())
                continue
            content = message.value() or b""  # a tick
            assert isinstance(content, bytes)
            found += [one.event for one in read_events(content, shard=CONTROLS, offset=0, at=0)]
        consumer.close()
        return found

    def close(self) -> None:
        """End all of it."""
        for worker in self.workers:
            worker.machine.kill()
        self.receiver.stop()


def environment() -> dict[str, str]:
    return dict(os.environ) | {"PYTHONPATH": str(ROOT / "src")}
