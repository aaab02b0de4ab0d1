"""Failed events on real topics: what a door refused, what the job failed on, tried again by their numbers."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from confluent_kafka import Producer

from sojourn.model.event import FailedEvent
from sojourn.model.turn import Arrived
from sojourn.runtime.salvage import Failure, failed_step
from tests.cluster.machines import Kafka, until
from tests.cluster.shops import Shop
from tests.engine.makers import event

pytestmark = pytest.mark.cluster


def test_what_was_refused_is_listed_and_tried_again(kafka: Kafka, tmp_path: Path) -> None:
    """One is in the log then, once and noted as tried; what the engine failed on is in it already."""
    shop = Shop(tmp_path, kafka.brokers, shards=4)
    shop.answer("init")
    with shop.door() as door:
        assert door.send({"type": "track", "event": "Seen", "messageId": "nobody"}) == 200
        until("the refusal", lambda: len(shop.answer("failed", "list")) == 1)
    body = b'{"type":"track","event":"Seen","userId":"ada","messageId":"m-2"}'
    mended = FailedEvent(source="web", received_at=7, code="old-rule", reason="then", body=body)
    with pytest.raises(ValueError, match="planted") as planted:
        raise ValueError("planted")
    step = Failure(("profile", "ada"), Arrived(5, 9, event("Seen", at=5)), planted.value, 5)
    producer = Producer({"bootstrap.servers": kafka.brokers})
    for one in (mended, failed_step(step), failed_step(step)):
        producer.produce(shop.topics.failed, msgspec.json.encode(one), partition=0)
    assert producer.flush(30) == 0
    listed = shop.answer("failed", "list")
    assert [(each["id"], each["code"]) for each in listed] == [
        (3, "engine-error"), (2, "old-rule"), (1, "missing-id"),
    ]  # fmt: skip
    assert "ValueError" in listed[0]["reason"]
    kinds = shop.answer("failed", "summary")
    assert sorted((each["code"], each["n"]) for each in kinds) == [
        ("engine-error", 1), ("missing-id", 1), ("old-rule", 1),
    ]  # fmt: skip
    assert shop.answer("forget", "ada", "--dry-run")["view"]["n_failed"] == 1
    tried = shop.run("failed", "retry", "1", "2", "3", "9", "--json")
    assert tried.returncode == 1
    assert [(each["id"], each["verdict"]) for each in json.loads(tried.stdout)] == [
        (1, "failed"), (2, "taken"), (3, "refused"), (9, "refused"),
    ]  # fmt: skip
    assert [(entry.event.message_id, entry.event.user_id) for entry in shop.entries()] == [("m-2", "ada")]
    again = json.loads(shop.run("failed", "retry", "2", "--json").stdout)
    assert [(each["verdict"], "tried again before" in each["reason"]) for each in again] == [
        ("refused", True)
    ]
    assert [each["id"] for each in shop.answer("failed", "list", "--limit", "1", "--before", "3")] == [2]
