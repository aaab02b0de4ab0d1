"""Entering: somebody enters a journey because a program of the operator's says so.

The call becomes an event of the house's own, appended to the log by the same door as every other: so it is
durable before it is answered, taken once, and whether the person entered is a fact like any.
"""

from __future__ import annotations

import secrets
import time
from typing import Annotated, Any, Protocol

import msgspec
from litestar import post
from litestar.exceptions import NotFoundException, ValidationException
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import ResponseSpec
from litestar.params import Body, Parameter
from msgspec import Meta, Raw, Struct

from sojourn.model.event import ENTER, OUR_SOURCE, Event
from sojourn.model.ids import is_blocked_id
from sojourn.server.refusing import Refusal

MAX_ID_CHARS = 1_000
MAX_MESSAGE_ID_CHARS = 100  # as ingest allows.
MAX_PROPERTIES_BYTES = 32_768  # as ingest allows an event.

Id = Annotated[str, Meta(min_length=1, max_length=MAX_ID_CHARS)]
JourneyName = Annotated[str, Parameter(description="A journey that may be entered by a call.")]


class Enter(Struct, kw_only=True, forbid_unknown_fields=True):
    """Who is to enter a journey; exactly one of the two ids."""

    user_id: Id | None = None
    anonymous_id: Id | None = None
    key: Id | None = None
    """One enrolment at a time for each; null: as the journey's own `key` says."""
    properties: dict[str, Any] = {}
    """What the journey sees as `entry.properties`."""
    message_id: Annotated[str, Meta(min_length=1, max_length=MAX_MESSAGE_ID_CHARS)] | None = None
    """Sent again under the same one, the call is taken once; null: it is a new one."""


class Taken(Struct, kw_only=True):
    """A call that was taken; whether the person entered is a fact of theirs."""

    message_id: str
    is_new: bool
    """False where the same message was taken before."""


class Entrance(Protocol):
    """What lets people in, on the event loop; wiring answers."""

    def may_enter(self, journey: str) -> bool:
        """Tell whether a journey of that name is in force, and may be entered by a call."""

    async def let_in(self, event: Event) -> bool:
        """Make a call, written as an event, durable; return whether it is new."""


def entering(entrance: Entrance) -> HTTPRouteHandler:
    """Make the route."""
    full = ResponseSpec(
        Refusal, description="Nothing was kept; send the same again.", generate_examples=False
    )

    @post(
        "/api/v1/journeys/{name:str}/enter",
        summary="Let somebody enter a journey",
        tags=["journeys"],
        status_code=200,
        responses={503: full},
    )
    async def enter_journey(name: JourneyName, data: Annotated[Enter, Body()]) -> Taken:
        """Let a person enter a journey that allows it (`entry: { api: true }`).

        Its guard, key, re-entry and group hold as for any other entry.
        """
        if not entrance.may_enter(name):
            raise NotFoundException(f"no journey {name[:MAX_ID_CHARS]!r} may be entered by a call")
        message_id = data.message_id or secrets.token_hex(16)
        now = time.time_ns() // 1_000_000
        event = enter_event(name, data, message_id=message_id, now=now)
        return Taken(message_id=message_id, is_new=await entrance.let_in(event))

    return enter_journey


def enter_event(journey: str, wanted: Enter, *, message_id: str, now: int) -> Event:
    """Write a call as an event; raises ValidationException where it names nobody, or two."""
    if (wanted.user_id is None) == (wanted.anonymous_id is None):
        raise ValidationException("expected exactly one of user_id and anonymous_id")
    if is_blocked_id(wanted.user_id or wanted.anonymous_id or ""):
        raise ValidationException("this id means nobody; send the one your system knows the person by")
    said = {"journey": journey, "key": wanted.key, "properties": wanted.properties}
    properties = msgspec.json.encode(said)
    if len(properties) > MAX_PROPERTIES_BYTES:
        raise ValidationException(f"expected properties of at most {MAX_PROPERTIES_BYTES:,} bytes")
    return Event(
        source=OUR_SOURCE,
        message_id=f"enter:{journey}:{message_id}",
        kind="track",
        name=ENTER,
        occurred_at=now,
        received_at=now,
        user_id=wanted.user_id,
        anonymous_id=wanted.anonymous_id,
        properties=Raw(properties),
    )
