"""A cluster's lake on the real brokers: every row once, however often its process is killed."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from uuid import uuid4

import msgspec
import pytest
from confluent_kafka import Producer
from msgspec.structs import replace

from sojourn.adapters.kafka_topics import make_topics
from sojourn.adapters.lake import LakeReading
from sojourn.adapters.lake.iceberg.catalogue import Place, Reached, load_tables, open_catalogue, reached
from sojourn.adapters.lake.iceberg.reading import read_iceberg
from sojourn.definitions.controls import is_control
from sojourn.model.event import Entry
from sojourn.model.fact import Fact
from sojourn.model.lake import EVENTS, TABLES
from sojourn.model.topics import Topics
from tests.adapters.lake import topics as lists
from tests.adapters.lake.test_iceberg import everything, lived
from tests.cluster.machines import Flink, Kafka, Machine, until
from tests.cluster.topics import READ_S, Installation
from tests.laws import test_everything_published as everywhere
from tests.laws.runtimes import sequential
from tests.laws.test_equality import end_of

pytestmark = pytest.mark.cluster

N_KILLS = 6
CONFIG = """
log: {{ format: json }}
cluster:
  brokers: "{brokers}"
  prefix: {prefix}
  replicas: 1
  lake:
    catalog: {catalog}
    every: 200ms
"""


class LakeProcess:
    """`sojourn cluster lake`, of an installation of its own."""

    def __init__(self, brokers: str, folder: Path, *, prefix: str = "") -> None:
        self.prefix = prefix or f"lake-{uuid4().hex[:8]}"
        self.topics = Topics.of(self.prefix)
        self.place = lists.place_in(folder / "cluster")
        self.file = folder / "sojourn.yaml"
        catalog = msgspec.json.encode(self.place.catalog).decode()
        self.file.write_text(CONFIG.format(brokers=brokers, prefix=self.prefix, catalog=catalog))
        command = [sys.executable, "-c", "from sojourn.cli import main; main()", "cluster", "lake"]
        self.machine = Machine("lake", [*command, "--config", str(self.file)], folder, dict(os.environ))

    def start(self) -> None:
        """Start it, and wait until it reads."""
        n_before = self.n_said("writing the lake")
        self.machine.start()
        until("the lake's process", lambda: self.n_said("writing the lake") > n_before)

    def n_said(self, what: str) -> int:
        """Count how often its log says something."""
        return self.machine.log.read_text().count(f'"{what}"') if self.machine.log.exists() else 0

    def is_torn(self) -> bool:
        """Tell whether some table is ahead of the one that is committed last."""
        catalog = open_catalogue(self.place)
        first, judge = (reached(catalog.load_table(f"sojourn.{name}")) for name in ("steps", EVENTS.name))
        return first is not None and _ahead(first, judge)

    def reach(self) -> Reached | None:
        """Return how far all its tables are."""
        return reached(load_tables(open_catalogue(self.place), self.place.namespace)[EVENTS.name])


def test_every_row_is_there_once_however_often_its_process_is_killed(kafka: Kafka, tmp_path: Path) -> None:
    """Killed at random moments, while transactions are written, some of which do not count."""
    random = Random(11)
    folder = lived(tmp_path / "data", random, n_events=300)
    topics = lists.Topics(random)
    topics.add(folder.entries(), folder.facts())
    process = LakeProcess(kafka.brokers, tmp_path)
    client = {"bootstrap.servers": kafka.brokers}
    make_topics(client, process.topics, n_shards=1, n_partitions=lists.N_PARTITIONS, has_entries=True)
    producing = Transactions(client, process.topics, topics, random)
    n_torn = 0
    for n in range(N_KILLS):
        process.start()
        producing.write(0.5 / N_KILLS)
        if n % 2:
            time.sleep(random.uniform(0, 2.0))
        else:
            until("a commit in its midst", lambda: producing.write(0.02) or process.is_torn())
        process.machine.kill()
        n_torn += process.is_torn()
    producing.write(1)
    process.start()
    until("the rest", lambda: _has(process.reach(), producing.ends))
    process.machine.end(signal.SIGTERM)
    with folder.reading() as alone, read_iceberg(process.place) as reading:
        expected, found = everything(alone), everything(reading)
    folder.close()
    assert {name for name, rows in expected.items() if found[name] != rows} == set()
    assert n_torn, "killed with some tables committed, and others not"


def _ahead(one: Reached, judge: Reached | None) -> bool:
    places = [(topic, number) for topic, at in one.next.items() for number in range(len(at))]
    return any(one.at(*place) > (judge.at(*place) if judge else 0) for place in places)


def _has(reach: Reached | None, ends: dict[tuple[str, int], int]) -> bool:
    return reach is not None and all(reach.at(*place) > end for place, end in ends.items())


def test_what_flink_passes_on_is_what_the_reference_took(kafka: Kafka, flink: Flink, tmp_path: Path) -> None:
    """Events and facts of a history of everything, sent twice in parts, with its job killed in the midst."""
    _, entries = everywhere.edited(5, 60)
    alone = sequential(entries, everywhere.CATALOGUE, until=end_of(entries), in_force=everywhere.FIRST)
    installation = Installation(kafka.brokers, tmp_path, everywhere.FIRST, entries=True)
    process = LakeProcess(kafka.brokers, tmp_path, prefix=installation.prefix)
    job = flink.run(installation.settings, parallelism=2)
    process.start()
    installation.feed(twice(entries[:30]))
    installation.tick(entries[29].at - 1)
    flink.replace_taskmanagers()
    installation.feed(twice(entries[30:]))
    installation.tick(end_of(entries))
    found_in_topics = installation.read(alone)
    assert found_in_topics.facts == alone.facts
    assert set(found_in_topics.actions) == set(alone.actions)  # a job that begins again writes them again
    flink.cancel(job)
    topics, place = lists.Topics(Random(0)), lists.place_in(tmp_path / "reference")
    facts = [msgspec.json.decode(fact, type=Fact) for fact in alone.facts]
    topics.add(entries, [(0, n, fact) for n, fact in enumerate(facts)])
    lists.Writer(place, topics, Random(0)).run()
    with read_iceberg(place) as reading:
        expected = written(reading)
    until("the lake", lambda: _n_rows(_written(process.place)) >= _n_rows(expected), patience_s=READ_S)
    process.machine.end(signal.SIGTERM)
    found = _written(process.place)
    assert {name: rows for name, rows in found.items() if rows != expected[name]} == {}


def twice(entries: list[Entry]) -> Iterator[Entry]:
    """Yield everything and, of what is no control, its repetition."""
    for entry in entries:
        yield entry
        if not is_control(entry.event):
            yield replace(entry, position=entry.position + 10**9)


def _n_rows(tables: dict[str, list[str]]) -> int:
    return sum(map(len, tables.values()))


def _written(place: Place) -> dict[str, list[str]]:
    with read_iceberg(place) as reading:
        return written(reading)


def written(reading: LakeReading) -> dict[str, list[str]]:
    """Return the rows of every table as they were written, in an order of their own."""
    found = {}
    for name in TABLES:
        left_out = "" if name == EVENTS.name else "EXCLUDE (fact_group, fact_n)"
        found[name] = sorted(
            map(repr, reading.connection.sql(f"SELECT * {left_out} FROM raw.{name}").fetchall())
        )
    return found


class Transactions:
    """Writes records of lists to real topics, each once among what is committed."""

    def __init__(self, client: dict[str, str], topics: Topics, records: lists.Topics, random: Random) -> None:
        self._names = {"entries": topics.entries, "facts": topics.facts}
        self._random = random
        self._producer = Producer({**client, "transactional.id": topics.facts})
        self._producer.init_transactions(30)
        self._waiting = [
            (topic, number, record)
            for topic, partitions in records.records.items()
            for number, partition in enumerate(partitions)
            for record in partition
        ]
        self._n_all = len(self._waiting)
        self.ends: dict[tuple[str, int], int] = {}
        """Where the last record of each partition lies."""

    def write(self, share: float) -> None:
        """Write so much of all, in transactions; before some of them, the same in one that is aborted."""
        part, self._waiting = self._taken(int(share * self._n_all) + 1)
        while part:
            n = self._random.randrange(1, 20)
            here, part = part[:n], part[n:]
            if self._random.random() < 0.3:
                self._produce(here)
                self._producer.abort_transaction(30)
            self._produce(here)
            self._producer.commit_transaction(30)

    def _taken(self, n: int) -> tuple[list[tuple[str, int, bytes]], list[tuple[str, int, bytes]]]:
        return self._waiting[:n], self._waiting[n:]

    def _produce(self, records: list[tuple[str, int, bytes]]) -> None:
        self._producer.begin_transaction()
        for topic, number, record in records:

            def told(error: object, message: object, place: tuple[str, int] = (topic, number)) -> None:
                if error is None:
                    self.ends[place] = message.offset()  # type: ignore[attr-defined]

            self._producer.produce(self._names[topic], record, partition=number, on_delivery=told)
        self._producer.flush()
