"""The live runtime: nothing is answered before it is durable, nothing acknowledged is left undone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from threading import Event as Gate
from typing import Any

import pytest
from structlog.testing import capture_logs

from sojourn.adapters.memory import MemoryLog, MemoryStore
from sojourn.model.action import Action
from sojourn.model.errors import UnavailableError
from sojourn.model.event import Entry, Event, FailedEvent
from sojourn.model.ports import Appended, Commit
from sojourn.runtime import live as live_module
from sojourn.runtime.driver import Driver
from sojourn.runtime.live import Live
from tests.engine.makers import MINUTE, T0, catalogue, event
from tests.runtime.test_driver import NUDGE

WAIT_S = 5
AT_ONCE = """
journey: at-once
entry: { on: A }
states:
  told:
    do: [ { webhook: mail, body: {} } ]
    after: { 1d: done }
  done: {}
"""
REFUSED = FailedEvent(source="web", received_at=T0, code="missing-id", reason="no id")


class GatedLog(MemoryLog):
    """A log whose appends wait at a gate, as for a slow disk; `error` is raised instead, where it is set."""

    def __init__(self) -> None:
        super().__init__(floor=T0)
        self.gate = Gate()
        self.gate.set()
        self.error: Exception | None = None
        self.sizes: list[int] = []

    def append(self, events: Sequence[Event], **options: Any) -> Appended:
        assert self.gate.wait(WAIT_S)
        if self.error is not None:
            raise self.error
        self.sizes.append(len(events))
        return super().append(events, **options)


class GatedStore(MemoryStore):
    """A store whose commits wait at a gate; `error` is raised instead, where it is set."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = Gate()
        self.gate.set()
        self.error: Exception | None = None

    def commit(self, commit: Commit) -> None:
        assert self.gate.wait(WAIT_S)
        if self.error is not None:
            raise self.error
        super().commit(commit)


class House:
    """A live runtime on memory, with a clock that only tests move, and everything it told."""

    def __init__(self) -> None:
        self.now = T0
        self.log = GatedLog()
        self.store = GatedStore()
        self.driver = Driver(self.log, self.store, catalogue(NUDGE))
        self.actions: list[Action] = []
        self.n_processed = 0
        self.latencies_ms: list[int] = []
        self.live = Live(
            self.driver,
            now=lambda: self.now,
            observer=self,
            on_actions=self.actions.extend,
            idle_ms=1,
        )

    def appended(self, *, n_events: int, n_duplicates: int, n_failed: int) -> None:
        """Hear of an append."""

    def committed(self, *, n_entries: int, lag: int, latencies_ms: Sequence[int], n_actions: int) -> None:
        self.n_processed += n_entries
        self.latencies_ms += latencies_ms

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Live]:
        """Run it; at the end close it and wait, and raise what it failed with."""
        running = asyncio.create_task(self.live.run())
        await asyncio.sleep(0)
        try:
            yield self.live
        finally:
            self.live.close()
            await asyncio.wait_for(asyncio.wait([running]), WAIT_S)
            self.live.release()
        running.result()


def started(who: str, **fields: Any) -> Event:
    """Make an event that enters the journey."""
    return event("Started", message_id=f"start-{who}", user_id=who, **fields)


async def until(is_so: Callable[[], bool]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(WAIT_S):
        while not is_so():
            await asyncio.sleep(0.001)


def play(story: Callable[[House], Awaitable[None]]) -> House:
    """Let a story run in a house of its own."""
    house = House()
    asyncio.run(story(house))
    return house


# Appending


def test_requests_that_come_together_share_an_append() -> None:
    """One fsync for all of them: that is what makes an acknowledgement affordable."""

    async def story(house: House) -> None:
        async with house.open() as live:
            house.log.gate.clear()
            first = asyncio.create_task(live.accept([started("0")]))
            await asyncio.sleep(0.01)
            others = [asyncio.create_task(live.accept([started(str(n))])) for n in range(1, 9)]
            await asyncio.sleep(0)
            house.log.gate.set()
            await asyncio.gather(first, *others)

    assert play(story).log.sizes == [1, 8]


def test_each_request_hears_of_its_own_duplicates() -> None:
    """Its indexes, not those of the append it shared."""
    heard: list[list[int]] = []

    async def story(house: House) -> None:
        async with house.open() as live:
            requests = (
                live.accept([started("ann"), started("bob")]),
                live.accept([started("cat"), started("ann")]),
                live.accept([], [REFUSED]),
                live.accept([started("bob"), started("dan"), started("cat")]),
            )
            heard.extend(answer.duplicates for answer in await asyncio.gather(*requests))

    play(story)
    assert heard == [[], [1], [], [0, 2]]


def test_nothing_is_answered_before_it_is_durable() -> None:
    """The whole promise of a 200."""

    async def story(house: House) -> None:
        async with house.open() as live:
            house.log.gate.clear()
            request = asyncio.create_task(live.accept([started("ann")]))
            done, _ = await asyncio.wait([request], timeout=0.05)
            assert not done
            house.log.gate.set()
            await request
            assert house.log.end() == 1

    play(story)


def test_no_append_is_larger_than_its_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand requests at once must not become one fsync of a minute."""
    monkeypatch.setattr(live_module, "MAX_APPEND", 3)

    async def story(house: House) -> None:
        async with house.open() as live:
            await asyncio.gather(*[live.accept([started(str(n))]) for n in range(8)])

    assert max(play(story).log.sizes) == 3


def test_too_much_waiting_is_refused_with_when_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """SDKs keep what got a 503 and send it again; memory is bounded here, and large there."""
    monkeypatch.setattr(live_module, "MAX_PENDING", 2)

    async def story(house: House) -> None:
        async with house.open() as live:
            house.log.gate.clear()
            waiting = [asyncio.create_task(live.accept([started(str(n))])) for n in range(3)]
            await asyncio.sleep(0.01)
            assert not live.is_ready
            with pytest.raises(UnavailableError) as refused:
                await live.accept([started("late")])
            assert refused.value.retry_after_s >= 1
            own = asyncio.create_task(live.tell([started("outcome")]))
            house.log.gate.set()
            await asyncio.gather(*waiting, own)
            assert live.is_ready

    assert play(story).log.end() == 4


def test_failed_events_count_among_what_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """They take as much memory as others: a sender of nothing else must find the same bound."""
    monkeypatch.setattr(live_module, "MAX_PENDING", 2)

    async def story(house: House) -> None:
        async with house.open() as live:
            house.log.gate.clear()
            waiting = [asyncio.create_task(live.accept([], [REFUSED])) for _ in range(3)]
            await asyncio.sleep(0.01)
            with pytest.raises(UnavailableError):
                await live.accept([], [REFUSED])
            house.log.gate.set()
            await asyncio.gather(*waiting)
            assert live.is_ready

    assert len(play(story).log.failed()) == 3


def test_appends_wait_where_the_engine_is_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a fast client makes everybody's journeys late by minutes."""
    monkeypatch.setattr(live_module, "MAX_BACKLOG", 3)

    async def story(house: House) -> None:
        async with house.open() as live:
            house.store.gate.clear()
            for n in range(3):  # one commit waits at the gate, one behind it
                await live.accept([started(f"first-{n}")])
                await asyncio.sleep(0.01)
            await live.accept([started(f"next-{n}") for n in range(9)])
            late = asyncio.create_task(live.accept([started("late")]))
            done, _ = await asyncio.wait([late], timeout=0.05)
            assert not done
            house.store.gate.set()
            await late

    assert play(story).n_processed == 13


# Processing


def test_what_is_accepted_is_processed_and_its_actions_told() -> None:
    """From an event to an action in the outbox."""

    async def story(house: House) -> None:
        async with house.open() as live:
            await live.accept([started("ann"), started("bob")])
            await until(lambda: house.n_processed == 2)

    assert play(story).store.counts()["profiles"] == 2


def test_timers_fire_while_nothing_comes() -> None:
    """Half an hour passes, and nobody does anything: that is what the timer waits for."""

    async def story(house: House) -> None:
        async with house.open() as live:
            await live.accept([started("ann")])
            house.now += 29 * MINUTE
            await asyncio.sleep(0.02)
            assert house.actions == []
            house.now += 1 * MINUTE
            await until(lambda: bool(house.actions))

    (action,) = play(story).actions
    assert action.at == T0 + 30 * MINUTE


def test_an_entry_after_a_timer_has_fired_is_not_stamped_before_it() -> None:
    """The log is sealed at the instant up to which timers fire (law 3)."""

    async def story(house: House) -> None:
        async with house.open() as live:
            await live.accept([started("ann")])
            house.now += 40 * MINUTE
            await until(lambda: bool(house.actions))
            house.now -= 20 * MINUTE  # somebody sets the clock back
            await live.accept([started("bob")])

    assert play(story).log.read(1, 1)[0].at == T0 + 40 * MINUTE


def test_the_latency_is_from_receipt_to_the_outbox() -> None:
    """What an operator watches: only actions that an event decided count."""

    async def story(house: House) -> None:
        house.driver.catalogue = catalogue(AT_ONCE)
        house.store.gate.clear()
        async with house.open() as live:
            await live.accept([event("A", user_id="ann")])
            house.now += 7
            house.store.gate.set()

    assert play(story).latencies_ms == [7]


# Ending


def test_closing_processes_everything_that_was_acknowledged() -> None:
    """And answers the requests that were in flight."""

    async def story(house: House) -> None:
        async with house.open() as live:
            house.log.gate.clear()
            requests = [asyncio.create_task(live.accept([started(str(n))])) for n in range(20)]
            await asyncio.sleep(0.01)
            live.close()
            house.log.gate.set()
            await asyncio.gather(*requests)

    house = play(story)
    assert (house.store.progress().position, house.live.backlog) == (20, 0)


def test_closing_answers_a_request_that_holds_only_failed_events() -> None:
    """They are kept too, and there is nothing to process."""

    async def story(house: House) -> None:
        async with house.open() as live:
            request = asyncio.create_task(live.accept([], [REFUSED]))
            await asyncio.sleep(0)
            live.close()
            await request

    assert len(play(story).log.failed()) == 1


def test_a_closed_house_takes_nothing() -> None:
    """It could not promise to process it."""

    async def story(house: House) -> None:
        async with house.open() as live:
            live.close()
            assert not live.is_ready
            with pytest.raises(UnavailableError):
                await live.accept([started("ann")])

    assert play(story).log.end() == 0


def test_a_log_that_fails_ends_the_run_and_leaves_no_request_waiting() -> None:
    """Those in the append, those behind it, and those that come later."""
    heard: list[object] = []

    async def story(house: House) -> None:
        async with house.open() as live:
            house.log.gate.clear()
            requests = [asyncio.create_task(live.accept([started("ann")]))]
            await asyncio.sleep(0.01)
            requests.append(asyncio.create_task(live.accept([started("bob")])))
            await asyncio.sleep(0)
            house.log.error = OSError("disk full")
            house.log.gate.set()
            heard.extend(await asyncio.gather(*requests, return_exceptions=True))
            with pytest.raises(UnavailableError):
                await live.accept([started("cat")])

    with pytest.raises(OSError, match="disk full"):
        play(story)
    assert [type(answer) for answer in heard] == [UnavailableError, UnavailableError]


def test_a_store_that_fails_ends_the_run_though_nothing_else_comes() -> None:
    """An idle house must not sit on a commit that failed, and look well."""

    async def story(house: House) -> None:
        house.store.error = OSError("disk full")
        async with house.open() as live:
            await live.accept([started("ann")])
            await until(lambda: not live.is_ready)

    with pytest.raises(OSError, match="disk full"):
        play(story)


def test_what_the_engine_fails_on_is_kept_before_its_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    """The commit goes on without it, so it must be elsewhere by then."""

    def failing(*arguments: Any, **options: Any) -> Any:
        raise ValueError("planted")

    monkeypatch.setattr("sojourn.runtime.driver.turn", failing)
    monkeypatch.setattr("sojourn.runtime.salvage.turn", failing)

    async def story(house: House) -> None:
        async with house.open() as live:
            await live.accept([started("ann")])
            await until(lambda: house.n_processed == 1)

    with capture_logs():
        house = play(story)
    assert [failed.code for failed in house.log.failed()] == ["engine-error"]
    assert house.driver.failures.n_noted == 1


# While people are asked about


def test_the_engine_looks_up_more_often_while_questions_are_expected(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slices, and no more commits than the store takes: what comes while one is stored joins the next."""
    monkeypatch.setattr(live_module, "SLICE", 2)
    sizes: list[int] = []

    async def story(house: House) -> None:
        process = house.driver.process

        def noted(entries: Sequence[Entry], **options: Any) -> Commit | None:
            sizes.append(len(entries))
            return process(entries, **options)

        house.driver.process = noted  # type: ignore[method-assign]
        async with house.open() as live:
            live.attend()
            house.store.gate.clear()
            await live.accept([started("first")])
            await until(lambda: house.driver.position == 1)
            await live.accept([started(str(n)) for n in range(5)])
            await live.processed(6)  # though nothing is stored yet
            assert house.store.progress().position == 0
            await live.accept([started("late")])
            await live.processed(7)
            house.store.gate.set()
            await until(lambda: house.n_processed == 7)

    house = play(story)
    assert [size for size in sizes if size] == [1, 2, 2, 1, 1]
    assert house.store.progress().position == 7


def test_who_waits_for_an_entry_hears_when_the_engine_ends_before_it() -> None:
    """Nobody waits for ever."""
    heard: list[type[BaseException]] = []

    async def story(house: House) -> None:
        async def ask(live: Live) -> None:
            try:
                await live.processed(99)
            except UnavailableError as error:
                heard.append(type(error))

        async with house.open() as live:
            waiting = asyncio.create_task(ask(live))
            await asyncio.sleep(0)
        await waiting

    play(story)
    assert heard == [UnavailableError]
