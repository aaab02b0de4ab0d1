"""Stories of segments: who belongs to them, and what becoming a member begins and ends."""

from __future__ import annotations

from sojourn.model.fact import Entered, Exited, SegmentEntered, SegmentLeft
from tests.engine.makers import MINUTE, T0, event
from tests.stories.world import World

SEGMENTS = """
segments:
  active: "count('Viewed', within='1h') >= 2"
  sleeping: { when: "since('Viewed') > days(3)", description: "has not looked for three days" }
  paying: "trait.plan == 'pro'"
"""
WIN_BACK = """
journey: win-back
entry: { segment: sleeping, when: "not in_segment('paying')" }
exit: { when: "in_segment('active')" }
states:
  waiting: { after: { 1h: told } }
  told: { do: [ { webhook: mail, body: { who: "{{ profile.user_id }}" } } ], after: { 7d: done } }
  done: {}
"""
DAY = 24 * 60


def test_who_becomes_a_member_by_time_alone_enters_at_that_very_instant() -> None:
    """Three days without a look, and not at the next batch run."""
    world = World(SEGMENTS, WIN_BACK)
    world.when("Viewed")
    world.after(5 * DAY)
    (entered,) = world.facts(Entered)
    assert entered.at == T0 + 3 * DAY * MINUTE + 1
    assert world.sent() == [("mail", {"who": "ann"})]


def test_who_comes_back_in_time_never_enters() -> None:
    """The instant moves with each look."""
    world = World(SEGMENTS, WIN_BACK)
    for _ in range(4):
        world.when("Viewed")
        world.after(2 * DAY)
    assert world.facts(Entered) == []


def test_an_entry_s_guard_holds_for_members_too() -> None:
    """Who pays is not won back."""
    world = World(SEGMENTS, WIN_BACK)
    world.when("$identify", traits={"plan": "pro"})
    world.when("Viewed")
    world.after(5 * DAY)
    assert [fact.segment for fact in world.facts(SegmentEntered)] == ["paying", "sleeping"]
    assert world.facts(Entered) == []


def test_an_exit_rule_without_an_event_interrupts_at_once() -> None:
    """Two looks in an hour, whatever else is going on."""
    world = World(SEGMENTS, WIN_BACK)
    world.when("Viewed")
    world.after(4 * DAY)
    world.when("Viewed")
    world.when("Viewed")
    assert [(fact.reason, fact.detail) for fact in world.facts(Exited)] == [
        ("exit", "when in_segment('active')")
    ]


def test_an_exit_rule_without_an_event_interrupts_when_time_makes_it_true() -> None:
    """The window lets a look go, and the journey lets the person go in the same millisecond."""
    journey = """
journey: while-active
entry: { segment: active }
exit: { when: "not in_segment('active')" }
states: { waiting: { after: { 7d: done } }, done: {} }
"""
    world = World(SEGMENTS, journey)
    world.when("Viewed")
    world.minute = 10
    world.when("Viewed")
    world.after(3 * 60)
    (left,) = world.facts(SegmentLeft)
    (exited,) = world.facts(Exited)
    assert (left.at, exited.at) == (T0 + 60 * MINUTE, T0 + 60 * MINUTE)


def test_an_exit_rule_without_an_event_is_asked_before_a_timer_acts() -> None:
    """Nobody is told what is not true any more."""
    journey = """
journey: reminder
entry: { on: Signed Up }
exit: { when: "since('Viewed') > minutes(30)" }
states:
  waiting: { after: { 1h: told } }
  told: { do: [ { webhook: mail } ], after: { 1d: done } }
"""
    world = World(journey)
    world.when("Viewed")
    world.when("Signed Up")
    world.after(2 * 60)
    assert world.sent() == []
    assert [fact.reason for fact in world.facts(Exited)] == ["exit"]


def test_of_a_journey_with_an_event_the_segment_is_a_condition() -> None:
    """Only members enter by it, and becoming one does not."""
    journey = """
journey: upsell
entry: { on: Pricing Viewed, segment: paying }
states: { waiting: { after: { 1d: done } }, done: {} }
"""
    world = World(SEGMENTS, journey)
    world.when("Pricing Viewed")
    world.when("$identify", traits={"plan": "pro"})
    assert world.facts(Entered) == []
    world.when("Pricing Viewed")
    assert len(world.facts(Entered)) == 1


def test_a_new_segment_has_members_and_they_do_not_all_enter_at_once() -> None:
    """Publishing a journey must not mail everybody who was a member already; a schedule may."""
    world = World()
    world.when("Viewed")
    world.after(4 * DAY)
    world.publish(SEGMENTS, WIN_BACK, revision=1)
    world.when("$identify", traits={"plan": "free"})
    world.after(1)
    assert world.facts(Entered) == []


def test_imported_history_makes_members_and_enters_nobody() -> None:
    """Last year's events fill segments, and move no journey."""
    journey = """
journey: hello
entry: { segment: paying }
states: { waiting: { after: { 1d: done } }, done: {} }
"""
    world = World(SEGMENTS, journey)
    world.minute = 60
    world.when("Viewed", "bob")
    identified = event("$identify", at=0, user_id="ann", traits={"plan": "pro"})
    entries = world.log.append([identified], now=T0 + 60 * MINUTE, play=True, shadow=True).entries
    assert entries[0].is_history
    world.driver.take(entries)
    assert [fact.segment for fact in world.facts(SegmentEntered)] == ["paying"]
    assert world.facts(Entered) == []


def test_a_member_before_the_name_does_not_become_one_by_being_named() -> None:
    """The unnamed life entered already; its membership comes along with its date."""
    journey = """
journey: hello
entry: { segment: active }
states: { waiting: { after: { 1h: done } }, done: {} }
"""
    world = World(SEGMENTS, journey)
    world.when("Viewed", "?phone")
    world.when("Viewed", "?phone")
    world.minute = 5
    world.when("$identify", anonymous_id="phone")
    assert [fact.journey for fact in world.facts(Entered)] == ["hello"]
    assert world.states() == [["waiting"]]


def test_two_halves_of_a_person_may_make_a_member() -> None:
    """One look on the phone and one on the desk are two looks, as soon as we know whose."""
    journey = """
journey: hello
entry: { segment: active }
states: { waiting: { after: { 1h: done } }, done: {} }
"""
    world = World(SEGMENTS, journey)
    world.when("Viewed", "?phone")
    world.when("Viewed")
    world.minute = 5
    world.when("$identify", anonymous_id="phone")
    assert [fact.at for fact in world.facts(Entered)] == [T0 + 5 * MINUTE]


GREET = """
journey: greet
entry: { segment: active }
holdout: off
states: { told: { do: [ { webhook: mail, body: {} } ], after: { 1h: done } }, done: {} }
"""


def test_an_imported_name_begins_shadows_and_one_of_history_begins_nothing() -> None:
    """Two halves of a person become a member by a name of last year, or of a file: nobody gets a mail."""
    for is_past, n_entered in ((False, 1), (True, 0)):
        world = World(SEGMENTS, GREET)
        world.minute = 60
        world.when("Viewed")
        world.when("Viewed", "?phone")
        at = {"occurred_at": T0} if is_past else {}
        world.when("$identify", anonymous_id="phone", imported=True, **at)
        assert [fact.segment for fact in world.facts(SegmentEntered)] == ["active"]
        assert (len(world.facts(Entered)), world.sent()) == (n_entered, [])


def test_who_becomes_a_member_by_a_forged_signal_enters_by_that_and_not_by_the_signal() -> None:
    """Everybody is told their segments by their first event; nobody outside may say what friction found."""
    forged = """
journey: help
entry: { on: $friction.rage }
states: { waiting: { after: { 1h: done } }, done: {} }
"""
    world = World("segments: { active: trait.plan == null }", GREET, forged)
    world.when("$friction.rage", kind="track")
    assert [fact.journey for fact in world.facts(Entered)] == ["greet"]
