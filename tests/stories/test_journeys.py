"""Stories of people in journeys: each of the complaints about journey tools, as what happens here instead."""

from __future__ import annotations

from sojourn.engine.profile import MAX_IDS
from sojourn.model.event import Device
from sojourn.model.fact import (
    ActionWithheld,
    Entered,
    Exited,
    Exposed,
    GoalReached,
    NotEntered,
    Transitioned,
)
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


def test_who_went_through_once_and_comes_back_unnamed_does_not_go_through_twice() -> None:
    """`never` holds for the person, also where the second run began before we knew who it was."""
    world = World(RESCUE.replace("cart }", "cart, reentry: never }", 1))
    world.when("Checkout Started", properties={"cart": 7})
    world.when("Cart Emptied")
    world.when("Checkout Started", "?device", properties={"cart": 7})
    world.when("$identify", anonymous_id="device")
    world.after(60)
    assert world.sent() == []
    assert [fact.reason for fact in world.facts(Exited)] == ["exit", "merged"]


def test_a_journey_always_entered_keeps_both_runs_after_a_merge() -> None:
    """Where one person may be inside twice, being unnamed the second time changes nothing."""
    world = World(RESCUE.replace("cart }", "cart, reentry: always }", 1))
    world.when("Checkout Started", properties={"cart": 7})
    world.when("Checkout Started", "?device", properties={"cart": 7})
    world.when("$identify", anonymous_id="device")
    assert world.states() == [["waiting"], ["waiting"]]


def test_a_person_held_out_before_the_name_is_held_out_after_it() -> None:
    """A hold-out is of a person: the sign-in draws no new lot."""
    text = RESCUE.replace("states:", "holdout: 50%\nstates:", 1)
    drawn = []
    for device in range(10):
        world = World(text)
        world.when("Checkout Started", f"?d{device}", properties={"cart": 1})
        world.when("$identify", anonymous_id=f"d{device}")
        world.when("Checkout Started", properties={"cart": 2})
        drawn.append([fact.held_out for fact in world.facts(Entered)])
    assert all(before == after for before, after in drawn)
    assert {before for before, _ in drawn} == {True, False}


def test_an_exposure_tells_the_probability_of_the_variant_it_tells() -> None:
    """A variant drawn before the name stays after it, with its own weight and not that of another draw."""
    text = """
journey: split
entry: { on: Viewed, reentry: always }
states:
  offer:
    experiment: { id: e, variants: { none: 3, free: 1 }, to: { none: waiting, free: waiting } }
  waiting: { after: { 1h: done } }
"""
    told = set()
    for device in range(20):
        world = World(text)
        world.when("Viewed", f"?d{device}")
        world.when("$identify", f"u{device}", anonymous_id=f"d{device}")
        world.when("Viewed", f"u{device}")
        told |= {(fact.variant, fact.propensity) for fact in world.facts(Exposed, f"u{device}")}
    assert told == {("none", 0.75), ("free", 0.25)}


def test_who_is_led_through_an_import_meets_no_experiment() -> None:
    """Nothing was sent, so nothing can have worked: they get their variant, and count for neither arm."""
    text = """
journey: split
entry: { on: Viewed, reentry: always }
holdout: off
states:
  offer:
    experiment: { id: e, variants: { none: 1, free: 1 }, to: { none: waiting, free: waiting } }
  waiting: { after: { 1h: done } }
"""
    world = World(text)
    world.when("Viewed", imported=True)
    assert (world.states(), world.facts(Exposed)) == ([["waiting"]], [])
    world.when("Viewed")
    assert len(world.facts(Exposed)) == 1


def test_deliveries_can_be_counted() -> None:
    """A guard that asks how often sending failed hears of it, though nobody's browser said so."""
    text = """
journey: patient
entry: { on: Signed Up }
states:
  sending:
    on: { $delivery_failed: { to: done, when: "count('$delivery_failed', within='1d') >= 2" } }
    after: { 7d: done }
"""
    world = World(text)
    world.when("Signed Up")
    world.when("$delivery_failed", kind="track", source="sojourn")
    assert world.states() == [["sending"]]
    world.when("$delivery_failed", kind="track", source="sojourn")
    assert world.inside() == []


def test_runs_that_a_full_profile_does_not_take_in_end_and_say_so() -> None:
    """Nobody leaves a journey in silence."""
    world = World(RESCUE)
    for device in range(MAX_IDS):
        world.when("$identify", anonymous_id=f"d{device}")
    world.when("Checkout Started", "?last", properties={"cart": 7})
    world.when("$identify", anonymous_id="last")
    world.after(60)
    assert world.sent() == []
    assert [fact.reason for fact in world.facts(Exited)] == ["merged"]


def test_an_outcome_moves_the_run_whose_action_it_was() -> None:
    """Two carts, two mails: the first one's arrival says nothing of the second."""
    text = """
journey: mails
entry: { on: Checkout Started, key: properties.cart }
states:
  sending:
    do: [ { webhook: mail } ]
    on: { $delivered: thanked }
    after: { 1d: done }
  thanked: { after: { 1d: done } }
"""
    world = World(text)
    world.when("Checkout Started", properties={"cart": 1})
    world.when("Checkout Started", properties={"cart": 2})
    told = {"journey": "mails", "enrolment_id": world.inside()[1].id}
    world.when("$delivered", kind="track", source="sojourn", properties=told)
    assert world.states() == [["sending"], ["thanked"]]


def test_an_outcome_moves_another_journey_that_waits_for_it() -> None:
    """One journey may begin where another one's mail arrived; its guard says which."""
    text = """
journey: after-mail
entry: { on: Signed Up }
goal: { on: $delivered, when: "properties.journey == 'mails'" }
states:
  waiting: { after: { 1d: done } }
"""
    world = World(text)
    world.when("Signed Up")
    told = {"journey": "mails", "enrolment_id": "another"}
    world.when("$delivered", kind="track", source="sojourn", properties=told)
    assert len(world.facts(GoalReached)) == 1


def test_a_guard_sees_what_a_device_is_also_where_it_is_nothing_special() -> None:
    """The most common answer, such as "no bot", is an answer and not a missing one."""
    text = """
journey: humans
entry: { on: Viewed, when: "event.device.is_bot == false and event.device.kind == 'other'" }
states:
  waiting: { after: { 1d: done } }
"""
    world = World(text)
    world.when("Viewed", device=Device(browser="lynx"))
    assert world.states() == [["waiting"]]
