"""Rehearsals: drafts over the server's own history, or over invented people, asked for over HTTP."""

from __future__ import annotations

from typing import Annotated, Literal, Protocol

from litestar import delete, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import ResponseSpec
from litestar.params import Body, Parameter
from msgspec import Meta, Struct

from sojourn.model.authored import RehearsalView
from sojourn.server.asked import Definition
from sojourn.server.refusing import Refusal

MAX_REHEARSED = 100  # files in one rehearsal.
MAX_REHEARSED_BYTES = 4 << 20
MAX_PEOPLE = 100_000  # invented for one rehearsal over HTTP; the command line takes more.
MAX_DAYS = 365
MAX_INSTANT = 1 << 53


class Rehearse(Struct, kw_only=True, forbid_unknown_fields=True, rename={"since": "from", "until": "to"}):
    """What is to be rehearsed."""

    kind: Literal["replay", "simulate"]
    definitions: Annotated[list[Definition], Meta(min_length=1, max_length=MAX_REHEARSED)]
    """The drafts, each in the place of what it names; all else is as it is in force."""
    since: Annotated[int, Meta(ge=0, le=MAX_INSTANT)] | None = None
    """Of a replay: from this instant on, ms; what lies before only fills profiles."""
    until: Annotated[int, Meta(ge=0, le=MAX_INSTANT)] | None = None
    """Of a replay: up to this instant, ms; null: to the last event."""
    last: Annotated[str, Meta(pattern=r"^[1-9][0-9]{0,4}[smhdw]$")] | None = None
    """Of a replay: instead of `since`, such as `7d`."""
    n_people: Annotated[int, Meta(ge=1, le=MAX_PEOPLE)] = 1_000
    """Of a simulation."""
    days: Annotated[int, Meta(ge=1, le=MAX_DAYS)] = 30
    """Of a simulation."""
    seed: Annotated[int, Meta(ge=0, le=MAX_INSTANT)] = 1
    """Of a simulation: another number, other people."""
    n_examples: Annotated[int, Meta(ge=0, le=100)] = 3
    """So many people's stories."""


class Rehearsing(Protocol):
    """What rehearses, on the event loop; wiring answers."""

    async def start(self, asked: Rehearse) -> RehearsalView:
        """Put a rehearsal into the queue; raises InputError, and UnavailableError where too many wait."""

    def rehearsals(self) -> list[RehearsalView]:
        """Return those that are remembered, the newest first, without their reports."""

    def rehearsal(self, rehearsal_id: str) -> RehearsalView:
        """Return one; raises InputError where there is none."""

    async def cancel(self, rehearsal_id: str) -> RehearsalView:
        """End one, where it has not ended; raises InputError where there is none."""


Id = Annotated[str, Parameter(description="A rehearsal's id.", max_length=100)]


def rehearsing(house: Rehearsing) -> list[HTTPRouteHandler]:
    """Make the routes of rehearsals."""
    full = ResponseSpec(Refusal, description="Too many wait; ask again later.", generate_examples=False)

    @post(
        "/api/v1/rehearsals",
        summary="Rehearse drafts",
        tags=["authoring"],
        status_code=200,
        request_max_body_size=MAX_REHEARSED_BYTES,
        responses={503: full},
    )
    async def start_rehearsal(data: Annotated[Rehearse, Body()]) -> RehearsalView:
        """Replay drafts over this server's log, or let invented people live with them; nothing is sent."""
        return await house.start(data)

    @get("/api/v1/rehearsals", summary="Rehearsals", tags=["authoring"])
    async def list_rehearsals() -> list[RehearsalView]:
        """Those that are remembered, the newest first; a report is with its own rehearsal."""
        return house.rehearsals()

    @get("/api/v1/rehearsals/{rehearsal_id:str}", summary="One rehearsal", tags=["authoring"])
    async def get_rehearsal(rehearsal_id: Id) -> RehearsalView:
        """How far it is and, once it is done, what it came to."""
        return house.rehearsal(rehearsal_id)

    @delete(
        "/api/v1/rehearsals/{rehearsal_id:str}",
        summary="Cancel a rehearsal",
        tags=["authoring"],
        status_code=200,
    )
    async def cancel_rehearsal(rehearsal_id: Id) -> RehearsalView:
        """End it where it waits or runs; one that has ended stays as it is."""
        return await house.cancel(rehearsal_id)

    return [start_rehearsal, list_rehearsals, get_rehearsal, cancel_rehearsal]
