"""A killed import: the real command, killed without warning, and run again."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest

from sojourn.config import Config
from sojourn.model.event import Entry
from sojourn.wiring import open_house

N_ROWS = 30_000
N_ROUNDS = 8


def start(folder: Path, file: Path) -> subprocess.Popen[str]:
    """Start an import into a folder."""
    command = [sys.executable, "-c", "from sojourn.cli import main; main()", "import", str(file), "--json"]
    return subprocess.Popen([*command, "--data", str(folder)], stdout=subprocess.PIPE, text=True)


def log_of(folder: Path) -> list[Entry]:
    """Read the whole log."""
    with open_house(Config(data=folder, journeys=[])) as house:
        entries: list[Entry] = []
        while more := house.log.read(len(entries), 10_000):
            entries += more
        assert house.driver.position == len(entries)
        return entries


def facts_of(folder: Path) -> list[bytes]:
    """Read all facts; in which order people's facts lie beside one another is nobody's promise."""
    facts: list[bytes] = []
    last = 0
    with open_house(Config(data=folder, journeys=[])) as house:
        while groups := house.store.facts_after(last, 10_000):
            last = groups[-1][0]
            facts += [msgspec.json.encode(fact) for _, group in groups for fact in group]
    return sorted(facts)


@pytest.mark.slow
def test_an_import_that_is_killed_and_run_again_leaves_the_log_and_the_facts_of_one_run(
    tmp_path: Path,
) -> None:
    """Killed at random moments, again and again, until one comes through: every row is there once."""
    seed = random.randrange(2**32)
    chance = random.Random(seed)
    file = tmp_path / "events.csv"
    rows = [
        f"E{n % 19},u{chance.randrange(500)},{1_704_067_200 + chance.randrange(10**6)}" for n in range(N_ROWS)
    ]
    file.write_text("event,user_id,timestamp\n" + "\n".join(rows))
    began_at = time.monotonic()
    assert start(tmp_path / "once", file).wait() == 0
    took_s = time.monotonic() - began_at
    for _ in range(N_ROUNDS):
        running = start(tmp_path / "killed", file)
        time.sleep(chance.uniform(0.2, 0.9) * took_s)
        running.send_signal(signal.SIGKILL)
        running.wait()

    last = start(tmp_path / "killed", file)
    said, _ = last.communicate()
    counts = json.loads(said.splitlines()[-1])
    once, killed = log_of(tmp_path / "once"), log_of(tmp_path / "killed")

    assert counts["accepted"] + counts["duplicate"] == N_ROWS, f"seed {seed}"
    assert counts["failed"] == 0, f"seed {seed}"
    found = [(entry.position, entry.at, entry.event.message_id, entry.is_history) for entry in killed]
    assert found == [
        (entry.position, entry.at, entry.event.message_id, entry.is_history) for entry in once
    ], f"seed {seed}"
    assert facts_of(tmp_path / "killed") == facts_of(tmp_path / "once"), f"seed {seed}"
