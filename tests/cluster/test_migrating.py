"""An installation moves into topics, and back: whole, once, and on when it was killed."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from sojourn.model.errors import ConfigError
from sojourn.wiring.cluster import job_settings
from tests.cluster.machines import Flink, Kafka, until
from tests.cluster.moves import HOUR_MS, Installation, event, filled, letters_of

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


def killed(command: list[str], *, once: Callable[[], bool]) -> bool:
    """Begin something and kill it with -9 once something holds; tell whether it was still at work."""
    running = subprocess.Popen(command, env=dict(os.environ))
    until("the moment", once)
    running.kill()
    return running.wait() == -signal.SIGKILL


def test_there_and_back_with_timers_in_flight_and_an_outbox_that_waits(
    kafka: Kafka, flink: Flink, tmp_path: Path
) -> None:
    """All that comes of it is what comes of it on one machine, and each thing once."""
    place = Installation(tmp_path / "shop", kafka.brokers)
    now = int(time.time() * 1000)
    groups = {"told": now - 3 * HOUR_MS, "overdue": now - 2 * HOUR_MS - 60_000}
    groups |= {"soon": now - 2 * HOUR_MS + 45_000, "later": now - HOUR_MS}
    batches = [
        (at, [event(f"{'ua'[n % 2]}-{name}-{n}", "Checkout Started", 1, at=at) for n in range(6)])
        for name, at in groups.items()
    ]
    place.fill(batches)
    alone = place.twin(tmp_path / "alone")
    planned = place.answer("to-cluster", "--dry-run")
    assert (planned["refused"], planned["counts"]["letters"], planned["counts"]["timers"]) == ([], 6, 24)
    place.answer("to-cluster")
    with pytest.raises(ConfigError, match=r"\[moved\]"), place.open():
        pass
    settings = tmp_path / "job.json"
    settings.write_bytes(
        msgspec.json.encode(msgspec.structs.replace(job_settings(place.config), states=True))
    )
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
    assert "are not empty" in place.run("to-cluster", "--data", str(alone.data)).stderr
    late = int(time.time() * 1000) + 3 * HOUR_MS
    with alone.open() as house:
        arrived = event("a-new", "Checkout Started", 1, at=now)
        house.log.append(
            [msgspec.structs.replace(arrived, anonymous_id="d-new", message_id="new-1")], now=now
        )
        house.log.append([behind], now=now)
        house.driver.catch_up()
        house.driver.settle((), until=late)
        expected = letters_of(house)
    with place.open() as house:
        assert house.log.append([batches[-1][1][1]], now=late).duplicates == [0]
        house.driver.settle((), until=late)
        found = letters_of(house)
        assert [one[:2] for one in found] == [one[:2] for one in expected]
        # Who came on the cluster was dated by its brokers.
        assert len({*found} - {*expected}) == 2
        assert house.store.counts()["outbox"] == 26
        assert {view.name: view.states for view in house.journeys()} == {"rescue": {"told": 26}}
