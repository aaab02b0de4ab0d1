"""Refusing: how the API says no to what was asked, always in one shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from msgspec import Struct

from sojourn.model.errors import DefinitionError, InputError, UnavailableError

DOCUMENT = "see /api/openapi.json"
_ASK_AN_ADMIN = "ask somebody whose role it is; an admin sees who has which"
_SIGN_IN = "send the configuration's admin_token, `Authorization: Bearer ...`, or sign in at /studio/"

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
    401: ("no-token", _SIGN_IN),
    403: ("forbidden", _ASK_AN_ADMIN),
    404: ("not-found", "look at the path and the id: " + DOCUMENT),
    405: ("bad-method", "use a method that `Allow` names"),
    413: ("too-large", "send less at once; of ids, null means all"),
    415: ("bad-media-type", "send a body of JSON"),
    503: ("unavailable", "send the same again in a moment"),
    422: ("bad-parameter", "correct what is named; for the bounds " + DOCUMENT),
}


class RefusedError(Exception):
    """Something that is not answered, and all that is said of it."""

    def __init__(self, status: int, refusal: Refusal, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(refusal.message)
        self.status = status
        self.refusal = refusal
        self.headers = dict(headers or {})


def refuse_as_said(request: Request[Any, Any, Any], error: RefusedError) -> Response[Refusal]:
    """Answer what a route of ours refuses in its own words."""
    del request
    return Response(error.refusal, status_code=error.status, headers=error.headers)


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
    path = request.scope.get("path_template", "")  # not the path itself, in which ids of people may be
    log.error("the API failed, by a bug of ours", path=path, exc_info=error)
    do = "please report it; the server's log has the traceback"
    return Response(Refusal(code="internal", message="a bug of ours", do=do), status_code=500)


def _what_is_wrong(error: ValidationException) -> str:
    parts = error.extra if isinstance(error.extra, list) else []
    said = [f"{part.get('key', 'body')}: {part.get('message', 'wrong')}" for part in parts]
    wrong = "; ".join(said) or error.detail
    return "expected a body of JSON, got none" if wrong == _NO_BODY else wrong
