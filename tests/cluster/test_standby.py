"""A JobManager that leads is killed; the one that stood by goes on with the job, and nobody does a thing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.machines import PEERS, Kafka, require
from tests.cluster.standby import StandbyFlink, ZooKeeper
from tests.cluster.test_faults import lived_through

pytestmark = pytest.mark.cluster


@pytest.fixture
def two(tmp_path: Path) -> Iterator[StandbyFlink]:
    """Start ZooKeeper, two JobManagers and a TaskManager."""
    require()
    if not (PEERS / "zookeeper").is_dir():
        pytest.skip(".peers/zookeeper is not there: make cluster-test gets it")
    zookeeper = ZooKeeper(tmp_path / "zookeeper")
    zookeeper.start()
    flink = StandbyFlink(tmp_path / "flink", zookeeper)
    try:
        flink.start(n_tasks=1)
        yield flink
    finally:
        flink.end()
        zookeeper.machine.kill()


def test_the_standby_takes_over(kafka: Kafka, two: StandbyFlink, tmp_path: Path) -> None:
    """From the last checkpoint: facts are there once, and no action is another."""

    def taken_over(job: str) -> str:
        two.kill_leader()
        return job

    lived_through(taken_over, kafka, two, tmp_path, seed=4)
