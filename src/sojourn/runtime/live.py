"""The live runtime: requests share an append, entries share a commit, the next batch is worked on meanwhile.

Three threads: the event loop (HTTP, the engine, deliveries), one for the log's appends and one for the
store's commits, whose time goes into SQLite and fsync without the interpreter's lock. A failure of either
ends the process: what was acknowledged is in the log, and the next start takes it up from there.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from time import perf_counter
from typing import Any, Protocol

from msgspec import Struct

from sojourn.definitions.controls import LEARNT, control_event, is_control
from sojourn.model.action import Action
from sojourn.model.errors import UnavailableError
from sojourn.model.event import Entry, Event, FailedEvent
from sojourn.model.ids import ProfileId
from sojourn.model.ports import Appended, Commit
from sojourn.runtime.driver import BATCH, Driver, joined
from sojourn.runtime.unprocessed import Unprocessed

MAX_APPEND = 5_000  # events per append: 10 ms of fsync and writing.
MAX_PENDING = 20_000  # events waiting for an append: a second's worth; more are told to come again.
MAX_BACKLOG = 4_096  # entries waiting for the engine before appends wait: some 100 ms of work.
SLICE = 16  # entries between two looks at the network, while people are asked about: under 1 ms of work.
SWEEPING_SLICE = 256  # the same while everybody is asked about a change: 3 to 10 ms of each commit.
ATTENTIVE_S = 1.0  # so long after a question the next one is expected.
COMMITS_KEPT = 256  # whose time is remembered: the last seconds of a busy engine.
IDLE_MS = 1_000  # the longest the engine sleeps without looking at the clock.


class Observer(Protocol):
    """Who wants to know how the runtime is doing."""

    def appended(self, *, n_events: int, n_duplicates: int, n_failed: int) -> None:
        """One append is durable."""

    def committed(self, *, n_entries: int, lag: int, latencies_ms: Sequence[int], n_actions: int) -> None:
        """One commit is durable: `latencies_ms` from receipt to outbox, of the actions events decided."""


class _Request(Struct, gc=False):
    events: Sequence[Event]
    failed: Sequence[FailedEvent]
    answer: asyncio.Future[Appended]

    @property
    def size(self) -> int:
        """How many events it holds, failed ones too: they take as much room."""
        return len(self.events) + len(self.failed)


class Live:
    """The log, the driver and the store, at work together."""

    def __init__(
        self,
        driver: Driver,
        *,
        now: Callable[[], int],
        observer: Observer,
        on_actions: Callable[[Sequence[Action]], None],
        idle_ms: int = IDLE_MS,
    ) -> None:
        self._driver = driver
        self._now = now
        self._observer = observer
        self._on_actions = on_actions
        self._idle_ms = idle_ms
        self._requests: list[_Request] = []
        self._appending: list[_Request] = []
        self._n_pending = 0
        self._backlog: deque[Entry] = deque()
        self._taken: list[Entry] = []
        self._appended = driver.position
        self._unprocessed = Unprocessed()
        self._awaited: list[tuple[int, asyncio.Future[None]]] = []
        self._attentive_until = 0.0
        self.on_processed: Callable[[Commit], None] | None = None
        """Called with each part of a commit as soon as memory shows what came of it; set while somebody is
        watched, None otherwise."""
        self.on_appended: Callable[[Sequence[Event], Sequence[FailedEvent], Appended], None] | None = None
        """Called with what each append was given and what came of it; set while somebody looks."""
        self.commit_ms: deque[float] = deque(maxlen=COMMITS_KEPT)
        """How long the newest commits took."""
        self._is_nudged = False
        self.on_withdrawn: Callable[[frozenset[ProfileId]], None] | None = None
        """Called with those whose letters a commit, stored by now, took out of the outbox."""
        self._asked = asyncio.Event()
        self._arrived = asyncio.Event()
        self._has_room = asyncio.Event()
        self._storing: asyncio.Task[None] | None = None
        self._is_running = self._is_closing = self._is_all_appended = False
        self._log_thread = ThreadPoolExecutor(1, thread_name_prefix="log")
        self.store_thread = ThreadPoolExecutor(1, thread_name_prefix="store")
        """Where everything that writes to the store's database runs."""

    @property
    def backlog(self) -> int:
        """How many entries wait for the engine."""
        return len(self._backlog)

    @property
    def is_ready(self) -> bool:
        """Whether it takes events now."""
        return self._is_running and not self._is_closing and self._n_pending <= MAX_PENDING

    def attend(self) -> None:
        """Expect questions: look at the network more often than one commit takes."""
        self._attentive_until = asyncio.get_running_loop().time() + ATTENTIVE_S

    def last_about(self, ids: Iterable[str], *, through: int | None = None) -> int:
        """Return the last entry acknowledged and not yet processed that any of these ids is in; 0: none.

        `through` leaves out what came after that position.
        """
        position = self._driver.position
        if position >= self._appended:
            return 0
        self._unprocessed.take_in(self._taken, self._backlog, after=position)
        return self._unprocessed.last_of(ids, after=position, through=through or self._appended)

    @property
    def appended(self) -> int:
        """The position of the last entry that is acknowledged, or is about to be."""
        return self._appended

    async def processed(self, position: int) -> None:
        """Return once memory shows what came of an entry that is acknowledged."""
        if self._driver.position < position:
            done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._awaited.append((position, done))
            await done

    async def accept(self, events: Sequence[Event], failed: Sequence[FailedEvent] = ()) -> Appended:
        """Make events durable, together with whatever else arrives at the same time.

        Raises UnavailableError where too much is waiting already, or the house is closing.
        """
        if self._n_pending > MAX_PENDING:
            raise UnavailableError("the engine cannot keep up with what is sent")
        return await self.tell(events, failed)

    async def tell(self, events: Sequence[Event], failed: Sequence[FailedEvent] = ()) -> Appended:
        """Make the house's own events durable, however much waits: there are never more than deliveries.

        Raises UnavailableError where the house is closing, or the log failed.
        """
        if self._is_closing:
            raise UnavailableError("the engine is stopping")
        return await self._ask(events, failed)

    def nudge(self) -> None:
        """Make a commit soon, though nothing comes: there is something new to keep."""
        self._is_nudged = True
        self._arrived.set()

    async def run(self) -> None:
        """Work until `close`; raises what ended the work otherwise."""
        tasks = [asyncio.create_task(self._append_all()), asyncio.create_task(self._process_all())]
        self._is_running = True
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
            for task in done:
                task.result()
        finally:
            self._is_closing, self._is_running = True, False
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            stopped = UnavailableError("the engine has stopped")
            waiting: list[asyncio.Future[Any]] = [done for _, done in self._awaited]
            waiting += [request.answer for request in (*self._appending, *self._requests)]
            for answer in waiting:
                if not answer.done():
                    answer.set_exception(stopped)

    def close(self) -> None:
        """Take nothing more; `run` returns when all that was taken is processed."""
        self._is_closing = True
        self._asked.set()
        self._arrived.set()
        self._has_room.set()

    def release(self) -> None:
        """Let the threads go, once nobody uses them any more."""
        self._log_thread.shutdown()
        self.store_thread.shutdown()

    def _ask(self, events: Sequence[Event], failed: Sequence[FailedEvent] = ()) -> asyncio.Future[Appended]:
        request = _Request(events, failed, asyncio.get_running_loop().create_future())
        self._requests.append(request)
        self._n_pending += request.size
        self._asked.set()
        return request.answer

    async def _append_all(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._asked.wait()
            self._asked.clear()
            while self._requests:
                await self._wait_for_room()
                requests = self._appending = self._take_requests()
                events = [event for request in requests for event in request.events]
                failed = [one for request in requests for one in request.failed]
                append = partial(self._driver.log.append, events, now=self._now(), failed=failed)
                appended = await loop.run_in_executor(self._log_thread, append)
                self._backlog.extend(appended.entries)
                if appended.entries:
                    self._appended = appended.entries[-1].position
                self._arrived.set()
                self._n_pending -= len(events) + len(failed)
                _answer(requests, appended)
                self._appending = []
                if self.on_appended is not None:
                    self.on_appended(events, failed, appended)
                self._observer.appended(
                    n_events=len(appended.entries),
                    n_duplicates=len(appended.duplicates),
                    n_failed=len(failed),
                )
            if self._is_closing:
                self._is_all_appended = True
                self._arrived.set()
                return

    async def _wait_for_room(self) -> None:
        """Let the engine catch up before more is taken: clients wait for their answer, and send less."""
        while len(self._backlog) > MAX_BACKLOG and not self._is_closing:
            self._has_room.clear()
            await self._has_room.wait()

    def _take_requests(self) -> list[_Request]:
        n_events = n_requests = 0
        while n_requests < len(self._requests) and n_events < MAX_APPEND:
            n_events += self._requests[n_requests].size
            n_requests += 1
        taken, self._requests = self._requests[:n_requests], self._requests[n_requests:]
        return taken

    async def _process_all(self) -> None:
        driver = self._driver
        while True:
            entries, until = await self._next_work()
            if until is None:
                break
            if not driver.timers.reaches(until):
                await self._stored()
                # Half a second where a million wait; requests are answered meanwhile.
                await asyncio.get_running_loop().run_in_executor(None, driver.timers.extend, until)
            commit, entries = await self._process(entries, until)
            if commit is not None:
                await self._stored()
                self._storing = asyncio.create_task(self._store(commit, entries, driver.failures.take()))
                self._storing.add_done_callback(lambda _: self._arrived.set())  # a failure is heard at once
                self._learn()
                await asyncio.sleep(0)
        await self._stored()

    async def _process(self, entries: list[Entry], until: int) -> tuple[Commit | None, list[Entry]]:
        """Take entries through the engine; while questions are expected, in slices between which they are
        answered, for as long as the commit before is under way anyhow. Returns one commit, and its entries.
        """
        driver = self._driver
        parts, done = [driver.process(entries, until=until)], entries
        self._show(parts[0])
        while self._goes_on(done):
            if not self._backlog:
                self._arrived.clear()
                await self._arrived.wait()  # for more, or for the commit before
                continue
            await asyncio.sleep(0)
            self._taken, until = driver.next_batch(self._backlog, most=SLICE)
            self._has_room.set()
            parts.append(driver.process(self._taken, until=until, goes_on=True))
            done = [*done, *self._taken]
            self._show(parts[-1])
        made = [part for part in parts if part is not None]
        return (joined(made) if made else None), done

    def _goes_on(self, done: Sequence[Entry]) -> bool:
        """Tell whether what waits, or is to come, may join the commit that is being made."""
        is_stored = self._storing is None or self._storing.done()
        if is_stored or not done or len(done) >= BATCH or not self._is_attentive or self._is_closing:
            return False
        first = self._backlog[0] if self._backlog else done[0]
        if is_control(first.event) or is_control(done[0].event):
            return False
        # `next_batch` takes no more than a slice, and the log's clock never goes back.
        last = self._backlog[min(len(self._backlog), SLICE) - 1] if self._backlog else first
        return not self._driver.sweep.is_running and self._driver.timers.reaches(last.at)

    @property
    def _most(self) -> int:
        """How many entries the next commit begins with."""
        if not self._is_attentive:
            return BATCH
        return SWEEPING_SLICE if self._driver.sweep.is_running else SLICE

    @property
    def _is_attentive(self) -> bool:
        return self._attentive_until > asyncio.get_running_loop().time()

    def _show(self, commit: Commit | None) -> None:
        """Tell who waits for it, and who watches, that memory shows what came of some entries."""
        self._taken = []
        if self._awaited:
            position = self._driver.position
            for at, done in self._awaited:
                if at <= position and not done.done():
                    done.set_result(None)
            self._awaited = [each for each in self._awaited if not each[1].done()]
        if commit is not None and self.on_processed is not None:
            self.on_processed(commit)

    def _learn(self) -> None:
        """Ask for what was learnt to be put into the log, where it is time: there it comes into force.

        Nobody waits for the answer: the appends may wait for the engine. A driver that keeps its catalogue
        would be told for nothing.
        """
        if self._is_closing or self._driver.controls is None:
            return
        learnt = self._driver.learn()
        if learnt is not None:
            event = control_event(LEARNT, learnt, after=self._driver.position, now=self._now())
            self._ask([event]).add_done_callback(_forget)

    async def _stored(self) -> None:
        """Wait for the commit under way; raises what it failed with."""
        if self._storing is not None:
            await self._storing

    async def _store(self, commit: Commit, entries: Sequence[Entry], failed: Sequence[FailedEvent]) -> None:
        loop = asyncio.get_running_loop()
        if failed:
            keep = partial(self._driver.log.append, (), now=commit.clock, failed=failed)
            await loop.run_in_executor(self._log_thread, keep)
        began = perf_counter()
        await loop.run_in_executor(self.store_thread, self._driver.store.commit, commit)
        self.commit_ms.append(1000 * (perf_counter() - began))
        stored_at = self._now()
        received = {entry.at: entry.event.received_at for entry in reversed(entries)}
        latencies = [stored_at - received[action.at] for action in commit.actions if action.at in received]
        self._observer.committed(
            n_entries=len(entries),
            lag=len(self._backlog),
            latencies_ms=latencies,
            n_actions=len(commit.actions),
        )
        if commit.withdraws and self.on_withdrawn is not None:
            self.on_withdrawn(commit.withdraws)
        if commit.actions:
            self._on_actions(commit.actions)

    async def _next_work(self) -> tuple[list[Entry], int | None]:
        """Wait for entries or a due timer; return entries and the clock; no clock when all is done."""
        driver = self._driver
        while True:
            if self._storing is not None and self._storing.done():
                self._storing.result()
            if self._backlog:
                self._taken, until = driver.next_batch(self._backlog, most=self._most)
                self._has_room.set()
                return self._taken, until
            if driver.sweep.is_running or self._is_nudged:
                self._is_nudged = False
                return [], driver.clock
            if self._is_all_appended:
                return [], None
            if driver.has_due(self._now()):
                seal = partial(driver.log.seal, self._now())
                clock, _ = await asyncio.get_running_loop().run_in_executor(self._log_thread, seal)
                # The log's thread is first come, first served: entries stamped before this clock are in the
                # backlog by now, and go first.
                if not self._backlog:
                    return [], clock
            else:
                await self._sleep()

    async def _sleep(self) -> None:
        due = self._driver.timers.next()
        wait_ms = self._idle_ms if due is None else max(1, min(self._idle_ms, due - self._now()))
        self._arrived.clear()
        try:
            async with asyncio.timeout(wait_ms / 1000):
                await self._arrived.wait()
        except TimeoutError:
            return


def _forget(answer: asyncio.Future[Appended]) -> None:
    """Look at a failure that ends the work anyway, so that nobody is told of it twice."""
    if not answer.cancelled():
        answer.exception()


def _answer(requests: Sequence[_Request], appended: Appended) -> None:
    """Tell each request which of its own events were duplicates."""
    duplicates = iter(appended.duplicates)
    index = next(duplicates, None)
    start = 0
    for request in requests:
        end = start + len(request.events)
        own = []
        while index is not None and index < end:
            own.append(index - start)
            index = next(duplicates, None)
        start = end
        if not request.answer.done():
            request.answer.set_result(Appended([], own))
