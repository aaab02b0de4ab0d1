"""The API: people, journeys, failures and status, for whoever may ask.

It reads. What it can change is what is in force, through the log; that somebody enters a journey; and that
actions which were given up are tried again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Protocol
from urllib.parse import unquote

import msgspec
from litestar import Litestar, Request, get, post
from litestar.datastructures import State
from litestar.exceptions import HTTPException, NotFoundException
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.spec import Example
from litestar.params import Body, Parameter
from litestar.types import Scope
from msgspec import Struct

from sojourn.model.action import Letter
from sojourn.model.errors import DefinitionError, InputError, UnavailableError
from sojourn.model.event import FailedEvent
from sojourn.model.ports import Place
from sojourn.model.views import (
    ExplanationView,
    HoldView,
    JourneyView,
    PlanView,
    ProfileView,
    StatusView,
    VersionView,
)  # fmt: skip
from sojourn.server.access.gate import Access
from sojourn.server.access.guard import Guarded, authorise
from sojourn.server.access.routes import ACCESS_VIEWS, access_routes
from sojourn.server.analytics import Analyses, analysing
from sojourn.server.asked import Hold, Publish, Retried, Retry, Rollback
from sojourn.server.authoring_routes import AUTHORING_VIEWS, Authored, authoring_routes
from sojourn.server.belonging import segmenting
from sojourn.server.drafting import ConflictError, refuse_conflict
from sojourn.server.entering import Enter, Entrance, Taken, entering
from sojourn.server.experiments import experimenting
from sojourn.server.forgetting import FORGET_VIEWS, Forgetters, forget_routes, with_whole_ids
from sojourn.server.http import App
from sojourn.server.openapi import describe, openapi_config
from sojourn.server.operating import VIEWS as OPERATING_VIEWS
from sojourn.server.operating import Operated, operating
from sojourn.server.refusing import (
    Refusal,
    RefusedError,
    refuse_as_said,
    refuse_bug,
    refuse_definition,
    refuse_for_now,
    refuse_http,
    refuse_input,
)

MAX_PAGE = 1_000  # rows in one answer.
MAX_BODY_BYTES = 1 << 20
MAX_PUBLISHED_BYTES = 16 << 20  # of definitions, which stand together: some thousand journeys.
MAX_ID_CHARS = 1_000
PROFILES = "/api/v1/profiles/"

Asked = Request[object, object, State]
Limit = Annotated[int, Parameter(ge=1, le=MAX_PAGE, description="Rows at most.")]
OlderEvents = Annotated[
    int | None,
    Parameter(ge=1, le=1 << 62, description="`next` of the page before; without it, the newest."),
]
OlderLetters = Annotated[
    str | None,
    Parameter(
        pattern=r"^[0-9]{1,18}-.{1,200}$", description="`next` of the page before; without it, the newest."
    ),
]
AnyId = Annotated[
    str,
    Parameter(
        description="A user id or an anonymous id, as the SDK sends it, percent-encoded.",
        examples=[Example(summary="a user id", value="ada")],
    ),
]


JourneyName = Annotated[str, Parameter(description="A journey's name.")]


class Readings(Protocol):
    """What the API may ask, on any thread; wiring answers."""

    def profile(self, any_id: str, *, limit: int) -> ProfileView | None:
        """Find a person by any id."""

    def explain(self, any_id: str, journey: str) -> ExplanationView | None:
        """Say why a person did or did not get what a journey sends."""

    def journeys(self) -> list[JourneyView]:
        """Return every journey somebody can be in."""

    def versions(self, journey: str) -> list[VersionView]:
        """Return the versions of a journey that are kept; raises InputError where there is none."""

    def failed(self, *, limit: int, before: int | None) -> Sequence[FailedEvent]:
        """Return failed events, newest first."""

    def dead(self, *, limit: int, before: Place | None) -> Sequence[Letter]:
        """Return dead letters, newest first."""


class Operations(Entrance, Forgetters, Protocol):
    """What the API may do, on the event loop; wiring does it."""

    async def retry_dead(self, action_ids: Sequence[str] | None) -> int:
        """Put dead letters (all, with None) back on their way; return how many."""

    async def publish(self, asked: Publish | Rollback) -> PlanView:
        """Plan what is asked for and, unless it is refused or a dry run, bring it into force."""

    async def hold(self, asked: Hold) -> HoldView:
        """Let journeys stand still, or go on; return what stands still then."""


class FailedEventView(Struct, kw_only=True):
    """An event that was refused."""

    id: int | None
    source: str
    received_at: int
    """When the door had it, ms since 1970 UTC."""
    code: str
    """What is wrong, one word: `missing-id`, `bad-type`, ..."""
    reason: str
    """What was expected, what came, what to do."""
    path: str
    """Where in the request, as `batch[3].userId`."""
    message_id: str | None
    body: str
    """The event's own bytes as text, cut at a bound."""
    kind: str | None
    """The kind that its path named, where it came alone (`/v1/track`)."""
    retried_at: int | None
    """When it was tried again and taken, ms."""


class FailedEventPage(Struct, kw_only=True):
    """Failed events, newest first."""

    items: list[FailedEventView]
    next: int | None
    """What to ask for as `before`, for older ones; null at the end."""


class DeadLetterPage(Struct, kw_only=True):
    """Actions that were given up, newest first."""

    items: list[Letter]
    next: str | None
    """What to ask for as `before`, for older ones; null at the end."""


VIEWS: tuple[type[Struct], ...] = (
    ProfileView, ExplanationView, JourneyView, VersionView, PlanView, HoldView, StatusView, FailedEventPage,
    DeadLetterPage, Retry, Retried, Publish, Rollback, Hold, Enter, Taken, Refusal,
    *ACCESS_VIEWS, *OPERATING_VIEWS, *AUTHORING_VIEWS, *FORGET_VIEWS,
)  # fmt: skip


def make_api(
    readings: Readings,
    operations: Operations,
    analyses: Analyses,
    operated: Operated,
    *,
    authored: Authored,
    access: Access,
) -> App:
    """Make the ASGI app of everything under `/api`.

    Without an admin token and without an account it answers nothing but 401, and says how to get one.
    """
    handlers = [
        _get_document,
        *access_routes(access, analyses.warm),
        *_reading(readings),
        *_reading_failures(readings),
        _retrying(operations),
        *_changing(operations),
        entering(operations),
        *analysing(analyses),
        *experimenting(analyses),
        segmenting(analyses),
        *operating(operated),
        *authoring_routes(authored),
        *forget_routes(operations),
    ]
    app = Litestar(
        handlers,
        guards=[authorise],
        exception_handlers={
            HTTPException: refuse_http,
            InputError: refuse_input,
            DefinitionError: refuse_definition,
            RefusedError: refuse_as_said,
            UnavailableError: refuse_for_now,
            ConflictError: refuse_conflict,
            Exception: refuse_bug,
        },
        openapi_config=openapi_config(),
        logging_config=None,
        request_max_body_size=MAX_BODY_BYTES,
    )
    return Guarded(with_whole_ids(app), access)


def _reading(readings: Readings) -> list[HTTPRouteHandler]:
    """Make the routes that read people and journeys; each on a thread, for stores wait for disks."""

    @get(PROFILES + "{any_id:path}", summary="One person", tags=["people"], sync_to_thread=True)
    def get_profile(request: Asked, any_id: AnyId, limit: Limit = 100) -> ProfileView:
        """Who a person is, where they stand in each journey, and what led there: the newest `limit` facts."""
        wanted = _exact_id(request.scope, any_id)
        found = readings.profile(wanted, limit=limit) if len(wanted) <= MAX_ID_CHARS else None
        if found is None:
            raise NotFoundException(f"nobody has the id {wanted[:MAX_ID_CHARS]!r}")
        return found

    @get("/api/v1/journeys", summary="Journeys", tags=["journeys"], sync_to_thread=True)
    def list_journeys() -> list[JourneyView]:
        """Every version of every journey that somebody can enter or was in, and how many are where."""
        return readings.journeys()

    @get("/api/v1/journeys/{name:str}/versions", summary="Versions", tags=["journeys"], sync_to_thread=True)
    def list_versions(name: JourneyName) -> list[VersionView]:
        """The versions of a journey that are kept, the one published last first."""
        return readings.versions(name)

    @get(
        "/api/v1/journeys/{journey:str}/explanation",
        summary="Why a person did, or did not, get it",
        tags=["journeys"],
        sync_to_thread=True,
    )
    def explain(
        journey: Annotated[str, Parameter(description="The journey's name.", max_length=MAX_ID_CHARS)],
        person: Annotated[
            str, Parameter(description="A user id or an anonymous id.", max_length=MAX_ID_CHARS)
        ],
    ) -> ExplanationView:
        """The chain of facts that led here, with the values each guard saw, and what is awaited now."""
        found = readings.explain(person, journey)
        if found is None:
            raise NotFoundException(f"nobody has the id {person!r}")
        return found

    return [get_profile, list_journeys, list_versions, explain]


def _reading_failures(readings: Readings) -> list[HTTPRouteHandler]:
    """Make the routes that only read what went wrong."""

    @get("/api/v1/failed-events", summary="Failed events", tags=["failures"], sync_to_thread=True)
    def list_failed_events(limit: Limit = 100, before: OlderEvents = None) -> FailedEventPage:
        """Events that were refused, each with its reason, newest first."""
        found = readings.failed(limit=limit, before=before)
        is_more = len(found) == limit
        return FailedEventPage(items=[_show(each) for each in found], next=found[-1].id if is_more else None)

    @get("/api/v1/dead-letters", summary="Dead letters", tags=["failures"], sync_to_thread=True)
    def list_dead_letters(limit: Limit = 100, before: OlderLetters = None) -> DeadLetterPage:
        """Actions that were given up, each with its last error, newest first."""
        found = list(readings.dead(limit=limit, before=_read_place(before)))
        return DeadLetterPage(items=found, next=_show_place(found[-1]) if len(found) == limit else None)

    return [list_failed_events, list_dead_letters]


def _retrying(operations: Operations) -> HTTPRouteHandler:
    @post("/api/v1/dead-letters/retry", summary="Try dead letters again", tags=["failures"], status_code=200)
    async def retry_dead_letters(data: Annotated[Retry, Body()]) -> Retried:
        """Put actions that were given up back on their way, as if never tried, under the same key."""
        return Retried(revived=await operations.retry_dead(data.action_ids))

    return retry_dead_letters


def _changing(operations: Operations) -> list[HTTPRouteHandler]:
    """Make the routes that change what is in force."""

    @post(
        "/api/v1/publish",
        summary="Publish",
        tags=["journeys"],
        status_code=200,
        request_max_body_size=MAX_PUBLISHED_BYTES,
    )
    async def publish(data: Annotated[Publish, Body()]) -> PlanView:
        """Bring files into force; `refused` says why it was not done. The same content publishes nothing."""
        return await operations.publish(data)

    @post("/api/v1/rollback", summary="Publish an older version", tags=["journeys"], status_code=200)
    async def rollback(data: Annotated[Rollback, Body()]) -> PlanView:
        """Bring an older version of a journey into force again."""
        return await operations.publish(data)

    @post("/api/v1/holds", summary="Pause, resume, stop, release", tags=["journeys"], status_code=200)
    async def hold(data: Annotated[Hold, Body()]) -> HoldView:
        """Let a journey, or all, stand still or go on; a stop keeps the outbox from sending, too."""
        return await operations.hold(data)

    return [publish, rollback, hold]


@get("/api/openapi.json", include_in_schema=False, media_type="application/json", sync_to_thread=True)
def _get_document(request: Asked) -> bytes:
    return msgspec.json.encode(describe(request.app, VIEWS))


def _exact_id(scope: Scope, any_id: str) -> str:
    """Return an id as it was asked for; routing takes slashes at its ends and beside one another away."""
    raw = scope.get("raw_path")
    if not raw or not raw.startswith(PROFILES.encode()):
        return any_id.removeprefix("/")
    return unquote(raw.partition(b"?")[0].decode("latin-1").removeprefix(PROFILES))


def _show(event: FailedEvent) -> FailedEventView:
    return FailedEventView(
        id=event.id,
        source=event.source,
        received_at=event.received_at,
        code=event.code,
        reason=event.reason,
        path=event.path,
        message_id=event.message_id,
        body=event.body.decode(errors="replace"),
        kind=event.kind,
        retried_at=event.retried_at,
    )


def _show_place(letter: Letter) -> str:
    return f"{letter.dead_at or 0}-{letter.action.id}"


def _read_place(cursor: str | None) -> Place | None:
    if cursor is None:
        return None
    dead_at, _, action_id = cursor.partition("-")
    return int(dead_at), action_id
