"""OFREP, reading: who asks for decisions, and of whom.

A key of kind `server` stays on the operator's own machines: who carries it may ask about anybody. One of
kind `browser` is in a page, so everybody has it: it opens the flags it names and no others, of people whose
id nobody can guess, an anonymous id, or whose id the operator's own server has signed. Everybody has the
write key beside it, too, so what events say of whose a device is opens nothing without a signature.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from fnmatch import fnmatchcase
from hashlib import sha256
from typing import Any

import msgspec
from msgspec import Struct

from sojourn.model.errors import InputError
from sojourn.model.ids import is_blocked_id
from sojourn.server.ingest.door import Disconnected, Receive

MAX_BODY_BYTES = 1 << 16  # of a context: attributes of one person.
MAX_ID_CHARS = 1_000
MAX_KNOWN_FLAGS = 10_000  # of which it is remembered whether a key may ask for them,
MAX_KNOWN_CHARS = 200  # where they are no longer than this: whoever has a key may ask for any name.

SIGNATURE = "targetingKeySignature"
"""The attribute by which a browser shows that the operator's server named the person: the HMAC-SHA256 of
`targetingKey` under the key's `secret`, as hexadecimal digits."""


class Caller(Struct, frozen=True, kw_only=True):
    """Somebody who may ask, by a key of the configuration."""

    name: str
    is_browser: bool = False
    flags: tuple[str, ...] = ("*",)
    """Patterns of the flags it may ask for: `journey.rescue.*`."""
    secret: str = ""
    """Of a browser's: signs ids of users; empty: none is ever told of."""
    trusts_events: bool = False
    """Of a browser's: a device is answered as the user's whose events say it is, and an alias is followed."""


class Asked(Struct, frozen=True, kw_only=True):
    """Of whom is asked, and what is said beside it."""

    targeting_key: str
    user_id: str | None = None
    """Said to be a user's."""
    anonymous_id: str | None = None
    is_device_only: bool = False
    """The targeting key is looked for among anonymous ids, and nowhere else."""
    context: dict[str, Any] = {}
    is_trusted: bool = True
    trusts_events: bool = True
    """Whether what events say of who is who counts for whoever asks."""


class BadAskError(InputError):
    """A question that cannot be answered; `code` is one of OpenFeature's."""

    def __init__(self, code: str, reason: str, *, status: int = 400) -> None:
        super().__init__(code, reason, status=status)


class Callers:
    """Everybody who may ask, by their keys."""

    def __init__(self, by_key: Mapping[str, Caller]) -> None:
        # By digest: how long the look takes says nothing of where two keys differ.
        self._by_digest = {_digest(key.encode()): caller for key, caller in by_key.items()}
        self._allowed: dict[tuple[str, str], bool] = {}

    @property
    def is_empty(self) -> bool:
        """Whether nobody may ask."""
        return not self._by_digest

    def of(self, headers: Mapping[bytes, bytes]) -> Caller | None:
        """Return who carries a key: `Authorization: Bearer`, or `X-API-Key`."""
        scheme, _, token = headers.get(b"authorization", b"").partition(b" ")
        given = token.strip() if scheme.lower() == b"bearer" else headers.get(b"x-api-key", b"").strip()
        return self._by_digest.get(_digest(given)) if given else None

    def may_see(self, caller: Caller, flag: str) -> bool:
        """Tell whether a caller may ask for a flag."""
        if caller.flags == ("*",):
            return True
        known = self._allowed.get((caller.name, flag))
        if known is None:
            known = any(fnmatchcase(flag, pattern) for pattern in caller.flags)
            if len(flag) <= MAX_KNOWN_CHARS:
                if len(self._allowed) >= MAX_KNOWN_FLAGS:
                    self._allowed.clear()
                self._allowed[caller.name, flag] = known
        return known


async def read_asked(receive: Receive, caller: Caller) -> Asked:
    """Read a request's body.

    Raises BadAskError where it is no question, and Disconnected where nobody waits for an answer.
    """
    body = await _read(receive)
    try:
        content = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise BadAskError("PARSE_ERROR", f"expected a JSON object: {error}") from None
    context = content.get("context") if isinstance(content, dict) else None
    if not isinstance(context, dict):
        raise BadAskError("INVALID_CONTEXT", "expected `context`, an object with a `targetingKey`")
    return _asked(context, caller)


def _asked(context: dict[str, Any], caller: Caller) -> Asked:
    targeting_key = _id(context, "targetingKey")
    if targeting_key is None:
        raise BadAskError("TARGETING_KEY_MISSING", "expected `context.targetingKey`: a user or anonymous id")
    signature = context.pop(SIGNATURE, None)
    if not caller.is_browser:
        return Asked(
            targeting_key=targeting_key,
            user_id=_id(context, "userId"),
            anonymous_id=_id(context, "anonymousId"),
            context=context,
        )
    is_signed = signature is not None
    if is_signed and not _is_signature(signature, targeting_key, caller.secret):
        reason = f"`context.{SIGNATURE}` is not the HMAC-SHA256 of the targetingKey under this key's secret"
        raise BadAskError("INVALID_CONTEXT", reason, status=403)
    return Asked(
        targeting_key=targeting_key,
        user_id=targeting_key if is_signed else None,
        is_device_only=not is_signed,
        context=context,
        is_trusted=False,
        trusts_events=caller.trusts_events,
    )


def _id(context: Mapping[str, Any], name: str) -> str | None:
    value = context.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > MAX_ID_CHARS:
        reason = f"expected `context.{name}` to be a text of at most {MAX_ID_CHARS:,} characters"
        raise BadAskError("INVALID_CONTEXT", reason)
    if is_blocked_id(value):
        raise BadAskError("INVALID_CONTEXT", f"`context.{name}` means nobody: {value[:40]!r}")
    return value


def _is_signature(given: object, targeting_key: str, secret: str) -> bool:
    if not secret or not isinstance(given, str):
        return False
    right = hmac.new(secret.encode(), targeting_key.encode(), sha256).hexdigest()
    return hmac.compare_digest(right.encode(), given.encode())


async def _read(receive: Receive) -> bytes:
    parts: list[bytes] = []
    n_bytes, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        parts.append(message.get("body", b""))
        n_bytes += len(parts[-1])
        if n_bytes > MAX_BODY_BYTES:
            raise BadAskError("INVALID_CONTEXT", f"expected a body of at most {MAX_BODY_BYTES:,} bytes")
        more = message.get("more_body", False)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _digest(key: bytes) -> bytes:
    return sha256(key).digest()
