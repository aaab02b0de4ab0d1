"""Server-sent events: one open stream, written as fast as its reader takes it, and never waited for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from typing import Any

from sojourn.server.http import Send
from sojourn.server.ingest.door import Receive

HEARTBEAT_S = 15.0  # proxies close what is silent for 30 to 60 s.
SLOW_S = 10.0  # a reader who takes nothing for so long is let go, and opens another.
LONGEST_S = 900.0  # then it opens another, and shows anew that it may read.

FULL = "as many streams are open as may be, or the server is stopping"
OPEN = b"retry: 1000\n: open\n\n"
HEARTBEAT = b": still here\n\n"
HEADERS = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # nginx would keep events until it has a page full
]


class Line:
    """Our end of a stream: woken where there is something to say."""

    def __init__(self, *, pause_s: float, look_s: float | None = None, is_endless: bool = False) -> None:
        """Take how long it rests after it said something: what comes meanwhile is said together.

        It looks every `look_s` (None: when it is time to say that it is still there), also where nobody woke
        it. It is closed after LONGEST_S, or never.
        """
        self.pause_s = pause_s
        self.look_s = look_s
        self.is_endless = is_endless
        self.is_closed = False
        self.is_slow = False
        """Its reader took nothing for too long."""
        self._woken = asyncio.Event()
        self._ended = asyncio.Event()

    def wake(self) -> None:
        """Have it look at what there is to say."""
        self._woken.set()

    def close(self) -> None:
        """End it."""
        self.is_closed = True
        self._woken.set()
        self._ended.set()

    async def talk(
        self,
        next_piece: Callable[[], bytes],
        receive: Receive,
        send: Send,
        *,
        headers: Iterable[tuple[bytes, bytes]] = (),
        begin: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """Answer a request with what `next_piece` returns each time it is woken, until either side ends.

        `headers` are sent beside our own; `begin` is awaited once the stream is open.
        """
        gone = asyncio.ensure_future(self._hear(receive))
        loop = asyncio.get_running_loop()
        longest = None if self.is_endless else loop.call_later(LONGEST_S, self.close)
        try:
            await send({"type": "http.response.start", "status": 200, "headers": [*HEADERS, *headers]})
            await _say(OPEN, send)
            if begin is not None:
                await begin()
            said_at = loop.time()
            while not self.is_closed:
                self._woken.clear()
                piece = next_piece()
                if not piece and loop.time() - said_at >= HEARTBEAT_S:
                    piece = HEARTBEAT
                if piece:
                    await _say(piece, send)
                    said_at = loop.time()
                look_s = HEARTBEAT_S if self.look_s is None else self.look_s
                await self._rest(self._ended if piece else self._woken, self.pause_s if piece else look_s)
            await send({"type": "http.response.body", "body": b""})
        except TimeoutError:
            self.is_slow = True  # the server closes what has no end
        finally:
            self.is_closed = True
            if longest is not None:
                longest.cancel()
            gone.cancel()

    async def _hear(self, receive: Receive) -> None:
        """Close it where its reader has gone."""
        message: Any = {}
        while message.get("type") != "http.disconnect":
            message = await receive()
        self.close()

    async def _rest(self, until: asyncio.Event, longest_s: float) -> None:
        """Wait for something, at most so long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(longest_s):
                await until.wait()


def sse(data: bytes, name: str = "") -> bytes:
    """Write one event; `data` is JSON, and so in one line."""
    head = f"event: {name}\n".encode() if name else b""
    return head + b"data: " + data + b"\n\n"


async def _say(text: bytes, send: Send) -> None:
    """Send a piece; raises TimeoutError where the reader takes nothing."""
    async with asyncio.timeout(SLOW_S):
        await send({"type": "http.response.body", "body": text, "more_body": True})
