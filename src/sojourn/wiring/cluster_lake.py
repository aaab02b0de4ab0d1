"""The lake of a cluster: one process that writes it, and a folder that stands for it."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import structlog

from sojourn import __version__
from sojourn.adapters.kafka_lake import CONTROLS, ENTRIES, LakeTopics, Record
from sojourn.adapters.lake.iceberg.catalogue import OWNER, Place
from sojourn.adapters.lake.iceberg.linking import write_link
from sojourn.adapters.lake.iceberg.writing import IcebergLake
from sojourn.config import Config
from sojourn.definitions.controls import told_to_others
from sojourn.engine import records
from sojourn.model.errors import ConfigError, UnavailableError
from sojourn.model.fact import Fact
from sojourn.wiring.cluster import client_for, topics_of
from sojourn.wiring.lake import FOLDER
from sojourn.wiring.logs import set_up_logs

POLL_S = 0.5
FIRST_RETRY_S, MAX_RETRY_S = 1.0, 60.0

_decode_facts = msgspec.json.Decoder(list[Fact]).decode

log = structlog.get_logger("sojourn")


def place_of(config: Config) -> Place:
    """Return where the configured lake is; raises ConfigError where none is."""
    lake = config.cluster.lake
    if not lake.catalog:
        raise ConfigError(
            f"{OWNER}: catalog is not set; say where its catalogue is: `cluster: {{ lake: {{ catalog: "
            "{ type: sql, uri: ..., warehouse: ... } } }` in sojourn.yaml [no-catalog]"
        )
    return Place(catalog=lake.catalog, catalog_env=lake.catalog_env, namespace=lake.namespace)


def link(config: Config) -> Path:
    """Let the data folder stand for the cluster's lake; return the file that says so. Raises ConfigError."""
    return write_link(config.data / FOLDER, place_of(config))


def write_lake(config: Config) -> None:
    """Write the lake until SIGINT or SIGTERM; then what was read is committed. Raises ConfigError."""
    set_up_logs(config.log)
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    place_of(config), client_for(config)
    retry_s = FIRST_RETRY_S
    while not stopping.is_set():
        try:
            _follow(config, stopping)
        except UnavailableError as error:
            log.error(
                "the lake cannot be written",
                error=error.reason,
                do=f"nothing yet: tried again in {retry_s:.0f} s",
            )
            stopping.wait(retry_s)
            retry_s = min(2 * retry_s, MAX_RETRY_S)
    log.info("stopped")


def _follow(config: Config, stopping: threading.Event) -> None:
    topics = LakeTopics(client_for(config).settings, topics_of(config))
    try:
        lake = IcebergLake(place_of(config), log=topics.log)
        topics.begin(lake.reach.known)
        log.info(
            "writing the lake",
            version=__version__,
            namespace=config.cluster.lake.namespace,
            clock=lake.reach.clock,
        )
        writing = Writing(lake, topics, every_ms=config.cluster.lake.every_ms, rows=config.cluster.lake.rows)
        while not stopping.is_set():
            writing.turn()
        writing.commit()
    finally:
        topics.close()


class Writing:
    """What is read goes into the lake, and is committed after so many rows, or so long."""

    def __init__(
        self,
        lake: IcebergLake,
        topics: LakeTopics,
        *,
        every_ms: int,
        rows: int,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._lake, self._topics = lake, topics
        self._every_s, self._rows = every_ms / 1_000, rows
        self._now = now
        self._waits_since: float | None = None

    def turn(self) -> None:
        """Read what has come; commit where it is time."""
        for record in self._topics.read(min(POLL_S, self._every_s)):
            take(self._lake, record)
        if self._lake.n_rows and self._waits_since is None:
            self._waits_since = self._now()
        is_due = self._waits_since is not None and self._now() - self._waits_since >= self._every_s
        if is_due or self._lake.n_rows >= self._rows:
            self.commit()

    def commit(self) -> None:
        """Commit what was read, where there is something."""
        if not self._lake.n_rows:
            return
        n_rows, begun, cpu = self._lake.n_rows, self._now(), time.process_time()
        self._lake.commit({topic: list(at) for topic, at in self._topics.next.items()})
        self._waits_since = None
        log.info(
            "committed",
            rows=n_rows,
            seconds=round(self._now() - begun, 2),
            cpu_s=round(time.process_time() - cpu, 2),
            clock=self._lake.reach.clock,
        )


def take(lake: IcebergLake, record: Record) -> None:
    """Take one record into a lake; raises ConfigError where it is not ours."""
    try:
        if record.topic == ENTRIES:
            lake.take_entries(records.read_taken(record.content))
        elif record.topic == CONTROLS:
            heard = records.read_events(
                record.content, shard=records.CONTROLS, offset=record.offset, at=record.at
            )
            lake.take_entries(map(told_to_others, heard))
        else:
            lake.take_facts(_decode_facts(record.content), partition=record.partition, offset=record.offset)
    except msgspec.MsgspecError as error:
        raise ConfigError(
            f"topic {record.topic}, partition {record.partition}, offset {record.offset}: is not ours, or of "
            f"a newer Sojourn ({error}); see who writes there [lake-record]"
        ) from None
