"""Crashes: kill -9 at random moments under load, and what must still be true of the folder and the world."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from random import SystemRandom

import pytest

from tests.crash.audit import (
    catalogue_of,
    check_actions,
    check_all_is_done,
    check_facts,
    check_lake,
    check_log,
    check_replay,
    opened,
)
from tests.crash.world import JOURNEYS, World

LOAD_S = (0.2, 1.5)  # from the first request to the kill
AUDIT_EVERY = 25  # rounds: the folder is also looked at as a crash left it


@pytest.fixture
def world(disk_path: Path) -> Iterator[World]:
    """Everything around one folder; SOJOURN_CRASH_SEED=n repeats the choices of a run."""
    seed = int(os.environ.get("SOJOURN_CRASH_SEED") or SystemRandom().getrandbits(32))
    print(f"SOJOURN_CRASH_SEED={seed}")
    world = World(disk_path, seed=seed)
    world.receiver.start()
    yield world
    world.close()
    world.receiver.stop()


def crash(world: World, n_rounds: int, *, is_lake_read: bool = True) -> None:
    """Kill it so many times, look now and then at what a kill left, let it come to rest, and look at all."""
    for n in range(1, n_rounds + 1):
        world.live_and_die(world.random.uniform(*LOAD_S))
        if n % AUDIT_EVERY == 0 or n == n_rounds:
            audit_as_it_lies(world, is_lake_read=is_lake_read)
    world.drain()
    audit_as_it_lies(world, is_lake_read=is_lake_read)
    with opened(world.setup.data) as folder:
        check_facts(folder)
        check_all_is_done(folder, world.receiver)
        check_replay(folder, catalogue_of(JOURNEYS))
    assert world.receiver.tally.n_acted > 0
    assert len(world.clients.sent.acknowledged) > 0


def audit_as_it_lies(world: World, *, is_lake_read: bool) -> None:
    """Check what holds at any instant, whether the last entries were processed or not."""
    sent = world.clients.sent
    with opened(world.setup.data) as folder:
        check_log(folder, acknowledged=sent.acknowledged, sent=sent.all)
        check_actions(folder, world.receiver)
        if is_lake_read:
            check_lake(world.setup.data, folder)


def test_nothing_is_lost_or_done_twice_over_three_crashes(world: World) -> None:
    """The promise of the first page, in the time a test may take."""
    crash(world, 3)


@pytest.mark.slow
def test_nothing_is_lost_or_done_twice_over_a_hundred_crashes(world: World) -> None:
    """Rare moments need many tries. The lake has a hundred deaths of its own, in `tests/adapters/lake`."""
    crash(world, 100, is_lake_read=False)
