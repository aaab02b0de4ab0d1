"""Serving: one process, one folder: the door, the engine and the outbox, until somebody says stop."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import Callable, Collection, Sequence

import structlog

from sojourn import __version__
from sojourn.adapters.lookups import LocalLookups
from sojourn.config import Config
from sojourn.definitions.controls import FORGET
from sojourn.model.action import Action, Delivery
from sojourn.model.event import Entry, Event
from sojourn.model.ids import ProfileId
from sojourn.model.ports import Sink
from sojourn.model.views import ForgottenRow, ForgottenView, HoldView, PlanView
from sojourn.runtime.controls import Applied
from sojourn.runtime.importing import end_play
from sojourn.runtime.live import Live
from sojourn.runtime.outbox import OutboxWorker, outcome_event
from sojourn.server.access.gate import Access
from sojourn.server.api import make_api
from sojourn.server.asked import Hold, Publish, Rollback
from sojourn.server.forgetting import Forget
from sojourn.server.http import App, Http
from sojourn.server.ingest.door import Door
from sojourn.server.metrics import Metrics
from sojourn.server.probes import Probes
from sojourn.server.scripts import Scripts
from sojourn.server.studio import Studio
from sojourn.server.unsubscribe import Unsubscribing
from sojourn.wiring.accounts import open_access, tell_access
from sojourn.wiring.analyst import Analyst
from sojourn.wiring.authorship import Authorship
from sojourn.wiring.collector import keep_pauses_short
from sojourn.wiring.deciding import Counter
from sojourn.wiring.delivering import MetricsMeter, policy_of
from sojourn.wiring.desk import Desk, planned
from sojourn.wiring.forgetting import Forgetters
from sojourn.wiring.house import House, now_ms, open_house
from sojourn.wiring.inforce import journey_warnings, tell_applied
from sojourn.wiring.lakeside import Lakeside
from sojourn.wiring.listening import listening
from sojourn.wiring.process import GRACE_S, Server, Stopping, ended, url_of
from sojourn.wiring.sinks import make_sinks
from sojourn.wiring.watching import SinkMeter, Watch, Watching

_ADD_A_SOURCE = "add one under `sources` with a write_key; `sojourn init` writes a file to begin with"

log = structlog.get_logger("sojourn")


async def serve(config: Config) -> None:
    """Run the house until SIGINT or SIGTERM; what was acknowledged is processed before it returns.

    Raises ConfigError and DefinitionError with what to do, and whatever ended the engine.
    """
    with listening(config) as listener, open_house(config) as house, open_access(config) as access:
        end_play(house.driver)
        lookups = LocalLookups(config.geo_database)
        sinks = make_sinks(config)
        try:
            _tell_start(config, house, sinks, listener)
            await tell_access(config, access)
            await _Serving(config, house, sinks, lookups, access=access).run(listener)
        finally:
            for sink in sinks.values():
                await sink.close()
            lookups.close()


class _Serving:
    """The parts of one run, and how they start and end."""

    def __init__(
        self,
        config: Config,
        house: House,
        sinks: dict[str, Sink],
        lookups: LocalLookups,
        *,
        access: Access,
    ) -> None:
        self._config = config
        self._access = access
        self._house = house
        self._metrics = Metrics()
        watch = Watch(self._metrics)
        self._live = Live(house.driver, now=now_ms, observer=watch, on_actions=self._wake_sinks)
        self._lakeside = Lakeside(config)
        self._watching = Watching(config, house, self._live, watch=watch, lakeside=self._lakeside)
        self._outbox = OutboxWorker(
            house.outbox,
            sinks,
            now=now_ms,
            random=random.random,
            on_outcome=self._tell,
            policy=policy_of(config),
            meter=SinkMeter(MetricsMeter(self._metrics), self._watching.books),
            executor=self._live.store_thread,
        )
        self._authorship = Authorship(config, house.driver, bring=self._publish, now=now_ms)
        self._forgetters = Forgetters(
            config,
            house,
            self._live,
            bring=self._bring,
            traffic=self._authorship.counted,
            on_erased=self._heed_erased,
        )
        self._live.on_withdrawn = self._withdraw
        self._counter = Counter(config, house.driver, self._live, now=now_ms)
        self._analyst = Analyst(
            config.data, config.analytics, metrics=config.metrics, observe=self._metrics.asked
        )
        self._desk = Desk(house.driver, house.store)
        self._changing = asyncio.Lock()
        self._applied: dict[str, asyncio.Future[None]] = {}
        assert house.driver.controls is not None
        house.driver.controls.on_applied = self._heed_control
        self._outbox.hold(is_held=self._desk.holds().stopped)
        self._server = Server(self._application(lookups))
        self._stopping = Stopping()

    async def run(self, listener: socket.socket) -> None:
        """Serve until a signal, or until a part ends; raises what a part failed with."""
        self._watch()
        self._stopping.heed_signals()
        self._notify(self._house.outbox.sinks())  # letters of sinks that are not configured any more, too
        http = asyncio.create_task(self._server.run_on(listener), name="http")
        outbox = asyncio.create_task(self._outbox.run(), name="outbox")
        engine = asyncio.create_task(self._live.run(), name="engine")
        watching = asyncio.create_task(self._watching.run(), name="watching")
        self._counter.start()
        stop = asyncio.create_task(self._stopping.wait(), name="stop")
        collector = asyncio.create_task(keep_pauses_short(), name="collector")
        lakeside = asyncio.create_task(self._write_lake(), name="lake")
        self._authorship.start()
        erasing = asyncio.create_task(self._forgetters.run(), name="erasing")
        await asyncio.wait({engine, outbox, http, stop}, return_when=asyncio.FIRST_COMPLETED)
        first = [task for task in (engine, outbox, http) if task.done()]  # the cause of all that follows
        _tell_end(first)
        self._server.should_exit = True
        self._counter.hang_up()
        self._watching.hang_up()
        await self._analyst.stop()
        await self._authorship.stop()
        await ended(http)
        await self._outbox.stop(GRACE_S)
        await ended(outbox)
        await self._counter.stop()
        self._watching.stop()
        await ended(watching)
        self._forgetters.stop()
        await ended(erasing)
        self._live.close()
        await ended(engine)
        await self._lakeside.stop()
        await ended(lakeside)
        await asyncio.to_thread(self._live.release)
        self._authorship.close()
        stop.cancel()
        collector.cancel()
        for task in [*first, engine, outbox, http, lakeside, watching, erasing]:
            task.result()
        log.info("stopped", position=self._house.driver.position)

    async def _write_lake(self) -> None:
        if self._config.lake.enabled:
            await self._lakeside.run()

    async def retry_dead(self, action_ids: Sequence[str] | None) -> int:
        """Put dead letters back on their way, and wake their sinks."""
        loop = asyncio.get_running_loop()
        outbox = self._house.outbox

        def revive() -> tuple[int, list[str]]:
            return outbox.revive(action_ids, now=now_ms()), outbox.sinks()

        n_revived, sinks = await loop.run_in_executor(self._live.store_thread, revive)
        log.info("dead letters are tried again", letters=n_revived)
        self._notify(sinks)
        return n_revived

    def may_enter(self, journey: str) -> bool:
        """Tell whether a journey of that name is in force, and may be entered by a call."""
        found = self._house.driver.catalogue.journeys.get(journey)
        return found is not None and found.entry.is_api

    async def let_in(self, event: Event) -> bool:
        """Let a call in by the same door as every event."""
        return bool((await self._live.accept([event])).entries)

    async def publish(self, asked: Publish | Rollback) -> PlanView:
        """Plan what is asked for, and bring it into force by a control in the log."""
        return await self._publish(asked, lambda: None)

    async def _publish(self, asked: Publish | Rollback, first: Callable[[], None]) -> PlanView:
        """Plan, do what comes first where it is not refused, and bring it into force."""
        async with self._changing:
            found = await asyncio.to_thread(planned, self._desk, asked)
            if found.view.refused or asked.dry_run:
                return found.view
            await asyncio.to_thread(first)
            if found.publishing is None:
                return found.view
            await self._bring(self._desk.publishing(found.publishing, now=now_ms()))
            found.view.revision = self._desk.in_force.revision
            return found.view

    async def hold(self, asked: Hold) -> HoldView:
        """Let journeys stand still, or go on, by a control in the log."""
        async with self._changing:
            event = self._desk.holding(asked.name, asked.journey, now=now_ms())
            if event is not None:
                await self._bring(event)
            return self._desk.holds()

    async def forget(self, any_id: str, asked: Forget, *, by: str) -> ForgottenView:
        """Forget a person, or show what that would take."""
        async with self._changing:
            return await self._forgetters.forget(any_id, asked, by=by)

    def forgotten(self) -> Sequence[ForgottenRow]:
        """Return the ledger of those who were forgotten, newest first."""
        return self._forgetters.forgotten()

    async def _bring(self, event: Event) -> None:
        """Append a control, and wait until it is in force."""
        waiting = self._applied[event.message_id] = asyncio.get_running_loop().create_future()
        try:
            await self._live.tell([event])
            await waiting
        finally:
            del self._applied[event.message_id]

    def _heed_control(self, entry: Entry, applied: Applied) -> None:
        tell_applied(entry, applied)
        log.info("in force", control=entry.event.name, revision=applied.in_force.revision)
        if entry.event.name == FORGET:
            self._authorship.forget()
        self._outbox.hold(is_held=self._desk.holds().stopped)
        waiting = self._applied.get(entry.event.message_id)
        if waiting is not None and not waiting.done():
            waiting.set_result(None)

    def _withdraw(self, people: Collection[ProfileId]) -> None:
        """Send nothing more to people who were forgotten, and keep nothing that destinations said of them."""
        self._outbox.withdraw(people)
        self._watching.books.forget()

    def _heed_erased(self) -> None:
        """Let go of what was read of somebody between the control and the end of their bytes."""
        self._authorship.forget()
        self._operator.forget()

    async def _tell(self, action: Action, delivery: Delivery) -> None:
        """What became of an action enters by the same door as every event."""
        await self._live.tell([outcome_event(action, delivery, now=now_ms())])
        self._metrics.deliveries.labels(action.sink, delivery.outcome).inc()

    def _wake_sinks(self, actions: Sequence[Action]) -> None:
        self._notify({action.sink for action in actions})

    def _notify(self, sinks: Sequence[str] | set[str]) -> None:
        for sink in sinks:
            self._outbox.notify(sink)

    def _application(self, lookups: LocalLookups) -> App:
        config = self._config
        door = Door(
            config.write_keys(),
            self._live.accept,
            lookups=lookups,
            observe=self._observe,
            heard=self._watching.sources.heard,
            n_proxies=config.http.proxies,
            keep_address=config.keep_full_ip,
        )
        door.on_refused = self._watching.tail.refused
        operated = self._operator = self._watching.operator(self._outbox, lookups)
        rest = make_api(
            self._house,
            self,
            self._analyst,
            operated,
            authored=self._authorship.authored,
            access=self._access,
        )
        if config.studio.enabled:
            rest = Studio(rest, n_proxies=config.http.proxies)
        rest = Scripts(rest)
        rest = Probes(self._metrics, is_ready=lambda: self._live.is_ready, rest=rest)
        if config.unsubscribe.secret is not None:
            secret = config.unsubscribe.secret.reveal()
            rest = Unsubscribing(secret, self._live.accept, rest=rest, observe=self._observe)
        rest = self._counter.application(rest, metrics=self._metrics, observe=self._observe)
        return Http(door, rest=rest, observe=self._observe)

    def _observe(self, name: str, n: int) -> None:
        kind, _, detail = name.partition(".")
        if kind == "requests":
            self._metrics.requests.labels(detail).inc(n)

    def _watch(self) -> None:
        house, live, metrics = self._house, self._live, self._metrics
        metrics.watch("sojourn_lag_entries", "Entries appended and not yet processed", lambda: live.backlog)
        metrics.watch("sojourn_log_position", "The last entry processed", lambda: house.driver.position)
        metrics.watch_total(
            "sojourn_engine_failures",
            "Inputs and timers that the engine failed on",
            lambda: house.driver.failures.n_noted,
        )
        self._watch_lake()
        self._watch_experiments()
        self._watch_analyst()
        self._watching.watch(metrics)
        metrics.watch_family("sojourn_kept", "How much is kept, by kind", "kind", house.store.counts)

    def _watch_experiments(self) -> None:
        driver, metrics = self._house.driver, self._metrics
        metrics.watch_family(
            "sojourn_experiment_people",
            "People who met an experiment",
            "experiment",
            lambda: {name: one.exposed for name, one in driver.tallies.experiments.items()},
        )
        metrics.watch_family(
            "sojourn_experiment_conflicts",
            "People who met two variants of an experiment",
            "experiment",
            lambda: {name: one.conflicts for name, one in driver.tallies.experiments.items()},
        )

    def _watch_lake(self) -> None:
        driver, lakeside, metrics = self._house.driver, self._lakeside, self._metrics
        if not self._config.lake.enabled:
            return
        metrics.watch(
            "sojourn_lake_lag_entries",
            "Entries processed and not yet in the lake's files",
            lambda: driver.position - lakeside.report.position,
        )
        metrics.watch(
            "sojourn_lake_lag_seconds",
            "How long the oldest that is not in the lake's files has waited",
            lambda: lakeside.report.lag_ms / 1000,
        )
        metrics.watch("sojourn_lake_files", "Files of the lake", lambda: lakeside.report.n_files)
        metrics.watch("sojourn_lake_bytes", "Bytes in files of the lake", lambda: lakeside.report.n_bytes)
        metrics.watch_total(
            "sojourn_lake_cpu_seconds", "Processor time of the lake's writer", lambda: lakeside.cpu_s
        )
        metrics.watch_total(
            "sojourn_lake_failures", "How often writing the lake failed", lambda: lakeside.n_failures
        )

    def _watch_analyst(self) -> None:
        analyst, metrics = self._analyst, self._metrics
        metrics.watch(
            "sojourn_analytics_waiting",
            "Questions of analytics asked and not answered",
            lambda: analyst.n_asked,
        )
        metrics.watch_total(
            "sojourn_analytics_restarts",
            "How often the process that answers questions had to be ended, or ended, before an answer",
            lambda: analyst.n_ended,
        )


def _tell_end(ended: Sequence[asyncio.Task[None]]) -> None:
    for task in ended:
        error = task.exception()
        log.error(
            f"the {task.get_name()} failed, so all ends",
            error=f"{type(error).__name__}: {error}",
            do="see to the cause (a full disk?) and start again: what was acknowledged is kept",
            exc_info=error,
        )
    if not ended:
        log.info("stopping", grace_s=GRACE_S)


def _tell_start(config: Config, house: House, sinks: dict[str, Sink], listener: socket.socket) -> None:
    """Say where it serves, and at the start what will not work, and what to do."""
    log.info(
        "serving",
        version=__version__,
        url=url_of(config.http.host, listener),
        data=str(config.data),
        journeys=len(house.catalogue.journeys),
        sources=sorted(config.sources),
        sinks=sorted(sinks),
        position=house.driver.position,
    )
    if not config.sources:
        log.warning("no sources: nobody can send events", do=_ADD_A_SOURCE)
    if not house.catalogue.journeys:
        log.warning("no journeys: events are kept and nothing is done", do="write one under `journeys`")
    for warning in journey_warnings(config):
        log.warning("a journey says what is probably not meant", where=str(warning))
