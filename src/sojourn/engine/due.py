"""Due: what time alone does to a person, each thing at the instant it was due (law 3).

Several things in a life wait for an instant; `SOURCES` lists them. What is due at the same instant happens
in the order of that list: what was held comes due in the version of then; segments are told before anybody
asks who is a member; what was put off came first, so it is decided before a timer moves anybody on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from sojourn.definitions.journey import Catalogue
from sojourn.engine import calls, friction, journeys, schedules, segments, statechart
from sojourn.engine.actions import decide_again
from sojourn.engine.deferred import next_deferred
from sojourn.engine.enrolments import apply, end
from sojourn.engine.holds import released_at
from sojourn.engine.inside import Inside, journey_of
from sojourn.engine.ledger import Ledger
from sojourn.engine.migrating import migrate, pending
from sojourn.engine.state import Enrolment, Life
from sojourn.engine.view import View

Fire = Callable[[Life, Ledger], None]


class Source(NamedTuple):
    """One kind of thing that waits for an instant."""

    name: str
    next_due: Callable[[Life, Ledger], int]
    """When the next one is due, ms; 0: none waits. Asked for every input, so it has to be quick."""
    fire: Fire
    """Let the one happen that is due at the ledger's instant; it must not be due at that instant again."""


def fire_due(life: Life, until: int, ledger: Ledger) -> bool:
    """Fire everything due by `until`, each at the instant it was due, in order (law 3).

    Returns whether anything did.
    """
    has_fired = False
    while True:
        at, fire = _earliest(life, ledger)
        if not 0 < at <= until:
            return has_fired
        ledger.at, ledger.position, ledger.is_shadow = at, 0, False
        if not friction.judge(life, None, ledger):  # else a journey heard of it: look again what is due
            fire(life, ledger)
            calls.settle(life, ledger)
        has_fired = True


def wake_of(life: Life, ledger: Ledger) -> int | None:
    """Return when something in the life is due next."""
    return _earliest(life, ledger)[0] or None


def bring_up_to_date(life: Life, ledger: Ledger) -> Sequence[str]:
    """Tell a person's segments and plan their schedules anew, as of now, by the definitions in force.

    Returns the segments that were joined. Nobody enters a journey by being told anew what they are: whoever
    calls this for a person of whom nothing was known before lets them.
    """
    life.revision = ledger.catalogue.renewed
    if ledger.catalogue.scheduled or life.schedules:
        schedules.plan(life, ledger)
    return segments.review(life, ledger)


def _earliest(life: Life, ledger: Ledger) -> tuple[int, Fire]:
    """Return what is due first, and when, ms; 0 where nothing is."""
    if _waits_for_timers_only(life, ledger.catalogue):
        first = 0
        for enrolment in life.enrolments:
            wake = enrolment.wake
            if wake and (wake < first or not first):
                first = wake
        return first, _fire_timer
    return _earliest_of_all(life, ledger)


def _earliest_of_all(life: Life, ledger: Ledger) -> tuple[int, Fire]:
    first = 0
    firing: Fire = _fire_timer
    for _, next_due, fire in SOURCES:
        at = next_due(life, ledger)
        if at and (at < first or not first):
            first, firing = at, fire
    return first, firing


def _waits_for_timers_only(life: Life, catalogue: Catalogue) -> bool:
    """Tell at a glance of nearly everybody that nothing but timers waits: asked three times an event.

    Whatever is added to SOURCES has to be added here.
    """
    pacing, found = life.pacing, life.friction
    return not (
        life.segments_due
        or life.schedules
        or (pacing is not None and pacing.deferred)
        or (found is not None and found.deadlines)
        or 0 <= life.revision < catalogue.renewed
        or catalogue.migrations
        or catalogue.holds
    )


# -- Definitions that came into force.


def _next_migration(life: Life, ledger: Ledger) -> int:
    """Return when the first enrolment goes along with a publishing."""
    catalogue = ledger.catalogue
    if not catalogue.migrations:
        return 0
    return min(filter(None, (_migrates_at(each, catalogue) for each in life.enrolments)), default=0)


def _migrate(life: Life, ledger: Ledger) -> None:
    catalogue = ledger.catalogue
    moving = next(each for each in life.enrolments if _migrates_at(each, catalogue) == ledger.at)
    migrate(life, moving, ledger)


def _migrates_at(enrolment: Enrolment, catalogue: Catalogue) -> int:
    migration = pending(enrolment, catalogue)
    if migration is None:
        return 0
    return released_at(catalogue, enrolment.journey, migration.at, migration.position) or 0


def _next_revision(life: Life, ledger: Ledger) -> int:
    """Return when the last publishing was, where it did not reach the person yet; of somebody new, never."""
    catalogue = ledger.catalogue
    if not 0 <= life.revision < catalogue.renewed:
        return 0
    # Where nothing is kept for everybody, nobody is asked: whether a sweep comes by must not show in a state.
    is_kept = catalogue.segments or catalogue.scheduled or life.segments or life.schedules
    return max(1, catalogue.renewed_at) if is_kept else 0


def _revise(life: Life, ledger: Ledger) -> None:
    n_facts = len(ledger.facts)
    bring_up_to_date(life, ledger)
    if len(ledger.facts) > n_facts:
        journeys.heed(life, ledger)


# -- Segments and schedules.


def _next_segments(life: Life, _ledger: Ledger) -> int:
    return life.segments_due


def _fire_segments(life: Life, ledger: Ledger) -> None:
    n_facts = len(ledger.facts)
    joined = segments.fire(life, ledger)
    if len(ledger.facts) > n_facts:
        journeys.heed(life, ledger)
    journeys.join(life, joined, ledger)


def _next_schedule(life: Life, _ledger: Ledger) -> int:
    return min(life.schedules.values()) if life.schedules else 0


# -- Timers.


def _next_timer(life: Life, ledger: Ledger) -> int:
    first = 0
    is_plain = not ledger.catalogue.holds
    for enrolment in life.enrolments:
        wake = enrolment.wake
        if wake and not is_plain:
            wake = released_at(ledger.catalogue, enrolment.journey, wake) or 0
        if wake and (wake < first or not first):
            first = wake
    return first


def _fire_timer(life: Life, ledger: Ledger) -> None:
    """Fire the timer due now; of equals, by priority, then that of the enrolment that entered first."""
    catalogue = ledger.catalogue
    due = [
        each
        for each in life.enrolments
        if each.wake and released_at(catalogue, each.journey, each.wake) == ledger.at
    ]
    enrolment = min(due, key=lambda one: journeys.precedence(one, ledger))
    journey = journey_of(enrolment, ledger)
    if journey is None:
        end(life, enrolment, ledger, reason="withdrawn", state=enrolment.machine.active)
        return
    view = View(life, ledger.catalogue, at=ledger.at, unit=ledger.unit)
    view.enrolment = enrolment
    inside = Inside(life, enrolment, journey, view, ledger)
    if not journeys.interrupts(inside, None):
        apply(inside, statechart.fire(journey.chart, enrolment.machine, view, at=ledger.at))


SOURCES = (
    Source("migrations", _next_migration, _migrate),
    Source("revision", _next_revision, _revise),
    Source("segments", _next_segments, _fire_segments),
    Source("deferred", next_deferred, decide_again),
    Source("timers", _next_timer, _fire_timer),
    Source("schedules", _next_schedule, journeys.enter_on_schedule),
    Source("friction", friction.next_due, friction.fire),
)
"""In the order in which they happen, of those due at the same instant."""
