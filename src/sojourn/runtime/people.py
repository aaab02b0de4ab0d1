"""People: the life of whoever is asked about, from memory or by one read, as of every event acknowledged.

It runs on the event loop, beside the engine, which nobody waits for but who asks of somebody whose own events
are still to be processed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter

from sojourn.engine.state import State, Tie, decode
from sojourn.model.errors import UnavailableError
from sojourn.model.ports import Stored
from sojourn.model.turn import Key
from sojourn.runtime.driver import Driver
from sojourn.runtime.finding import MAX_ROUNDS, Finder, Found, Who
from sojourn.runtime.live import Live

MAX_READS = 256  # questions that wait for the store at once: a quarter of a second's; more come again.
SLOW_READ_S = 0.002  # a page that is not in memory, or a thread that had the interpreter in the middle of it;
SLOW_READS = 2  # so many in a row are the disk,
SLOW_FOR_S = 1.0  # and then nobody waits for it on the loop for so long.
MAX_ABSENT = 100_000  # keys known to have no state.


class People(Finder):
    """Finds people for whoever asks about them."""

    def __init__(self, driver: Driver, live: Live, *, wait_ms: int) -> None:
        self._driver = driver
        self._live = live
        self._wait_ms = wait_ms
        self._reads = ThreadPoolExecutor(1, thread_name_prefix="reads")
        self._n_reading = 0
        self._n_slow = 0
        self._slow_until = 0.0
        self._absent: dict[Key, None] = {}
        self._absent_in = 0
        self.n_reads = 0
        """How often the store was asked."""
        self.n_waits = 0
        """How often somebody's own events had to be waited for."""
        self.n_behind = 0
        """How often they were waited for in vain."""

    async def find(self, who: Who, *, waits: bool = True) -> tuple[Found, bool]:
        """Find somebody, as of every event that is acknowledged by now.

        Returns them, and False where their own events still wait after `wait_ms`: then this is how they stood
        before. Whoever hears of what comes next need not wait for it. Raises UnavailableError where too many
        wait for the store.
        """
        self._live.attend()
        through = self._live.appended
        found = await self._look(who)
        if self._driver.position >= through or not waits:
            return found, True
        loop = asyncio.get_running_loop()
        until = loop.time() + self._wait_ms / 1000
        has_waited = False
        while last := self._live.last_about(_ids(who, found), through=through):
            self.n_waits += not has_waited
            has_waited = True
            try:
                async with asyncio.timeout_at(until):
                    await self._live.processed(last)
            except TimeoutError:
                self.n_behind += 1
                return await self._look(who), False
            found = await self._look(who)
        return found, True

    async def was_a_device(self, found: Found, who: Who) -> bool:
        """Tell whether a user was asked about before anybody knew them, by an id that may be a device's.

        Then what they were told is said of a device with that id, which has done nothing.
        """
        if found.by not in who.anonymous_ids:
            return False
        key: Key = ("identity", found.by)
        for _ in range(MAX_ROUNDS):
            unread: list[Key] = []
            tie = self._state(key, unread)
            if not unread:
                break
            await self._read(unread)
        return isinstance(tie, Tie) and tie.owner is None and tie.life is not None and tie.life.n_events == 0

    def close(self) -> None:
        """Let the thread go."""
        self._reads.shutdown()

    async def _look(self, who: Who) -> Found:
        for _ in range(MAX_ROUNDS):
            self._forget_absent()
            unread: list[Key] = []
            found = self._at_hand(who, unread)
            if found is not None:
                return found
            await self._read(unread)
        raise UnavailableError("who this is changes too fast; ask again")

    def _state(self, key: Key, unread: list[Key]) -> State | None:
        state = self._driver.hot.peek(*key)
        if state is None and key not in self._absent:
            unread.append(key)
        return state

    def _may_be_aliased(self, user_id: str) -> bool:
        return self._driver.is_aliased(user_id)

    def _has(self, key: Key) -> bool:
        return key in self._absent or self._driver.hot.peek(*key) is not None

    async def _read(self, keys: list[Key]) -> None:
        """Read states into memory, where they are as good as any: who is asked about is somebody of now."""
        hot = self._driver.hot
        generation = hot.generation
        self.n_reads += 1
        stored = await self._load(keys)
        if hot.generation - generation > 1:
            return  # what was written meanwhile may have left memory again: read anew
        self._forget_absent()
        for key in keys:
            if key in stored:
                hot.keep(*key, decode(key[0], stored[key].state))
            else:
                self._absent[key] = None

    async def _load(self, keys: list[Key]) -> dict[Key, Stored]:
        """Ask the store: at once, as the engine does, unless its disk is slow; then on a thread.

        A page in memory is read in 0.1 ms. To a thread and back beside a busy engine it takes 1 to 20.
        """
        loop = asyncio.get_running_loop()
        load = self._driver.store.load
        if loop.time() >= self._slow_until:
            began = perf_counter()
            stored = load(keys)
            self._n_slow = self._n_slow + 1 if perf_counter() - began > SLOW_READ_S else 0
            if self._n_slow >= SLOW_READS:
                self._n_slow, self._slow_until = 0, loop.time() + SLOW_FOR_S
            return stored
        if self._n_reading >= MAX_READS:
            raise UnavailableError("too many questions wait for the store")
        self._n_reading += 1
        try:
            return await loop.run_in_executor(self._reads, load, keys)
        finally:
            self._n_reading -= 1

    def _forget_absent(self) -> None:
        """Know of nobody that they are absent for longer than memory shows who came meanwhile."""
        generation = self._driver.hot.generation
        if generation != self._absent_in or len(self._absent) > MAX_ABSENT:
            self._absent, self._absent_in = {}, generation


def _ids(who: Who, found: Found) -> Iterable[str]:
    yield from who.user_ids
    yield from who.anonymous_ids
    yield from found.ids
