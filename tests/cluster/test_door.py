"""The door on a real broker: what is answered is in the log, whatever happens to the broker meanwhile."""

from __future__ import annotations

import json
import re
import signal
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from time import monotonic, sleep

import pytest

from sojourn.engine.records import entry_shard
from tests.cluster.machines import Kafka, until
from tests.cluster.shops import Door, Shop, seen

pytestmark = pytest.mark.cluster


@pytest.fixture
def shop(kafka: Kafka, tmp_path: Path) -> Shop:
    """An installation with its topics."""
    found = Shop(tmp_path, kafka.brokers)
    found.answer("init")
    return found


def total(door: Door, name: str) -> float:
    """Read one of its metrics."""
    _, text = door.read("/metrics")
    found = re.search(rf"^{name} (\S+)$", text, re.M)
    assert found, text
    return float(found[1])


def send_until(doors: list[Door], enough: Event, who: int) -> list[str]:
    """Send batches of three people, once each, until it is enough; return the ids that were answered 200."""
    answered: list[str] = []
    number = 0
    while not enough.is_set():
        batch = [seen(f"p{who}-{person}", number) for person in range(3)]
        if doors[number % len(doors)].send(*batch) == 200:
            answered += [str(message["messageId"]) for message in batch]
        else:
            sleep(0.05)
        number += 1
    return answered


def test_what_is_answered_is_in_the_log_in_its_shard(shop: Shop) -> None:
    """With two doors at once: every event once, positions unique and growing along each shard."""
    enough = Event()
    with shop.door() as one, shop.door() as other, ThreadPoolExecutor(6) as clients:
        sending = [clients.submit(send_until, [one, other], enough, who) for who in range(6)]
        sleep(3)
        enough.set()
        answered = [each for done in sending for each in done.result()]
    found = shop.entries()
    assert Counter(entry.event.message_id for entry in found) == Counter(answered)
    assert len(answered) > 100
    assert len({entry.position for entry in found}) == len(found)
    by_shard: dict[int, list[int]] = {}
    for entry in found:
        assert entry.position & 1_023 == entry_shard(entry.event, shop.shards)
        by_shard.setdefault(entry.position & 1_023, []).append(entry.position)
    assert len(by_shard) == shop.shards
    assert all(positions == sorted(positions) for positions in by_shard.values())


def test_a_failed_event_is_kept_with_its_reason(shop: Shop) -> None:
    """Beside the good ones of its batch, which are taken."""
    with shop.door() as door:
        assert door.send(seen("ann", 1), {"type": "track", "anonymousId": "ann"}) == 200
    (failed,) = [json.loads(message.value() or b"") for message in shop.messages(shop.topics.failed)]
    assert failed["source"] == "web"
    assert [entry.event.message_id for entry in shop.entries()] == ["ann-1"]


def test_every_clock_goes_on_and_says_little_at_rest(shop: Shop) -> None:
    """After an event at once, in every partition and in the controls; then one record a second."""
    with shop.door() as door:
        sleep(0.5)
        assert door.send(seen("ann", 1)) == 200
        until("the clocks", lambda: total(door, "sojourn_log_ticks_total") >= 2 * (shop.shards + 1))
        (entry,) = shop.entries()
        for topic in (shop.topics.events, shop.topics.controls):
            last = {message.partition(): message.timestamp()[1] for message in shop.messages(topic)}
            assert len(last) == (shop.shards if topic == shop.topics.events else 1)
            assert all(entry.at < at for at in last.values())
        sleep(0.5)
        before, began = total(door, "sojourn_log_ticks_total"), monotonic()
        sleep(3)
        rounds = (total(door, "sojourn_log_ticks_total") - before) / (shop.shards + 1)
        assert rounds <= monotonic() - began + 1


def test_it_ends_in_good_order_and_is_probed(shop: Shop) -> None:
    """Ready while it takes events; what is nowhere is 404; SIGTERM is the end of it."""
    with shop.door() as door:
        assert door.read("/ready")[0] == 200
        assert door.read("/api/v1/status")[0] == 404
        door.process.send_signal(signal.SIGTERM)
        assert door.process.wait(30) == 0
    assert door.says("stopped")


def test_a_broker_that_is_killed_loses_nothing_that_was_answered(shop: Shop, kafka: Kafka) -> None:
    """Killed in the middle of a load and started again: each answered event is there exactly once, no other
    answer was given, and the door goes on by itself."""
    enough = Event()
    with shop.door() as door, ThreadPoolExecutor(8) as clients:
        sending = [clients.submit(send_until, [door], enough, who) for who in range(8)]
        sleep(3)
        kafka.machine.kill()
        sleep(2)
        kafka.start()
        began = monotonic()
        until("an answer", lambda: door.send(seen("probe", f"{monotonic()}")) == 200)
        recovered_s = monotonic() - began
        sleep(2)
        enough.set()
        answered = [each for done in sending for each in done.result()]
    found = Counter(entry.event.message_id for entry in shop.entries())
    counted = {each: found[each] for each in answered}
    assert {each: n for each, n in counted.items() if n != 1} == {}
    assert len(answered) > 100
    assert max(found.values()) == 1
    print(f"{len(answered)} events answered; taken again {recovered_s:.1f} s after the broker was back")
