"""Serving on a cluster: the door alone, on Kafka; as many of it as wanted, side by side."""

from __future__ import annotations

import asyncio
import socket

import structlog

from sojourn import __version__
from sojourn.adapters.kafka_log import KafkaLog
from sojourn.adapters.lookups import LocalLookups
from sojourn.config import Config
from sojourn.server.http import App, Http
from sojourn.server.ingest.door import Door
from sojourn.server.metrics import Metrics
from sojourn.server.probes import Probes
from sojourn.server.scripts import Scripts
from sojourn.server.unsubscribe import Unsubscribing
from sojourn.wiring.cluster import client_for, topics_of
from sojourn.wiring.cluster_answering import Answering
from sojourn.wiring.collector import keep_pauses_short
from sojourn.wiring.listening import listening
from sojourn.wiring.logs import set_up_logs
from sojourn.wiring.process import Server, Stopping, ended, url_of

log = structlog.get_logger("sojourn")


async def serve_door(config: Config) -> None:
    """Take events, and make them durable on Kafka, until SIGINT or SIGTERM; what was taken is answered first.

    Raises ConfigError with what to do.
    """
    set_up_logs(config.log)
    with listening(config) as listener:
        cluster = config.cluster
        kafka = KafkaLog(
            client_for(config), topics_of(config), n_shards=cluster.shards, tick_ms=cluster.tick_ms
        )
        lookups = LocalLookups(config.geo_database)
        answering = Answering(config, kafka.accept) if cluster.serving.url else None
        try:
            await asyncio.to_thread(kafka.check)
            await _DoorServing(config, kafka, lookups, answering).run(listener)
        finally:
            await kafka.close()
            if answering is not None:
                await answering.store.close()
            lookups.close()


class _DoorServing:
    """The parts of one run, and how they start and end."""

    def __init__(
        self, config: Config, kafka: KafkaLog, lookups: LocalLookups, answering: Answering | None
    ) -> None:
        self._config = config
        self._kafka = kafka
        self._answering = answering
        self._accept = kafka.accept if answering is None else answering.accept
        self._metrics = Metrics()
        self._server = Server(self._application(lookups))
        kafka.on_trouble = _tell_trouble

    async def run(self, listener: socket.socket) -> None:
        """Serve until a signal, or until a part ends; raises what a part failed with."""
        self._watch()
        stopping = Stopping()
        stopping.heed_signals()
        http = asyncio.create_task(self._server.run_on(listener), name="http")
        clocks = asyncio.create_task(self._kafka.run(), name="clocks")
        collector = asyncio.create_task(keep_pauses_short(), name="collector")
        answering: list[asyncio.Task[None]] = [] if self._answering is None else self._answering.start()
        stop = asyncio.create_task(stopping.wait(), name="stop")
        self._tell_start(listener)
        await asyncio.wait({http, clocks, stop, *answering}, return_when=asyncio.FIRST_COMPLETED)
        log.info("stopping")
        self._server.should_exit = True
        await ended(http)
        if self._answering is not None:
            self._answering.stop()
        for part in answering:
            await ended(part)
        await self._kafka.close()
        await ended(clocks)
        stop.cancel()
        collector.cancel()
        for part in (http, clocks, *answering):
            part.result()
        log.info("stopped")

    def _application(self, lookups: LocalLookups) -> App:
        config = self._config
        door = Door(
            config.write_keys(),
            self._accept,
            lookups=lookups,
            observe=self._observe,
            n_proxies=config.http.proxies,
            keep_address=config.keep_full_ip,
        )
        rest: App = Scripts(Http(door, observe=self._observe))  # the innermost knows no other path: 404
        if self._answering is not None:
            rest = self._answering.application(rest, metrics=self._metrics, observe=self._observe)
        rest = Probes(self._metrics, is_ready=self._is_ready, rest=rest)
        if config.unsubscribe.secret is not None:
            secret = config.unsubscribe.secret.reveal()
            rest = Unsubscribing(secret, self._accept, rest=rest, observe=self._observe)
        return Http(door, rest=rest, observe=self._observe)

    def _is_ready(self) -> bool:
        return self._kafka.is_ready and (self._answering is None or self._answering.is_ready)

    def _observe(self, name: str, n: int) -> None:
        kind, _, detail = name.partition(".")
        match kind:
            case "requests":
                self._metrics.requests.labels(detail).inc(n)
            case "events":
                self._metrics.events.inc(n)
            case "failed":
                self._metrics.failed.inc(n)

    def _watch(self) -> None:
        kafka, metrics = self._kafka, self._metrics
        metrics.watch("sojourn_log_pending", "Events that wait for Kafka's word", lambda: kafka.n_pending)
        metrics.watch_total(
            "sojourn_log_refused", "Records of events that Kafka did not confirm", lambda: kafka.n_refused
        )
        metrics.watch_total(
            "sojourn_log_ticks", "Records of nothing that keep clocks going", lambda: kafka.n_ticks
        )

    def _tell_start(self, listener: socket.socket) -> None:
        config = self._config
        log.info(
            "serving",
            version=__version__,
            url=url_of(config.http.host, listener),
            brokers=config.cluster.brokers,
            prefix=config.cluster.prefix,
            shards=config.cluster.shards,
            sources=sorted(config.sources),
        )
        if not config.sources:
            log.warning("no sources: nobody can send events", do="add one under `sources` with a write_key")


def _tell_trouble(trouble: str | None) -> None:
    if trouble is None:
        log.info("Kafka confirms events again")
    else:
        log.error("Kafka does not confirm events, and who sends is told to come again", error=trouble)
