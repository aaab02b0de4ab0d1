"""Judging: what one row says becomes an event, or is refused with the field and the reason."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, tzinfo
from decimal import Decimal
from math import isnan
from typing import Any, cast, get_args
from uuid import UUID

from msgspec import Raw, Struct

from sojourn.model.errors import InputError
from sojourn.model.event import EMPTY, Event, Kind
from sojourn.model.ids import derive, is_blocked_id
from sojourn.runtime.importing.instants import parse_instant

KINDS: frozenset[str] = frozenset(get_args(Kind))

MESSAGE_ID_CHARS = 100  # Segment's bound; a longer id is hashed, never cut.
ID_CHARS = 1000  # These and the depth are the door's own bounds: what is imported could have come live.
NAME_CHARS = 500
MAX_DEPTH = 64

# The log's clock never goes back, so one row from the year 9999 would stop time.
# Machines' clocks differ by less.
AHEAD_MS = 300_000


def as_it_is(event: Event) -> Event:
    """Add nothing."""
    return event


class Origin(Struct, frozen=True, kw_only=True):
    """What all rows of one import share."""

    source: str
    now_ms: int
    """The door's wall clock at the start."""
    zone: tzinfo = UTC
    """Where times without a zone were written."""
    dress: Callable[[Event], Event] = as_it_is
    """What the door adds to an event (a device, a place) and takes away (half an address).

    It may raise InputError."""


class Fields(Struct, kw_only=True):
    """One row's fields, sorted by name, not yet judged."""

    type: Any = None
    event: Any = None
    name: Any = None
    user_id: Any = None
    anonymous_id: Any = None
    timestamp: Any = None
    original_timestamp: Any = None
    sent_at: Any = None
    message_id: Any = None
    previous_id: Any = None
    group_id: Any = None
    session_id: Any = None
    properties: Raw = EMPTY
    traits: Raw = EMPTY
    context: Raw = EMPTY


def build_event(fields: Fields, number: int, content: Sequence[str], *, origin: Origin) -> Event:
    """Judge a row's fields and make them an event.

    Its id is its own message id, or else derived from source, row number and content: so a second import of
    the file names every row as the first did, and two rows that look the same stay two.

    Raises:
        InputError: The row is no event; `path` names the field.
    """
    kind = _kind(fields)
    anonymous_id, user_id, previous_id = _people(fields, kind)
    timestamp = fields.timestamp if fields.timestamp is not None else fields.original_timestamp
    happened_at = _timestamp(timestamp, origin)
    event = Event(
        source=origin.source,
        message_id=_message_id(fields.message_id) or derive(origin.source, str(number), *content),
        kind=kind,
        name=_track_name(fields.event) if kind == "track" else f"${kind}",
        occurred_at=happened_at,
        received_at=origin.now_ms,
        timestamp=happened_at,
        sent_at=None if fields.sent_at is None else _instant(fields.sent_at, origin, "sentAt"),
        anonymous_id=anonymous_id,
        user_id=user_id,
        previous_id=previous_id,
        group_id=_id(fields.group_id, "groupId"),
        session_id=_id(fields.session_id, "sessionId"),
        properties=fields.properties,
        traits=fields.traits,
        context=fields.context,
    )
    return origin.dress(event)


def check_depth(value: Any, path: str) -> None:
    """Refuse a value that nests deeper than `MAX_DEPTH`: whoever reads it later may have less stack."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [child for each in level if isinstance(each, dict | list) for child in _children(each)]
        if not level:
            return
    raise InputError("too-deep", f"expected at most {MAX_DEPTH} levels of nesting", path=path)


def _children(value: dict[str, Any] | list[Any]) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value


def _people(fields: Fields, kind: Kind) -> tuple[str | None, str | None, str | None]:
    """Return (anonymous id, user id, previous id), each of which names one person."""
    anonymous_id = _person(fields.anonymous_id, "anonymousId")
    user_id = _person(fields.user_id, "userId")
    if kind == "alias":
        previous_id = _person(fields.previous_id, "previousId") or anonymous_id
        if user_id is None or previous_id is None:
            raise InputError("missing-id", "an alias needs a userId and a previousId", path="userId")
        return anonymous_id, user_id, previous_id
    if user_id is None and anonymous_id is None:
        reason = 'expected a userId or an anonymousId that names one person, not "", "null" or the like'
        raise InputError("missing-id", reason, path="userId")
    return anonymous_id, user_id, None


def _person(value: Any, path: str) -> str | None:
    text = _id(value, path)
    return None if text is None or is_blocked_id(text) else text


def _kind(fields: Fields) -> Kind:
    kind = fields.type or ("track" if fields.event else None)
    if not isinstance(kind, str) or kind not in KINDS:
        expected = ", ".join(sorted(KINDS))
        raise InputError("bad-type", f"expected one of {expected}, got {show(kind)}", path="type")
    return cast(Kind, kind)


def _id(value: Any, path: str) -> str | None:
    """An id as text: SDKs write null, "" and numbers too, and tables turn whole numbers into 12.0."""
    if isinstance(value, str):
        text = value.strip()
    elif value is None:
        return None
    elif isinstance(value, UUID):
        text = str(value)
    elif isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        text = "" if isnan(value) else str(int(value)) if value % 1 == 0 else str(value)
    else:
        raise InputError("bad-id", f"expected text, got {show(value)}", path=path)
    if len(text) > ID_CHARS:
        raise InputError("bad-id", f"expected at most {ID_CHARS} characters, got {len(text)}", path=path)
    return text or None


def _message_id(value: Any) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, bool | dict | list):
        raise InputError("bad-id", f"expected text, got {show(value)}", path="messageId")
    text = value if isinstance(value, str) else str(value)
    return text if len(text) <= MESSAGE_ID_CHARS else derive("message id", text)


def _track_name(value: Any) -> str:
    if value is None or value == "":
        raise InputError("missing-event", "expected the event's name, got nothing", path="event")
    if isinstance(value, bool | dict | list):
        raise InputError("bad-event", f"expected text, got {show(value)}", path="event")
    text = value if isinstance(value, str) else str(value)
    if len(text) > NAME_CHARS:
        reason = f"expected at most {NAME_CHARS} characters, got {len(text)}"
        raise InputError("bad-event", reason, path="event")
    return text


def _timestamp(value: Any, origin: Origin) -> int:
    if value is None or value == "":
        raise InputError("missing-timestamp", "expected when it happened, got nothing", path="timestamp")
    at = _instant(value, origin, "timestamp")
    if at > origin.now_ms + AHEAD_MS:
        reason = f"{show(value)} is ahead of this machine's clock"
        raise InputError("future-timestamp", reason, path="timestamp")
    if at < 0:
        raise InputError("bad-timestamp", f"{show(value)} is before 1970", path="timestamp")
    return at


def _instant(value: Any, origin: Origin, path: str) -> int:
    try:
        return parse_instant(value, origin.zone)
    except ValueError as error:
        raise InputError("bad-timestamp", str(error), path=path) from None


def show(value: Any) -> str:
    return "nothing" if value is None else repr(value)[:60]
