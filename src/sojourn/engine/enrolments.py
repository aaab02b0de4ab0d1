"""Enrolments: one person inside one journey: what a step of its chart does, and how it ends."""

from __future__ import annotations

from typing import Literal

from sojourn.definitions.experiment import Experiment
from sojourn.definitions.journey import Call, Do
from sojourn.engine import goals, statechart
from sojourn.engine.actions import expose, want
from sojourn.engine.bounds import too_many_actions
from sojourn.engine.deferred import cancel
from sojourn.engine.inside import Inside, journey_of, tell
from sojourn.engine.ledger import Called, Ledger, Return
from sojourn.engine.state import Enrolment, Life, Memory
from sojourn.engine.view import View
from sojourn.model.fact import Exited, JourneyError, Transitioned

MAX_EXITS = 100  # keys that cool down, remembered per journey; the oldest are forgotten first.


def apply(inside: Inside, step: statechart.Step) -> None:
    """Take a step over, and end the enrolment where its chart is done."""
    take_over(inside, step)
    if step.machine.is_done:
        end(inside.life, inside.enrolment, inside.ledger, reason="final", state=step.machine.active)


def take_over(inside: Inside, step: statechart.Step) -> None:
    enrolment = inside.enrolment
    enrolment.machine = step.machine
    enrolment.wake = statechart.next_due(step.machine) or 0
    for error in step.errors:
        inside.tell(JourneyError, detail=error)
    for effect in step.effects:
        if isinstance(effect, statechart.Moved):
            enrolment.n += 1
            inside.tell(
                Transitioned,
                n=enrolment.n,
                source=effect.source,
                target=effect.target,
                event=effect.event,
                judged=effect.judged,
            )
        elif isinstance(effect.body, Do):
            want(inside, effect.body, effect.state)
        elif isinstance(effect.body, Experiment):
            expose(inside, effect.body)
        elif isinstance(effect.body, Call):
            _call(inside, effect.body, effect.state)


def leave(
    inside: Inside, *, reason: Literal["goal", "exit", "preempted", "parent"], detail: str = ""
) -> None:
    """Interrupt an enrolment: what its states do when they are left, and then the end."""
    enrolment = inside.enrolment
    left = enrolment.machine.active
    cancel(inside.life, enrolment.id, inside.ledger, detail=reason)  # not what leaving itself wants
    step = statechart.leave(inside.journey.chart, enrolment.machine, inside.view, at=inside.ledger.at)
    take_over(inside, step)
    end(inside.life, enrolment, inside.ledger, reason=reason, state=left, detail=detail)


def end(
    life: Life,
    enrolment: Enrolment,
    ledger: Ledger,
    *,
    reason: Literal["final", "goal", "exit", "withdrawn", "preempted", "parent"],
    state: list[str],
    detail: str = "",
) -> None:
    """Take an enrolment out; what it called ends with it, unless it came to its own end."""
    if reason == "withdrawn":
        cancel(life, enrolment.id, ledger, detail=reason)
    life.enrolments = [other for other in life.enrolments if other is not enrolment]
    _remember_exit(life, enrolment, ledger)
    tell(enrolment, ledger, Exited, reason=reason, state=state, detail=detail)
    if enrolment.parent:
        ledger.returns.append(Return(enrolment.parent, enrolment.caller))
    if reason == "final":
        goals.linger(life, enrolment, ledger)
    else:
        _end_children(life, enrolment, ledger)


def _call(inside: Inside, call: Call, state: str) -> None:
    enrolment = inside.enrolment
    enrolment.n += 1
    if too_many_actions(inside, state):  # as where it cannot be entered: it goes on
        inside.ledger.returns.append(Return(enrolment.id, state))
        return
    key = None if call.key is None else call.key.call(inside.view)
    inside.ledger.calls.append(Called(enrolment, state, call.journey, key, enrolment.n))


def _remember_exit(life: Life, enrolment: Enrolment, ledger: Ledger) -> None:
    memory = life.memories.setdefault(enrolment.journey, Memory())
    memory.last_exit_at = ledger.at
    newest = ledger.catalogue.journeys.get(enrolment.journey)
    cooldown_ms = newest.entry.cooldown_ms if newest is not None else 0
    if cooldown_ms:
        exits = {key: at for key, at in memory.exits.items() if at + cooldown_ms > ledger.at}
        exits.pop(enrolment.key, None)  # the newest exit stands last
        exits[enrolment.key] = ledger.at
        memory.exits = dict(list(exits.items())[-MAX_EXITS:])


def _end_children(life: Life, parent: Enrolment, ledger: Ledger) -> None:
    """End what an enrolment called and is still inside; what it does then sees no event."""
    for child in tuple(life.enrolments):
        if child.parent != parent.id:
            continue
        journey = journey_of(child, ledger)
        if journey is None:
            end(life, child, ledger, reason="withdrawn", state=child.machine.active)
            continue
        view = View(life, ledger.catalogue, at=ledger.at, unit=ledger.unit)
        view.enrolment = child
        leave(Inside(life, child, journey, view, ledger), reason="parent", detail=parent.journey)
