"""Forgetting: an admin asks that a person be forgotten, and what became of it (GDPR, Article 17)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Protocol
from urllib.parse import quote, unquote

from litestar import Request, get, post
from litestar.datastructures import State
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.spec import Example
from litestar.params import Body, Parameter
from msgspec import Meta, Struct

from sojourn.model.views import ForgottenRow, ForgottenView
from sojourn.server.access.callers import caller_of
from sojourn.server.http import App, Scope, Send
from sojourn.server.ingest.door import Receive

BEFORE, AFTER = "/api/v1/people/", "/forget"
MAX_ID_CHARS = 1_000
MAX_REASON_CHARS = 500
MAX_ALSO = 100

AnyId = Annotated[
    str,
    Parameter(
        description="A user id or an anonymous id, as the SDK sends it, percent-encoded.",
        examples=[Example(summary="a user id", value="ada")],
    ),
]
Id = Annotated[str, Meta(min_length=1, max_length=MAX_ID_CHARS)]


class Forget(Struct, kw_only=True, forbid_unknown_fields=True):
    """That somebody is to be forgotten."""

    confirm: Annotated[str, Meta(max_length=MAX_ID_CHARS)] = ""
    """The id of the path once more: there is no way back."""
    reason: Annotated[str, Meta(max_length=MAX_REASON_CHARS)] = ""
    """Why, for the ledger: a ticket's number, and nothing personal."""
    also: Annotated[list[Id], Meta(max_length=MAX_ALSO)] = []
    """User ids to forget as well, to which an alias tied this person that was taken back since."""
    dry_run: bool = False
    """Show what would go, and change nothing."""


class Forgetters(Protocol):
    """What forgets people, on the event loop; wiring does it."""

    async def forget(self, any_id: str, asked: Forget, *, by: str) -> ForgottenView:
        """Forget a person, or show what that would take; raises InputError where it is not to be done so."""

    def forgotten(self) -> Sequence[ForgottenRow]:
        """Return the ledger, newest first."""


FORGET_VIEWS = (Forget, ForgottenView, ForgottenRow)


def path_of(any_id: str) -> str:
    """Return the path at which somebody is forgotten."""
    return f"{BEFORE}{quote(any_id, safe='')}{AFTER}"


def id_of(path: str) -> str:
    """Return whom a path, percent-encoded, forgets."""
    return unquote(path.removeprefix(BEFORE).removesuffix(AFTER))


def with_whole_ids(app: Any) -> App:
    """Let the framework route an id with slashes in it as one part of the path: as it was sent, encoded."""

    async def routed(scope: Scope, receive: Receive, send: Send) -> None:
        raw = scope.get("raw_path", b"").partition(b"?")[0].decode("latin-1")
        if raw.startswith(BEFORE) and raw.endswith(AFTER):
            scope = {**scope, "path": f"{BEFORE}{quote(id_of(raw), safe='')}{AFTER}"}
        await app(scope, receive, send)

    return routed


def forget_routes(forgetters: Forgetters) -> list[HTTPRouteHandler]:
    """Make the routes."""

    @post("/api/v1/people/{any_id:str}/forget", summary="Forget a person", tags=["people"], status_code=200)
    async def forget_person(
        request: Request[object, object, State], any_id: AnyId, data: Annotated[Forget, Body()]
    ) -> ForgottenView:
        """End a person's life at this instant, and erase everything that is kept of them, in the background.

        All ids of theirs go. Asked again, it finds nothing and says so. What was delivered already is with
        its receivers.
        """
        return await forgetters.forget(unquote(any_id), data, by=caller_of(request.scope).name)

    @get("/api/v1/forgotten", summary="Who was forgotten", tags=["people"], sync_to_thread=False)
    def list_forgotten() -> list[ForgottenRow]:
        """The ledger, newest first: when, by whom, why and how much; nothing in it is personal."""
        return list(forgetters.forgotten())

    return [forget_person, list_forgotten]
