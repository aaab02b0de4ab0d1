"""States: what is kept for a device, for a user id and for a person, between turns.

The structs here are mutated, and only inside a turn: the runtime hands a state over and gets it back.
Copying them for every event cost 6 us of the 40 an event may take. Nobody outside the engine looks inside
one.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from sojourn.engine.friction_state import Friction
from sojourn.engine.statechart import Machine
from sojourn.model.errors import ConfigError
from sojourn.model.ids import EnrolmentId, SessionId
from sojourn.model.turn import Stage


class Trait(Struct, array_like=True, frozen=True):
    """A fact about a person; the newest one wins, whatever the order of arrival."""

    at: int
    """When it was said (the event's own time), ms."""
    message_id: str
    """Breaks ties."""
    value: Any


class Zone(Struct, array_like=True):
    """A person's time zone: the better source wins, and of one source the newest word."""

    at: int
    message_id: str
    value: str
    rank: int
    """How good the source is: 0 an address, 1 a device, 2 a trait."""


class Counter(Struct, array_like=True):
    """How often one event happened: kept only for events some definition asks about."""

    n: int = 0
    last_at: int = 0
    times: list[int] = []
    """The newest instants inside the longest window asked for, ascending; at most MAX_TIMES."""


class Session(Struct, array_like=True):
    """One visit, as the events seen so far cut it."""

    id: SessionId
    started_at: int
    ended_at: int
    """The instant of its last event."""
    n_events: int
    channel: str
    first_id: str
    """The message that began it: breaks ties of `started_at`."""
    client_id: str = ""
    """The client's own session id; empty where the gap cut it."""
    steps: dict[str, int] = {}
    """Visits, of the steps some definition asks about."""
    furthest_rank: int = -1
    latest_rank: int = -1
    latest_ranked_at: int = 0
    is_ended: bool = False
    """A fact has said so."""
    last_step: str = ""
    """The latest step taken in it; of two at one instant, the one whose name comes last."""
    last_step_at: int = 0


class EntryEvent(Struct, array_like=True, frozen=True):
    """The event that began an enrolment, kept for its guards and templates."""

    name: str
    at: int
    occurred_at: int
    message_id: str
    properties: bytes
    """A JSON object."""


class Enrolment(Struct, array_like=True):
    """One person (and key) inside one journey."""

    id: EnrolmentId
    journey: str
    version: str
    key: str
    entered_at: int
    entry: EntryEvent
    machine: Machine
    n: int = 0
    """Effects so far: names the next one."""
    is_held_out: bool = False
    is_shadow: bool = False
    """Entered by imported history: it moves, and nothing it wants is sent."""
    wake: int = 0
    """When its earliest timer is due, ms; 0 where none runs."""
    revision: int = 0
    """Of the last publishing when it got its version: a later one may take it along."""
    parent: str = ""
    """The enrolment that called this journey; empty where it was entered by itself."""
    holdout: str = ""
    """Which hold-out keeps it back: `global`, `journey`, or none."""
    caller: str = ""
    """The parent's state that called this journey."""
    hour: int = 0
    """The hour of the log's clock in which it acted last."""
    n_in_hour: int = 0
    """How often it acted, or called a journey, in that hour."""


class Memory(Struct, array_like=True):
    """What a profile remembers of a journey it was in."""

    n_entered: int = 0
    last_exit_at: int = 0
    keys: list[str] = []
    """The newest keys that entered, at most MAX_KEYS."""
    unit: str = ""
    """What the journey's hold-out hashes: the id the person had when it was asked first."""
    exits: dict[str, int] = {}
    """Key -> its last exit, ms: those that are still cooling down, where the journey has a cooldown."""
    hour: int = 0
    """The hour of the log's clock in which it last began without an event from outside."""
    n_in_hour: int = 0
    """How often it did so in that hour."""


class Consent(Struct, array_like=True, frozen=True):
    """What a person said of one channel or topic; the newest word wins, whatever the order of arrival."""

    at: int
    message_id: str
    granted: bool


class Wanted(Struct, array_like=True, frozen=True):
    """An action a journey wants, until it is decided; kept where it is put off."""

    due: int
    """When it is decided again, ms."""
    action_id: str
    sink: str
    channel: str
    topic: str
    expires_at: int
    enrolment_id: EnrolmentId
    journey: str
    version: str
    state: str
    body: bytes
    """Rendered when it was wanted: a JSON object."""
    holdout: str = ""
    """Which hold-out keeps its enrolment back: `global`, `journey`, or none."""
    node_holdout: float = 0.0
    """The share of people who do not get what its state does, 0 to 1."""


class Met(Struct, array_like=True):
    """An experiment the person was exposed to; the variant stands in `Life.variants`."""

    at: int
    """When, ms."""
    variant: str
    context: str = ""
    """The cell whose weights drew."""
    until: int = 0
    """Until when what follows rewards the variant, ms; 0: nothing does, or it is rewarded."""
    has_conflict: bool = False
    """Another variant of it was met, too, and a fact has said so."""


class Pacing(Struct, array_like=True):
    """What consent, caps and quiet hours need to know of a person."""

    consent: dict[str, Consent] = {}
    """`email` or `email/newsletter` -> what was said last."""
    sent: dict[str, list[int]] = {}
    """Channel -> when something was sent by it, ascending, no older than the longest cap."""
    deferred: list[Wanted] = []
    """The next one due first; of those due together, the one wanted first."""


class Life(Struct, array_like=True):
    """One person's life so far: the profile."""

    user_ids: list[str] = []
    """The profile's own first; then those an alias brought."""
    anonymous_ids: list[str] = []
    first_seen_at: int = 0
    last_seen_at: int = 0
    n_events: int = 0
    traits: dict[str, Trait] = {}
    counters: dict[str, Counter] = {}
    sessions: list[Session] = []
    """By their start; no older than the lateness an event may have."""
    enrolments: list[Enrolment] = []
    """Active ones, in the order of entry."""
    memories: dict[str, Memory] = {}
    variants: dict[str, str] = {}
    """Experiment -> the variant the person met, and keeps."""
    unit: str = ""
    """What the global hold-out and those of channels hash: the id the person had when asked first."""
    time_zone: Zone | None = None
    """The person's own, where an event said it."""
    segments: dict[str, int] = {}
    """The segments the person is in -> since when, ms."""
    segments_due: int = 0
    """When time alone may next change that, ms; 0: never."""
    pacing: Pacing | None = None
    finished: list[Enrolment] = []
    """Over, and their goals can still be reached."""
    schedules: dict[str, int] = {}
    """Journey -> its next scheduled entry, ms."""
    n_sessions: int = 0
    step: str = ""
    """The last step of the current visit."""
    revision: int = -1
    """That of the publishing the person was last brought up to date with; -1: never yet."""
    friction: Friction | None = None
    """Kept where some definition in force asks for it."""
    met: dict[str, Met] = {}
    """Experiment -> the exposure to it: told once."""


class Tie(Struct, array_like=True):
    """Whose device this is (stage identity): the person's name, or the unnamed life itself."""

    owner: str | None = None
    owners: list[str] = []
    """Everybody who named it so far."""
    is_shared: bool = False
    """Too many people named it: what it does without a name is nobody's."""
    life: Life | None = None
    is_user: bool = False
    """An alias met the id before any device did: it may be a user's, whose pointer follows each alias."""


class Pointer(Struct, array_like=True):
    """Where a user id's events go now (stage alias)."""

    to: str | None = None
    ever: list[str] = []
    """Everybody it ever pointed to, the newest MAX_POINTED: their pasts cannot be told from its own."""


State = Tie | Pointer | Life

_TYPES: dict[Stage, type[Any]] = {"identity": Tie, "alias": Pointer, "profile": Life}
_encoder = msgspec.msgpack.Encoder()
_decoders = {stage: msgspec.msgpack.Decoder(kind) for stage, kind in _TYPES.items()}
_life_decoder = msgspec.msgpack.Decoder(Life)
_ARRAYS = 0x80  # and above: what MessagePack's arrays begin with, while a small number is a byte below.


def encode(state: State) -> bytes:
    """Turn a state into the bytes every runtime stores."""
    return _encoder.encode(state)


def decode(stage: Stage, raw: bytes) -> State:
    """Turn stored bytes, of this release or an older one, back into a state.

    Raises ConfigError where this release cannot read them: what was lived is not thrown away.
    """
    try:
        state: State = _decoders[stage].decode(raw)
    except msgspec.DecodeError as error:
        raise _unreadable(stage, raw, error) from error
    return state


def decode_life(raw: bytes) -> Life:
    """Turn the bytes of a life that moved forward back into one."""
    try:
        return _life_decoder.decode(raw)
    except msgspec.DecodeError as error:
        raise _unreadable("profile", raw, error) from error


def _unreadable(stage: Stage, raw: bytes, error: msgspec.DecodeError) -> ConfigError:
    # Every state of today is an array. A layout that they could not grow into would begin with its number.
    if raw and raw[0] < _ARRAYS:
        said = f"it is of layout {raw[0]}, and this release reads layout 1"
    else:
        said = f"{error}"
    return ConfigError(
        f"a state of stage {stage} cannot be read: {said}; nothing was changed: go back to the release that "
        "wrote it, or forward to one that reads it [state-unreadable]"
    )
