"""Embedded = replay = Kafka + Flink: the same history, byte for byte, at any parallelism, cut or whole."""

from __future__ import annotations

import time
from pathlib import Path
from random import Random

import msgspec
import pytest

from sojourn.definitions.publishing import InForce, catalogue_of
from sojourn.engine.records import decode_saved, saved_name
from sojourn.model.action import Action
from sojourn.model.event import Entry
from tests.cluster.machines import Flink, Kafka
from tests.cluster.topics import Installation, bare
from tests.laws import histories
from tests.laws import test_everything_published as everything
from tests.laws.recorded import HISTORIES
from tests.laws.runtimes import Outcome, sequential
from tests.laws.test_equality import end_of, same

pytestmark = pytest.mark.cluster

RUNS = [(7, 1), (11, 2), (2026, 4)]
"""(seed, parallelism)."""
BROKER_BYTES = 1 << 20
"""Of a record, as brokers and clients have it where nobody tells them otherwise."""
GATHERED_S = 5.0


def history(seed: int) -> tuple[list[Entry], Outcome]:
    """Draw a history of everything, with publishings in it, and replay it here."""
    _, entries = everything.edited(seed, 60)
    in_force: InForce = everything.FIRST
    alone = sequential(entries, everything.CATALOGUE, until=end_of(entries), in_force=in_force)
    return entries, alone


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
    same(found, bare(alone))


@pytest.mark.parametrize("name", HISTORIES)
def test_a_recorded_history_is_the_same(kafka: Kafka, flink: Flink, tmp_path: Path, name: str) -> None:
    """A shop's events and the demo's: sessions, people who say late who they are, waits of hours and days."""
    entries, first = HISTORIES[name]()
    until = end_of(entries)
    alone = sequential(entries, catalogue_of(first)[0], until=until, in_force=first)
    installation = Installation(kafka.brokers, tmp_path, first)
    job = flink.run(installation.settings, parallelism=2)
    installation.feed(entries)
    installation.tick(until)
    found = installation.read(alone)
    flink.cancel(job)
    same(found, bare(alone))


def test_what_lay_there_for_long_is_caught_up_with(kafka: Kafka, flink: Flink, tmp_path: Path) -> None:
    """A shard has more at once than a broker takes in one record: it is told in several."""
    entries = histories.history(Random(3), n_events=6_000, steps_ms=(0, 1, 5))
    alone = sequential(entries, everything.CATALOGUE, until=end_of(entries), in_force=everything.FIRST)
    assert sum(map(len, alone.facts)) > 4 * BROKER_BYTES, "every shard has more than that"
    installation = Installation(kafka.brokers, tmp_path, everything.FIRST)
    job = flink.run(installation.settings, parallelism=1)
    installation.feed(entries)
    time.sleep(GATHERED_S)  # The controls' clock stands still, and so all of it waits.
    installation.tick(end_of(entries))
    found = installation.read(alone)
    assert flink.restarts(job) == 0
    flink.cancel(job)
    same(found, bare(alone))


def test_a_savepoint_cuts_it_in_half_and_it_grows(kafka: Kafka, flink: Flink, tmp_path: Path) -> None:
    """Stopped in the middle, with timers in flight, and gone on with twice as many tasks.

    What is told of states, the newest of each, is what they are; actions lie by whom they are for.
    """
    entries, alone = history(4)
    half = Random(4).randrange(20, 40)
    installation = Installation(kafka.brokers, tmp_path, everything.FIRST, states=True)
    job = flink.run(installation.settings, parallelism=1)
    installation.feed(entries[:half])
    installation.tick(entries[half - 1].at - 1)
    savepoint = flink.stop(job)
    job = flink.run(installation.settings, parallelism=2, savepoint=savepoint)
    installation.feed(entries[half:])
    installation.tick(end_of(entries))
    found = installation.read(alone)
    flink.cancel(job)
    same(found, bare(alone))
    told = {name: records[-1] for name, records in installation.keyed(installation.topics.states).items()}
    assert {name for name in told if name.startswith("mark|")} >= {"mark|identity|0", "mark|profile|3"}
    assert {
        name: decode_saved(record).state
        for name, record in told.items()
        if record is not None and not name.startswith("mark|")
    } == {saved_name(stage, key): state for (stage, key), state in alone.states.items()}
    by_person = installation.keyed(installation.topics.actions)
    for who, actions in by_person.items():
        assert {msgspec.json.decode(each or b"", type=Action).profile_id for each in actions} == {who}
