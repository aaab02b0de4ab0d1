"""Knowing: how each id came to be a person's, what they said of channels, and what goes against them."""

from __future__ import annotations

import pytest

from sojourn.model.views import ConsentView, KnownIdView
from sojourn.runtime import knowing
from sojourn.runtime.reading import find_profile
from tests.engine.makers import MINUTE, T0
from tests.stories.world import World

WAIT = """
journey: wait
entry: { on: Started }
states:
  waiting:
    on: { Looked: { to: done, when: "friction.score > 0.9 or propensity('Bought') > 2" } }
    after: { 1d: done }
  done: {}
"""


def known(world: World, who: str) -> list[tuple[str, str, float | None, str]]:
    """Return (id, kind, since in minutes, how) of each."""
    return [
        (one.id, one.kind, None if one.since is None else (one.since - T0) / MINUTE, one.how)
        for one in world.profile(who).ids
    ]


def test_who_came_without_a_name_was_named_by_an_event() -> None:
    """Their user id is theirs since then, by that message; and so is the device."""
    world = World(WAIT)
    world.when("Seen", "?phone")
    world.after(1)
    world.when("$identify", "ann", anonymous_id="phone")
    world.after(1)
    world.when("Seen", "ann", anonymous_id="laptop")
    assert known(world, "ann") == [
        ("ann", "user", 1, "identify"),
        ("phone", "anonymous", 1, "identify"),
        ("laptop", "anonymous", 2, "both_ids"),
    ]
    by = {one.id: one.event_id for one in world.profile("ann").ids}
    (told,) = [one for one in world.log.read(0, 10) if one.event.anonymous_id == "laptop"]
    assert by["laptop"] == told.event.message_id


def test_who_came_with_a_name_is_known_by_it_from_the_first() -> None:
    """And a device nobody has named is a person by itself."""
    world = World(WAIT)
    world.when("Seen", "bob")
    world.after(1)
    world.when("Seen", "bob", anonymous_id="phone")
    world.when("Seen", "?tablet")
    assert known(world, "bob") == [("bob", "user", 0, "first-seen"), ("phone", "anonymous", 1, "both_ids")]
    assert known(world, "tablet") == [("tablet", "anonymous", 1, "first-seen")]


def test_an_id_that_an_alias_brought_says_so() -> None:
    """From then on its events are this person's."""
    world = World(WAIT)
    world.when("Seen", "old")
    world.after(1)
    world.when("$alias", "new", previous_id="old")
    world.after(1)
    world.when("Seen", "old")
    assert ("old", "user", 1, "alias") in known(world, "new")


def test_of_somebody_with_a_long_story_it_says_that_it_did_not_look_so_far(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Rather than a guess."""
    monkeypatch.setattr(knowing, "MAX_LEDGER", 3)
    world = World(WAIT)
    world.when("$identify", "ann", anonymous_id="phone")
    for _ in range(5):
        world.after(1)
        world.when("Seen", "ann")
    assert known(world, "ann") == [("ann", "user", None, "earlier"), ("phone", "anonymous", None, "earlier")]
    assert isinstance(world.profile("ann").ids[0], KnownIdView)


def test_consent_is_what_was_said_last() -> None:
    """With the message that said it."""
    world = World(WAIT)
    world.when("Consent Updated", "ann", properties={"channel": "email", "granted": False})
    (told,) = world.log.read(0, 10)
    assert world.profile("ann").consent == {
        "email": ConsentView(granted=False, at=world.now, event_id=told.event.message_id)
    }


def test_friction_is_told_where_a_definition_asks_for_it_and_the_catalogue_is_at_hand() -> None:
    """The score is the one a guard sees."""
    world = World(WAIT)
    world.when("Seen", "ann")
    assert world.profile("ann").friction is None
    found = find_profile(world.store, "ann", catalogue=world.catalogue)
    assert found is not None
    assert found.propensities == {}


def test_a_person_is_found_by_the_id_of_their_profile() -> None:
    """As lists of people show it; an id that really begins so goes first."""
    world = World(WAIT)
    world.when("Seen", "ann")
    world.when("Seen", "?phone")
    assert [world.profile(each).id for each in ("u:ann", "a:phone")] == ["u:ann", "a:phone"]
    assert find_profile(world.store, "a:ann") is None
    world.when("Seen", "u:ann")
    assert world.profile("u:ann").id == "u:u:ann"
