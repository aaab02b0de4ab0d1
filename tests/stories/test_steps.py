"""Stories of journeys written as steps: each kind of step, lived by people in a small world."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from sojourn.model.fact import Exited, Exposed, Transitioned
from tests.engine.makers import MINUTE, T0
from tests.stories.world import World

HOUR, DAY = 60, 24 * 60


def steps(text: str) -> World:
    """Bring a journey of steps into force, entered by `Start`."""
    return World(f"journey: j\nentry: {{ on: Start }}\nholdout: 0%\nsteps:\n{text}")


def said(world: World) -> list[Any]:
    """Return the word that each action carries."""
    return [body["say"] for _, body in world.sent()]


def at(world: World) -> list[str]:
    """Return where Ann stands in her only enrolment; nothing where she is through."""
    return world.states()[0] if world.inside() else []


def say(word: str) -> str:
    """Write a step that sends a word."""
    return f"{{ send: {{ console: , body: {{ say: {word} }} }} }}"


def minutes_until(text: str) -> float:
    """Count the minutes from the start of the world to an instant."""
    return (datetime.fromisoformat(text).timestamp() * 1000 - T0) / MINUTE


def test_steps_run_in_order_and_the_journey_ends_after_the_last() -> None:
    """A list reads from top to bottom."""
    world = steps(f"- {say('one')}\n- wait: 1d\n- {say('two')}")
    world.when("Start")
    assert (said(world), at(world)) == (["one"], ["wait-1"])
    world.after(DAY)
    assert (said(world), at(world)) == (["one", "two"], [])
    assert [fact.reason for fact in world.facts(Exited)] == ["final"]


def test_do_sends_several_things() -> None:
    """The same list as under a state's `do`."""
    world = steps("- do: [ { console: , body: { say: a } }, { console: , body: { say: b } } ]")
    world.when("Start")
    assert said(world) == ["a", "b"]


WAIT_FOR = f"""
- wait_for:
    on: Paid
    match: cart
    within: 3d
    then: {say("thanks")}
    timeout: [ {say("hurry")}, {{ wait: 1d }} ]
- {say("bye")}
"""


def test_an_awaited_event_of_another_cart_is_not_the_awaited_one() -> None:
    """Complaint 4: correlation with the event that let the person in."""
    world = steps(WAIT_FOR)
    world.when("Start", properties={"cart": 7})
    world.when("Paid", properties={"cart": 8})
    world.when("Paid")
    assert at(world) == ["wait-for-1"]
    world.when("Paid", properties={"cart": 7})
    assert (said(world), at(world)) == (["thanks", "bye"], [])


def test_what_does_not_come_in_time_is_a_timeout() -> None:
    """Of the event and the timeout exactly one wins."""
    world = steps(WAIT_FOR)
    world.when("Start", properties={"cart": 7})
    world.after(3 * DAY)
    world.when("Paid", properties={"cart": 7})
    assert (said(world), at(world)) == (["hurry"], ["wait-for-1-timeout.wait-1"])
    world.after(DAY)
    assert said(world) == ["hurry", "bye"]


def test_of_several_things_awaited_the_first_wins() -> None:
    """Segment has nine branches; here are three."""
    text = f"""
- wait_for:
    - {{ on: [Paid, Refunded], then: {say("money")} }}
    - {{ on: Left, then: exit }}
    - {{ within: 1d, timeout: {say("silence")} }}
- {say("end")}
"""
    for event, expected in (("Refunded", ["money", "end"]), ("Left", []), ("Other", ["silence", "end"])):
        world = steps(text)
        world.when("Start")
        world.when(event)
        world.after(DAY)
        assert said(world) == expected, event


def test_a_condition_alone_is_awaited_whatever_happens() -> None:
    """It is asked whenever something happens to the person."""
    world = steps(f"- wait_for: {{ when: \"trait.plan == 'pro'\", within: 9d }}\n- {say('pro')}")
    world.when("Start")
    world.when("Something Else")
    assert at(world) == ["wait-for-1"]
    world.when("$identify", traits={"plan": "pro"})
    assert said(world) == ["pro"]


def test_the_first_case_that_is_true_is_taken_and_then_it_goes_on() -> None:
    """And where none is, it goes on at once."""
    text = f"""
- branch:
    - {{ when: "properties.n > 5", steps: [ {say("many")} ] }}
    - {{ when: "properties.n > 1", to: last }}
    - {{ when: "properties.n == 1" , to: exit }}
- {say("middle")}
- {{ name: last, {say("last")[2:]}
"""
    for n, expected in ((9, ["many", "middle", "last"]), (2, ["last"]), (1, []), (0, ["middle", "last"])):
        world = steps(text)
        world.when("Start", properties={"n": n})
        assert said(world) == expected, n


def test_a_split_stays_and_is_told_as_an_exposure() -> None:
    """Complaint: random splits that a second visit draws again."""
    text = f"""
- split: {{ variants: {{ a: 50, b: 50 }}, steps: {{ a: {say("a")}, b: {say("b")} }} }}
- {say("on")}
"""
    world = steps(text)
    for who in ("ann", "ben", "cem", "dan", "eve", "fay"):
        for _ in range(2):
            world.when("Start", who)
    words = said(world)
    firsts, seconds = words[0::4], words[2::4]
    assert firsts == seconds
    assert set(firsts) == {"a", "b"}
    assert {fact.experiment for fact in world.facts(Exposed)} == {"j.split-1"}


REPEAT = f"""
- repeat: {{ times: 3, until: "count('Paid') > 0", steps: [ {say("pay")}, {{ wait: 1d }} ] }}
- {say("end")}
"""


def test_a_repeat_ends_after_so_many_times() -> None:
    """Every loop has a bound."""
    world = steps(REPEAT)
    world.when("Start")
    for _ in range(5):
        world.after(DAY)
    assert said(world) == ["pay", "pay", "pay", "end"]


def test_a_repeat_ends_when_its_condition_holds() -> None:
    """It is asked before each round."""
    world = steps(REPEAT)
    world.when("Start")
    world.after(DAY)
    world.when("Paid")
    world.after(DAY)
    assert said(world) == ["pay", "pay", "end"]


def test_a_repeat_counts_anew_each_time_it_is_entered() -> None:
    """A counter left over from before would cut the second time short."""
    text = f"""
- name: again
  repeat: {{ times: 2, steps: [ {say("x")}, {{ wait: 1d }} ] }}
- wait_for: {{ on: More, within: 30d, then: {{ goto: again }} }}
"""
    world = steps(text)
    world.when("Start")
    world.after(2 * DAY)
    world.when("More")
    world.after(DAY)
    assert said(world) == ["x"] * 4
    world.after(3 * DAY)
    assert (said(world), at(world)) == (["x"] * 4, ["wait-for-1"])


@pytest.mark.parametrize(("join", "expected"), [("all", 3 * DAY), ("any", DAY)])
def test_parallel_steps_are_joined(join: str, expected: int) -> None:
    """When all of them are done, or the first."""
    world = steps(
        f"- parallel: {{ a: {{ wait: 1d }}, b: [ {{ wait: 3d }} ] }}\n  join: {join}\n- {say('on')}"
    )
    world.when("Start")
    world.after(expected - 1)
    assert said(world) == []
    world.after(1)
    assert (said(world), at(world)) == (["on"], [])


def test_exit_ends_the_journey_from_anywhere() -> None:
    """Also from inside parallel steps."""
    world = steps("- parallel: [ [ { wait: 1h }, exit ], { wait: 3d } ]\n- wait: 9d")
    world.when("Start")
    world.after(HOUR)
    assert at(world) == []


def test_steps_inside_a_state_are_done_when_they_are_through_and_can_be_interrupted() -> None:
    """Both languages mix: ways of the state around them win from every step."""
    text = f"""
journey: j
entry: {{ on: Start }}
holdout: 0%
states:
  working:
    steps: [ {{ wait: 1d }}, {say("inside")}, {{ wait: 1d }} ]
    on:
      Paused: paused
      done.state.working: done
  paused:
    on: {{ Resumed: {{ resume: working }}, Restarted: working }}
    after: {{ 30d: done }}
"""
    world = World(text)
    world.when("Start")
    world.after(DAY)
    assert at(world) == ["working.wait-2"]
    world.when("Paused")
    world.when("Resumed")
    assert (at(world), said(world)) == (["working.wait-2"], ["inside"])
    world.when("Paused")
    world.when("Restarted")
    assert at(world) == ["working.wait-1"]
    world.after(2 * DAY)
    assert (at(world), said(world)) == ([], ["inside", "inside"])


def test_resuming_what_one_was_never_in_starts_it() -> None:
    """As a history state leads where its parent starts."""
    world = World(
        "{journey: j, entry: {on: Start}, holdout: 0%, states: {idle: {on: {Go: {resume: work}}},"
        " work: {steps: [{wait: 1d}], on: {done.state.work: done}}}}"
    )
    world.when("Start")
    world.when("Go")
    assert at(world) == ["work.wait-1"]


@pytest.mark.parametrize(
    ("trait", "expected"),
    [
        ("2023-11-20T12:00:00Z", "2023-11-17T12:00:00+00:00"),
        ("2023-11-20T12:00:00", "2023-11-17T12:00:00+01:00"),
        ("2023-11-20", "2023-11-17T09:30:00+01:00"),
        (1_700_481_600, "2023-11-17T12:00:00+00:00"),
        (1_700_481_600_000, "2023-11-17T12:00:00+00:00"),
    ],
)
def test_a_wait_until_a_date_in_a_trait_ends_by_the_persons_own_clock(trait: Any, expected: str) -> None:
    """Three days before a trial ends, at half past nine where the trait has no time."""
    wait = '- wait: { until: trait.ends, offset: -3d, at: "09:30", zone: Europe/Berlin }'
    world = steps(f"{wait}\n- {say('soon')}")
    world.when("$identify", traits={"ends": trait})
    world.when("Start")
    world.after(minutes_until(expected) - 1)
    assert said(world) == []
    world.after(1)
    assert said(world) == ["soon"]


@pytest.mark.parametrize("trait", [None, "soon", "2020-01-01", True, [1], "9" * 99, 1e300, "0001-01-01"])
def test_a_wait_until_nothing_or_the_past_is_over_at_once(trait: Any) -> None:
    """Nobody is stuck because a trait is missing, unreadable or old."""
    world = steps(f"- wait: {{ until: trait.ends }}\n- {say('now')}")
    world.when("$identify", traits={"ends": trait})
    world.when("Start")
    assert said(world) == ["now"]


def test_a_random_wait_is_within_its_bounds_and_the_same_on_every_run() -> None:
    """Drawn from what it is for, never from chance: replay gives the same instants."""

    def ends() -> list[float]:
        world = steps(f"- wait: {{ between: [1h, 3h] }}\n- {say('x')}")
        for i in range(20):
            world.when("Start", f"p{i}")
        world.after(DAY)
        return [(action.at - T0) / MINUTE for action in world.actions()]

    first = ends()
    assert first == ends()
    assert all(HOUR <= each <= 3 * HOUR for each in first)
    assert len(set(first)) > 15


def test_a_time_of_day_is_the_next_one_and_days_are_days_of_the_week() -> None:
    """Two such steps are two days."""
    text = '- wait: { until: "09:00", zone: Europe/Berlin, days: [mon, fri] }'
    world = steps(f"{text}\n- {say('a')}\n{text}\n- {say('b')}")
    world.when("Start")  # a Tuesday
    world.after(30 * DAY)
    times = [datetime.fromtimestamp(each.at / 1000, UTC).strftime("%a %d %H:%M") for each in world.actions()]
    assert times == ["Fri 17 08:00", "Mon 20 08:00"]


def test_inside_a_window_it_goes_on_at_once_and_outside_when_it_opens() -> None:
    """The start of the world is a quarter past ten at night in London."""
    for window, expected in (
        ("22:00-23:00", "14 22:13"),
        ("09:00-18:00", "15 09:00"),
        ("20:00-6:00", "14 22:13"),
    ):
        world = steps(f'- wait: {{ window: "{window}", zone: Europe/London }}\n- {say("x")}')
        world.when("Start")
        world.after(2 * DAY)
        (action,) = world.actions()
        assert datetime.fromtimestamp(action.at / 1000, UTC).strftime("%d %H:%M") == expected


def test_a_move_tells_which_guard_decided_with_what_it_saw() -> None:
    """Why somebody did not get a message is a fact."""
    world = steps("- branch: [ { when: \"trait.plan == 'pro'\", to: exit } ]\n- wait: 1d")
    world.when("$identify", traits={"plan": "free"})
    world.when("Start")
    (told,) = [judged for fact in world.facts(Transitioned) for judged in fact.judged]
    assert (told.guard, told.held, told.saw) == ("trait.plan == 'pro'", False, {"trait.plan": "free"})
