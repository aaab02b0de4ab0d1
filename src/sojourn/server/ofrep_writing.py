"""OFREP, writing: what a decision, a refusal and an event look like to an SDK.

`value`, `variant` and `reason` always, for SDKs fail without; a number that is a float stays one: `1.0`.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

import msgspec

from sojourn.engine.decisions import Decision
from sojourn.server.ingest.answers import Answer, Headers

ROOT = "/ofrep/v1/"
FLAGS = ROOT + "evaluate/flags"
STREAMS = ROOT + "streams/"

INACTIVITY_S = 120  # a page that nobody sees closes its stream after so long: the protocol's own default.
ETAG_BYTES = 12

_JSON = ((b"content-type", b"application/json"), (b"cache-control", b"no-store"))
_encode = msgspec.json.Encoder().encode


def flag(decision: Decision, *, is_current: bool) -> Answer:
    """Answer one flag."""
    content = _flag(decision)
    if not is_current:
        content["metadata"] = {**decision.metadata, "behind": True}
    return Answer(200, _encode(content), _JSON)


def flags(
    decisions: Sequence[Decision], *, is_current: bool, token: str, known: Sequence[str]
) -> tuple[Answer, str]:
    """Answer all flags, or say that nothing differs from an answer the caller has; return the ETag, too.

    Without a token no stream is named. The stream belongs to what the ETag stands for: an SDK whose stream
    is gone asks again, and a 304 would leave it without one.
    """
    body = _encode([_flag(each) for each in decisions])
    etag = etag_of(body, token)
    quoted = b'"' + etag.encode() + b'"'
    headers = (*_JSON, (b"etag", quoted))
    if etag in known or "*" in known:
        return Answer(304, b"", headers), etag
    content: dict[str, Any] = {"flags": msgspec.Raw(body)}
    if token:
        stream = {"type": "sse", "endpoint": {"requestUri": STREAMS + token}}
        content["eventStreams"] = [{**stream, "inactivityDelaySec": INACTIVITY_S}]
    content["metadata"] = {} if is_current else {"behind": True}
    return Answer(200, _encode(content), headers), etag


def etag_of(body: bytes, token: str) -> str:
    """Name what was answered: the same flags by the same stream have the same name."""
    return blake2b(body, digest_size=ETAG_BYTES, key=token.encode()[:64]).hexdigest()


def etag_of_flags(decisions: Sequence[Decision], token: str) -> str:
    """Name what would be answered."""
    return etag_of(_encode([_flag(each) for each in decisions]), token)


def known_etags(header: bytes) -> list[str]:
    """Read `If-None-Match`, strong or weak."""
    each = (part.strip().removeprefix("W/").strip('"') for part in header.decode("latin-1").split(","))
    return [part for part in each if part]


def failed(key: str | None, code: str, details: str, *, status: int) -> Answer:
    """Refuse one flag, or, without a key, all of them."""
    content: dict[str, Any] = {} if key is None else {"key": key}
    return Answer(status, _encode({**content, "errorCode": code, "errorDetails": details}), _JSON)


def refused(status: int, details: str, *more: tuple[bytes, bytes]) -> Answer:
    """Refuse whoever asks, whatever they ask."""
    return Answer(status, _encode({"errorDetails": details}), (*_JSON, *more))


def event(etag: str, *, now_s: int) -> bytes:
    """Write the event by which a stream says that answers changed."""
    data = {"type": "refetchEvaluation", "etag": etag, "lastModified": now_s}
    return b"id: " + etag.encode() + b"\nevent: message\ndata: " + _encode(data) + b"\n\n"


def cross_origin(origin: bytes | None) -> Headers:
    """Return what lets a page of any origin read an answer, and its ETag; no cookie is ever asked for."""
    if origin is None:
        return []
    return [
        (b"access-control-allow-origin", b"*"),
        (b"access-control-expose-headers", b"ETag, Retry-After"),
    ]


def _flag(decision: Decision) -> dict[str, Any]:
    return {
        "key": decision.key,
        "value": decision.value,
        "reason": decision.reason,
        "variant": decision.variant,
        "metadata": decision.metadata,
    }
