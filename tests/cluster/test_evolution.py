"""An old savepoint, and new code: the job goes on, to the same as if one release had lived all of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cluster.machines import ROOT, Flink, Kafka
from tests.cluster.test_same_history import history
from tests.cluster.topics import Installation, bare
from tests.evolution.older import NOTE, older_copy
from tests.laws import test_everything_published as everything
from tests.laws.test_equality import end_of, same

pytestmark = pytest.mark.cluster

NAMES = {
    "1_source": "Source: events[1]",
    "4_source": "Source: controls[4]",
    "identity": "identity",
    "alias": "alias",
    "profile": "profile",
    "25_sink": "facts[25]: Writer",
    "Sink Committer: 25_sink": "facts[25]: Committer",
    "31_sink": "entries[31]: Writer",
    "Sink Committer: 31_sink": "entries[31]: Committer",
}
"""By what a savepoint finds each operator that has something in it, and what it is.

Readers and sinks are named by their number among the job's tables: another query moves those behind it.
"""


def test_a_savepoint_finds_every_operator_that_has_something_in_it(flink: Flink) -> None:
    """Or Flink refuses the job, or reads its topics from their beginning; see docs/adr/0037."""
    told = json.loads(flink.ask_python(Path(__file__).with_name("operators.py")).splitlines()[-1])
    assert {name: told.get(name) for name in NAMES} == NAMES


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
