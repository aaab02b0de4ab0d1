"""The door: one request at a time is read, judged, made durable, and only then answered with 200."""

from __future__ import annotations

import asyncio
import binascii
import time
from base64 import b64decode
from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from itertools import count
from typing import Any, Protocol
from urllib.parse import parse_qsl

from msgspec import Struct

from sojourn.model.errors import InputError, UnavailableError
from sojourn.model.event import Event, FailedEvent, Kind
from sojourn.model.ports import Appended, Lookups
from sojourn.server.ingest.address import peer_address
from sojourn.server.ingest.answers import PIXEL, SUCCESS, Answer, accepted, document
from sojourn.server.ingest.body import MAX_BODY_BYTES, too_large, unpack
from sojourn.server.ingest.clock import read_instant
from sojourn.server.ingest.keys import named_keys
from sojourn.server.ingest.message import Request
from sojourn.server.ingest.pixel import pixel_body
from sojourn.server.ingest.segment import Batch, judge, open_parcel
from sojourn.server.ingest.settings import segment_settings, source_config

MAX_READING_S = 30  # A mobile client on a bad line sends 500 KB in that time; who needs longer sends again.
MAX_BYTES_IN_FLIGHT = 128 << 20  # of unpacked bodies that are not yet answered
MAX_QUERY_FIELDS = 200

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]


class Accept(Protocol):
    """What makes events durable, given by the wiring."""

    async def __call__(self, events: Sequence[Event], failed: Sequence[FailedEvent]) -> Appended:
        """Return once they are durable; raise UnavailableError where they are not."""
        ...


class Observe(Protocol):
    """What counts, given by the wiring.

    Names: `requests.<status>`, `bytes`, `events`, `duplicates`, `failed.<code>`.
    """

    def __call__(self, name: str, n: int) -> None:
        """Add `n` to the counter of that name."""
        ...


class Heard(Protocol):
    """Whoever wants to know who sends, given by the wiring."""

    def __call__(
        self, events: Sequence[Event], failed: Sequence[FailedEvent], appended: Appended, user_agent: str
    ) -> None:
        """Hear what became of a request, all of one source."""
        ...


class Refused(Protocol):
    """Whoever wants to know of requests that are refused whole, given by the wiring."""

    def __call__(self, error: InputError, *, source: str, user_agent: str, at: int) -> None:
        """Hear why, of which source (empty: of none that is known), and when."""
        ...


class Call(Struct, frozen=True, kw_only=True):
    """One HTTP request, its body not yet read."""

    headers: Mapping[bytes, bytes]
    query: Mapping[str, str]
    receive: Receive
    peer: str | None
    scheme: str
    kind: Kind | None = None
    """The kind that the path names; None for a batch."""
    is_import: bool = False
    is_device: bool = False
    """True where the path is one that only a person's own device asks."""


class Disconnected(Exception):  # noqa: N818, it is no error of anyone's
    """Whoever asked has gone: there is nobody to answer."""


class Door:
    """Answers the routes of the Segment and RudderStack dialects.

    `sources` maps write keys to names of sources and may change while it runs. `lookups` are asked about each
    event's device and place. `n_proxies` is how many proxies of the operator's own stand before this server.
    """

    def __init__(
        self,
        sources: Mapping[str, str],
        accept: Accept,
        *,
        lookups: Lookups | None = None,
        observe: Observe | None = None,
        heard: Heard | None = None,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        n_proxies: int = 0,
        keep_address: bool = False,
    ) -> None:
        self._sources = sources
        self._accept = accept
        self._lookups = lookups
        self._observe = observe or _ignore
        self._heard = heard
        self.on_refused: Refused | None = None
        """Set by whoever wants to hear of requests that are refused whole."""
        self._now_ms = now_ms
        self._n_proxies = n_proxies
        self._keep_address = keep_address
        self._bytes_in_flight = 0
        # Sets apart what came without id and time; two processes differ by when they began.
        self._arrivals = (f"{time.time_ns()}-{n}" for n in count())

    async def post(self, call: Call) -> Answer:
        """Take a batch, or the one bare message of a path that names its kind."""
        with self._telling(call):
            return await self._post(call)

    async def _post(self, call: Call) -> Answer:
        source = self._named_source(call)
        body = unpack(await self._read(call), call.headers.get(b"content-encoding", b"").decode("latin-1"))
        self._bytes_in_flight += len(body)
        try:
            return accepted(await self._take(call, body, source))
        finally:
            self._bytes_in_flight -= len(body)

    async def pixel(self, call: Call) -> Answer:
        """Take the message in a pixel's query, and answer with an image."""
        with self._telling(call):
            # Who asks, before anything they send is looked at.
            source = self._named_source(call)
            await self._take(call, pixel_body(call.query), source)
        return PIXEL

    async def swallow(self, call: Call) -> Answer:
        """Take an SDK's reports about itself, and forget them."""
        await self._read(call)
        return SUCCESS

    def settings(self, call: Call, write_key: str) -> Answer:
        """Tell analytics-next where to send."""
        if write_key not in self._sources:
            raise _unknown_key()
        host = call.headers.get(b"host", b"localhost").decode("latin-1")
        return document(segment_settings(write_key, host=host, scheme=call.scheme))

    def source_config(self, call: Call) -> Answer:
        """Tell a RudderStack SDK that its source exists."""
        for key in named_keys(call.headers, call.query):
            if key in self._sources:
                return document(source_config(key, self._sources[key]))
        raise _unknown_key()

    @contextmanager
    def _telling(self, call: Call) -> Iterator[None]:
        """Tell of a request that is refused whole."""
        try:
            yield
        except InputError as error:
            if self.on_refused is not None:
                known = (self._sources.get(key) for key in named_keys(call.headers, call.query))
                agent = call.headers.get(b"user-agent", b"").decode("latin-1")
                source = next(filter(None, known), "")
                self.on_refused(error, source=source, user_agent=agent, at=self._now_ms())
            raise

    def _named_source(self, call: Call) -> str | None:
        """Return the source of the first known key outside the body; None where none is named at all."""
        keys = list(named_keys(call.headers, call.query))
        for key in keys:
            if key in self._sources:
                return self._sources[key]
        if keys:
            raise _unknown_key()
        return None

    async def _read(self, call: Call) -> bytes:
        """Read the body, counting."""
        if self._bytes_in_flight > MAX_BYTES_IN_FLIGHT:
            raise UnavailableError("too many requests are under way; send it again")
        try:
            async with asyncio.timeout(MAX_READING_S):
                body = await _read(call.receive, call.headers.get(b"content-length", b""))
        except TimeoutError:
            raise InputError(
                "slow-body", f"expected the body within {MAX_READING_S} s; send it again", status=408
            ) from None
        self._observe("bytes", len(body))
        return body

    async def _take(self, call: Call, body: bytes, source: str | None) -> Batch:
        """Judge a body and make what it holds durable."""
        parcel = open_parcel(body, call.kind)
        if source is None:
            source = self._sources.get(parcel.write_key or "")
        if source is None:
            raise _unknown_key()
        batch = judge(parcel, self._request(call, source), lookups=self._lookups)
        if batch.events or batch.failed:
            appended = await self._accept(batch.events, batch.failed)
            self._count(batch, appended)
            if self._heard is not None:
                agent = call.headers.get(b"user-agent", b"").decode("latin-1")
                self._heard(batch.events, batch.failed, appended, agent)
        return batch

    def _request(self, call: Call, source: str) -> Request:
        headers = call.headers
        sent_at = headers.get(b"sentat")
        return Request(
            source=source,
            received_at=self._now_ms(),
            arrival=next(self._arrivals),
            is_import=call.is_import,
            sent_at=read_instant(sent_at.decode("latin-1")) if sent_at else None,
            anonymous_id=_header_id(headers.get(b"anonymousid")),
            ip=peer_address(headers, call.peer, n_proxies=self._n_proxies),
            user_agent=headers.get(b"user-agent", b"").decode("latin-1") or None,
            is_device=call.is_device,
            keep_address=self._keep_address,
        )

    def _count(self, batch: Batch, appended: Appended) -> None:
        self._observe("events", len(batch.events))
        if appended.duplicates:
            self._observe("duplicates", len(appended.duplicates))
        for failed in batch.failed:
            self._observe(f"failed.{failed.code}", 1)


def read_query(query: bytes) -> dict[str, str]:
    """Read a query string; the first of equal names counts. Raises InputError: `bad-query`."""
    if not query:
        return {}
    try:
        pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True, max_num_fields=MAX_QUERY_FIELDS)
    except ValueError as error:
        raise InputError("bad-query", f"expected at most {MAX_QUERY_FIELDS} fields: {error}") from None
    return dict(reversed(pairs))


async def _read(receive: Receive, announced: bytes) -> bytes:
    if announced.isdigit() and int(announced[:20]) > MAX_BODY_BYTES:
        raise too_large()
    parts: list[bytes] = []
    n_bytes = 0
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        part = message.get("body", b"")
        n_bytes += len(part)
        if n_bytes > MAX_BODY_BYTES:
            raise too_large()
        parts.append(part)
        more = message.get("more_body", False)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _header_id(value: bytes | None) -> str | None:
    """Decode the header AnonymousId: base64 of an id."""
    if not value:
        return None
    try:
        return b64decode(value, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None


def _unknown_key() -> InputError:
    return InputError(
        "unknown-key",
        "expected a known write key: as Basic user name, X-Write-Key, ?writeKey= or writeKey in the body",
        status=401,
    )


def _ignore(name: str, n: int) -> None:
    """Count nothing."""
