"""Controls: the house's own events that change what is in force, in the log like everything else."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from sojourn.model.event import EMPTY, OUR_SOURCE, Entry, Event
from sojourn.model.ids import derive

CONTROL_USER = "$control"
"""Whose events they are in the log: nobody's, for no profile is made of it."""

PUBLISH, PAUSE, RESUME, STOP, RELEASE, LEARNT, PLAY, PLAYED, FORGET, MOVED, LEFT = (
    "$publish",
    "$pause",
    "$resume",
    "$stop",
    "$release",
    "$learnt",
    "$play",
    "$played",
    "$forget",
    "$moved",
    "$left",
)
CONTROLS = frozenset({PUBLISH, PAUSE, RESUME, STOP, RELEASE, LEARNT, PLAY, PLAYED, FORGET, MOVED, LEFT})
"""`$moved` says what was in force where an installation was moved here from; `$left`, that all from here on
is another installation's."""

Taking = Literal["pin", "follow", "map"]
"""What becomes of the people inside older versions: they stay, or go along, some by a map of states."""

TAKINGS: tuple[Taking, ...] = ("pin", "follow", "map")


class Change(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One journey's new version."""

    journey: str
    version: str
    text: str
    policy: Taking = "pin"
    states: dict[str, str] = {}
    """State of an older version -> state of this one; one not named stays where it is."""


class Publishing(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What `$publish` says: only what differs from what is in force."""

    changes: list[Change] = []
    removed: list[str] = []
    """Journeys nobody enters any more; people inside go on."""
    shared: list[str] | None = None
    """The definitions that belong to no single journey, whole; None: as they were."""
    ranks: dict[str, int] | None = None
    session_gap_ms: int | None = None


class Holding(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What `$pause` and `$resume` say; `$stop` and `$release`, `$play` and `$played` say nothing."""

    journey: str = ""


class Learnt(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What `$learnt` says: it replaces what was learnt of the same goals and experiments."""

    forecasts: dict[str, dict[str, float]] = {}
    allocations: dict[str, dict[str, list[float]]] = {}
    """Experiment -> cell of its context -> weights in the order of the variants."""
    arms: dict[str, list[str]] = {}
    """Experiment -> the variants whose weights these are; of one left out, those in force."""


class Forgetting(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What `$forget` says: who is forgotten; of whom, once they are, only what is no person's is left."""

    request: str
    """Drawn, so that it leads to nobody."""
    by: str = ""
    reason: str = ""
    marks: list[str] = []
    """Keyed hashes of the ids: of `users`, then of `devices`."""
    users: list[str] = []
    devices: list[str] = []
    """Ids at which a life may have been lived without a name; those of `users` among them."""
    shared: list[str] = []
    """Devices of others, too, that are left when the ids are gone."""

    def pseudonym(self, user_id: str) -> str:
        """Return what stands for a user of theirs, where others need to know that somebody was there."""
        return f"{self.pseudonyms}{self.users.index(user_id)}"

    @property
    def pseudonyms(self) -> str:
        """What the pseudonyms of this request begin with."""
        return f"{PSEUDONYM}{self.request}:"


_read_forgetting = msgspec.json.Decoder(Forgetting).decode

PSEUDONYM = "forgotten:"
"""What stands in the place of a user's id begins with it."""


def is_control(event: Event) -> bool:
    """Tell whether an event changes what is in force; from another source such a name is any event's."""
    return event.source == OUR_SOURCE and event.name in CONTROLS


def control_event(name: str, payload: Struct | dict[str, Any], *, after: int, now: int) -> Event:
    """Make a control for the log.

    `after` is the position up to which whoever asks for it has seen the log: said twice from there, it is a
    duplicate.
    """
    assert name in CONTROLS
    body = msgspec.json.encode(payload)
    return _control(name, body, message_id=derive("control", name, str(after), body.decode()), now=now)


def forget_event(forgetting: Forgetting, *, now: int) -> Event:
    """Make the control that forgets somebody; its message is named by the request, not by their ids."""
    return _control(FORGET, msgspec.json.encode(forgetting), message_id=forgetting.request, now=now)


def read_forgetting(event: Event) -> Forgetting | None:
    """Read who is forgotten by an event; None where nobody is."""
    if event.name != FORGET or event.source != OUR_SOURCE:
        return None
    return _read_forgetting(event.properties)


def told_to_others(entry: Entry) -> Entry:
    """Return an entry as others may keep it: who is forgotten by a control is in the log alone."""
    if entry.event.name != FORGET or entry.event.source != OUR_SOURCE:
        return entry
    return replace(entry, event=replace(entry.event, properties=EMPTY))


def _control(name: str, body: bytes, *, message_id: str, now: int) -> Event:
    return Event(
        source=OUR_SOURCE,
        message_id=message_id,
        kind="track",
        name=name,
        occurred_at=now,
        received_at=now,
        user_id=CONTROL_USER,
        properties=Raw(body),
    )
