"""Decisions on a cluster: from the door to Kafka, Flink and the serving store, and back to who asks."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import pytest

from sojourn.adapters.serving_store import PLACE_CHARS
from tests.adapters.redises import RedisServer
from tests.cluster.machines import Flink, Kafka, Machine, free_port, until
from tests.cluster.shops import Door, Shop
from tests.cluster.workplace import Worker, environment

pytestmark = pytest.mark.cluster

TOKEN = "admin-token-of-32-characters-or-more"
KEY = "a-key-of-an-application-of-32-characters"
RESCUE = """\
journey: rescue
entry: { on: Checkout Started }
holdout: off
states:
  waiting: { on: { Paid: thanked }, after: { 1d: done } }
  thanked: { after: { 1d: done } }
  done: {}
"""
SHARE = """\
flag: share
variants: { low: 1.0, high: 2.5 }
default: low
rules: [ { experiment: { id: shares, variants: { low: 1, high: 1 } } } ]
"""
N_PEOPLE = 60


class Serving:
    """One installation that answers, with all its processes."""

    def __init__(self, folder: Path, kafka: Kafka, flink: Flink) -> None:
        self.redis = RedisServer(folder)
        self.shop = Shop(folder, kafka.brokers, shards=4)
        (folder / "journeys" / "welcome.yaml").unlink()
        (folder / "journeys" / "rescue.yaml").write_text(RESCUE)
        (folder / "journeys" / "share.yaml").write_text(SHARE)
        config = json.loads(self.shop.file.read_text())
        config["admin_token"] = TOKEN
        config["decisions"] = {"keys": {"shop": {"key": KEY}}, "wait": "5s"}
        config["cluster"]["serving"] = {"url": self.redis.url}
        self.shop.file.write_text(json.dumps(config))
        port = free_port()
        feeding = folder / "feed.yaml"
        client = {"session.timeout.ms": "6000"}
        told = {**config, "http": {"port": port}, "cluster": {**config["cluster"], "client": client}}
        feeding.write_text(json.dumps(told))
        command = [sys.executable, "-c", "from sojourn.cli import main; main()"]
        machine = Machine(
            "feeder", [*command, "cluster", "feed", "--config", str(feeding)], folder, environment()
        )
        self.feeder = Worker(machine, port)
        self._folder, self._flink = folder, flink

    @contextmanager
    def running(self) -> Iterator[Door]:
        """Do what the page says, in its order."""
        self.redis.start()
        self.shop.answer("init")
        self.shop.answer("publish", "--yes")
        job_file = self._folder / "job.json"
        self.shop.answer("job", "--out", str(job_file))
        job = ""
        try:
            with self.shop.door() as door:
                until("the door's answers", lambda: door.read("/ready")[0] == 200)
                job = self._flink.run(job_file, parallelism=1, savepoint=self._quiet_beginning(door))
                self.feeder.start()
                yield door
        finally:
            self.feeder.machine.kill()
            if job:
                self._flink.cancel(job)
            self.redis.kill()

    def _quiet_beginning(self, door: Door) -> str:
        """Let the job run for a while without telling states; return its savepoint."""
        quiet = self._folder / "quiet.json"
        told = json.loads((self._folder / "job.json").read_text())
        quiet.write_text(json.dumps(told | {"states": False}))
        job = self._flink.run(quiet, parallelism=1)
        assert door.send(did("Checkout Started", userId="early")) == 200
        until("its facts", lambda: self.shop.messages(self.shop.topics.facts))
        savepoint = self._flink.stop(job)
        assert self.told() == {}
        return savepoint

    def states(self) -> dict[str, bytes]:
        """Return the states in the store."""
        client = self.redis.client()
        prefix = f"{self.shop.prefix}:s:"
        found: dict[str, bytes] = {}
        for name in client.scan_iter(f"{prefix}*"):
            content = client.get(name)
            if content is not None and len(content) > PLACE_CHARS:
                found[name.decode().removeprefix(prefix)] = content[PLACE_CHARS:]
        return found

    def told(self) -> dict[str, bytes]:
        """Return the states in the topic, the newest of each."""
        found: dict[str, Any] = {}
        for message in self.shop.messages(self.shop.topics.states):
            key = message.key()
            assert isinstance(key, bytes)
            if not key.startswith(b"mark|"):
                found[key.decode()] = message.value()
        return {name: content for name, content in found.items() if content is not None}


class Application:
    """One that asks for decisions."""

    def __init__(self, door: Door) -> None:
        self._client = httpx.Client(base_url=door.url, headers={"X-API-Key": KEY}, timeout=20)

    def ask(self, flag: str, who: str) -> httpx.Response:
        """Ask for one flag."""
        return self._client.post(f"/ofrep/v1/evaluate/flags/{flag}", json={"context": {"targetingKey": who}})

    def state(self, who: str) -> tuple[str, dict[str, Any]]:
        """Return where somebody stands, and what is said beside it."""
        answer = self.ask("journey.rescue.state", who)
        assert answer.status_code == 200, answer.text
        body = answer.json()
        return body["value"], body["metadata"]

    def profile(self, who: str) -> httpx.Response:
        """Look somebody up."""
        return self._client.get(f"/api/v1/profiles/{who}", headers={"Authorization": f"Bearer {TOKEN}"})


def did(name: str, **ids: str) -> dict[str, Any]:
    """Make a message of its own."""
    return {"type": "track", "event": name, "messageId": f"{name}-{time.monotonic_ns()}", **ids}


def test_a_cluster_answers_from_its_store(kafka: Kafka, flink: Flink, tmp_path: Path) -> None:
    """What was just acknowledged is seen, through faults of feeder and store."""
    serving = Serving(tmp_path, kafka, flink)
    with serving.running() as door:
        application = Application(door)
        sees_what_it_wrote(door, application)
        exposes_once(serving, application)
        outlives_its_feeder(serving, door, application)
        is_made_again(serving, application)
        goes_on_without_its_store(serving, door, application)


def sees_what_it_wrote(door: Door, application: Application) -> None:
    """Each answer has the event before it, of users and devices, and of a device that gets a name."""
    waits: list[float] = []
    for n in range(N_PEOPLE):
        who = {"userId": f"user-{n}"} if n % 2 else {"anonymousId": f"phone-{n}"}
        (one,) = who.values()
        for name, state in (("Checkout Started", "waiting"), ("Paid", "thanked")):
            assert door.send(did(name, **who)) == 200
            began = time.monotonic()
            found, said = application.state(one)
            waits.append((time.monotonic() - began) * 1_000)
            assert (found, said.get("behind", False)) == (state, False), (one, name, said)
        if not n % 2:
            named = {"type": "identify", "anonymousId": one, "userId": f"user-{n}", "messageId": f"i-{n}"}
            assert door.send(named) == 200
            assert application.state(f"user-{n}")[0] == "thanked"
            assert application.state(one)[0] == "thanked"
    print(f"acknowledged to decided: p50 {median(waits):.0f} ms, largest {max(waits):.0f} ms")
    assert application.state("nobody")[0] == ""
    assert application.state("early")[0] == "waiting"  # from before states were told
    assert application.profile("nobody").status_code == 404
    profile = application.profile("phone-0").json()
    assert profile["id"] == "u:user-0"
    assert profile["anonymous_ids"] == ["phone-0"]
    assert [one["state"] for one in profile["enrolments"]] == [["thanked"]]


def exposes_once(serving: Serving, application: Application) -> None:
    """What was drawn and told is in the log, and in the profile then."""
    for _ in range(3):
        assert application.ask("share", "user-1").status_code == 200

    def exposures() -> int:
        return sum(entry.event.name == "$exposed" for entry in serving.shop.entries())

    until("the exposure", exposures)
    until(
        "its fact in the state",
        lambda: "shares" in application.profile("user-1").json().get("variants", {}),
        patience_s=20,
    )
    assert exposures() == 1


def outlives_its_feeder(serving: Serving, door: Door, application: Application) -> None:
    """Killed in the midst of it, and started again: the store has what the topic has."""
    for n in range(40):
        if n == 20:
            serving.feeder.machine.kill()
        assert door.send(did("Checkout Started", userId=f"late-{n}")) == 200
    serving.feeder.start()
    assert application.state("late-39")[0] == "waiting"
    until("the store", lambda: serving.states() == serving.told())


def is_made_again(serving: Serving, application: Application) -> None:
    """A store that lost all it had gets it from the topic, while the feeder goes on."""
    before = serving.states()
    serving.redis.client().flushall()
    until("the store to be made again", lambda: serving.states() == before, patience_s=30)
    assert application.state("user-1")[0] == "thanked"


def goes_on_without_its_store(serving: Serving, door: Door, application: Application) -> None:
    """Events are taken, whoever asks is told to come again, and all is there once it is back."""
    serving.redis.kill()
    assert door.send(did("Checkout Started", userId="brave")) == 200
    refused = application.ask("journey.rescue.state", "brave")
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    assert application.profile("brave").status_code == 503
    serving.redis.start()
    until("an answer", lambda: application.ask("journey.rescue.state", "brave").status_code == 200)
    until("all of it", lambda: serving.states() == serving.told(), patience_s=30)
    assert application.state("brave")[0] == "waiting"
