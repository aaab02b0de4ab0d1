"""The webhook sink: actions as signed HTTP requests, after the Standard Webhooks specification.

    POST url
    webhook-id: <action id>           the same at every attempt: receivers drop repetitions by it
    idempotency-key: <action id>      the same, under the name that payment and mail providers know
    webhook-timestamp: <seconds>      of this attempt
    webhook-signature: v1,<base64>    HMAC-SHA256 of `id.timestamp.body`; one for each secret, spaces between

    {"type": "journey.action", "timestamp": "<when it was decided, ISO 8601>",
     "data": {"action_id", "journey", "version", "enrolment_id", "state",
              "profile_id", "user_id", "anonymous_id", "body"}}

2xx is delivered. 408, 409, 425, 429, 5xx and a network that fails are tried again, after Retry-After where
it is given; every other answer is final. A redirect is final too: it would carry the body where nobody
configured it.

The operator sets the address; a journey's templates never touch it. So private networks are allowed, and
only the addresses at which clouds hand out credentials (link-local) are refused, after name resolution and
before a byte is sent.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import hmac
import ipaddress
import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec
from msgspec import Raw, Struct

from sojourn import __version__
from sojourn.adapters.options import read_options
from sojourn.model.action import Action, Delivery
from sojourn.model.errors import ConfigError, SinkError

TIMEOUT_S = 15.0  # Standard Webhooks advises 15-30 s.
CONNECT_TIMEOUT_S = 5.0
MAX_CONNECTIONS = 32  # Twice the outbox's deliveries in flight.
KEEPALIVE_S = 30.0  # Below the 60 s after which common load balancers close an idle connection.
ANSWER_BYTES = 4096
"""How much of an answer is read; the rest is not waited for."""
ANSWER_WAIT_S = 2.0  # Long enough for a page of text, short enough not to hold a place in flight.
REASON_CHARS = 300
"""How much of an answer is kept in a reason."""
SECRET_BYTES = (24, 64)
"""Standard Webhooks: between 24 and 64 random bytes."""

RETRIED = frozenset({408, 409, 425, 429})
"""Beside 5xx. 409: a receiver is still at work on the first attempt (the Idempotency-Key draft)."""

# Where clouds answer beside link-local: AWS over IPv6, Alibaba, Azure.
_METADATA = frozenset(map(ipaddress.ip_address, ("fd00:ec2::254", "100.100.100.200", "168.63.129.16")))
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
        _check_url(name, chosen)
        _check_headers(name, chosen.headers)
        if not 0 < chosen.timeout_s <= 300:
            raise ConfigError(f"sink {name!r}: timeout_s must be above 0 and at most 300 [bad-option]")
        self._name = name
        self._url = chosen.url
        self._keys = _keys(name, chosen)
        self._headers = chosen.headers
        self._timeout_s = chosen.timeout_s
        self._allows_link_local = chosen.allow_link_local
        self._now_s = now_s
        self._hidden = _hidden(chosen)
        self._client: httpx.AsyncClient | None = None

    def __repr__(self) -> str:
        # Only the host: paths and queries of webhook addresses are often secrets themselves.
        return f"WebhookSink({self._name!r}, host={urlsplit(self._url).hostname!r})"

    async def deliver(self, action: Action) -> Delivery:
        """Post the action once; raise SinkError saying whether another attempt makes sense."""
        if self._client is None:
            self._client = self._connect()
        body = _body(action)
        request = self._client.build_request(
            "POST",
            self._url,
            content=body,
            headers=self._signed(action.id, body),
            extensions={"trace": self._guard},
        )
        try:
            response = await self._client.send(request, stream=True)
            answer = await _read_some(response)
        except httpx.TimeoutException as error:
            raise SinkError(f"no answer within {self._timeout_s:g} s", retry=True) from error
        except httpx.TransportError as error:
            raise SinkError(self._clean(f"{type(error).__name__}: {error}"), retry=True) from error
        return self._judge(response, answer)

    async def close(self) -> None:
        """Close the connections; a later delivery opens new ones."""
        if self._client is not None:
            client, self._client = self._client, None
            await client.aclose()

    def _connect(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            timeout=httpx.Timeout(self._timeout_s, connect=min(CONNECT_TIMEOUT_S, self._timeout_s)),
            limits=httpx.Limits(
                max_connections=MAX_CONNECTIONS,
                max_keepalive_connections=MAX_CONNECTIONS,
                keepalive_expiry=KEEPALIVE_S,
            ),
            follow_redirects=False,
            trust_env=False,  # A ~/.netrc must not add credentials that nobody configured here.
        )

    def _signed(self, action_id: str, body: bytes) -> dict[str, str]:
        timestamp = str(int(self._now_s()))
        signed = f"{action_id}.{timestamp}.".encode() + body
        headers = self._headers | {
            "content-type": "application/json",
            "accept-encoding": "identity",
            "user-agent": f"sojourn/{__version__}",
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

    async def _guard(self, event: str, info: Mapping[str, Any]) -> None:
        # httpcore tells of a connection before anything is sent over it, with the address it really has: a
        # name that resolves differently the second time cannot slip through.
        if event != "connection.connect_tcp.complete" or self._allows_link_local:
            return
        stream = info["return_value"]
        address = stream.get_extra_info("server_addr")[0]
        if _is_forbidden(address):
            await stream.aclose()
            raise SinkError(
                f"{urlsplit(self._url).hostname} is at {address}, where clouds hand out credentials; "
                "set allow_link_local: true if this is meant",
                retry=False,
            )

    def _judge(self, response: httpx.Response, answer: str) -> Delivery:
        status = response.status_code
        if response.is_success:
            return Delivery(outcome="delivered", attempts=1, status=status)
        reason = f"HTTP {status}"
        if response.has_redirect_location:
            reason += ": redirects are not followed; put the final address into url"
        elif answer:
            reason += f": {self._clean(answer)}"
        raise SinkError(
            reason,
            retry=status in RETRIED or status >= 500,
            status=status,
            retry_after_ms=_retry_after_ms(response.headers.get("retry-after"), self._now_s()),
        )

    def _clean(self, text: str) -> str:
        """Cut a stranger's text to a bound, without our own secrets where it echoes them."""
        for hidden in self._hidden:
            text = text.replace(hidden, "***")
        return " ".join(text.split())[:REASON_CHARS]


# -- What is sent and what is answered.


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


async def _read_some(response: httpx.Response) -> str:
    """Read the beginning of an answer. The status has come: what goes wrong from here on changes nothing."""
    chunks = b""
    try:
        with suppress(TimeoutError, httpx.HTTPError):
            async with asyncio.timeout(ANSWER_WAIT_S):
                async for chunk in response.aiter_raw(ANSWER_BYTES):
                    chunks += chunk
                    if len(chunks) >= ANSWER_BYTES:
                        break
    finally:
        await response.aclose()
    return chunks[:ANSWER_BYTES].decode(errors="replace")


def _retry_after_ms(header: str | None, now_s: float) -> int | None:
    """Read Retry-After: seconds, or an HTTP date (RFC 9110, 10.2.3); None where neither."""
    if header is None:
        return None
    header = header.strip()[:64]
    if header.isascii() and header.isdigit():
        return int(header) * 1000
    try:
        return max(0, int((parsedate_to_datetime(header).timestamp() - now_s) * 1000))
    except (ValueError, OverflowError):
        return None


# -- What the operator configured.


def _check_url(name: str, options: _Options) -> None:
    try:
        parts = urlsplit(options.url)
        host, _ = parts.hostname, parts.port
        httpx.URL(options.url)
    except (ValueError, httpx.InvalidURL) as error:
        raise ConfigError(f"sink {name!r}: url cannot be read [bad-url]") from error
    if parts.scheme not in ("http", "https") or not host:
        raise ConfigError(f"sink {name!r}: url must be http://host/... or https://host/... [bad-url]")
    if parts.username or parts.password:
        raise ConfigError(f"sink {name!r}: url carries a password; put it into headers instead [bad-url]")
    if not options.allow_link_local and _is_forbidden(host):
        raise ConfigError(
            f"sink {name!r}: {host} is an address at which clouds hand out credentials; "
            "set allow_link_local: true if this is meant [link-local]"
        )


def _is_forbidden(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    address = mapped if mapped is not None else address
    return address.is_link_local or address in _METADATA


def _check_headers(name: str, headers: Mapping[str, str]) -> None:
    for header, value in headers.items():
        if header.lower() in _OURS or header.lower().startswith("webhook-"):
            raise ConfigError(f"sink {name!r}: header {header!r} is set by Sojourn itself [bad-header]")
        if not header.isascii() or not header.isprintable() or not value.isascii() or not value.isprintable():
            raise ConfigError(f"sink {name!r}: header {header!r} must be printable ASCII [bad-header]")


def _hidden(options: _Options) -> list[str]:
    """Return what a receiver must not echo into our logs; shorter values are words, not secrets."""
    parts = urlsplit(options.url)
    return [text for text in (*options.headers.values(), parts.query, parts.path) if len(text) >= 8]


def _keys(name: str, options: _Options) -> list[bytes]:
    secrets = [options.secret] if isinstance(options.secret, str) else list(options.secret)
    variables = [options.secret_env] if isinstance(options.secret_env, str) else options.secret_env
    for variable in variables:
        if variable not in os.environ:
            raise ConfigError(f"sink {name!r}: environment variable {variable} is not set [no-secret]")
        secrets.append(os.environ[variable])
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
