"""Due: what time alone does to a person, each thing at the instant it was due (law 3).

At one instant segments come first, so that guards know who is a member; then timers, those of a higher
priority first; then entries on schedule.
"""

from __future__ import annotations

from collections.abc import Sequence

from sojourn.engine import calls, journeys, schedules, segments, statechart
from sojourn.engine.enrolments import apply, end
from sojourn.engine.inside import Inside, journey_of
from sojourn.engine.ledger import Ledger
from sojourn.engine.state import Enrolment, Life
from sojourn.engine.view import View


def fire_due(life: Life, until: int, ledger: Ledger) -> bool:
    """Fire everything due by `until`, each at the instant it was due, in order (law 3).

    Returns whether anything did.
    """
    has_fired = False
    while (wake := wake_of(life)) is not None and wake <= until:
        has_fired = True
        ledger.at, ledger.position = wake, 0
        if life.revision != ledger.catalogue.revision:
            bring_up_to_date(life, ledger)  # what was due may not be any more
        else:
            _fire(life, ledger)
    return has_fired


def wake_of(life: Life) -> int | None:
    """Return when something of the person is due next."""
    wakes = [enrolment.wake for enrolment in life.enrolments if enrolment.wake]
    if life.segments_due:
        wakes.append(life.segments_due)
    if life.schedules:
        wakes += life.schedules.values()
    return min(wakes) if wakes else None


def bring_up_to_date(life: Life, ledger: Ledger) -> Sequence[str]:
    """Tell a person's segments and plan their schedules anew, as of now, by the definitions in force.

    Returns the segments that were joined. Nobody enters a journey by being told anew what they are: whoever
    calls this for a person of whom nothing was known before lets them.
    """
    life.revision = ledger.catalogue.revision
    if ledger.catalogue.scheduled or life.schedules:
        schedules.plan(life, ledger)
    return segments.review(life, ledger)


def _fire(life: Life, ledger: Ledger) -> None:
    """Do the first of the things due at this instant."""
    if life.segments_due == ledger.at:
        n_facts = len(ledger.facts)
        joined = segments.fire(life, ledger)
        if len(ledger.facts) > n_facts:
            journeys.heed(life, ledger)
        journeys.join(life, joined, ledger)
        return
    due = [enrolment for enrolment in life.enrolments if enrolment.wake == ledger.at]
    if due:  # of equals, the one that entered first
        _fire_timer(life, min(due, key=lambda one: journeys.precedence(one, ledger)), ledger)
        calls.settle(life, ledger)
        return
    journeys.enter_on_schedule(life, ledger)


def _fire_timer(life: Life, enrolment: Enrolment, ledger: Ledger) -> None:
    journey = journey_of(enrolment, ledger)
    if journey is None:
        end(life, enrolment, ledger, reason="withdrawn", state=enrolment.machine.active)
        return
    view = View(life, ledger.catalogue, at=ledger.at, unit=ledger.unit)
    view.enrolment = enrolment
    inside = Inside(life, enrolment, journey, view, ledger)
    if not journeys.interrupts(inside, None):
        apply(inside, statechart.fire(journey.chart, enrolment.machine, view, at=ledger.at))
