"""Due: what time alone does to a person, each thing at the instant it was due (law 3)."""

from __future__ import annotations

from sojourn.definitions.journey import Catalogue
from sojourn.engine import statechart
from sojourn.engine.enrolments import apply, end
from sojourn.engine.holds import released_at
from sojourn.engine.inside import Inside, journey_of
from sojourn.engine.ledger import Ledger
from sojourn.engine.migrating import migrate, pending
from sojourn.engine.state import Enrolment, Life
from sojourn.engine.view import View

MIGRATION, TIMER = 0, 1
"""In this order, where both are due at one instant: what was held comes due in the version of then."""


def fire_due(life: Life, until: int, ledger: Ledger) -> bool:
    """Do everything due by `until`, each thing at the instant it was due, in order (law 3).

    Returns whether anything was.
    """
    has_fired = False
    catalogue = ledger.catalogue
    is_plain = not catalogue.migrations and not catalogue.holds
    while life.enrolments:
        due: tuple[int, int] | None = None
        for each in life.enrolments:
            if is_plain and not 0 < each.wake <= until:
                continue
            found = due_of(each, catalogue)
            if found is not None and found[0] <= until and (due is None or found < due):
                due, enrolment = found, each  # of equals, the one that entered first
        if due is None:
            break
        has_fired = True
        ledger.at, ledger.position = due[0], 0
        if due[1] == MIGRATION:
            migrate(life, enrolment, ledger)
        else:
            _fire(life, enrolment, ledger)
    return has_fired


def due_of(enrolment: Enrolment, catalogue: Catalogue) -> tuple[int, int] | None:
    """Return when something is due in an enrolment and what; None where nothing is, or it stands still."""
    wake = enrolment.wake
    if not catalogue.migrations and not catalogue.holds:
        return (wake, TIMER) if wake else None
    migration = pending(enrolment, catalogue)
    moves_at = released_at(catalogue, enrolment.journey, migration.at) if migration else None
    fires_at = released_at(catalogue, enrolment.journey, wake) if wake else None
    if moves_at is not None and (fires_at is None or moves_at <= fires_at):
        return moves_at, MIGRATION
    return None if fires_at is None else (fires_at, TIMER)


def wake_of(life: Life, catalogue: Catalogue) -> int | None:
    """Return when the earliest thing of the person is due."""
    found = [due_of(enrolment, catalogue) for enrolment in life.enrolments]
    wakes = [due[0] for due in found if due is not None]
    return min(wakes) if wakes else None


def _fire(life: Life, enrolment: Enrolment, ledger: Ledger) -> None:
    journey = journey_of(enrolment, ledger)
    if journey is None:
        end(life, enrolment, ledger, reason="withdrawn", state=enrolment.machine.active)
        return
    view = View(life, ledger.catalogue, at=ledger.at, unit=ledger.unit)
    view.enrolment = enrolment
    step = statechart.fire(journey.chart, enrolment.machine, view, at=ledger.at)
    apply(Inside(life, enrolment, journey, view, ledger), step)
