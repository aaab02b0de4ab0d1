"""Serving: one process, one folder: the door, the engine and the outbox, until somebody says stop."""

from __future__ import annotations

import asyncio
import gc
import random
import signal
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import structlog
import uvicorn

from sojourn import __version__
from sojourn.adapters.lookups import LocalLookups
from sojourn.config import Config
from sojourn.model.action import Action, Delivery
from sojourn.model.errors import ConfigError
from sojourn.model.ports import Sink
from sojourn.runtime.lane import Meter, Policy, Result
from sojourn.runtime.live import Live
from sojourn.runtime.outbox import OutboxWorker, outcome_event
from sojourn.server.api import make_api
from sojourn.server.http import Http
from sojourn.server.ingest.door import Door
from sojourn.server.metrics import Metrics
from sojourn.wiring.house import House, now_ms, open_house
from sojourn.wiring.logs import set_up_logs
from sojourn.wiring.sinks import make_sinks

GRACE_S = 10  # what is in flight may end; orchestrators kill after 30.

log = structlog.get_logger("sojourn")


async def serve(config: Config) -> None:
    """Run the house until SIGINT or SIGTERM; what was acknowledged is processed before it returns.

    Raises ConfigError and DefinitionError with what to do, and whatever ended the engine.
    """
    set_up_logs(config.log)
    sinks = make_sinks(config)
    with open_house(config) as house:
        _warn(config, house, sinks)
        try:
            await _Serving(config, house, sinks).run()
        finally:
            for sink in sinks.values():
                await sink.close()


class _Serving:
    """The parts of one run, and how they start and end."""

    def __init__(self, config: Config, house: House, sinks: dict[str, Sink]) -> None:
        self._config = config
        self._house = house
        self._metrics = Metrics()
        self._live = Live(house.driver, now=now_ms, observer=self._metrics, on_actions=self._wake_sinks)
        policy = config.deliver
        self._outbox = OutboxWorker(
            house.outbox,
            sinks,
            now=now_ms,
            random=random.random,
            on_outcome=self._tell,
            policy=Policy(
                max_in_flight=policy.max_in_flight,
                max_attempts=policy.max_attempts,
                delivery_timeout_ms=policy.delivery_timeout_ms,
                backoff_base_ms=policy.backoff_base_ms,
                backoff_cap_ms=policy.backoff_cap_ms,
                retry_after_cap_ms=policy.retry_after_cap_ms,
            ),
            meter=_Meter(self._metrics),
            executor=self._live.store_thread,
        )
        self._server = uvicorn.Server(self._uvicorn())
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        self._watch()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stopping.set)
        _tune_collector()
        engine = asyncio.create_task(self._live.run(), name="engine")
        outbox = asyncio.create_task(self._outbox.run(), name="outbox")
        http = asyncio.create_task(self._serve_http(), name="http")
        stop = asyncio.create_task(self._stopping.wait(), name="stop")
        await asyncio.wait({engine, outbox, http, stop}, return_when=asyncio.FIRST_COMPLETED)
        log.info("stopping", grace_s=GRACE_S)
        self._server.should_exit = True
        await _ended(http)
        await self._outbox.stop(GRACE_S)
        await _ended(outbox)
        self._live.close()
        stop.cancel()
        for task in (http, outbox, engine):
            await task
        log.info("stopped", position=self._house.driver.position)

    async def _serve_http(self) -> None:
        await self._server.serve()
        if not self._server.started:
            raise ConfigError(
                f"http.port: {self._config.http.host}:{self._config.http.port} cannot be listened on; "
                "is another process there? Set http.port to a free one [port-in-use]"
            )

    async def _tell(self, action: Action, delivery: Delivery) -> None:
        """What became of an action enters by the same door as every event."""
        await self._live.accept([outcome_event(action, delivery, now=now_ms())])
        self._metrics.deliveries.labels(action.sink, delivery.outcome).inc()

    def _wake_sinks(self, actions: Sequence[Action]) -> None:
        for sink in {action.sink for action in actions}:
            self._outbox.notify(sink)

    def _uvicorn(self) -> uvicorn.Config:
        config = self._config
        door = Door(
            config.write_keys(),
            self._live.accept,
            lookups=LocalLookups(config.geo_database),
            observe=self._observe,
            n_proxies=config.http.proxies,
            keep_address=config.keep_full_ip,
        )
        token = config.admin_token.reveal() if config.admin_token else None
        api = make_api(self._house, admin_token=token)
        rest = _Rest(self._metrics, api)
        return uvicorn.Config(
            Http(door, rest=rest, observe=self._observe),
            host=config.http.host,
            port=config.http.port,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,  # the door counts the operator's own proxies itself
            timeout_graceful_shutdown=GRACE_S,
        )

    def _observe(self, name: str, n: int) -> None:
        kind, _, detail = name.partition(".")
        if kind == "requests":
            self._metrics.requests.labels(detail).inc(n)

    def _watch(self) -> None:
        self._metrics.watch(
            {
                "sojourn_lag_entries": ("Entries appended and not yet processed", lambda: self._live.backlog),
                "sojourn_log_position": ("The last entry processed", lambda: self._house.driver.position),
            }
        )
        self._metrics.watch_family("sojourn_kept", "How much is kept, by kind", "kind", self._counts)

    def _counts(self) -> dict[str, float]:
        return {name: float(number) for name, number in self._house.store.counts().items()}


class _Rest:
    """Everything that is not the door: metrics, and the API."""

    def __init__(self, metrics: Metrics, api: Any) -> None:
        self._metrics = metrics
        self._api = api

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"] == "/metrics":
            headers = [(b"content-type", b"text/plain; version=0.0.4; charset=utf-8")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": self._metrics.text()})
            return
        await self._api(scope, receive, send)


class _Meter(Meter):
    """Tells the outbox's doings to the metrics."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def attempted(self, sink: str, result: Result, took_ms: int) -> None:
        del took_ms
        if result == "retried":
            self._metrics.retries.labels(sink).inc()


def _tune_collector() -> None:
    """Millions of frozen events make the collector's full passes long and idle; what is there now stays.

    gen 0 at 50,000: about two batches' worth, so that a pass costs a few ms at most.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


async def _ended(task: asyncio.Task[None]) -> None:
    """Wait for a task; what it raised is raised later, after the others have ended."""
    with suppress(BaseException):
        await asyncio.shield(task)


def _warn(config: Config, house: House, sinks: dict[str, Sink]) -> None:
    """Say at the start what will not work, and what to do."""
    log.info(
        "serving",
        version=__version__,
        url=f"http://{config.http.host}:{config.http.port}",
        data=str(config.data),
        journeys=len(house.catalogue.journeys),
        sources=sorted(config.sources),
        sinks=sorted(sinks),
        position=house.driver.position,
    )
    if not config.sources:
        log.warning("no sources: nobody can send events", do="add one under `sources` with a write_key")
    if not house.catalogue.journeys:
        log.warning("no journeys: events are kept and nothing is done", do="write one under `journeys`")
    if config.admin_token is None:
        log.warning("the API is off", do="set admin_token to read profiles over HTTP")
