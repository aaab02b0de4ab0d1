"""One person of a cluster, as their state tells:

GET /api/v1/profiles/{id}   without a timeline: facts are not kept where this answers
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import unquote

from sojourn.model.errors import DownError, InputError
from sojourn.model.views import ProfileView
from sojourn.server.http import App, Scope, Send
from sojourn.server.ingest.answers import Answer, document, refused, wrong_method
from sojourn.server.ingest.door import Receive

PROFILES = "/api/v1/profiles/"
MAX_ID_CHARS = 1_000

Find = Callable[[str], Awaitable[ProfileView | None]]


class ServedProfiles:
    """Answers whoever has the admin token, and hands on every other request to `rest`."""

    def __init__(self, find: Find, opens: Callable[[str], bool], *, rest: App) -> None:
        """Take what finds a person, and what tells whether a token is the right one."""
        self._find = find
        self._opens = opens
        self._rest = rest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection scope, as ASGI 3 has it."""
        if scope["type"] != "http" or not scope["path"].startswith(PROFILES):
            await self._rest(scope, receive, send)
            return
        answer = await self._answer(scope)
        headers = [*answer.headers, (b"content-length", b"%d" % len(answer.body))]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        body = b"" if scope["method"] == "HEAD" else answer.body
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, scope: Scope) -> Answer:
        if scope["method"] not in ("GET", "HEAD"):
            return wrong_method(scope["method"], ("GET", "HEAD"))
        kind, _, token = dict(scope["headers"]).get(b"authorization", b"").partition(b" ")
        if kind.lower() != b"bearer" or not self._opens(token.strip().decode("latin-1")):
            return refused(InputError("unauthorized", "expected the admin token, as a bearer", status=401))
        any_id = _exact_id(scope)
        try:
            found = await self._find(any_id) if len(any_id) <= MAX_ID_CHARS else None
        except DownError as error:
            return refused(InputError("unavailable", error.reason, status=503))
        if found is None:
            return refused(InputError("not-found", f"nobody has the id {any_id[:200]!r}", status=404))
        return document(found)


def _exact_id(scope: Scope) -> str:
    raw = scope.get("raw_path") or scope["path"].encode()
    return unquote(raw.partition(b"?")[0].decode("latin-1")).removeprefix(PROFILES)
