"""Journeys: what one event, or time, does to a person's enrolments, and which it begins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import Raw
from msgspec.structs import replace

from sojourn.definitions.friction_rules import FRICTION_EVENT
from sojourn.definitions.internal_events import INTERNAL
from sojourn.definitions.journey import Exit, Journey
from sojourn.engine import calls, goals, schedules, statechart
from sojourn.engine.enrolments import apply, end, leave
from sojourn.engine.entries import Cause, enter, made_cause
from sojourn.engine.holds import is_held
from sojourn.engine.inside import Inside, journey_of
from sojourn.engine.ledger import Ledger
from sojourn.engine.objects import encode_json, read_object
from sojourn.engine.state import Enrolment, Life
from sojourn.engine.view import View
from sojourn.model.event import ENTER, OUR_SOURCE, OURS, OUTCOMES, SCHEDULE, SEGMENT, Event
from sojourn.model.fact import GoalReached

MAX_DETAIL_CHARS = 200  # of an exit rule, in the fact that tells it.


def is_outcome(event: Event) -> bool:
    """Tell whether the house itself says what became of an action."""
    return event.name in OUTCOMES and event.source == OUR_SOURCE


def is_forged(event: Event) -> bool:
    """Tell whether an event has a name that only the house gives, and is not the house's own.

    Signals never come through the log; what became of an action is said by the house's own source.
    """
    name = event.name
    if not name.startswith("$"):
        return False
    return name.startswith(FRICTION_EVENT) or (name in OURS and event.source != OUR_SOURCE)


def is_call(event: Event) -> bool:
    """Tell whether the house itself asks to let somebody enter: no sender outside can."""
    return event.name == ENTER and event.source == OUR_SOURCE


def move(life: Life, event: Event, view: View, ledger: Ledger, *, joined: Sequence[str] = ()) -> None:
    """Let one event end, move and begin enrolments: goals and exits first, then each chart, then entries.

    Those of a higher priority hear it first. `joined` are the segments it made the person a member of.
    """
    told = view.properties if is_outcome(event) else None
    for journey, enrolment in _in_order(life, ledger):
        if not _is_inside(life, enrolment) or (told is not None and _is_anothers(enrolment, told)):
            continue
        if journey is None:
            end(life, enrolment, ledger, reason="withdrawn", state=enrolment.machine.active)
            continue
        view.enrolment = enrolment
        inside = Inside(life, enrolment, journey, view, ledger)
        if not interrupts(inside, event) and not is_held(journey.name, ledger):
            _deliver(inside, event)
    if life.finished and event.name in ledger.catalogue.late_goals:
        sparing = str(told.get("journey", "")) if told is not None else ""
        goals.reach_late(life, event, view, ledger, sparing=sparing)
    entering = ledger.catalogue.entries.get(event.name, ())
    if not entering and not joined:
        calls.settle(life, ledger)
        return
    cause = Cause(event=event, view=view)
    if joined:
        comers = [(journey, cause) for journey in entering]
        _enter_all(life, [*comers, *_joiners(life, joined, ledger)], ledger)
        return
    for journey in entering:  # in their order already
        enter(life, journey, cause, ledger)
    calls.settle(life, ledger)


def admit(life: Life, event: Event, ledger: Ledger, *, joined: Sequence[str] = ()) -> None:
    """Let somebody enter by a call of the API; what the call says is what the journey sees as the event."""
    said = read_object(event.properties)
    journey = ledger.catalogue.journeys.get(str(said.get("journey", "")))
    comers = list(_joiners(life, joined, ledger))
    if journey is not None and journey.entry.is_api:
        seen = replace(event, properties=Raw(encode_json(said.get("properties") or {})))
        view = View(life, ledger.catalogue, at=ledger.at, unit=ledger.unit, event=seen)
        comers.append((journey, Cause(event=seen, view=view, key=said.get("key"))))
    _enter_all(life, comers, ledger)


def join(life: Life, joined: Sequence[str], ledger: Ledger) -> None:
    """Begin the journeys that new members of these segments enter, where journeys hear of no event."""
    _enter_all(life, list(_joiners(life, joined, ledger)), ledger)


def enter_on_schedule(life: Life, ledger: Ledger) -> None:
    """Begin the journeys whose time is now."""
    comers = [
        (journey, made_cause(life, SCHEDULE, ledger, of=[journey.name], properties={}))
        for journey in schedules.take_due(life, ledger)
    ]
    _enter_all(life, comers, ledger)


def heed(life: Life, ledger: Ledger) -> None:
    """End the enrolments whose exit rules need no event and are true now."""
    for journey, enrolment in _in_order(life, ledger):
        if journey is not None and any(not rule.names for rule in journey.exits):
            view = View(life, ledger.catalogue, at=ledger.at, unit=ledger.unit)
            view.enrolment = enrolment
            if _is_inside(life, enrolment):
                interrupts(Inside(life, enrolment, journey, view, ledger), None)
    calls.settle(life, ledger)


def interrupts(inside: Inside, event: Event | None) -> bool:
    """Goal and exit rules come before any state's own transitions, and end the enrolment at once.

    Without an event (a timer), only exit rules that need none are asked.
    """
    journey, view = inside.journey, inside.view
    goal = journey.goal
    if goal is not None and event is not None and goals.reaches(goal, inside.enrolment, event, view):
        inside.tell(GoalReached, value=goals.value_of(goal, view))
        goals.reward(inside.life, journey.name, inside.ledger)
        leave(inside, reason="goal")
        return True
    for rule in journey.exits:
        if _holds(rule, event, view):
            leave(inside, reason="exit", detail=_describe(rule))
            return True
    return False


def precedence(enrolment: Enrolment, ledger: Ledger) -> int:
    """Return what orders enrolments to which something happens at once: the higher priority first."""
    journey = journey_of(enrolment, ledger)
    return -journey.priority if journey is not None else 0


def _in_order(life: Life, ledger: Ledger) -> list[tuple[Journey | None, Enrolment]]:
    """Return enrolments as they hear an event: by priority, of equals the one that entered first."""
    each = [(journey_of(enrolment, ledger), enrolment) for enrolment in life.enrolments]
    if len(each) > 1:
        each.sort(key=lambda pair: -pair[0].priority if pair[0] is not None else 0)
    return each


def _is_inside(life: Life, enrolment: Enrolment) -> bool:
    """Tell whether an enrolment is still there: another one may have ended it."""
    return any(other is enrolment for other in life.enrolments)


def _is_anothers(enrolment: Enrolment, told: Mapping[str, Any]) -> bool:
    """Tell whether an outcome is of an action that another enrolment in the same journey wanted."""
    return told.get("journey") == enrolment.journey and told.get("enrolment_id") != enrolment.id


def _holds(rule: Exit, event: Event | None, view: View) -> bool:
    if rule.names and (event is None or event.name not in rule.names):
        return False
    return rule.when is None or bool(rule.when.call(view))


def _describe(rule: Exit) -> str:
    events = "on " + ", ".join(sorted(rule.names)) if rule.names else ""
    guard = f"when {rule.when.source}" if rule.when is not None else ""
    return " ".join(part for part in (events, guard) if part)[:MAX_DETAIL_CHARS]


def _deliver(inside: Inside, event: Event) -> None:
    chart = inside.journey.chart
    if event.name not in chart.names and not chart.is_listening_to_any:
        return
    if event.name.startswith(INTERNAL):
        return
    machine = inside.enrolment.machine
    if statechart.listens(chart, machine, event.name):
        apply(inside, statechart.send(chart, machine, event.name, inside.view, at=inside.ledger.at))


def _joiners(life: Life, joined: Iterable[str], ledger: Ledger) -> Iterable[tuple[Journey, Cause]]:
    for segment in joined:
        for journey in ledger.catalogue.by_segment.get(segment, ()):
            yield journey, made_cause(life, SEGMENT, ledger, of=[segment], properties={"segment": segment})


def _enter_all(life: Life, comers: list[tuple[Journey, Cause]], ledger: Ledger) -> None:
    """Let somebody enter several journeys: by priority, then by name; then whatever these call."""
    if len(comers) > 1:
        comers.sort(key=lambda comer: (-comer[0].priority, comer[0].name))
    for journey, cause in comers:
        enter(life, journey, cause, ledger)
    calls.settle(life, ledger)
