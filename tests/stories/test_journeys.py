"""Stories of people in journeys: each of the complaints about journey tools, as what happens here instead."""

from __future__ import annotations

from sojourn.model.fact import ActionWithheld, Entered, Exited, GoalReached, NotEntered, Transitioned
from tests.engine.makers import MINUTE, T0
from tests.stories.world import World

RESCUE = """
journey: rescue
entry: { on: Checkout Started, key: properties.cart }
goal: { on: Order Completed, within: 7d, value: properties.revenue }
exit: [ { on: Cart Emptied } ]
states:
  waiting:
    on: { Help Opened: assisted }
    after: { 30m: reminded }
  reminded:
    do: [ { webhook: mail, body: { cart: "{{ entry.properties.cart }}", who: "{{ profile.user_id }}" } } ]
    after: { 1d: done }
  assisted:
    do: [ { webhook: support, body: { who: "{{ profile.user_id }}" } } ]
    after: { 1d: done }
  done: {}
"""


def test_who_leaves_a_checkout_is_reminded_after_half_an_hour() -> None:
    """The story every tool tells."""
    world = World(RESCUE)
    world.when("Checkout Started", properties={"cart": 7})
    world.after(29)
    assert world.sent() == []
    world.after(1)
    assert world.sent() == [("mail", {"cart": 7, "who": "ann"})]


def test_who_orders_is_not_reminded() -> None:
    """The goal interrupts at once, from any state, and says what it was worth."""
    world = World(RESCUE)
    world.when("Checkout Started", properties={"cart": 7})
    world.after(10)
    world.when("Order Completed", properties={"revenue": 40})
    world.after(60)
    assert world.sent() == []
    assert [fact.value for fact in world.facts(GoalReached)] == [40.0]
    assert [fact.reason for fact in world.facts(Exited)] == ["goal"]


def test_an_exit_rule_does_not_wait_for_the_current_step() -> None:
    """Braze: a 30-day delay, an exit 29 days late."""
    world = World(RESCUE)
    world.when("Checkout Started", properties={"cart": 7})
    world.when("Cart Emptied")
    assert world.inside() == []
    world.after(60)
    assert world.sent() == []


def test_of_an_event_and_a_timeout_at_one_instant_exactly_one_wins() -> None:
    """Two claims to one wait must not both succeed."""
    world = World(RESCUE)
    world.when("Checkout Started", properties={"cart": 7})
    world.minute = 30
    world.when("Help Opened")
    world.after(1)
    assert [sink for sink, _ in world.sent()] == ["mail"]
    assert len(world.facts(Transitioned)) == 2


def test_a_late_wake_fires_at_the_instant_it_was_due() -> None:
    """A process that slept for a week decides what it would have decided, and says when."""
    world = World(RESCUE)
    world.when("Checkout Started", properties={"cart": 7})
    world.after(7 * 24 * 60)
    assert [action.at for action in world.actions()] == [T0 + 30 * MINUTE]
    assert world.inside() == []


def test_two_carts_are_two_enrolments() -> None:
    """A key ties events to one run: the second cart does not disturb the first."""
    world = World(RESCUE)
    world.when("Checkout Started", properties={"cart": 1})
    world.after(10)
    world.when("Checkout Started", properties={"cart": 2})
    assert [enrolment.key for enrolment in world.inside()] == ["1", "2"]


def test_entering_twice_is_entering_once_and_says_why() -> None:
    """Parcelvoy: the same journey four times."""
    world = World(RESCUE)
    for _ in range(3):
        world.when("Checkout Started", properties={"cart": 1})
    assert len(world.facts(Entered)) == 1
    assert [fact.reason for fact in world.facts(NotEntered)] == ["already-in", "already-in"]


def test_an_entry_without_its_key_is_refused_and_told() -> None:
    """A missing cart id must not make one enrolment of all carts."""
    world = World(RESCUE)
    world.when("Checkout Started", properties={})
    assert [fact.reason for fact in world.facts(NotEntered)] == ["no-key"]


def test_an_unnamed_persons_timers_come_along_when_they_are_named() -> None:
    """The cart was left before the sign-in; the reminder knows the name."""
    world = World(RESCUE)
    world.when("Checkout Started", "?device", properties={"cart": 7})
    world.after(10)
    world.when("$identify", anonymous_id="device")
    assert world.states() == [["waiting"]]
    world.after(20)
    assert [(action.user_id, action.at) for action in world.actions()] == [("ann", T0 + 30 * MINUTE)]


def test_a_person_already_inside_is_not_inside_twice_after_a_merge() -> None:
    """The same cart on the phone and, signed in, on the desk."""
    world = World(RESCUE)
    world.when("Checkout Started", properties={"cart": 7})
    world.when("Checkout Started", "?device", properties={"cart": 7})
    world.when("$identify", anonymous_id="device")
    world.after(60)
    assert len(world.sent()) == 1
    assert [fact.reason for fact in world.facts(Exited)] == ["merged"]


def test_a_held_out_person_moves_and_gets_nothing() -> None:
    """A ghost action says what would have been sent: lift needs both."""
    world = World(RESCUE.replace("states:", "holdout: 99.99%\nstates:", 1))
    world.when("Checkout Started", properties={"cart": 7})
    world.after(60)
    assert world.sent() == []
    assert [(fact.reason, fact.sink) for fact in world.facts(ActionWithheld)] == [("held-out", "mail")]


def test_imported_history_moves_people_and_sends_nothing() -> None:
    """Last year's carts are not reminded today."""
    world = World(RESCUE)
    world.when("Checkout Started", imported=True, properties={"cart": 7})
    world.after(60)
    assert world.sent() == []
    assert [fact.reason for fact in world.facts(ActionWithheld)] == ["history"]


def test_who_is_inside_an_edited_journey_stays_in_their_version() -> None:
    """PostHog: a deleted step leaves people stuck in it."""
    edited = RESCUE.replace("reminded", "nudged").replace("webhook: mail", "webhook: push")
    world = World(RESCUE)
    world.when("Checkout Started", properties={"cart": 1})
    world.publish(edited, older=(RESCUE,))
    world.when("Checkout Started", properties={"cart": 2})
    world.after(30)
    assert [(sink, body["cart"]) for sink, body in world.sent()] == [("mail", 1), ("push", 2)]


def test_a_journey_whose_every_version_is_gone_lets_people_go() -> None:
    """Nobody stays in a state that does not exist."""
    world = World(RESCUE)
    world.when("Checkout Started", properties={"cart": 1})
    world.publish()
    world.when("Viewed")
    assert [fact.reason for fact in world.facts(Exited)] == ["withdrawn"]
    assert world.inside() == []


def test_an_event_named_like_a_timer_moves_nobody() -> None:
    """Names of a chart's own events are nobody else's to send."""
    world = World(RESCUE)
    world.when("Checkout Started", properties={"cart": 1})
    world.when("after(waiting,1800000)")
    assert world.states() == [["waiting"]]


def test_an_action_is_named_by_its_cause() -> None:
    """The same history gives the same idempotency keys, on every machine, in every replay."""
    keys = []
    for _ in range(2):
        world = World(RESCUE)
        world.when("Checkout Started", properties={"cart": 7})
        world.after(60)
        keys.append([action.id for action in world.actions()])
    assert keys[0] == keys[1] != []


def test_yesterdays_reminder_is_not_worth_sending() -> None:
    """An action says until when it is worth doing."""
    world = World(RESCUE)
    world.when("Checkout Started", properties={"cart": 7})
    world.after(60)
    (action,) = world.actions()
    assert action.expires_at == action.at + 24 * 60 * MINUTE
