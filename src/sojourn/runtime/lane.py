"""One lane of the outbox: one sink's way, bounded, with backoff, and a pause where the sink is down."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Mapping
from concurrent.futures import Executor
from typing import Literal, NamedTuple, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from sojourn.model.action import Action, Delivery, Letter
from sojourn.model.errors import SinkError
from sojourn.model.ids import ProfileId
from sojourn.model.ports import Outbox, Sink
from sojourn.runtime.rate import Bucket, Rate

T = TypeVar("T")

READ_AHEAD = 256  # Letters read at once: a fast sink is not to pay a query for each action.
REASON_CHARS = 500
"""A longer reason is cut."""
FOREVER = 2**62  # An instant no clock reaches and every database stores.
MAX_SLEEP_MS = 60_000  # We sleep by one clock and letters are due by another, which somebody may set.
MAX_DOUBLINGS = 20  # 2^20 s is far beyond every cap; larger powers only cost arithmetic.


class Policy(Struct, frozen=True, kw_only=True):
    """How hard the outbox tries."""

    max_in_flight: int = 16
    """Deliveries at once, per sink."""
    max_attempts: int = 12
    """With the backoff below: given up after 16 minutes on average, 32 at most, pauses apart."""
    delivery_timeout_ms: int = 30_000  # Standard Webhooks: 15-30 s.
    backoff_base_ms: int = 1_000
    backoff_cap_ms: int = 900_000  # 15 min
    retry_after_cap_ms: int = 86_400_000  # A day: no destination may keep an action for longer.
    pause_after_failures: int = 8
    """So many failures in a row, without an answer in between, and the sink is paused."""
    pause_base_ms: int = 1_000
    pause_cap_ms: int = 60_000  # A destination that is back waits for us a minute at most.
    rates: Mapping[str, Rate] = {}
    """How fast sinks are given deliveries, by name; one that is not named has no such bound."""


Result = Literal["delivered", "expired", "failed", "retried"]


class Meter:
    """What operators measure; a runtime hands in its own. Called on the event loop: only count here."""

    def attempted(self, sink: str, result: Result, took_ms: int) -> None:
        """An action was tried (or, `expired`, not worth trying)."""

    def refused(self, sink: str, reason: str) -> None:
        """An attempt failed, and why."""

    def in_flight(self, sink: str, n_actions: int) -> None:
        """So many deliveries run now."""

    def paused(self, sink: str, *, is_paused: bool) -> None:
        """A sink was paused after many failures, or answers again."""

    def throttled(self, sink: str) -> None:
        """A delivery has to wait for the sink's rate."""


class Gate:
    """Whether anything may be sent at all: shut while all journeys stand still."""

    is_shut = False


class House(NamedTuple):
    """What all lanes share."""

    outbox: Outbox
    now: Callable[[], int]
    random: Callable[[], float]
    on_outcome: Callable[[Action, Delivery], Awaitable[None]]
    policy: Policy
    meter: Meter
    executor: Executor | None
    gate: Gate

    async def ask(self, call: Callable[[], T]) -> T:
        """Call the outbox where it wants to be called."""
        if self.executor is None:
            return call()
        return await asyncio.get_running_loop().run_in_executor(self.executor, call)


class Lane:
    """One sink's way: reads ahead, keeps a bounded number in flight, and writes results back in batches."""

    def __init__(self, name: str, sink: Sink, house: House) -> None:
        self._name = name
        self._sink = sink
        self._house = house
        self._ready: deque[Letter] = deque()
        self._held: set[str] = set()
        """Ids of letters read and not yet written back: the outbox would hand them out again."""
        self._in_flight: set[asyncio.Task[None]] = set()
        self._carried: dict[str, Action] = {}
        """What is being delivered, by its id."""
        self._withdrawn: set[str] = set()
        """Of these, what left the outbox meanwhile."""
        self._settled: list[tuple[Letter, Delivery]] = []
        self._postponed: list[Letter] = []
        self._breaker = _Breaker(house.policy)
        rate = house.policy.rates.get(name)
        self._bucket = None if rate is None else Bucket(rate)
        self._throttled_id = ""
        """The letter that waits for the sink's rate, to count it once."""
        self._woken = asyncio.Event()
        self._is_ending = False

    @property
    def n_in_flight(self) -> int:
        """How many deliveries run now."""
        return len(self._in_flight)

    @property
    def is_paused(self) -> bool:
        """Whether the sink failed so often in a row that it is only probed."""
        return self._breaker.is_shut

    def wake(self) -> None:
        """Look again."""
        self._woken.set()

    def end(self) -> None:
        """Begin nothing new; `run` returns when what is in flight has ended."""
        self._is_ending = True
        self._woken.set()

    def drop(self) -> None:
        """Give up what is in flight: it stays in the outbox and is sent again, with the same key."""
        for task in self._in_flight:
            task.cancel()

    def withdraw(self, people: Collection[ProfileId]) -> None:
        """Let go of people's letters, which are in the outbox no longer."""
        self.release({letter.action.id for letter in self._ready if letter.action.profile_id in people})
        self._withdrawn |= {one.id for one in self._carried.values() if one.profile_id in people}

    def release(self, action_ids: Collection[str]) -> None:
        """Let go of letters that are another worker's; what is in flight ends, and is told of."""
        gone = {letter.action.id for letter in self._ready if letter.action.id in action_ids}
        self._ready = deque(letter for letter in self._ready if letter.action.id not in gone)
        self._held -= gone

    def holds(self, action_ids: Collection[str]) -> bool:
        """Tell whether one of some letters is here, or in flight, or not yet written back."""
        return any(action_id in action_ids for action_id in self._held)

    async def run(self, group: asyncio.TaskGroup) -> None:
        """Deliver until `end`; deliveries run as tasks of `group`."""
        while True:
            self._woken.clear()
            await self._write_back()
            is_written = not self._settled and not self._postponed  # or something landed meanwhile
            if self._is_ending and is_written and not self._in_flight:
                return
            if self._is_ending:
                await self._woken.wait()
                continue
            if not self._house.gate.is_shut:
                await self._read_ahead()
            self._send(group)
            await self._sleep()

    async def _write_back(self) -> None:
        """Tell the outbox what came of the last deliveries, in one batch, and let go of their letters."""
        settled, self._settled = self._settled, []
        postponed, self._postponed = self._postponed, []
        if settled:
            await self._house.ask(lambda: self._house.outbox.settle(settled))
        if postponed:
            await self._house.ask(lambda: self._house.outbox.postpone(postponed))
        self._held.difference_update([letter.action.id for letter, _ in settled])
        self._held.difference_update([letter.action.id for letter in postponed])

    async def _read_ahead(self) -> None:
        now = self._house.now()
        if self._ready or self._n_places(now) <= 0:
            return
        limit = len(self._held) + READ_AHEAD
        letters = await self._house.ask(lambda: self._house.outbox.waiting(self._name, now=now, limit=limit))
        self._ready.extend(letter for letter in letters if letter.action.id not in self._held)
        self._held.update(letter.action.id for letter in self._ready)

    def _n_places(self, now: int) -> int:
        return self._breaker.n_places(now) - len(self._in_flight)

    def _send(self, group: asyncio.TaskGroup) -> None:
        """Begin what may go now; the gate is asked here, for it may have been shut while we read ahead."""
        now = self._house.now()
        is_shut = self._house.gate.is_shut
        while self._ready and not is_shut and self._n_places(now) > 0 and self._may_go(self._ready[0], now):
            task = group.create_task(self._carry(self._ready.popleft()))
            self._in_flight.add(task)
            task.add_done_callback(self._landed)
        self._house.meter.in_flight(self._name, len(self._in_flight))

    def _may_go(self, letter: Letter, now: int) -> bool:
        """Tell whether the sink's rate lets a letter go now; what has expired is not delivered, and goes."""
        if self._bucket is None or now > letter.action.expires_at or self._bucket.take(now):
            return True
        if self._throttled_id != letter.action.id:
            self._throttled_id = letter.action.id
            self._house.meter.throttled(self._name)
        return False

    def _landed(self, task: asyncio.Task[None]) -> None:
        self._in_flight.discard(task)
        self._woken.set()

    async def _sleep(self) -> None:
        """Wait until something is due, lands, is added, or ends."""
        due_at = None if self._house.gate.is_shut else await self._next_due()
        wait_s = None if due_at is None else min(max(0, due_at - self._house.now()), MAX_SLEEP_MS) / 1000
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await self._woken.wait()

    async def _next_due(self) -> int | None:
        now = self._house.now()
        if self._breaker.opens_at > now:
            return self._breaker.opens_at
        if self._n_places(now) <= 0:
            return None  # Whatever lands wakes us.
        if self._ready:  # The sink's rate holds it back until then, or until it has expired.
            opens_at = now if self._bucket is None else self._bucket.opens_at(now)
            return min(opens_at, self._ready[0].action.expires_at + 1)
        if not self._held:
            return await self._house.ask(lambda: self._house.outbox.next_due(self._name))
        # What is in flight is due too, and hides what comes after it: look one letter further.
        letters = await self._house.ask(
            lambda: self._house.outbox.waiting(self._name, now=FOREVER, limit=len(self._held) + 1)
        )
        return min((letter.due_at for letter in letters if letter.action.id not in self._held), default=None)

    # -- One action.

    async def _carry(self, letter: Letter) -> None:
        """Bring one letter to an end, or to its next attempt."""
        self._carried[letter.action.id] = letter.action
        try:
            await self._try(letter)
        finally:
            del self._carried[letter.action.id]
            self._withdrawn.discard(letter.action.id)

    async def _try(self, letter: Letter) -> None:
        started_at = self._house.now()
        result: Result
        if started_at > letter.action.expires_at:
            result = "expired"
            reason = letter.last_error or "expired before its first attempt"
            await self._settle(letter, Delivery(outcome="expired", attempts=letter.attempts, reason=reason))
        else:
            answer = await self._deliver(letter.action)
            result = await self._judge(letter, answer)
        self._house.meter.attempted(self._name, result, self._house.now() - started_at)

    async def _deliver(self, action: Action) -> Delivery | SinkError:
        timeout_ms = self._house.policy.delivery_timeout_ms
        try:
            async with asyncio.timeout(timeout_ms / 1000):
                delivery = await self._sink.deliver(action)
        except SinkError as error:
            return error
        except TimeoutError:
            return SinkError(f"no answer within {timeout_ms} ms", retry=True)
        except Exception as error:  # The edge: a plug-in's bug is its own, and no other sink's.
            return SinkError(f"the sink itself failed: {type(error).__name__}: {error}", retry=True)
        if delivery.outcome == "failed":
            return SinkError(delivery.reason, retry=False, status=delivery.status)
        return delivery

    async def _judge(self, letter: Letter, answer: Delivery | SinkError) -> Result:
        n_attempts = letter.attempts + 1
        is_down = isinstance(answer, SinkError) and answer.retry
        if self._breaker.hear(is_down=is_down, now=self._house.now()):
            self._house.meter.paused(self._name, is_paused=is_down)
        if isinstance(answer, SinkError) and letter.action.id not in self._withdrawn:
            self._house.meter.refused(self._name, answer.reason[:REASON_CHARS])
        if isinstance(answer, Delivery):
            await self._settle(letter, replace(answer, attempts=n_attempts))
            return "delivered" if answer.outcome == "delivered" else "expired"
        if answer.retry and n_attempts < self._house.policy.max_attempts:
            self._postponed.append(self._later(letter, answer))
            return "retried"
        await self._bury(letter, answer)
        return "failed"

    # The outcome is in the log before the outbox lets go of the action. A crash between the two sends the
    # action again under the same key and tells the same outcome id again: both are dropped as repetitions.
    # The other way round a crash would lose the outcome, and a journey would wait for it for ever.

    async def _settle(self, letter: Letter, delivery: Delivery) -> None:
        await self._tell(letter.action, delivery)
        self._settled.append((letter, delivery))

    async def _bury(self, letter: Letter, error: SinkError) -> None:
        n_attempts = letter.attempts + 1
        reason = error.reason[:REASON_CHARS]
        if error.retry:
            reason = f"given up after {n_attempts} attempts; the last: {reason}"
        delivery = Delivery(outcome="failed", attempts=n_attempts, status=error.status, reason=reason)
        await self._tell(letter.action, delivery)
        self._postponed.append(
            replace(letter, attempts=n_attempts, last_error=reason, dead_at=self._house.now())
        )

    async def _tell(self, action: Action, delivery: Delivery) -> None:
        """Tell what became of an action; of somebody who was forgotten meanwhile, nobody."""
        if action.id not in self._withdrawn:
            await self._house.on_outcome(action, delivery)

    def _later(self, letter: Letter, error: SinkError) -> Letter:
        """Return the letter as it waits for its next attempt: exponential backoff, full jitter."""
        policy = self._house.policy
        ceiling_ms = doubled(policy.backoff_base_ms, letter.attempts, policy.backoff_cap_ms)
        asked_ms = min(error.retry_after_ms or 0, policy.retry_after_cap_ms)
        delay_ms = max(int(self._house.random() * ceiling_ms), asked_ms)
        # Once it has expired there is nothing to wait for: its end is told at once.
        due_at = min(self._house.now() + delay_ms, letter.action.expires_at + 1)
        return replace(
            letter, attempts=letter.attempts + 1, due_at=due_at, last_error=error.reason[:REASON_CHARS]
        )


class _Breaker:
    """Pauses a sink that fails many times in a row, then probes it with one action at a time."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._n_failures = 0
        self._n_pauses = 0
        self.opens_at = 0
        """Until then nothing is sent, ms."""

    @property
    def is_shut(self) -> bool:
        """Whether it has failed so often."""
        return self._n_failures >= self._policy.pause_after_failures

    def n_places(self, now: int) -> int:
        """Return how many deliveries may be in flight."""
        if self._n_failures < self._policy.pause_after_failures:
            return self._policy.max_in_flight
        return 0 if now < self.opens_at else 1

    def hear(self, *, is_down: bool, now: int) -> bool:
        """Take note of one attempt; return True where a pause began or ended by it."""
        limit = self._policy.pause_after_failures
        if not is_down:
            was_paused = self._n_failures >= limit
            self._n_failures = self._n_pauses = self.opens_at = 0
            return was_paused
        self._n_failures = min(self._n_failures + 1, limit + 1)
        if self._n_failures < limit or now < self.opens_at:
            return False  # Not enough yet, or a straggler that was sent before the pause.
        self.opens_at = now + doubled(self._policy.pause_base_ms, self._n_pauses, self._policy.pause_cap_ms)
        self._n_pauses += 1
        return self._n_pauses == 1


def doubled(base_ms: int, n_times: int, cap_ms: int) -> int:
    """Return `base_ms` doubled so many times, at most `cap_ms`."""
    return int(min(cap_ms, base_ms * 2 ** min(n_times, MAX_DOUBLINGS)))
