"""Entries: who enters a journey, and who stays out and why."""

from __future__ import annotations

from typing import Any, Literal

from sojourn.definitions.journey import Journey
from sojourn.engine import statechart
from sojourn.engine.deferred import cancel, withhold_all
from sojourn.engine.enrolments import apply
from sojourn.engine.holdouts import holdout_of
from sojourn.engine.holds import is_held
from sojourn.engine.inside import Inside, journey_of, tell
from sojourn.engine.ledger import Ledger
from sojourn.engine.state import Enrolment, EntryEvent, Life, Memory
from sojourn.engine.view import View
from sojourn.model.event import Event
from sojourn.model.fact import Entered, Exited, NotEntered
from sojourn.model.ids import EnrolmentId, derive

MAX_ENROLMENTS = 100  # active at once, per person: more is a definition whose key never repeats.
MAX_KEYS = 100  # remembered per journey for `reentry: never`.
MAX_ENTRIES_BYTES = 1 << 20  # of the events that began active enrolments, per person: eight of the largest.
MAX_KEY_CHARS = 200  # a longer key is known by its digest.


def enter(life: Life, journey: Journey, event: Event, view: View, *, is_shadow: bool, ledger: Ledger) -> None:
    entry = journey.entry
    if entry.when is not None and not entry.when.call(view):
        return
    key = "" if entry.key is None else _key_of(entry.key.call(view))
    n_bytes = len(event.properties)
    reason: str | None = "no-key" if key is None else _reason_to_stay_out(life, journey, key, n_bytes)
    if is_held(ledger.catalogue, journey.name, ledger.at):
        reason = "paused"
    if key is None or reason is not None:
        ledger.note(NotEntered, journey=journey.name, version=journey.version, key=key or "", reason=reason)
        return
    view.enrolment = enrolment = _enrol(life, journey, event, ledger, key=key, is_shadow=is_shadow)
    step = statechart.start(journey.chart, view, at=ledger.at)
    apply(Inside(life, enrolment, journey, view, ledger), step)


def adopt(life: Life, other: Life, ledger: Ledger) -> None:
    """Bring an unnamed life's enrolments in; of two in the same journey and key, the named one's stays."""
    for enrolment in other.enrolments:
        journey = journey_of(enrolment, ledger)
        n_bytes = len(enrolment.entry.properties)
        if journey is not None and _reason_to_stay_out(life, journey, enrolment.key, n_bytes):
            cancel(other, enrolment.id, ledger, detail="merged")
            tell(enrolment, ledger, Exited, reason="merged", state=enrolment.machine.active)
        else:
            life.enrolments.append(enrolment)
    life.enrolments.sort(key=lambda enrolment: (enrolment.entered_at, enrolment.id))
    for name, memory in other.memories.items():
        kept = life.memories.setdefault(name, Memory())
        kept.n_entered += memory.n_entered
        kept.last_exit_at = max(kept.last_exit_at, memory.last_exit_at)
        kept.keys = (kept.keys + [key for key in memory.keys if key not in kept.keys])[-MAX_KEYS:]
        kept.unit = kept.unit or memory.unit


def dismiss(other: Life, ledger: Ledger) -> None:
    """Say of an unnamed life that nobody takes in that its enrolments are over, and what they put off."""
    for enrolment in other.enrolments:
        tell(enrolment, ledger, Exited, reason="merged", state=enrolment.machine.active)
    if other.pacing is not None:
        withhold_all(other.pacing.deferred, ledger, detail="merged")


def _reason_to_stay_out(
    life: Life, journey: Journey, key: str, n_bytes: int
) -> Literal["already-in", "re-entry", "bound"] | None:
    reentry = journey.entry.reentry
    if reentry != "always":
        for enrolment in life.enrolments:
            if enrolment.journey == journey.name and enrolment.key == key:
                return "already-in"
    memory = life.memories.get(journey.name)
    if reentry == "never" and memory is not None and key in memory.keys:
        return "re-entry"
    n_kept_bytes = sum(len(enrolment.entry.properties) for enrolment in life.enrolments)
    is_full = len(life.enrolments) >= MAX_ENROLMENTS or n_kept_bytes + n_bytes > MAX_ENTRIES_BYTES
    return "bound" if is_full else None


def _key_of(value: Any) -> str | None:
    if not isinstance(value, str | int | float) or value == "":
        return None
    key = str(value)
    return key if len(key) <= MAX_KEY_CHARS else derive("key", key)


def _enrol(
    life: Life, journey: Journey, event: Event, ledger: Ledger, *, key: str, is_shadow: bool
) -> Enrolment:
    memory = life.memories.setdefault(journey.name, Memory())
    memory.n_entered += 1
    if key not in memory.keys:
        memory.keys = [*memory.keys, key][-MAX_KEYS:]
    holdout = holdout_of(life, memory, journey, ledger)
    enrolment = Enrolment(
        id=EnrolmentId(derive("enrolment", journey.name, key, event.source, event.message_id)),
        journey=journey.name,
        version=journey.version,
        key=key,
        entered_at=ledger.at,
        entry=EntryEvent(event.name, ledger.at, event.occurred_at, event.message_id, bytes(event.properties)),
        machine=statechart.Machine(),
        is_held_out=holdout != "",
        is_shadow=is_shadow,
        holdout=holdout,
        revision=ledger.catalogue.revision,
    )
    life.enrolments.append(enrolment)
    tell(enrolment, ledger, Entered, key=key, held_out=enrolment.is_held_out, holdout=holdout)
    return enrolment
