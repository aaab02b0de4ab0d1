"""Deciding: what answers applications, and tells them of changes, made of the runtime and the door."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

from sojourn.config import Config
from sojourn.engine.decisions import Decision
from sojourn.model.event import Event
from sojourn.runtime.deciding import Deciding, Question, Watch
from sojourn.runtime.driver import Driver
from sojourn.runtime.exposures import Exposures
from sojourn.runtime.finding import Who
from sojourn.runtime.live import Live
from sojourn.runtime.people import People
from sojourn.server.http import App
from sojourn.server.ingest.door import Observe
from sojourn.server.metrics import Metrics
from sojourn.server.ofrep import Ofrep
from sojourn.server.ofrep_reading import Asked, Caller, Callers
from sojourn.server.ofrep_streams import Streams


class Counter:
    """Where applications ask: the parts of it, and how they start and end."""

    def __init__(self, config: Config, driver: Driver, live: Live, *, now: Callable[[], int]) -> None:
        self._live = live
        self.people = People(driver, live, wait_ms=config.decisions.wait_ms)
        self.exposures = Exposures(self._say, now=now)
        deciding = Deciding(driver, live, people=self.people, exposures=self.exposures, now=now)
        self._decider = Decider(deciding)
        self._callers = Callers(callers(config))
        self.streams = Streams(self._decider, self._callers.may_see, max_open=config.decisions.streams)
        self._tasks: list[asyncio.Task[None]] = []

    def application(self, rest: App, *, metrics: Metrics, observe: Observe) -> App:
        """Return what answers under `/ofrep`, and leaves all else to `rest`."""
        self._watch(metrics)
        single, bulk = (metrics.decisions.labels(kind).observe for kind in ("single", "bulk"))
        return Ofrep(
            self._decider,
            self._callers,
            streams=self.streams,
            rest=rest,
            observe=observe,
            took=lambda kind, seconds: (single if kind == "single" else bulk)(seconds),
        )

    def start(self) -> None:
        """Begin to tell changes and exposures."""
        self._tasks = [
            asyncio.create_task(self.exposures.run(), name="exposures"),
            asyncio.create_task(self.streams.run(), name="streams"),
        ]

    def hang_up(self) -> None:
        """End the streams: a server that stops waits for whoever is connected."""
        self.streams.close()

    async def stop(self) -> None:
        """Say what is to be said to the log; raises what a part failed with."""
        self.streams.close()
        self.exposures.close()
        await asyncio.gather(*self._tasks)
        await asyncio.to_thread(self.people.close)

    async def _say(self, events: Sequence[Event]) -> None:
        await self._live.tell(events)

    def _watch(self, metrics: Metrics) -> None:
        people, streams = self.people, self.streams
        watch_answers(metrics, people, self.exposures)
        for name, text, ask in (
            (
                "sojourn_decision_reads",
                "Reads of the store for whoever was not in memory",
                lambda: people.n_reads,
            ),
            ("sojourn_changes_told", "Changes told by streams", lambda: streams.n_told),
            (
                "sojourn_streams_dropped",
                "Streams let go because their reader was slow",
                lambda: streams.n_slow,
            ),
        ):
            metrics.watch_total(name, text, ask)
        metrics.watch("sojourn_streams_open", "Streams open now", lambda: streams.n_open)


class Waiting(Protocol):
    """Whoever waits for events before they answer, and counts it."""

    n_waits: int
    n_behind: int


def watch_answers(metrics: Metrics, people: Waiting, exposures: Exposures) -> None:
    """Show what is counted wherever decisions are answered."""
    for name, text, ask in (
        ("sojourn_decision_waits", "Answers that waited for events of their person", lambda: people.n_waits),
        ("sojourn_decisions_behind", "Answers that waited for them in vain", lambda: people.n_behind),
        ("sojourn_exposures_logged", "Exposures told to the log", lambda: exposures.n_logged),
        ("sojourn_exposures_dropped", "Exposures lost for want of room", lambda: exposures.n_dropped),
    ):
        metrics.watch_total(name, text, ask)


def callers(config: Config) -> dict[str, Caller]:
    """Return each key with who carries it; the admin token opens the API, and this too."""
    found = {
        key.key.reveal(): Caller(
            name=name,
            is_browser=key.kind == "browser",
            flags=tuple(key.flags) or ("*",),
            secret=key.secret.reveal() if key.secret else "",
            trusts_events=key.trust_events,
        )
        for name, key in config.decisions.keys.items()
    }
    if config.admin_token is not None:
        found[config.admin_token.reveal()] = Caller(name="")
    return found


class Decider:
    """Answers as the door wants it, in the runtime's words."""

    def __init__(self, deciding: Deciding) -> None:
        self._deciding = deciding

    async def decide(self, asked: Asked, key: str) -> tuple[Decision | None, bool]:
        return await self._deciding.decide(question(asked), key)

    async def decide_all(self, asked: Asked) -> tuple[list[Decision], bool]:
        return await self._deciding.decide_all(question(asked))

    async def answers(self, watch: object) -> list[Decision]:
        assert isinstance(watch, Watch)
        decisions, _ = await self._deciding.decide_all(watch.question, watch=watch)
        return decisions

    def watch(self, asked: Asked, on_change: Callable[[], None]) -> object:
        return Watch(question(asked), on_change)

    def unwatch(self, watch: object) -> None:
        assert isinstance(watch, Watch)
        self._deciding.unwatch(watch)


def question(asked: Asked) -> Question:
    """Say whom a question is about: a user id, then an anonymous id, as both are told or may be meant."""
    key = asked.targeting_key
    if asked.is_device_only:
        who = Who(anonymous_ids=(key,), trusts_events=asked.trusts_events)
    else:
        devices = dict.fromkeys(each for each in (asked.anonymous_id, key) if each and each != asked.user_id)
        who = Who(
            user_ids=(asked.user_id or key,),
            anonymous_ids=tuple(devices),
            is_user=asked.user_id is not None,
            trusts_events=asked.trusts_events,
        )
    return Question(who=who, context=asked.context, is_trusted=asked.is_trusted)
