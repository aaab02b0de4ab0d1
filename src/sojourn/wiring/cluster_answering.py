"""Answering on a cluster: decisions and profile look-ups, from the serving store and the controls."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

import structlog

from sojourn.adapters.kafka_follow import TopicFollower, Written
from sojourn.adapters.serving_store import ServingStore
from sojourn.config import Config
from sojourn.engine.decisions import Decision
from sojourn.engine.notes import notes_of
from sojourn.engine.records import CONTROLS, read_events
from sojourn.model.errors import DownError
from sojourn.model.event import Event, FailedEvent
from sojourn.model.ports import Appended, Commit
from sojourn.model.views import ProfileView
from sojourn.runtime.deciding import Deciding
from sojourn.runtime.exposures import Exposures
from sojourn.runtime.served.in_force import Followed
from sojourn.runtime.served.people import ServedPeople
from sojourn.runtime.served.profile import served_profile
from sojourn.server.http import App
from sojourn.server.ingest.door import Observe
from sojourn.server.metrics import Metrics
from sojourn.server.ofrep import Ofrep
from sojourn.server.ofrep_reading import Asked, Callers
from sojourn.server.ofrep_streams import Streams
from sojourn.server.served import ServedProfiles
from sojourn.wiring.cluster import client_for, topics_of
from sojourn.wiring.cluster_store import store_of
from sojourn.wiring.deciding import Decider, callers, watch_answers
from sojourn.wiring.house import now_ms

log = structlog.get_logger("sojourn")


class Accept(Protocol):
    """The door to the log: returns once events are durable; raises UnavailableError where they are not."""

    async def __call__(self, events: Sequence[Event], failed: Sequence[FailedEvent] = ()) -> Appended:
        """Make events durable."""
        ...


class Answering:
    """The parts that answer, and how they start and end."""

    def __init__(self, config: Config, accept: Accept) -> None:
        self._accept = accept
        self._admin_token = config.admin_token
        self.store = ServingStore(store_of(config))
        self._followed = Followed()
        self._is_caught_up = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._controls = TopicFollower(client_for(config).settings, topics_of(config).controls)
        self.people = ServedPeople(self.store, wait_ms=config.decisions.wait_ms)
        self.exposures = Exposures(self._say, now=now_ms)
        deciding = Deciding(
            self._followed, _Unheard(), people=self.people, exposures=self.exposures, now=now_ms
        )
        self._decider = _OnceReady(deciding, lambda: self._is_caught_up)
        self._callers = Callers(callers(config))
        # Whoever would be told of changes asks again instead: nobody here hears of each state.
        self._streams = Streams(self._decider, self._callers.may_see, max_open=0)

    @property
    def is_ready(self) -> bool:
        """Whether it knows what is in force."""
        return self._is_caught_up

    def application(self, rest: App, *, metrics: Metrics, observe: Observe) -> App:
        """Return what answers, and leaves all else to `rest`."""
        self._watch(metrics)
        single, bulk = (metrics.decisions.labels(kind).observe for kind in ("single", "bulk"))
        if self._admin_token is not None:
            rest = ServedProfiles(self._profile, self._admin_token.matches, rest=rest)
        return Ofrep(
            self._decider,
            self._callers,
            streams=self._streams,
            rest=rest,
            observe=observe,
            took=lambda kind, seconds: (single if kind == "single" else bulk)(seconds),
        )

    async def accept(self, events: Sequence[Event], failed: Sequence[FailedEvent] = ()) -> Appended:
        """Make events durable, and note where they lie for whoever asks of their people next."""
        appended = await self._accept(events, failed)
        if notes := notes_of(appended.entries):
            await self.store.note(notes)
        return appended

    def start(self) -> list[asyncio.Task[None]]:
        """Begin to follow the controls and to tell exposures; return what runs."""
        self._loop = asyncio.get_running_loop()
        follow = asyncio.to_thread(self._controls.follow, self._hear, self._caught_up)
        return [
            asyncio.create_task(follow, name="controls"),
            asyncio.create_task(self.exposures.run(), name="exposures"),
        ]

    def stop(self) -> None:
        """Have what runs end, once what is to be said is in the log."""
        self._controls.stop()
        self.exposures.close()

    async def _say(self, events: Sequence[Event]) -> None:
        await self.accept(events)

    async def _profile(self, any_id: str) -> ProfileView | None:
        catalogue = self._followed.catalogue
        return await served_profile(self.store, any_id, catalogue=catalogue, now=now_ms())

    # -- On the thread that follows the controls.

    def _hear(self, written: Written) -> None:
        assert self._loop is not None
        for entry in read_events(written.content, shard=CONTROLS, offset=written.offset, at=written.at):
            self._loop.call_soon_threadsafe(self._followed.hear, entry)

    def _caught_up(self) -> None:
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._heard_all)

    def _heard_all(self) -> None:
        self._is_caught_up = True
        log.info("decisions are answered", journeys=len(self._followed.catalogue.journeys))

    def _watch(self, metrics: Metrics) -> None:
        store = self.store
        watch_answers(metrics, self.people, self.exposures)
        metrics.watch_total(
            "sojourn_notes_lost", "Notes of events that the store did not take", lambda: store.n_lost
        )
        metrics.watch("sojourn_store_down", "1 while it does not answer", lambda: store.trouble is not None)


class _OnceReady(Decider):
    """Answers once it is known what is in force."""

    def __init__(self, deciding: Deciding, is_ready: Callable[[], bool]) -> None:
        super().__init__(deciding)
        self._is_ready = is_ready

    async def decide(self, asked: Asked, key: str) -> tuple[Decision | None, bool]:
        self._check()
        return await super().decide(asked, key)

    async def decide_all(self, asked: Asked) -> tuple[list[Decision], bool]:
        self._check()
        return await super().decide_all(asked)

    def _check(self) -> None:
        if not self._is_ready():
            raise DownError("what is in force is not known yet; ask again")


class _Unheard:
    """Nothing tells of what is written of people."""

    on_processed: Callable[[Commit], None] | None = None
