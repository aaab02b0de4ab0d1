"""Probes: what machines ask of a running server, without a token: is it ready, and how is it doing."""

from __future__ import annotations

from collections.abc import Callable

from sojourn.model.errors import InputError
from sojourn.server.http import App, Scope, Send
from sojourn.server.ingest.answers import Answer, document, refused, wrong_method
from sojourn.server.ingest.door import Receive
from sojourn.server.metrics import Metrics

_PATHS = frozenset({"/ready", "/metrics"})
PROMETHEUS = ((b"content-type", b"text/plain; version=0.0.4; charset=utf-8"),)


class Probes:
    """Answers `/ready` and `/metrics`, and hands on every other request to `rest`, where there is more."""

    def __init__(self, metrics: Metrics, *, is_ready: Callable[[], bool], rest: App | None = None) -> None:
        self._metrics = metrics
        self._is_ready = is_ready
        self._rest = rest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection scope, as ASGI 3 has it."""
        is_ours = scope["type"] == "http" and scope["path"] in _PATHS
        if self._rest is not None and not is_ours:
            await self._rest(scope, receive, send)
            return
        answer = self._answer(scope["method"], scope["path"])
        headers = [*answer.headers, (b"content-length", b"%d" % len(answer.body))]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        body = b"" if scope["method"] == "HEAD" else answer.body
        await send({"type": "http.response.body", "body": body})

    def _answer(self, method: str, path: str) -> Answer:
        if method not in ("GET", "HEAD"):
            return wrong_method(method, ("GET", "HEAD"))
        if path not in _PATHS:
            return refused(InputError("not-found", "only /ready and /metrics are here", status=404))
        if path == "/metrics":
            return Answer(200, self._metrics.text(), PROMETHEUS)
        if self._is_ready():
            return document({"ready": True})
        full = document({"ready": False, "message": "the engine is starting, stopping or full; ask again"})
        return Answer(503, full.body, (*full.headers, (b"retry-after", b"1")))
