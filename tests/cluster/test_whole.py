"""The whole way: an event at the door, through Kafka and Flink, to a receiver, by its commands."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import pytest

from demo.receiver import Receiver, Webhook, new_secret
from tests.cluster.machines import Flink, Kafka, Machine, free_port, until
from tests.cluster.shops import Door, Shop
from tests.cluster.workplace import Worker, environment

pytestmark = pytest.mark.cluster

RESCUE = """\
journey: rescue
entry: { on: Checkout Started, key: properties.cart }
holdout: off
states:
  told:
    do: [ { webhook: shop, body: { cart: "{{ entry.key }}" } } ]
    on: { $delivered: waiting }
    after: { 1h: done }
  waiting:
    after: { 2s: reminded }
  reminded:
    do: [ { webhook: shop, body: { again: "{{ entry.key }}" } } ]
    after: { 1h: done }
  done: {}
"""
N_CARTS = 40


class Whole:
    """One installation with all its processes."""

    def __init__(self, folder: Path, kafka: Kafka, flink: Flink) -> None:
        secret = new_secret()
        self.receiver = Receiver(secret)
        self.receiver.start()
        self.shop = Shop(folder, kafka.brokers, shards=4)
        self.shop.journey.unlink()
        (folder / "journeys" / "rescue.yaml").write_text(RESCUE)
        config = json.loads(self.shop.file.read_text())
        config["sinks"] = {"shop": {"type": "webhook", "url": self.receiver.url, "secret": secret}}
        self.shop.file.write_text(json.dumps(config))
        self._folder, self._flink = folder, flink

    @contextmanager
    def running(self) -> Iterator[Door]:
        """Do what the page says, in its order."""
        self.shop.answer("init")
        self.shop.answer("publish", "--yes")
        job_file = self._folder / "job.json"
        self.shop.answer("job", "--out", str(job_file))
        job = self._flink.run(job_file, parallelism=1)
        config = json.loads(self.shop.file.read_text())
        port = free_port()
        work = self._folder / "work.yaml"
        work.write_text(json.dumps(config | {"http": {"port": port}}))
        command = [sys.executable, "-c", "from sojourn.cli import main; main()"]
        machine = Machine(
            "worker", [*command, "cluster", "work", "--config", str(work)], self._folder, environment()
        )
        worker = Worker(machine, port)
        try:
            with self.shop.door() as door:
                worker.start()
                yield door
        finally:
            machine.kill()
            self._flink.cancel(job)
            self.receiver.stop()


def test_an_event_becomes_an_action_and_its_outcome_moves_the_person(
    kafka: Kafka, flink: Flink, tmp_path: Path
) -> None:
    """Each cart is told of once, and once more when its first message was delivered two seconds ago."""
    whole = Whole(tmp_path, kafka, flink)
    arrived: dict[str, float] = {}
    again: set[str] = set()

    def hear(hook: Webhook) -> None:
        body = hook.data["body"]
        if "cart" in body:
            arrived[body["cart"]] = time.monotonic()
        else:
            again.add(body["again"])

    whole.receiver.on_action = hear
    with whole.running() as door:
        sent: dict[str, float] = {}
        for n in range(N_CARTS):
            cart = f"cart-{n}"
            message = {
                "type": "track", "event": "Checkout Started", "userId": f"user-{n}", "messageId": cart,
                "properties": {"cart": cart},
            }  # fmt: skip
            assert door.send(message, message) == 200  # sent twice, as a client that heard no answer would
            sent[cart] = time.monotonic()
            time.sleep(0.05)
        until("every cart's messages", lambda: len(arrived) == N_CARTS and len(again) == N_CARTS)
        waits = sorted((arrived[cart] - sent[cart]) * 1_000 for cart in sent)
        print(f"acknowledged to received: p50 {median(waits):.0f} ms, largest {waits[-1]:.0f} ms")
        assert whole.receiver.tally.n_acted == 2 * N_CARTS
