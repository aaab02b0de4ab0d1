"""Learning on a real broker: one learns, another stands by, and nothing is counted twice."""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import pytest
from confluent_kafka import Producer

from sojourn.adapters.kafka_learnt import Counts
from sojourn.definitions.controls import LEARNT, Learnt
from sojourn.model.errors import UnavailableError
from sojourn.model.fact import Exposed, Fact, Rewarded, StepTaken
from sojourn.model.ids import user_profile
from sojourn.runtime.allocating import _Kept as Counted
from sojourn.runtime.learning import Graph
from sojourn.runtime.shards.pupil import Progress
from tests.cluster.machines import Kafka, Machine, until
from tests.cluster.shops import Shop
from tests.cluster.workplace import environment
from tests.laws.test_lessons import PROMISING, RESCUE

pytestmark = pytest.mark.cluster

MINUTE = 60_000
N = 600  # minutes


def facts_of(minutes: Sequence[int], began: int) -> list[Fact]:
    """Make what people did in some minutes: each looks and meets a variant, and every third buys."""
    found: list[Fact] = []
    for n in minutes:
        at = began + n * MINUTE
        place = {"profile_id": user_profile(f"p{n}"), "at": at, "position": n + 1}
        step = {**place, "source": "web", "message_id": str(n), "occurred_at": at}
        met = {**place, "experiment": "offer", "variant": ("none", "free")[n % 2]}
        found.append(StepTaken(**step, name="Looked"))  # type: ignore[arg-type]
        found.append(Exposed(**met, propensity=0.5, allocation="adaptive"))  # type: ignore[arg-type]
        if n % 3 == 0:
            found.append(StepTaken(**step, name="Bought", previous="Looked"))  # type: ignore[arg-type]
            found.append(Rewarded(**met, exposed_at=at))  # type: ignore[arg-type]
    return found


class Place:
    """An installation, and processes that learn."""

    def __init__(self, folder: Path, kafka: Kafka) -> None:
        self.shop = Shop(folder, kafka.brokers, shards=4)
        self.shop.journey.unlink()
        (folder / "journeys" / "rescue.yaml").write_text(RESCUE)
        (folder / "journeys" / "promising.yaml").write_text(PROMISING)
        config = json.loads(self.shop.file.read_text())
        config["cluster"]["client"] = {"session.timeout.ms": "6000"}
        self.shop.file.write_text(json.dumps(config))
        self.shop.answer("init")
        self.shop.answer("publish")
        self.client = {"bootstrap.servers": kafka.brokers, "log_level": 0}
        self._producer = Producer(self.client)
        self._folder = folder
        self.machines: list[Machine] = []

    def learner(self) -> Machine:
        """Start a process."""
        command = [sys.executable, "-c", "from sojourn.cli import main; main()", "cluster", "learn"]
        name = f"learner-{len(self.machines)}"
        machine = Machine(name, [*command, "--config", str(self.shop.file)], self._folder, environment())
        machine.start()
        self.machines.append(machine)
        return machine

    def write(self, facts: Sequence[Fact]) -> None:
        """Write facts, one by one, into all partitions."""
        for n, fact in enumerate(facts):
            self._producer.produce(self.shop.topics.facts, msgspec.json.encode([fact]), partition=n % 8)
        assert self._producer.flush(30) == 0

    def learnt(self) -> list[Learnt]:
        """Return what is in the log of it."""
        events = [entry.event for entry in self.shop.entries(self.shop.topics.controls)]
        return [
            msgspec.json.decode(bytes(one.properties), type=Learnt) for one in events if one.name == LEARNT
        ]


@pytest.fixture
def place(kafka: Kafka, tmp_path: Path) -> Iterator[Place]:
    """An installation with journeys that ask for what is learnt."""
    made = Place(tmp_path, kafka)
    yield made
    for machine in made.machines:
        machine.kill()


def is_leading(machine: Machine) -> bool:
    return machine.said('"event": "learning"') or machine.said('"event":"learning"')


def test_one_who_is_only_slow_writes_nothing_any_more_and_nothing_is_counted_twice(place: Place) -> None:
    """The first is stopped in the midst of it; the second goes on where it was, and the first stands by."""
    began = int(time.time() * 1000) + 60 * MINUTE
    first = place.learner()
    until("the first", lambda: is_leading(first))
    second = place.learner()
    place.write(facts_of(range(N // 2), began))
    until("something learnt", place.learnt)
    assert not is_leading(second)
    first_process = first._process
    assert first_process is not None
    first_process.send_signal(signal.SIGSTOP)
    until("the second", lambda: is_leading(second))
    n_told = len(place.learnt())
    place.write(facts_of(range(N // 2, N), began))
    until("more learnt", lambda: len(place.learnt()) > n_told)
    first_process.send_signal(signal.SIGCONT)
    until("the first to stand by", lambda: first.said("somebody else learns") or first.said("begins again"))
    second.end(signal.SIGTERM)
    first.end(signal.SIGTERM)

    last = place.learnt()[-1]
    assert set(last.forecasts) == {"Bought"}
    assert 0.3 < last.forecasts["Bought"]["Looked"] < 0.37
    counts = Counts(place.client, place.shop.topics)
    progress = msgspec.json.decode(counts.read() or b"", type=Progress)
    graph = msgspec.json.decode(progress.documents["journey_graph"], type=Graph)
    assert graph.steps["Looked"] / graph.steps["Bought"] == pytest.approx(3, rel=0.02)
    (arms,) = (
        msgspec.json.decode(progress.documents["allocations"], type=Counted).experiments["offer"].values()
    )
    met = {
        variant: (
            arm.trials + sum(n for n, _ in arm.waiting.values()),
            arm.successes + sum(n for _, n in arm.waiting.values()),
        )
        for variant, arm in arms.items()
    }
    assert met == {"none": (N // 2, N // 6), "free": (N // 2, N // 6)}
    Counts(place.client, place.shop.topics)
    with pytest.raises(UnavailableError, match="not kept"):
        counts.write(b"{}")
