"""Calls: a journey that begins another one for the same person, and hears of its end.

Both happen in the turn that wanted them, after the step in which they were wanted: a child is entered as by
an event, and its end comes to the parent as the event `done.call.` and the state that called.
"""

from __future__ import annotations

from msgspec import Raw
from msgspec.structs import replace

from sojourn.definitions.internal_events import DONE_CALL
from sojourn.engine import statechart
from sojourn.engine.enrolments import apply
from sojourn.engine.entries import Cause, enter
from sojourn.engine.holds import is_held
from sojourn.engine.inside import Inside, journey_of, tell
from sojourn.engine.ledger import Called, Ledger, Return
from sojourn.engine.state import Enrolment, Life
from sojourn.engine.view import View
from sojourn.model.event import OUR_SOURCE, Event
from sojourn.model.fact import JourneyError

MAX_CALL_DEPTH = 8  # journeys inside one another; definitions in a circle are refused when they are loaded.
MAX_CALLS = 400  # begun and told of at one instant: two each of 100 enrolments; more goes round in circles.


def settle(life: Life, ledger: Ledger) -> None:
    """Begin every journey that was called, and tell every parent whose child is over, until all is quiet."""
    if not ledger.calls and not ledger.returns:
        return
    for _ in range(MAX_CALLS):
        if ledger.returns:
            _return(life, ledger.returns.pop(0), ledger)
        elif ledger.calls:
            _begin(life, ledger.calls.pop(0), ledger)
        else:
            return
    _refuse_the_rest(life, ledger)


def _refuse_the_rest(life: Life, ledger: Ledger) -> None:
    """Begin nothing more at this instant, and tell whoever waits once: who calls again then waits in vain."""
    told: set[Return] = set()
    while ledger.calls or ledger.returns:
        for called in ledger.calls:
            detail = f"{called.state}: {called.journey} not called, {MAX_CALLS} calls at once [call-limit]"
            tell(called.parent, ledger, JourneyError, detail=detail)
            ledger.returns.append(Return(called.parent.id, called.state))
        ledger.calls.clear()
        back = ledger.returns.pop(0)
        if back not in told:
            told.add(back)
            _return(life, back, ledger)


def _begin(life: Life, called: Called, ledger: Ledger) -> None:
    parent = called.parent
    if parent.machine.is_done and not parent.machine.active:
        return  # interrupted: nobody waits
    journey = ledger.catalogue.journeys.get(called.journey)
    problem = ""
    if journey is None:
        problem = "no journey has this name [unknown-journey]"
    elif _depth(life, parent) >= MAX_CALL_DEPTH:
        problem = f"calls are nested deeper than {MAX_CALL_DEPTH} [call-depth]"
    if problem:
        tell(parent, ledger, JourneyError, detail=f"{called.state}: {called.journey} not called, {problem}")
    if journey is None or problem or not enter(life, journey, _cause(life, called, ledger), ledger):
        ledger.returns.append(Return(parent.id, called.state))


def _cause(life: Life, called: Called, ledger: Ledger) -> Cause:
    """Bring the event that began the parent along: the child's guards and templates see it."""
    entry = called.parent.entry
    event = Event(
        source=OUR_SOURCE,
        message_id=entry.message_id,
        kind="track",
        name=entry.name,
        occurred_at=entry.occurred_at,
        received_at=entry.at,
        properties=Raw(entry.properties),
    )
    view = View(life, ledger.catalogue, at=ledger.at, unit=ledger.unit, event=event)
    return Cause(event=event, view=view, key=called.key, called=called)


def _return(life: Life, told: Return, ledger: Ledger) -> None:
    parent = _find(life, told.parent)
    journey = journey_of(parent, ledger) if parent is not None else None
    if parent is None or journey is None:
        return
    name = DONE_CALL + told.state
    if not statechart.listens(journey.chart, parent.machine, name):
        return
    if is_held(journey.name, ledger):
        _put_off(parent, name, ledger)
        return
    view = View(life, ledger.catalogue, at=ledger.at, unit=ledger.unit)
    view.enrolment = parent
    step = statechart.send(journey.chart, parent.machine, name, view, at=ledger.at)
    apply(Inside(life, parent, journey, view, ledger), step)


def _put_off(parent: Enrolment, name: str, ledger: Ledger) -> None:
    """Let a parent that stands still hear of its child when it goes on: as a timer does that is due now."""
    machine = parent.machine
    timers = sorted([*machine.timers, statechart.Timer(ledger.at, machine.n_timers, name)])
    parent.machine = replace(machine, timers=timers, n_timers=machine.n_timers + 1)
    parent.wake = timers[0].due


def _depth(life: Life, enrolment: Enrolment) -> int:
    """Count the journeys an enrolment is inside of, itself included."""
    depth = 1
    parent = _find(life, enrolment.parent)
    while parent is not None and depth < MAX_CALL_DEPTH:
        depth += 1
        parent = _find(life, parent.parent)
    return depth


def _find(life: Life, enrolment_id: str) -> Enrolment | None:
    return next((one for one in life.enrolments if one.id == enrolment_id), None) if enrolment_id else None
