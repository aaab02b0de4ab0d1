"""Holds: a journey, or all of them, stands still; what comes due meanwhile happens when it goes on."""

from __future__ import annotations

from sojourn.definitions.journey import EVERY_JOURNEY, Catalogue, Hold


def is_held(catalogue: Catalogue, journey: str, at: int) -> bool:
    """Tell whether a journey stands still at an instant (one at which it goes on again is none)."""
    return bool(catalogue.holds) and _hold_around(catalogue, journey, at) is not None


def released_at(catalogue: Catalogue, journey: str, due: int) -> int | None:
    """Return when something of a journey that is due at an instant may happen; None: not until it goes on."""
    while catalogue.holds:
        hold = _hold_around(catalogue, journey, due)
        if hold is None:
            break
        if hold.until is None:
            return None
        due = hold.until
    return due


def _hold_around(catalogue: Catalogue, journey: str, at: int) -> Hold | None:
    for name in (journey, EVERY_JOURNEY):
        for hold in catalogue.holds.get(name, ()):
            if hold.since <= at and (hold.until is None or at < hold.until):
                return hold
    return None
