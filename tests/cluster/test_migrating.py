"""An installation moves into topics, and back: whole, once, and on when it was killed."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import pytest

from sojourn.adapters.kafka_topics import make_topics
from sojourn.model.errors import ConfigError
from sojourn.model.event import Event
from sojourn.model.topics import Topics
from sojourn.wiring.cluster import job_settings
from tests.cluster.machines import Flink, Kafka, until
from tests.cluster.moves import HOUR_MS, N_SHARDS, Installation, event, filled, letters_of, work

pytestmark = pytest.mark.cluster


def test_killed_in_the_middle_it_goes_on_and_nothing_is_there_twice(kafka: Kafka, tmp_path: Path) -> None:
    """What lies in the topics in the end is what one undisturbed move writes."""
    first = Installation(tmp_path / "first", kafka.brokers)
    filled(first, n_people=6_000)
    second = first.twin(tmp_path / "second")
    assert first.answer("to-cluster")["went_on"] is False
    n_kills = 0
    for wait_s in (0.9, 1.1, 1.2, 1.3, 1.4, 1.6):
        running = subprocess.Popen(second.command("to-cluster"), env=dict(os.environ))
        time.sleep(wait_s)
        if running.poll() is None:
            running.send_signal(signal.SIGKILL)
            n_kills += 1
        running.wait()
    told = second.answer("to-cluster")
    whole, cut = first.lying(), second.lying()
    assert cut == whole
    assert (n_kills > 2, told["counts"]["entries"]) == (True, 6_001)
    assert second.answer("to-cluster")["went_on"] is True
    assert second.lying() == whole
    third = Installation(tmp_path / "third", kafka.brokers)
    filled(third, n_people=2)
    third.prefix = second.prefix
    third.configure()
    refused = third.run("to-cluster")
    assert (refused.returncode, "are not empty" in refused.stderr) == (2, True), refused
    third.prefix = "elsewhere"
    third.configure()
    make_topics({"bootstrap.servers": kafka.brokers}, Topics.of("elsewhere"), n_shards=N_SHARDS)
    refused = third.run("to-cluster")
    assert "has 8 partitions, and cluster.partitions is 2" in refused.stderr
    with third.open() as house:  # nothing was begun
        assert house.store.counts()["devices"] == 2


def killed(command: list[str], *, once: Callable[[], bool]) -> bool:
    """Begin something and kill it with -9 once something holds; tell whether it was still at work."""
    running = subprocess.Popen(command, env=dict(os.environ))
    until("the moment", once)
    running.kill()
    return running.wait() == -signal.SIGKILL


def test_the_way_back_is_whole_though_it_was_killed(kafka: Kafka, tmp_path: Path) -> None:
    """With a job in this process: what waits, timers, duplicates, counts, what came behind the parting."""
    place = Installation(tmp_path / "shop", kafka.brokers)
    now = int(time.time() * 1000)
    place.fill(grouped(now, soon_ms=-1))
    alone = place.twin(tmp_path / "alone")
    place.answer("to-cluster")
    here = event("u-here", "Checkout Started", 1, at=now)
    place.append(here)
    place.append(event("a-later-1", "Checkout Started", 1, at=now))
    place.data = tmp_path / "home"
    place.configure()
    assert place.answer("to-folder", "--dry-run")["counts"] == {"letters": 6}
    assert killed(place.command("to-folder"), once=lambda: place.topics.left in place.names())
    assert not place.data.exists()
    behind = event("a-behind", "Checkout Started", 1, at=now)
    place.append(behind)  # as a door that was not stopped
    work(place)
    home = place.answer("to-folder")
    assert (home["counts"]["letters"], home["counts"]["unprocessed"]) == (18, 1)
    assert (
        home["counts"]["entries"] == 1 + 24 + 1 + 2 + 1
    )  # with what was published, and what was moved, and left
    late = now + 3 * HOUR_MS
    expected = lived(alone, [here, behind], now=now, until=late)
    with place.open() as house:
        assert house.log.append([grouped(now, soon_ms=-1)[-1][1][1]], now=late).duplicates == [0]
        house.driver.settle((), until=late)
        assert [one[:2] for one in letters_of(house)] == [one[:2] for one in expected]
        assert len({*letters_of(house)} - {*expected}) == 2  # who came there was dated by its brokers
        assert {view.name: (view.entered, view.states) for view in house.journeys()} == {
            "rescue": (26, {"told": 26})
        }
        steps = [fact for fact in house.store.facts(("identity", "d-a-later-1")) if fact.position]
        assert {house.log.read(one.position - 1, 1)[0].event.message_id for one in steps} == {"a-later-1-1"}


def grouped(now: int, *, soon_ms: int) -> list[tuple[int, list[Event]]]:
    """Let people begin at four instants: told there, overdue at the move, due after it, and much later."""
    groups = {"told": now - 3 * HOUR_MS, "overdue": now - 2 * HOUR_MS - 60_000}
    groups |= {"soon": now - 2 * HOUR_MS + soon_ms, "later": now - HOUR_MS}
    return [
        (at, [event(f"{'ua'[n % 2]}-{name}-{n}", "Checkout Started", 1, at=at) for n in range(6)])
        for name, at in groups.items()
    ]


def lived(
    place: Installation, events: Sequence[Event], *, now: int, until: int
) -> list[tuple[str, str, int]]:
    """Take events in a folder that never moved, and all that is due; return what waits then."""
    with place.open() as house:
        for one in events:
            house.log.append([one], now=now)
        house.driver.catch_up()
        house.driver.settle((), until=until)
        return letters_of(house)


def test_there_and_back_with_timers_in_flight_and_an_outbox_that_waits(
    kafka: Kafka, flink: Flink, tmp_path: Path
) -> None:
    """All that comes of it is what comes of it on one machine, and each thing once."""
    place = Installation(tmp_path / "shop", kafka.brokers)
    now = int(time.time() * 1000)
    batches = grouped(now, soon_ms=20_000)
    place.fill(batches)
    alone = place.twin(tmp_path / "alone")
    planned = place.answer("to-cluster", "--dry-run")
    assert (planned["refused"], planned["counts"]["letters"], planned["counts"]["timers"]) == ([], 6, 24)
    place.answer("to-cluster")
    with pytest.raises(ConfigError, match=r"\[moved\]"), place.open():
        pass
    settings = tmp_path / "job.json"
    settings.write_bytes(msgspec.json.encode(job_settings(place.config)))
    job = flink.run(settings, parallelism=2)
    new = {"type": "track", "event": "Checkout Started", "anonymousId": "d-new", "messageId": "new-1"}
    old = new | {"anonymousId": "d-a-later-1", "messageId": "a-later-1-1"}
    with place.door() as door:
        assert door.send(old, new, old) == 200
        until("the actions", lambda: len(set(place.actions())) == 18, patience_s=120)
    assert len(place.actions()) == 18
    place.data = tmp_path / "home"
    place.configure()
    assert killed(place.command("to-folder"), once=lambda: place.topics.left in place.names())
    assert not place.data.exists()
    behind = event("a-behind", "Checkout Started", 1, at=now)
    place.append(behind)  # as a door that was not stopped
    home = place.answer("to-folder")
    flink.cancel(job)
    assert (home["counts"]["letters"], home["counts"]["unprocessed"]) == (18, 1)
    late = int(time.time() * 1000) + 3 * HOUR_MS
    arrived = event("a-new", "Checkout Started", 1, at=now)
    arrived = msgspec.structs.replace(arrived, anonymous_id="d-new", message_id="new-1")
    expected = lived(alone, [arrived, behind], now=now, until=late)
    with place.open() as house:
        assert house.log.append([batches[-1][1][1]], now=late).duplicates == [0]
        house.driver.settle((), until=late)
        found = letters_of(house)
        assert [one[:2] for one in found] == [one[:2] for one in expected]
        # Who came on the cluster was dated by its brokers.
        assert len({*found} - {*expected}) == 2
        assert house.store.counts()["outbox"] == 26
        assert {view.name: view.states for view in house.journeys()} == {"rescue": {"told": 26}}
