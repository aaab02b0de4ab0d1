"""Stories of who enters a journey, when, how often, and which of two journeys has a person."""

from __future__ import annotations

from sojourn.model.event import ENTER
from sojourn.model.fact import Entered, Exited, GoalReached, NotEntered
from tests.engine.makers import MINUTE, T0
from tests.stories.world import World

HOUR, DAY = 60, 24 * 60
WAITING = "states: { waiting: { after: { 10m: done } }, done: {} }"

# On schedule


def journey(name: str, entry: str, *, more: str = "", states: str = WAITING) -> str:
    """Write a small journey."""
    return f"journey: {name}\nentry: {{ {entry} }}\n{more}\n{states}\n"


def minutes(facts: list) -> list[float]:
    """Return when each fact was, in minutes since the start (22:13:20 UTC on a Tuesday)."""
    return [(fact.at - T0) / MINUTE for fact in facts]


def test_a_schedule_lets_everybody_enter_by_the_clock_on_their_own_wall() -> None:
    """Nine on Monday, from the day they were first seen on; UTC where nobody knows better."""
    world = World(journey("digest", 'schedule: "FREQ=WEEKLY;BYDAY=MO;BYHOUR=9;BYMINUTE=0"'))
    world.when("Viewed")
    world.after(14 * DAY)
    first = world.facts(Entered)[0]
    assert (first.at % (DAY * MINUTE), len(world.facts(Entered))) == (9 * HOUR * MINUTE, 2)
    assert minutes(world.facts(Entered))[1] - minutes(world.facts(Entered))[0] == 7 * DAY


def test_a_schedule_with_a_segment_lets_only_members_enter() -> None:
    """At that time, whoever is one then."""
    segments = "segments: { looked: \"count('Viewed', within='2h') > 0\" }"
    world = World(segments, journey("digest", 'schedule: "FREQ=HOURLY", segment: looked'))
    world.when("Viewed")
    world.after(12 * HOUR)
    assert len(world.facts(Entered)) == 2


def test_a_late_process_lets_people_enter_at_the_times_they_should_have() -> None:
    """Law 3 holds for schedules too."""
    world = World(journey("digest", 'schedule: "FREQ=HOURLY"'))
    world.when("Viewed")
    world.after(3 * HOUR)
    assert [fact.at % (HOUR * MINUTE) for fact in world.facts(Entered)] == [0, 0, 0]


# By a call


def call(world: World, name: str, who: str = "ann", **said: object) -> None:
    """Let the API ask for somebody."""
    world.when(ENTER, who, kind="track", source="sojourn", properties={"journey": name, **said})


def test_a_call_enters_with_what_it_says() -> None:
    """Its properties are the entry's, its key the key."""
    states = """states:
  told:
    do: [ { webhook: mail, body: { plan: "{{ entry.properties.plan }}", key: "{{ entry.key }}" } } ]
    after: { 1d: done }
"""
    world = World(journey("hello", "api: true, when: \"properties.plan != 'free'\"", states=states))
    call(world, "hello", key="k", properties={"plan": "pro"})
    call(world, "hello", key="l", properties={"plan": "free"})
    assert world.sent() == [("mail", {"plan": "pro", "key": "k"})]


def test_a_journey_that_allows_no_calls_is_not_entered_by_one() -> None:
    """The API says so; the engine does not rely on it."""
    world = World(journey("hello", "on: Signed Up"))
    call(world, "hello")
    assert world.facts(Entered) == []


def test_a_call_is_no_visit() -> None:
    """It is the operator's program that did something, not the person."""
    world = World(journey("hello", "api: true"))
    call(world, "hello")
    assert (world.profile().n_events, world.profile().sessions) == (0, [])


# How often


def test_who_left_cools_down_before_they_enter_again() -> None:
    """Per key: another cart is another matter."""
    world = World(journey("rescue", "on: Checkout, key: properties.cart, reentry: { cooldown: 1h }"))
    world.when("Checkout", properties={"cart": 1})
    world.after(20)
    world.when("Checkout", properties={"cart": 1})
    world.when("Checkout", properties={"cart": 2})
    (refused,) = world.facts(NotEntered)
    assert (refused.reason, refused.key, refused.detail) == (
        "cooldown",
        "1",
        "until 2023-11-14T23:23:20+00:00",
    )
    world.after(50)
    world.when("Checkout", properties={"cart": 1})
    assert [fact.key for fact in world.facts(Entered)] == ["1", "2", "1"]


def test_a_cooldown_is_of_the_person_also_before_they_had_a_name() -> None:
    """The sign-in does not cool anybody down."""
    world = World(journey("rescue", "on: Checkout, reentry: { cooldown: 1h }"))
    world.when("Checkout", "?phone")
    world.after(20)
    world.when("$identify", anonymous_id="phone")
    world.when("Checkout")
    assert [fact.reason for fact in world.facts(NotEntered)] == ["cooldown"]


# Goals that outlive


GOAL = journey(
    "mail",
    "on: Signed Up, key: properties.cart",
    more="goal: { on: Order, when: properties.cart == entry.properties.cart, within: 7d, "
    "value: properties.total }",
)


def test_a_goal_reached_after_the_run_is_over_counts_once() -> None:
    """A mail is sent in ten minutes and bought from in two days."""
    world = World(GOAL)
    world.when("Signed Up", properties={"cart": 1})
    world.after(2 * DAY)
    for _ in range(2):
        world.when("Order", properties={"cart": 1, "total": 30})
    assert [(fact.value, fact.after_exit) for fact in world.facts(GoalReached)] == [(30.0, True)]


def test_a_goal_is_reached_late_only_by_what_its_guard_lets_through_and_in_time() -> None:
    """Another cart's order is not this cart's; and a window is a window."""
    world = World(GOAL)
    world.when("Signed Up", properties={"cart": 1})
    world.after(HOUR)
    world.when("Order", properties={"cart": 2})
    world.after(7 * DAY)
    world.when("Order", properties={"cart": 1})
    assert world.facts(GoalReached) == []


def test_a_goal_does_not_outlive_where_the_author_says_so_or_an_exit_rule_ended_the_run() -> None:
    """Who emptied the cart is not the rescue's success."""
    for text in (
        GOAL.replace("within: 7d", "within: 7d, outlives: false"),
        GOAL + "exit: { on: Order Cancelled }\n",
    ):
        world = World(text)
        world.when("Signed Up", properties={"cart": 1})
        world.when("Order Cancelled")
        world.after(HOUR)
        world.when("Order", properties={"cart": 1})
        assert world.facts(GoalReached) == []


def test_who_enters_again_reaches_the_goal_of_the_new_run_only() -> None:
    """One order is one conversion, not one for each run of the last week."""
    world = World(GOAL)
    for _ in range(3):
        world.when("Signed Up", properties={"cart": 1})
        world.after(HOUR)
    world.when("Order", properties={"cart": 1})
    assert len(world.facts(GoalReached)) == 1


def test_a_late_goal_comes_along_with_the_name() -> None:
    """The run was over before the sign-in, and the order came after it."""
    world = World(GOAL)
    world.when("Signed Up", "?phone", properties={"cart": 1})
    world.after(HOUR)
    world.when("$identify", anonymous_id="phone")
    world.when("Order", properties={"cart": 1})
    assert [fact.after_exit for fact in world.facts(GoalReached)] == [True]


def test_one_order_is_one_conversion_also_where_two_lives_were_through_before() -> None:
    """Two visits unnamed and named, both mailed: the later run has the order, as in one life."""
    world = World(GOAL)
    world.when("Signed Up", properties={"cart": 1})
    world.after(15)
    world.when("Signed Up", "?phone", properties={"cart": 1})
    world.after(HOUR)
    world.when("$identify", anonymous_id="phone")
    world.when("Order", properties={"cart": 1})
    assert len(world.facts(GoalReached)) == 1


def test_a_run_that_is_over_does_not_share_the_order_with_one_that_came_with_the_name() -> None:
    """Who is inside again has begun anew, whichever life was through."""
    world = World(GOAL)
    world.when("Signed Up", properties={"cart": 1})
    world.after(15)
    world.when("Signed Up", "?phone", properties={"cart": 1})
    world.when("$identify", anonymous_id="phone")
    world.when("Order", properties={"cart": 1})
    assert [fact.after_exit for fact in world.facts(GoalReached)] == [False]


# Which of two


def rival(name: str, on: str, priority: int) -> str:
    """Write a journey of the group `offers`."""
    return journey(name, f"on: {on}", more=f"group: offers\npriority: {priority}")


def test_of_a_group_a_person_is_in_one_journey_and_the_other_says_why_not() -> None:
    """Equal priority: who was first stays."""
    world = World(rival("a", "A", 1), rival("b", "B", 1))
    world.when("A")
    world.when("B")
    assert [(fact.journey, fact.reason, fact.detail) for fact in world.facts(NotEntered)] == [
        ("b", "excluded", "a of the group offers")
    ]


def test_a_higher_priority_takes_the_person_over() -> None:
    """And the one that had them says by whom."""
    world = World(rival("a", "A", 1), rival("b", "B", 2))
    world.when("A")
    world.when("B")
    assert [(fact.journey, fact.reason, fact.detail) for fact in world.facts(Exited)] == [
        ("a", "preempted", "b")
    ]
    assert [enrolment.journey for enrolment in world.inside()] == ["b"]


def test_of_two_entered_by_one_event_the_higher_priority_enters_first() -> None:
    """So nobody enters only to be thrown out."""
    world = World(rival("a", "A", 1), rival("b", "A", 2))
    world.when("A")
    assert world.facts(Exited) == []
    assert [fact.journey for fact in world.facts(Entered)] == ["b"]


def test_an_event_is_heard_by_the_higher_priority_first() -> None:
    """Whatever the order of entry."""
    states = "states: { waiting: { on: { Go: done } }, done: {} }"
    world = World(
        *(
            journey(name, f"on: {name}", more=f"priority: {p}", states=states)
            for name, p in (("a", 1), ("b", 5))
        )
    )
    world.when("a")
    world.when("b")
    world.when("Go")
    assert [fact.journey for fact in world.facts(Exited)] == ["b", "a"]


def test_a_merge_leaves_a_person_in_one_journey_of_a_group() -> None:
    """Here the unnamed life's had the higher priority."""
    world = World(rival("a", "A", 1), rival("b", "B", 2))
    world.when("A")
    world.when("B", "?phone")
    world.when("$identify", anonymous_id="phone")
    assert [(fact.journey, fact.reason) for fact in world.facts(Exited)] == [("a", "preempted")]
    assert [enrolment.journey for enrolment in world.inside()] == ["b"]


def test_a_merge_does_not_throw_out_an_equal() -> None:
    """The named person's own journey stays."""
    world = World(rival("a", "A", 1), rival("b", "B", 1))
    world.when("A")
    world.when("B", "?phone")
    world.when("$identify", anonymous_id="phone")
    assert [(fact.journey, fact.reason) for fact in world.facts(Exited)] == [("b", "merged")]
