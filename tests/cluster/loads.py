"""Loads: clients that send batches again until they are acknowledged, and what must have become of them."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Lock, Thread
from typing import Any

import msgspec

from tests.cluster.machines import until
from tests.cluster.shops import Door, Shop, seen
from tests.cluster.whole import Whole

N_CLIENTS = 4
IN_BATCH = 25
PAUSE_S = 0.2
LATE_S = 120.0


class Load:
    """Some clients; a batch has one cart in it, and what other people saw."""

    def __init__(self, door: Callable[[], Door]) -> None:
        """Take how a client finds a door."""
        self._door = door
        self.carts: set[str] = set()
        """Acknowledged."""
        self.messages: set[str] = set()
        """Acknowledged."""
        self.n_repeated = 0
        """Batches that were sent again."""
        self.answered_at = 0.0
        """When a batch was acknowledged last."""
        self._lock = Lock()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Send until the end of the block, and then until all that was sent is acknowledged."""
        enough = Event()
        clients = [
            Thread(target=self._send, args=(number, enough), daemon=True) for number in range(N_CLIENTS)
        ]
        for client in clients:
            client.start()
        try:
            yield
        finally:
            enough.set()
            for client in clients:
                client.join(LATE_S)
        assert not any(client.is_alive() for client in clients)

    def recovered(self, since: float) -> float:
        """Wait for the next acknowledgement after an instant; return how long after it that came, s."""
        until("an acknowledgement", lambda: self.answered_at > since)
        return self.answered_at - since

    def _send(self, client: int, enough: Event) -> None:
        number = 0
        while not enough.is_set():
            cart = f"cart-{client}-{number}"
            others = [seen(f"c{client}-{person}", number) for person in range(IN_BATCH - 1)]
            batch: list[dict[str, Any]] = [
                *others[: number % IN_BATCH],
                {
                    "type": "track", "event": "Checkout Started", "userId": f"user-{client}-{number}",
                    "messageId": cart, "properties": {"cart": cart},
                },
                *others[number % IN_BATCH :],
            ]  # fmt: skip
            while self._door().send(*batch) != 200:
                with self._lock:
                    self.n_repeated += 1
                time.sleep(0.05)
            with self._lock:
                self.carts.add(cart)
                self.messages |= {str(message["messageId"]) for message in batch}
                self.answered_at = time.monotonic()
            number += 1
            time.sleep(PAUSE_S)


def counted_once(whole: Whole, load: Load) -> None:
    """Each acknowledged event is a step once, each cart was entered once, and told of once."""
    until("every step", lambda: load.messages <= steps(whole).keys(), patience_s=LATE_S)
    assert steps(whole) == dict.fromkeys(load.messages, 1)
    entered = [fact for fact in facts(whole.shop) if fact["type"] == "entered"]
    assert Counter(fact["key"] for fact in entered) == dict.fromkeys(load.carts, 1)
    # One in a hundred is held out of everything, and told nothing.
    wanted = {(what, fact["key"]) for fact in entered if "held_out" not in fact for what in ("cart", "again")}

    def lacking() -> set[tuple[str, str]]:
        return wanted - {effect for hook in whole.heard() for effect in hook.data["body"].items()}

    try:
        until("every action", lambda: not lacking(), patience_s=LATE_S)
    except AssertionError as error:
        raise AssertionError(f"{error}; {len(lacking())} lack: {sorted(lacking())[:5]}") from None
    assert whole.receiver.tally.doubled == []
    assert whole.receiver.tally.n_acted == len(wanted)


def steps(whole: Whole) -> Counter[str]:
    """Count the steps by the messages they are of."""
    return Counter(fact["message_id"] for fact in facts(whole.shop) if fact.get("source") == "web")


def facts(shop: Shop) -> list[dict[str, Any]]:
    """Read all facts that are committed."""
    return [
        fact
        for message in shop.messages(shop.topics.facts)
        for fact in msgspec.json.decode(message.value() or b"[]")
    ]
