"""The door is killed in the middle of batches: clients repeat what was not answered, and all counts once."""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.cluster.loads import Load, counted_once
from tests.cluster.machines import Flink, Kafka
from tests.cluster.whole import Whole

pytestmark = pytest.mark.cluster

N_KILLS = 3
BETWEEN_S = 2.0


def test_a_door_that_is_killed_loses_nothing_and_doubles_nothing(
    kafka: Kafka, flink: Flink, tmp_path: Path
) -> None:
    """As by a power cut, again and again; another one is begun in its place."""
    whole = Whole(tmp_path, kafka.brokers, flink)
    away: list[float] = []
    with whole.begun(), ExitStack() as begun:
        doors = [begun.enter_context(whole.shop.door())]
        load = Load(lambda: doors[-1])
        with load.running():
            for _ in range(N_KILLS):
                time.sleep(BETWEEN_S)
                killed_at = time.monotonic()
                doors[-1].process.kill()
                doors.append(begun.enter_context(whole.shop.door()))
                away.append(load.recovered(killed_at))
            time.sleep(BETWEEN_S)
        counted_once(whole, load)
        n_in_log = sum(entry.event.source == "web" for entry in whole.shop.entries())
    assert load.n_repeated >= N_KILLS
    print(f"{len(load.messages)} events acknowledged, {n_in_log} in the log, {load.n_repeated} repetitions;")
    print("acknowledged again after", ", ".join(f"{each:.1f} s" for each in away))
