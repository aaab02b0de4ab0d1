"""What `deploy/` says is what runs: the compose file's commands, and the names that dashboards ask for."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.deployed import Deployed
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

    def facts() -> int:
        return sum(len(message.value() or b"") for message in shop.messages(shop.topics.facts))

    with shop.door() as door:
        sign_up = {"type": "track", "event": "Signed Up", "userId": "ada", "messageId": "m-1"}
        assert door.send(sign_up) == 200
        until("ada's facts", facts)
        asked = flink_names()
        until("all names", lambda: asked <= deployed.metrics(), patience_s=30)
        before, n_checkpoints = facts(), deployed.n_checkpoints()
        until("a checkpoint", lambda: deployed.n_checkpoints() > n_checkpoints + 1)

        deployed.jobmanager.kill()
        began = time.monotonic()
        deployed.jobmanager.start()
        assert door.send({**sign_up, "userId": "bob", "messageId": "m-2"}) == 200
        until("bob's facts", lambda: facts() > before)
        print(f"facts again {time.monotonic() - began:.1f} s after the JobManager was killed")
        assert facts() == 2 * before, "ada's facts are there once, and bob's are as long"
