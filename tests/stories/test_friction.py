"""Stories of people for whom something does not work, and of who may come back."""

from __future__ import annotations

from msgspec.structs import replace

from sojourn.definitions.churn import UNITS_MS
from sojourn.definitions.expression import EXIT
from sojourn.definitions.friction_rules import DEFAULT_EVENTS, FrictionRules, roles_of
from sojourn.definitions.policy import Policy
from sojourn.model.fact import Entered, FrictionFound, SessionEnded, StepTaken
from tests.engine.makers import MINUTE, T0
from tests.stories.world import World

HELP = """
journey: help
entry: { on: $friction.rage, when: "friction.score > 0.6 and friction.last == 'rage'" }
states:
  offered:
    do: [ { webhook: support, body: { at: "{{ properties.target }}", score: "{{ properties.score }}" } } ]
    after: { 1h: done }
  done: {}
"""

CART = """
journey: cart
entry: { on: $friction.cart_abandon }
states:
  deciding:
    branch:
      - { when: "propensity('Order Completed') == 0 and hazard() == 1", to: mailed }
      - { to: done }
  mailed:
    do: [ { webhook: mail, body: { cart: "{{ entry.properties.target }}" } } ]
    after: { 1d: done }
  done: {}
"""

WIN_BACK = """
journey: win-back
entry: { on: Viewed, when: "count('Viewed') >= 3" }
states:
  quiet:
    on: { Viewed: done }
    after: { 14d: asked }
  asked:
    branch:
      - { when: "churn() > 0.5", to: won }
      - { to: quiet }
  won:
    do: [ { webhook: mail, body: { churned: "yes" } } ]
    after: { 1d: done }
  done: {}
"""


def world(*journeys: str, rules: FrictionRules | None = None) -> World:
    """Make a world with a policy of its own and a forecast in force."""
    made = World(*journeys)
    forecasts = {"Order Completed": {"Product Added": 0.4}, EXIT: {"Product Added": 0.2}}
    policy = Policy(friction=rules or FrictionRules())
    made.driver.catalogue = replace(made.driver.catalogue, policy=policy, forecasts=forecasts)
    return made


def rage(made: World, target: str = "#pay") -> None:
    """Let somebody click three times in a second."""
    for _ in range(3):
        made.when("$click", properties={"target": target})
        made.minute += 0.3 / 60


def test_who_clicks_in_rage_is_offered_help_in_the_same_turn() -> None:
    """The journey hears of the signal right after the click that made it one, with what it was about."""
    made = world(HELP)
    rage(made)
    assert made.sent() == [("support", {"at": "#pay", "score": 0.632121})]
    [fact] = made.facts(FrictionFound)
    assert (fact.signal, fact.target, fact.score) == ("rage", "#pay", 0.632121)


def test_nobody_outside_may_send_a_signal() -> None:
    """An event of that name is an event like any other, and enters nobody."""
    made = world(HELP)
    rage(made)
    made.after(60)
    made.when("$friction.rage", properties={"target": "#pay", "score": 1})
    made.when("$friction.rage", who="bob", properties={"target": "#pay", "score": 1})
    assert len(made.facts(Entered)) == 1
    assert made.facts(Entered, who="bob") == []


def test_an_abandoned_cart_enters_at_the_instant_it_is_abandoned() -> None:
    """By then the visit is over: no goal can be reached in it any more."""
    made = world(CART)
    made.when("Product Added", properties={"cart_id": "c7"})
    made.after(59)
    assert made.sent() == []
    made.after(1)
    assert made.sent() == [("mail", {"cart": "c7"})]


def test_a_forecast_is_of_the_current_step_and_none_without_a_model() -> None:
    """Comparisons with what nobody knows are false."""
    likely = CART.replace("$friction.cart_abandon", "Product Added").replace(
        "propensity('Order Completed') == 0 and hazard() == 1",
        "propensity('Order Completed') == 0.4 and hazard() == 0.2",
    )
    made = world(likely)
    made.when("Product Added", properties={"target": "x"})
    assert len(made.sent()) == 1
    unlearnt = World(likely)
    unlearnt.when("Product Added")
    assert unlearnt.sent() == []


def test_who_came_often_and_then_no_more_has_probably_gone() -> None:
    """Three visits in three days; after a fortnight they may come back, some months later hardly."""
    made = world(WIN_BACK)
    day = UNITS_MS["day"] / 60_000
    for _ in range(3):
        made.when("Viewed")
        made.after(day)
    made.after(14 * day)
    assert made.sent() == []
    made.after(300 * day)
    assert made.sent() == [("mail", {"churned": "yes"})]


def test_who_came_once_is_not_said_to_be_gone() -> None:
    """The model calls everybody alive who came once: that is no knowledge, and comparisons are false."""
    made = world(WIN_BACK.replace("count('Viewed') >= 3", "true").replace("churn() > 0.5", "churn() >= 0"))
    made.when("Viewed")
    made.after(60 * 24 * 400)
    assert made.sent() == []


def test_steps_know_the_one_before_and_visits_their_last() -> None:
    """In the same visit; one that comes late knows none, and takes nobody's place."""
    made = world()
    for minute, name in ((10, "Viewed"), (11, "Shipping"), (9, "Help Opened"), (12, "Paid"), (100, "Viewed")):
        made.minute = minute
        made.when(name)
    steps = [(fact.name, fact.previous) for fact in made.facts(StepTaken)]
    assert sorted(steps) == [
        ("Help Opened", ""), ("Paid", "Shipping"), ("Shipping", "Viewed"), ("Viewed", ""), ("Viewed", ""),
    ]  # fmt: skip
    assert [fact.step for fact in made.facts(SessionEnded)] == ["Paid"]


def test_a_policy_that_names_friction_finds_it_for_everybody() -> None:
    """For who looks at facts, without a guard that asks."""
    rules = FrictionRules(is_named=True, roles=roles_of(DEFAULT_EVENTS))
    made = world(rules=rules)
    rage(made)
    assert [fact.signal for fact in made.facts(FrictionFound)] == ["rage"]


MAILED = """
journey: NAME
entry: { on: EVENT }
holdout: off
states: { told: { do: [ { webhook: mail, channel: email, body: {} } ], after: { 1d: done } }, done: {} }
"""
CAPPED = """
policy:
  holdout: off
  friction: { effects: [Worked] }
  channels: { email: { caps: [ { most: 5, per: day } ] } }
"""


def mailing() -> World:
    """Mail whoever looks, and whoever clicks for nothing."""
    texts = [
        MAILED.replace("NAME", name).replace("EVENT", event)
        for name, event in (("looked", "Viewed"), ("stuck", "$friction.dead"))
    ]
    return World(*texts, policy=CAPPED)


def test_a_click_that_a_late_event_told_nothing_of_is_dead_from_then_on() -> None:
    """What the late one began is there already: the second mail is not counted before the first."""
    made = mailing()
    made.when("$click", properties={"target": "a"})
    made.minute = 1
    made.when("Viewed", occurred_at=made.now - 90_000)
    made.minute = 2
    made.when("Seen")
    assert [(fact.journey, fact.at - T0) for fact in made.facts(Entered)] == [
        ("looked", MINUTE),
        ("stuck", MINUTE),
    ]
    assert len(made.sent()) == 2


def test_a_click_that_comes_with_the_name_is_not_dead_before_what_the_named_person_did() -> None:
    """The named life went on meanwhile, on another device."""
    made = mailing()
    made.when("$click", "?phone", properties={"target": "a"})
    made.minute = 1
    made.when("Viewed")
    made.minute = 2
    made.when("$identify", anonymous_id="phone")
    assert [(fact.journey, fact.at - T0) for fact in made.facts(Entered)] == [
        ("looked", MINUTE),
        ("stuck", 2 * MINUTE),
    ]
    assert len(made.sent()) == 2
