"""Stories of journeys that would answer themselves for ever: each stops by itself, and says so."""

from __future__ import annotations

from typing import Any

import pytest

from sojourn.engine.bounds import MAX_ACTIONS, MAX_OWN_ENTRIES
from sojourn.model.action import Delivery
from sojourn.model.fact import ActionWithheld, Entered, Fact, JourneyError, NotEntered
from sojourn.runtime.outbox import outcome_event
from sojourn.testing import Story

CIRCLE = """
journey: circle
entry: { on: Start }
exit: { on: Stop }
states:
  one: { do: [ { console: , body: { say: one } } ], on: { $delivered: two }, after: { 1d: done } }
  two: { do: [ { console: , body: { say: two } } ], on: { $delivered: one }, after: { 1d: done } }
"""

AGAIN = """
journey: again
entry: { on: [Start, $delivered], reentry: always }
steps: [ { send: { console: , body: { say: again } } } ]
"""

CALLER = """
journey: caller
entry: { on: Start }
states:
  round:
    steps: [ { name: calling, call: called }, { wait: 1s }, { goto: calling } ]
    on: { Stop: done }
"""

CALLED = """
journey: called
entry: { api: true }
steps: [ { send: { console: , body: { say: called } } }, { wait_for: { on: $delivered, within: 1d } } ]
"""

TICKING = """
journey: ticking
entry: { on: Start }
states:
  tick: { do: [ { console: , body: { say: tick } } ], after: { 1s: tick }, on: { Stop: done } }
"""

MAX_ROUNDS = 1_000  # of answering whatever was sent; a story that comes so far does not end.


def deliver_all(story: Story) -> int:
    """Let every action be delivered at once, and what answers that, until nothing more is sent."""
    told: set[str] = set()
    for _ in range(MAX_ROUNDS):
        new = [action for action in story.actions() if action.id not in told]
        if not new:
            return len(told)
        for action in new:
            told.add(action.id)
            story.take(outcome_event(action, Delivery(outcome="delivered", attempts=1), now=story.now))
    raise AssertionError("it never ends")


def of(story: Story, kind: type[Fact]) -> list[Any]:
    """Return all facts of one kind: there are more than a profile shows."""
    groups = story.store.facts_after(0, 1 << 30)
    return [fact for _, facts in groups for fact in facts if isinstance(fact, kind)]


def test_a_circle_of_outcomes_stops_and_says_so_once() -> None:
    """`sojourn check` warns of it; who publishes it nevertheless sends a hundred messages, and no more."""
    story = Story(CIRCLE).when("Start")
    assert deliver_all(story) == MAX_ACTIONS
    story.then.withheld("bound", sink="console").is_in("one")
    errors = of(story, JourneyError)
    assert ["[action-limit]" in error.detail for error in errors] == [True]


def test_who_is_in_a_circle_that_stopped_still_leaves_it() -> None:
    """By time, or by an exit: the bound keeps messages back, and not people."""
    story = Story(CIRCLE).when("Start")
    deliver_all(story)
    story.when("Stop").then.is_out("circle").left("exit")


def test_the_next_hour_begins_anew() -> None:
    """A journey that was right, and met the bound for once, loses an hour and not its people."""
    story = Story(TICKING).when("Start").after("90m")
    assert len(story.actions()) == MAX_ACTIONS * 2
    assert len({fact.at // 3_600_000 for fact in of(story, JourneyError)}) == 2
    assert len(of(story, JourneyError)) == 2


def test_an_entry_by_ones_own_outcomes_stops() -> None:
    """Each enrolment acts only once: it is the entries that go round."""
    story = Story(AGAIN).when("Start")
    assert deliver_all(story) == 1 + MAX_OWN_ENTRIES
    assert of(story, NotEntered)[-1].detail == "100 in this hour already that no event from outside brought"


def test_two_journeys_that_enter_on_each_others_outcomes_stop() -> None:
    """Neither is an echo by itself, so no check can warn of either."""
    other = AGAIN.replace("journey: again", "journey: other").replace("[Start, $delivered]", "$delivered")
    one = AGAIN.replace(
        "on: [Start, $delivered]",
        "on: [Start, $delivered], when: \"event.name == 'Start' or properties.journey == 'other'\"",
    )
    story = Story(one, other).when("Start")
    assert deliver_all(story) <= 1 + 2 * MAX_OWN_ENTRIES
    story.then.did_not_enter("bound")


def test_events_from_outside_are_not_counted_as_entries() -> None:
    """Somebody who does a thing two hundred times an hour enters two hundred times."""
    story = Story(AGAIN.replace("[Start, $delivered]", "Start"))
    for _ in range(2 * MAX_OWN_ENTRIES):
        story.when("Start").after("5s")
    assert len(story.actions()) == len(of(story, Entered)) == 2 * MAX_OWN_ENTRIES


def test_a_journey_that_calls_again_and_again_stops() -> None:
    """What it calls is a run of its own each time, and acts once."""
    story = Story(CALLER, CALLED).when("Start")
    for _ in range(MAX_ACTIONS + 20):
        deliver_all(story.after("1s"))
    assert len(story.actions()) == MAX_ACTIONS
    assert [error.journey for error in of(story, JourneyError)] == ["caller"]
    story.when("Stop").then.is_out("caller")


def test_actions_beyond_the_bound_are_counted_for_each_enrolment() -> None:
    """One cart that goes round keeps no message of another back."""
    keyed = CIRCLE.replace("on: Start }", "on: Start, key: properties.cart }")
    story = Story(keyed).when("Start", cart=1)
    assert deliver_all(story) == MAX_ACTIONS
    story.when("Start", cart=2).then.sent("console", times=MAX_ACTIONS + 1)


@pytest.mark.parametrize("text", [CIRCLE, TICKING])
def test_imported_history_tells_of_the_bound_too(text: str) -> None:
    """A journey shows what is wrong with it while nothing is sent."""
    story = Story(text)
    story.take(story._event("Start", "ann"), imported=True).after("50m")
    assert {fact.reason for fact in of(story, ActionWithheld)} == {"history"}
    assert len(of(story, JourneyError)) == (text == TICKING)
    story.then.sent_nothing()


def test_what_only_the_house_says_moves_nobody_when_others_say_it() -> None:
    story = Story(AGAIN)
    for name in ("$delivered", "$enter", "$segment", "$schedule"):
        story.when(name)
    assert of(story, Entered) == []
