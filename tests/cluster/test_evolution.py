"""An old savepoint, and new code: the job goes on, to the same as if one release had lived all of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cluster.machines import ROOT, Flink, Kafka
from tests.cluster.test_same_history import history
from tests.cluster.topics import Installation, bare
from tests.evolution.older import NOTE, older_copy
from tests.laws import test_everything_published as everything
from tests.laws.test_equality import end_of, same

pytestmark = pytest.mark.cluster


def test_an_old_savepoint_is_taken_by_new_code(kafka: Kafka, flink: Flink, tmp_path: Path) -> None:
    """Half of it lived by code without the newest fields; TaskManagers begin again with today's."""
    entries, alone = history(7)
    half = len(entries) // 2
    installation = Installation(kafka.brokers, tmp_path, everything.FIRST)
    flink.use(older_copy(tmp_path))
    try:
        flink.replace_taskmanagers()
        job = flink.run(installation.settings, parallelism=1)
        installation.feed(entries[:half])
        installation.tick(entries[half - 1].at - 1)
        savepoint = flink.stop(job)
        assert any(machine.said(NOTE) for machine in flink.taskmanagers)
    finally:
        flink.use(ROOT / "src")
        flink.replace_taskmanagers()
    job = flink.run(installation.settings, parallelism=1, savepoint=savepoint)
    assert not any(machine.said(NOTE) for machine in flink.taskmanagers)
    installation.feed(entries[half:])
    installation.tick(end_of(entries))
    found = installation.read(alone)
    flink.cancel(job)
    same(found, bare(alone))
