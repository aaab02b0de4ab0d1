"""Explaining: the facts of one journey and person in order, what is awaited, and why nothing happened."""

from __future__ import annotations

from sojourn.model.event import OUR_SOURCE
from sojourn.model.fact import (
    ActionDecided,
    ActionWithheld,
    Delivered,
    Entered,
    Exited,
    NotEntered,
    StepTaken,
    Transitioned,
)
from sojourn.model.views import AwaitedView, ExplanationView
from sojourn.runtime.explaining import explain
from tests.engine.makers import MINUTE, T0
from tests.stories.world import World

RESCUE = """
journey: rescue
entry: { on: Checkout Started, key: properties.cart, when: "properties.total > 10", reentry: never }
goal: { on: Order Completed }
holdout: 0%
states:
  waiting:
    on: { Help Opened: { to: assisted, when: "trait.plan == 'pro'" } }
    after: { 30m: reminded }
  reminded:
    do: [ { sink: crm, body: {} } ]
    after: { 1d: done }
  assisted:
    after: { 1d: done }
"""


def told(world: World, who: str = "ann", journey: str = "rescue") -> ExplanationView:
    """Explain, of somebody who is known."""
    view = explain(world.store, world.catalogue, who, journey)
    assert view is not None
    return view


def start(world: World, **properties: object) -> None:
    """Let Ann start a checkout."""
    world.when("Checkout Started", properties={"cart": "c1", "total": 20} | properties)


def test_a_run_is_told_with_the_steps_that_caused_it() -> None:
    """Only what belongs to it: a page seen in between is no cause."""
    world = World(RESCUE)
    start(world)
    world.when("Viewed")
    world.after(30)
    run = told(world).runs[0]

    assert [type(fact) for fact in run.facts] == [
        StepTaken,
        Entered,
        Transitioned,
        Transitioned,
        ActionDecided,
    ]
    assert (run.key, run.is_over) == ("c1", False)


def test_what_is_awaited_is_told_with_the_answer_each_guard_would_give_now() -> None:
    """Somebody who waits asks what for."""
    world = World(RESCUE)
    start(world)
    awaits = told(world).runs[0].awaits

    assert awaits[1] == AwaitedView(state="waiting", to=["reminded"], due_at=T0 + 30 * MINUTE)
    assert (awaits[0].event, awaits[0].to) == ("Help Opened", ["assisted"])
    assert [(judged.guard, judged.held) for judged in awaits[0].guards] == [("trait.plan == 'pro'", False)]


def test_a_run_that_is_over_awaits_nothing() -> None:
    """And says how it ended."""
    world = World(RESCUE)
    start(world)
    world.when("Order Completed")
    run = told(world).runs[0]

    assert (run.is_over, run.awaits) == (True, [])
    assert isinstance(run.facts[-1], Exited)


def test_what_became_of_an_action_is_part_of_its_run() -> None:
    """Decided is not delivered."""
    world = World(RESCUE)
    start(world)
    world.after(30)
    action = world.actions()[0]
    world.when(
        "$delivered",
        source="sojourn",
        properties={
            "action_id": action.id,
            "attempts": 1,
            "journey": "rescue",
            "enrolment_id": action.enrolment_id,
        },
    )

    assert isinstance(told(world).runs[0].facts[-1], Delivered)


def test_a_refusal_is_told() -> None:
    """Who was in once and may not come again."""
    world = World(RESCUE)
    start(world)
    world.when("Order Completed")
    start(world)
    refusals = told(world).refusals

    assert [fact.reason for fact in refusals if isinstance(fact, NotEntered)] == ["re-entry"]


def test_somebody_who_never_entered_hears_why() -> None:
    """No fact tells of what did not happen: the event never came, or the guard said no."""
    world = World(RESCUE)
    world.when("Viewed")
    assert "never did 'Checkout Started'" in told(world).hints[0]

    start(world, total=1)
    view = told(world)
    assert "did not enter" in view.hints[0]
    assert [judged.guard for judged in view.entry] == ["properties.total > 10"]


def test_a_journey_that_is_none_is_told_so() -> None:
    """A misspelt name is no reason for silence."""
    world = World(RESCUE)
    world.when("Viewed")
    assert "there is no journey 'resuce'" in told(world, journey="resuce").hints[0]


def test_a_stranger_is_nobody() -> None:
    """The caller says so in its own words."""
    assert explain(World(RESCUE).store, World(RESCUE).catalogue, "nobody", "rescue") is None


def test_each_action_of_a_timeline_is_in_the_explanation_of_its_journey() -> None:
    """Sent, withheld or delivered: whoever sees one in a person's story can ask why, by the id it names."""
    world = World(RESCUE, RESCUE.replace("rescue", "other").replace("holdout: 0%", "holdout: 99%"))
    world.when("Seen", "?phone")
    start(world)
    world.when("$identify", "ann", anonymous_id="phone")
    world.after(31)
    (decided,) = world.facts(ActionDecided)
    world.when(
        "$delivered", "ann", source=OUR_SOURCE, properties={"action_id": decided.action_id, "attempts": 1}
    )
    actions = [
        fact
        for fact in world.profile("ann").timeline
        if isinstance(fact, ActionDecided | ActionWithheld | Delivered)
    ]
    assert {type(fact) for fact in actions} == {ActionDecided, ActionWithheld, Delivered}
    for fact in actions:
        journey = "rescue" if isinstance(fact, Delivered) else fact.journey
        explained = told(world, fact.profile_id, journey)
        assert any(fact in run.facts for run in explained.runs), fact
