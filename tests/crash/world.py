"""The world of the crash test: clients that insist, journeys that act soon, and a program that is killed."""

from __future__ import annotations

import http.client
import json
import threading
import time
from base64 import b64encode
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from demo.program import Program, ProgramError, Setup, write_config
from demo.receiver import Receiver, new_secret

N_PEOPLE = 150
SHARE_PASSING = 0.4  # of events are a passer-by's: many people, so that states leave memory for their table
N_CLIENTS = 3
REST_S = 0.02  # at most, between two batches of a client
MAX_BATCH = 60
SHARE_HUNG_UP = 0.05  # of batches: the client is gone before the answer, and sends again
SHARE_REPEATED = 0.05  # of acknowledged batches are sent once more
SHARE_KILLED_EARLY = 0.15  # of rounds end while the program still starts
EARLY_S = (0.1, 1.2)
DRAIN_S = 60.0

JOURNEYS = {
    "rescue": """journey: rescue
entry: { on: Checkout Started, key: properties.cart_id, reentry: after_exit }
goal:  { on: Order Completed, when: properties.cart_id == entry.key }
holdout: off
states:
  waiting:
    on:    { Help Opened: assisted }
    after: { 250ms: reminded }
  assisted:
    do:    [ { webhook: shop, body: { what: assisted, cart: "{{ entry.key }}" } } ]
    after: { 400ms: done }
  reminded:
    do:    [ { webhook: shop, body: { what: reminded, n: "{{ event.properties.n }}" } } ]
    on:    { $delivered: thanked }
    after: { 2s: done }
  thanked:
    do:    [ { webhook: shop, body: { what: thanked } } ]
    after: { 100ms: done }
""",
    "welcome": """journey: welcome
entry: { on: Signed Up, reentry: always }
holdout: 20%
states:
  greeted:
    do:    [ { webhook: shop, body: { say: "hello {{ profile.user_id }}" } } ]
    after: { 150ms: judging }
  judging:
    branch:
      - { when: "count('Product Viewed', within='1m') >= 3", to: keen }
      - { to: done }
  keen:
    do:    [ { webhook: shop, body: { say: "{{ profile.traits.plan }}" } } ]
    after: { 100ms: done }
""",
}
NAMES = ["Product Viewed"] * 30 + ["Checkout Started"] * 3 + ["Help Opened", "Order Completed", "Signed Up"]
"""Few of them act: the receiver is to keep up with a hundred lives of a second each."""


@dataclass
class Sent:
    """What the clients know."""

    acknowledged: set[str] = field(default_factory=set)
    """Message ids of events in batches that were answered with 200."""
    all: set[str] = field(default_factory=set)
    n_kills: int = 0


class Clients:
    """SDKs that keep a batch until it is acknowledged, over any number of the program's lives."""

    def __init__(self, setup: Setup, random: Random) -> None:
        self.sent = Sent()
        self._setup = setup
        self._random = random
        self._unacknowledged: deque[list[dict[str, Any]]] = deque()
        self._numbers: Iterator[int] = iter(range(1 << 40))
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self._key = b64encode(f"{setup.write_key}:".encode()).decode()

    def start(self, *, only_old: bool = False) -> None:
        """Send: first what was never acknowledged, then (unless `only_old`) new batches until `stop`."""
        self._stopping.clear()
        self._threads = [
            threading.Thread(target=self._run, args=(only_old,), daemon=True) for _ in range(N_CLIENTS)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Send no more; what is not acknowledged by now is kept."""
        self._stopping.set()
        self.wait()

    def wait(self) -> None:
        """Wait for everybody."""
        for thread in self._threads:
            thread.join()

    @property
    def n_unacknowledged(self) -> int:
        """Batches that somebody still keeps."""
        return len(self._unacknowledged)

    def _run(self, only_old: bool) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._setup.port, timeout=10)
        while not self._stopping.is_set():
            batch = self._next(only_old=only_old)
            if batch is None:
                break
            try:
                self._send(connection, batch)
            except (OSError, http.client.HTTPException):
                connection.close()
                self._unacknowledged.append(batch)
                time.sleep(0.01)
        connection.close()

    def _next(self, *, only_old: bool) -> list[dict[str, Any]] | None:
        with self._lock:
            if self._unacknowledged:
                return self._unacknowledged.popleft()
            return None if only_old else [self._event() for _ in range(self._random.randint(1, MAX_BATCH))]

    def _send(self, connection: http.client.HTTPConnection, batch: list[dict[str, Any]]) -> None:
        with self._lock:
            self.sent.all.update(event["messageId"] for event in batch)
            hangs_up, repeats = (self._random.random() < share for share in (SHARE_HUNG_UP, SHARE_REPEATED))
        headers = {"Authorization": f"Basic {self._key}"}
        connection.request("POST", "/v1/batch", json.dumps({"batch": batch}), headers)
        if hangs_up:
            raise http.client.RemoteDisconnected("the client hung up")
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise http.client.HTTPException(f"answered {answer.status}")
        with self._lock:
            self.sent.acknowledged.update(event["messageId"] for event in batch)
            if repeats:
                self._unacknowledged.append(batch)
            rest_s = self._random.uniform(0, REST_S)
        time.sleep(rest_s)

    def _event(self) -> dict[str, Any]:
        """Write one event; the lock is held."""
        n, draw = next(self._numbers), self._random
        person = N_PEOPLE + n if draw.random() < SHARE_PASSING else draw.randrange(N_PEOPLE)
        event: dict[str, Any] = {
            "type": "track",
            "event": draw.choice(NAMES),
            "messageId": f"m-{n}",
            "anonymousId": f"device-{person}-{draw.randrange(2)}",
            "properties": {"cart_id": f"c-{person}-{draw.randrange(3)}", "n": n},
        }
        if draw.random() < 0.5:
            event["userId"] = f"user-{person}"
        if draw.random() < 0.05 and "userId" in event:
            event |= {"type": "identify", "traits": {"plan": draw.choice(["gold", "basic"]), "n": n}}
            del event["event"]
        return event


class World:
    """Program, clients and receiver around one folder."""

    def __init__(self, folder: Path, *, seed: int) -> None:
        journeys = folder / "journeys"
        journeys.mkdir(parents=True)
        for name, text in JOURNEYS.items():
            (journeys / f"{name}.yaml").write_text(text, encoding="utf-8")
        secret = new_secret()
        self.random = Random(seed)
        self.receiver = Receiver(secret, share_unwell=0.05, share_silent=0.05, seed=seed)
        self.setup = write_config(
            folder,
            journeys=journeys,
            sinks={"shop": {"type": "webhook", "url": self.receiver.url, "secret": secret}},
            lake={"every": "100ms", "events": 1_000},  # so that a kill meets it at work
            deliver={"max_attempts": 100, "backoff_base": "50ms", "backoff_cap": "200ms"},
        )
        self.program = Program(self.setup)
        self.clients = Clients(self.setup, Random(seed + 1))

    def live_and_die(self, load_s: float) -> None:
        """Start the program, load it for a while, and kill it."""
        self.clients.sent.n_kills += 1
        if self.random.random() < SHARE_KILLED_EARLY:
            self.program.launch()
            time.sleep(self.random.uniform(*EARLY_S))
            self.program.kill()
            return
        self.program.start()
        self.clients.start()
        time.sleep(load_s)
        if not self.program.is_running():
            raise ProgramError(f"it ended by itself:\n{self.program.log_end()}")
        self.program.kill()
        self.clients.stop()

    def drain(self) -> None:
        """Start it once more, send what nobody acknowledged, and let everything come to its end, in order."""
        self.receiver.get_well()
        self.program.start()
        while self.clients.n_unacknowledged:
            self.clients.start(only_old=True)
            self.clients.wait()
        deadline = time.monotonic() + DRAIN_S
        while not self._is_quiet():
            if time.monotonic() > deadline:
                raise ProgramError(f"it does not come to rest:\n{self.program.log_end()}")
            time.sleep(0.1)
        assert self.program.stop() == 0, self.program.log_end()

    def close(self) -> None:
        """Leave nothing running."""
        self.clients.stop()
        self.program.kill()

    def _is_quiet(self) -> bool:
        metrics = self.program.metrics()
        busy = ("outbox", "timers")
        return not any(metrics.total("sojourn_kept", kind=kind) for kind in busy) and not metrics.total(
            "sojourn_lag_entries"
        )
