"""Somebody is forgotten on a cluster: from the control on nothing names them, and in time no byte does."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec
import pytest
from confluent_kafka import Producer

from sojourn.definitions.controls import FORGET
from sojourn.engine.records import Saved, encode_saved, mark_name, saved_name
from sojourn.engine.state import Life, Tie, encode
from sojourn.model.fact import Exited, Fact
from tests.cluster.machines import Flink, Kafka, until
from tests.cluster.shops import Door, Shop

pytestmark = pytest.mark.cluster

ADA, PHONE = "ada-7f3a", "phone-7f3a"
EDDA, TABLET = "edda-9c21", "tablet-9c21"
"""In the topics of one test only: the broker keeps what others wrote."""


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
    settings.write_text(json.dumps(json.loads(settings.read_text()) | {"states": True}))
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


def finish(shop: Shop, door: Door) -> None:
    """Take the ids out of the control, as soon as the topics have nothing more."""
    hasten(shop)
    deadline = time.monotonic() + 60
    while not shop.answer("forget", "--finish")["finished"]:
        assert door.send(said("bob", "Seen", time.time_ns())) == 200
        assert time.monotonic() < deadline, shop.answer("forget", "--status")


def test_the_life_ends_in_every_shard_and_nothing_names_them_after(
    shop: Shop, flink: Flink, tmp_path: Path
) -> None:
    """Their phone is found by what the job keeps of them; others go on, and they may come as a stranger."""
    with working(shop, flink, tmp_path) as door:
        assert door.send(said(ADA, "Signed Up", 1, anonymousId=PHONE), said("bob", "Signed Up", 1)) == 200
        until("facts of both", lambda: {"u:bob", f"u:{ADA}"} <= {fact.profile_id for fact in facts(shop)})
        shown = until(
            "her states", lambda: (found := shop.answer("forget", ADA, "--dry-run"))["view"]["ids"] and found
        )
        assert (shown["view"]["ids"], shown["view"]["n_journeys"], shown["is_known"]) == (
            [ADA, PHONE],
            1,
            True,
        )
        at = shop.answer("forget", PHONE, "--yes", "--reason", "ticket 12")["view"]["done"]["at"]
        ended = until("the end of the life", lambda: [one for one in facts(shop) if isinstance(one, Exited)])
        assert [(one.profile_id, one.reason, one.at) for one in ended] == [(f"u:{ADA}", "forgotten", at)]
        assert door.send(said("bob", "Signed Up", 2), said("cyd", "Signed Up", 1)) == 200
        until("facts of others", lambda: "u:cyd" in {fact.profile_id for fact in facts(shop)})
        assert [fact for fact in facts(shop) if ADA in str(fact) and fact.at > at] == []
        kept = {one.key(): one.value() for one in shop.messages(shop.topics.states)}
        assert kept[f"profile|{ADA}".encode()] is kept[f"identity|{PHONE}".encode()] is None
        assert [key for key, state in kept.items() if state and ADA.encode() in state] == []
        assert shop.answer("forget", ADA, "--dry-run")["view"]["ids"] == []
        until("every shard", lambda: shop.answer("forget", "--status")[0]["ended"] == 3 * shop.shards)
        assert door.send(said(ADA, "Signed Up", 2)) == 200
        until(
            "a stranger's new life",
            lambda: [one for one in facts(shop) if one.profile_id == f"u:{ADA}" and one.at > at],
        )


def test_who_that_is_follows_from_the_topic_of_states(shop: Shop, kafka: Kafka) -> None:
    """A phone leads to its person, another one's tablet stays theirs, and shards tell where they are."""
    states = {
        ("profile", ADA): Life(user_ids=[ADA], anonymous_ids=[PHONE, "tablet"], n_events=7),
        ("identity", PHONE): Tie(owner=ADA, owners=[ADA]),
        ("identity", "tablet"): Tie(owner="bob", owners=[ADA, "bob"]),
        ("profile", "bob"): Life(user_ids=["bob"], anonymous_ids=["tablet"], n_events=2),
        ("profile", "gone"): None,
    }
    producer = Producer({"bootstrap.servers": kafka.brokers})

    def tell(name: str, saved: Saved | None) -> None:
        content = None if saved is None else encode_saved(saved)
        producer.produce(shop.topics.states, content, name, partition=0)

    for key, state in states.items():
        tell(saved_name(*key), None if state is None else Saved(encode(state), 0, 5, 5))  # type: ignore[arg-type]
    assert producer.flush(30) == 0
    found = shop.answer("forget", PHONE, "--dry-run")
    view = found["view"]
    assert (view["ids"], view["shared"], view["n_events"]) == ([ADA, PHONE, "tablet"], ["tablet"], 7)
    assert found["is_known"]
    assert shop.answer("forget", "gone", "--dry-run")["view"]["ids"] == []
    done = shop.answer("forget", ADA, "--yes")["view"]["done"]
    tell(mark_name("identity", 0), Saved(b"", 0, done["at"], done["position"]))
    tell(mark_name("identity", 1), Saved(b"", 0, done["at"] - 1, done["position"]))
    assert producer.flush(30) == 0
    (row,) = shop.answer("forget", "--status")
    assert (row["ended"], row["shards"]) == (1, 3 * shop.shards)


def test_the_ledger_says_until_when_and_then_no_byte_is_left(shop: Shop, kafka: Kafka) -> None:
    """Events and facts go for their age, and at last the control loses its ids, and the brokers its bytes."""
    with shop.door() as door:
        assert door.send(said(EDDA, "Signed Up", 1, anonymousId=TABLET), said("bob", "Signed Up", 1)) == 200
        producer = Producer({"bootstrap.servers": kafka.brokers})
        producer.produce(shop.topics.facts, f'[{{"profile_id":"u:{EDDA}"}}]'.encode(), partition=0)
        assert producer.flush(30) == 0
        done = shop.answer("forget", EDDA, "--also", TABLET, "--yes", "--reason", "ticket 12")
        request, at = done["view"]["request_id"], done["view"]["done"]["at"]
        assert (done["is_known"], done["view"]["ids"]) == (False, [EDDA, TABLET])
        (row,) = shop.answer("forget", "--status")
        assert (row["row"]["reason"], row["row"]["stage"], len(row["row"]["hashes"])) == (
            "ticket 12",
            "log",
            2,
        )
        left = {each["place"]: each for each in row["remains"]}
        assert not left[shop.topics.events]["is_gone"]
        days = (left[shop.topics.facts]["until"] - at) / 86_400_000
        assert 8 < days < 8.1  # seven, and the one in which a segment is filled
        assert shop.answer("forget", "--finish") == {"finished": []}
        assert named_in(kafka.data, EDDA, TABLET)

        finish(shop, door)
        until("the last byte's end", lambda: not named_in(kafka.data, EDDA, TABLET), patience_s=40)
    (row,) = shop.answer("forget", "--status")
    assert (row["row"]["request_id"], row["row"]["at"]) == (request, at)
    (control,) = [entry.event for entry in shop.entries(shop.topics.controls) if entry.event.name == FORGET]
    assert json.loads(bytes(control.properties)).get("users") is None
