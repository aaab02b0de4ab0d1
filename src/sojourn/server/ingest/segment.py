"""Segment: a body in the Segment Tracking API, or RudderStack's dialect of it, becomes events.

Pure: bytes and a Request in, a Batch out. A body that is as it should be is decoded once, whole, and what
nobody reads stays bytes (5 us an event). Where that fails, each event is decoded alone and gets its own
verdict; where even the JSON is broken, it is mended first, as far as it can be (mend.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import msgspec
from msgspec import Raw, Struct

from sojourn.model.errors import InputError
from sojourn.model.event import EMPTY, Event, FailedEvent, Kind
from sojourn.model.ports import Lookups
from sojourn.server.ingest.clock import read_instant
from sojourn.server.ingest.mend import mended
from sojourn.server.ingest.message import Frame, Message, Request, read_message
from sojourn.server.ingest.naming import Namer, read_message_id

MAX_BATCH_EVENTS = 10_000  # SDKs send 100; a body has room for more only where events are tiny.
MAX_FAILED_BYTES = 64 << 10  # of a failed event that are kept

KINDS: Mapping[str, Kind] = {
    "track": "track", "identify": "identify", "page": "page", "screen": "screen", "group": "group",
    "alias": "alias",
}  # fmt: skip


class Batch(Struct, frozen=True):
    """What one request came to."""

    events: list[Event]
    failed: list[FailedEvent]
    indexes: list[int]
    """Where in the request each failed event was."""


class Parcel(Struct, frozen=True, kw_only=True):
    """A request's body, opened: what it says of itself, and its messages, not yet judged."""

    kind: Kind | None
    """The kind that the path names; None for a batch."""
    write_key: str | None
    sent_at: Any
    """As it is on the wire."""
    context: Raw
    integrations: Raw
    messages: Sequence[Message | InputError]
    """An error is one that could not be decoded."""
    pieces: Pieces


class Pieces(Sequence[bytes]):
    """Each message's own bytes, cut out of the body only where somebody asks."""

    def __init__(self, body: bytes, kind: Kind | None) -> None:
        self._body = body
        self._kind = kind

    def __getitem__(self, index: Any) -> Any:
        return self._cut[index]

    def __len__(self) -> int:
        return len(self._cut)

    @cached_property
    def _cut(self) -> list[bytes]:
        return (
            [self._body]
            if self._kind
            else [bytes(raw) for raw in _raws.decode(_loose.decode(self._body).batch)]
        )


class _Envelope(Struct, gc=False):
    writeKey: Any = None  # noqa: N815, the wire's names
    sentAt: Any = None  # noqa: N815
    context: Raw = EMPTY
    integrations: Raw = EMPTY


class _Typed(_Envelope, kw_only=True, gc=False):
    batch: list[Message]


class _Loose(_Envelope, kw_only=True, gc=False):
    batch: Raw = EMPTY


_typed = msgspec.json.Decoder(_Typed)
_loose = msgspec.json.Decoder(_Loose)
_message = msgspec.json.Decoder(Message)
_raws = msgspec.json.Decoder(list[Raw])
_members = msgspec.json.Decoder(dict[str, Any])


def read_batch(
    body: bytes, request: Request, *, kind: Kind | None = None, lookups: Lookups | None = None
) -> Batch:
    """Read a whole request: `judge(open_parcel(body, kind), request)`."""
    return judge(open_parcel(body, kind), request, lookups=lookups)


def open_parcel(body: bytes, kind: Kind | None = None) -> Parcel:
    """Open a body: a batch, or with `kind` one bare message of that kind.

    Raises InputError where the request as a whole cannot be read: `bad-json`, `bad-batch`, `too-many-events`
    (413).
    """
    try:
        return _open(body, kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        body = mended(body)
    try:
        return _open(body, kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        message = (
            f"expected a JSON object in UTF-8: {error}" if body else "expected a JSON object, got no body"
        )
        raise InputError("bad-json", message) from None


def judge(parcel: Parcel, request: Request, *, lookups: Lookups | None = None) -> Batch:
    """Give each message of a parcel its verdict: an event, or a failed event with its reason and path."""
    batch = Batch([], [], [])
    namer = Namer(request, parcel.pieces, batch_sent_at=parcel.sent_at)
    frame = Frame(
        request=request,
        sent_at=request.sent_at if parcel.sent_at is None else read_instant(parcel.sent_at),
        context=parcel.context,
        integrations=parcel.integrations,
        lookups=lookups,
    )
    for index, message in enumerate(parcel.messages):
        try:
            if isinstance(message, InputError):
                raise message
            kind = parcel.kind or _kind(message.type)
            batch.events.append(read_message(message, kind, namer.name(message, index), frame))
        except InputError as error:
            batch.failed.append(_failed(error, parcel, request, index=index))
            batch.indexes.append(index)
    return batch


def _open(body: bytes, kind: Kind | None) -> Parcel:
    body.decode()  # msgspec reads no UTF-8 where it keeps bytes; 0.03 us an event.
    envelope: _Envelope
    messages: Sequence[Message | InputError]
    if kind is not None:
        envelope, messages = _loose.decode(body), [_decoded(body)]
    else:
        try:
            envelope = typed = _typed.decode(body)
            messages = typed.batch
        except msgspec.ValidationError:
            envelope = loose = _loose.decode(body)
            messages = _one_by_one(loose.batch)
    if len(messages) > MAX_BATCH_EVENTS:
        raise InputError(
            "too-many-events",
            f"expected at most {MAX_BATCH_EVENTS} events, got {len(messages)}; send smaller batches",
            path="batch",
            status=413,
        )
    return Parcel(
        kind=kind,
        write_key=envelope.writeKey if isinstance(envelope.writeKey, str) else None,
        sent_at=envelope.sentAt,
        context=envelope.context if kind is None else EMPTY,
        integrations=envelope.integrations if kind is None else EMPTY,
        messages=messages,
        pieces=Pieces(body, kind),
    )


def _one_by_one(batch: Raw) -> list[Message | InputError]:
    try:
        return [_decoded(raw) for raw in _raws.decode(batch)]
    except msgspec.ValidationError:
        raise InputError("bad-batch", "expected a list of events", path="batch") from None


def _decoded(piece: bytes | Raw) -> Message | InputError:
    """Decode one message, or say what is wrong with it: `bad-type`, and where."""
    try:
        return _message.decode(piece)
    except msgspec.ValidationError as error:
        reason, _, path = str(error).partition(" - at `$")
        return InputError("bad-type", reason, path=path.strip("`").removeprefix("."))


def _kind(name: str | None) -> Kind:
    kind = KINDS.get(name or "")
    if kind is None:
        raise InputError(
            "unknown-kind",
            f"expected one of {', '.join(KINDS)}, got {(name or 'nothing')[:50]!r}",
            path="type",
        )
    return kind


def _failed(error: InputError, parcel: Parcel, request: Request, *, index: int) -> FailedEvent:
    piece = parcel.pieces[index]
    place = error.path if parcel.kind else f"batch[{index}].{error.path}".rstrip(".")
    try:
        message_id = read_message_id(_members.decode(piece).get("messageId"))
    except (msgspec.DecodeError, TypeError, ValueError):
        message_id = None
    return FailedEvent(
        source=request.source,
        received_at=request.received_at,
        code=error.code,
        reason=error.reason,
        path=place,
        body=piece[:MAX_FAILED_BYTES],
        message_id=message_id,
        kind=parcel.kind,
    )
