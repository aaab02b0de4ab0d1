"""Refusing: how the API says no: who may ask, and what is wrong with what was asked, always in one shape."""

from __future__ import annotations

from hmac import compare_digest
from typing import Any

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from msgspec import Struct

from sojourn.model.errors import DefinitionError, InputError, UnavailableError
from sojourn.server.http import Scope, Send
from sojourn.server.ingest.door import Receive

ROOT = "api"
DOCUMENT = "see /api/openapi.json"
_SEND_TOKEN = "send the configuration's admin_token: `Authorization: Bearer ...`"  # noqa: S105 - says where it is
_SET_TOKEN = "set admin_token in the configuration, or SOJOURN_ADMIN_TOKEN, and start again"  # noqa: S105

log = structlog.get_logger("sojourn")


class Refusal(Struct, kw_only=True):
    """Why something was not answered."""

    code: str
    """One word for programs: `not-found`, `bad-parameter`, ..."""
    message: str
    """What was expected and what came."""
    do: str
    """What to do about it."""


_NO_ROUTE = "Not Found"  # the framework's words for a path it does not know.
_MEND_THE_PATH = "mend the path: events go to /v1/batch; for the rest " + DOCUMENT
_NO_BODY = "data: 'data'"  # the framework's words for a body that is missing.
MAX_SHOWN = 100  # characters of a path: enough to see the slip.

# Status -> (code, what to do).
_ADVICE = {
    400: ("bad-request", "send a body of JSON as the document describes it: " + DOCUMENT),
    401: ("no-token", _SEND_TOKEN),
    403: ("forbidden", _SEND_TOKEN),
    404: ("not-found", "look at the path and the id: " + DOCUMENT),
    405: ("bad-method", "use a method that `Allow` names"),
    413: ("too-large", "send less at once; of ids, null means all"),
    415: ("bad-media-type", "send a body of JSON"),
    503: ("unavailable", "send the same again in a moment"),
    422: ("bad-parameter", "correct what is named; for the bounds " + DOCUMENT),
}


class Guarded:
    """Lets nobody in to `/api` who does not carry the operator's token, whatever they ask."""

    def __init__(self, app: Any, token: str | None) -> None:
        self._app = app
        self._token = None if token is None else token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection scope, as ASGI 3 has it."""
        # Anywhere in the path: the framework's own idea of where one begins (`//api`) is not to be guessed.
        is_ours = ROOT in scope.get("path", "").split("/")
        refusal = self._refuse(dict(scope["headers"])) if scope["type"] == "http" and is_ours else None
        if refusal is None:
            await self._app(scope, receive, send)
            return
        challenge, body = refusal
        headers = [
            (b"content-type", b"application/json"),
            (b"www-authenticate", challenge),
            (b"content-length", b"%d" % len(body)),
        ]
        await send({"type": "http.response.start", "status": 401, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    def _refuse(self, headers: dict[bytes, bytes]) -> tuple[bytes, bytes] | None:
        """Return the challenge (RFC 6750) and the body of a refusal; None where the token is right."""
        scheme, _, given = headers.get(b"authorization", b"").partition(b" ")
        if self._token is None:
            return _refusal("api-off", "the API has no admin token, so nobody may ask it", _SET_TOKEN)
        if scheme.lower() != b"bearer":
            return _refusal("no-token", "expected the admin token", _SEND_TOKEN)
        if not compare_digest(given.strip(), self._token):
            return _refusal("wrong-token", "this is not the admin token", _SEND_TOKEN, is_wrong=True)
        return None


def _refusal(code: str, message: str, do: str, *, is_wrong: bool = False) -> tuple[bytes, bytes]:
    challenge = b'Bearer realm="sojourn"' + (b', error="invalid_token"' if is_wrong else b"")
    return challenge, msgspec.json.encode(Refusal(code=code, message=message, do=do))


def refuse_http(request: Request[Any, Any, Any], error: HTTPException) -> Response[Refusal]:
    """Answer what the framework, or a route of ours, refuses."""
    status, message = error.status_code, error.detail
    if isinstance(error, ValidationException):  # It says 400; what can be read and is wrong is 422.
        status, message = 422, _what_is_wrong(error)
    code, do = _ADVICE.get(status, ("refused", DOCUMENT))
    if message == _NO_ROUTE:
        message, do = f"nothing is at {request.url.path[:MAX_SHOWN]}", _MEND_THE_PATH
    return Response(
        Refusal(code=code, message=message, do=do), status_code=status, headers=error.headers or {}
    )


def refuse_input(request: Request[Any, Any, Any], error: InputError) -> Response[Refusal]:
    """Answer what a planner or a lookup of ours refuses."""
    status = error.status if request.method == "GET" else 422
    return Response(Refusal(code=error.code, message=error.reason, do=DOCUMENT), status_code=status)


def refuse_definition(request: Request[Any, Any, Any], error: DefinitionError) -> Response[Refusal]:
    """Answer where definitions are wrong: every problem with its place."""
    del request
    do = "mend what is named; `sojourn check` says the same"
    return Response(Refusal(code="bad-definition", message=str(error), do=do), status_code=422)


def refuse_for_now(request: Request[Any, Any, Any], error: UnavailableError) -> Response[Refusal]:
    """Answer where nothing could be made durable now."""
    del request
    code, do = _ADVICE[503]
    return Response(
        Refusal(code=code, message=error.reason, do=do),
        status_code=503,
        headers={"retry-after": str(error.retry_after_s)},
    )


def refuse_bug(request: Request[Any, Any, Any], error: Exception) -> Response[Refusal]:
    """Answer where something of ours failed; a body that is nested too deep is the caller's."""
    if isinstance(error, RecursionError) and request.method == "POST":
        code, do = _ADVICE[400]
        return Response(Refusal(code=code, message="nested too deep", do=do), status_code=400)
    log.error("the API failed, by a bug of ours", path=request.url.path, exc_info=error)
    do = "please report it; the server's log has the traceback"
    return Response(Refusal(code="internal", message="a bug of ours", do=do), status_code=500)


def _what_is_wrong(error: ValidationException) -> str:
    parts = error.extra if isinstance(error.extra, list) else []
    said = [f"{part.get('key', 'body')}: {part.get('message', 'wrong')}" for part in parts]
    wrong = "; ".join(said) or error.detail
    return "expected a body of JSON, got none" if wrong == _NO_BODY else wrong
