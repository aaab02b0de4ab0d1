"""Due: what time alone does to a person, each thing at the instant it was due (law 3)."""

from __future__ import annotations

from sojourn.engine import friction, statechart
from sojourn.engine.enrolments import apply, end
from sojourn.engine.inside import Inside, journey_of
from sojourn.engine.ledger import Ledger
from sojourn.engine.state import Life
from sojourn.engine.view import View


def fire_due(life: Life, until: int, ledger: Ledger) -> bool:
    """Fire every timer due by `until`, each at the instant it was due, in order (law 3).

    Returns whether any did.
    """
    has_fired = False
    while (instant := wake_of(life)) is not None and instant <= until:
        has_fired = True
        ledger.at, ledger.position = instant, 0
        if friction.judge(life, None, ledger):
            continue  # a journey that heard of it may have something due sooner, or nothing any more
        # Of equals, the one that entered first; what friction waited for comes last.
        enrolment = next((one for one in life.enrolments if one.wake == instant), None)
        if enrolment is None:
            friction.fire(life, ledger)
            continue
        journey = journey_of(enrolment, ledger)
        if journey is None:
            end(life, enrolment, ledger, reason="withdrawn", state=enrolment.machine.active)
            continue
        view = View(life, ledger.catalogue, at=ledger.at, unit=ledger.unit)
        view.enrolment = enrolment
        step = statechart.fire(journey.chart, enrolment.machine, view, at=ledger.at)
        apply(Inside(life, enrolment, journey, view, ledger), step)
    return has_fired


def wake_of(life: Life) -> int | None:
    """Return when the earliest timer of the person is due."""
    wakes = [enrolment.wake for enrolment in life.enrolments if enrolment.wake]
    if next_due := friction.next_due(life):
        wakes.append(next_due)
    return min(wakes) if wakes else None
