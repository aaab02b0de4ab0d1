"""A worker to try the outbox with: a clock that only tests move, destinations that answer as they say."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from msgspec import Raw

from sojourn.adapters.memory import MemoryOutbox
from sojourn.model.action import Action, Delivery, Letter
from sojourn.model.errors import SinkError
from sojourn.model.ids import ActionId, EnrolmentId, ProfileId
from sojourn.model.ports import Sink
from sojourn.runtime.lane import Meter, Policy, Result
from sojourn.runtime.outbox import OutboxWorker

DAY_MS = 86_400_000
DELIVERED = Delivery(outcome="delivered", attempts=1)
DOWN = SinkError("HTTP 503", retry=True, status=503)
GONE = SinkError("HTTP 410", retry=False, status=410)


def action(id: str = "a1", sink: str = "shop", *, expires_at: int = DAY_MS, **more: Any) -> Action:
    """Make an action of user 7."""
    given: dict[str, Any] = {"user_id": "7", "profile_id": ProfileId("u:7")} | more
    return Action(
        id=ActionId(id),
        sink=sink,
        at=0,
        expires_at=expires_at,
        journey="rescue",
        version="1",
        enrolment_id=EnrolmentId("e1"),
        state="nudge",
        body=Raw(b"{}"),
        **given,
    )


class Destination:
    """A sink that answers as a test says; what it was sent stands in `seen`."""

    def __init__(self, answer: Callable[[Action], Awaitable[Delivery]] | Delivery | Exception) -> None:
        self.answer = answer
        self.seen: list[str] = []

    async def deliver(self, action: Action) -> Delivery:
        self.seen.append(action.id)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer if isinstance(self.answer, Delivery) else await self.answer(action)

    async def close(self) -> None:
        """Nothing to release."""


class Count(Meter):
    """Keeps what was measured."""

    def __init__(self) -> None:
        self.results: list[tuple[str, Result]] = []
        self.reasons: list[str] = []
        self.pauses: list[bool] = []
        self.n_throttled = 0
        self.peak = 0

    def attempted(self, sink: str, result: Result, took_ms: int) -> None:
        self.results.append((sink, result))

    def refused(self, sink: str, reason: str) -> None:
        self.reasons.append(reason)

    def in_flight(self, sink: str, n_actions: int) -> None:
        self.peak = max(self.peak, n_actions)

    def paused(self, sink: str, *, is_paused: bool) -> None:
        self.pauses.append(is_paused)

    def throttled(self, sink: str) -> None:
        self.n_throttled += 1


class House:
    """A worker, its outbox, a clock that only a test moves, and the outcomes told."""

    def __init__(self, *actions: Action) -> None:
        self.at = 0
        self.clock = lambda: self.at
        self.outbox = MemoryOutbox()
        self.told: list[tuple[str, Delivery]] = []
        self.count = Count()
        self.put(*actions)
        self.worker: OutboxWorker

    def put(self, *actions: Action) -> None:
        for one in actions:
            self.outbox.letters[one.id] = Letter(action=one)

    def go_to(self, at: int) -> None:
        self.at = at
        for sink in {letter.action.sink for letter in self.outbox.letters.values()}:
            self.worker.notify(sink)

    async def tell(self, action: Action, delivery: Delivery) -> None:
        assert action.id in self.outbox.letters, "the outbox let go before the log knew"
        assert self.outbox.letters[action.id].dead_at is None
        self.told.append((action.id, delivery))

    @asynccontextmanager
    async def open(
        self,
        sinks: Mapping[str, Sink],
        *,
        random: float = 0.5,
        **policy: Any,
    ) -> AsyncIterator[OutboxWorker]:
        self.worker = OutboxWorker(
            self.outbox,
            sinks,
            now=self.clock,
            random=lambda: random,
            on_outcome=self.tell,
            policy=Policy(**policy),
            meter=self.count,
        )
        running = asyncio.create_task(self.worker.run())
        try:
            yield self.worker
            await self.worker.stop(grace_s=0)
        finally:
            running.cancel()
            await asyncio.wait([running])
        if not running.cancelled() and (error := running.exception()):
            raise error


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop turn until something is so."""
    for _ in range(10_000):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError("it never came to be")


async def quiet() -> None:
    """Let the loop turn long enough for everything that can happen now."""
    for _ in range(60):
        await asyncio.sleep(0)
