"""Stories: what authors write about their own journeys holds, and what does not hold is told in words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sojourn.definitions.policy import Channel, Policy
from sojourn.model.errors import DefinitionError
from sojourn.testing import Story
from sojourn.testing.story import without_holdouts

WELCOME = """
journey: welcome
entry: { on: Signed Up, reentry: never }
goal: { on: Order Completed, within: 14d, value: properties.revenue }
exit: [ { on: Account Deleted } ]
states:
  greeted:
    do: [ { sink: crm, body: { template: welcome, plan: "{{ entry.properties.plan }}" } } ]
    after: { 1d: nudged }
  nudged:
    do: [ { sink: crm, body: { template: nudge, name: "{{ trait.name }}" } } ]
    after: { 3d: done }
"""


def test_a_person_gets_what_their_journey_sends() -> None:
    """The story that every author writes first."""
    story = Story(WELCOME)
    story.when("Signed Up", plan="pro")
    story.then.sent("crm", template="welcome", plan="pro").is_in("greeted")
    story.after("1d")
    story.then.sent("crm", template="nudge", times=1).sent("crm", times=2).is_in("nudged", journey="welcome")


def test_what_was_before_moves_nobody_and_is_known() -> None:
    """Traits and events of the past are there for guards and templates, and begin no journey."""
    story = Story(WELCOME)
    story.given(traits={"name": "Ann"}).given("Signed Up", ago="30d")
    story.then.sent_nothing().is_out("welcome").is_known(name="Ann")
    story.when("Signed Up").after("1d")
    story.then.sent("crm", template="nudge", name="Ann")


def test_a_goal_ends_a_journey_and_says_what_it_was_worth() -> None:
    """It is what the journey is for."""
    story = Story(WELCOME)
    story.when("Signed Up").after("1h").when("Order Completed", revenue=40)
    story.then.left("goal").reached_goal("welcome", value=40).is_out()


def test_who_may_not_enter_again_does_not() -> None:
    """The refusal is told, with its reason."""
    story = Story(WELCOME).when("Signed Up").when("Account Deleted").when("Signed Up")
    story.then.left("exit").entered("welcome", times=1).did_not_enter("re-entry")


def test_time_is_told_by_the_wall_clock_of_a_zone() -> None:
    """In the night of the change to summer time, a day from nine o'clock is twenty-three hours."""
    story = Story(WELCOME, starts="2026-03-28 09:00", zone="Europe/Berlin")
    began_at = story.now
    story.at("2026-03-29 09:00")
    assert story.now - began_at == 23 * 3_600_000
    story.at("2026-03-29 09:00", "America/New_York")
    assert story.now - began_at == (23 + 6) * 3_600_000


@pytest.mark.parametrize(
    ("tell", "said"),
    [
        (lambda story: story.at("2020-01-01 09:00"), "does not go back in time"),
        (lambda story: story.at("tomorrow"), "expected a moment such as 2026-03-29 09:00"),
        (lambda story: story.at("2026-02-01 09:00", "Mars/Base"), "expected a time zone such as"),
        (lambda story: story.after("a while"), "expected a duration such as"),
    ],
)
def test_a_time_that_is_none_is_refused(tell: Callable[[Story], Story], said: str) -> None:
    """A slip of the pen must not make a test that tests nothing."""
    with pytest.raises(ValueError, match=said):
        tell(Story(WELCOME))


def test_people_do_not_disturb_one_another() -> None:
    """Each is asked about by name; the last one spoken of is the one who is meant."""
    story = Story(WELCOME).when("Signed Up", who="ann").when("Signed Up", who="bob").when("Account Deleted")
    story.then.left("exit")
    story.then("ann").is_in("greeted").sent("crm", times=1)


def test_an_unnamed_person_takes_their_journey_along_when_they_sign_in() -> None:
    """What was sent to the device was sent to the person."""
    story = Story(WELCOME).when("Signed Up", who="?phone")
    story.signs_in("?phone", "ann", name="Ann").after("1d")
    story.then("ann").sent("crm", template="welcome").sent("crm", template="nudge", name="Ann")


def test_hold_outs_are_off_unless_asked_for() -> None:
    """A story about what is sent must not fail for one name in twenty."""
    text = WELCOME.replace("states:", "holdout: 99.99%\nstates:", 1)
    Story(text).when("Signed Up").then.sent("crm")
    Story(text, holdouts=True).when("Signed Up").then.withheld("held-out", sink="crm").sent_nothing()


POLICY = """
policy:
  holdout: 1%
  quiet: { from: "22:00", to: "08:00" }
  channels: { email: { sinks: [crm], caps: [ { most: 1, per: 7d } ] } }
"""


def test_a_policy_holds_in_a_story_as_it_does_live() -> None:
    """Caps, quiet hours and consent decide; the story says by which the message was kept back."""
    story = Story(WELCOME, policy=POLICY).when("Signed Up").after("1d")
    story.then.sent("crm", times=1).withheld("cap", sink="crm")
    story = Story(WELCOME, POLICY, starts="2026-01-05 23:00").when("Signed Up")
    story.then.sent_nothing().put_off("quiet-hours")
    story.at("2026-01-06 08:00").then.sent("crm", template="welcome")
    story = Story(WELCOME, policy=POLICY).when("Consent Updated", channel="email", granted=False)
    story.when("Signed Up").then.withheld("consent").sent_nothing()


def test_an_action_says_by_which_channel_it_goes_and_what_it_is_about() -> None:
    """The link to unsubscribe with is of that channel and topic."""
    text = WELCOME.replace("sink: crm, body", "sink: crm, topic: tips, body")
    (action,) = Story(text, policy=POLICY).when("Signed Up").actions()
    assert (action.channel, action.topic) == ("email", "tips")


def test_hold_outs_of_a_policy_are_off_too() -> None:
    """The global one, and each channel's."""
    policy = Policy(holdout=0.5, channels={"email": Channel(sinks=frozenset({"crm"}), holdout=0.5)})
    off = without_holdouts(policy)
    assert (off.holdout, off.channels["email"].holdout, off.channels["email"].sinks) == (0, 0, {"crm"})


def test_what_became_of_an_action_can_be_told() -> None:
    """A journey may wait for it."""
    text = """
journey: patient
entry: { on: Signed Up }
states:
  sending:
    do: [ { sink: crm } ]
    on: { $delivered: arrived, $delivery_failed: lost }
    after: { 1d: done }
  arrived: { after: { 1d: done } }
  lost: { after: { 1d: done } }
"""
    Story(text).when("Signed Up").outcome("crm").then.is_in("arrived")
    Story(text).when("Signed Up").outcome("crm", "failed", reason="no such person").then.is_in("lost")


def test_journeys_come_from_files_folders_and_texts(tmp_path: Path) -> None:
    """Several at once, as they are in force together."""
    (tmp_path / "a.yaml").write_text(WELCOME)
    (tmp_path / "notes.txt").write_text("not a journey")
    for given in (str(tmp_path), tmp_path / "a.yaml", WELCOME):
        other = WELCOME.replace("journey: welcome", "journey: other")
        Story(given, other).when("Signed Up").then.sent("crm", times=2)


def test_a_wrong_journey_is_refused_with_its_line(tmp_path: Path) -> None:
    """As `sojourn check` refuses it."""
    (tmp_path / "a.yaml").write_text(WELCOME.replace("nudged }", "nowhere }"))
    with pytest.raises(DefinitionError, match=r"a\.yaml:\d+:\d+: .*nowhere"):
        Story(tmp_path)


def test_who_is_inside_an_edited_journey_stays_in_their_version() -> None:
    """The new one is for who comes after it."""
    story = Story(WELCOME).when("Signed Up", who="ann")
    story.publish(WELCOME.replace("crm", "push")).when("Signed Up", who="bob").after("1d")
    story.then("ann").sent("crm", times=2).sent_nothing("push")
    story.then("bob").sent("push", times=2)


def test_a_state_is_also_the_states_around_it() -> None:
    """An author thinks in phases, and the person stands inside one."""
    text = """
journey: phases
entry: { on: Signed Up }
states:
  trial:
    states: { fresh: { after: { 1d: used } }, used: { after: { 1d: done } } }
    after: { 9d: done }
"""
    Story(text).when("Signed Up").then.is_in("trial").is_in("fresh").is_in("trial.fresh")


def failure(expect: Callable[[Story], object]) -> str:
    """Return what is said where an expectation does not hold of somebody who signed up a day ago."""
    story = Story(WELCOME, zone="Europe/Berlin").when("Signed Up", plan="pro").after("1d")
    with pytest.raises(AssertionError) as caught:
        expect(story)
    return str(caught.value)


def test_a_failure_tells_the_persons_story() -> None:
    """A product manager reads what happened, and sees which expectation was wrong."""
    said = failure(lambda story: story.then.sent("crm", template="farewell"))
    assert said.splitlines() == [
        'expected of ann, at Tue 2026-01-06 09:00:00: something was sent by crm with {"template":"farewell"}',
        "What happened to ann:",
        "  Mon 2026-01-05 09:00:00  session began",
        "  Mon 2026-01-05 09:00:00  did Signed Up",
        "  Mon 2026-01-05 09:00:00  welcome: entered",
        "  Mon 2026-01-05 09:00:00  welcome: start -> greeted",
        '  Mon 2026-01-05 09:00:00  welcome: action for crm, in greeted: {"template":"welcome","plan":"pro"}',
        "  Tue 2026-01-06 09:00:00  welcome: greeted -> nudged, on after(greeted,86400000)",
        '  Tue 2026-01-06 09:00:00  welcome: action for crm, in nudged: {"template":"nudge","name":""}',
        "Where ann stands:",
        "  welcome: in nudged, until Fri 2026-01-09 09:00:00 at the latest",
    ]


@pytest.mark.parametrize(
    ("expect", "said"),
    [
        (lambda then: then.sent("crm", times=1), "something was sent by crm, once, not twice"),
        (lambda then: then.sent_nothing(), "nothing was sent"),
        (lambda then: then.is_in("greeted"), "is in greeted"),
        (lambda then: then.is_out("welcome"), "is in no state of welcome"),
        (lambda then: then.left("goal"), "left, because of goal"),
        (lambda then: then.entered("other"), "entered other"),
        (lambda then: then.entered(times=2), "entered a journey twice, not once"),
        (lambda then: then.did_not_enter("re-entry"), "did not enter, because of re-entry"),
        (lambda then: then.withheld("cap"), "an action was withheld, because of cap"),
        (lambda then: then.put_off("quiet-hours"), "an action was put off, because of quiet-hours"),
        (lambda then: then.reached_goal(value=3), "reached the goal, worth 3"),
        (lambda then: then.is_known(plan="pro"), 'has the traits {"plan":"pro"}, among {}'),
        (lambda then: then("bob").sent_nothing(), "nobody is called 'bob' in this story"),
    ],
)
def test_each_expectation_that_does_not_hold_says_which_it_was(
    expect: Callable[[object], object], said: str
) -> None:
    """An expectation that cannot fail would test nothing."""
    assert said in failure(lambda story: expect(story.then)).splitlines()[0]
