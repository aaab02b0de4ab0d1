"""The read-only API: people, journeys, failures and status, behind an admin token, described by OpenAPI."""

from __future__ import annotations

from collections.abc import Sequence
from hmac import compare_digest
from typing import Annotated, Any, Protocol

from litestar import Litestar, get
from litestar.connection import ASGIConnection
from litestar.exceptions import NotAuthorizedException, NotFoundException
from litestar.handlers.base import BaseRouteHandler
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme
from litestar.params import Parameter
from msgspec import Struct

from sojourn import __version__
from sojourn.model.action import Letter
from sojourn.model.event import FailedEvent
from sojourn.model.views import JourneyView, ProfileView, StatusView

MAX_PAGE = 1_000  # rows in one answer.

Limit = Annotated[int, Parameter(ge=1, le=MAX_PAGE, description="Rows at most.")]
Before = Annotated[
    int | None, Parameter(ge=1, le=1 << 62, description="Ids below this one: the last id seen.")
]


class Readings(Protocol):
    """What the API may ask; wiring answers."""

    def profile(self, any_id: str, *, limit: int) -> ProfileView | None:
        """Find a person by any id."""

    def journeys(self) -> list[JourneyView]:
        """Return every journey somebody can be in."""

    def failed(self, *, limit: int, before: int | None) -> Sequence[FailedEvent]:
        """Return failed events, newest first."""

    def dead(self, *, limit: int) -> Sequence[Letter]:
        """Return dead letters, newest first."""

    def status(self) -> StatusView:
        """Return how the house is doing."""


class FailedEventView(Struct, kw_only=True):
    """A failed event, its bytes as text."""

    id: int | None
    source: str
    received_at: int
    code: str
    reason: str
    path: str
    message_id: str | None
    body: str


def make_api(readings: Readings, *, admin_token: str | None) -> Litestar:
    """Make the ASGI app of everything under `/api`; without an admin token it answers nothing but 401."""

    @get("/api/v1/profiles/{any_id:str}", summary="One person, by a user id or an anonymous id")
    async def get_profile(any_id: str, limit: Limit = 100) -> ProfileView:
        found = readings.profile(any_id, limit=limit)
        if found is None:
            raise NotFoundException(f"no profile has the id {any_id!r}")
        return found

    @get("/api/v1/journeys", summary="Journeys and how many people are where")
    async def list_journeys() -> list[JourneyView]:
        return readings.journeys()

    @get("/api/v1/failed-events", summary="Events that were refused, with reasons, newest first")
    async def list_failed_events(limit: Limit = 100, before: Before = None) -> list[FailedEventView]:
        return [_show(event) for event in readings.failed(limit=limit, before=before)]

    @get("/api/v1/dead-letters", summary="Actions that were given up, newest first")
    async def list_dead_letters(limit: Limit = 100) -> list[Letter]:
        return list(readings.dead(limit=limit))

    @get("/api/v1/status", summary="How far the engine is, and how much is kept")
    async def get_status() -> StatusView:
        return readings.status()

    return Litestar(
        [get_profile, list_journeys, list_failed_events, list_dead_letters, get_status],
        guards=[_Token(admin_token)],
        openapi_config=_describe(),
        logging_config=None,
    )


class _Token:
    """Lets a request in that carries the operator's token."""

    def __init__(self, token: str | None) -> None:
        self._token = token

    def __call__(self, connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
        del handler
        given = connection.headers.get("authorization", "")
        scheme, _, token = given.partition(" ")
        if self._token is None:
            raise NotAuthorizedException("set admin_token in the configuration to use the API")
        if scheme.lower() != "bearer" or not compare_digest(token.encode(), self._token.encode()):
            raise NotAuthorizedException("send the admin token as `Authorization: Bearer ...`")


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
    )


def _describe() -> OpenAPIConfig:
    bearer = SecurityScheme(type="http", scheme="bearer", description="The admin token of the configuration.")
    return OpenAPIConfig(
        title="Sojourn",
        version=__version__,
        description="What the engine knows. Read-only.",
        path="/api",
        components=Components(security_schemes={"admin": bearer}),
        security=[{"admin": []}],
        render_plugins=[JsonRenderPlugin(path="/openapi.json")],
    )
