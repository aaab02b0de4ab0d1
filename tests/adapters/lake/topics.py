"""The topics of a cluster, in lists: what a history leaves in them, and a lake that is written from that."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

import msgspec

from sojourn.adapters.lake.iceberg import writing
from sojourn.adapters.lake.iceberg.catalogue import Place
from sojourn.adapters.lake.iceberg.writing import IcebergLake
from sojourn.engine.records import (
    HISTORY,
    SHADOW,
    Sent,
    encode_events,
    encode_taken,
    entry_shard,
    read_taken,
    shard_of,
)
from sojourn.model.event import Entry
from sojourn.model.fact import Fact
from tests.adapters.lake.folders import Numbered

LOG = "kafka/shop"
N_PARTITIONS = 3


class CrashError(Exception):
    """The process is gone."""


def place_in(folder: Path) -> Place:
    """Name a catalogue, and a warehouse, in a folder."""
    folder.mkdir(exist_ok=True)
    catalog = {
        "type": "sql",
        "uri": f"sqlite:///{folder}/catalog.db",
        "warehouse": f"file://{folder}/it's here",
    }
    return Place(catalog=catalog)


class Topics:
    """Records by topic, partition and offset."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self.records: dict[str, list[list[bytes]]] = {
            topic: [[] for _ in range(N_PARTITIONS)] for topic in ("entries", "facts")
        }

    def add(self, entries: Sequence[Entry], facts: Sequence[Numbered]) -> None:
        """Write a history: what a worker did for one shard in a call is a record, in any partition.

        All that happened to somebody at one instant is of one call.
        """
        by_shard: dict[int, list[Entry]] = {}
        for entry in entries:
            by_shard.setdefault(entry_shard(entry.event, 4), []).append(entry)
        for shard, some in by_shard.items():
            for here in _parted(some, self._random):
                sent = [
                    Sent(
                        each.event,
                        HISTORY * each.is_history | SHADOW * each.is_shadow,
                        each.at,
                        each.position,
                    )
                    for each in here
                ]
                record = encode_taken(
                    encode_events(sent), here, len(here), shard=shard, offset=0, at=here[0].at
                )
                self._random.choice(self.records["entries"]).append(record)
        calls: dict[tuple[int, int], list[Fact]] = {}
        for _, _, fact in facts:
            shard = shard_of(fact.profile_id, 4)
            calls.setdefault((shard, fact.at), []).append(fact)
        for said in calls.values():
            self._random.choice(self.records["facts"]).append(msgspec.json.encode(said))


def _parted(entries: list[Entry], random: Random) -> list[list[Entry]]:
    parts = []
    while entries:
        n = random.randrange(1, 6)
        parts.append(entries[:n])
        entries = entries[n:]
    return parts


class Writer:
    """Whoever writes a lake from topics, and dies now and then."""

    def __init__(self, place: Place, topics: Topics, random: Random) -> None:
        self._place, self._topics, self._random = place, topics, random
        self.n_crashes = 0
        self._at_once: Sequence[int] = ()

    def run(self, *, crashes: float = 0.0, at_once: Sequence[int] = (1_000,)) -> None:
        """Write all there is, so much of a partition in a commit; each may be the last thing done."""
        self._at_once = at_once
        while True:
            try:
                self._follow(crashes)
                return
            except CrashError:
                self.n_crashes += 1

    def _follow(self, crashes: float) -> None:
        lake = IcebergLake(self._place, log=LOG)
        place = {
            topic: [lake.reach.at(topic, n) for n in range(N_PARTITIONS)] for topic in self._topics.records
        }
        while self._read_some(lake, place):
            with_crashes(lambda: lake.commit({k: list(v) for k, v in place.items()}), self._random, crashes)

    def _read_some(self, lake: IcebergLake, place: dict[str, list[int]]) -> bool:
        has_read = False
        for topic, partitions in self._topics.records.items():
            for number, records in enumerate(partitions):
                n = self._random.choice(self._at_once)
                for record in records[place[topic][number] : place[topic][number] + n]:
                    has_read = True
                    if topic == "entries":
                        lake.take_entries(read_taken(record))
                    else:
                        facts = msgspec.json.decode(record, type=list[Fact])
                        lake.take_facts(facts, partition=number, offset=place[topic][number])
                    place[topic][number] += 1
        return has_read or any(
            place[topic][number] < len(records)
            for topic, partitions in self._topics.records.items()
            for number, records in enumerate(partitions)
        )


def with_crashes(commit: Callable[[], None], random: Random, chance: float) -> None:
    """Commit; before or after that of any table it may be over."""
    real = writing._commit

    def fatal(*arguments: object) -> None:
        if random.random() < chance:
            raise CrashError
        real(*arguments)  # type: ignore[arg-type]
        if random.random() < chance:
            raise CrashError

    writing._commit = fatal
    try:
        commit()
    except Exception as error:
        if isinstance(error.__cause__, CrashError):
            raise error.__cause__ from None
        raise
    finally:
        writing._commit = real
