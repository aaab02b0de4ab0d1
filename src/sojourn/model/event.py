"""Events: what an SDK saw a person do, as the log keeps it."""

from __future__ import annotations

from typing import Literal

from msgspec import Raw, Struct

from sojourn.model.ids import digest

Kind = Literal["track", "identify", "page", "screen", "group", "alias"]

EMPTY = Raw(b"{}")

OUR_SOURCE = "sojourn"
"""The source under which the house itself appends events; nobody else may have the name."""

OUTCOMES = frozenset({"$delivered", "$delivery_failed", "$delivery_expired"})
"""Names of the events the outbox appends: what became of an action."""

ENTER = "$enter"
"""The house's own event by which the API lets somebody enter: `journey`, `key`, `properties`."""

SEGMENT, SCHEDULE = "$segment", "$schedule"
"""The events that are made of somebody joining a segment, or of a journey's time; they pass no log."""

EXPOSED = "$exposed"
"""The house's own event that says that a decision exposed somebody to an experiment."""

ERASED = "$erased"
"""What stands in the place of an event of somebody who was forgotten: it moves nothing."""

OURS = OUTCOMES | {ENTER, EXPOSED, SEGMENT, SCHEDULE, ERASED}
"""Names that only the house gives: from anybody else, such an event is a step and moves nothing."""


class Device(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What a user agent says of its device, as the lookup in force at the door answered."""

    browser: str = ""
    os: str = ""
    kind: Literal["desktop", "mobile", "tablet", "tv", "bot", "other"] = "other"
    is_bot: bool = False


class Geo(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Where an address is, as the operator's database answered at the door."""

    country: str = ""
    region: str = ""
    city: str = ""
    time_zone: str = ""


class Event(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One normalised event.

    Every instant is in milliseconds since 1970 UTC. `properties`, `traits`, `context` and `integrations`
    stay the JSON bytes that came (always an object): nobody pays for what nobody reads.
    """

    source: str
    message_id: str
    kind: Kind
    name: str
    """The name of a `track`; `$page`, `$screen`, `$identify`, `$group`, `$alias` for the others."""

    occurred_at: int
    """When it happened by our clock: `timestamp` with the device's clock error taken out."""
    received_at: int
    """When the door had it, by our wall clock."""
    timestamp: int | None = None
    """When the device said it happened."""
    sent_at: int | None = None
    """When the device said it sent it."""

    anonymous_id: str | None = None
    user_id: str | None = None
    previous_id: str | None = None
    group_id: str | None = None
    session_id: str | None = None
    """The client's own session id, where its SDK cuts sessions."""

    properties: Raw = EMPTY
    traits: Raw = EMPTY
    context: Raw = EMPTY
    integrations: Raw = EMPTY

    ip: str | None = None
    """Truncated at the door (/24, /48) unless the operator says otherwise."""
    device: Device | None = None
    geo: Geo | None = None


class Entry(Struct, frozen=True, kw_only=True, gc=False):
    """An event with its place in the log."""

    position: int
    """From 1, without gaps, in the order of arrival."""
    at: int
    """The log's clock, in ms: never goes back along positions. Journeys live by it."""
    event: Event
    is_history: bool = False
    """Imported from before the log's clock: it fills profiles and sessions, and moves no journey."""
    is_shadow: bool = False
    """Imported: the enrolments it begins move, and nothing they want is sent."""


def is_erased(event: Event) -> bool:
    """Tell whether an event stands in the place of one of somebody who was forgotten."""
    return event.name == ERASED and event.source == OUR_SOURCE


class FailedEvent(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An event that was refused, kept with its reason so that it can be mended and replayed."""

    source: str
    received_at: int
    code: str
    """Kebab-case, one per reason: `missing-id`, `bad-type`, ..."""
    reason: str
    """What was expected, what came, what to do."""
    path: str = ""
    """Where in the request, as `batch[3].userId`."""
    body: bytes = b""
    """The event's own bytes, cut at a bound."""
    message_id: str | None = None
    id: int | None = None
    kind: Kind | None = None
    """The kind that its path named, where it came alone (`/v1/track`)."""
    retried_at: int | None = None
    """When it was tried again and taken, ms."""

    @property
    def mark(self) -> bytes | None:
        """What a log keeps it once by; None: however often it comes, it cannot be told from another."""
        return None if self.message_id is None else digest(self.source, self.message_id, self.code)
