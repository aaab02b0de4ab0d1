"""A backup of a real server under load, put in the place of a folder that was lost."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.program import script
from tests.crash.audit import catalogue_of, check_facts, check_lake, check_log, check_replay, opened
from tests.crash.world import JOURNEYS, World

LOAD_S = 0.4


@pytest.fixture
def world(disk_path: Path) -> Iterator[World]:
    """Everything around one folder."""
    world = World(disk_path, seed=17)
    world.receiver.start()
    yield world
    world.close()
    world.receiver.stop()


@pytest.mark.slow
def test_a_backup_taken_under_load_takes_the_place_of_a_lost_folder(world: World, disk_path: Path) -> None:
    """What was acknowledged before is there; clients send the rest again; facts are what a replay gives."""
    world.program.start()
    world.clients.start()
    time.sleep(LOAD_S)
    before = set(world.clients.sent.acknowledged)
    copy = disk_path / "backup"
    command = [*script(), "backup", str(copy), "--config", str(world.setup.config), "--json"]
    made = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    time.sleep(LOAD_S / 2)
    world.program.kill()
    world.clients.stop()
    after = set(world.clients.sent.acknowledged)
    assert 0 < len(before) < len(after)
    assert 0 < made["position"] <= made["log_end"]

    shutil.rmtree(world.setup.data)
    shutil.copytree(copy, world.setup.data)
    with opened(world.setup.data) as folder:
        check_log(folder, acknowledged=before, sent=world.clients.sent.all)
        assert folder.log.end() == made["log_end"]
    world.drain()
    with opened(world.setup.data) as folder:
        check_facts(folder)
        check_replay(folder, catalogue_of(JOURNEYS))
        check_lake(world.setup.data, folder)
        assert folder.store.counts()["outbox"] == 0
    assert world.receiver.tally.n_forged == 0
