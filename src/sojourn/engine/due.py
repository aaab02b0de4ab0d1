"""Due: what time alone does to a person, each thing at the instant it was due (law 3)."""

from __future__ import annotations

from sojourn.engine import statechart
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
    while life.enrolments:
        due = [enrolment for enrolment in life.enrolments if 0 < enrolment.wake <= until]
        if not due:
            break
        has_fired = True
        enrolment = min(due, key=lambda candidate: candidate.wake)  # of equals, the one that entered first
        ledger.at, ledger.position = enrolment.wake, 0
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
    return min(wakes) if wakes else None
