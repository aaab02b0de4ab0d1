"""The webhook sink: actions as signed HTTP requests, after the Standard Webhooks specification.

    POST url
    webhook-id: <action id>           the same at every attempt: receivers drop repetitions by it
    idempotency-key: <action id>      the same, under the name that payment and mail providers know
    webhook-timestamp: <seconds>      of this attempt
    webhook-signature: v1,<base64>    HMAC-SHA256 of `id.timestamp.body`; one for each secret, spaces between

    {"type": "journey.action", "timestamp": "<when it was decided, ISO 8601>",
     "data": {"action_id", "journey", "version", "enrolment_id", "state",
              "profile_id", "user_id", "anonymous_id", "body"}}

What an answer means, and which addresses are refused, is said in `adapters/http.py`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Raw, Struct

from sojourn.adapters.http import TIMEOUT_S, Address
from sojourn.adapters.options import read_options, secret_of
from sojourn.model.action import Action, Delivery
from sojourn.model.errors import ConfigError

SECRET_BYTES = (24, 64)
"""Standard Webhooks: between 24 and 64 random bytes."""

_OURS = frozenset({"host", "content-length", "content-type", "idempotency-key", "transfer-encoding"})


class _Options(Struct, forbid_unknown_fields=True):
    url: str
    secret: str | list[str] = []
    secret_env: str | list[str] = []
    """Names of environment variables that hold secrets."""
    headers: dict[str, str] = {}
    timeout_s: float = TIMEOUT_S
    allow_link_local: bool = False


class WebhookSink:
    """One address, over pooled connections.

    Options: `url`; `secret` or `secret_env` (one or several, the newest first; with none, requests are not
    signed); `headers` to add; `timeout_s`; `allow_link_local`.
    """

    def __init__(
        self, name: str, options: Mapping[str, Any], *, now_s: Callable[[], float] = time.time
    ) -> None:
        chosen = read_options(name, options, _Options)
        self._address = Address(
            name,
            chosen.url,
            timeout_s=chosen.timeout_s,
            allow_link_local=chosen.allow_link_local,
            hidden=list(chosen.headers.values()),
            now_s=now_s,
        )
        _check_headers(name, chosen.headers)
        self._name = name
        self._keys = _keys(name, chosen)
        self._headers = chosen.headers
        self._now_s = now_s

    def __repr__(self) -> str:
        return f"WebhookSink({self._name!r}, host={self._address.host!r})"

    async def deliver(self, action: Action) -> Delivery:
        """Post the action once; raise SinkError saying whether another attempt makes sense."""
        body = _body(action)
        return await self._address.post(body, self._signed(action.id, body))

    async def close(self) -> None:
        """Close the connections; a later delivery opens new ones."""
        await self._address.close()

    def _signed(self, action_id: str, body: bytes) -> dict[str, str]:
        timestamp = str(int(self._now_s()))
        signed = f"{action_id}.{timestamp}.".encode() + body
        headers = self._headers | {
            "idempotency-key": action_id,
            "webhook-id": action_id,
            "webhook-timestamp": timestamp,
        }
        if self._keys:
            digests = (hmac.digest(key, signed, hashlib.sha256) for key in self._keys)
            headers["webhook-signature"] = " ".join(
                "v1," + base64.b64encode(digest).decode() for digest in digests
            )
        return headers


# -- What is sent.


class _Data(Struct):
    action_id: str
    journey: str
    version: str
    enrolment_id: str
    state: str
    profile_id: str
    user_id: str | None
    anonymous_id: str | None
    body: Raw


class _Payload(Struct):
    type: str
    timestamp: str
    data: _Data


def _body(action: Action) -> bytes:
    """Return the request's body: the same bytes at every attempt."""
    decided_at = datetime.fromtimestamp(action.at / 1000, UTC).isoformat(timespec="milliseconds")
    return msgspec.json.encode(
        _Payload(
            type="journey.action",
            timestamp=decided_at.replace("+00:00", "Z"),
            data=_Data(
                action_id=action.id,
                journey=action.journey,
                version=action.version,
                enrolment_id=action.enrolment_id,
                state=action.state,
                profile_id=action.profile_id,
                user_id=action.user_id,
                anonymous_id=action.anonymous_id,
                body=action.body,
            ),
        )
    )


# -- What the operator configured.


def _check_headers(name: str, headers: Mapping[str, str]) -> None:
    for header, value in headers.items():
        if header.lower() in _OURS or header.lower().startswith("webhook-"):
            raise ConfigError(f"sink {name!r}: header {header!r} is set by Sojourn itself [bad-header]")
        if not header.isascii() or not header.isprintable() or not value.isascii() or not value.isprintable():
            raise ConfigError(f"sink {name!r}: header {header!r} must be printable ASCII [bad-header]")


def _keys(name: str, options: _Options) -> list[bytes]:
    secrets = [options.secret] if isinstance(options.secret, str) else list(options.secret)
    variables = [options.secret_env] if isinstance(options.secret_env, str) else options.secret_env
    secrets += [secret_of(name, variable) for variable in variables]
    return [_key(name, secret) for secret in secrets]


def _key(name: str, secret: str) -> bytes:
    least, most = SECRET_BYTES
    try:
        key = base64.b64decode(secret.removeprefix("whsec_") + "==", validate=False)
    except (ValueError, binascii.Error):
        key = b""
    if not secret.startswith("whsec_") or not least <= len(key) <= most:
        # Without the secret itself: this line goes to a log.
        raise ConfigError(
            f"sink {name!r}: a secret must be whsec_ and the base64 of {least} to {most} random bytes; "
            'make one with: echo "whsec_$(openssl rand -base64 32)" [bad-secret]'
        )
    return key
