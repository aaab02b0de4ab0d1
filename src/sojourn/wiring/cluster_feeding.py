"""Feeding a cluster's serving store: one of a group that brings states to it, until somebody says stop."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable, Mapping

import structlog

from sojourn import __version__
from sojourn.adapters.kafka_states import Batch, StatesFollower
from sojourn.adapters.serving_store import StoreWriter, newest
from sojourn.config import Config
from sojourn.model.errors import UnavailableError
from sojourn.server.metrics import Metrics
from sojourn.server.probes import Probes
from sojourn.wiring.cluster import client_for, topics_of
from sojourn.wiring.cluster_store import store_of
from sojourn.wiring.house import now_ms
from sojourn.wiring.listening import listening
from sojourn.wiring.logs import set_up_logs
from sojourn.wiring.process import Server, Stopping, ended, url_of

AGAIN_S = 0.5  # after the store did not answer.
LOOK_S = 5.0  # between two looks whether the store lost what it had.

log = structlog.get_logger("sojourn")


async def feed(config: Config, *, from_beginning: bool = False) -> None:
    """Bring states to the serving store until SIGINT or SIGTERM. Raises ConfigError with what to do."""
    set_up_logs(config.log)
    place, client, topics = store_of(config), client_for(config), topics_of(config)
    with listening(config) as listener:
        feeding = Feeding(StoreWriter(place))
        follower = StatesFollower(
            client.settings, topics.states, group=group_of(config), offsets=feeding.offsets
        )
        log.info(
            "feeding",
            version=__version__,
            url=url_of(config.http.host, listener),
            brokers=config.cluster.brokers,
            prefix=config.cluster.prefix,
            group=group_of(config),
        )
        try:
            await asyncio.to_thread(feeding.begin, from_beginning=from_beginning)
            await _Feed(feeding, follower).run(listener)
        finally:
            feeding.close()


def group_of(config: Config) -> str:
    """Name the consumer group of an installation's feeders."""
    return f"{config.cluster.prefix}.serving"


class Feeding:
    """What a feeder does with what it reads, on the thread that reads."""

    def __init__(self, writer: StoreWriter) -> None:
        self._writer = writer
        self._stored: dict[int, int] = {}
        self._has_all = True
        self._look_at = 0.0
        self.is_stopping = False
        self.is_well = True
        """Whether the store answered last."""
        self.n_stored = 0
        self.lag_ms = 0
        """Of the newest state that was stored last: between the instant of the log it is of, and then."""

    def begin(self, *, from_beginning: bool) -> None:
        """See that the store answers; have everything read anew where that is wanted."""
        if from_beginning:
            self._until_it_answers(self._writer.forget_offsets)

    def offsets(self) -> Mapping[int, int]:
        """Say from where each partition is to be read on."""
        found: dict[int, int] = {}
        self._until_it_answers(lambda: found.update(self._writer.offsets()))
        self._stored = found
        self._has_all = True
        return found

    def store(self, batch: Batch) -> None:
        """Store a batch; returns when the store has it, or all is to end."""
        kept = newest(batch.records)

        def write() -> None:
            self._has_all &= self._writer.write(kept, batch.offsets, stored=self._stored)

        if self._until_it_answers(write):
            self._stored = {**self._stored, **batch.offsets}
            self.n_stored += len(kept)
            places = [one.place[0] for one in kept if one.place is not None]
            self.lag_ms = max(0, now_ms() - max(places, default=now_ms()))

    def is_to_begin_anew(self) -> bool:
        """Tell, now and then, whether the store lost what it had: then what it has is made again."""
        now = time.monotonic()
        if self._has_all and now >= self._look_at:
            self._look_at = now + LOOK_S
            self._until_it_answers(self._look)
        if not self._has_all:
            log.warning("the serving store lost states", do="nothing: they are read from the topic again")
        return not self._has_all

    def _look(self) -> None:
        known = self._writer.offsets()
        self._has_all = all(known.get(one, 0) >= offset for one, offset in self._stored.items())

    def close(self) -> None:
        """Let go of the store."""
        self._writer.close()

    def _until_it_answers(self, what: Callable[[], None]) -> bool:
        while not self.is_stopping:
            try:
                what()
            except UnavailableError as error:
                if self.is_well:
                    log.error("states wait", error=error.reason, do="see to the store: they go on then")
                self.is_well = False
                time.sleep(AGAIN_S)
            else:
                if not self.is_well:
                    log.info("the serving store answers again")
                self.is_well = True
                return True
        return False


class _Feed:
    """The parts of one run, and how they start and end."""

    def __init__(self, feeding: Feeding, follower: StatesFollower) -> None:
        self._feeding = feeding
        self._follower = follower
        self._metrics = Metrics()
        self._stopping = Stopping()
        self._n_partitions: int | None = None
        self._server = Server(Probes(self._metrics, is_ready=self._is_ready))

    async def run(self, listener: socket.socket) -> None:
        """Feed until a signal, or until a part ends; raises what a part failed with."""
        self._watch()
        self._stopping.heed_signals()
        http = asyncio.create_task(self._server.run_on(listener), name="http")
        states = asyncio.create_task(asyncio.to_thread(self._follow), name="states")
        stop = asyncio.create_task(self._stopping.wait(), name="stop")
        await asyncio.wait({http, states, stop}, return_when=asyncio.FIRST_COMPLETED)
        log.info("stopping")
        self._feeding.is_stopping = True
        self._follower.stop()
        self._server.should_exit = True
        for task in (states, http):
            await ended(task)
        stop.cancel()
        for task in (states, http):
            task.result()
        log.info("stopped")

    def _follow(self) -> None:
        self._follower.follow(self._feeding.store, idle=self._feeding.is_to_begin_anew, shared=self._shared)

    def _shared(self, n_partitions: int) -> None:
        self._n_partitions = n_partitions
        log.info("partitions were shared out", ours=n_partitions)

    def _is_ready(self) -> bool:
        return self._n_partitions is not None and self._feeding.is_well and not self._stopping.is_set()

    def _watch(self) -> None:
        feeding, follower, metrics = self._feeding, self._follower, self._metrics
        metrics.watch_total("sojourn_states_stored", "States brought to the store", lambda: feeding.n_stored)
        metrics.watch(
            "sojourn_states_delay_seconds",
            "How old the newest state of the last batch was, by the log, when the store had it",
            lambda: feeding.lag_ms / 1000,
        )
        metrics.watch(
            "sojourn_states_partitions", "Partitions this feeder has", lambda: len(follower.partitions)
        )
