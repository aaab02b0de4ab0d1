"""Opt-outs: the link by which a person forbids a channel, signed, so that nobody makes one for another.

A token is `base64url(what it says).base64url(its signature)`: HMAC-SHA256 under a key derived from the
operator's secret, cut to 128 bits. What it says can be read by who has the link, and by nobody changed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

import msgspec
from msgspec import Struct

SIGNATURE_BYTES = 16  # 128 bits: nobody guesses one, and a link stays short enough for a mail's header.
MAX_TOKEN_CHARS = 8_192  # an id may be 1,000 characters, of four bytes each, in base64.

_PURPOSE = b"sojourn: opt-out links, v1"


class OptOut(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """What a link says: this person wants no more of this channel, or of one topic of it."""

    user_id: str | None
    anonymous_id: str | None
    channel: str
    topic: str = ""
    """Empty: the whole channel."""


_read = msgspec.msgpack.Decoder(OptOut).decode


def sign(wish: OptOut, secret: str) -> str:
    """Return the token of a wish: the same for the same wish, for as long as the secret holds."""
    said = msgspec.msgpack.encode(wish)
    return f"{_text(said)}.{_text(_signature(said, secret))}"


def read(token: str, secret: str) -> OptOut | None:
    """Return what a token says; None where it was not signed with this secret."""
    if len(token) > MAX_TOKEN_CHARS:
        return None
    said, _, signature = token.partition(".")
    try:
        told, signed = _bytes(said), _bytes(signature)
    except (ValueError, binascii.Error):
        return None
    if not hmac.compare_digest(signed, _signature(told, secret)):
        return None
    return _read(told)


def _signature(said: bytes, secret: str) -> bytes:
    # A key of its own: the same secret signs nothing else that could be passed off as a link.
    key = hmac.digest(secret.encode(), _PURPOSE, hashlib.sha256)
    return hmac.digest(key, said, hashlib.sha256)[:SIGNATURE_BYTES]


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
