"""Journeys: what one event does to a person's enrolments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sojourn.definitions.journey import Exit, Goal
from sojourn.engine import statechart
from sojourn.engine.enrolments import apply, end, leave
from sojourn.engine.entries import enter
from sojourn.engine.holds import is_held
from sojourn.engine.inside import Inside, journey_of
from sojourn.engine.ledger import Ledger
from sojourn.engine.state import Enrolment, Life
from sojourn.engine.view import View
from sojourn.model.event import OUR_SOURCE, Event
from sojourn.model.fact import GoalReached

OUTCOMES = frozenset({"$delivered", "$delivery_failed", "$delivery_expired"})
"""Names of the events the outbox appends: what became of an action."""

_THE_KERNELS_OWN = ("after(", "done.state.", "done.call.", "error.")
"""How the names of a chart's internal events begin: nobody outside may send one."""


def is_outcome(event: Event) -> bool:
    """Tell whether the house itself says what became of an action."""
    return event.name in OUTCOMES and event.source == OUR_SOURCE


def move(life: Life, event: Event, view: View, ledger: Ledger, *, is_shadow: bool) -> None:
    """Let one event end, move and begin enrolments: goals and exits first, then each chart, then entries."""
    told = view.properties if is_outcome(event) else None
    for enrolment in tuple(life.enrolments):
        if told is not None and _is_anothers(enrolment, told):
            continue
        journey = journey_of(enrolment, ledger)
        if journey is None:
            end(life, enrolment, ledger, reason="withdrawn", state=enrolment.machine.active)
            continue
        view.enrolment = enrolment
        inside = Inside(life, enrolment, journey, view, ledger)
        if not _interrupted(inside, event) and not is_held(ledger.catalogue, journey.name, ledger.at):
            _deliver(inside, event)
    for journey in ledger.catalogue.entries.get(event.name, ()):
        view.enrolment = None
        enter(life, journey, event, view, is_shadow=is_shadow, ledger=ledger)


def _is_anothers(enrolment: Enrolment, told: Mapping[str, Any]) -> bool:
    """Tell whether an outcome is of an action that another enrolment in the same journey wanted."""
    return told.get("journey") == enrolment.journey and told.get("enrolment_id") != enrolment.id


def _interrupted(inside: Inside, event: Event) -> bool:
    """Goal and exit rules come before any state's own transitions, and end the enrolment at once."""
    goal = inside.journey.goal
    if goal is not None and _matches(goal, event, inside.view) and _is_in_time(goal, inside):
        value = _number(goal.value.call(inside.view)) if goal.value else None
        inside.tell(GoalReached, value=value)
        leave(inside, reason="goal")
        return True
    if any(_matches(rule, event, inside.view) for rule in inside.journey.exits):
        leave(inside, reason="exit")
        return True
    return False


def _matches(rule: Goal | Exit, event: Event, view: View) -> bool:
    return event.name in rule.names and (rule.when is None or bool(rule.when.call(view)))


def _is_in_time(goal: Goal, inside: Inside) -> bool:
    return goal.within_ms is None or inside.ledger.at - inside.enrolment.entered_at <= goal.within_ms


def _number(value: Any) -> float | None:
    """Return a value as a finite number; JSON may hold integers that no float can."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    try:
        return float(value)
    except OverflowError:
        return None


def _deliver(inside: Inside, event: Event) -> None:
    chart = inside.journey.chart
    if event.name not in chart.names and not chart.is_listening_to_any:
        return
    if event.name.startswith(_THE_KERNELS_OWN):
        return
    machine = inside.enrolment.machine
    if statechart.listens(chart, machine, event.name):
        apply(inside, statechart.send(chart, machine, event.name, inside.view, at=inside.ledger.at))
