"""Streams: a page hears that its answers changed and of nothing else; streams and readers are bounded."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from sojourn.server import ofrep_streams as streams_module
from sojourn.server import sse
from sojourn.server.ofrep import Ofrep
from sojourn.server.ofrep_reading import Caller, Callers
from sojourn.server.ofrep_streams import Streams
from sojourn.wiring.deciding import Decider
from tests.runtime.counters import WAIT_S, Counter

KEY = "a-key-of-an-application"
PAGE_KEY = "a-key-that-is-in-the-page"


async def nothing(scope: Any, receive: Any, send: Any) -> None:
    """Serve no other path."""
    raise AssertionError(scope["path"])


class Page:
    """A page: it asks for all flags, and listens."""

    def __init__(self, app: Ofrep, who: str, key: str = KEY) -> None:
        self.app = app
        self.who = who
        self.key = key
        self.status = 0
        self.events: list[dict[str, Any]] = []
        self.heard: list[bytes] = []
        self.takes = asyncio.Event()
        """Cleared: it reads nothing."""
        self.takes.set()
        self.has_left = asyncio.Event()
        self._listening: asyncio.Task[None] | None = None

    async def ask(self, known: str = "") -> tuple[int, str, str]:
        """Ask for all flags; return (status, ETag, the stream's path)."""
        body = json.dumps({"context": {"targetingKey": self.who}}).encode()
        headers = [(b"x-api-key", self.key.encode()), (b"if-none-match", known.encode())]
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body}

        async def send(message: Any) -> None:
            sent.append(message)

        await self.app(self._scope("POST", "/ofrep/v1/evaluate/flags", headers), receive, send)
        etag = dict(sent[0]["headers"])[b"etag"].decode()
        content = json.loads(sent[1]["body"] or b"{}")
        path = content["eventStreams"][0]["endpoint"]["requestUri"] if content else ""
        return sent[0]["status"], etag, path

    async def listen(self, path: str) -> None:
        """Open a stream, and listen until it ends."""
        self._listening = asyncio.create_task(self._serve(path))
        await self.until(lambda: self.status != 0)

    async def told(self, n: int) -> None:
        """Wait for so many events."""
        await self.until(lambda: len(self.events) >= n)

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Wait until something is so."""
        async with asyncio.timeout(WAIT_S):
            while not is_so():
                await asyncio.sleep(0.002)

    async def end(self) -> None:
        """Wait for the stream's end."""
        assert self._listening is not None
        await asyncio.wait_for(asyncio.wait([self._listening]), WAIT_S)

    async def leave(self) -> None:
        """Go away."""
        self.has_left.set()
        await self.end()

    async def _serve(self, path: str) -> None:
        async def receive() -> dict[str, Any]:
            await self.has_left.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                self.status = message["status"]
                return
            await self.takes.wait()
            text = message.get("body", b"")
            self.heard.append(text)
            for line in text.split(b"\n"):
                if line.startswith(b"data: "):
                    self.events.append(json.loads(line[6:]))

        await self.app(self._scope("GET", path, []), receive, send)

    def _scope(self, method: str, path: str, headers: list[tuple[bytes, bytes]]) -> dict[str, Any]:
        return {"type": "http", "method": method, "path": path, "headers": headers, "query_string": b""}


class Shop:
    """A runtime with streams."""

    def __init__(self, counter: Counter, app: Ofrep, streams: Streams) -> None:
        self.counter, self.app, self.streams = counter, app, streams

    async def page(self, who: str, key: str = KEY) -> Page:
        """Open a page that has asked, and listens."""
        page = Page(self.app, who, key)
        _, _, path = await page.ask()
        await page.listen(path)
        await page.until(lambda: self.counter.live.on_processed is not None)
        return page


@asynccontextmanager
async def shop(max_open: int = 10) -> AsyncIterator[Shop]:
    """Run a shop until the end of the block."""
    async with Counter().open() as counter:
        browser = Caller(name="page", is_browser=True, flags=("journey.*",))
        callers = Callers({KEY: Caller(name="shop"), PAGE_KEY: browser})
        decider = Decider(counter.deciding)
        streams = Streams(decider, callers.may_see, max_open=max_open)
        running = asyncio.create_task(streams.run())
        try:
            yield Shop(counter, Ofrep(decider, callers, streams=streams, rest=nothing), streams)
        finally:
            streams.close()
            await asyncio.wait_for(running, WAIT_S)


def play(story: Callable[[Shop], Awaitable[None]], **options: Any) -> None:
    """Let a story run in a shop."""

    async def run() -> None:
        async with shop(**options) as opened:
            await story(opened)

    asyncio.run(run())


def test_an_event_that_moves_a_person_is_told_with_the_etag_of_the_next_answer() -> None:
    """The page asks again, and is answered what it was told of."""

    async def story(shop: Shop) -> None:
        page = await shop.page("phone")
        await shop.counter.post("Started", "?phone")
        await page.told(1)
        (event,) = page.events
        assert event["type"] == "refetchEvaluation"
        assert isinstance(event["lastModified"], int)
        assert (await page.ask())[1] == f'"{event["etag"]}"'

    play(story)


def test_a_name_given_to_a_device_is_followed() -> None:
    """From then on the person lives elsewhere, and is watched there."""

    async def story(shop: Shop) -> None:
        page = await shop.page("phone")
        await shop.counter.post("Started", "?phone")
        await page.told(1)
        await shop.counter.post("$identify", "ann", anonymous_id="phone")
        await shop.counter.post("Helped", "ann")
        await page.until(lambda: len(page.events) >= 2)
        assert await shop.counter.state("phone") == "assisted"
        _, etag, _ = await page.ask()
        await page.until(lambda: etag == f'"{page.events[-1]["etag"]}"')

    play(story)


def test_a_page_that_ties_its_device_to_a_user_hears_of_nothing_that_user_does() -> None:
    """By the page's own key: it hears once that it is a stranger now, and a change alone would tell, too."""

    async def story(shop: Shop) -> None:
        page = await shop.page("phone", key=PAGE_KEY)
        await shop.counter.post("Started", "ann")
        await shop.counter.post("$identify", "ann", anonymous_id="phone")
        await page.told(1)
        tag = (await page.ask())[1]
        await shop.counter.post("Helped", "ann")
        assert await shop.counter.state("ann") == "assisted"
        await asyncio.sleep(0.05)
        assert ((await page.ask())[1], len(page.events)) == (tag, 1)
        assert page.events[0]["etag"] in tag

    play(story)


def test_what_changes_no_answer_is_not_told() -> None:
    """An event that moves nothing, and whatever others do."""

    async def story(shop: Shop) -> None:
        page = await shop.page("phone")
        await shop.counter.post("Started", "?other")
        await shop.counter.post("Seen", "?phone")
        await shop.counter.state("phone")
        await asyncio.sleep(0.05)
        assert page.events == []

    play(story)


def test_what_changed_between_the_answer_and_the_stream_is_told_at_once() -> None:
    """Nothing falls into the gap."""

    async def story(shop: Shop) -> None:
        page = Page(shop.app, "phone")
        _, _, path = await page.ask()
        await shop.counter.post("Started", "?phone")
        await shop.counter.state("phone")
        await page.listen(path)
        await page.told(1)

    play(story)


def test_two_pages_of_one_person_both_hear_though_one_asked_later() -> None:
    """They have the same stream: nobody knows which answer the first one still shows."""

    async def story(shop: Shop) -> None:
        first, second = Page(shop.app, "phone"), Page(shop.app, "phone")
        _, _, path = await first.ask()
        await shop.counter.post("Started", "?phone")
        assert (await second.ask())[2] == path
        await first.listen(path)
        await first.told(1)

    play(story)


def test_a_stream_that_nobody_offered_is_not_found_and_the_next_answer_offers_one() -> None:
    """As after a restart: the ETag a page has names a stream that is gone, so it gets more than a 304."""

    async def story(before: Shop) -> None:
        _, etag, path = await Page(before.app, "phone").ask()
        async with shop() as after:
            page = Page(after.app, "phone")
            await page.listen(path)
            assert page.status == 404
            status, _, fresh = await page.ask(known=etag)
            assert (status, fresh != path) == (200, True)
            assert (await page.ask(known=(await page.ask())[1]))[0] == 304

    play(story)


def test_no_more_streams_are_open_than_may_be() -> None:
    """The next one is told to come again, and may once somebody has left."""

    async def story(shop: Shop) -> None:
        first, second = await shop.page("a"), Page(shop.app, "b")
        _, _, path = await second.ask()
        await second.listen(path)
        assert second.status == 503
        await first.leave()
        third = await shop.page("b")
        assert (third.status, shop.streams.n_open) == (200, 1)

    play(story, max_open=1)


def test_who_leaves_is_watched_no_more() -> None:
    """The way in costs nothing again."""

    async def story(shop: Shop) -> None:
        page = await shop.page("phone")
        await page.leave()
        assert (shop.streams.n_open, shop.counter.live.on_processed) == (0, None)

    play(story)


def test_a_silent_stream_has_a_heartbeat(monkeypatch: pytest.MonkeyPatch) -> None:
    """Proxies close what says nothing."""
    monkeypatch.setattr(sse, "HEARTBEAT_S", 0.01)

    async def story(shop: Shop) -> None:
        page = await shop.page("phone")
        await page.until(lambda: len(page.heard) >= 4)
        assert {text[:1] for text in page.heard[1:]} == {b":"}

    play(story)


def test_a_reader_who_takes_nothing_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many wait like that, nothing piles up for them."""
    monkeypatch.setattr(sse, "SLOW_S", 0.02)

    async def story(shop: Shop) -> None:
        page = await shop.page("phone")
        page.takes.clear()
        await shop.counter.post("Started", "?phone")
        await page.end()
        assert (shop.streams.n_open, shop.streams.n_slow) == (0, 1)

    play(story)


def test_streams_end_when_the_server_does() -> None:
    """Their readers are told at once, and come again to the next one."""

    async def story(shop: Shop) -> None:
        page = await shop.page("phone")
        shop.streams.close()
        await page.end()
        assert shop.streams.n_open == 0

    play(story)


def test_offers_are_bounded_and_the_oldest_go_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """By their number, and by what is said beside questions."""
    for bound, value in (("MAX_OFFERED", 3), ("MAX_OFFERED_BYTES", 500)):
        with monkeypatch.context() as patch:
            patch.setattr(streams_module, bound, value)

            async def story(shop: Shop) -> None:
                paths = [(await Page(shop.app, f"p{n}").ask())[2] for n in range(8)]
                statuses = []
                for path in paths:
                    page = Page(shop.app, "any")
                    await page.listen(path)
                    statuses.append(page.status)
                assert statuses == sorted(statuses, reverse=True)
                assert 1 <= statuses.count(200) <= 4

            play(story)
