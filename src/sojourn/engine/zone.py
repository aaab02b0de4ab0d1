"""The person's zone: whose wall clock their hours and days are told by.

Three tell it, and the better one wins, whatever the order of arrival: the trait `time_zone` (or `timezone`),
because somebody said it; the device's own setting (`context.timezone`); where the address is, which is a
guess, and a server's where a server sends. Of one kind the newest wins. None of them: the policy's.
"""

from __future__ import annotations

from zoneinfo import ZoneInfo

from sojourn.definitions.policy import Policy
from sojourn.definitions.zones import zone_named
from sojourn.engine.enrich import Enrichment
from sojourn.engine.objects import read_object
from sojourn.engine.state import Life, Zone
from sojourn.model.event import EMPTY, Event

_BY_ADDRESS, _BY_DEVICE, _BY_TRAIT = 0, 1, 2

TRAITS = ("time_zone", "timezone")
"""Of two in one event the first."""


def zone_of(life: Life, policy: Policy) -> ZoneInfo:
    """Return the clock a person lives by."""
    own = zone_named(life.time_zone.value) if life.time_zone is not None else None
    zone = own or zone_named(policy.time_zone)
    assert zone is not None, "a policy with an unknown zone is refused"
    return zone


def hear_zone(life: Life, event: Event, enrichment: Enrichment, message_id: str) -> None:
    """Take in what an event says of the person's zone; a name that no zone has says nothing."""
    name, rank = _said(event, enrichment)
    if not name:
        return
    known = life.time_zone
    if known is None or known.value != name or known.rank != rank:
        if zone_named(name) is not None:
            _keep_better(life, Zone(event.occurred_at, message_id, name, rank))
    elif (event.occurred_at, message_id) > (known.at, known.message_id):
        known.at, known.message_id = event.occurred_at, message_id  # said again: cheaper than a new one


def merge_zone(life: Life, other: Life) -> None:
    """Bring in what another life knows of the zone."""
    if other.time_zone is not None:
        _keep_better(life, other.time_zone)


def _said(event: Event, enrichment: Enrichment) -> tuple[str, int]:
    if event.kind == "identify" and event.traits is not EMPTY:
        traits = read_object(event.traits)
        for trait in TRAITS:
            name = traits.get(trait)
            if isinstance(name, str) and zone_named(name) is not None:
                return name, _BY_TRAIT
    if enrichment.time_zone and zone_named(enrichment.time_zone) is not None:
        return enrichment.time_zone, _BY_DEVICE
    return (event.geo.time_zone, _BY_ADDRESS) if event.geo is not None else ("", _BY_ADDRESS)


def _keep_better(life: Life, new: Zone) -> None:
    old = life.time_zone
    if old is None or (new.rank, new.at, new.message_id) > (old.rank, old.at, old.message_id):
        life.time_zone = new
