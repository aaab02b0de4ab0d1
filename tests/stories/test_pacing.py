"""Stories of consent, caps, quiet hours and hold-outs: what people get, what they do not, and why."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs

from sojourn.definitions.catalogue import build_catalogue
from sojourn.engine import identity
from sojourn.engine.experiments import bucket
from sojourn.model.fact import ActionDecided, ActionDeferred, ActionWithheld, ConsentChanged, Entered, Exited
from sojourn.runtime.driver import Driver
from tests.engine.makers import MINUTE, T0
from tests.stories.world import World

# Stories begin on a Tuesday at 22:13 UTC.
HOUR = 60
DAY = 24 * HOUR

REMINDER = """
journey: reminder
entry: { on: Checkout Started, key: properties.cart, reentry: always }
goal: { on: Order Completed }
exit: [ { on: Cart Emptied } ]
holdout: off
states:
  waiting:
    after: { 30m: reminded }
  reminded:
    do: [ { webhook: mail, topic: carts, body: { cart: "{{ entry.key }}" } } ]
    after: { 2d: done }
"""

AT_ONCE = """
journey: NAME
entry: { on: Viewed, key: properties.n, reentry: always }
holdout: off
states:
  telling:
    do: [ { webhook: mail, body: { from: "NAME", n: "{{ entry.key }}" } } ]
    after: { 1m: done }
"""

RECEIPT = """
journey: receipt
entry: { on: Order Completed, reentry: always }
holdout: 99.99%
states:
  told:
    do: [ { webhook: mail, transactional: true, body: { receipt: "{{ event.properties.n }}" } } ]
    after: { 1m: done }
"""

NIGHT = """
policy:
  holdout: off
  quiet: { from: "22:00", to: "08:00" }
  channels: { email: { sinks: [mail] } }
"""
DAY_ONLY = "policy: { holdout: off, channels: { email: { sinks: [mail] MORE } } }"


def policy(more: str) -> str:
    """Write a policy with one channel."""
    return DAY_ONLY.replace(" MORE", ", " + more if more else "")


def withheld(world: World, who: str = "ann") -> list[tuple[str, str]]:
    """Say why what was not sent was not."""
    return [(fact.reason, fact.detail) for fact in world.facts(ActionWithheld, who)]


def consent(world: World, who: str = "ann", **said: Any) -> None:
    """Let a person allow or forbid something."""
    world.when("Consent Updated", who, properties={"channel": "email"} | said)


def test_who_forbids_a_channel_gets_nothing_by_it() -> None:
    """And the fact of their word is there, with the message that said it."""
    world = World(REMINDER, policy=policy(""))
    consent(world, granted=False)
    world.when("Checkout Started", properties={"cart": 1})
    world.after(HOUR)
    assert world.sent() == []
    assert withheld(world) == [("consent", "email is forbidden")]
    assert [(fact.scope, fact.granted) for fact in world.facts(ConsentChanged)] == [("email", False)]


def test_consent_holds_without_any_policy() -> None:
    """A person's no does not wait for somebody to write a file."""
    world = World(REMINDER.replace("webhook: mail", "webhook: mail, channel: email"))
    consent(world, topic="carts", granted=False)
    world.when("Checkout Started", properties={"cart": 1})
    world.after(HOUR)
    assert withheld(world) == [("consent", "email/carts is forbidden")]


def test_consent_said_in_imported_history_holds() -> None:
    """Whoever moves here brings what people said before."""
    world = World(REMINDER, policy=policy(""))
    world.when("Seen")
    world.when("Consent Updated", occurred_at=T0 - 400 * DAY * MINUTE, imported=True,
               properties={"channel": "email", "granted": False})  # fmt: skip
    world.when("Checkout Started", properties={"cart": 1})
    world.after(HOUR)
    assert withheld(world) == [("consent", "email is forbidden")]


def test_consent_given_before_the_name_holds_after_it() -> None:
    """A banner is answered by somebody nobody can name yet."""
    world = World(REMINDER, policy=policy("consent: opt_in"))
    consent(world, "?phone", granted=True)
    world.when("$identify", anonymous_id="phone")
    world.when("Checkout Started", properties={"cart": 1})
    world.after(HOUR)
    assert len(world.sent()) == 1


OFFERS = """
journey: NAME
entry: { on: NAME }
group: offers
priority: PRIORITY
holdout: off
states:
  told:
    do: [ { webhook: mail, body: { hello: "NAME" } } ]
    exit_do: [ { webhook: mail, body: { bye: "NAME" } } ]
    after: { 1d: done }
"""


@pytest.mark.parametrize(
    ("more", "said", "why"),
    [
        ("", {"granted": False}, ("consent", "email is forbidden")),
        ("caps: [ { most: 2, per: day } ]", {}, ("cap", "email: 2 of 2 in a day")),
    ],
)
def test_what_a_merge_ends_says_goodbye_by_the_words_and_caps_of_both_lives(
    more: str, said: dict[str, Any], why: tuple[str, str]
) -> None:
    """The no was said, and the other message sent, before the name: what the merge wants comes after it."""
    lower, higher = (
        OFFERS.replace("NAME", name).replace("PRIORITY", str(n)) for n, name in enumerate("AB", start=1)
    )
    world = World(lower, higher, policy=policy(more))
    world.when("A")
    world.when("B", "?phone")
    consent(world, "?phone", **said)
    n_sent = len(world.sent())
    world.when("$identify", anonymous_id="phone")
    assert (world.sent()[n_sent:], withheld(world)) == ([], [why])


def test_at_night_a_message_waits_for_the_morning_of_the_person() -> None:
    """Wanted at 22:43 in London; it is 07:43 in Tokyo, where the person is."""
    world = World(REMINDER, policy=NIGHT)
    world.when("Viewed", context={"timezone": "Asia/Tokyo"})
    world.when("Checkout Started", properties={"cart": 1})
    world.after(40)
    (put_off,) = world.facts(ActionDeferred)
    assert (put_off.reason, put_off.detail) == ("quiet-hours", "22:00 to 08:00, Asia/Tokyo")
    assert world.sent() == []
    world.after(10)
    assert [action.at for action in world.actions()] == [put_off.until]
    assert world.facts(ActionDecided)[0].action_id == put_off.action_id


def test_consent_withdrawn_between_wanting_and_sending_is_heeded() -> None:
    """In the morning everything is asked again."""
    world = World(REMINDER, policy=NIGHT)
    world.when("Checkout Started", properties={"cart": 1})
    world.after(2 * HOUR)
    consent(world, granted=False)
    world.after(DAY)
    assert world.sent() == []
    assert withheld(world) == [("consent", "email is forbidden")]


@pytest.mark.parametrize(("event", "reason"), [("Order Completed", "goal"), ("Cart Emptied", "exit")])
def test_who_orders_overnight_is_not_reminded_in_the_morning(event: str, reason: str) -> None:
    """The message is called off the moment its reason is gone."""
    world = World(REMINDER, policy=NIGHT)
    world.when("Checkout Started", properties={"cart": 1})
    world.after(2 * HOUR)
    world.when(event)
    assert withheld(world) == [("left", reason)]
    world.after(DAY)
    assert world.sent() == []


def test_what_leaving_itself_wants_is_not_called_off() -> None:
    """A thank-you for an order at night comes in the morning."""
    text = REMINDER.replace(
        "    after: { 30m", "    exit_do: [ { webhook: mail, body: {} } ]\n    after: { 30m"
    )
    world = World(text, policy=NIGHT)
    world.when("Checkout Started", properties={"cart": 1})
    world.when("Order Completed")
    world.after(DAY)
    assert [action.state for action in world.actions()] == ["waiting"]


def test_a_journey_that_is_done_still_says_what_it_put_off() -> None:
    """Only who leaves for another reason takes the message with them."""
    world = World(AT_ONCE.replace("NAME", "short"), policy=NIGHT)
    world.when("Viewed", properties={"n": 1})
    world.after(DAY)
    assert [fact.reason for fact in world.facts(Exited)] == ["final"]
    assert len(world.sent()) == 1


def test_a_message_that_is_stale_by_the_morning_is_not_sent() -> None:
    """Nobody wants yesterday's flash sale."""
    text = REMINDER.replace("topic: carts", "expires: 3h")
    world = World(text, policy=NIGHT)
    world.when("Checkout Started", properties={"cart": 1})
    world.after(DAY)
    assert withheld(world) == [("expired", "")]


def test_who_flies_west_overnight_is_let_sleep() -> None:
    """The night is decided anew by the clock the person lives by then."""
    world = World(REMINDER.replace("topic: carts", "expires: 3d"), policy=NIGHT)
    world.when("Checkout Started", properties={"cart": 1})
    world.after(2 * HOUR)
    world.when("Seen", context={"timezone": "America/New_York"})
    world.after(DAY)
    untils = [fact.until for fact in world.facts(ActionDeferred)]
    assert [(until - T0) // MINUTE for until in untils] == [9 * HOUR + 46, 14 * HOUR + 46]
    assert [action.at for action in world.actions()] == untils[1:]


def test_quiet_hours_may_drop_what_is_wanted_in_them() -> None:
    """A table is free now, or never."""
    world = World(REMINDER, policy=NIGHT.replace('to: "08:00"', 'to: "08:00", then: drop'))
    world.when("Checkout Started", properties={"cart": 1})
    world.after(HOUR)
    assert withheld(world) == [("quiet-hours", "22:00 to 08:00, UTC")]


def test_three_messages_a_week_are_three() -> None:
    """Journeys count together, and the window slides."""
    world = World(
        AT_ONCE.replace("NAME", "a"),
        AT_ONCE.replace("NAME", "b"),
        policy=policy("caps: [{ most: 3, per: 7d }]"),
    )
    for n in (1, 2):
        world.when("Viewed", properties={"n": n})
        world.after(DAY)
    assert withheld(world) == [("cap", "email: 3 of 3 in 7d")]
    world.after(5 * DAY)
    world.when("Viewed", properties={"n": 3})
    assert [body["n"] for _, body in world.sent()] == ["1", "1", "2", "3", "3"]


def test_of_two_journeys_that_share_a_cap_the_one_with_the_higher_priority_wins() -> None:
    """Both were put off to the morning, in which one message may be sent."""
    world = World(
        AT_ONCE.replace("NAME", "a"),
        AT_ONCE.replace("NAME", "b"),
        policy=NIGHT.replace("sinks: [mail]", "sinks: [mail], caps: [{ most: 1, per: day }]"),
    )
    journeys = [
        structs.replace(each, priority=each.name == "b") for each in world.catalogue.journeys.values()
    ]
    world.driver = Driver(world.log, world.store, build_catalogue(journeys, policy=world.policy))
    world.when("Viewed", properties={"n": 1})
    world.after(DAY)
    assert [body["from"] for _, body in world.sent()] == ["b"]
    assert withheld(world) == [("cap", "email: 1 of 1 in a day")]


def test_what_was_sent_before_the_name_counts_after_it() -> None:
    """It is one person's attention."""
    world = World(AT_ONCE.replace("NAME", "a"), policy=policy("caps: [{ most: 1, per: 7d }]"))
    world.when("Viewed", "?phone", properties={"n": 1})
    world.when("$identify", anonymous_id="phone")
    world.when("Viewed", properties={"n": 2})
    assert withheld(world) == [("cap", "email: 1 of 1 in 7d")]


def test_a_receipt_goes_out_at_night_to_whoever_left_the_newsletter() -> None:
    """Neither marketing consent, caps, quiet hours nor hold-outs stop what is owed."""
    text = NIGHT.replace("holdout: off", "holdout: 99.99%").replace(
        "sinks: [mail]", "sinks: [mail], holdout: 99.99%, caps: [{ most: 0, per: day }]"
    )
    world = World(RECEIPT, policy=text)
    consent(world, granted=False)
    world.when("Order Completed", properties={"n": 7})
    assert world.sent() == [("mail", {"receipt": 7})]


def test_after_a_stop_to_everything_no_receipt_goes_out_either() -> None:
    """Carriers hold senders of text messages to it."""
    world = World(RECEIPT, policy=policy(""))
    consent(world, topic="transactional", granted=False)
    world.when("Order Completed", properties={"n": 7})
    assert withheld(world) == [("consent", "email/transactional is forbidden")]


GHOSTS = {
    "global": ("policy: { holdout: 99.99%, channels: { email: { sinks: [mail] MORE } } }", REMINDER),
    "journey": (DAY_ONLY, REMINDER.replace("holdout: off", "holdout: 99.99%")),
    "channel email": (DAY_ONLY.replace("sinks: [mail]", "sinks: [mail], holdout: 99.99%"), REMINDER),
}


@pytest.mark.parametrize("which", GHOSTS)
def test_a_ghost_action_says_which_hold_out_kept_it_back(which: str) -> None:
    """What a held-out person would have had is a fact, with its channel."""
    text, journey = GHOSTS[which]
    world = World(journey, policy=text.replace(" MORE", ""))
    world.when("Checkout Started", properties={"cart": 1})
    world.after(HOUR)
    assert world.sent() == []
    (ghost,) = world.facts(ActionWithheld)
    assert (ghost.reason, ghost.detail, ghost.channel) == ("held-out", which, "email")
    assert world.states() == [["reminded"]]
    expected = which if which in ("global", "journey") else ""
    assert [(fact.held_out, fact.holdout) for fact in world.facts(Entered)] == [(expected != "", expected)]


@pytest.mark.parametrize("which", GHOSTS)
def test_a_ghost_is_capped_hushed_and_refused_as_the_others_are(which: str) -> None:
    """So that a ghost action means: would have been sent but for the hold-out."""
    text, journey = GHOSTS[which]
    more = ', caps: [{ most: 1, per: 7d }], quiet: { from: "22:00", to: "08:00" }'
    arms = []
    for texts in ((text, journey), (DAY_ONLY, REMINDER)):
        world = World(texts[1], policy=texts[0].replace(" MORE", more))
        world.when("Checkout Started", properties={"cart": 1})
        world.when("Checkout Started", properties={"cart": 2})
        world.after(DAY)
        consent(world, granted=False)
        world.when("Checkout Started", properties={"cart": 3})
        world.after(HOUR)
        n_put_off = len(world.facts(ActionDeferred))
        arms.append((n_put_off, [reason for reason, _ in withheld(world) if reason != "held-out"]))
        assert len(world.sent()) + sum(reason == "held-out" for reason, _ in withheld(world)) == 1
    assert arms[0] == arms[1] == (2, ["cap", "consent"])


def test_a_ghost_of_history_is_none() -> None:
    """What was imported would not have been sent in any case."""
    text, journey = GHOSTS["journey"]
    world = World(journey, policy=text.replace(" MORE", ""))
    world.when("Checkout Started", properties={"cart": 1}, imported=True)
    world.after(HOUR)
    assert withheld(world) == [("history", "")]


def test_the_global_hold_out_survives_the_name() -> None:
    """Who was kept back as a stranger is kept back as a customer, and the other way round."""
    strangers = [f"s{n}" for n in range(40)]
    world = World(REMINDER, policy="policy: { holdout: 50% }")
    for n, stranger in enumerate(strangers):
        world.when("Checkout Started", "?" + stranger, properties={"cart": 1})
        world.when("$identify", f"user{n}", anonymous_id=stranger)
        world.when("Checkout Started", f"user{n}", properties={"cart": 2})
        held = [fact.held_out for fact in world.facts(Entered, f"user{n}")]
        assert held == [bucket("holdout/all", stranger) < 0.5] * 2


def test_a_device_too_many_takes_what_it_put_off_with_it() -> None:
    """Nothing waits for a person nobody is."""
    world = World(REMINDER, policy=NIGHT)
    world.when("Checkout Started", "?phone", properties={"cart": 1})
    world.after(HOUR)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(identity, "MAX_IDS", 0)
        world.when("$identify", anonymous_id="phone")
    world.after(DAY)
    assert world.sent() == []
    assert withheld(world) == [("left", "merged")]
