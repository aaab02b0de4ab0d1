"""The whole of an installation: Kafka, the job, a worker and a receiver, as its page says to begin them."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from demo.receiver import Receiver, Webhook, new_secret
from tests.cluster.machines import Flink, Machine, free_port
from tests.cluster.shops import Door, Shop
from tests.cluster.workplace import Worker, environment

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


class Whole:
    """One installation with all its processes."""

    def __init__(self, folder: Path, brokers: str, flink: Flink, *, job_brokers: str = "") -> None:
        """Prepare one; the job may know the brokers by another address than doors and workers."""
        secret = new_secret()
        self.receiver = Receiver(secret)
        self._heard: list[Webhook] = []
        self.receiver.on_action = self._heard.append
        self.receiver.start()
        self.shop = Shop(folder, brokers, shards=4)
        self.shop.journey.unlink()
        (folder / "journeys" / "rescue.yaml").write_text(RESCUE)
        config = json.loads(self.shop.file.read_text())
        config["sinks"] = {"shop": {"type": "webhook", "url": self.receiver.url, "secret": secret}}
        self.shop.file.write_text(json.dumps(config))
        self._folder, self._flink, self._job_brokers = folder, flink, job_brokers or brokers

    def heard(self) -> list[Webhook]:
        """Return all that the receiver has acted on."""
        return list(self._heard)

    @contextmanager
    def running(self) -> Iterator[Door]:
        """Do what the page says, in its order."""
        with self.begun(), self.shop.door() as door:
            yield door

    @contextmanager
    def begun(self) -> Iterator[str]:
        """Do so, all but the door; give the job."""
        self.shop.answer("init")
        self.shop.answer("publish", "--yes")
        job_file = self._folder / "job.json"
        self.shop.answer("job", "--out", str(job_file))
        job_file.write_text(json.dumps(json.loads(job_file.read_text()) | {"brokers": self._job_brokers}))
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
            worker.start()
            yield job
        finally:
            machine.kill()
            self._flink.cancel(job)
            self.receiver.stop()
