"""Schedules: when the clock lets a person enter: each journey's next time, by the person's own zone.

Who moves to another zone is planned anew from then on; what was due before has happened.
"""

from __future__ import annotations

from sojourn.definitions.journey import Journey
from sojourn.engine.ledger import Ledger
from sojourn.engine.state import Life
from sojourn.engine.view import View


def plan(life: Life, ledger: Ledger) -> None:
    """Set the next time of every scheduled journey, after now."""
    life.schedules = {}
    for journey in ledger.catalogue.scheduled:
        _set_next(life, journey, ledger)


def take_due(life: Life, ledger: Ledger) -> list[Journey]:
    """Return the journeys whose time is now, of the highest priority first, and set their next times.

    A journey that is not scheduled any more has no next time, so that it is not due for ever.
    """
    names = {name for name, at in life.schedules.items() if at == ledger.at}
    due = [journey for journey in ledger.catalogue.scheduled if journey.name in names]
    life.schedules = {name: at for name, at in life.schedules.items() if name not in names}
    for journey in due:
        _set_next(life, journey, ledger)
    return due


def _set_next(life: Life, journey: Journey, ledger: Ledger) -> None:
    schedule = journey.entry.schedule
    assert schedule is not None, "only scheduled journeys are planned"
    zone = schedule.time_zone or View(life, ledger.catalogue, at=ledger.at, unit=ledger.unit).zone.key
    following = schedule.after(ledger.at, zone)
    if following is not None:
        life.schedules[journey.name] = following
