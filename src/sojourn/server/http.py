"""HTTP: the raw ASGI application in front of everything: it routes the hot path itself, and hands on the
rest.

A framework's routing and request objects cost more than reading the events does, so ingest has none.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, Literal, assert_never

from msgspec import Struct

from sojourn.model.errors import InputError, UnavailableError
from sojourn.model.event import Kind
from sojourn.server.ingest.answers import (
    SUCCESS,
    Answer,
    cross_origin,
    preflight,
    refused,
    unavailable,
    wrong_method,
)
from sojourn.server.ingest.door import Call, Disconnected, Door, Observe, Receive, read_query

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class Route(Struct, frozen=True, kw_only=True):
    """What one path takes."""

    what: Literal["post", "pixel", "swallow", "settings", "source_config", "health"]
    kind: Kind | None = None
    is_import: bool = False
    is_device: bool = False

    @property
    def methods(self) -> tuple[str, ...]:
        """What it answers to, beside OPTIONS."""
        return ("POST",) if self.what in ("post", "swallow") else ("GET", "HEAD")


SHORT: dict[str, Kind] = {
    "t": "track", "i": "identify", "p": "page", "s": "screen", "g": "group", "a": "alias",
}  # fmt: skip
ROUTES: dict[str, Route] = {
    "v1/batch": Route(what="post"),
    "v1/b": Route(what="post"),
    "v1/import": Route(what="post", is_import=True),
    "v1/m": Route(what="swallow"),
    "beacon/v1/batch": Route(what="post", is_device=True),
    "pixel/v1/track": Route(what="pixel", kind="track", is_device=True),
    "pixel/v1/page": Route(what="pixel", kind="page", is_device=True),
    "sourceConfig": Route(what="source_config"),
    "health": Route(what="health"),
    **{f"v1/{short}": Route(what="post", kind=kind) for short, kind in SHORT.items()},
    **{f"v1/{kind}": Route(what="post", kind=kind) for kind in SHORT.values()},
}
SETTINGS = Route(what="settings")
SETTINGS_HEAD, SETTINGS_TAIL = "v1/projects/", "/settings"


class Http:
    """The application: the door's routes, and `rest`, another ASGI application, for every other path."""

    def __init__(self, door: Door, *, rest: App | None = None, observe: Observe | None = None) -> None:
        self._door = door
        self._rest = rest
        self._observe = observe

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection scope, as ASGI 3 has it."""
        if scope["type"] == "http":
            route = find_route(scope["path"])
            if route is not None or self._rest is None:
                await self._serve(route, scope, receive, send)
                return
        if self._rest is not None:
            await self._rest(scope, receive, send)
        elif scope["type"] == "lifespan":
            await _live(receive, send)

    async def _serve(self, route: Route | None, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        try:
            answer = await self._answer(route, scope, headers, receive)
        except InputError as error:
            answer = refused(error)
        except UnavailableError as error:
            answer = unavailable(error)
        except Disconnected:
            return
        if self._observe is not None:
            self._observe(f"requests.{answer.status}", 1)
        await send_answer(answer, cross_origin(headers), scope, send)

    async def _answer(
        self, route: Route | None, scope: Scope, headers: dict[bytes, bytes], receive: Receive
    ) -> Answer:
        method = scope["method"]
        if route is None:
            raise InputError("not-found", "nothing is here; batches go to /v1/batch", status=404)
        if method == "OPTIONS":
            return preflight(headers)
        if method not in route.methods:
            return wrong_method(method, route.methods)
        call = Call(
            headers=headers,
            query=read_query(scope["query_string"]),
            receive=receive,
            peer=scope["client"][0] if scope.get("client") else None,
            scheme=scope.get("scheme", "http"),
            kind=route.kind,
            is_import=route.is_import,
            is_device=route.is_device,
        )
        return await self._enter(route, call, scope["path"])

    async def _enter(self, route: Route, call: Call, path: str) -> Answer:
        match route.what:
            case "post":
                return await self._door.post(call)
            case "pixel":
                return await self._door.pixel(call)
            case "swallow":
                return await self._door.swallow(call)
            case "settings":
                key = path.strip("/")[len(SETTINGS_HEAD) : -len(SETTINGS_TAIL)]
                return self._door.settings(call, key)
            case "source_config":
                return self._door.source_config(call)
            case "health":
                return SUCCESS
            case _:
                assert_never(route.what)


async def send_answer(
    answer: Answer, headers: Iterable[tuple[bytes, bytes]], scope: Scope, send: Send
) -> None:
    """Send an answer with further headers; to HEAD, without its body."""
    sent = [*answer.headers, *headers]
    if answer.status not in (204, 304):  # which have none (RFC 9110, 8.6)
        sent.append((b"content-length", b"%d" % len(answer.body)))
    await send({"type": "http.response.start", "status": answer.status, "headers": sent})
    body = b"" if scope["method"] == "HEAD" else answer.body
    await send({"type": "http.response.body", "body": body})


def find_route(path: str) -> Route | None:
    """Return the door's route of a path; slashes at its ends do not matter."""
    path = path.strip("/")
    route = ROUTES.get(path)
    if route is None and path.startswith(SETTINGS_HEAD) and path.endswith(SETTINGS_TAIL):
        return SETTINGS
    return route


async def _live(receive: Receive, send: Send) -> None:
    """Answer the server's lifespan where nobody else does."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        else:
            await send({"type": "lifespan.shutdown.complete"})
            return
