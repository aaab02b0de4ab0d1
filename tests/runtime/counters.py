"""A runtime in memory that is asked about people while it works, with gates where a test wants it to wait."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from sojourn.adapters.memory import MemoryLog, MemoryStore
from sojourn.definitions.catalogue import build_catalogue, load_definitions
from sojourn.definitions.journey import Catalogue
from sojourn.engine.decisions import Decision
from sojourn.model.event import Event
from sojourn.model.ports import Commit, Stored
from sojourn.model.turn import Key
from sojourn.runtime.deciding import Deciding, Question
from sojourn.runtime.driver import Driver
from sojourn.runtime.exposures import Exposures
from sojourn.runtime.finding import Who
from sojourn.runtime.live import Live
from sojourn.runtime.people import People
from tests.engine.makers import T0, event

WAIT_S = 5
RESCUE = """
journey: rescue
entry: { on: Started }
holdout: off
states:
  waiting: { on: { Helped: assisted }, after: { 30m: done } }
  assisted: { after: { 1d: done } }
"""
SHARE = """
flag: share
variants: { low: 1.0, high: 2.5 }
default: low
rules: [ { experiment: { id: shares, variants: { low: 1, high: 1 } } } ]
"""
POLICY = "policy: { holdout: off }"


def in_force(*texts: str) -> Catalogue:
    """Compile definitions."""
    found = load_definitions([(f"{n}.yaml", text) for n, text in enumerate(texts)])
    return build_catalogue(found.journeys, policy=found.policy, flags=found.flags)


class CountingStore(MemoryStore):
    """A store that counts how often it is read."""

    def __init__(self) -> None:
        super().__init__()
        self.n_loads = 0

    def load(self, keys: Sequence[Key]) -> dict[Key, Stored]:
        self.n_loads += 1
        return super().load(keys)


class Counter:
    """The live runtime, and whoever answers beside it."""

    def __init__(self, *texts: str, cache: int = 50_000, wait_ms: int = 5_000) -> None:
        self.now = T0
        self.log, self.store = MemoryLog(floor=T0), CountingStore()
        self.driver = Driver(self.log, self.store, in_force(*(texts or (RESCUE, SHARE, POLICY))), cache=cache)
        self.live = Live(
            self.driver, now=lambda: self.now, observer=self, on_actions=lambda _: None, idle_ms=1
        )
        self.people = People(self.driver, self.live, wait_ms=wait_ms)
        self.said: list[Event] = []
        self.exposures = Exposures(self._say, now=lambda: self.now)
        self.deciding = Deciding(
            self.driver, self.live, people=self.people, exposures=self.exposures, now=lambda: self.now
        )

    def appended(self, **_: Any) -> None:
        """Hear of an append."""

    def committed(self, **_: Any) -> None:
        """Hear of a commit."""

    async def _say(self, events: Sequence[Event]) -> None:
        self.said += events
        await self.live.tell(events)

    async def post(self, name: str, who: str, **fields: Any) -> None:
        """Let somebody do something, and return when it is acknowledged; `?phone` is a device, unnamed."""
        number = self.log.end() + len(self.live._requests)
        ids = {"anonymous_id": who[1:]} if who.startswith("?") else {"user_id": who}
        await self.live.accept([event(name, message_id=f"{name}-{who}-{number}", **(ids | fields))])

    async def ask(self, key: str, who: Who | str) -> Decision:
        """Ask for one flag, which there is."""
        decision, _ = await self.deciding.decide(Question(who=_who(who)), key)
        assert decision is not None
        return decision

    async def state(self, who: Who | str) -> str:
        """Ask where somebody is."""
        found: str = (await self.ask("journey.rescue.state", who)).value
        return found

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Counter]:
        """Run it all until the end of the block."""
        running = asyncio.create_task(self.live.run())
        saying = asyncio.create_task(self.exposures.run())
        await asyncio.sleep(0)
        try:
            yield self
        finally:
            self.exposures.close()
            await asyncio.wait_for(saying, WAIT_S)
            self.live.close()
            await asyncio.wait_for(asyncio.wait([running]), WAIT_S)
            self.live.release()
            self.people.close()
        running.result()


def _who(who: Who | str) -> Who:
    if isinstance(who, Who):
        return who
    return Who(user_ids=(who,), anonymous_ids=(who,))


def play(story: Callable[[Counter], Awaitable[None]], *texts: str, **options: Any) -> Counter:
    """Let a story run at a counter of its own."""
    counter = Counter(*texts, **options)

    async def run() -> None:
        async with counter.open():
            await story(counter)

    asyncio.run(run())
    return counter


class StandingStill:
    """Keeps a driver from processing anything until it is let go; what is appended waits meanwhile."""

    def __init__(self, counter: Counter) -> None:
        self._live = counter.live
        self._go = asyncio.Event()
        self._process = counter.live._process

    def __enter__(self) -> StandingStill:
        async def process(entries: Any, until: int) -> tuple[Commit | None, Any]:
            await self._go.wait()
            return await self._process(entries, until)

        self._live._process = process  # type: ignore[method-assign]
        return self

    def __exit__(self, *_: object) -> None:
        self.go()

    def go(self) -> None:
        """Let it work again."""
        self._live._process = self._process  # type: ignore[method-assign]
        self._go.set()
