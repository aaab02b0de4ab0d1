"""Stories of people: their visits, their names, and what is told of both."""

from __future__ import annotations

from sojourn.definitions.catalogue import build_catalogue
from sojourn.model.fact import SessionEnded, SessionRevised, SessionStarted
from sojourn.runtime.driver import Driver
from tests.engine.makers import MINUTE, T0
from tests.stories.world import World

DAY = 24 * 60


def test_a_visit_ends_also_for_who_comes_back_after_days() -> None:
    """A visit that is forgotten because it is old is still told to be over."""
    world = World()
    world.when("Viewed")
    world.after(3 * DAY)
    world.when("Viewed")
    assert [(fact.ended_at, fact.n_events) for fact in world.facts(SessionEnded)] == [(T0, 1)]


def test_a_visit_that_a_merge_pushes_out_is_told_to_be_over() -> None:
    """The named life's last visit was days before the unnamed one's."""
    world = World()
    world.when("Viewed")
    world.after(3 * DAY)
    world.when("Viewed", "?device")
    world.when("$identify", anonymous_id="device")
    assert [fact.ended_at for fact in world.facts(SessionEnded)] == [T0]


def test_lives_are_merged_by_the_gap_that_the_house_keeps() -> None:
    """A house of ten-minute visits does not join two of them because an unnamed life came in."""
    world = World()
    world.driver = Driver(world.log, world.store, build_catalogue([], session_gap_ms=10 * MINUTE))
    world.when("Viewed")
    world.after(20)
    world.when("Viewed", "?device")
    world.when("$identify", anonymous_id="device")
    assert len(world.profile().sessions) == 2


def test_every_visit_told_is_there_in_the_end_or_told_to_be_replaced() -> None:
    """A visit begun unnamed becomes part of the named one's: whoever counts visits must hear of it."""
    world = World()
    world.when("Viewed")
    world.after(5)
    world.when("Viewed", "?device")
    world.when("$identify", anonymous_id="device")
    told = {fact.session_id for fact in world.facts(SessionStarted)}
    replaced = {old for fact in world.facts(SessionRevised) for old in fact.replaces}
    assert len(told) == 2
    assert told - replaced == {session.id for session in world.profile().sessions}


def test_messages_of_one_id_from_two_sources_begin_two_visits() -> None:
    """A message id is one only within its source: two shops may both begin at 1."""
    world = World()
    world.when("Viewed", "ann", message_id="1", source="web")
    world.when("Viewed", "bob", message_id="1", source="app")
    (ann,), (bob,) = world.profile("ann").sessions, world.profile("bob").sessions
    assert ann.id != bob.id


def test_an_alias_holds_again_after_it_was_taken_back() -> None:
    """Alias, undo, alias: the last word counts."""
    world = World()
    for undo in (False, True, False):
        world.when("$alias", "new", previous_id="old", properties={"undo": undo})
    world.when("Viewed", "old")
    assert world.profile("new").n_events == 1


def test_a_later_alias_of_a_user_id_points_elsewhere() -> None:
    """The id was given to the wrong person first."""
    world = World()
    world.when("$alias", "wrong", previous_id="old")
    world.when("$alias", "right", previous_id="old")
    world.when("Viewed", "old")
    assert world.profile("right").n_events == 1


def test_a_visit_that_began_earlier_than_was_told_is_told_again() -> None:
    """A client's own session keeps its id, so its start is all that changes."""
    world = World()
    world.minute = 60
    world.when("Viewed", session_id="s")
    world.when("Viewed", session_id="s", occurred_at=T0)
    (fact,) = world.facts(SessionRevised)
    assert (fact.started_at, fact.replaces) == (T0, [])


def test_who_was_seen_at_the_beginning_of_time_stays_seen_then() -> None:
    """A device without a clock says 1970; the order in which its events come does not matter."""
    world = World()
    world.when("Viewed", occurred_at=0)
    world.when("Viewed")
    assert world.profile().first_seen_at == 0
