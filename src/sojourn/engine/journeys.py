"""Journeys: what one input, or one due timer, does to a person's enrolments."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

import msgspec
from msgspec import Raw, Struct

from sojourn.definitions.journey import Do, Exit, Experiment, Goal, Journey
from sojourn.engine import statechart
from sojourn.engine.experiments import assign, is_held_out
from sojourn.engine.ledger import Ledger
from sojourn.engine.state import Enrolment, EntryEvent, Life, Memory
from sojourn.engine.view import View
from sojourn.model.action import Action
from sojourn.model.event import OUR_SOURCE, Event
from sojourn.model.fact import (
    ActionDecided,
    ActionWithheld,
    Entered,
    Exited,
    Exposed,
    Fact,
    GoalReached,
    JourneyError,
    NotEntered,
    Transitioned,
)
from sojourn.model.ids import ActionId, EnrolmentId, derive

MAX_ENROLMENTS = 100  # active at once, per person: more is a definition whose key never repeats.
MAX_KEYS = 100  # remembered per journey for `reentry: never`.
MAX_ENTRIES_BYTES = 1 << 20  # of the events that began active enrolments, per person: eight of the largest.
MAX_KEY_CHARS = 200  # a longer key is known by its digest.

OUTCOMES = frozenset({"$delivered", "$delivery_failed", "$delivery_expired"})
"""Names of the events the outbox appends: what became of an action."""

_THE_KERNELS_OWN = ("after(", "done.state.", "error.")
"""How the names of a chart's internal events begin: nobody outside may send one."""

_encode_json = msgspec.json.Encoder().encode


class _Inside(Struct, frozen=True, gc=False):
    """One enrolment while something happens to it."""

    life: Life
    enrolment: Enrolment
    journey: Journey
    view: View
    ledger: Ledger

    def tell(self, kind: Callable[..., Fact], **fields: Any) -> None:
        """Write a fact about the enrolment down."""
        _tell(self.enrolment, self.ledger, kind, **fields)


def is_outcome(event: Event) -> bool:
    """Tell whether the house itself says what became of an action."""
    return event.name in OUTCOMES and event.source == OUR_SOURCE


def move(life: Life, event: Event, view: View, ledger: Ledger, *, is_shadow: bool) -> None:
    """Let one event end, move and begin enrolments: goals and exits first, then each chart, then entries."""
    told = view.properties if is_outcome(event) else None
    for enrolment in tuple(life.enrolments):
        if told is not None and _is_anothers(enrolment, told):
            continue
        journey = _journey_of(enrolment, ledger)
        if journey is None:
            _end(life, enrolment, ledger, reason="withdrawn", state=enrolment.machine.active)
            continue
        view.enrolment = enrolment
        inside = _Inside(life, enrolment, journey, view, ledger)
        if not _interrupted(inside, event):
            _deliver(inside, event)
    for journey in ledger.catalogue.entries.get(event.name, ()):
        view.enrolment = None
        _enter(life, journey, event, view, is_shadow=is_shadow, ledger=ledger)


def fire_due(life: Life, until: int, ledger: Ledger) -> bool:
    """Fire every timer due by `until`, each at the instant it was due, in order (law 3).

    Returns whether any did.
    """
    has_fired = False
    while life.enrolments:
        due = [enrolment for enrolment in life.enrolments if 0 < enrolment.wake <= until]
        if not due:
            break
        has_fired = True
        enrolment = min(due, key=lambda candidate: candidate.wake)  # of equals, the one that entered first
        ledger.at, ledger.position = enrolment.wake, 0
        journey = _journey_of(enrolment, ledger)
        if journey is None:
            _end(life, enrolment, ledger, reason="withdrawn", state=enrolment.machine.active)
            continue
        view = View(life, ledger.catalogue, at=ledger.at, unit=ledger.unit)
        view.enrolment = enrolment
        step = statechart.fire(journey.chart, enrolment.machine, view, at=ledger.at)
        _apply(_Inside(life, enrolment, journey, view, ledger), step)
    return has_fired


def wake_of(life: Life) -> int | None:
    """Return when the earliest timer of the person is due."""
    wakes = [enrolment.wake for enrolment in life.enrolments if enrolment.wake]
    return min(wakes) if wakes else None


def adopt(life: Life, other: Life, ledger: Ledger) -> None:
    """Bring an unnamed life's enrolments in; of two in the same journey and key, the named one's stays."""
    for enrolment in other.enrolments:
        journey = _journey_of(enrolment, ledger)
        n_bytes = len(enrolment.entry.properties)
        if journey is not None and _reason_to_stay_out(life, journey, enrolment.key, n_bytes):
            _tell(enrolment, ledger, Exited, reason="merged", state=enrolment.machine.active)
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
    """Say of the enrolments of an unnamed life that nobody takes in that they are over."""
    for enrolment in other.enrolments:
        _tell(enrolment, ledger, Exited, reason="merged", state=enrolment.machine.active)


def _journey_of(enrolment: Enrolment, ledger: Ledger) -> Journey | None:
    return ledger.catalogue.versions.get((enrolment.journey, enrolment.version))


def _is_anothers(enrolment: Enrolment, told: Mapping[str, Any]) -> bool:
    """Tell whether an outcome is of an action that another enrolment in the same journey wanted."""
    return told.get("journey") == enrolment.journey and told.get("enrolment_id") != enrolment.id


def _interrupted(inside: _Inside, event: Event) -> bool:
    """Goal and exit rules come before any state's own transitions, and end the enrolment at once."""
    goal = inside.journey.goal
    if goal is not None and _matches(goal, event, inside.view) and _is_in_time(goal, inside):
        value = _number(goal.value.call(inside.view)) if goal.value else None
        inside.tell(GoalReached, value=value)
        _leave(inside, reason="goal")
        return True
    if any(_matches(rule, event, inside.view) for rule in inside.journey.exits):
        _leave(inside, reason="exit")
        return True
    return False


def _matches(rule: Goal | Exit, event: Event, view: View) -> bool:
    return event.name in rule.names and (rule.when is None or bool(rule.when.call(view)))


def _is_in_time(goal: Goal, inside: _Inside) -> bool:
    return goal.within_ms is None or inside.ledger.at - inside.enrolment.entered_at <= goal.within_ms


def _number(value: Any) -> float | None:
    """Return a value as a finite number; JSON may hold integers that no float can."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    try:
        return float(value)
    except OverflowError:
        return None


def _leave(inside: _Inside, *, reason: Literal["goal", "exit"]) -> None:
    enrolment = inside.enrolment
    left = enrolment.machine.active
    step = statechart.leave(inside.journey.chart, enrolment.machine, inside.view, at=inside.ledger.at)
    _take_over(inside, step)
    _end(inside.life, enrolment, inside.ledger, reason=reason, state=left)


def _deliver(inside: _Inside, event: Event) -> None:
    chart = inside.journey.chart
    if event.name not in chart.names and not chart.is_listening_to_any:
        return
    if event.name.startswith(_THE_KERNELS_OWN):
        return
    machine = inside.enrolment.machine
    if statechart.listens(chart, machine, event.name):
        _apply(inside, statechart.send(chart, machine, event.name, inside.view, at=inside.ledger.at))


def _enter(
    life: Life, journey: Journey, event: Event, view: View, *, is_shadow: bool, ledger: Ledger
) -> None:
    entry = journey.entry
    if entry.when is not None and not entry.when.call(view):
        return
    key = "" if entry.key is None else _key_of(entry.key.call(view))
    n_bytes = len(event.properties)
    reason = "no-key" if key is None else _reason_to_stay_out(life, journey, key, n_bytes)
    if key is None or reason is not None:
        ledger.note(NotEntered, journey=journey.name, version=journey.version, key=key or "", reason=reason)
        return
    view.enrolment = enrolment = _enrol(life, journey, event, ledger, key=key, is_shadow=is_shadow)
    step = statechart.start(journey.chart, view, at=ledger.at)
    _apply(_Inside(life, enrolment, journey, view, ledger), step)


def _key_of(value: Any) -> str | None:
    if not isinstance(value, str | int | float) or value == "":
        return None
    key = str(value)
    return key if len(key) <= MAX_KEY_CHARS else derive("key", key)


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


def _enrol(
    life: Life, journey: Journey, event: Event, ledger: Ledger, *, key: str, is_shadow: bool
) -> Enrolment:
    memory = life.memories.setdefault(journey.name, Memory())
    memory.n_entered += 1
    if key not in memory.keys:
        memory.keys = [*memory.keys, key][-MAX_KEYS:]
    if journey.holdout and not memory.unit:
        memory.unit = ledger.unit
    enrolment = Enrolment(
        id=EnrolmentId(derive("enrolment", journey.name, key, event.source, event.message_id)),
        journey=journey.name,
        version=journey.version,
        key=key,
        entered_at=ledger.at,
        entry=EntryEvent(event.name, ledger.at, event.occurred_at, event.message_id, bytes(event.properties)),
        machine=statechart.Machine(),
        is_held_out=is_held_out("holdout:" + journey.name, memory.unit, journey.holdout),
        is_shadow=is_shadow,
    )
    life.enrolments.append(enrolment)
    _tell(enrolment, ledger, Entered, key=key, held_out=enrolment.is_held_out)
    return enrolment


def _apply(inside: _Inside, step: statechart.Step) -> None:
    """Take a step over, and end the enrolment where its chart is done."""
    _take_over(inside, step)
    if step.machine.is_done:
        _end(inside.life, inside.enrolment, inside.ledger, reason="final", state=step.machine.active)


def _take_over(inside: _Inside, step: statechart.Step) -> None:
    enrolment = inside.enrolment
    enrolment.machine = step.machine
    enrolment.wake = statechart.next_due(step.machine) or 0
    for error in step.errors:
        inside.tell(JourneyError, detail=error)
    for effect in step.effects:
        if isinstance(effect, statechart.Moved):
            enrolment.n += 1
            inside.tell(
                Transitioned, n=enrolment.n, source=effect.source, target=effect.target, event=effect.event
            )
        elif isinstance(effect.body, Do):
            _want(inside, effect.body, effect.state)
        elif isinstance(effect.body, Experiment):
            _expose(inside, effect.body)


def _want(inside: _Inside, do: Do, state: str) -> None:
    """Decide one action: to the outbox, or withheld with its reason."""
    enrolment, ledger = inside.enrolment, inside.ledger
    enrolment.n += 1
    action_id = ActionId(derive("action", enrolment.id, str(enrolment.n)))
    named = {"action_id": action_id, "sink": do.sink, "state": state}
    if enrolment.is_held_out or enrolment.is_shadow:
        inside.tell(ActionWithheld, reason="held-out" if enrolment.is_held_out else "history", **named)
        return
    try:
        body = Raw(_encode_json(do.body.render(inside.view.names())))
    except ValueError as error:  # a template's bounds; its syntax was checked when it was loaded
        inside.tell(ActionWithheld, reason="template", detail=str(error), **named)
        return
    life = inside.life
    ledger.actions.append(
        Action(
            id=action_id,
            sink=do.sink,
            at=ledger.at,
            expires_at=ledger.at + do.expires_ms,
            profile_id=ledger.profile_id,
            user_id=life.user_ids[0] if life.user_ids else None,
            anonymous_id=life.anonymous_ids[-1] if life.anonymous_ids else None,
            journey=enrolment.journey,
            version=enrolment.version,
            enrolment_id=enrolment.id,
            state=state,
            body=body,
        )
    )
    inside.tell(ActionDecided, **named)


def _expose(inside: _Inside, experiment: Experiment) -> None:
    ledger = inside.ledger
    drawn, propensity = assign(experiment, ledger.unit)
    # Sticky: the first variant stays, whatever becomes of the weights.
    variant = inside.life.variants.setdefault(experiment.id, drawn)
    if variant != drawn:
        propensity = dict(zip(experiment.variants, experiment.weights, strict=True)).get(variant, propensity)
    if not inside.enrolment.is_held_out:
        ledger.note(
            Exposed,
            experiment=experiment.id,
            variant=variant,
            journey=inside.enrolment.journey,
            enrolment_id=inside.enrolment.id,
            propensity=propensity,
        )


def _end(
    life: Life,
    enrolment: Enrolment,
    ledger: Ledger,
    *,
    reason: Literal["final", "goal", "exit", "withdrawn"],
    state: list[str],
) -> None:
    life.enrolments = [other for other in life.enrolments if other is not enrolment]
    life.memories.setdefault(enrolment.journey, Memory()).last_exit_at = ledger.at
    _tell(enrolment, ledger, Exited, reason=reason, state=state)


def _tell(enrolment: Enrolment, ledger: Ledger, kind: Callable[..., Fact], **fields: Any) -> None:
    """Write a fact about an enrolment down."""
    ledger.facts.append(
        kind(
            profile_id=ledger.profile_id,
            at=ledger.at,
            position=ledger.position,
            journey=enrolment.journey,
            version=enrolment.version,
            enrolment_id=enrolment.id,
            **fields,
        )
    )
