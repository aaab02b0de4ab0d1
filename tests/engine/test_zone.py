"""The person's zone: which source is believed, whatever the order of arrival."""

from __future__ import annotations

from itertools import permutations

from sojourn.definitions.policy import Policy
from sojourn.engine.enrich import enrich
from sojourn.engine.state import Life, Zone
from sojourn.engine.zone import hear_zone, merge_zone, zone_of
from sojourn.model.event import Event, Geo
from tests.engine.makers import event


def heard(*events: Event) -> Life:
    """Let a person be somewhere."""
    life = Life()
    for each in events:
        hear_zone(life, each, enrich(bytes(each.context)), each.message_id)
    return life


def zone(life: Life) -> str | None:
    """Return the zone's name."""
    return life.time_zone.value if life.time_zone else None


def test_a_trait_is_believed_before_a_device_and_a_device_before_an_address() -> None:
    """An address guesses, and a server's event comes from the server's; whoever said it knows."""
    trait = event("$identify", at=0, traits={"timezone": "Asia/Tokyo"})
    device = event("Viewed", at=1, context={"timezone": "Europe/Berlin"})
    address = event("Viewed", at=2, geo=Geo(time_zone="America/New_York"))
    for order in permutations([trait, device, address]):
        assert zone(heard(*order)) == "Asia/Tokyo"
    for order in permutations([device, address]):
        assert zone(heard(*order)) == "Europe/Berlin"


def test_of_one_source_the_newest_word_wins() -> None:
    """Somebody travels; the event that says so may come before an older one."""
    events = [
        event("Viewed", at=at, context={"timezone": name})
        for at, name in enumerate(("Europe/Berlin", "Asia/Tokyo", "Europe/Berlin", "America/New_York"))
    ]
    for order in permutations(events):
        assert zone(heard(*order)) == "America/New_York"


def test_a_word_said_again_is_newer() -> None:
    """Else a late event from an old place would win over one that confirmed the new place."""
    berlin, tokyo, again = (
        event("Viewed", at=at, context={"timezone": name})
        for at, name in ((0, "Europe/Berlin"), (1, "Asia/Tokyo"), (2, "Europe/Berlin"))
    )
    assert zone(heard(berlin, again, tokyo)) == "Europe/Berlin"


def test_a_zone_that_is_none_says_nothing() -> None:
    """Devices say odd things; `time_zone` is read before `timezone`."""
    assert zone(heard(event("Viewed", context={"timezone": "Mars/Base"}))) is None
    traits = {"time_zone": "nowhere", "timezone": "Asia/Tokyo"}
    assert zone(heard(event("$identify", traits=traits))) == "Asia/Tokyo"
    assert zone(heard(event("$identify", traits={"timezone": 7}))) is None


def test_two_lives_come_to_the_better_word() -> None:
    """As if all had been heard in one."""
    life, other = (
        Life(time_zone=Zone(9, "m", "Europe/Berlin", 1)),
        Life(time_zone=Zone(1, "m", "Asia/Tokyo", 2)),
    )
    merge_zone(life, other)
    assert zone(life) == "Asia/Tokyo"


def test_a_person_nobody_can_place_lives_by_the_policys_clock() -> None:
    """There must be one."""
    assert zone_of(Life(), Policy(time_zone="Europe/Berlin")).key == "Europe/Berlin"
    assert zone_of(Life(), Policy()).key == "UTC"
