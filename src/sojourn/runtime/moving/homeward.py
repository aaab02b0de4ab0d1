"""Homeward: what the topics of a cluster hold, as a data folder has it.

A control, `$left`, is where it parts: each shard does what is due by it and then nothing more, so the newest
of every state is the one to take, and entries behind it are what the folder begins with.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Sequence

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from sojourn.definitions.controls import LEFT, MOVED, read_forgetting
from sojourn.definitions.publishing import Arrival, InForce, apply_control
from sojourn.engine.forgetting import erased_control, people_of, tombstone
from sojourn.engine.records import decode_saved
from sojourn.engine.state import Life, Tie, decode
from sojourn.model.event import EMPTY, OUR_SOURCE, OUTCOMES, Entry, Event
from sojourn.model.fact import Fact, Identified
from sojourn.model.ids import ProfileId
from sojourn.model.ports import Write
from sojourn.model.turn import STAGES, Key, Stage

Mark = tuple[int, int]
"""(at, position) of a control."""

_MARK = "mark"


class Standing(Struct, frozen=True, kw_only=True):
    """What the controls of a cluster come to, up to the last that counts."""

    left: Mark | None
    """Where it parts; None: nobody said so yet."""
    in_force: InForce
    arrival: Arrival | None
    """What was moved there; None: it began there."""
    arrived_at: int
    """The instant of that, ms."""
    forgotten: dict[str, Mark]
    """Id of a user, or of a device that nobody else named -> where they were forgotten last."""
    gone: dict[ProfileId, int]
    """Their profiles -> the instant of it, ms."""


def standing_of(controls: Sequence[Entry], first: InForce) -> Standing:
    """Read controls, in their order."""
    in_force, arrival, arrived_at = first, None, 0
    left: Mark | None = None
    forgotten: dict[str, Mark] = {}
    gone: dict[ProfileId, int] = {}
    for entry in controls:
        in_force = apply_control(in_force, entry)
        if entry.event.name == MOVED:
            arrival, arrived_at = msgspec.json.decode(entry.event.properties, type=Arrival), entry.at
        if (forgetting := read_forgetting(entry.event)) is not None:
            own = set(forgetting.users) | (set(forgetting.devices) - set(forgetting.shared))
            forgotten |= dict.fromkeys(own, (entry.at, entry.position))
            gone |= dict.fromkeys(people_of(forgetting, shared=forgetting.shared), entry.at)
        if entry.event.name == LEFT:
            left = (entry.at, entry.position)
            break
    return Standing(
        left=left, in_force=in_force, arrival=arrival, arrived_at=arrived_at, forgotten=forgotten, gone=gone
    )


def taken_home(entry: Entry, standing: Standing) -> Entry:
    """Return an entry as the folder is to have it: of people who were forgotten nothing is left."""
    event = entry.event
    if read_forgetting(event) is not None:
        return erased_control(entry)
    if event.source == OUR_SOURCE and event.name == MOVED:  # what it says is all in force, or older controls'
        return replace(entry, event=replace(event, properties=EMPTY))
    place = (entry.at, entry.position)
    for name in (event.user_id, event.anonymous_id, event.previous_id):
        if name is not None and place < standing.forgotten.get(name, (0, 0)):
            return tombstone(entry)
    return entry


def is_kept(fact: Fact, standing: Standing) -> bool:
    """Tell whether a fact is of nobody who was forgotten after it."""
    return fact.at > standing.gone.get(fact.profile_id, -1)


def state_of(name: str, value: bytes | None) -> Write | None:
    """Read a record of the states; None where it is a mark."""
    kind, _, key = name.partition("|")
    stage = _stage(kind)
    if stage is None:
        return None
    if value is None:
        return Write((stage, key), None, None, b"", forget=True)
    saved = decode_saved(value)
    return Write((stage, key), saved.state, saved.wake or None, b"")


def _stage(name: str) -> Stage | None:
    return next((stage for stage in STAGES if stage == name), None)


class Marks:
    """Which shards have come to a control, by the records of the states."""

    def __init__(self, n_shards: int, left: Mark) -> None:
        self.awaited = {f"{_MARK}|{stage}|{shard}" for stage in STAGES for shard in range(n_shards)}
        """The names of those that have not."""
        self.n_shards = len(self.awaited)
        self._left = left

    def take(self, name: str, value: bytes | None) -> None:
        """Look at a record."""
        if name in self.awaited and value is not None:
            saved = decode_saved(value)
            if (saved.at, saved.position) >= self._left:
                self.awaited.discard(name)


def owner_of(fact: Fact) -> Key:
    """Return the key whose fact it is, as the store of one machine keeps it."""
    kind, _, own = fact.profile_id.partition(":")
    if kind == "a":
        return "identity", own
    # A pointer tells of the user it points to; a profile, of the device that came to it.
    is_pointer = isinstance(fact, Identified) and not fact.anonymous_id and fact.how in ("alias", "unalias")
    return ("alias" if is_pointer else "profile"), own


class People:
    """Who is in which state of which version, counted anew from the states."""

    def __init__(self) -> None:
        self.states: dict[tuple[str, str], Counter[str]] = {}

    def take(self, write: Write) -> None:
        """Count a state."""
        stage, _ = write.key
        if stage == "alias" or write.state is None:
            return
        state = decode(stage, write.state)
        life = state.life if isinstance(state, Tie) else state
        if not isinstance(life, Life):
            return
        for each in life.enrolments:
            self.states.setdefault((each.journey, each.version), Counter()).update(each.machine.active)


def is_done(outcome: Event, open_: Container[str]) -> str | None:
    """Return the id of an action that waits in a topic, though the log says what became of it."""
    if outcome.source != OUR_SOURCE or outcome.name not in OUTCOMES:
        return None
    action_id, _, _ = outcome.message_id.rpartition(":")
    return action_id if action_id in open_ else None


def facts_by_key(facts: Iterable[Fact]) -> dict[Key, list[Fact]]:
    """Sort facts by whose they are; each keeps their order."""
    found: dict[Key, list[Fact]] = {}
    for fact in facts:
        found.setdefault(owner_of(fact), []).append(fact)
    return found
