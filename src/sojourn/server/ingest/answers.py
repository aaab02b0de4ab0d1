"""Answers: what is said to an SDK, and what a browser lets it read.

Success is exactly 200 (rudder-sdk-python and others send again on 201, 202 and 204), and 400 is only for a
request that cannot be read at all: every SDK throws the whole batch away on it.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from sojourn.model.errors import InputError, UnavailableError
from sojourn.server.ingest.segment import Batch

MAX_REASONS = 100  # reasons told in one answer; all are kept with the failed events.
PREFLIGHT_S = 86_400  # A day: as long as Firefox remembers it (Chromium: 2 hours).

# The smallest transparent GIF, 43 bytes: what a pixel is answered with.
GIF = b64decode("R0lGODlhAQABAPAAAAAAAAAAACH5BAEAAAAALAAAAAABAAEAAAICRAEAOw==")

Headers = list[tuple[bytes, bytes]]


class Answer(Struct, frozen=True):
    """A response: whole, small, and ready to send."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[bytes, bytes], ...] = ((b"content-type", b"application/json"),)


SUCCESS = Answer(200, b'{"success":true}')
PIXEL = Answer(200, GIF, ((b"content-type", b"image/gif"), (b"cache-control", b"no-store")))


def accepted(batch: Batch) -> Answer:
    """Answer a batch that is durable: 200, and which of its events were refused, for who cares to read it."""
    if not batch.failed:
        return SUCCESS
    rejected = [
        {"index": index, "code": failed.code, "reason": failed.reason, "path": failed.path}
        for index, failed in zip(batch.indexes[:MAX_REASONS], batch.failed, strict=False)
    ]
    return Answer(
        200,
        msgspec.json.encode({"success": True, "rejected": rejected}),
        (*SUCCESS.headers, (b"x-sojourn-rejected", b"%d" % len(batch.failed))),
    )


def refused(error: InputError) -> Answer:
    """Answer a request that cannot be read, or may not be made."""
    content: dict[str, Any] = {"success": False, "code": error.code, "message": error.reason}
    if error.path:
        content["path"] = error.path
    return Answer(error.status, msgspec.json.encode(content))


def wrong_method(method: str, methods: Sequence[str]) -> Answer:
    """Answer a path that exists and does not take this method."""
    error = InputError("bad-method", f"expected {' or '.join(methods)}, got {method}", status=405)
    answer = refused(error)
    return Answer(405, answer.body, (*answer.headers, (b"allow", ", ".join([*methods, "OPTIONS"]).encode())))


def unavailable(error: UnavailableError) -> Answer:
    """Answer that nothing was kept and the same is to be sent again."""
    content = {"success": False, "code": "unavailable", "message": error.reason}
    return Answer(
        503, msgspec.json.encode(content), (*SUCCESS.headers, (b"retry-after", b"%d" % error.retry_after_s))
    )


def document(value: Any) -> Answer:
    """Answer with a JSON document."""
    return Answer(200, msgspec.json.encode(value))


def preflight(headers: Mapping[bytes, bytes]) -> Answer:
    """Answer OPTIONS: whatever a browser asks to send, it may."""
    allowed: Headers = [
        (b"access-control-allow-methods", b"GET, POST, OPTIONS"),
        (b"access-control-max-age", b"%d" % PREFLIGHT_S),
    ]
    requested = headers.get(b"access-control-request-headers")
    if requested:
        allowed.append((b"access-control-allow-headers", requested))
    return Answer(204, b"", tuple(allowed))


def cross_origin(headers: Mapping[bytes, bytes]) -> Headers:
    """Return what lets a page of any origin read an answer.

    The origin is echoed, never `*`: some SDKs send credentials. Retry-After has to be exposed, or browsers
    hide it.
    """
    origin = headers.get(b"origin")
    if origin is None:
        return []
    return [
        (b"access-control-allow-origin", origin),
        (b"access-control-allow-credentials", b"true"),
        (b"access-control-expose-headers", b"Retry-After, X-Sojourn-Rejected"),
        (b"vary", b"Origin"),
    ]
