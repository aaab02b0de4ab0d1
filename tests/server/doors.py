"""Makers for the tests of the door: a door with a log in memory, and a caller without a network."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from sojourn.adapters.memory import MemoryLog
from sojourn.model.event import Event, FailedEvent
from sojourn.model.ports import Appended, Log, Lookups
from sojourn.server.http import App, Http
from sojourn.server.ingest.door import Door, Receive
from sojourn.server.ingest.message import Request
from sojourn.server.ingest.segment import Batch, read_batch

KEY = "web-key"
RECEIVED_AT = 1_793_700_674_000  # 2026-11-03T10:11:14Z


class Kept:
    """Keeps what a door accepts in a log, as the wiring does; raises `error` instead, where it is set."""

    def __init__(self, log: Log | None = None) -> None:
        self.log: Log = MemoryLog() if log is None else log
        self.n_calls = 0
        self.error: Exception | None = None

    async def __call__(self, events: Sequence[Event], failed: Sequence[FailedEvent]) -> Appended:
        """Append, off the event loop: a log waits for its disk."""
        if self.error is not None:
            raise self.error
        self.n_calls += 1
        return await asyncio.to_thread(self.log.append, events, now=RECEIVED_AT, failed=failed)

    @property
    def events(self) -> list[Event]:
        """The events kept, in order."""
        return [entry.event for entry in self.log.read(0, 10_000)]

    @property
    def failed(self) -> list[FailedEvent]:
        """The failed events kept, newest first."""
        return self.log.failed()


class Answered(Struct):
    """A response as a client sees it."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, decoded."""
        return json.loads(self.body)


class Unanswered(Exception):  # noqa: N818, it may be as it should be
    """The application sent nothing."""


def request(**changes: Any) -> Request:
    """Make what the transport knows of a request."""
    known: dict[str, Any] = {"source": "web", "received_at": RECEIVED_AT, "arrival": "1"}
    return Request(**{**known, **changes})


def track(**changes: Any) -> dict[str, Any]:
    """Make a message of the simplest kind."""
    return {"type": "track", "event": "Cart Viewed", "messageId": "m1", "anonymousId": "a1", **changes}


def judged(*messages: Any, lookups: Lookups | None = None, **changes: Any) -> Batch:
    """Judge messages as one batch."""
    return read_batch(json.dumps({"batch": messages}).encode(), request(**changes), lookups=lookups)


def event(message: Any, *, lookups: Lookups | None = None, **changes: Any) -> Event:
    """Read one message that has to be an event."""
    batch = judged(message, lookups=lookups, **changes)
    assert batch.failed == []
    return batch.events[0]


def http(log: Kept, **options: Any) -> Http:
    """Make the application over a log in memory, with one source."""
    return Http(Door({KEY: "web"}, log, now_ms=lambda: RECEIVED_AT, **options))


def call(
    app: App,
    method: str,
    path: str,
    body: bytes = b"",
    *,
    headers: dict[str, str] | None = None,
    query: str = "",
    chunk_bytes: int = 1 << 20,
    receive: Receive | None = None,
) -> Answered:
    """Make one request of an ASGI application, in process; `receive` takes the place of a body."""
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": query.encode("latin-1", "replace"),
        "headers": [
            (name.encode(), value.encode("latin-1", "replace")) for name, value in (headers or {}).items()
        ],
        "client": ("198.51.100.77", 5000),
        "scheme": "http",
    }
    return asyncio.run(_call(app, scope, receive or _chunks(body, chunk_bytes)))


def post(app: App, path: str, content: Any, **headers: str) -> Answered:
    """Post JSON with the write key in X-Write-Key."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return call(app, "POST", path, body, headers={"x-write-key": KEY, **headers})


def _chunks(body: bytes, chunk_bytes: int) -> Receive:
    chunks = [body[start : start + chunk_bytes] for start in range(0, len(body), chunk_bytes)] or [b""]

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": chunks.pop(0), "more_body": bool(chunks)}

    return receive


async def _call(app: App, scope: dict[str, Any], receive: Receive) -> Answered:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    if not sent:
        raise Unanswered
    start, end = sent
    told = {name.decode(): value.decode("latin-1") for name, value in start["headers"]}
    return Answered(start["status"], told, end["body"])
