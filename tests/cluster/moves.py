"""Installations that move: a data folder with people in it, and the topics it is to go to."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any
from uuid import uuid4

import msgspec
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from sojourn.config import Config, load_config
from sojourn.engine.records import CONTROLS, Sent, encode_events, entry_shard, is_moved, read_events
from sojourn.model.action import Action
from sojourn.model.event import Event
from sojourn.model.topics import Topics
from sojourn.runtime.moving.outward import Record
from sojourn.wiring.house import House, open_house
from tests.cluster.shops import KEY, Door
from tests.laws.test_moving import TOPICS, Moved

N_SHARDS = 4
HOUR_MS = 3_600_000
WAITING = """\
journey: rescue
entry: { on: Checkout Started }
states:
  waiting: { after: { 2h: told } }
  told: { do: [ { webhook: shop, body: { who: "{{ profile.user_id }}" } } ], after: { 30d: done } }
  done: {}
"""


def event(who: str, name: str, number: int | str, *, at: int) -> Event:
    """Make an event of somebody's device; who begins with `u` has a name."""
    is_named = who.startswith("u")
    return Event(
        kind="track", name=name, source="web", message_id=f"{who}-{number}", anonymous_id=f"d-{who}",
        user_id=who if is_named else None, received_at=at, occurred_at=at,
    )  # fmt: skip


class Installation:
    """One folder, with its configuration."""

    def __init__(self, folder: Path, brokers: str, *, sink: str = "http://127.0.0.1:9/") -> None:
        self.folder = folder
        self.brokers = brokers
        self.prefix = f"move-{uuid4().hex[:8]}"
        self.topics = Topics.of(self.prefix)
        self.data = folder / "data"
        self.file = folder / "sojourn.yaml"
        self.sink = sink
        (folder / "journeys").mkdir(parents=True)
        (folder / "journeys" / "rescue.yaml").write_text(WAITING)
        self.configure()

    def configure(self) -> None:
        """Write the configuration."""
        cluster: dict[str, Any] = {
            "brokers": self.brokers, "prefix": self.prefix, "shards": N_SHARDS, "partitions": 2,
            "replicas": 1,
            "states": True,
        }  # fmt: skip
        config = {
            "data": str(self.data), "http": {"port": 0}, "sources": {"web": {"write_key": KEY}},
            "cluster": cluster, "sinks": {"shop": {"type": "webhook", "url": self.sink}},
        }  # fmt: skip
        self.file.write_text(json.dumps(config))

    @property
    def config(self) -> Config:
        """Read it."""
        return load_config(self.file, data=None, environment={})

    def twin(self, folder: Path) -> Installation:
        """Return the same once more, with other topics to go to."""
        other = Installation(folder, self.brokers, sink=self.sink)
        shutil.copytree(self.data, other.data)
        return other

    def fill(self, batches: Sequence[tuple[int, Sequence[Event]]]) -> None:
        """Take events, each batch at its instant (ms)."""
        with open_house(self.config) as house:
            for at, events in batches:
                house.log.append(events, now=at)
                house.driver.catch_up()

    def open(self) -> Any:
        """Open the folder to look at."""
        return open_house(self.config, publish=False)

    def command(self, *arguments: str) -> list[str]:
        """Return the command line of `sojourn migrate ...`."""
        run = "from sojourn.cli import main; main()"
        return [sys.executable, "-c", run, "migrate", *arguments, "--config", str(self.file)]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run it."""
        return subprocess.run(
            self.command(*arguments), env=dict(os.environ), capture_output=True, text=True, check=False,
            timeout=120,
        )  # fmt: skip

    def answer(self, *arguments: str) -> Any:
        """Run it, and read what it answers."""
        done = self.run(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def actions(self) -> list[str]:
        """Return the ids of the actions in their topic."""
        return [
            msgspec.json.decode(value, type=Action).id
            for (topic, _), records in self.lying().items()
            if topic == "actions"
            for _, value, _ in records
        ]

    def names(self) -> set[str]:
        """Return what topics there are."""
        admin = AdminClient({"bootstrap.servers": self.brokers})
        return set(admin.list_topics(timeout=30).topics)

    def append(self, given: Event) -> None:
        """Append an event to its shard."""
        producer = Producer({"bootstrap.servers": self.brokers})
        shard = entry_shard(given, N_SHARDS)
        producer.produce(self.topics.events, encode_events([Sent(given)]), partition=shard)
        assert producer.flush(60) == 0

    @contextmanager
    def door(self) -> Iterator[Door]:
        """Serve in a process of its own until the end of the block."""
        run = "from sojourn.cli import main; main()"
        process = subprocess.Popen(
            [sys.executable, "-c", run, "cluster", "serve", "--config", str(self.file)],
            env=dict(os.environ), stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        door = Door(process)
        try:
            door.until_serving()
            yield door
        finally:
            process.terminate()
            process.wait()
            door.heard()

    def messages(self, topic: str) -> list[Any]:
        """Read a topic as it is now."""
        settings = {"bootstrap.servers": self.brokers, "group.id": uuid4().hex, "enable.partition.eof": True}
        consumer = Consumer(settings)
        numbers = consumer.list_topics(topic, timeout=30).topics[topic].partitions
        consumer.assign([TopicPartition(topic, number, 0) for number in numbers])
        found: list[Any] = []
        n_ended = 0
        while n_ended < len(numbers):
            messages = consumer.consume(1_000, 5.0)
            found += [message for message in messages if message.error() is None]
            n_ended += sum(message.error() is not None for message in messages)
        consumer.close()
        return found

    def lying(self) -> dict[tuple[str, int], list[tuple[Any, Any, Any]]]:
        """Read every record of every topic: by (topic without the prefix, partition), in order."""
        settings = {"bootstrap.servers": self.brokers, "group.id": uuid4().hex, "enable.partition.eof": True}
        consumer = Consumer(settings | {"auto.offset.reset": "earliest"})
        known = consumer.list_topics(timeout=30).topics
        names = [name for name in msgspec.structs.astuple(self.topics) if name in known]
        places = [TopicPartition(name, number, 0) for name in names for number in known[name].partitions]
        consumer.assign(places)
        found: dict[tuple[str, int], list[tuple[Any, Any, Any]]] = {}
        n_ended = 0
        while n_ended < len(places):
            for message in consumer.consume(1_000, 5.0):
                if message.error() is not None:
                    n_ended += 1
                    continue
                place = (message.topic().rpartition(".")[2], message.partition())
                found.setdefault(place, []).append((message.key(), message.value(), message.headers()))
        consumer.close()
        return found


def filled(installation: Installation, *, n_people: int, ago_ms: int = HOUR_MS) -> int:
    """Let people begin to wait, so long ago; return when that was, ms."""
    at = int(time.time() * 1000) - ago_ms
    people = [f"{'ua'[number % 2]}{number}" for number in range(n_people)]
    installation.fill(
        [
            (at + n, [event(who, "Checkout Started", 1, at=at) for who in people[n : n + 500]])
            for n in range(0, n_people, 500)
        ]
    )
    return at


def letters_of(house: House) -> list[tuple[str, str, int]]:
    """Return what waits in a folder's outbox: action, whose, decided when."""
    letters = house.outbox.waiting("shop", now=1 << 60, limit=10_000)
    return sorted((one.action.id, one.action.profile_id, one.action.at) for one in letters)


def work(place: Installation) -> int:
    """Do what the job does, in this process, with all that is in the topics; return up to when, ms."""
    shards = Moved(N_SHARDS, Random(1))
    until = 0
    for topic in (place.topics.controls, place.topics.events):
        for message in place.messages(topic):
            content, at = message.value(), message.timestamp()[1]
            until = max(until, at)
            if not content:
                continue
            if is_moved(content):
                shards.adopt(
                    Record(topic=TOPICS.events, partition=message.partition(), value=content, kind="states")
                )
                continue
            shard = CONTROLS if topic == place.topics.controls else message.partition()
            for entry in read_events(content, shard=shard, offset=message.offset(), at=at):
                if shard == CONTROLS:
                    shards.feed(entry)
                else:
                    shards.hear(entry)
    shards.take([], until=until)
    producer = Producer({"bootstrap.servers": place.brokers})
    for name, value in shards.newest().items():
        producer.produce(place.topics.states, value, name)
    found = shards.outcome()
    for fact in found.facts:
        producer.produce(place.topics.facts, b"[%b]" % fact)
    for action in found.actions:
        producer.produce(place.topics.actions, action)
    assert producer.flush(60) == 0
    return until
