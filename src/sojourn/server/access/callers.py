"""Callers: who asks, as the rest of the API sees them; and what a request says of where it comes from."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import Any

from msgspec import Struct

from sojourn.model.account import OPERATOR, Role
from sojourn.server.ingest.address import peer_address

COOKIE = "sojourn_session"
MAX_COOKIE_BYTES = 8_192  # of all cookies of a request; a browser sends those of every port of its host.

_CALLER = "sojourn.caller"


class Caller(Struct, frozen=True, kw_only=True):
    """Whoever is behind a request."""

    name: str
    """The account's, or `OPERATOR` for who shows the admin token."""
    role: Role
    mark: bytes | None = None
    """Of the session; None: of a token in the request itself."""
    csrf: str = ""
    """What a changing request of this session has to carry."""
    expires_at: int | None = None
    """When the session ends at the latest."""


OPERATOR_CALLER = Caller(name=OPERATOR, role="admin")


def put_caller(scope: MutableMapping[str, Any], caller: Caller) -> None:
    """Say in a connection's scope who asks."""
    scope[_CALLER] = caller


def caller_of(scope: Mapping[str, Any]) -> Caller:
    """Return who asks, from a connection's scope: a name for every `by`; behind the guard there is one."""
    caller = scope[_CALLER]
    assert isinstance(caller, Caller)
    return caller


def find_caller(scope: Mapping[str, Any]) -> Caller | None:
    """Return who asks; None on the few paths that nobody need sign in for."""
    return scope.get(_CALLER)


class Line(Struct, frozen=True):
    """What a connection says of itself; what proxies add is believed of the operator's own alone."""

    headers: Mapping[bytes, bytes]
    address: str
    is_https: bool
    hosts: tuple[str, ...]
    """Names this server was called by, each with its port where one was given."""

    @classmethod
    def of(cls, scope: Mapping[str, Any], *, n_proxies: int) -> Line:
        """Read a connection's scope."""
        headers = dict(scope["headers"])
        peer = scope["client"][0] if scope.get("client") else None
        hosts = [headers.get(b"host", b"")]
        if n_proxies:
            hosts.append(headers.get(b"x-forwarded-host", b"").split(b",")[-1])
        return cls(
            headers,
            peer_address(headers, peer, n_proxies=n_proxies) or "",
            is_https(scope, headers, n_proxies=n_proxies),
            tuple(host.decode("latin-1").strip().lower() for host in hosts if host.strip()),
        )

    def token(self) -> str:
        """Return the token in the session's cookie; empty where there is none."""
        text = self.headers.get(b"cookie", b"")[:MAX_COOKIE_BYTES].decode("latin-1")
        for part in text.split(";"):  # One by one: a cookie of somebody else's that is malformed hides none.
            name, _, value = part.partition("=")
            if name.strip() == COOKIE:
                return value.strip().strip('"')
        return ""

    def is_same_origin(self) -> bool:
        """Tell whether the browser says that a page of ours asks; True where it says nothing."""
        site = self.headers.get(b"sec-fetch-site")
        if site is not None:
            return site == b"same-origin"
        origin = self.headers.get(b"origin")
        if origin is None:
            return True
        scheme, _, host = origin.decode("latin-1").lower().partition("://")
        port = {"http": ":80", "https": ":443"}.get(scheme)
        return port is not None and host.removesuffix(port) in {
            each.removesuffix(port) for each in self.hosts
        }

    def is_foreign(self) -> bool:
        """Tell whether the browser says that a page of somebody else's asks."""
        return self.headers.get(b"sec-fetch-site", b"same-origin") not in (b"same-origin", b"none")


def is_https(scope: Mapping[str, Any], headers: Mapping[bytes, bytes], *, n_proxies: int) -> bool:
    """Tell whether the browser's own connection is encrypted.

    Of X-Forwarded-Proto, what the outermost of the operator's proxies says counts, or the one entry there is.
    """
    if n_proxies and (given := headers.get(b"x-forwarded-proto")):
        hops = given.decode("latin-1").split(",")
        return hops[max(len(hops) - n_proxies, 0)].strip().lower() == "https"
    return bool(scope.get("scheme", "http") == "https")
