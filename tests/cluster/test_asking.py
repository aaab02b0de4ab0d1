"""Everybody is asked about a change in slices, over many steps of the watermark, while some are forgotten."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from sojourn.definitions.publishing import catalogue_of
from sojourn.runtime.shards.worker import ASKED
from tests.cluster.machines import Flink, Kafka
from tests.cluster.topics import Installation, bare
from tests.laws.runtimes import Outcome, sequential
from tests.laws.test_equality import end_of, same
from tests.laws.test_forgetting import asked_and_forgotten, user_of

pytestmark = pytest.mark.cluster

N_SHARDS = 2
N_STEPS = 20
STEP_S = 0.05  # between two instants of the clock: a step of the watermark each, or nearly


def test_everybody_is_asked_while_events_go_on(kafka: Kafka, flink: Flink, tmp_path: Path) -> None:
    """A shorter wait moves them all as of the publishing, whenever they are asked."""
    entries, first, gone = asked_and_forgotten(N_STEPS * ASKED * N_SHARDS)
    until = end_of(entries)
    alone = sequential(entries, catalogue_of(first)[0], until=until, in_force=first)
    installation = Installation(kafka.brokers, tmp_path, first, n_shards=N_SHARDS)
    job = flink.run(installation.settings, parallelism=1)
    published, forgot = (entry.at for entry in entries[-3:-1])
    installation.feed(entries[:-2])
    for at in range(published, forgot):
        installation.tick(at - 1)
        time.sleep(STEP_S)
    installation.feed(entries[-2:])
    for at in range(forgot, forgot + 2 * N_STEPS):
        installation.tick(at)
        time.sleep(STEP_S)
    installation.tick(until)
    found = installation.read(alone)
    flink.cancel(job)
    # What was decided before is not called back here: workers do that.
    actions = [each for each in found.actions if user_of(each) not in gone]
    same(Outcome(found.facts, actions, {}), bare(alone))
