"""Objects: the parts of an event that stay JSON bytes, made sure to be readable after the door."""

from __future__ import annotations

import re
from typing import Any

import msgspec
from msgspec import Raw

from sojourn.model.errors import InputError
from sojourn.model.event import EMPTY

MAX_OBJECT_BYTES = 128 << 10  # Four times Segment's bound of 32 KB for a whole event.
MAX_DEPTH = 64  # Deeper than any analytics payload: BigQuery takes 15 levels, MongoDB 100.

NOTHING: dict[str, Any] = {}
STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
NOT_BRACKETS = bytes(byte for byte in range(256) if byte not in b"[]{}")

_value = msgspec.json.Decoder()


def read_object(raw: Raw, path: str) -> tuple[Raw, dict[str, Any]]:
    """Return an object's own bytes and its value; what is absent or null is the empty object.

    msgspec checks only the syntax of a Raw, so the value is decoded once here (0.4 us): whoever reads it
    later cannot fail. Raises InputError: `bad-type`, `too-large`, `too-deep`, `bad-value`.
    """
    if not raw:
        return EMPTY, NOTHING
    text = bytes(raw)
    if text in (b"{}", b"null"):
        return EMPTY, NOTHING
    if text[:1] != b"{":
        raise InputError(
            "bad-type", f"expected an object, got {text[:20].decode('utf-8', 'replace')}", path=path
        )
    if len(text) > MAX_OBJECT_BYTES:
        raise InputError(
            "too-large", f"expected at most {MAX_OBJECT_BYTES} bytes, got {len(text)}", path=path
        )
    if text.count(b"{") + text.count(b"[") > MAX_DEPTH and is_deeper(text, MAX_DEPTH):
        raise InputError("too-deep", f"expected at most {MAX_DEPTH} levels of nesting; flatten it", path=path)
    try:
        return Raw(text), _value.decode(text)
    except msgspec.ValidationError as error:
        raise InputError("bad-value", f"{error}; send it as text", path=path) from None


def is_deeper(text: bytes, limit: int) -> bool:
    """Whether well-formed JSON nests deeper than `limit`: peel one level at a time, and see what is left."""
    brackets = STRING.sub(b"", text).translate(None, NOT_BRACKETS)
    for _ in range(limit):
        peeled = brackets.replace(b"[]", b"").replace(b"{}", b"")
        if not peeled:
            return False
        brackets = peeled
    return True
