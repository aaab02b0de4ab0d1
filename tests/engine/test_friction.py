"""Friction: signals, deadlines and the score, against whoever looks at the whole history."""

from __future__ import annotations

import math
from random import Random
from typing import Any

import pytest
from msgspec.structs import replace

from sojourn.definitions.friction_rules import DEFAULT_EVENTS, FrictionRules, roles_of
from sojourn.definitions.journey import Catalogue
from sojourn.definitions.policy import Policy
from sojourn.engine import friction_state
from sojourn.engine.friction_state import MAX_DEADLINES, MAX_SIGNALS, Deadline, Friction, Signal
from sojourn.engine.state import Life
from sojourn.engine.turn import turn
from sojourn.model.event import Event
from sojourn.model.fact import FrictionFound
from sojourn.model.turn import Arrived
from tests.engine.makers import EMPTY, MINUTE, T0, catalogue, event

RULES = FrictionRules(is_named=True, roles=roles_of({**DEFAULT_EVENTS, "effect": frozenset({"$effect"})}))
SECOND = 1 / 60


def within(rules: FrictionRules = RULES, **fields: Any) -> Catalogue:
    """Make a catalogue in which nobody asks and the policy names friction."""
    return replace(EMPTY, policy=Policy(friction=rules), **fields)


def lived(*events: Event, rules: FrictionRules = RULES, until: int | None = None, **fields: Any) -> Life:
    """Let one person live through events as they come; return the life."""
    return _run(list(events), within(rules, **fields), until)[0]


def found(*events: Event, rules: FrictionRules = RULES, until: int | None = None, **fields: Any) -> list[Any]:
    """Return (signal, target, instant of the log) of every fact of friction, the instant in ms since T0."""
    return _run(list(events), within(rules, **fields), until)[1]


def _run(events: list[Event], in_force: Catalogue, until: int | None) -> tuple[Life, list[Any]]:
    life, facts, at = None, [], T0
    for position, each in enumerate(events, start=1):
        at = max(at, each.received_at)
        given = Arrived(at, position, each)
        result = turn("profile", "ann", life, [given], until=at, catalogue=in_force)
        life, facts = result.state, facts + result.facts
    result = turn("profile", "ann", life, [], until=at if until is None else T0 + until, catalogue=in_force)
    told = [fact for fact in facts + result.facts if isinstance(fact, FrictionFound)]
    return result.state, [(fact.signal, fact.target, fact.at - T0) for fact in told]


def did(name: str, target: str = "pay", *, at: float = 0, late: float = 0, **properties: Any) -> Event:
    """Make what a person did, `at` seconds after the start; it arrives `late` seconds later."""
    made = event(name, at=at * SECOND, user_id="ann", properties={"target": target, **properties})
    return replace(made, received_at=made.received_at + int(late * 1_000))


def clicks(*at: float, target: str = "pay", **properties: Any) -> list[Event]:
    """Make clicks on one element."""
    return [did("$click", target, at=each, **properties) for each in at]


def test_three_quick_clicks_are_one_signal_however_many_follow() -> None:
    """A burst tells once."""
    assert found(*clicks(0, 0.3, 0.6, 0.9, 1.2, 1.5)) == [("rage", "pay", 600)]


def test_a_client_that_tells_of_rage_is_not_doubled() -> None:
    """PostHog sends `$rageclick` beside the clicks themselves, before the third."""
    told = did("$rageclick", at=0.6)
    third = did("$autocapture", at=0.6)
    assert found(*clicks(0, 0.3), told, third) == [("rage", "pay", 600)]
    assert found(*clicks(0, 0.3, 0.6), told) == [("rage", "pay", 600)]
    assert found(told) == [("rage", "pay", 600)]


@pytest.mark.parametrize("properties", [{"is_stepper": True}, {"text_selected": True}])
def test_a_stepper_and_a_selection_are_no_rage(properties: dict[str, Any]) -> None:
    """A rule that fires on `+` buttons is a bug: where the client says what it was, it is heard."""
    assert found(*clicks(0, 0.3, 0.6, **properties)) == []


@pytest.mark.parametrize("x", [10**400, 1e308, -(2**80)], ids=["no float", "no square", "too far"])
def test_a_place_that_is_none_is_not_measured(x: float) -> None:
    """Bad input is data: the clicks are on the same element, and that is all that is known."""
    places = [{"x": 0, "y": 0}, {"x": x, "y": 0}, {"x": x, "y": 1}]
    events = [did("$click", at=0.3 * n, **place) for n, place in enumerate(places)]
    assert found(*events) == [("rage", "pay", 600)]


def test_targets_can_be_left_out() -> None:
    """Where the client does not know, the policy does."""
    rules = replace(RULES, ignored_targets=frozenset({"pay"}))
    assert found(*clicks(0, 0.3, 0.6), rules=rules) == []


def test_autocapture_of_a_change_is_no_click() -> None:
    """PostHog calls changes and submits by the same name."""
    events = [did("$autocapture", at=at, **{"$event_type": "change"}) for at in (0, 0.1, 0.2)]
    assert found(*events) == []


def test_a_signal_that_weighs_nothing_is_not_looked_for() -> None:
    """One way to switch one off."""
    assert found(*clicks(0, 0.3, 0.6), rules=replace(RULES, weights={"dead": 1.0})) == []


def test_a_click_without_an_effect_is_dead_as_of_its_own_instant() -> None:
    """It is said when the next thing happens, and before it: nobody is woken for it."""
    assert found(did("$click"), until=MINUTE) == []
    assert found(did("$click"), did("Viewed", at=60)) == [("dead", "pay", 2_500)]


@pytest.mark.parametrize("name", ["$effect", "$page", "Form Started", "Product Added"])
def test_what_follows_from_a_click_keeps_it_alive(name: str) -> None:
    """An effect, a new page, a form, a product in the cart: something came of it."""
    assert found(did("$click"), did(name, at=2.5), did("Viewed", at=60)) == []
    assert found(did("$click"), did(name, at=2.6), did("Viewed", at=60)) == [("dead", "pay", 2_500)]


def test_an_effect_that_arrives_late_keeps_its_click_alive() -> None:
    """SDKs send in batches: what counts is when it happened."""
    events = [did("$click"), did("$effect", at=1, late=20), did("Viewed", at=40)]
    assert found(*events) == []


def test_without_effects_no_click_is_called_dead() -> None:
    """Where nobody said what shows that a click worked, only the client can know."""
    plain = FrictionRules(is_named=True)
    assert found(did("$click"), did("Viewed", at=60), rules=plain) == []
    assert found(did("$dead_click"), rules=plain) == [("dead", "pay", 0)]


def test_a_dead_click_is_judged_before_a_timer_that_could_ask() -> None:
    """A deadline an hour later must see the score as it is then."""
    events = [did("Form Started", "", form_id="f"), did("$click", at=10)]
    told = found(*events, until=31 * MINUTE)
    assert told == [("dead", "pay", 12_500), ("form_abandon", "f", 30 * MINUTE)]


def test_an_error_right_after_a_click_is_the_clicks() -> None:
    """One click, one signal, however many errors follow."""
    events = [did("$click"), did("$exception", at=0.8), did("$exception", at=0.9)]
    assert found(*events) == [("error_click", "pay", 800)]
    assert found(did("$click"), did("$exception", at=1.1)) == []


def test_a_form_begun_and_not_submitted_is_abandoned_after_half_an_hour() -> None:
    """At the instant it is due; a start again starts the half hour again."""
    start = did("Form Started", "", form_id="f")
    again = did("Form Started", "", form_id="f", at=600)
    assert found(start, until=30 * MINUTE - 1) == []
    assert found(start, until=30 * MINUTE) == [("form_abandon", "f", 30 * MINUTE)]
    assert found(start, again, until=60 * MINUTE) == [("form_abandon", "f", 40 * MINUTE)]
    assert found(start, did("Form Submitted", "", form_id="f", at=60), until=60 * MINUTE) == []
    assert found(start, did("Form Submitted", "", form_id="g", at=60), until=60 * MINUTE) != []
    assert found(start, did("Form Submitted", "", at=60), until=60 * MINUTE) == []


def test_a_cart_is_abandoned_an_hour_after_the_last_product() -> None:
    """Unless an order comes."""
    adds = [did("Product Added", "", cart_id="c", at=at) for at in (0, 600)]
    assert found(*adds, until=120 * MINUTE) == [("cart_abandon", "c", 70 * MINUTE)]
    assert found(*adds, did("Order Completed", "", at=1_200), until=120 * MINUTE) == []


def test_a_stall_is_too_long_in_a_step_that_has_a_limit() -> None:
    """The next step ends it; other steps have no limit."""
    rules = replace(RULES, stalls={"/pay": 3 * MINUTE})
    pay, home = did("$page", path="/pay"), did("$page", path="/home", at=60)
    assert found(pay, rules=rules, until=9 * MINUTE) == [("stall", "/pay", 3 * MINUTE)]
    assert found(pay, home, rules=rules, until=9 * MINUTE) == []


def test_pages_are_steps_by_their_path_and_ranked_events_by_their_name() -> None:
    """`$page` alone would be one step."""
    pages = [did("$page", path=path, at=at) for path, at in (("/a", 0), ("/b", 5), ("/a", 9))]
    assert found(*pages) == [("quick_back", "/a", 9_000)]
    steps = [did(name, at=at) for name, at in (("Viewed", 0), ("Paid", 5), ("Viewed", 9))]
    assert found(*steps, ranks={"Viewed": 0, "Paid": 1}) == [("quick_back", "Viewed", 9_000)]


def test_a_new_visit_begins_a_new_trail() -> None:
    """Nobody loops over days."""
    pages = [did("$page", path="/a", at=i * 3_600) for i in range(5)]
    assert found(*pages) == []


def test_imported_history_waits_for_nothing_and_its_signals_are_long_over() -> None:
    """An import must not tell thousands of abandoned carts at once."""
    old = [did("Product Added", "", at=0), *clicks(0, 0.3, 0.6)]
    life, facts = None, []
    at = T0 + 600 * MINUTE
    for position, each in enumerate(old, start=1):
        given = Arrived(at, position, each, is_history=True)
        result = turn("profile", "ann", life, [given], until=at, catalogue=within())
        life, facts = result.state, facts + result.facts
    assert [fact.signal for fact in facts if isinstance(fact, FrictionFound)] == ["rage"]
    assert result.wake is None
    assert friction_state.score(life.friction, RULES, at) == 0


def test_who_asks_for_nothing_keeps_nothing() -> None:
    """Neither a guard nor the policy: an event costs what it did, and a profile holds no more."""
    assert lived(*clicks(0, 0.3, 0.6), rules=FrictionRules()).friction is None


def test_listening_to_a_signal_is_asking_for_it() -> None:
    """A journey that enters on `$friction.rage` needs no guard besides."""
    text = "{journey: x, entry: {on: $friction.rage}, states: {a: {on: {E: b}}, b: {}}}"
    assert catalogue(text).needs.friction
    assert not catalogue(text.replace("$friction.rage", "Viewed")).needs.friction


# The score, and the oracle of the whole history.


def test_the_score_is_what_its_parts_come_to() -> None:
    """1 - exp(-sum of weight times exp(-age / tau)): three signals, five minutes later."""
    friction = Friction()
    for signal in (Signal(T0, "rage", "a"), Signal(T0 + MINUTE, "dead", "b"), Signal(T0, "loop", "c")):
        friction.keep(signal)
    at = T0 + 5 * MINUTE
    parts = {signal.name: part for signal, part in friction_state.contributions(friction, RULES, at)}
    assert parts == pytest.approx(
        {"rage": math.exp(-0.5), "dead": 0.4 * math.exp(-0.4), "loop": 0.5 * math.exp(-0.5)}
    )
    expected = 1 - math.exp(-sum(parts.values()))
    assert friction_state.score(friction, RULES, at) == pytest.approx(expected, abs=1e-6)


def test_signals_and_deadlines_have_a_bound() -> None:
    """Whoever clicks a thousand times costs as much as anybody."""
    friction = Friction()
    for i in range(3 * MAX_SIGNALS):
        friction.keep(Signal(i, "rage", ""))
        friction.expect(Deadline(i, "form_abandon", str(i)))
    assert [signal.at for signal in friction.signals] == list(range(2 * MAX_SIGNALS, 3 * MAX_SIGNALS))
    assert len(friction.deadlines) == MAX_DEADLINES


def random_events(random: Random) -> list[Event]:
    """Draw clicks, errors, effects, forms and carts, each arriving as it happens."""
    at, events = 0.0, []
    for _ in range(random.randrange(2, 40)):
        at += random.choice((0.1, 0.5, 1, 1.2, 2.5, 2.6, 600, 1_800, 3_600))
        name = random.choice(
            ("$click", "$click", "$error", "$effect", "Form Started", "Form Submitted", "Product Added",
             "Order Completed", "Viewed")
        )  # fmt: skip
        events.append(did(name, random.choice("ab"), at=round(at, 1), form_id=random.choice("fg")))
    return events


def naive(events: list[Event], until: int) -> set[tuple[str, int]]:
    """Judge each event by all that came after it; return (signal, its own instant)."""
    told = set()
    times = [each.occurred_at - T0 for each in events]
    for i, each in enumerate(events):
        at, rest = times[i], list(zip(events[i + 1 :], times[i + 1 :], strict=True))
        if each.name == "Form Started":
            about = [
                (other, when) for other, when in rest if other.name in ("Form Started", "Form Submitted")
            ]
            ends = [when for other, when in about if form(other) == form(each)]
            if not any(when < at + 30 * MINUTE for when in ends) and at + 30 * MINUTE <= until:
                told.add(("form_abandon", at + 30 * MINUTE))
        if each.name == "Product Added":
            ends = [when for other, when in rest if other.name in ("Product Added", "Order Completed")]
            if not any(when < at + 60 * MINUTE for when in ends) and at + 60 * MINUTE <= until:
                told.add(("cart_abandon", at + 60 * MINUTE))
        if each.name == "$error":
            before = [k for k in range(i) if events[k].name in ("$click", "$error")]
            if before and events[before[-1]].name == "$click" and at - times[before[-1]] <= 1_000:
                told.add(("error_click", at))
    return told


def form(each: Event) -> Any:
    """Return the form an event is about."""
    return bytes(each.properties).split(b'"form_id":')[1][:3]


def test_what_is_found_event_by_event_is_what_the_whole_history_shows() -> None:
    """Errors, forms and carts, at their instants, on random histories."""
    seen: set[str] = set()
    for seed in range(500):
        events = random_events(Random(seed))
        until = events[-1].occurred_at - T0 + 45 * MINUTE
        told = {
            (signal, at)
            for signal, _, at in found(*events, until=until)
            if signal in ("form_abandon", "cart_abandon", "error_click")
        }
        expected = naive(events, until)
        assert told == expected, f"seed {seed}"
        seen |= {signal for signal, _ in expected}
    assert seen == {"form_abandon", "cart_abandon", "error_click"}


def test_what_two_lives_know_is_known_together() -> None:
    """When the unnamed life and the named one meet: all signals, and the later deadline."""
    old, new = Friction(), Friction()
    old.keep(Signal(5, "rage", "a"))
    new.keep(Signal(3, "dead", "b"))
    old.expect(Deadline(10, "cart_abandon", ""))
    new.expect(Deadline(12, "cart_abandon", ""))
    both = friction_state.merge(old, new)
    assert both is not None
    assert [signal.at for signal in both.signals] == [3, 5]
    assert both.n_signals == 2
    assert both.deadlines == [Deadline(12, "cart_abandon", "")]
