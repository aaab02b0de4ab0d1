"""Working in a cluster: one outbox worker of the group, until somebody says stop."""

from __future__ import annotations

import asyncio
import random
import socket
import time
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Protocol

import structlog

from sojourn import __version__
from sojourn.adapters.kafka_follow import TopicFollower, Written
from sojourn.adapters.kafka_log import KafkaLog
from sojourn.adapters.kafka_outbox import Heard, KafkaOutbox
from sojourn.config import Config
from sojourn.definitions.controls import LEFT, MOVED, RELEASE, STOP, is_control, read_forgetting
from sojourn.definitions.publishing import InForce, apply_control, is_all_held
from sojourn.engine.forgetting import people_of
from sojourn.engine.records import CONTROLS, read_events
from sojourn.model.action import Action, Delivery
from sojourn.model.errors import UnavailableError
from sojourn.model.event import Entry, Event, FailedEvent
from sojourn.model.ids import ProfileId
from sojourn.model.ports import Appended, Sink
from sojourn.runtime.outbox import OutboxWorker, outcome_event
from sojourn.server.metrics import Metrics
from sojourn.server.probes import Probes
from sojourn.wiring.cluster import client_for, topics_of
from sojourn.wiring.delivering import MetricsMeter, policy_of
from sojourn.wiring.house import now_ms
from sojourn.wiring.listening import listening
from sojourn.wiring.logs import set_up_logs
from sojourn.wiring.process import GRACE_S, Server, Stopping, ended, url_of
from sojourn.wiring.sinks import make_sinks

PART_S = 10.0  # what is in flight may end before its partition is another worker's.
QUIET_S = 10.0
TICK_MS = 200  # what became of actions may go on a little later than what people do.

log = structlog.get_logger("sojourn")


class Accept(Protocol):
    """The door to the log: returns once events are durable; raises UnavailableError where they are not."""

    async def __call__(self, events: Sequence[Event], failed: Sequence[FailedEvent] = ()) -> Appended:
        """Make events durable."""
        ...


async def work(config: Config) -> None:
    """Deliver as one of a group until SIGINT or SIGTERM; then what is in flight ends and is committed.

    Raises ConfigError with what to do, and whatever ended the work.
    """
    set_up_logs(config.log)
    client, topics, cluster = client_for(config), topics_of(config), config.cluster
    with listening(config) as listener:
        sinks = make_sinks(config)
        kafka = KafkaLog(client, topics, n_shards=cluster.shards, tick_ms=max(cluster.tick_ms, TICK_MS))
        kafka.on_trouble = _tell_trouble
        try:
            await asyncio.to_thread(kafka.check)
            log.info(
                "working",
                version=__version__,
                url=url_of(config.http.host, listener),
                brokers=cluster.brokers,
                prefix=cluster.prefix,
                group=group_of(config),
                sinks=sorted(sinks),
            )
            await _Work(config, client.settings, sinks, kafka=kafka).run(listener)
        finally:
            await kafka.close()
            for sink in sinks.values():
                await sink.close()


def group_of(config: Config) -> str:
    """Name the consumer group of an installation's workers."""
    return f"{config.cluster.prefix}.workers"


class _Work:
    """The parts of one run, and how they start and end."""

    def __init__(
        self, config: Config, client: Mapping[str, Any], sinks: Mapping[str, Sink], *, kafka: KafkaLog
    ) -> None:
        self._kafka = kafka
        self._accept: Accept = kafka.accept
        self._metrics = Metrics()
        self._stopping = Stopping()
        self._ear = _Ear(self)
        topics = topics_of(config)
        self._outbox = KafkaOutbox(client, topics, group=group_of(config), heard=self._ear)
        self._controls = TopicFollower(client, topics.controls)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="outbox")
        self.worker = OutboxWorker(
            self._outbox,
            sinks,
            now=now_ms,
            random=random.random,
            on_outcome=self._tell,
            policy=policy_of(config),
            meter=MetricsMeter(self._metrics),
            executor=self._thread,
        )
        self._is_stopped = False
        """By an operator: all journeys stand still."""
        self._is_caught_up = False
        self._forgotten: dict[ProfileId, int] = {}
        self._erasing: set[asyncio.Task[None]] = set()
        # Until it is known whether all stands still, nothing is sent.
        self.worker.hold(is_held=True)
        self.n_partitions: int | None = None
        """None until the group has shared them out."""
        self._server = Server(Probes(self._metrics, is_ready=lambda: self._is_ready))

    async def run(self, listener: socket.socket) -> None:
        """Work until a signal, or until a part ends; raises what a part failed with."""
        self._watch()
        self._stopping.heed_signals()
        parts = {
            "http": asyncio.create_task(self._server.run_on(listener), name="http"),
            "clocks": asyncio.create_task(self._kafka.run(), name="clocks"),
            "outbox": asyncio.create_task(self.worker.run(), name="outbox"),
            "consumer": asyncio.create_task(asyncio.to_thread(self._outbox.consume), name="consumer"),
            "controls": asyncio.create_task(
                asyncio.to_thread(self._controls.follow, self._ear.control, self._ear.caught_up),
                name="controls",
            ),
        }
        stop = asyncio.create_task(self._stopping.wait(), name="stop")
        await asyncio.wait({*parts.values(), stop}, return_when=asyncio.FIRST_COMPLETED)
        first = [task for task in parts.values() if task.done()]  # the cause of all that follows
        _tell_end(first)
        self._stopping.set()
        self._server.should_exit = True
        self._controls.stop()
        await self.worker.stop(GRACE_S)
        await ended(parts["outbox"])
        self._outbox.stop()
        for task in (parts["consumer"], parts["controls"], parts["http"], *self._erasing):
            await ended(task)
        stop.cancel()
        self._thread.shutdown()
        await self._kafka.close()
        await ended(parts["clocks"])
        for task in (*first, *parts.values()):
            task.result()
        log.info("stopped")

    # -- What the parts hear; all on the event loop.

    def hear_control(self, entry: Entry) -> None:
        """Heed what concerns letters on their way: whether all stands still, and who is forgotten."""
        if not is_control(entry.event):
            return
        if entry.event.name in (STOP, RELEASE):
            self._is_stopped = entry.event.name == STOP
            self._hold()
        if entry.event.name == MOVED:
            self._is_stopped = is_all_held(apply_control(InForce(), entry))
            self._hold()
        if entry.event.name == LEFT:  # what is not done yet goes along
            self._is_stopped = True
            self._hold()
        forgetting = read_forgetting(entry.event)
        if forgetting is not None:
            people = people_of(forgetting, shared=forgetting.shared)
            self._outbox.withdraw(people, at=entry.at)
            self.worker.withdraw(people)
            self._forgotten |= dict.fromkeys(people, entry.at)
            if self._is_caught_up:
                self._erase()

    def hear_caught_up(self) -> None:
        """Begin: it is known what holds."""
        self._is_caught_up = True
        self._hold()
        if self._forgotten:
            self._erase()

    def _hold(self) -> None:
        is_held = self._is_stopped or not self._is_caught_up
        if is_held != self.worker.is_held:
            self.worker.hold(is_held=is_held)
            log.info("nothing is sent: all stands still" if is_held else "actions are sent")

    def _erase(self) -> None:
        """Take the dead letters of people who were forgotten out; whatever worker does it first."""
        task = asyncio.create_task(asyncio.to_thread(self._outbox.erase, dict(self._forgotten)))
        self._erasing.add(task)
        task.add_done_callback(self._erased)

    def _erased(self, task: asyncio.Task[None]) -> None:
        self._erasing.discard(task)
        if error := task.exception():
            log.error(
                "dead letters of people who were forgotten may be left",
                error=str(error),
                do="start the worker again: it looks for them then",
            )

    async def _tell(self, action: Action, delivery: Delivery) -> None:
        """What became of an action enters the log like every event; this waits until the brokers have it."""
        event = outcome_event(action, delivery, now=now_ms())
        while True:
            try:
                await self._accept([event])
            except UnavailableError as error:
                log.warning("an outcome is not in the log yet", error=error.reason, do="nothing: it goes on")
                await asyncio.sleep(error.retry_after_s)
            else:
                self._metrics.deliveries.labels(action.sink, delivery.outcome).inc()
                return

    # -- Around it.

    def _watch(self) -> None:
        metrics, outbox = self._metrics, self._outbox
        metrics.watch_family(
            "sojourn_kept", "How much is kept, by kind", "kind", lambda: {"outbox": outbox.counts()[0]}
        )
        metrics.watch(
            "sojourn_actions_lag",
            "Actions written and not committed as done, in the partitions of this worker",
            lambda: outbox.lag,
        )
        metrics.watch("sojourn_actions_partitions", "Partitions this worker has", lambda: outbox.counts()[1])
        metrics.watch("sojourn_outbox_held", "1 while nothing is sent", lambda: self.worker.is_held)

    @property
    def _is_ready(self) -> bool:
        return self.n_partitions is not None and self._is_caught_up and not self._stopping.is_set()


class _Ear(Heard):
    """Carries what Kafka's threads hear to the event loop."""

    def __init__(self, work: _Work) -> None:
        self._work = work
        self._loop = asyncio.get_running_loop()
        self._quiet_until = 0.0

    def arrived(self, sinks: Collection[str]) -> None:
        for sink in sinks:
            self._call(self._work.worker.notify, sink)

    def leaving(self, action_ids: Collection[str]) -> None:
        part = self._work.worker.part(action_ids, grace_s=PART_S)
        try:
            parting = asyncio.run_coroutine_threadsafe(part, self._loop)
        except RuntimeError:  # the loop has ended, and with it whatever was in flight
            part.close()
            return
        with suppress(TimeoutError):  # the loop is stuck: who comes next waits no longer
            parting.result(2 * PART_S)

    def left(self, action_ids: Collection[str]) -> None:
        self._call(self._work.worker.release, action_ids)

    def shared(self, n_partitions: int) -> None:
        self._call(setattr, self._work, "n_partitions", n_partitions)
        log.info("partitions were shared out", ours=n_partitions)

    def unreadable(self, place: str, why: str) -> None:
        log.error("a record is no action", at=place, error=why, do="see who else writes there")

    def trouble(self, what: str) -> None:
        now = time.monotonic()
        if now >= self._quiet_until:  # a client that finds nobody says so many times a second
            self._quiet_until = now + QUIET_S
            log.warning("Kafka", error=what, do="nothing, while it is short: it goes on by itself")

    def control(self, written: Written) -> None:
        """A record of the controls."""
        for entry in read_events(written.content, shard=CONTROLS, offset=written.offset, at=written.at):
            self._call(self._work.hear_control, entry)

    def caught_up(self) -> None:
        """All the controls there were are heard."""
        self._call(self._work.hear_caught_up)

    def _call(self, function: Any, *arguments: Any) -> None:
        with suppress(RuntimeError):  # the loop has ended: so has whoever would hear it
            self._loop.call_soon_threadsafe(function, *arguments)


def _tell_end(first: Sequence[asyncio.Task[Any]]) -> None:
    for task in first:
        error = task.exception()
        log.error(
            f"the {task.get_name()} ended, so all does",
            error=f"{type(error).__name__}: {error}",
            do="see to the cause and start again: what was not done comes again, under the same keys",
            exc_info=error,
        )
    if not first:
        log.info("stopping", grace_s=GRACE_S)


def _tell_trouble(trouble: str | None) -> None:
    if trouble is None:
        log.info("Kafka confirms events again")
    else:
        log.error("Kafka does not confirm events: what became of actions waits", error=trouble)
