"""Guard: stands before the API and lets nobody in whom the gate does not know, whatever they ask.

Two walls, one behind the other. The outer asks who it is, before anything is routed. The inner asks whether
they may, of the route that was found: by the framework's own idea of a path, for two ideas can differ.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from hmac import compare_digest
from typing import Any

import msgspec
import structlog
from litestar.connection import ASGIConnection
from litestar.exceptions import PermissionDeniedException
from litestar.handlers import BaseRouteHandler

from sojourn.server.access.callers import OPERATOR_CALLER, Caller, Line, find_caller, put_caller
from sojourn.server.access.gate import Access
from sojourn.server.access.roles import READS, may, need_of
from sojourn.server.http import Scope, Send
from sojourn.server.ingest.door import Receive
from sojourn.server.refusing import Refusal, RefusedError

ROOT = "api"
SESSION = "/api/v1/session"
_SIGN_IN = (  # what to do
    "send the configuration's admin_token: `Authorization: Bearer ...`, or sign in at /studio/"
)
_LET_IN = (  # what to do
    "set admin_token in the configuration, or SOJOURN_ADMIN_TOKEN, and start again; or make an account: "
    "`sojourn account add NAME`"
)
_SEND_CSRF = "send `csrf` of GET /api/v1/session as the header X-CSRF-Token"
_SAME_ORIGIN = "ask from the studio's own pages, or with `Authorization: Bearer ...` and without the cookie"
_NAMED = ("name", "journey", "file", "version")
"""Parameters of paths that may stand in the log: they name things, not people."""

ASK_AGAIN_S = 30
"""So long after its session ended, a stream may go on."""

log = structlog.get_logger("sojourn")


class Guarded:
    """Lets nobody in to `/api` who shows neither the operator's token nor a session's cookie."""

    def __init__(self, app: Any, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection scope, as ASGI 3 has it."""
        # Anywhere in the path: the framework's own idea of where one begins (`//api`) is not to be guessed.
        if scope["type"] != "http" or ROOT not in scope.get("path", "").split("/"):
            await self._app(scope, receive, send)
            return
        line = Line.of(scope, n_proxies=self._access.settings.n_proxies)
        sealed = Sealed(send)
        try:
            caller = await self._admit(scope, line)
        except RefusedError as refused:
            await _refuse(refused, scope, sealed)
            return
        if caller is not None:
            put_caller(scope, caller)
            if caller.mark is not None:
                sealed = Sealed(send, is_open=lambda: self._is_open(line.token()))
        await self._app(scope, receive, sealed)
        _tell(scope, caller, sealed.status)

    async def _is_open(self, token: str) -> bool:
        return await self._access.resume(token, is_there=False) is not None

    async def _admit(self, scope: Scope, line: Line) -> Caller | None:
        """Return who asks; None: nobody, and the path is the one that is for nobody. Raises RefusedError."""
        access = self._access
        scheme, _, given = line.headers.get(b"authorization", b"").partition(b" ")
        if scope["path"] == SESSION and scope["method"] == "POST":
            if not line.is_same_origin():
                raise _foreign()
            if await access.is_shut():
                raise await self._unknown("api-off", "")
            return None
        if scheme.lower() == b"bearer":
            if access.is_operator(given.strip()):
                return OPERATOR_CALLER
            raise await self._unknown("wrong-token", "this is not the admin token")
        token = line.token() if access.settings.is_studio else ""
        caller = await access.resume(token)
        if caller is None and token:
            raise await self._unknown("signed-out", "this session has ended", "sign in again at /studio/")
        if caller is None:
            raise await self._unknown("no-token", "expected the admin token, or the cookie of a session")
        _check_origin(line, caller, method=scope["method"])
        return caller

    async def _unknown(self, code: str, message: str, do: str = _SIGN_IN) -> RefusedError:
        """Say no to whoever is nobody; where nobody can get in, say how that is changed."""
        if await self._access.is_shut():
            code, message, do = "api-off", "the API has no admin token and no account", _LET_IN
        challenge = 'Bearer realm="sojourn"' + (', error="invalid_token"' if code == "wrong-token" else "")
        refusal = Refusal(code=code, message=message, do=do)
        return RefusedError(401, refusal, {"www-authenticate": challenge})  # RFC 6750


def authorise(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Refuse whoever has not the role that a route needs: the guard of every route of the API."""
    del handler
    scope: Mapping[str, Any] = connection.scope
    need = need_of(scope["method"], scope["path_template"])
    caller = find_caller(connection.scope)
    if need == "anyone":
        return
    assert caller is not None, "only what anyone may ask gets here without a caller"
    if not may(caller, need, name=str(connection.path_params.get("name", ""))):
        wanted = "is for the account itself, and for admins" if need == "own" else f"needs the role {need}"
        raise PermissionDeniedException(f"this {wanted}; {caller.name} is {caller.role}")


class Sealed:
    """Sends an answer on, with the headers that all answers of the API have.

    One that goes on for long, a stream, ends with the session it was begun in: `is_open` tells.
    """

    def __init__(
        self,
        send: Send,
        *,
        is_open: Callable[[], Awaitable[bool]] | None = None,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._send = send
        self._is_open = is_open
        self._now_s = now_s
        self._asked_at = now_s()
        self._is_cut = False
        self.status = 0

    async def __call__(self, message: Any) -> None:
        """Send one message; nothing where the answer was cut, which its writer learns as a disconnection."""
        if self._is_cut:
            return
        if message.get("more_body") and await self._has_ended():
            self._is_cut = True
            message = {"type": "http.response.body", "body": b""}
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = list(message.get("headers", ()))
            if not any(name.lower() == b"cache-control" for name, _ in headers):
                headers.append((b"cache-control", b"no-store"))
            message = {**message, "headers": [*headers, (b"x-content-type-options", b"nosniff")]}
        await self._send(message)

    async def _has_ended(self) -> bool:
        if self._is_open is None or self._now_s() - self._asked_at < ASK_AGAIN_S:
            return False
        self._asked_at = self._now_s()
        return not await self._is_open()


def _check_origin(line: Line, caller: Caller, *, method: str) -> None:
    """Refuse what a page of somebody else's makes a signed-in browser send."""
    if method in READS:
        if line.is_foreign():
            raise _foreign()
        return
    if not line.is_same_origin():
        raise _foreign()
    if not compare_digest(line.headers.get(b"x-csrf-token", b""), caller.csrf.encode()):
        message = "expected the session's token against forged requests"
        raise RefusedError(403, Refusal(code="no-csrf-token", message=message, do=_SEND_CSRF))


def _foreign() -> RefusedError:
    message = "a page of another origin asks"
    return RefusedError(403, Refusal(code="cross-origin", message=message, do=_SAME_ORIGIN))


async def _refuse(refused: RefusedError, scope: Scope, send: Sealed) -> None:
    body = msgspec.json.encode(refused.refusal)
    headers = [(name.encode(), value.encode()) for name, value in refused.headers.items()]
    headers += [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": refused.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


def _tell(scope: Scope, caller: Caller | None, status: int) -> None:
    """Say in the log who changed what; ids of people are in paths, and stay out of it."""
    path = scope.get("path_template", "")
    if caller is None or scope["method"] in READS or need_of(scope["method"], path) in ("anyone", "viewer"):
        return
    given = scope.get("path_params") or {}
    named = {f"of_{key}": str(given[key]) for key in _NAMED if key in given}
    log.info("a request to change", by=caller.name, method=scope["method"], path=path, status=status, **named)
