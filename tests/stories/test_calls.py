"""Stories of journeys that call another one: what is done in one place, for all who need it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from sojourn.definitions.chart import Chart, Want
from sojourn.definitions.chart_builder import build_chart
from sojourn.definitions.compile import compile_journey
from sojourn.definitions.expression import Expression
from sojourn.definitions.guards import compile_expression
from sojourn.definitions.journey import Call, Hold, Journey, Migration
from sojourn.engine import calls
from sojourn.model.fact import ActionWithheld, Entered, Exited, JourneyError, NotEntered, Transitioned
from tests.engine.makers import MINUTE
from tests.stories.world import World

ASK = """
journey: ask
entry: { api: true, key: properties.cart }
holdout: off
states:
  asking:
    do: [ { webhook: mail, body: { cart: "{{ entry.properties.cart }}" } } ]
    exit_do: [ { webhook: mail, body: { over: "{{ entry.properties.cart }}" } } ]
    on: { Answered: done }
    after: { 1h: done }
  done: {}
"""

OVER_AT_ONCE = """
journey: ask
entry: { api: true, key: properties.cart }
states: { asking: { branch: [ { to: done } ] }, done: {} }
"""


def caller(
    name: str = "checkout",
    *,
    on: str = "Checkout",
    calls: str = "ask",
    key: Expression | None = None,
    more: str = "holdout: off",
    after_ms: int = 10 * MINUTE,
) -> Journey:
    """Build a journey that calls another one at once, waits for its end, and rests before it is over."""
    text = f"journey: {name}\nentry: {{ on: {on} }}\n{more}\nstates: {{ calling: {{ on: {{ F: done }} }} }}"
    waits = {"target": ["resting"], "event": ["done.call.calling"]}
    calling = {
        "id": "calling",
        "kind": "atomic",
        "entry": [{"want": Call(journey=calls, key=key)}],
        "transitions": [waits, {"target": ["done"], "event": ["F"]}],
    }
    resting = {"id": "resting", "kind": "atomic", "transitions": [{"target": ["done"], "after_ms": after_ms}]}
    states = [calling, resting, {"id": "done", "kind": "final"}]
    tree = {"kind": "root", "initial": ["calling"], "states": states}
    return replace(
        compile_journey(text), chart=build_chart(tree, compile_guard=compile_expression, exact=True)
    )


def world(*files: str, built: tuple[Journey, ...] = ()) -> World:
    """Make a world with journeys from files and built ones."""
    made = World()
    made.publish(*files, built=built or (caller(),))
    return made


def test_a_called_journey_runs_for_the_same_person_and_its_caller_waits_for_its_end() -> None:
    """With the event that began the caller as its own."""
    here = world(ASK)
    here.when("Checkout", properties={"cart": 7})
    assert here.states() == [["calling"], ["asking"]]
    assert here.sent() == [("mail", {"cart": 7})]
    here.when("Answered")
    assert here.states() == [["resting"]]


def test_the_child_says_whose_it_is() -> None:
    """So that a story can be told from one end to the other."""
    here = world(ASK)
    here.when("Checkout", properties={"cart": 7})
    parent, child = here.facts(Entered)
    assert (child.journey, child.key, child.parent) == ("ask", "7", parent.enrolment_id)


def test_the_call_s_own_key_is_the_child_s() -> None:
    """Where the caller knows better what it is about."""
    here = world(ASK, built=(caller(key=compile_expression("entry.name")),))
    here.when("Checkout", properties={"cart": 7})
    assert [fact.key for fact in here.facts(Entered)] == ["", "Checkout"]


def test_a_child_that_cannot_be_entered_does_not_leave_its_caller_waiting() -> None:
    """Nobody is stuck because somebody else was quicker."""
    here = world(ASK)
    here.when(
        "$enter", kind="track", source="sojourn", properties={"journey": "ask", "properties": {"cart": 7}}
    )
    here.when("Checkout", properties={"cart": 7})
    assert [fact.reason for fact in here.facts(NotEntered)] == ["already-in"]
    assert here.states() == [["asking"], ["resting"]]


def test_a_goal_of_the_caller_ends_what_it_called() -> None:
    """And what the child does when it is left is done."""
    here = world(ASK, built=(caller(more="holdout: off\ngoal: { on: Order }"),))
    here.when("Checkout", properties={"cart": 7})
    here.when("Order")
    assert [(fact.journey, fact.reason, fact.detail) for fact in here.facts(Exited)] == [
        ("checkout", "goal", ""),
        ("ask", "parent", "checkout"),
    ]
    assert here.sent()[-1] == ("mail", {"over": 7})


def test_a_caller_that_comes_to_its_own_end_lets_its_child_go_on() -> None:
    """It did not wait; the child is not interrupted."""
    here = world(ASK)
    here.when("Checkout", properties={"cart": 7})
    here.when("F")
    assert here.states() == [["asking"]]


def test_a_child_of_a_held_out_caller_is_held_out() -> None:
    """Else a hold-out would get the mail by a detour."""
    here = world(ASK, built=(caller(more="holdout: 99.99%"),))
    here.when("Checkout", properties={"cart": 7})
    assert [fact.held_out for fact in here.facts(Entered)] == [True, True]
    assert (here.sent(), [fact.reason for fact in here.facts(ActionWithheld)]) == ([], ["held-out"])


def test_nobody_outside_can_say_that_a_child_is_over() -> None:
    """The names of a chart's own events are nobody else's to send."""
    here = world(ASK)
    here.when("Checkout", properties={"cart": 7})
    here.when("done.call.calling")
    assert here.states() == [["calling"], ["asking"]]


def test_caller_and_child_come_along_with_the_name() -> None:
    """The wait goes on after the sign-in."""
    here = world(ASK)
    here.when("Checkout", "?phone", properties={"cart": 7})
    here.when("$identify", anonymous_id="phone")
    here.when("Answered")
    assert here.states() == [["resting"]]


def test_a_caller_whose_child_the_named_person_has_already_is_told_at_once() -> None:
    """Of two runs of the child one stays; its caller does not wait for the other."""
    here = world(ASK)
    here.when(
        "$enter", kind="track", source="sojourn", properties={"journey": "ask", "properties": {"cart": 7}}
    )
    here.when("Checkout", "?phone", properties={"cart": 7})
    here.when("$identify", anonymous_id="phone")
    assert here.states() == [["asking"], ["resting"]]


def test_a_chain_of_calls_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Versions of different ages may form a chain that no definition has."""
    monkeypatch.setattr(calls, "MAX_CALL_DEPTH", 2)
    chain = [caller(f"c{n}", on=f"E{n}", calls=f"c{n + 1}" if n < 3 else "ask") for n in range(4)]
    here = world(ASK, built=tuple(chain))
    here.when("E0", properties={"cart": 7})
    assert ["[call-depth]" in fact.detail for fact in here.facts(JourneyError)] == [True]
    assert here.states() == [["calling"], ["resting"]]


def test_calls_at_one_instant_have_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """A journey that calls again as soon as it is told would never come to rest."""
    monkeypatch.setattr(calls, "MAX_CALLS", 0)
    here = world(ASK)
    here.when("Checkout", properties={"cart": 7})
    assert ["[call-limit]" in fact.detail for fact in here.facts(JourneyError)] == [True]


def test_nobody_else_is_stuck_where_calls_at_one_instant_meet_their_bound(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Three carts wait for the same answer, and what they call is over at once: each is told."""
    monkeypatch.setattr(calls, "MAX_CALLS", 3)
    each = caller()
    each = replace(each, entry=replace(each.entry, key=compile_expression("properties.cart")))
    here = world(OVER_AT_ONCE, built=(waiting_to_call(each),))
    for cart in range(3):
        here.when("Checkout", properties={"cart": cart})
    here.when("Go")
    assert here.states() == [["resting"]] * 3


def test_a_journey_that_calls_again_as_soon_as_it_is_told_comes_to_rest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By the bound of calls at one instant, whatever an hour has room for."""
    monkeypatch.setattr(calls, "MAX_CALLS", 3)
    again = {"target": ["calling"], "event": ["done.call.calling"]}
    here = world(OVER_AT_ONCE, built=(rebuilt(caller(), [again]),))
    here.when("Checkout", properties={"cart": 7})
    assert here.states() == [["calling"]]
    assert "[call-limit]" in here.facts(JourneyError)[-1].detail


def test_a_caller_whose_state_has_another_name_now_hears_of_its_child() -> None:
    """A publishing took it along while it waited: the child does not come back to a state that is gone."""
    here = world(ASK)
    here.when("Checkout", properties={"cart": 7})
    rename(here)
    here.when("Seen")
    assert here.states() == [["waiting"], ["asking"]]
    here.when("Answered")
    assert here.states() == [["resting"]]


def rename(here: World) -> None:
    """Publish a version in which the state that calls has another name, and take everybody along."""
    old = here.catalogue.journeys["checkout"]
    new = replace(old, version="renamed", chart=renamed(old))
    move = Migration(revision=1, at=here.now, to="renamed", states={"calling": "waiting"})
    here.driver.catalogue = replace(
        here.catalogue,
        versions={**here.catalogue.versions, ("checkout", "renamed"): new},
        migrations={("checkout", old.version): (move,)},
    )


@pytest.mark.parametrize("is_renamed", [False, True], ids=["as it was", "mended meanwhile"])
def test_a_caller_that_stands_still_hears_of_its_child_when_it_goes_on(is_renamed: bool) -> None:
    """Nothing of a paused journey moves, and nothing that it waits for is lost."""
    here = world(ASK)
    here.when("Checkout", properties={"cart": 7})
    paused_at = here.now
    here.driver.catalogue = replace(here.catalogue, holds={"checkout": (Hold(paused_at),)})
    here.minute = 1
    here.when("Answered")
    assert here.states() == [["calling"]]
    if is_renamed:
        rename(here)
    here.minute = 2
    here.driver.catalogue = replace(here.catalogue, holds={"checkout": (Hold(paused_at, here.now),)})
    here.when("Seen")
    assert here.states() == [["resting"]]
    assert here.facts(Transitioned)[-1].at == here.now


def renamed(journey: Journey) -> Chart:
    """Give the state that calls another name."""
    waiting = {
        "id": "waiting",
        "kind": "atomic",
        "entry": [{"want": next(calls_of(journey))}],
        "transitions": [{"target": ["resting"], "event": ["done.call.waiting"]}],
    }
    states = [waiting, {"id": "resting", "kind": "atomic"}, {"id": "done", "kind": "final"}]
    tree = {"kind": "root", "initial": ["waiting"], "states": states}
    return build_chart(tree, compile_guard=compile_expression, exact=True)


def rebuilt(journey: Journey, transitions: list[dict[str, Any]], *, first: str = "calling") -> Journey:
    """Give a caller other ways out of its call; with another first state, it calls once `Go` comes."""
    calling = {
        "id": "calling",
        "kind": "atomic",
        "entry": [{"want": next(calls_of(journey))}],
        "transitions": transitions,
    }
    states = [
        {"id": "idle", "kind": "atomic", "transitions": [{"target": ["calling"], "event": ["Go"]}]},
        calling,
        {"id": "resting", "kind": "atomic", "transitions": [{"target": ["done"], "event": ["F"]}]},
        {"id": "done", "kind": "final"},
    ]
    tree = {"kind": "root", "initial": [first], "states": states}
    return replace(journey, chart=build_chart(tree, compile_guard=compile_expression, exact=True))


def waiting_to_call(journey: Journey) -> Journey:
    """Let a caller wait for `Go` first."""
    return rebuilt(journey, [{"target": ["resting"], "event": ["done.call.calling"]}], first="idle")


def calls_of(journey: Journey) -> Iterator[Call]:
    """Yield what a journey calls."""
    for state in journey.chart.states:
        yield from (each.body for each in state.entry if isinstance(each, Want))
