"""Pixels: an event in the query of an image's address, for pages and e-mails that run no code."""

from __future__ import annotations

import binascii
from base64 import b64decode, urlsafe_b64decode
from collections.abc import Mapping
from typing import Any

import msgspec

from sojourn.model.errors import InputError
from sojourn.server.ingest.keys import QUERY_NAMES

# fmt: off
MEMBERS = frozenset({
    "type", "event", "name", "category", "messageId", "anonymousId", "userId", "timestamp",
    "originalTimestamp", "sentAt",
})
# fmt: on
OBJECTS = frozenset({"properties", "context", "traits", "integrations"})
MAX_STEPS = 8  # of a dotted name


def pixel_body(query: Mapping[str, str]) -> bytes:
    """Return the JSON of the message that a pixel's query holds.

    Segment's pixel has it whole, as base64 in `data`. RudderStack's has one parameter for each member, an
    object as JSON text or with dots (`properties.plan=pro`); what is no member of a message is a property.
    Raises InputError: `bad-pixel`.
    """
    if query.get("data"):
        return _decoded(query["data"])
    message: dict[str, Any] = {}
    for name, value in query.items():
        if name in QUERY_NAMES:
            continue
        if name in MEMBERS:
            message[name] = value
        elif name in OBJECTS:
            message[name] = {**_object(name, value), **message.get(name, {})}
        else:
            steps = name.split(".") if name.split(".")[0] in OBJECTS else ["properties", name]
            _put(message, steps[:MAX_STEPS], value)
    return msgspec.json.encode(message)


def _decoded(text: str) -> bytes:
    """Decode base64 of either alphabet, padded or not; an unquoted `+` came as a space."""
    text = text.strip().replace(" ", "+")
    padded = text + "=" * (-len(text) % 4)
    try:
        return urlsafe_b64decode(padded) if "-" in text or "_" in text else b64decode(padded, validate=True)
    except (binascii.Error, ValueError):
        raise InputError("bad-pixel", "expected a message as base64 of its JSON", path="data") from None


def _object(name: str, value: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(value, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        raise InputError("bad-pixel", "expected an object as JSON text", path=name) from None


def _put(message: dict[str, Any], steps: list[str], value: str) -> None:
    for step in steps[:-1]:
        inner = message.setdefault(step, {})
        if not isinstance(inner, dict):
            return
        message = inner
    message.setdefault(steps[-1], value)
