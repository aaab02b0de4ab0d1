"""One broker and one Flink for all tests of the cluster."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cluster.machines import Flink, Kafka, require

N_TASKS = 4


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    """Start a broker."""
    require()
    broker = Kafka(tmp_path_factory.mktemp("kafka") / "broker")
    broker.start()
    yield broker
    broker.machine.kill()


@pytest.fixture(scope="session")
def flink(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flink]:
    """Start a cluster of N_TASKS slots."""
    require()
    # Often, that tests need not wait long for what is committed.
    more = "execution.checkpointing.interval: 1 s\n"
    cluster = Flink(tmp_path_factory.mktemp("flink"), more=more)
    cluster.start(n_tasks=N_TASKS)
    yield cluster
    cluster.end()


@pytest.fixture(autouse=True)
def slots_are_free(request: pytest.FixtureRequest) -> Iterator[None]:
    """Leave no job behind: the next test needs its slots."""
    yield
    if "flink" in request.fixturenames:
        request.getfixturevalue("flink").cancel_all()
