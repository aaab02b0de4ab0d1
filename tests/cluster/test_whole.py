"""The whole way: an event at the door, through Kafka and Flink, to a receiver, by its commands."""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median

import pytest

from demo.receiver import Webhook
from tests.cluster.machines import Flink, Kafka, until
from tests.cluster.whole import Whole

pytestmark = pytest.mark.cluster

N_CARTS = 40


def test_an_event_becomes_an_action_and_its_outcome_moves_the_person(
    kafka: Kafka, flink: Flink, tmp_path: Path
) -> None:
    """Each cart is told of once, and once more when its first message was delivered two seconds ago."""
    whole = Whole(tmp_path, kafka.brokers, flink)
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
