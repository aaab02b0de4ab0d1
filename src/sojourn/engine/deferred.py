"""Deferred: actions put off to the end of quiet hours, and what becomes of them meanwhile."""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Iterable
from typing import Any

from msgspec import structs

from sojourn.engine.holdouts import holdouts_of_action
from sojourn.engine.holds import released_at
from sojourn.engine.ledger import Ledger
from sojourn.engine.pacing import Stop
from sojourn.engine.state import Life, Pacing, Wanted
from sojourn.model.fact import ActionDeferred, ActionWithheld, Fact

MAX_DEFERRED = 50  # of one person at once: more in a night is a loop, not a conversation.
MAX_DEFERRED_BYTES = 1 << 20  # of their bodies: four of the largest.


def put_off(life: Life, wanted: Wanted, stop: Stop, ledger: Ledger) -> None:
    """Keep an action until it is decided again, or withhold it where too many wait already."""
    kept = structs.replace(wanted, due=stop.until)
    if not _keep(life, kept):
        tell(wanted, ledger, ActionWithheld, reason="bound", detail=f"{MAX_DEFERRED} wait already")
        return
    tell(
        wanted,
        ledger,
        ActionDeferred,
        until=stop.until,
        reason=stop.reason,
        detail=stop.detail,
        holdouts=",".join(holdouts_of_action(life, wanted, ledger)),
    )


def next_deferred(life: Life, ledger: Ledger) -> int:
    """Return when the next action is decided again, ms; 0: none waits, or only for a journey to go on."""
    if life.pacing is None or not life.pacing.deferred:
        return 0
    waiting = life.pacing.deferred
    if not ledger.catalogue.holds:
        return waiting[0].due
    return min(filter(None, (_due_at(one, ledger) for one in waiting)), default=0)


def take_due(life: Life, ledger: Ledger) -> Wanted:
    """Take the next action out that is due: of several, that of the journey with the highest priority.

    Among those of one priority, the one that was wanted first.
    """
    assert life.pacing is not None, "something is due"
    due = [wanted for wanted in life.pacing.deferred if 0 < _due_at(wanted, ledger) <= ledger.at]
    versions = ledger.catalogue.versions

    def rank(wanted: Wanted) -> int:
        journey = versions.get((wanted.journey, wanted.version))
        return -journey.priority if journey is not None else 0

    chosen = min(due, key=rank)
    life.pacing.deferred.remove(chosen)
    return chosen


def cancel(life: Life, enrolment_id: str, ledger: Ledger, *, detail: str) -> None:
    """Withhold what an enrolment still waits to send: it is over, and for another reason than being done."""
    if life.pacing is not None and life.pacing.deferred:
        gone = [wanted for wanted in life.pacing.deferred if wanted.enrolment_id == enrolment_id]
        life.pacing.deferred = [one for one in life.pacing.deferred if one.enrolment_id != enrolment_id]
        withhold_all(gone, ledger, detail=detail)


def merge_deferred(life: Life, other: Life, ledger: Ledger) -> None:
    """Bring in what another life put off."""
    for wanted in other.pacing.deferred if other.pacing is not None else ():
        if not _keep(life, wanted):
            tell(wanted, ledger, ActionWithheld, reason="bound", detail=f"{MAX_DEFERRED} wait already")


def withhold_all(several: Iterable[Wanted], ledger: Ledger, *, detail: str) -> None:
    """Say of actions put off that nobody sends them any more."""
    for wanted in several:
        tell(wanted, ledger, ActionWithheld, reason="left", detail=detail)


def tell(wanted: Wanted, ledger: Ledger, kind: Callable[..., Fact], **fields: Any) -> None:
    """Write a fact about an action down."""
    ledger.note(
        kind,
        action_id=wanted.action_id,
        sink=wanted.sink,
        journey=wanted.journey,
        version=wanted.version,
        enrolment_id=wanted.enrolment_id,
        state=wanted.state,
        channel=wanted.channel,
        **fields,
    )


def _due_at(wanted: Wanted, ledger: Ledger) -> int:
    """Return when an action may be decided: of a journey that stands still, when it goes on; 0: unknown."""
    return released_at(ledger.catalogue, wanted.journey, wanted.due) or 0


def _keep(life: Life, wanted: Wanted) -> bool:
    """Put an action in its place among those that wait; false where the bound is reached."""
    if life.pacing is None:
        life.pacing = Pacing()
    waiting = life.pacing.deferred
    n_bytes = sum(len(one.body) for one in waiting) + len(wanted.body)
    if len(waiting) >= MAX_DEFERRED or n_bytes > MAX_DEFERRED_BYTES:
        return False
    insort(waiting, wanted, key=lambda one: one.due)  # after those due with it
    return True
