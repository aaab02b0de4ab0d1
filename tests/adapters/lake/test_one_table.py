"""One table: files and what came since are what all facts in memory say, at every moment."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from random import Random

import pytest

from sojourn.adapters.lake import ParquetLake
from tests.adapters.lake.folders import Folder, read_all
from tests.adapters.lake.naive import naive
from tests.laws.catalogues import rich_catalogue, rich_history

N_EVENTS = 90


@pytest.mark.parametrize("seed", range(12))
def test_a_reader_sees_what_all_facts_say_at_every_moment(tmp_path: Path, seed: int) -> None:
    """Late events, duplicates and merges of people, before and after flush, compaction and restart."""
    random = Random(seed)
    folder = Folder(tmp_path, rich_catalogue())
    lake = ParquetLake(folder.lake_path)
    waiting = [entry for entry in rich_history(random, n_events=N_EVENTS)]
    lived: list = []
    while waiting:
        match random.choice(("live", "live", "live", "wait", "flush", "flush", "compact", "restart")):
            case "live":
                n = random.randrange(1, 12)
                batch, waiting = waiting[:n], waiting[n:]
                again = random.sample(lived, min(len(lived), random.randrange(3)))  # duplicates: refused
                lived += [entry.event for entry in batch]
                events = [entry.event for entry in batch] + again
                folder.live(
                    events, now=batch[-1].at, play=random.random() < 0.2, shadow=random.random() < 0.2
                )
            case "wait":
                folder.wait(folder.store.progress().clock + random.choice((1, 60_000, 7_200_000)))
            case "flush":
                folder.flush(lake, n_events=random.choice((1, 3, 10, 1_000)))
            case "compact":
                while lake.compact(is_final=random.random() < 0.5):
                    pass
            case "restart":
                lake.close()
                lake = ParquetLake(folder.lake_path)
        with folder.reading() as reading:
            found = read_all(reading)
        expected = naive(folder.entries(), folder.facts())
        for name, rows in expected.items():
            assert found[name] == rows, f"seed {seed}: {name}"
    lake.close()
    folder.close()
