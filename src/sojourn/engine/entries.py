"""Entries: who enters a journey, and who stays out and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

from msgspec import Raw, Struct

from sojourn.definitions.journey import Entry, Journey
from sojourn.engine import goals, statechart
from sojourn.engine.bounds import merge_ticks, too_many_entries
from sojourn.engine.deferred import cancel, withhold_all
from sojourn.engine.enrolments import MAX_EXITS, apply, leave
from sojourn.engine.holdouts import holdout_of
from sojourn.engine.holds import is_held
from sojourn.engine.inside import Inside, journey_of, tell
from sojourn.engine.ledger import Called, Ledger, Return
from sojourn.engine.objects import encode_json
from sojourn.engine.state import Enrolment, EntryEvent, Life, Memory
from sojourn.engine.view import View
from sojourn.model.event import ENTER, OUR_SOURCE, Event
from sojourn.model.fact import Entered, Exited, NotEntered
from sojourn.model.ids import EnrolmentId, derive

MAX_ENROLMENTS = 100  # active at once, per person: more is a definition whose key never repeats.
MAX_KEYS = 100  # remembered per journey for `reentry: never`.
MAX_ENTRIES_BYTES = 1 << 20  # of the events that began active enrolments, per person: eight of the largest.
MAX_KEY_CHARS = 200  # a longer key is known by its digest.


class Cause(Struct, frozen=True, kw_only=True, gc=False):
    """What brings a person to a journey's door."""

    event: Event
    """The event that came, or one made for a segment, a schedule or a call; it is kept as the entry's."""
    view: View
    """Sees that event."""
    key: Any = None
    """What a call says of the key; None: the journey's own expression does."""
    called: Called | None = None
    """The journey that wants it: then neither `when` nor a segment keeps the person out."""


class Refusal(Struct, frozen=True):
    """Why somebody stays out."""

    reason: Literal["already-in", "re-entry", "cooldown", "excluded", "paused", "no-key", "bound"]
    detail: str = ""


def made_cause(
    life: Life, name: str, ledger: Ledger, *, of: Sequence[str], properties: Mapping[str, Any]
) -> Cause:
    """Make the event of an entry that no event brought; it is named after its causes, `of` among them."""
    event = Event(
        source=OUR_SOURCE,
        message_id=derive(name, *of, ledger.profile_id, str(ledger.at), str(ledger.position)),
        kind="track",
        name=name,
        occurred_at=ledger.at,
        received_at=ledger.at,
        properties=Raw(encode_json(properties)),
    )
    return Cause(event=event, view=View(life, ledger.catalogue, at=ledger.at, unit=ledger.unit, event=event))


def enter(life: Life, journey: Journey, cause: Cause, ledger: Ledger) -> bool:
    """Let a person enter a journey, or say why not; returns whether they entered."""
    view = cause.view
    view.enrolment = None
    if cause.called is None and not _is_meant(life, journey.entry, view):
        return False
    key = _key(journey.entry, cause)
    refusal = Refusal("no-key") if key is None else _refusal(life, journey, cause, ledger, key=key)
    if key is None or refusal is not None:
        assert refusal is not None, "a missing key is refused"
        _note_refusal(journey, key or "", refusal, ledger)
        return False
    for rival, theirs in _rivals(life, journey, ledger):
        view.enrolment = rival
        leave(Inside(life, rival, theirs, view, ledger), reason="preempted", detail=journey.name)
    view.enrolment = enrolment = _enrol(life, journey, cause, ledger, key=key)
    step = statechart.start(journey.chart, view, at=ledger.at)
    apply(Inside(life, enrolment, journey, view, ledger), step)
    return True


def adopt(life: Life, other: Life, ledger: Ledger) -> None:
    """Bring an unnamed life's enrolments in; of two that exclude each other, the named one's stays.

    But for a higher priority: it takes the person over, as it would at an entry.
    """
    gone: set[str] = set()
    for enrolment in other.enrolments:
        if enrolment.parent in gone or not _takes_over(life, enrolment, ledger):
            gone.add(enrolment.id)
            cancel(other, enrolment.id, ledger, detail="merged")
            tell(enrolment, ledger, Exited, reason="merged", state=enrolment.machine.active)
            if enrolment.parent and enrolment.parent not in gone:
                ledger.returns.append(Return(enrolment.parent, enrolment.caller))
        else:
            life.enrolments.append(enrolment)
    life.enrolments.sort(key=lambda enrolment: (enrolment.entered_at, enrolment.id))
    for name, memory in other.memories.items():
        kept = life.memories.setdefault(name, Memory())
        kept.n_entered += memory.n_entered
        kept.last_exit_at = max(kept.last_exit_at, memory.last_exit_at)
        kept.keys = (kept.keys + [key for key in memory.keys if key not in kept.keys])[-MAX_KEYS:]
        kept.unit = kept.unit or memory.unit
        merge_ticks(kept, memory)
        exits = {key: max(at, kept.exits.get(key, 0)) for key, at in memory.exits.items()}
        newest_last = sorted({**kept.exits, **exits}.items(), key=lambda pair: (pair[1], pair[0]))
        kept.exits = dict(newest_last[-MAX_EXITS:])
    goals.adopt(life, other.finished, ledger)


def dismiss(other: Life, ledger: Ledger) -> None:
    """Say of an unnamed life that nobody takes in that its enrolments are over, and what they put off."""
    for enrolment in other.enrolments:
        tell(enrolment, ledger, Exited, reason="merged", state=enrolment.machine.active)
    if other.pacing is not None:
        withhold_all(other.pacing.deferred, ledger, detail="merged")


def _is_meant(life: Life, entry: Entry, view: View) -> bool:
    """Tell whether the journey is for this person now: by its guard, and by its segment as a condition."""
    if entry.when is not None and not entry.when.call(view):
        return False
    is_condition = entry.segment and (entry.names or entry.schedule is not None)
    return not is_condition or entry.segment in life.segments


def _refusal(life: Life, journey: Journey, cause: Cause, ledger: Ledger, *, key: str) -> Refusal | None:
    if is_held(journey.name, ledger):
        return Refusal("paused")
    n_bytes = len(cause.event.properties)
    refusal = _reason_to_stay_out(life, journey, key, n_bytes) or _cooling(life, journey, key, ledger)
    if refusal is not None:
        return refusal
    for _, theirs in _rivals(life, journey, ledger):
        if theirs.priority >= journey.priority:
            return Refusal("excluded", f"{theirs.name} of the group {journey.group}")
    if not _is_own(cause):
        return None
    excess = too_many_entries(life.memories.setdefault(journey.name, Memory()), ledger.at)
    return Refusal("bound", excess) if excess else None


def _is_own(cause: Cause) -> bool:
    """Tell whether nobody outside brought the person: an outcome, a segment, a schedule, a signal did."""
    return cause.event.source == OUR_SOURCE and cause.event.name != ENTER and cause.called is None


def _note_refusal(journey: Journey, key: str, refusal: Refusal, ledger: Ledger) -> None:
    ledger.note(
        NotEntered,
        journey=journey.name,
        version=journey.version,
        key=key,
        reason=refusal.reason,
        detail=refusal.detail,
    )


def _reason_to_stay_out(life: Life, journey: Journey, key: str, n_bytes: int) -> Refusal | None:
    reentry = journey.entry.reentry
    if reentry != "always":
        for enrolment in life.enrolments:
            if enrolment.journey == journey.name and enrolment.key == key:
                return Refusal("already-in")
    memory = life.memories.get(journey.name)
    if reentry == "never" and memory is not None and key in memory.keys:
        return Refusal("re-entry")
    n_kept_bytes = sum(len(enrolment.entry.properties) for enrolment in life.enrolments)
    is_full = len(life.enrolments) >= MAX_ENROLMENTS or n_kept_bytes + n_bytes > MAX_ENTRIES_BYTES
    return Refusal("bound") if is_full else None


def _cooling(life: Life, journey: Journey, key: str, ledger: Ledger) -> Refusal | None:
    """Refuse who left too short a while ago, key by key, as every rule of re-entry holds for a key."""
    cooldown_ms = journey.entry.cooldown_ms
    memory = life.memories.get(journey.name) if cooldown_ms else None
    left_at = memory.exits.get(key) if memory is not None else None
    if left_at is None or ledger.at >= left_at + cooldown_ms:
        return None
    until = datetime.fromtimestamp((left_at + cooldown_ms) / 1000, UTC)
    return Refusal("cooldown", f"until {until.isoformat(timespec='seconds')}")


def _rivals(life: Life, journey: Journey, ledger: Ledger) -> list[tuple[Enrolment, Journey]]:
    """Return what the person is in of the journey's group; the journey itself excludes no key of its own."""
    if not journey.group:
        return []
    each = [(enrolment, journey_of(enrolment, ledger)) for enrolment in life.enrolments]
    return [
        (enrolment, theirs)
        for enrolment, theirs in each
        if theirs is not None and theirs.group == journey.group and theirs.name != journey.name
    ]


def _takes_over(life: Life, enrolment: Enrolment, ledger: Ledger) -> bool:
    """Make room for an enrolment of an unnamed life; returns whether it may come in."""
    journey = journey_of(enrolment, ledger)
    if journey is None:
        return True
    if _reason_to_stay_out(life, journey, enrolment.key, len(enrolment.entry.properties)):
        return False
    rivals = _rivals(life, journey, ledger)
    if any(theirs.priority >= journey.priority for _, theirs in rivals):
        return False
    for rival, theirs in rivals:
        view = View(life, ledger.catalogue, at=ledger.at, unit=ledger.unit)
        view.enrolment = rival
        leave(Inside(life, rival, theirs, view, ledger), reason="preempted", detail=journey.name)
    return True


def _key(entry: Entry, cause: Cause) -> str | None:
    """Return the key of an entry: a call's own, else what the journey says; None where it lacks."""
    if cause.key is not None:
        return _key_of(cause.key)
    return "" if entry.key is None else _key_of(entry.key.call(cause.view))


def _key_of(value: Any) -> str | None:
    if not isinstance(value, str | int | float) or value == "":
        return None
    key = str(value)
    return key if len(key) <= MAX_KEY_CHARS else derive("key", key)


def _is_shadow(parent: Enrolment | None, ledger: Ledger) -> bool:
    """Tell whether history brings somebody in: an imported event, the time that an import plays, or a shadow.

    Somebody who was there before an import calls, when time moves them in it, as they would at any start.
    """
    if ledger.is_shadow:
        return True
    return ledger.catalogue.is_playing if parent is None else parent.is_shadow


def _enrol(life: Life, journey: Journey, cause: Cause, ledger: Ledger, *, key: str) -> Enrolment:
    memory = life.memories.setdefault(journey.name, Memory())
    memory.n_entered += 1
    if key not in memory.keys:
        memory.keys = [*memory.keys, key][-MAX_KEYS:]
    holdout: str = holdout_of(life, memory, journey, ledger)
    goals.begin_anew(life, journey.name, key)
    event, called = cause.event, cause.called
    parent = called.parent if called is not None else None
    if parent is not None:  # who is held out is so in all that follows
        holdout = parent.holdout or holdout
    named = (parent.id, str(called.n)) if parent and called else (event.source, event.message_id)
    enrolment = Enrolment(
        id=EnrolmentId(derive("enrolment", journey.name, key, *named)),
        journey=journey.name,
        version=journey.version,
        key=key,
        entered_at=ledger.at,
        entry=EntryEvent(event.name, ledger.at, event.occurred_at, event.message_id, bytes(event.properties)),
        machine=statechart.Machine(),
        is_held_out=holdout != "",
        is_shadow=_is_shadow(parent, ledger),
        holdout=holdout,
        revision=ledger.catalogue.renewed,
        parent=parent.id if parent is not None else "",
        caller=called.state if called is not None else "",
    )
    life.enrolments.append(enrolment)
    parent_id = parent.id if parent is not None else None
    told = {"key": key, "held_out": enrolment.is_held_out, "holdout": holdout, "parent": parent_id}
    tell(enrolment, ledger, Entered, **told)
    return enrolment
