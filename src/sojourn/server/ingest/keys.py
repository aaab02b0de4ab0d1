"""Keys: every place where a client may put its write key.

Write keys are public (they ship in web pages), so they are looked up, not compared in constant time; yet they
are never logged.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Iterator, Mapping

QUERY_NAMES = ("writeKey", "writekey", "write_key")


def named_keys(headers: Mapping[bytes, bytes], query: Mapping[str, str]) -> Iterator[str]:
    """Yield the write keys a request names outside its body, the likeliest first.

    A Bearer token is no write key (Segment's OAuth): such a request has its key in the body.
    """
    basic = _basic(headers.get(b"authorization", b""))
    if basic:
        yield basic
    header = headers.get(b"x-write-key", b"").decode("latin-1").strip()
    if header:
        yield header
    for name in QUERY_NAMES:
        if query.get(name):
            yield query[name].strip()


def _basic(authorization: bytes) -> str:
    """Return the user name of `Basic base64(key:)`; some of RudderStack's SDKs leave the colon out."""
    scheme, _, token = authorization.partition(b" ")
    if scheme.lower() != b"basic":
        return ""
    try:
        text = b64decode(token.strip(), validate=True)
    except binascii.Error:
        return ""
    return text.partition(b":")[0].decode("utf-8", "replace").strip()
