"""Learning on a cluster: one process reads the facts and puts what follows from them into the log."""

from __future__ import annotations

import asyncio
import socket
import time
from threading import Event as Flag
from uuid import uuid4

import msgspec
import structlog

from sojourn import __version__
from sojourn.adapters.kafka_client import Client
from sojourn.adapters.kafka_controls import Publisher, read_controls
from sojourn.adapters.kafka_learnt import COUNTS, Counts, FactsReader, Turn
from sojourn.adapters.kafka_read import EndReader
from sojourn.config import Config
from sojourn.definitions.controls import LEARNT, Learnt, control_event
from sojourn.engine.records import CONTROLS, read_events
from sojourn.model.errors import UnavailableError
from sojourn.model.topics import Topics
from sojourn.runtime.shards.pupil import Progress, Pupil
from sojourn.server.metrics import Metrics
from sojourn.server.probes import Probes
from sojourn.wiring.cluster import client_for, topics_of
from sojourn.wiring.house import now_ms
from sojourn.wiring.listening import listening
from sojourn.wiring.logs import set_up_logs
from sojourn.wiring.process import Server, Stopping, ended, url_of

POLL_S = 0.5
KEEP_S = 60.0  # between two records of the counts: what is read again after a crash.
AGAIN_S = 2.0
RING = 4_096
"""Controls of the same names that are kept, one in 15 minutes: of 42 days, and older ones are compacted away.
Events are kept for less, so that a job which begins anew meets every control that held for them."""

log = structlog.get_logger("sojourn")


async def learn(config: Config) -> None:
    """Learn, or stand by, until SIGINT or SIGTERM. Raises ConfigError with what to do."""
    set_up_logs(config.log)
    client, topics = client_for(config), topics_of(config)
    with listening(config) as listener:
        learning = Learning(client, topics, n_shards=config.cluster.shards, group=group_of(config))
        log.info("standing by", version=__version__, url=url_of(config.http.host, listener))
        await _run(learning, listener)


def group_of(config: Config) -> str:
    """Name the consumer group of those who may learn."""
    return f"{config.cluster.prefix}.learners"


async def _run(learning: Learning, listener: socket.socket) -> None:
    metrics = Metrics()
    metrics.watch("sojourn_learning", "1 where this process is the one that learns", lambda: learning.leads)
    metrics.watch_total("sojourn_learnt", "Controls of what was learnt", lambda: learning.n_told)
    server = Server(Probes(metrics, is_ready=lambda: learning.is_ready))
    stopping = Stopping()
    stopping.heed_signals()
    parts = [
        asyncio.create_task(server.run_on(listener), name="http"),
        asyncio.create_task(asyncio.to_thread(learning.run), name="learning"),
    ]
    stop = asyncio.create_task(stopping.wait(), name="stop")
    await asyncio.wait({*parts, stop}, return_when=asyncio.FIRST_COMPLETED)
    learning.stop()
    server.should_exit = True
    for task in parts:
        await ended(task)
    stop.cancel()
    for task in parts:
        task.result()
    log.info("stopped")


class Learning:
    """One who learns when it is their turn; on a thread of its own."""

    def __init__(self, client: Client, topics: Topics, *, n_shards: int, group: str) -> None:
        """Name the brokers, the topics and the group."""
        self._client, self._topics, self._n_shards, self._group = client, topics, n_shards, group
        self._stopping = Flag()
        self.is_ready = False
        """Whether the group knows of it."""
        self.leads = False
        self.n_told = 0
        """Controls it made."""

    def stop(self) -> None:
        """Have `run` keep what is counted, and return."""
        self._stopping.set()

    def run(self) -> None:
        """Learn whenever it is our turn, until `stop`."""
        turn = Turn(self._client.settings, self._topics, group=self._group)
        try:
            while not self._stopping.is_set():
                is_ours = turn.is_ours(POLL_S)
                self.is_ready = True
                if not is_ours:
                    continue
                try:
                    self._lead(turn)
                except UnavailableError as error:
                    log.warning(
                        "learning begins again", cause=error.reason, do="nothing: it goes on by itself"
                    )
                    self._stopping.wait(AGAIN_S)
        finally:
            turn.close()

    def _lead(self, turn: Turn) -> None:
        """Go on where somebody was, while it is our turn."""
        session = _Session(self._client, self._topics, n_shards=self._n_shards)
        self.leads, turn.leaving = True, session.keep
        log.info("learning", clock=session.pupil.clock)
        try:
            while turn.is_ours(0) and not self._stopping.is_set():
                self.n_told += session.step()
            if self._stopping.is_set():
                session.keep()
            else:
                log.info("somebody else learns")
        finally:
            self.leads, turn.leaving = False, None
            session.close()


class _Session:
    """From the beginning of our turn to its end."""

    def __init__(self, client: Client, topics: Topics, *, n_shards: int) -> None:
        self._client, self._topics, self._n_shards = client, topics, n_shards
        self._owner = uuid4().hex
        self._counts = Counts(client.settings, topics)
        kept = self._counts.read()
        progress = Progress() if kept is None else msgspec.json.decode(kept, type=Progress)
        self.pupil = Pupil(progress)
        self.keep()  # with our name in it: whoever was before finds it
        Publisher(
            client, topics, n_shards=n_shards
        )  # and what they were about to put into the log is refused
        self._controls = EndReader(client.settings, topics.controls)
        self._facts = FactsReader(client.settings, topics, progress.offsets)

    def step(self) -> bool:
        """Read on, and put into the log what is to be by now; return whether something was."""
        facts, offsets = self._facts.read(POLL_S)
        if facts:
            self._controls.read_on(self._hear)  # whoever wrote these facts had heard what is there by now
            self.pupil.take(facts, offsets)
        learnt = self.pupil.learnt() if facts else None
        if learnt is not None:
            self._tell(learnt)
        elif time.monotonic() - self._kept_at > KEEP_S:
            self.keep()
        return learnt is not None

    def keep(self) -> None:
        """Keep the counts, and how far they go."""
        self._counts.write(msgspec.json.encode(self.pupil.progress(self._owner)))
        self._kept_at = time.monotonic()

    def close(self) -> None:
        """Let go."""
        self._facts.close()
        self._controls.close()

    def _hear(self, offset: int, at: int, content: bytes) -> None:
        for entry in read_events(content, shard=CONTROLS, offset=offset, at=at):
            self.pupil.hear(entry)

    def _tell(self, learnt: Learnt) -> None:
        """Put it into the log, with the counts it follows from, or neither."""
        publisher = Publisher(self._client, self._topics, n_shards=self._n_shards)
        newest = self._counts.read()
        if newest is None or msgspec.json.decode(newest, type=Progress).owner != self._owner:
            raise UnavailableError("somebody else has begun to learn")
        controls = read_controls(self._client, self._topics)
        after = controls[-1].position if controls else 0
        names = "|".join(sorted([*learnt.forecasts, *learnt.allocations]))
        key = f"learnt-{self.pupil.n_told % RING}-{names}"
        self.pupil.n_told += 1
        topic, content, _ = self._counts.record(msgspec.json.encode(self.pupil.progress(self._owner)))
        publisher.append(
            control_event(LEARNT, learnt, after=after, now=now_ms()), key=key, also=[(topic, COUNTS, content)]
        )
        self._kept_at = time.monotonic()
        log.info("learnt", forecasts=sorted(learnt.forecasts), allocations=sorted(learnt.allocations))
