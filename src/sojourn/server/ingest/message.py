"""Messages: one call of an SDK, as it is on the wire, becomes one event."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw, Struct

from sojourn.model.errors import InputError
from sojourn.model.event import Device, Event, Geo, Kind
from sojourn.model.ids import is_blocked_id
from sojourn.model.ports import Lookups
from sojourn.server.ingest.address import Address, read_address
from sojourn.server.ingest.clock import occurred_at, read_instant
from sojourn.server.ingest.context import Context, read_context
from sojourn.server.ingest.objects import NOTHING, read_object

MAX_ID_CHARS = 1000  # Longer than any key or e-mail address; an id becomes part of keys everywhere.
MAX_NAME_CHARS = 500  # An event's name becomes a step of a graph and a label; Segment's schema allows 255.

WireId = str | int | float | None
WireInstant = str | int | float | None


class Request(Struct, frozen=True, kw_only=True):
    """What the transport knows of a request: all that reading its body needs, and no more."""

    source: str
    received_at: int
    """Our wall clock, ms."""
    arrival: str
    """Sets this request apart from every other; names events that bring nothing to name them by."""
    is_import: bool = False
    sent_at: int | None = None
    """The header SentAt (RudderStack), ms."""
    anonymous_id: str | None = None
    """The header AnonymousId (RudderStack), decoded."""
    ip: str | None = None
    """The peer's address, by whatever proxies the operator trusts."""
    user_agent: str | None = None
    is_device: bool = False
    """True where the peer is the person's own device whatever the event says (a pixel, a beacon)."""
    keep_address: bool = False
    """True where the operator wants whole addresses kept."""


class Message(Struct, gc=False):
    """One message on the wire. Absent and null are the same; what is not listed is dropped."""

    type: str | None = None
    event: str | None = None
    name: WireId = None
    category: WireId = None
    messageId: WireId = None  # noqa: N815, the wire's names
    anonymousId: WireId = None  # noqa: N815
    userId: WireId = None  # noqa: N815
    previousId: WireId = None  # noqa: N815
    groupId: WireId = None  # noqa: N815
    timestamp: WireInstant = None
    originalTimestamp: WireInstant = None  # noqa: N815
    sentAt: Any = None  # noqa: N815
    properties: Raw = Raw()
    traits: Raw = Raw()
    context: Raw = Raw()
    integrations: Raw = Raw()


class Frame(Struct, frozen=True, kw_only=True):
    """What a message inherits from the request it came in."""

    request: Request
    sent_at: int | None
    context: Raw
    integrations: Raw
    lookups: Lookups | None


def read_message(message: Message, kind: Kind, message_id: str, frame: Frame) -> Event:
    """Make the event that a message is; raise InputError, with its path in the message, where it is none."""
    request = frame.request
    context = read_context(message.context or frame.context, keep_address=request.keep_address)
    anonymous_id, user_id, previous_id = _people(message, kind, request)
    properties, traits = _facts(message, kind, context)
    integrations, _ = read_object(message.integrations or frame.integrations, "integrations")
    timestamp = _timestamp(message)
    sent_at = frame.sent_at if message.sentAt is None else read_instant(message.sentAt)
    address, device, geo = _surroundings(context, request, frame.lookups)
    return Event(
        source=request.source,
        message_id=message_id,
        kind=kind,
        name=_name(message.event) if kind == "track" else "$" + kind,
        occurred_at=occurred_at(
            timestamp, sent_at=sent_at, received_at=request.received_at, is_import=request.is_import
        ),
        received_at=request.received_at,
        timestamp=timestamp,
        sent_at=sent_at,
        anonymous_id=anonymous_id,
        user_id=user_id,
        previous_id=previous_id,
        group_id=read_id(message.groupId, "groupId"),
        session_id=context.session_id,
        properties=properties,
        traits=traits,
        context=context.raw,
        integrations=integrations,
        ip=address,
        device=device,
        geo=geo,
    )


def read_text(value: WireId) -> str | None:
    """Return an id as text without its padding; None where there is none. 7.0 is `7`, as its author meant."""
    if value is None:
        return None
    if not isinstance(value, str):
        value = str(int(value)) if value == int(value) else repr(value)
    return value.strip() or None


def read_id(value: WireId, path: str) -> str | None:
    """Return an id as text; None where there is none. Raises InputError: `long-id`."""
    text = read_text(value)
    if text is not None and len(text) > MAX_ID_CHARS:
        raise InputError("long-id", f"expected at most {MAX_ID_CHARS} characters, got {len(text)}", path=path)
    return text


def _person(value: WireId, path: str) -> str | None:
    """Return an id that names one person; one that would name many is as good as none."""
    text = read_id(value, path)
    return None if text is None or is_blocked_id(text) else text


def _people(message: Message, kind: Kind, request: Request) -> tuple[str | None, str | None, str | None]:
    """Return (anonymous id, user id, previous id); raise `missing-id` where they name nobody."""
    anonymous_id = _person(message.anonymousId, "anonymousId")
    user_id = _person(message.userId, "userId")
    if kind == "alias":
        previous_id = _person(message.previousId, "previousId") or anonymous_id
        if user_id is None or previous_id is None:
            raise InputError(
                "missing-id",
                "an alias needs a userId and a previousId that each name one person",
                path="userId",
            )
        return anonymous_id, user_id, previous_id
    if anonymous_id is None and user_id is None:
        anonymous_id = _person(request.anonymous_id, "anonymousId")
        if anonymous_id is None:
            raise InputError(
                "missing-id",
                'expected an anonymousId or a userId that names one person, not "", "null", "0" or the like',
                path="userId",
            )
    return anonymous_id, user_id, None


def _name(event: str | None) -> str:
    if event is None or not event.strip():
        raise InputError("missing-name", "a track needs the name of its event", path="event")
    if len(event) > MAX_NAME_CHARS:
        raise InputError(
            "long-name", f"expected at most {MAX_NAME_CHARS} characters, got {len(event)}", path="event"
        )
    return event


def _facts(message: Message, kind: Kind, context: Context) -> tuple[Raw, Raw]:
    """Return (properties, traits).

    A page's or screen's name and category go into its properties, where Segment's own destinations look for
    them. RudderStack's SDKs put the traits of an identify into its context.
    """
    properties, seen = read_object(message.properties, "properties")
    if kind in ("page", "screen") and (message.name is not None or message.category is not None):
        properties = _with_members(properties, seen, {"name": message.name, "category": message.category})
    traits, given = read_object(message.traits, "traits")
    if kind == "identify" and given is NOTHING:
        traits = context.traits
    return properties, traits


def _with_members(properties: Raw, seen: dict[str, Any], members: dict[str, WireId]) -> Raw:
    new = {key: value for key, value in members.items() if value is not None and key not in seen}
    if not new:
        return properties
    head, rest = msgspec.json.encode(new), bytes(properties)[1:]
    return Raw(head[:-1] + (b"}" if rest.strip() == b"}" else b"," + rest))


def _timestamp(message: Message) -> int | None:
    path = "timestamp" if message.originalTimestamp is None else "originalTimestamp"
    value = message.timestamp if message.originalTimestamp is None else message.originalTimestamp
    if value is None or value == "":
        return None
    instant = read_instant(value)
    if instant is None:
        raise InputError(
            "bad-timestamp",
            f"expected ISO 8601 or an epoch number, got {str(value)[:50]!r}",
            path=path,
        )
    return instant


def _surroundings(
    context: Context, request: Request, lookups: Lookups | None
) -> tuple[str | None, Device | None, Geo | None]:
    """Return (address as kept, device, place).

    What the request itself shows counts only where the person's own device made it, and where the SDK is
    silent.
    """
    is_device = context.is_device or request.is_device
    address: Address | None = context.address
    if is_device and not context.names_address and request.ip is not None:
        address = read_address(request.ip)
    kept = None if address is None else address.full if request.keep_address else address.truncated
    if lookups is None:
        return kept, None, None
    user_agent = context.user_agent or (request.user_agent if is_device else None)
    device = None if user_agent is None else lookups.device(user_agent)
    return kept, device, None if address is None else lookups.geo(address.full)
