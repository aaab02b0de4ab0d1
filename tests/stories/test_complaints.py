"""Stories of what people complain of in journey tools, and what happens here instead.

The page of features says by which story or other test each complaint is answered.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from sojourn.definitions.compile import compile_journey
from sojourn.engine.entries import MAX_ENROLMENTS
from sojourn.model.errors import DefinitionError
from sojourn.model.fact import (
    ActionWithheld,
    Delivered,
    Entered,
    Exited,
    NotEntered,
    SegmentEntered,
)
from sojourn.model.turn import Key
from sojourn.runtime.driver import Driver
from sojourn.runtime.reading import find_profile
from sojourn.testing import Story
from tests.engine.makers import MINUTE, T0, event
from tests.server.houses import House
from tests.stories.world import World

HOUR, DAY = 60, 24 * 60


def journey(states: str, *, head: str = "", on: str = "Start", name: str = "j") -> str:
    """Write a journey that keeps nobody back; `states` may be steps."""
    body = states if states.startswith("steps:") else f"states:\n{states}"
    return f"journey: {name}\nentry: {{ on: {on} }}\nholdout: off\n{head}\n{body}\n"


def said(world: World) -> list[Any]:
    """Return the word that each action carries."""
    return [body["say"] for _, body in world.sent()]


SAY_HELLO = "steps:\n- send: { console: , body: { say: hello } }\n- wait: 1d\n"

# 1. Sent twice


def test_a_request_sent_again_sends_nothing_again() -> None:
    """An SDK that got no answer asks again; where everybody may enter always, no rule of entry helps."""
    world = World(journey(SAY_HELLO).replace("on: Start", "on: Start, reentry: always"))
    for _ in range(3):
        world.when("Start", message_id="the-same")
        for _ in range(10):
            world.after(HOUR)
    assert (said(world), len(world.facts(Entered))) == (["hello"], 1)
    world.when("Start", message_id="another")
    assert said(world) == ["hello", "hello"]


# 2. Stuck


def test_a_message_that_cannot_be_made_leaves_nobody_stuck() -> None:
    """A template that fails for one person is told of that person, who goes on."""
    text = journey(
        "steps:\n"
        "- send: { console: , body: { say: '{{ 100 | divided_by: properties.n }} each' } }\n"
        "- wait: 1h\n"
        "- send: { console: , body: { say: later } }\n"
    )
    world = World(text)
    world.when("Start", properties={"n": 0})
    assert [fact.reason for fact in world.facts(ActionWithheld)] == ["template"]
    world.after(HOUR)
    assert (said(world), world.inside()) == (["later"], [])


def test_a_message_that_nobody_takes_is_told_and_its_person_goes_on() -> None:
    """A sink that is down holds back its letters, and not the people."""
    story = Story(journey(SAY_HELLO)).when("Start").outcome("console", "failed", reason="503")
    story.then.is_in("wait-1")
    profile = story.profile("ann")
    assert profile is not None
    told = [fact.outcome for fact in profile.timeline if isinstance(fact, Delivered)]
    assert told == ["failed"]
    story.after("1d").then.is_out().left("final")


# 3. Slow


def test_an_event_decides_in_its_own_turn() -> None:
    """No batch, no poll: the segment, the entry and the message are of the event's own instant."""
    segments = "segments: { eager: \"count('Viewed', within='1h') >= 2\" }"
    greeted = journey(SAY_HELLO).replace("on: Start", "segment: eager")
    world = World(segments, greeted)
    world.when("Viewed")
    world.minute = 7
    world.when("Viewed")  # and nothing else happens, no time passes
    now = T0 + 7 * MINUTE
    assert [action.at for action in world.actions()] == [now]
    assert [fact.at for kind in (SegmentEntered, Entered) for fact in world.facts(kind)] == [now, now]


# 4. Correlation


def test_an_awaited_event_is_compared_with_the_one_that_let_the_person_in() -> None:
    """Only an order that is worth more than the cart was: both events are at hand in one guard."""
    guard = "properties.total > entry.properties.total"
    wait = f"wait_for: {{ on: Ordered, when: {guard}, within: 1d, timeout: exit }}"
    world = World(journey(f"steps:\n- {wait}\n- send: {{ console: , body: {{ say: wow }} }}\n"))
    world.when("Start", properties={"total": 50})
    world.when("Ordered", properties={"total": 50})
    assert said(world) == []
    world.when("Ordered", properties={"total": 51})
    assert said(world) == ["wow"]


# 6. Not to be tested


def test_a_year_of_waiting_is_tested_at_once() -> None:
    """Nothing is skipped: every reminder comes at its instant, by a clock that the test moves."""
    month = "- wait: 30d\n- send: { console: , body: { say: still there? } }\n"
    story = Story(journey("steps:\n" + month * 12)).when("Start")
    began_at = story.now
    story.after("365d")
    days = [(action.at - began_at) / (DAY * MINUTE) for action in story.actions("ann")]
    assert days == [30 * (number + 1) for number in range(12)]
    story.then.left("final")


# 7. Entering again


@pytest.mark.parametrize(
    ("reentry", "refused", "n_entered"),
    [
        ("never", ["already-in", "re-entry", "re-entry"], 1),
        ("after_exit", ["already-in"], 3),
        ("{ cooldown: 7d }", ["already-in", "cooldown"], 2),
        ("always", [], 4),
    ],
)
def test_each_rule_of_re_entry_says_what_it_refuses(reentry: str, refused: list[str], n_entered: int) -> None:
    """Asked while inside, a day after the end of the run, and two weeks after it."""
    text = journey("  waiting: { after: { 1h: done } }")
    world = World(text.replace("on: Start", f"on: Start, reentry: {reentry}"))
    for minutes in (0, 30, DAY, 14 * DAY):
        world.after(minutes)
        world.when("Start")
    assert [fact.reason for fact in world.facts(NotEntered)] == refused
    assert len(world.facts(Entered)) == n_entered


# 8. Leaving early


@pytest.mark.parametrize(
    "waiting",
    [
        "wait: 30d",
        'wait: { until: "09:00", days: [mon] }',
        "wait_for: { on: Never, within: 30d }",
        "repeat: { times: 3, steps: [ { wait: 30d } ] }",
        "parallel: [ { wait: 30d }, { wait_for: { on: Never, within: 20d } } ]",
        "call: other",
    ],
)
def test_an_exit_interrupts_every_kind_of_waiting(waiting: str) -> None:
    """Who cancelled must not hear of it for the rest of the month."""
    other = journey(
        "steps:\n- wait: 5d\n- send: { console: , body: { say: other } }\n", on="Else", name="other"
    )
    late = f"steps:\n- {waiting}\n- send: {{ console: , body: {{ say: late }} }}\n"
    world = World(journey(late, head="exit: [ { on: Cancelled } ]"), other)
    world.when("Start")
    world.after(1)
    assert world.inside()
    world.when("Cancelled")
    assert world.inside() == []
    assert {fact.at for fact in world.facts(Exited)} == {T0 + MINUTE}
    world.after(60 * DAY)
    assert said(world) == []


# 10. Scans


def test_of_many_people_who_wait_only_those_concerned_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """The work of an event and of a timer does not grow with the number of people who wait."""
    world = World(journey("  waiting: { on: { Go: done }, after: { 9d: done } }"))
    for number in range(300):
        world.when("Start", f"p{number}")
        world.minute += 1
    world.driver = Driver(world.log, world.store, world.catalogue)  # nobody is in memory
    read: list[Key] = []
    load = world.store.load
    monkeypatch.setattr(world.store, "load", lambda keys: read.extend(keys) or load(keys))
    world.when("Go", "p7")
    assert {key for _, key in read} == {"p7"}
    read.clear()
    world.after(9 * DAY - 300)  # the first came 300 minutes ago
    assert {key for _, key in read} == {"p0"}


# 12. Stored and not heard


def test_what_is_in_the_log_is_heard_also_where_the_process_died_before() -> None:
    """There is one queue, and it is the log: no second write that a crash could come before."""
    world = World(journey(SAY_HELLO))
    made = event("Start", user_id="ann")
    world.log.append([made], now=world.now)  # acknowledged; and here the process dies
    assert find_profile(world.store, "ann", limit=1) is None
    world.driver = Driver(world.log, world.store, world.catalogue)
    world.driver.catch_up()
    assert (said(world), [action.at for action in world.actions()]) == (["hello"], [T0])


# 14. Stale


def test_a_guard_sees_what_the_same_request_has_just_said() -> None:
    """Trait, count and segment are those of this very event, without a pause put before the question."""
    guard = "trait.plan == 'pro' and count('Start') == 2 and in_segment('paying')"
    story = Story(
        journey(SAY_HELLO).replace("on: Start", f'on: Start, when: "{guard}"'),
        segments="segments:\n  paying: trait.plan == 'pro'\n",
    )
    story.when("Start").then.sent_nothing()
    fields = {"user_id": "ann", "occurred_at": story.now}
    identify = event("$identify", message_id="a", traits={"plan": "pro"}, **fields)
    story.take(identify, event("Start", message_id="b", **fields))
    story.then.sent("console", times=1)


def test_a_message_says_what_is_true_when_it_is_decided() -> None:
    """The name was changed while the person waited."""
    text = "steps:\n- wait: 1d\n- send: { console: , body: { say: 'hello {{ trait.name }}' } }\n"
    world = World(journey(text))
    world.when("$identify", traits={"name": "Annie"})
    world.when("Start")
    world.when("$identify", traits={"name": "Ann"})
    world.after(DAY)
    assert said(world) == ["hello Ann"]


# 15. Capped in silence


def test_every_one_of_many_journeys_hears_an_event() -> None:
    """Fifty is where one rule too many was dropped elsewhere."""
    names = [f"j{number:02}" for number in range(80)]
    world = World(*(journey(SAY_HELLO, name=name) for name in names))
    world.when("Start")
    assert [action.journey for action in world.actions()] == names


def test_an_entry_over_the_bound_is_told() -> None:
    """There is a bound to how many runs one person is in, and reaching it is a fact."""
    world = World(journey(SAY_HELLO).replace("on: Start", "on: Start, key: properties.n"))
    for number in range(MAX_ENROLMENTS + 1):
        world.when("Start", properties={"n": number})
    assert [fact.reason for fact in world.facts(NotEntered)] == ["bound"]
    assert len(world.inside()) == MAX_ENROLMENTS


# 16. Clocks


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ("Europe/Berlin", ["2026-03-28T08:00", "2026-03-29T07:00", "2026-03-30T07:00"]),
        ("America/New_York", ["2026-03-27T13:00", "2026-03-28T13:00", "2026-03-29T13:00"]),
        ("Asia/Kolkata", ["2026-03-28T03:30", "2026-03-29T03:30", "2026-03-30T03:30"]),
    ],
)
def test_nine_in_the_morning_is_each_persons_also_when_the_clocks_change(
    zone: str, expected: list[str]
) -> None:
    """One journey, three people; in the night to the 29th Berlin's clocks go forward, and no one else's."""
    nine = '- wait: { until: "09:00" }\n- send: { console: , body: { say: good morning } }\n'
    story = Story(journey("steps:\n" + nine * 3), starts="2026-03-27 12:00")
    story.when("$identify", traits={"time_zone": zone}).when("Start").after("5d")
    assert [utc(action.at) for action in story.actions("ann")] == expected


def utc(at: int) -> str:
    """Write an instant as an hour and minute of UTC."""
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%dT%H:%M")


# 18. Previews


TRIAL = """
journey: trial
entry: { on: Started }
states:
  new: { on: { Used: active }, after: { 9d: done } }
  active: { on: { Liked: happy }, after: { 9d: done } }
  happy: { after: { 9d: done } }
"""
MOVES = (1, 1, 1, 1, 2, 2, 2, 3, 3)  # of each person: how far they go


def test_people_land_where_the_preview_said_they_would() -> None:
    """Counted by hand, person by person, after the publishing."""
    edited = TRIAL.replace("happy", "fan").replace("new", "fresh")
    house = House()
    publish(house, TRIAL)
    for number, n_moves in enumerate(MOVES):
        moves = ("Started", "Used", "Liked")[:n_moves]
        who = f"p{number}"
        house.take(*(event(name, user_id=who, message_id=name + who) for name in moves))
    mapped = {"states": {"new": "fresh", "happy": "done"}}
    shown = publish(house, edited, dry_run=True, **mapped)
    assert stand(house) == {"new": 4, "active": 3, "happy": 2}
    done = publish(house, edited, **mapped)
    house.driver.finish_sweep()
    landings = {each["state"]: (each["n_people"], each["lands_in"]) for each in shown}
    assert landings == {"new": (4, ["fresh"]), "active": (3, ["active"]), "happy": (2, ["done"])}
    assert done == shown
    assert stand(house) == {"fresh": 4, "active": 3}


def publish(house: House, text: str, **options: Any) -> list[dict[str, Any]]:
    """Publish a journey over the API; return who lands where."""
    body = {"definitions": [{"file": "trial.yaml", "text": text}], **options}
    answer = house.ask("/api/v1/publish", method="POST", json=body).json()
    assert answer["refused"] == []
    found: list[dict[str, Any]] = next(
        change["people"] for change in answer["journeys"] if change["journey"] == "trial"
    )
    return found


def stand(house: House) -> dict[str, int]:
    """Count people by the state they are in, from their profiles."""
    counts: dict[str, int] = {}
    for number in range(len(MOVES)):
        profile = find_profile(house.store, f"p{number}", limit=1)
        assert profile is not None
        for enrolment in profile.enrolments:
            (state,) = enrolment.state
            counts[state] = counts.get(state, 0) + 1
    return counts


# 19. Somebody's code


@pytest.mark.parametrize(
    "guard",
    [
        "__import__('os').system('id') == 0",
        "open('/etc/passwd').read() != ''",
        "().__class__.__bases__[0].__subclasses__() != 0",
        "trait.__class__.__init__.__globals__ != 0",
        "count.__globals__ != 0",
        "'{0.__class__}'.format(trait) != ''",
        "[each for each in trait] != 0",
        "(lambda: 1)() == 1",
        "(x := 1) == 1",
        "Runtime.getRuntime().exec('id') != 0",
        "script('id') == 0",
        "9 ** 9 ** 9 ** 9 > 0",
    ],
)
def test_a_guard_that_reaches_for_the_machine_is_refused(guard: str) -> None:
    """Ways out of a sandbox, as published for other expression languages, and one that takes for ever."""
    text = journey("  waiting: { on: { Go: { to: done, when: GUARD } } }").replace("GUARD", repr_yaml(guard))
    with pytest.raises(DefinitionError, match=r"j\.yaml:6:\d+"):
        compile_journey(text, file="j.yaml")


def repr_yaml(text: str) -> str:
    """Write a text as YAML does, in single quotes."""
    return "'" + text.replace("'", "''") + "'"


def test_what_a_person_sends_is_text_and_no_template() -> None:
    """A name with braces in it is a strange name."""
    world = World(journey("steps:\n- send: { console: , body: { say: 'hello {{ properties.name }}' } }\n"))
    world.when("$identify", traits={"secret": "s3cret"})
    world.when("Start", properties={"name": "{{ trait.secret }}{% assign x = 1 %}"})
    assert said(world) == ["hello {{ trait.secret }}{% assign x = 1 %}"]
