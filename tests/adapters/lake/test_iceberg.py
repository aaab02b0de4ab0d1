"""A cluster's lake has the rows of a lake of one machine that lived the same, whatever kills its writer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from random import Random

import pytest

from sojourn.adapters.lake import NAMES, LakeReading
from sojourn.adapters.lake.iceberg.reading import read_iceberg
from tests.adapters.lake.folders import Folder
from tests.adapters.lake.topics import Topics, Writer, place_in
from tests.laws.catalogues import rich_catalogue, rich_history
from tests.soak import tries

NUMBERS = "fact_group, fact_n"
"""What names a row of facts differs: a number of a turn there, a place in a topic here."""


def lived(path: Path, random: Random, *, n_events: int) -> Folder:
    """Live a random history on one machine."""
    folder = Folder(path, rich_catalogue())
    waiting = rich_history(random, n_events=n_events)
    while waiting:
        n = random.randrange(1, 20)
        batch, waiting = waiting[:n], waiting[n:]
        folder.live([entry.event for entry in batch], now=batch[-1].at, shadow=random.random() < 0.2)
        if random.random() < 0.3:
            folder.wait(folder.store.progress().clock + random.choice((1, 60_000, 7_200_000)))
    return folder


def everything(reading: LakeReading) -> dict[str, list[str]]:
    """Return the rows of every table, in an order of their own."""
    found = {}
    for name in NAMES:
        columns = reading.table(name).columns
        shown = f"* EXCLUDE ({NUMBERS})" if "fact_n" in columns else "*"
        found[name] = sorted(map(repr, reading.connection.sql(f"SELECT {shown} FROM {name}").fetchall()))
        found[f"{name}'s columns"] = sorted(columns)
    return found


def test_the_same_history_is_the_same_rows(tmp_path: Path) -> None:
    """Of every table, and of what is made of them, though some of it was written again after a crash."""
    check(tmp_path, seed=0, n_events=30, at_once=(0, 40))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 1 + tries(4)))
def test_many_histories_are_the_same_rows(tmp_path: Path, seed: int) -> None:
    """Rare meetings need many tries."""
    check(tmp_path, seed=seed, n_events=80, at_once=(0, 1, 7, 100))


def check(tmp_path: Path, *, seed: int, n_events: int, at_once: Sequence[int]) -> None:
    """Compare every table with those of a lake of one machine."""
    random = Random(seed)
    folder = lived(tmp_path / "data", random, n_events=n_events)
    topics, place = Topics(random), place_in(tmp_path / "cluster")
    topics.add(folder.entries(), folder.facts())
    writer = Writer(place, topics, random)
    writer.run(crashes=0.05, at_once=at_once)
    with folder.reading() as alone, read_iceberg(place) as reading:
        expected, found = everything(alone), everything(reading)
    folder.close()
    for name, rows in expected.items():
        assert found[name] == rows, name
    assert writer.n_crashes
