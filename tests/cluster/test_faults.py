"""What dies, dies in the middle of a history: nothing is lost of it, and nothing counts twice."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest

from sojourn.model.event import Entry
from tests.cluster.machines import Flink, Kafka, until
from tests.cluster.test_same_history import history
from tests.cluster.topics import Installation
from tests.laws import test_everything_published as everything
from tests.laws.runtimes import Outcome
from tests.laws.test_equality import end_of

pytestmark = pytest.mark.cluster

PACE_S = 0.25
"""Between two entries: some are before a checkpoint, some after it, and one is in the middle of what dies."""


@contextmanager
def feeding(installation: Installation, entries: list[Entry]) -> Iterator[Callable[[], int]]:
    """Feed a history slowly, in the background; give how many entries are in."""
    n_fed = 0

    def feed() -> None:
        nonlocal n_fed
        for entry in entries:
            installation.feed([entry])
            installation.tick(entry.at - 1)
            n_fed += 1
            time.sleep(PACE_S)
        installation.tick(end_of(entries))

    thread = Thread(target=feed, daemon=True)
    thread.start()
    yield lambda: n_fed
    thread.join(120)
    assert not thread.is_alive()


def is_once(found: Outcome, alone: Outcome) -> None:
    """Facts are there once; an action may be said again, in the same bytes, and none is another."""
    assert sorted((Counter(found.facts) - Counter(alone.facts)).elements()) == []
    assert sorted((Counter(alone.facts) - Counter(found.facts)).elements()) == []
    assert sorted(set(found.actions)) == alone.actions


def lived_through(what: Callable[[str], str], kafka: Kafka, flink: Flink, folder: Path, *, seed: int) -> None:
    """Live a history in whose middle something happens to a job; it goes on as the job returned."""
    entries, alone = history(seed)
    installation = Installation(kafka.brokers, folder, everything.FIRST)
    job = flink.run(installation.settings, parallelism=1)
    with feeding(installation, entries) as n_fed:
        until("half of it", lambda: n_fed() > 25)
        began = time.monotonic()
        job = what(job)
        flink.until_running(job)
        print(f"running again after {time.monotonic() - began:.1f} s")
    found = installation.read(alone)
    flink.cancel(job)
    is_once(found, alone)


def test_taskmanagers_are_killed(kafka: Kafka, flink: Flink, tmp_path: Path) -> None:
    """All of them, as by a power cut; others take over from the last checkpoint."""

    def replaced(job: str) -> str:
        flink.replace_taskmanagers()
        until("the restart", lambda: flink.restarts(job) > 0)
        return job

    lived_through(replaced, kafka, flink, tmp_path, seed=7)


def test_the_broker_is_killed(kafka: Kafka, flink: Flink, tmp_path: Path) -> None:
    """The only one there is; it comes back with what it acknowledged."""

    def away(job: str) -> str:
        kafka.machine.kill()
        time.sleep(2)
        kafka.start()
        return job

    lived_through(away, kafka, flink, tmp_path, seed=11)


def test_the_jobmanager_is_killed(kafka: Kafka, flink: Flink, tmp_path: Path) -> None:
    """Without another one to take over, the job is gone; it goes on from its last checkpoint."""

    def resumed(job: str) -> str:
        flink.replace_jobmanager()
        (file,) = tmp_path.glob("test-*.json")
        return flink.run(file, parallelism=1, savepoint=flink.last_checkpoint(job))

    lived_through(resumed, kafka, flink, tmp_path, seed=2026)
