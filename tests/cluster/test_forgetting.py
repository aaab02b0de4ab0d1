"""Somebody is forgotten on a cluster: from the control on nothing names them, and in time no byte does."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec
import pytest

from sojourn.definitions.controls import FORGET
from sojourn.model.fact import Exited, Fact
from tests.cluster.machines import Flink, Kafka, until
from tests.cluster.shops import Door, Shop

pytestmark = pytest.mark.cluster

ADA, PHONE = "ada-7f3a", "phone-7f3a"


@pytest.fixture
def shop(kafka: Kafka, tmp_path: Path) -> Shop:
    """An installation whose topics keep everything for a while."""
    found = Shop(tmp_path, kafka.brokers, shards=4)
    found.answer("init")
    found.answer("publish")
    return found


@contextmanager
def working(shop: Shop, flink: Flink, folder: Path) -> Iterator[Door]:
    """Run the job and a door."""
    settings = folder / "job.json"
    shop.answer("job", "--out", str(settings))
    job = flink.run(settings, parallelism=1)
    try:
        with shop.door() as door:
            yield door
    finally:
        flink.cancel(job)


def said(who: str, name: str, number: int, **more: Any) -> dict[str, Any]:
    """Make a message of a person's."""
    return {
        "type": "track", "event": name, "userId": who, "messageId": f"{who}-{number}", **more,
    }  # fmt: skip


def facts(shop: Shop) -> list[Fact]:
    """Read all facts."""
    found = [
        msgspec.json.decode(one.value() or b"[]", type=list[Fact]) for one in shop.messages(shop.topics.facts)
    ]
    return [fact for facts in found for fact in facts]


def hasten(shop: Shop) -> None:
    """Have the topics keep hardly anything from now on."""
    admin = import_module("confluent_kafka.admin")
    soon = {"segment.ms": "200", "file.delete.delay.ms": "100"}
    wanted = {
        shop.topics.controls: {"max.compaction.lag.ms": "200", "min.cleanable.dirty.ratio": "0.01"},
        **{name: {"retention.ms": "500"} for name in (shop.topics.events, shop.topics.facts)},
        **{name: {"retention.ms": "500"} for name in (shop.topics.actions, shop.topics.failed)},
    }
    entries = [
        admin.ConfigResource(
            admin.ResourceType.TOPIC,
            topic,
            incremental_configs=[
                admin.ConfigEntry(name, value, incremental_operation=admin.AlterConfigOpType.SET)
                for name, value in (soon | own).items()
            ],
        )
        for topic, own in wanted.items()
    ]
    client = admin.AdminClient({"bootstrap.servers": shop.brokers})
    for done in client.incremental_alter_configs(entries).values():
        done.result(30)


def named_in(folder: Path, *needles: str) -> list[str]:
    """Return the files in which a text stands."""
    wanted = [each.encode() for each in needles]
    found = []
    for path in folder.rglob("*"):
        try:
            content = path.read_bytes() if path.is_file() else b""
        except FileNotFoundError:
            continue  # deleted meanwhile
        if any(each in content for each in wanted):
            found.append(path.relative_to(folder).as_posix())
    return sorted(found)


def test_nothing_names_who_was_forgotten_and_then_no_byte_does(
    shop: Shop, kafka: Kafka, flink: Flink, tmp_path: Path
) -> None:
    """The life ends in the shards, the ledger says until when the rest is there, and then it is not."""
    with working(shop, flink, tmp_path) as door:
        assert door.send(
            said(ADA, "Signed Up", 1, anonymousId=PHONE), said("bob", "Signed Up", 1)
        ) == 200  # fmt: skip
        until("facts of both", lambda: {"u:bob", f"u:{ADA}"} <= {fact.profile_id for fact in facts(shop)})
        shown = shop.answer("forget", ADA, "--also", PHONE, "--dry-run")
        assert (shown["view"]["ids"], shown["view"]["request_id"]) == ([ADA, PHONE], None)
        done = shop.answer("forget", ADA, "--also", PHONE, "--yes", "--reason", "ticket 12")
        at = done["view"]["done"]["at"]
        ended = until("the end of the life", lambda: [one for one in facts(shop) if isinstance(one, Exited)])
        assert [(one.profile_id, one.reason, one.at) for one in ended] == [(f"u:{ADA}", "forgotten", at)]
        assert door.send(said("bob", "Signed Up", 2), said("cyd", "Signed Up", 1)) == 200
        until("facts of others", lambda: "u:cyd" in {fact.profile_id for fact in facts(shop)})
        assert [fact.at for fact in facts(shop) if ADA in str(fact) and fact.at > at] == []

        (row,) = shop.answer("forget", "--status")
        assert (row["row"]["reason"], row["row"]["stage"], len(row["row"]["hashes"])) == (
            "ticket 12",
            "log",
            2,
        )
        left = {each["place"]: each for each in row["remains"]}
        days = (left[shop.topics.facts]["until"] - at) / 86_400_000
        assert 8 < days < 8.1  # seven, and the day in which a segment is filled
        assert shop.answer("forget", "--finish") == {"finished": []}

        assert named_in(kafka.data, ADA, PHONE)
        hasten(shop)
        request = done["view"]["request_id"]
        deadline = time.monotonic() + 60
        while shop.answer("forget", "--finish") != {"finished": [request]}:
            assert door.send(said("bob", "Seen", time.time_ns())) == 200
            assert time.monotonic() < deadline, shop.answer("forget", "--status")
        until("the last byte's end", lambda: not named_in(kafka.data, ADA, PHONE), patience_s=40)
        (row,) = shop.answer("forget", "--status")
        assert (row["row"]["request_id"], row["row"]["at"]) == (request, at)
        assert [each.event.name for each in shop.entries(shop.topics.controls)].count(FORGET) == 1
        assert door.send(said(ADA, "Signed Up", 2)) == 200
        until("a stranger's new life", lambda: f"u:{ADA}" in {fact.profile_id for fact in facts(shop)})
