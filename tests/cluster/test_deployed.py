"""What `deploy/` says is what runs: the compose file's commands, and the names that dashboards ask for."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tests.cluster.deployed import START_S, Deployed
from tests.cluster.machines import Kafka, require, until
from tests.cluster.shops import Shop
from tests.deploy.asked import flink_names

pytestmark = pytest.mark.cluster


@pytest.fixture
def shop(kafka: Kafka, tmp_path: Path) -> Shop:
    """An installation whose topics and settings are made by its commands."""
    require()
    shop = Shop(tmp_path, kafka.brokers, shards=4)
    shop.answer("init")
    shop.answer("publish", "--yes")
    shop.answer("job", "--out", str(tmp_path / "job.json"))
    return shop


@pytest.fixture
def deployed(shop: Shop, tmp_path: Path) -> Iterator[Deployed]:
    """Start them."""
    deployed = Deployed(tmp_path / "deployed", tmp_path / "job.json")
    try:
        deployed.start()
        yield deployed
    finally:
        deployed.end()


def test_the_compose_files_job_lives_on_when_its_jobmanager_is_killed(shop: Shop, deployed: Deployed) -> None:
    """It goes on from the last checkpoint, not with the first event; and says what dashboards ask for."""

    def facts() -> list[bytes]:
        told = [message.value() or b"[]" for message in shop.messages(shop.topics.facts)]
        return [bytes(fact) for each in told for fact in msgspec.json.decode(each, type=list[msgspec.Raw])]

    with shop.door() as door:
        sign_up = {"type": "track", "event": "Signed Up", "userId": "ada", "messageId": "m-1"}
        assert door.send(sign_up) == 200
        before = until("ada's facts", facts)
        asked = flink_names()
        until(f"all of {sorted(asked)}", lambda: asked <= deployed.metrics())
        n_checkpoints = deployed.n_checkpoints()
        until("a checkpoint", lambda: deployed.n_checkpoints() > n_checkpoints + 1)

        deployed.jobmanager.kill()
        began = time.monotonic()
        deployed.jobmanager.start()
        assert door.send({**sign_up, "userId": "bob", "messageId": "m-2"}) == 200
        until("bob's facts", lambda: len(facts()) > len(before), patience_s=START_S)
        print(f"facts again {time.monotonic() - began:.1f} s after the JobManager was killed")
        found = facts()
        assert set(before) < set(found)
        assert len(set(found)) == len(found), "it began with the first event"
