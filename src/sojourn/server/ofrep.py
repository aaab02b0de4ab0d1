"""OFREP: what an application asks of a person, by any OpenFeature SDK (OpenFeature Remote Evaluation
Protocol 0.3).

    POST /ofrep/v1/evaluate/flags/{key}   one flag; where it was drawn at random, the person has met it
    POST /ofrep/v1/evaluate/flags         all flags; nobody has met anything by it
    GET  /ofrep/v1/streams/{token}        says when the second would be answered otherwise
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import perf_counter
from typing import Protocol

import structlog

from sojourn.engine.decisions import Decision
from sojourn.model.errors import DownError, UnavailableError
from sojourn.server.http import App, Scope, Send
from sojourn.server.ingest.answers import Answer, preflight
from sojourn.server.ingest.door import Disconnected, Observe, Receive
from sojourn.server.ofrep_reading import Asked, BadAskError, Caller, Callers, read_asked
from sojourn.server.ofrep_streams import Streams, Watched
from sojourn.server.ofrep_writing import (
    FLAGS,
    ROOT,
    STREAMS,
    cross_origin,
    failed,
    flag,
    flags,
    known_etags,
    refused,
)

_OFF = "nobody may ask for decisions: give an application a key under `decisions.keys` of the configuration"
_NO_KEY = "expected a key of `decisions.keys`: `Authorization: Bearer ...` or `X-API-Key`"
_CHALLENGE = (b"www-authenticate", b'Bearer realm="sojourn decisions"')

log = structlog.get_logger("sojourn")


class Decider(Watched, Protocol):
    """What answers, given by the wiring; on the event loop."""

    async def decide(self, asked: Asked, key: str) -> tuple[Decision | None, bool]:
        """Answer one flag, and tell whether all that is acknowledged is seen; None: no such flag.

        Raises UnavailableError where too much is asked at once.
        """

    async def decide_all(self, asked: Asked) -> tuple[list[Decision], bool]:
        """Answer all flags, likewise."""


class Ofrep:
    """Answers everything under `/ofrep`, and hands on every other request to `rest`."""

    def __init__(
        self,
        decider: Decider,
        callers: Callers,
        *,
        streams: Streams,
        rest: App,
        observe: Observe | None = None,
        took: Callable[[str, float], None] | None = None,
    ) -> None:
        self._decider = decider
        self._callers = callers
        self._streams = streams
        self._rest = rest
        self._observe = observe
        self._took = took

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection scope, as ASGI 3 has it."""
        if scope["type"] != "http" or not scope["path"].startswith(ROOT):
            await self._rest(scope, receive, send)
            return
        path, headers = scope["path"], dict(scope["headers"])
        if path.startswith(STREAMS) and scope["method"] == "GET":
            status = await self._streams.serve(
                path.removeprefix(STREAMS), headers.get(b"origin"), receive, send
            )
            self._count(status)
            return
        began = perf_counter()
        try:
            answer = await self._answer(scope["method"], path, headers, receive)
        except Disconnected:
            return
        self._count(answer.status)
        if self._took is not None and answer.status < 400:
            self._took("single" if path.startswith(FLAGS + "/") else "bulk", perf_counter() - began)
        sent = [*answer.headers, *cross_origin(headers.get(b"origin"))]
        if answer.status not in (204, 304):
            sent.append((b"content-length", b"%d" % len(answer.body)))
        await send({"type": "http.response.start", "status": answer.status, "headers": sent})
        body = b"" if scope["method"] == "HEAD" else answer.body
        await send({"type": "http.response.body", "body": body})

    async def _answer(
        self, method: str, path: str, headers: Mapping[bytes, bytes], receive: Receive
    ) -> Answer:
        key = _flag_key(path)
        allowed = _allowed(path, key)
        if allowed is None:
            return refused(404, f"nothing is here; flags are at {FLAGS}")
        if method == "OPTIONS":
            return preflight(headers)
        if method != allowed:
            return refused(
                405, f"expected {allowed}, got {method}", (b"allow", allowed.encode() + b", OPTIONS")
            )
        caller = self._callers.of(headers)
        if caller is None:
            return refused(401, _OFF if self._callers.is_empty else _NO_KEY, _CHALLENGE)
        return await self._decide(key, caller, headers, receive)

    async def _decide(
        self, key: str | None, caller: Caller, headers: Mapping[bytes, bytes], receive: Receive
    ) -> Answer:
        try:
            asked = await read_asked(receive, caller)
            return await (self._one(asked, caller, key) if key else self._all(asked, caller, headers))
        except BadAskError as error:
            return failed(key, error.code, error.reason, status=error.status)
        except UnavailableError as error:
            status = 503 if isinstance(error, DownError) else 429
            return refused(status, error.reason, (b"retry-after", b"%d" % error.retry_after_s))
        except Disconnected:
            raise
        except Exception as error:  # whoever asks is told that much; the log has the rest
            log.error("a decision failed, by a bug of ours", flag=key, exc_info=error)
            return refused(500, "a bug of ours; the server's log has the traceback")

    async def _one(self, asked: Asked, caller: Caller, key: str) -> Answer:
        if self._callers.may_see(caller, key):
            decision, is_current = await self._decider.decide(asked, key)
            if decision is not None:
                return flag(decision, is_current=is_current)
        return failed(key, "FLAG_NOT_FOUND", f"there is no flag {key[:200]!r}", status=404)

    async def _all(self, asked: Asked, caller: Caller, headers: Mapping[bytes, bytes]) -> Answer:
        decisions, is_current = await self._decider.decide_all(asked)
        seen = [each for each in decisions if self._callers.may_see(caller, each.key)]
        known = known_etags(headers.get(b"if-none-match", b""))
        if not self._streams.are_served:
            return flags(seen, is_current=is_current, token="", known=known)[0]
        offer = self._streams.offer(asked, caller)
        answer, etag = flags(seen, is_current=is_current, token=offer.token, known=known)
        offer.answered(etag)
        return answer

    def _count(self, status: int) -> None:
        if self._observe is not None:
            self._observe(f"requests.{status}", 1)


def _allowed(path: str, key: str | None) -> str | None:
    """Return the method that a path takes, which may name a flag; None where nothing is there."""
    if path == FLAGS or key is not None:
        return "POST"
    return "GET" if path.startswith(STREAMS) else None


def _flag_key(path: str) -> str | None:
    """Return the flag that a path names; None where it names none."""
    key = path.removeprefix(FLAGS + "/") if path.startswith(FLAGS + "/") else ""
    return key if key and "/" not in key else None
