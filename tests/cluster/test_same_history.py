"""Embedded = replay = Kafka + Flink: the same history, byte for byte, at any parallelism, cut or whole."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from sojourn.definitions.publishing import InForce
from sojourn.model.event import Entry
from tests.cluster.machines import Flink, Kafka
from tests.cluster.topics import Installation
from tests.laws import test_everything_published as everything
from tests.laws.runtimes import Outcome, sequential
from tests.laws.test_equality import end_of, same

pytestmark = pytest.mark.cluster

RUNS = [(7, 1), (11, 2), (2026, 4)]
"""(seed, parallelism)."""


def history(seed: int) -> tuple[list[Entry], Outcome]:
    """Draw a history of everything, with publishings in it, and replay it here."""
    _, entries = everything.edited(seed, 60)
    in_force: InForce = everything.FIRST
    alone = sequential(entries, everything.CATALOGUE, until=end_of(entries), in_force=in_force)
    return entries, Outcome(alone.facts, alone.actions, {})


@pytest.mark.parametrize(("seed", "parallelism"), RUNS)
def test_the_same_history_is_the_same(
    kafka: Kafka, flink: Flink, tmp_path: Path, seed: int, parallelism: int
) -> None:
    """Everything at once: merges, late events, timers, experiments, policies, publishings by every policy."""
    entries, alone = history(seed)
    installation = Installation(kafka.brokers, tmp_path, everything.FIRST)
    job = flink.run(installation.settings, parallelism=parallelism)
    installation.feed(entries)
    installation.tick(end_of(entries))
    found = installation.read(alone)
    flink.cancel(job)
    same(found, alone)


def test_a_savepoint_cuts_it_in_half_and_it_grows(kafka: Kafka, flink: Flink, tmp_path: Path) -> None:
    """Stopped in the middle, with timers in flight, and gone on with twice as many tasks."""
    entries, alone = history(4)
    half = Random(4).randrange(20, 40)
    installation = Installation(kafka.brokers, tmp_path, everything.FIRST)
    job = flink.run(installation.settings, parallelism=1)
    installation.feed(entries[:half])
    installation.tick(entries[half - 1].at - 1)
    savepoint = flink.stop(job)
    job = flink.run(installation.settings, parallelism=2, savepoint=savepoint)
    installation.feed(entries[half:])
    installation.tick(end_of(entries))
    found = installation.read(alone)
    flink.cancel(job)
    same(found, alone)
