"""Enrolments: one person inside one journey: what a step of its chart does, and how it ends."""

from __future__ import annotations

from typing import Literal

from sojourn.definitions.journey import Do, Experiment
from sojourn.engine import statechart
from sojourn.engine.actions import expose, want
from sojourn.engine.deferred import cancel
from sojourn.engine.inside import Inside, tell
from sojourn.engine.ledger import Ledger
from sojourn.engine.state import Enrolment, Life, Memory
from sojourn.model.fact import Exited, JourneyError, Transitioned


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


def leave(inside: Inside, *, reason: Literal["goal", "exit"]) -> None:
    enrolment = inside.enrolment
    left = enrolment.machine.active
    cancel(inside.life, enrolment.id, inside.ledger, detail=reason)  # not what leaving itself wants
    step = statechart.leave(inside.journey.chart, enrolment.machine, inside.view, at=inside.ledger.at)
    take_over(inside, step)
    end(inside.life, enrolment, inside.ledger, reason=reason, state=left)


def end(
    life: Life,
    enrolment: Enrolment,
    ledger: Ledger,
    *,
    reason: Literal["final", "goal", "exit", "withdrawn"],
    state: list[str],
) -> None:
    if reason == "withdrawn":
        cancel(life, enrolment.id, ledger, detail=reason)
    life.enrolments = [other for other in life.enrolments if other is not enrolment]
    life.memories.setdefault(enrolment.journey, Memory()).last_exit_at = ledger.at
    tell(enrolment, ledger, Exited, reason=reason, state=state)
