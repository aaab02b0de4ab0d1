"""HTTP: one address that actions are posted to, for every sink that speaks HTTP.

2xx is delivered. 408, 409, 425, 429, 5xx and a network that fails are tried again, after Retry-After where
it is given; every other answer is final. A redirect is final too: it would carry the body where nobody
configured it.

The operator sets the address; a journey's templates never touch it. So private networks are allowed, and
only the addresses at which clouds hand out credentials (link-local) are refused, after name resolution and
before a byte is sent.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import httpx

from sojourn import __version__
from sojourn.adapters.reasons import clean
from sojourn.model.action import Delivery
from sojourn.model.errors import ConfigError, SinkError

TIMEOUT_S = 15.0  # Standard Webhooks advises 15-30 s.
MAX_TIMEOUT_S = 300.0
CONNECT_TIMEOUT_S = 5.0
MAX_CONNECTIONS = 32  # Twice the outbox's deliveries in flight.
KEEPALIVE_S = 30.0  # Below the 60 s after which common load balancers close an idle connection.
ANSWER_BYTES = 4096
"""How much of an answer is read; the rest is not waited for."""
ANSWER_WAIT_S = 2.0  # Long enough for a page of text, short enough not to hold a place in flight.

RETRIED = frozenset({408, 409, 425, 429})
"""Beside 5xx. 409: a receiver is still at work on the first attempt (the Idempotency-Key draft)."""

# Where clouds answer beside link-local: AWS over IPv6, Alibaba, Azure.
_METADATA = frozenset(map(ipaddress.ip_address, ("fd00:ec2::254", "100.100.100.200", "168.63.129.16")))

SECRET_CHARS = 8
"""What is shorter is a word, and hiding it would make an answer unreadable."""
SEGMENT_CHARS = 16
"""Of a path's part between slashes, which is a word more often."""


class Address:
    """One address, over pooled connections; `name` is the sink's, for what an operator is told.

    `hidden` are texts that a receiver must not echo into our logs, beside the address's own path and query;
    of all of them, the parts neither.
    Raises ConfigError where the address or the timeout is none.
    """

    def __init__(
        self,
        name: str,
        url: str,
        *,
        timeout_s: float = TIMEOUT_S,
        allow_link_local: bool = False,
        hidden: Sequence[str] = (),
        now_s: Callable[[], float] = time.time,
    ) -> None:
        _check_url(name, url, allow_link_local=allow_link_local)
        if not 0 < timeout_s <= MAX_TIMEOUT_S:
            raise ConfigError(
                f"sink {name!r}: timeout_s must be above 0 and at most {MAX_TIMEOUT_S:g} [bad-option]"
            )
        parts = urlsplit(url)
        self.host = parts.hostname
        """All that may be shown: paths and queries of such addresses are often secrets themselves."""
        self._url = url
        self._timeout_s = timeout_s
        self._allows_link_local = allow_link_local
        self._hidden = _with_parts(hidden, path=parts.path, query=parts.query)
        self._now_s = now_s
        self._client: httpx.AsyncClient | None = None

    async def post(self, body: bytes, headers: Mapping[str, str]) -> Delivery:
        """Post JSON once; raise SinkError saying whether another attempt makes sense."""
        if self._client is None:
            self._client = self._connect()
        request = self._client.build_request(
            "POST",
            self._url,
            content=body,
            headers={
                **headers,
                "content-type": "application/json",
                "accept-encoding": "identity",
                "user-agent": f"sojourn/{__version__}",
            },
            extensions={"trace": self._guard},
        )
        try:
            response = await self._client.send(request, stream=True)
            answer = await _read_some(response)
        except httpx.TimeoutException as error:
            raise SinkError(f"no answer within {self._timeout_s:g} s", retry=True) from error
        except httpx.TransportError as error:
            reason = clean(f"{type(error).__name__}: {error}", self._hidden)
            raise SinkError(reason, retry=True) from error
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
                f"{self.host} is at {address}, where clouds hand out credentials; "
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
            reason += f": {clean(answer, self._hidden)}"
        raise SinkError(
            reason,
            retry=status in RETRIED or status >= 500,
            status=status,
            retry_after_ms=_retry_after_ms(response.headers.get("retry-after"), self._now_s()),
        )


def _with_parts(hidden: Sequence[str], *, path: str, query: str) -> list[str]:
    """Return what is to be hidden, the longest first: `Bearer abc` may come back as `abc`."""
    texts = {*hidden, *(part for text in hidden for part in text.split()), query, *re.split("[&=]", query)}
    texts |= {path, *(part for part in path.split("/") if len(part) >= SEGMENT_CHARS)}
    return sorted((text for text in texts if len(text) >= SECRET_CHARS), key=lambda text: (-len(text), text))


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


def _check_url(name: str, url: str, *, allow_link_local: bool) -> None:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
        httpx.URL(url)
    except (ValueError, httpx.InvalidURL) as error:
        raise ConfigError(f"sink {name!r}: url cannot be read [bad-url]") from error
    if parts.scheme not in ("http", "https") or not host:
        raise ConfigError(f"sink {name!r}: url must be http://host/... or https://host/... [bad-url]")
    if parts.username or parts.password:
        raise ConfigError(f"sink {name!r}: url carries a password; put it into headers instead [bad-url]")
    if not allow_link_local and _is_forbidden(host):
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
