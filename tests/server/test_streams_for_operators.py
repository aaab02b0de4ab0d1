"""Streams for an operator, without a network: their bounds, and that nothing is done where nobody looks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from sojourn.model.errors import InputError, UnavailableError
from sojourn.model.event import Entry, FailedEvent
from sojourn.model.ports import Appended
from sojourn.model.views import JourneyView
from sojourn.server import sse
from sojourn.server.pulse import Progress, Pulse
from sojourn.server.tail import MAX_PENDING, MAX_PER_SLOT, MAX_REFUSED_PER_SLOT, Tail, Wanted
from tests.engine.makers import T0, event

WAIT_S = 5.0
NO_KEY = InputError("unknown-key", "expected a known write key", status=401)


class Screen:
    """A reader: what it got, and whether it takes more."""

    def __init__(self) -> None:
        self.text = ""
        self.takes = asyncio.Event()
        self.takes.set()
        self.leaves = asyncio.Event()

    async def receive(self) -> dict[str, Any]:
        """Leave when it is told to."""
        await self.leaves.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        """Take a piece, once it takes any."""
        await self.takes.wait()
        self.text += message.get("body", b"").decode()

    def named(self, name: str) -> list[Any]:
        """Return what events of a name said; "" is an event without one."""
        found = []
        for piece in self.text.split("\n\n"):
            lines = dict(line.split(": ", 1) for line in piece.splitlines() if ": " in line)
            if "data" in lines and lines.get("event", "") == name:
                found.append(json.loads(lines["data"]))
        return found

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Wait until something is so."""
        async with asyncio.timeout(WAIT_S):
            while not is_so():
                await asyncio.sleep(0.002)


def heard(tail: Tail, *names: str, duplicates: list[int] | None = None) -> None:
    """Let an append be heard."""
    events = [event(name, user_id="ann", message_id=f"m{n}") for n, name in enumerate(names)]
    gone = duplicates or []
    entries = [Entry(position=n + 1, at=T0, event=one) for n, one in enumerate(events) if n not in gone]
    tail.heard(events, [], Appended(entries, gone))


async def looking(serve: Callable[[], Awaitable[None]], screen: Screen) -> asyncio.Task[None]:
    """Begin to look."""

    async def run() -> None:
        await serve()

    task = asyncio.create_task(run())
    await screen.until(lambda: "open" in screen.text or task.done())
    return task


def test_nobody_is_told_where_nobody_looks() -> None:
    """The hook is there from the first reader to the last."""

    async def scenario() -> list[int]:
        watched: list[int] = []
        tail = Tail(watch=watched.append)
        one, other = Screen(), Screen()
        tasks = [await looking(lambda s=s: tail.serve(Wanted(), s.receive, s.send), s) for s in (one, other)]
        for screen, task in zip((one, other), tasks, strict=True):
            screen.leaves.set()
            await task
        return watched

    assert asyncio.run(scenario()) == [1, 2, 1, 0]


def test_more_than_a_screen_takes_is_counted_and_not_kept() -> None:
    """By a clock that stands still, one slot is all there is; the reader hears how many more there were."""

    async def scenario() -> tuple[int, list[Any]]:
        tail = Tail(clock=lambda: 0.0)
        screen = Screen()
        task = await looking(lambda: tail.serve(Wanted(), screen.receive, screen.send), screen)
        for _ in range(10):
            heard(tail, *["Seen"] * 100)
        await screen.until(lambda: bool(screen.named("skipped")))
        screen.leaves.set()
        await task
        return len(screen.named("")), screen.named("skipped")

    assert asyncio.run(scenario()) == (MAX_PER_SLOT, [{"n": 1_000 - MAX_PER_SLOT}])


def test_what_waits_for_a_reader_who_takes_nothing_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long it goes on; then it is let go, and others are not."""
    monkeypatch.setattr(sse, "SLOW_S", 0.05)

    async def scenario() -> tuple[int, int, int, int]:
        seconds = iter(range(10_000))
        tail = Tail(clock=lambda: float(next(seconds)))
        deaf, screen = Screen(), Screen()
        stuck = await looking(lambda: tail.serve(Wanted(), deaf.receive, deaf.send), deaf)
        task = await looking(lambda: tail.serve(Wanted(), screen.receive, screen.send), screen)
        deaf.takes.clear()
        for _ in range(100):
            heard(tail, *["Seen"] * 20)
        n_waiting = max(len(reader._pending) for reader in tail._open)
        await asyncio.wait_for(stuck, WAIT_S)
        heard(tail, "Last")
        await screen.until(lambda: bool(screen.named("")) and screen.named("")[-1]["name"] == "Last")
        screen.leaves.set()
        await task
        return n_waiting, tail.n_slow, tail.n_open, len(deaf.named(""))

    assert asyncio.run(scenario()) == (MAX_PENDING, 1, 0, 0)


def test_requests_refused_whole_are_told_and_hide_no_event() -> None:
    """Whoever sends them need not be known: few are shown, and others have their room."""

    async def story() -> None:
        tail = Tail(clock=lambda: 0.0)
        tail.refused(NO_KEY, source="", user_agent="", at=T0)  # nobody looks
        screen, other = Screen(), Screen()
        task = await looking(lambda: tail.serve(Wanted(), screen.receive, screen.send), screen)
        wanted = Wanted(source="web", verdict="refused")
        task_2 = await looking(lambda: tail.serve(wanted, other.receive, other.send), other)
        for _ in range(MAX_PER_SLOT * 2):
            tail.refused(NO_KEY, source="", user_agent="curl/8 (x)", at=T0)
        tail.refused(NO_KEY, source="web", user_agent="curl/8", at=T0)
        heard(tail, "Seen")
        await screen.until(lambda: bool(screen.named("skipped") and screen.named("") and other.named("")))
        verdicts = [row["verdict"] for row in screen.named("")]
        assert verdicts == ["refused"] * MAX_REFUSED_PER_SLOT + ["taken"]
        assert screen.named("skipped") == [{"n": MAX_PER_SLOT * 2 + 1 - MAX_REFUSED_PER_SLOT}]
        (row,) = other.named("")
        assert (row["source"], row["sdk"], row["code"]) == ("web", "curl 8", "unknown-key")
        screen.leaves.set()
        other.leaves.set()
        await asyncio.gather(task, task_2)

    asyncio.run(story())


def test_a_filter_counts_only_what_it_wants() -> None:
    """And a failed event is found by what it said of itself."""

    async def scenario() -> list[Any]:
        tail = Tail(clock=lambda: 0.0)
        screen = Screen()
        wanted = Wanted(name="Bought", verdict="failed")
        task = await looking(lambda: tail.serve(wanted, screen.receive, screen.send), screen)
        heard(tail, "Bought", "Seen", duplicates=[1])
        failed = [
            FailedEvent(source="web", received_at=T0, code="missing-id", reason="none", body=body)
            for body in (b'{"event":"Bought","userId":7}', b'{"event":"Seen"}', b"{", b"[1]")
        ]
        tail.heard([], failed, Appended([], []))
        await screen.until(lambda: bool(screen.named("")))
        screen.leaves.set()
        await task
        return [(row["name"], row["code"], row["user_id"]) for row in screen.named("")]

    assert asyncio.run(scenario()) == [("Bought", "missing-id", None)]


def test_so_many_may_look_and_no_more() -> None:
    """A bound like every other; and none may begin where all are being ended."""

    async def scenario() -> None:
        tail = Tail(max_open=1)
        pulse = Pulse(lambda: Progress(position=0, clock=0, lag=0), list, max_open=0)
        screen = Screen()
        task = await looking(lambda: tail.serve(Wanted(), screen.receive, screen.send), screen)
        with pytest.raises(UnavailableError):
            await tail.serve(Wanted(), screen.receive, screen.send)
        with pytest.raises(UnavailableError):
            await pulse.serve(screen.receive, screen.send)
        tail.close()
        await asyncio.wait_for(task, WAIT_S)
        with pytest.raises(UnavailableError):
            await tail.serve(Wanted(), screen.receive, screen.send)

    asyncio.run(scenario())


def test_a_reader_of_the_pulse_hears_the_newest_only_and_each_journey_that_moved() -> None:
    """A journey whose counts are as before is not told again; several moves at once are one."""

    async def scenario() -> tuple[list[int], list[list[tuple[str, int]]], int]:
        position, n_looks = 1, 0
        counts = {"a": 1, "b": 1}

        def journeys() -> list[JourneyView]:
            nonlocal n_looks
            n_looks += 1
            return [
                JourneyView(name=name, version="1", is_open=True, entered=n) for name, n in counts.items()
            ]

        pulse = Pulse(lambda: Progress(position=position, clock=0, lag=0), journeys)
        one, other = Screen(), Screen()
        tasks = [await looking(lambda s=s: pulse.serve(s.receive, s.send), s) for s in (one, other)]
        await one.until(lambda: bool(other.named("journeys")))
        for _ in range(50):
            position += 1
            counts["b"] += 1
            pulse.moved()
        await one.until(lambda: len(one.named("journeys")) == len(other.named("journeys")) == 2)
        pulse.close()
        await asyncio.gather(*tasks)
        told = [[(view["name"], view["entered"]) for view in views] for views in one.named("journeys")]
        return [each["position"] for each in one.named("progress")], told, n_looks

    assert asyncio.run(scenario()) == ([1, 51], [[("a", 1), ("b", 1)], [("b", 51)]], 2)


def test_a_stream_ends_after_a_while_so_that_its_reader_shows_again_that_it_may_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A session that ended, or an account that is gone, reads no longer than that."""
    monkeypatch.setattr(sse, "LONGEST_S", 0.02)
    monkeypatch.setattr(sse, "HEARTBEAT_S", 0.005)

    async def scenario() -> str:
        tail = Tail()
        screen = Screen()
        await asyncio.wait_for(tail.serve(Wanted(), screen.receive, screen.send), WAIT_S)
        return screen.text

    assert ": open" in asyncio.run(scenario())
