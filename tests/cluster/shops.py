"""Shops: installations of a cluster, with the door's own processes, and what lies in their topics."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
from confluent_kafka import Consumer, Message, TopicPartition

from sojourn.engine.records import CONTROLS, read_events
from sojourn.model.event import Entry
from sojourn.model.topics import Topics

KEY = "write-key"
WELCOME = """\
journey: welcome
entry: { on: Signed Up }
states:
  waiting: { after: { 1d: done } }
"""
ANSWER_S = 60


class Shop:
    """One folder, whose section `cluster` names topics of its own."""

    def __init__(self, folder: Path, brokers: str, *, shards: int = 8) -> None:
        self.brokers = brokers
        self.shards = shards
        self.prefix = f"shop-{uuid4().hex[:8]}"
        self.topics = Topics.of(self.prefix)
        self.file = folder / "sojourn.yaml"
        self.journey = folder / "journeys" / "welcome.yaml"
        self.journey.parent.mkdir()
        self.journey.write_text(WELCOME)
        cluster = {"brokers": brokers, "prefix": self.prefix, "shards": shards, "replicas": 1}
        config = {"http": {"port": 0}, "sources": {"web": {"write_key": KEY}}, "cluster": cluster}
        self.file.write_text(json.dumps(config))

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `sojourn cluster ...` in a process of its own."""
        return subprocess.run(
            [sys.executable, "-c", "from sojourn.cli import main; main()", "cluster", *arguments,
             "--config", str(self.file)],
            env=_environment(), capture_output=True, text=True, check=False, timeout=ANSWER_S,
        )  # fmt: skip

    def answer(self, *arguments: str) -> Any:
        """Run it and read the JSON it answers."""
        done = self.run(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def messages(self, topic: str) -> list[Message]:
        """Read all that is committed in a topic now."""
        settings = {"bootstrap.servers": self.brokers, "group.id": uuid4().hex, "enable.auto.commit": False}
        consumer = Consumer({**settings, "isolation.level": "read_committed", "enable.partition.eof": True})
        found: list[Message] = []
        try:
            partitions = consumer.list_topics(topic, timeout=30).topics[topic].partitions
            consumer.assign([TopicPartition(topic, number, 0) for number in partitions])
            ended: set[Any] = set()
            while len(ended) < len(partitions):
                for message in consumer.consume(1_000, 5.0):
                    if message.error() is None:
                        found.append(message)
                    else:
                        ended.add(message.partition())
        finally:
            consumer.close()
        return found

    def entries(self, topic: str | None = None) -> list[Entry]:
        """Read all entries of the events, or of another topic, as the engine does."""
        found: list[Entry] = []
        for message in self.messages(topic or self.topics.events):
            content, offset, partition = message.value(), message.offset(), message.partition()
            if content is None:
                continue
            assert isinstance(content, bytes)
            assert offset is not None
            assert partition is not None
            shard = CONTROLS if topic else partition
            found += read_events(content, shard=shard, offset=offset, at=message.timestamp()[1])
        return found

    @contextmanager
    def door(self) -> Iterator[Door]:
        """Serve in a process of its own until the end of the block."""
        process = subprocess.Popen(
            [sys.executable, "-c", "from sojourn.cli import main; main()", "cluster", "serve",
             "--config", str(self.file)],
            env=_environment(), stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        door = Door(process)
        try:
            door.until_serving()
            yield door
        finally:
            process.kill()
            process.wait()
            door.heard()


class Door:
    """One process, and a line to it."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.told: list[dict[str, Any]] = []
        """What it has logged."""
        self._serves = threading.Event()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    @property
    def url(self) -> str:
        """Where it listens."""
        return str(next(line["url"] for line in self.told if line.get("event") == "serving"))

    def until_serving(self) -> None:
        """Wait until it says so."""
        assert self._serves.wait(ANSWER_S), self.told
        assert self.says("serving"), self.told

    def says(self, event: str) -> bool:
        """Tell whether its log says something."""
        return any(line.get("event") == event for line in self.told)

    def heard(self) -> None:
        """Wait for its last word."""
        self._reader.join()

    def send(self, *messages: dict[str, Any]) -> int:
        """Send a batch; return the status, 0 where there was no answer."""
        body = json.dumps({"batch": messages}).encode()
        request = urllib.request.Request(self.url + "/v1/batch", body, {"X-Write-Key": KEY})
        try:
            with urllib.request.urlopen(request, timeout=ANSWER_S) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def read(self, path: str) -> tuple[int, str]:
        """Ask a path without a key."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=ANSWER_S) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def _read(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as lines:
            for line in lines:
                try:
                    self.told.append(msgspec.json.decode(line))
                except msgspec.DecodeError:
                    self.told.append({"text": line})
                if self.says("serving"):
                    self._serves.set()
        self._serves.set()


def seen(who: str, number: int | str, **more: Any) -> dict[str, Any]:
    """Make a message of somebody's device."""
    return {
        "type": "track", "event": "Seen", "anonymousId": who, "messageId": f"{who}-{number}", **more,
    }  # fmt: skip


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SOJOURN_")}
    return kept | {"NO_COLOR": "1"}
