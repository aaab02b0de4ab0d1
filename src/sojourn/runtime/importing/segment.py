"""Segment rows: a line of JSON that is already shaped as SDKs and exports write events."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw, Struct

from sojourn.model.errors import InputError
from sojourn.model.event import EMPTY, Event
from sojourn.runtime.importing.judging import MAX_DEPTH, Fields, Origin, build_event, check_depth, show


class Line(Struct, kw_only=True):
    """The fields of a line, in Segment's spelling and in the snake case of warehouses."""

    type: Any = None
    event: Any = None
    name: Any = None
    category: Any = None
    userId: Any = None  # noqa: N815
    user_id: Any = None
    anonymousId: Any = None  # noqa: N815
    anonymous_id: Any = None
    messageId: Any = None  # noqa: N815
    message_id: Any = None
    timestamp: Any = None
    originalTimestamp: Any = None  # noqa: N815
    original_timestamp: Any = None
    sentAt: Any = None  # noqa: N815
    sent_at: Any = None
    previousId: Any = None  # noqa: N815
    previous_id: Any = None
    groupId: Any = None  # noqa: N815
    group_id: Any = None
    sessionId: Any = None  # noqa: N815
    session_id: Any = None
    properties: Raw = EMPTY
    traits: Raw = EMPTY
    context: Raw = EMPTY


_decode = msgspec.json.Decoder(Line).decode


def segment_event(line: bytes, number: int, *, origin: Origin) -> Event:
    """Map one line of JSON.

    Raises:
        InputError: The line is no JSON object, or no event.
    """
    try:
        text = line.decode()
        read = _decode(line)
    except (UnicodeDecodeError, msgspec.DecodeError, RecursionError) as error:
        raise InputError("bad-json", f"expected one JSON object, got {error}") from None
    fields = Fields(
        type=read.type,
        event=read.event,
        user_id=_either(read.userId, read.user_id),
        anonymous_id=_either(read.anonymousId, read.anonymous_id),
        message_id=_either(read.messageId, read.message_id),
        timestamp=read.timestamp,
        original_timestamp=_either(read.originalTimestamp, read.original_timestamp),
        sent_at=_either(read.sentAt, read.sent_at),
        previous_id=_either(read.previousId, read.previous_id),
        group_id=_either(read.groupId, read.group_id),
        session_id=_either(read.sessionId, read.session_id),
        properties=_object(read.properties, "properties"),
        traits=_object(read.traits, "traits"),
        context=_object(read.context, "context"),
    )
    if read.type in ("page", "screen") and (read.name or read.category):
        fields.properties = _with_page(fields.properties, read)
    return build_event(fields, number, (text,), origin=origin)


def _either(camel: Any, snake: Any) -> Any:
    return snake if camel is None or camel == "" else camel


def _object(raw: Raw, path: str) -> Raw:
    if raw is EMPTY:
        return raw
    try:
        # Only the syntax of a Raw was checked, and whoever reads it later must not fail.
        value = msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError) as error:
        raise InputError("bad-value", f"{error}; write it as text", path=path) from None
    if value is None:
        return EMPTY
    if not isinstance(value, dict):
        raise InputError("bad-value", f"expected a JSON object, got {show(value)}", path=path)
    text = bytes(raw)
    if text.count(b"{") + text.count(b"[") > MAX_DEPTH:
        check_depth(value, path)
    return raw


def _with_page(properties: Raw, line: Line) -> Raw:
    """A page's name stands beside its properties; a journey asks for it among them."""
    names = {"name": line.name, "category": line.category}
    given = {name: value for name, value in names.items() if value}
    return Raw(msgspec.json.encode(given | msgspec.json.decode(properties, type=dict[str, Raw])))
