"""Operating: who came, what came in, what failed, what goes out and who sends: routes for an operator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Protocol

from litestar import asgi, get, post
from litestar.exceptions import MethodNotAllowedException
from litestar.handlers import ASGIRouteHandler, HTTPRouteHandler
from litestar.openapi import ResponseSpec
from litestar.params import Body, Parameter, QueryParameter
from litestar.types import Receive, Scope, Send

from sojourn.model.errors import InputError
from sojourn.model.operating import (
    EventHeard,
    FailedKind,
    FailedRetried,
    PersonFound,
    SinkView,
    SourceView,
)
from sojourn.model.views import StatusView
from sojourn.server.analytics import given_of
from sojourn.server.asked import FailedRetriedList, RetryFailed
from sojourn.server.pulse import Pulse
from sojourn.server.refusing import Refusal
from sojourn.server.tail import Tail, Wanted

MAX_QUERY_CHARS = 1_000
MAX_PAGE = 1_000
MAX_FOUND = 100
STREAM, EVENTS_STREAM = "/api/v1/stream", "/api/v1/events/stream"
VERDICTS = ("taken", "duplicate", "failed", "refused")

Limit = Annotated[int, Parameter(ge=1, le=MAX_PAGE, description="Rows at most.")]
FoundLimit = Annotated[int, Parameter(ge=1, le=MAX_FOUND, description="People at most.")]
Query = Annotated[
    str,
    QueryParameter(
        name="query",
        max_length=MAX_QUERY_CHARS,
        description="An id, or how one begins; or a part of a name or e-mail. Empty: the people seen last.",
    ),
]


class Operated(Protocol):
    """What an operator may ask, given by the wiring; on any thread, but for what is awaited."""

    pulse: Pulse
    tail: Tail

    def people(self, query: str, *, limit: int) -> list[PersonFound]:
        """Find people."""

    def events(self, *, limit: int) -> list[EventHeard]:
        """Return the newest events, newest first."""

    def failed_kinds(self) -> list[FailedKind]:
        """Count failed events by reason and source."""

    def sinks(self) -> list[SinkView]:
        """Return every sink, and how it does."""

    def sources(self) -> list[SourceView]:
        """Return every source, and what sends for it."""

    def status(self) -> StatusView:
        """Return how the house is doing."""

    async def retry_failed(self, ids: Sequence[int]) -> list[FailedRetried]:
        """Read failed events again through the door; take those that read well now."""


_FULL = ResponseSpec(Refusal, description="None was taken; ask the same again.", generate_examples=False)

VIEWS = (
    PersonFound, EventHeard, FailedKind, FailedRetriedList, RetryFailed, SinkView, SourceView,
)  # fmt: skip


def operating(operated: Operated) -> list[HTTPRouteHandler | ASGIRouteHandler]:
    """Make the routes."""
    return [*_looking(operated), *_failing(operated), *_streaming(operated)]


def _looking(operated: Operated) -> list[HTTPRouteHandler]:
    @get("/api/v1/people", summary="Find people", tags=["people"], sync_to_thread=True)
    def find_people(wanted: Query = "", limit: FoundLimit = 20) -> list[PersonFound]:
        """Whoever has the id first, then whose ids begin so; both however many people there are.

        A part of a name or of an e-mail (traits) is looked for among the people of the newest 5,000 events
        only: the store has no index of them.
        """
        return operated.people(wanted, limit=limit)

    @get("/api/v1/events", summary="The newest events", tags=["events"], sync_to_thread=True)
    def list_events(limit: Limit = 100) -> list[EventHeard]:
        """What came in last, newest first: events taken, and failed ones. Duplicates are not kept."""
        return operated.events(limit=limit)

    @get("/api/v1/sinks", summary="Sinks", tags=["status"], sync_to_thread=True)
    def list_sinks() -> list[SinkView]:
        """Where actions go, and how each destination does."""
        return operated.sinks()

    @get("/api/v1/sources", summary="Sources", tags=["status"], sync_to_thread=True)
    def list_sources() -> list[SourceView]:
        """Who sends, by which library and version, and what each sent last."""
        return operated.sources()

    @get("/api/v1/status", summary="How the house is doing", tags=["status"], sync_to_thread=True)
    def get_status() -> StatusView:
        """How far the engine is in the log, how much is kept, and what an operator watches."""
        return operated.status()

    return [find_people, list_events, list_sinks, list_sources, get_status]


def _failing(operated: Operated) -> list[HTTPRouteHandler]:
    @get(
        "/api/v1/failed-events/summary",
        summary="Failed events, counted",
        tags=["failures"],
        sync_to_thread=True,
    )
    def count_failed_events() -> list[FailedKind]:
        """How many failed for which reason, from which source; the kind that came last first."""
        return operated.failed_kinds()

    @post(
        "/api/v1/failed-events/retry",
        summary="Try failed events again",
        tags=["failures"],
        status_code=200,
        responses={503: _FULL},
    )
    async def retry_failed_events(data: Annotated[RetryFailed, Body()]) -> FailedRetriedList:
        """Read the kept bytes again through the same door: what reads well now is taken, once."""
        return FailedRetriedList(retried=await operated.retry_failed(data.ids))

    return [count_failed_events, retry_failed_events]


def _streaming(operated: Operated) -> list[ASGIRouteHandler]:
    @asgi(STREAM, copy_scope=False)
    async def stream_progress(scope: Scope, receive: Receive, send: Send) -> None:
        _only_get(scope)
        await operated.pulse.serve(receive, send)  # type: ignore[arg-type]  # ASGI, by other names

    @asgi(EVENTS_STREAM, copy_scope=False)
    async def stream_events(scope: Scope, receive: Receive, send: Send) -> None:
        _only_get(scope)
        wanted = _read_wanted(scope["query_string"])
        await operated.tail.serve(wanted, receive, send)  # type: ignore[arg-type]  # as above

    return [stream_progress, stream_events]


def _only_get(scope: Any) -> None:
    if scope["method"] != "GET":
        raise MethodNotAllowedException(headers={"allow": "GET"})


def _read_wanted(query: bytes) -> Wanted:
    given = given_of(query)
    for name in given:
        if name not in ("source", "name", "verdict"):
            raise InputError("bad-parameter", f"{name}: there is no such parameter", path=name, status=422)
    chosen = {name: texts[0] for name, texts in given.items()}
    if chosen.get("verdict", "") not in ("", *VERDICTS):
        reason = f"verdict: expected one of {', '.join(VERDICTS)}, got {chosen['verdict'][:50]!r}"
        raise InputError("bad-parameter", reason, path="verdict", status=422)
    return Wanted(**chosen)
