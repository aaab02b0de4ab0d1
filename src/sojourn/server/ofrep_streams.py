"""OFREP, streams: server-sent events that say when what a person is told has changed.

A bulk answer names a stream by a token that means nothing outside this process and opens nothing but the
stream: whoever reads it in a log learns when something changes, and not what, or of whom. Answers are
compared when the person's state was written, so nobody is told of a change that changes nothing for them.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable
from hashlib import blake2b
from typing import Protocol

import msgspec
import structlog

from sojourn.engine.decisions import Decision
from sojourn.model.errors import UnavailableError
from sojourn.server.http import Send
from sojourn.server.ingest.door import Receive
from sojourn.server.ofrep_reading import Asked, Caller
from sojourn.server.ofrep_writing import cross_origin, etag_of_flags, event
from sojourn.server.sse import Line

TOKEN_BYTES = 16  # 128 bits: nobody guesses one.
MAX_OFFERED = 50_000  # streams that may still be opened; the oldest offers are forgotten first.
MAX_OFFERED_BYTES = 32 << 20  # of what is said beside those questions, as it came.

log = structlog.get_logger("sojourn")


class Watched(Protocol):
    """What tells of changes, given by the wiring; on the event loop."""

    async def answers(self, watch: object) -> list[Decision]:
        """Return what is told of a watch's person now; from then on it hears of changes."""

    def watch(self, asked: Asked, on_change: Callable[[], None]) -> object:
        """Return a watch that hears of nothing yet."""

    def unwatch(self, watch: object) -> None:
        """Let a watch hear no more."""


class Offer:
    """A stream that a bulk answer named."""

    __slots__ = ("asked", "caller", "etag", "has_changed", "n_bytes", "question", "token")

    def __init__(self, token: str, question: bytes, asked: Asked, caller: Caller, *, n_bytes: int) -> None:
        self.token = token
        self.question = question
        self.asked = asked
        self.caller = caller
        self.n_bytes = n_bytes
        self.etag = ""
        """Of the last answer to the question."""
        self.has_changed = False
        """There were several answers: nobody knows which one somebody has who opens the stream."""

    def answered(self, etag: str) -> None:
        """Take note of an answer."""
        self.has_changed |= self.etag not in ("", etag)
        self.etag = etag


class _Stream:
    """One stream that is open."""

    def __init__(self, offer: Offer) -> None:
        self.offer = offer
        self.told = "" if offer.has_changed else offer.etag
        self.pending = ""
        """The ETag to tell next: a later one takes the place of an earlier one, so nothing queues."""
        self.line = Line(pause_s=0, is_endless=True)
        self.watch: object = None


class Streams:
    """The streams that are offered and those that are open, at most `max_open`."""

    def __init__(self, watched: Watched, may_see: Callable[[Caller, str], bool], *, max_open: int) -> None:
        self._watched = watched
        self._may_see = may_see
        self._max_open = max_open
        self._offered: dict[bytes, Offer] = {}
        """By a digest of the question, the oldest first."""
        self._by_token: dict[str, Offer] = {}
        self._n_bytes = 0
        self._open: set[_Stream] = set()
        self._changed: dict[_Stream, None] = {}
        self._has_changed = asyncio.Event()
        self._is_closing = False
        self.n_told = 0
        self.n_slow = 0

    @property
    def n_open(self) -> int:
        """How many streams are open."""
        return len(self._open)

    @property
    def are_served(self) -> bool:
        """Whether any may be open."""
        return self._max_open > 0

    def offer(self, asked: Asked, caller: Caller) -> Offer:
        """Name a stream for a question; the same question has the same one."""
        question = msgspec.json.encode((caller.name, asked))  # as it came: MessagePack has no large numbers
        name = blake2b(question, digest_size=TOKEN_BYTES).digest()
        offer = self._offered.get(name)
        if offer is None:
            offer = Offer(secrets.token_urlsafe(TOKEN_BYTES), name, asked, caller, n_bytes=len(question))
            self._make_room(offer.n_bytes)
            self._offered[name] = self._by_token[offer.token] = offer
            self._n_bytes += offer.n_bytes
        return offer

    def _make_room(self, n_bytes: int) -> None:
        while self._offered and (
            len(self._offered) >= MAX_OFFERED or self._n_bytes + n_bytes > MAX_OFFERED_BYTES
        ):
            oldest = self._offered.pop(next(iter(self._offered)))
            del self._by_token[oldest.token]
            self._n_bytes -= oldest.n_bytes

    async def run(self) -> None:
        """Compare answers of whoever may be told something else now, until `close`."""
        while not self._is_closing:
            await self._has_changed.wait()
            self._has_changed.clear()
            while self._changed:
                stream = next(iter(self._changed))
                del self._changed[stream]
                try:
                    await self._compare(stream)
                except Exception as error:  # one stream's: the others are to go on
                    log.error("a stream failed, by a bug of ours", exc_info=error)
                await asyncio.sleep(0)  # many may have changed at once, and others wait for the loop

    def close(self) -> None:
        """End all streams, and offer no more."""
        self._is_closing = True
        self._has_changed.set()
        for stream in self._open:
            stream.line.close()

    async def serve(self, token: str, origin: bytes | None, receive: Receive, send: Send) -> int:
        """Answer one who opens a stream, until either side ends it; return the status."""
        offer = self._by_token.get(token)
        if offer is None or self._is_closing or len(self._open) >= self._max_open:
            status = 404 if offer is None else 503
            headers = [(b"content-length", b"0"), (b"retry-after", b"5"), *cross_origin(origin)]
            await send({"type": "http.response.start", "status": status, "headers": headers})
            await send({"type": "http.response.body", "body": b""})
            return status
        stream = _Stream(offer)
        self._open.add(stream)
        try:
            await stream.line.talk(
                lambda: self._next_piece(stream),
                receive,
                send,
                headers=cross_origin(origin),
                begin=lambda: self._begin(stream),
            )
        finally:
            self.n_slow += stream.line.is_slow
            self._open.discard(stream)
            self._changed.pop(stream, None)
            if stream.watch is not None:
                self._watched.unwatch(stream.watch)
        return 200

    async def _begin(self, stream: _Stream) -> None:
        """Watch, and compare: something may have changed since the answer that named the stream."""
        stream.watch = self._watched.watch(stream.offer.asked, lambda: self._note(stream))
        await self._compare(stream)

    def _next_piece(self, stream: _Stream) -> bytes:
        """Write what waits."""
        etag, stream.pending = stream.pending, ""
        if not etag:
            return b""
        self.n_told += 1
        return event(etag, now_s=int(time.time()))

    def _note(self, stream: _Stream) -> None:
        self._changed[stream] = None
        self._has_changed.set()

    async def _compare(self, stream: _Stream) -> None:
        """Have a stream say that answers are others than those told last, where they are."""
        offer = stream.offer
        try:
            decisions = await self._watched.answers(stream.watch)
        except UnavailableError:  # the store is busy: say so rather than nothing
            etag = secrets.token_hex(8)
        else:
            seen = [each for each in decisions if self._may_see(offer.caller, each.key)]
            etag = etag_of_flags(seen, offer.token)
        if stream.line.is_closed:
            self._watched.unwatch(stream.watch)
        elif etag != stream.told:
            stream.told = stream.pending = etag
            stream.line.wake()
