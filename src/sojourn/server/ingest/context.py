"""Context: the few things the door reads in an event's `context`, remembered by its bytes.

A server's context is the same in every event, and a browser's in every event of a page: reading is mostly
remembering.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import Raw, Struct

from sojourn.model.event import EMPTY
from sojourn.server.ingest.address import Address, read_address
from sojourn.server.ingest.objects import read_object

MAX_REMEMBERED_BYTES = 2048  # A browser's context is 500 to 1,500 bytes.
MAX_SESSION_ID_CHARS = 100  # A UUID has 36.
MAX_REMEMBERED = 4096  # contexts: 8 MB of keys at most

# Libraries that run in the person's own hands: whoever connects is the person. (A server's address is not.)
DEVICE_LIBRARY = re.compile(
    r"analytics\.js|\b(javascript|android|ios|swift|kotlin|flutter|react|cordova|unity)\b", re.IGNORECASE
)


class Context(Struct, frozen=True, kw_only=True):
    """What the door reads in a context."""

    raw: Raw = EMPTY
    """The context itself, its address truncated."""
    traits: Raw = EMPTY
    session_id: str | None = None
    user_agent: str | None = None
    names_address: bool = False
    """True where it has an `ip`, be it one that says: do not record it."""
    address: Address | None = None
    is_device: bool = False
    """True where the library runs on the person's device."""


NO_CONTEXT = Context()


def read_context(raw: Raw, *, keep_address: bool) -> Context:
    """Read a context; `keep_address` leaves its `ip` whole. Raises InputError as `read_object` does."""
    if not raw:
        return NO_CONTEXT
    text = bytes(raw)
    if text in (b"{}", b"null"):
        return NO_CONTEXT
    if len(text) <= MAX_REMEMBERED_BYTES:
        return _remembered(text, keep_address=keep_address)
    return _read(text, keep_address=keep_address)


def _read(text: bytes, *, keep_address: bool) -> Context:
    raw, value = read_object(Raw(text), "context")
    ip, user_agent, library = value.get("ip"), value.get("userAgent"), value.get("library")
    address = read_address(ip) if isinstance(ip, str) else None
    traits = value.get("traits")
    return Context(
        raw=raw if keep_address or "ip" not in value else _with_ip(_members(text), address),
        traits=Raw(bytes(_members(text)["traits"])) if isinstance(traits, dict) else EMPTY,
        session_id=_session_id(value.get("sessionId")),
        user_agent=user_agent if isinstance(user_agent, str) and user_agent else None,
        names_address=isinstance(ip, str) and bool(ip),
        address=address,
        is_device=_is_device(library.get("name") if isinstance(library, dict) else None),
    )


_members = msgspec.json.Decoder(dict[str, Raw]).decode
_remembered = lru_cache(MAX_REMEMBERED)(_read)


def _with_ip(members: dict[str, Raw], address: Address | None) -> Raw:
    """Write the truncated address in the place of the full one; what is no address goes."""
    ip = None if address is None else address.truncated
    return Raw(msgspec.json.encode({**members, "ip": ip}))


def _session_id(value: Any) -> str | None:
    """RudderStack's SDKs send the session's start in seconds or ms as its id."""
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        value = str(value)
    return value if isinstance(value, str) and 0 < len(value) <= MAX_SESSION_ID_CHARS else None


def _is_device(library: Any) -> bool:
    return isinstance(library, str) and DEVICE_LIBRARY.search(library) is not None
