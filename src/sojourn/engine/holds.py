"""Holds: a journey, or all of them, stands still; what comes due meanwhile happens when it goes on."""

from __future__ import annotations

from sojourn.definitions.journey import EVERY_JOURNEY, Catalogue, Hold
from sojourn.engine.ledger import Ledger


def is_held(journey: str, ledger: Ledger) -> bool:
    """Tell whether a journey stands still now; at the instant at which it goes on again it does not.

    What is due at the very instant of a pause comes before it; of entries their places tell.
    """
    catalogue = ledger.catalogue
    return bool(catalogue.holds) and _hold_around(catalogue, journey, ledger.at, ledger.position) is not None


def released_at(catalogue: Catalogue, journey: str, due: int, position: int = 0) -> int | None:
    """Return when something of a journey that is due at an instant may happen; None: not until it goes on."""
    while catalogue.holds:
        hold = _hold_around(catalogue, journey, due, position)
        if hold is None:
            break
        if hold.until is None:
            return None
        due = hold.until
    return due


def _hold_around(catalogue: Catalogue, journey: str, at: int, position: int) -> Hold | None:
    for name in (journey, EVERY_JOURNEY):
        for hold in catalogue.holds.get(name, ()):
            has_begun = hold.since < at or (hold.since == at and hold.position < position)
            if has_begun and (hold.until is None or at < hold.until):
                return hold
    return None
