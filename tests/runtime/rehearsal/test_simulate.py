"""Simulation: invented people behave alike until an action makes a difference, and show what looks wrong."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import msgspec
import pytest

from sojourn.definitions.catalogue import build_catalogue, load_definitions
from sojourn.definitions.compile import compile_journey
from sojourn.definitions.journey import Catalogue, Journey
from sojourn.definitions.policy import Cap, Channel, Policy, Quiet
from sojourn.model.errors import DefinitionError
from sojourn.model.turn import Arrived
from sojourn.runtime.rehearsal import (
    Population,
    Trial,
    Watch,
    World,
    listen,
    read_population,
    simulate,
    usual,
)
from sojourn.runtime.rehearsal.behaviour import START_MS, Draws, Person
from sojourn.runtime.rehearsal.collecting import Part
from sojourn.runtime.rehearsal.population import DAY_MS, Response
from sojourn.runtime.rehearsal.suspicions import suspect
from sojourn.runtime.rehearsal.tally import Tally
from tests.runtime.rehearsal.histories import REMIND, catalogue, ignore, report_of

LATER = REMIND.replace("30m", "20h")

DEMO = """
journey: demo
holdout: 0%
entry: { on: Signed Up, when: "trait.plan == 'pro'" }
goal: { on: Paid }
states:
  waiting:
    on: { Poked: nudged, Never Clicked: lost }
    after: { 1h: thinking }
  thinking:
    branch:
      - { when: "count('Poked', within='1m') >= 200", to: lost }
      - { to: stuck }
  stuck:
    after: { 365d: done }
  lost:
    do: [ { sink: crm, body: {} } ]
    after: { 1d: done }
  nudged:
    do: [ { sink: crm, body: {} } ]
    after: { 1d: done }
"""


def world(journey: Journey, *, said: Population | None = None, seed: int = 1, n_days: int = 20) -> World:
    """Make a world for one journey."""
    listening = listen([journey])
    return World(usual(listening, said or Population()), listening, seed=seed, n_days=n_days)


def lived(
    draft: str, published: str | None = None, *, n_people: int = 120, n_processes: int = 1, **options: object
) -> Part:
    """Simulate."""
    own: Catalogue = catalogue(draft)
    journey = next(iter(own.journeys.values()))
    trial = Trial(
        draft=own,
        published=None if published is None else catalogue(published),
        world=world(journey, **options),  # type: ignore[arg-type]
        n_people=n_people,
        watch=Watch([journey]),
    )
    return simulate(trial, n_processes=n_processes, tell=ignore)


def encoded(part: Part) -> bytes:
    """Return the report as bytes."""
    return report_of(part, catalogue(REMIND), catalogue(LATER))


def test_a_seed_gives_the_same_bytes_on_any_number_of_processes() -> None:
    """A report that cannot be repeated cannot be discussed."""
    alone = encoded(lived(REMIND, LATER))
    assert encoded(lived(REMIND, LATER, n_processes=2)) == alone
    assert encoded(lived(REMIND, LATER, n_processes=3)) == alone
    assert encoded(lived(REMIND, LATER, seed=2)) != alone


def test_the_same_people_behave_alike_under_both_versions() -> None:
    """Else chance would look like a difference between drafts."""
    part = lived(REMIND, REMIND, said=Population(response=Response(goal=5)))
    assert part.n_affected == 0
    assert part.draft["remind"].goals > 0


def test_an_action_can_make_a_difference_and_only_after_it() -> None:
    """Who is reminded earlier buys earlier; where messages change nobody, all buy as they would have."""
    said = Population(response=Response(goal=50, within_ms=DAY_MS))
    part = lived(REMIND, LATER, said=said, n_people=200)
    moved = part.n_different["remind"].get("goal", {})
    assert sum(moved.values()) > 0
    same = lived(REMIND, LATER, n_people=200).n_different["remind"].get("goal", {})
    assert sum(same.values()) < sum(moved.values())


def test_goals_are_rare_and_entries_likely() -> None:
    """A draft is to be filled with people, or there is nothing to see."""
    tally = lived(REMIND).draft["remind"]
    assert 0 < tally.goals < tally.entered / 2
    assert tally.people > 60


def steps_of(journey: str, number: int, **options: object) -> list[Arrived]:
    """Return all that a person does."""
    person = Person(world(compile_journey(journey), **options), number)  # type: ignore[arg-type]
    return [arrived for step in person.steps() for arrived in person.act(step)]


def test_people_sleep_by_their_own_clock() -> None:
    """Quiet hours would otherwise be tried by people who are awake at night."""
    hours = []
    for number in range(150):
        for arrived in steps_of(DEMO, number):
            zone = ZoneInfo(msgspec.json.decode(arrived.event.context)["timezone"])
            hours.append(datetime.fromtimestamp(arrived.at / 1000, zone).hour)
    at_night = sum(2 <= hour < 5 for hour in hours)
    in_the_evening = sum(18 <= hour < 21 for hour in hours)
    assert at_night * 5 < in_the_evening


def test_a_life_lies_within_its_days_in_order() -> None:
    """Virtual time has no past."""
    for number in range(60):
        arrivals = steps_of(DEMO, number, n_days=10)
        assert [arrived.at for arrived in arrivals] == sorted(arrived.at for arrived in arrivals)
        assert all(START_MS <= arrived.at <= START_MS + 12 * DAY_MS for arrived in arrivals)


def test_guards_find_what_they_ask_for() -> None:
    """A journey keyed by a cart needs carts, and a plan that is compared is had by some and not by others."""
    keyed = """
journey: keyed
holdout: 0%
entry: { on: Began, key: properties.cart_id, when: "trait.plan == 'pro' and properties.n > 3" }
goal: { on: Bought, when: properties.cart_id == entry.key, value: properties.revenue }
states:
  waiting: { after: { 1h: done } }
"""
    part = lived(keyed, n_people=300, said=Population(events={"Bought": 40}))
    tally = part.draft["keyed"]
    assert tally.entered > 50
    assert "no-key" not in tally.not_entered
    assert tally.value_millionths > 0
    asked = part.asked["keyed"]["entry: trait.plan == 'pro' and properties.n > 3"]
    assert 0 < asked.n_true < asked.n


def test_draws_are_named_after_their_causes() -> None:
    """One more question must not change the answers to the others."""
    draws = Draws(1, "ann")
    first = draws.draw("visit 1")
    draws.draw("something else")
    assert draws.draw("visit 1") == first
    assert Draws(1, "bob").draw("visit 1") != first
    assert Draws(2, "ann").draw("visit 1") != first


def test_what_looks_wrong_in_the_demo_draft_is_found() -> None:
    """Nobody reaches `lost`, everybody waits for ever in `stuck`, and the branch is never taken."""
    part = lived(DEMO, said=Population(events={"Never Clicked": 0}), n_people=400)
    found = suspect(compile_journey(DEMO), part.draft["demo"], part.asked["demo"])
    assert [(each.code, each.message.split(":")[0]) for each in found] == [
        ("never-entered", "nobody came to lost"),
        ("never-left", "everybody waits in stuck"),
        ("never-true", "thinking to lost"),
    ]


def test_a_draft_that_nobody_enters_says_why() -> None:
    """The most usual mistake is in the first line."""
    closed = DEMO.replace("trait.plan == 'pro'", "count('Signed Up') >= 5000")
    part = lived(closed)
    found = suspect(compile_journey(closed), part.draft.get("demo", Tally()), part.asked["demo"])
    assert found[0].code == "nobody-entered"
    assert "never true" in found[0].message


def test_an_action_that_is_always_withheld_is_named_with_its_reasons() -> None:
    """It looks right in the file, and reaches nobody."""
    held = REMIND.replace("holdout: 0%", "holdout: 99.99%")
    part = lived(held)
    found = suspect(compile_journey(held), part.draft["remind"], {})
    assert [each.code for each in found] == ["never-sent"]
    assert "held-out" in found[0].message


POPULATION = """
visits_per_day: 0.5
events_per_visit: 6
time_zones: { Asia/Tokyo: 1 }
events: { Bought: 1.5, Looked: 3 }
after:
  Began: { Bought: 20, Cried: 1 }
traits: { plan: { pro: 1, 3: 2 } }
properties: { size: [2, 2.5, big, true] }
response: { goal: 2, within: 2d }
"""


def test_a_population_is_read_as_it_is_written() -> None:
    """Every word of the page on simulating."""
    assert read_population(POPULATION, file="p.yaml") == Population(
        visits_per_day=0.5,
        events_per_visit=6,
        time_zones={"Asia/Tokyo": 1.0},
        events={"Bought": 1.5, "Looked": 3.0},
        after={"Began": {"Bought": 20.0, "Cried": 1.0}},
        traits={"plan": {"pro": 1.0, 3: 2.0}},
        properties={"size": {2: 1.0, 2.5: 1.0, "big": 1.0, True: 1.0}},
        response=Response(goal=2.0, within_ms=2 * DAY_MS),
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("visits: 3", "p.yaml:1:1: a population knows no 'visits'"),
        ("visits_per_day: 3", "p.yaml:1:17: expected a number from 0 to 1, got '3'"),
        ("events: { Bought: many }", "p.yaml:1:19: expected a number from 0 to 1e+09, got 'many'"),
        ("time_zones: [Mars/Base]", "p.yaml:1:13: unknown time zone 'Mars/Base'"),
        ("response: { within: soon }", "p.yaml:1:21: expected a duration"),
        ("traits: { plan: [] }", "p.yaml:1:17: expected at least one value"),
        ("[]", "p.yaml:1:1: expected a population as an object"),
    ],
)
def test_a_population_that_is_wrong_is_refused_with_its_place(text: str, expected: str) -> None:
    """As journeys are."""
    with pytest.raises(DefinitionError) as refused:
        read_population(text, file="p.yaml")
    assert str(refused.value).startswith(expected)


def test_what_a_population_says_of_following_events_is_done() -> None:
    """`after` is how a funnel is written."""
    said = read_population("events: { Bought: 0 }\nafter: { Began: { Bought: 100000 } }", file="p.yaml")
    names = [arrived.event.name for number in range(40) for arrived in steps_of(REMIND, number, said=said)]
    assert names.count("Bought") > 0
    followed = [name for before, name in pairwise(names) if before == "Began"]
    assert followed.count("Bought") > len(followed) / 2


def test_a_policy_is_met_by_people_in_their_zones() -> None:
    """Quiet hours and caps are what an author cannot work out in the head."""
    journeys = [compile_journey(REMIND.replace("on: Began,", "on: [Began, Waved],"))]
    quiet = Quiet(start_min=12 * 60, end_min=23 * 60, then="drop")
    channel = Channel(sinks=frozenset({"crm"}), caps=(Cap(most=1, within_ms=20 * DAY_MS),), quiet=quiet)
    own = build_catalogue(journeys, policy=Policy(channels={"mail": channel}))
    trial = Trial(draft=own, published=None, world=world(journeys[0]), n_people=150)
    withheld = simulate(trial, n_processes=1, tell=ignore).draft["remind"].withheld["crm in reminded"]
    assert withheld["cap"] > 0
    assert withheld["quiet-hours"] > 0


def test_a_journey_entered_by_a_segment_finds_people_for_it() -> None:
    """What the segment asks for is done and had by invented people."""
    files = [
        ("shared.yaml", "segments: { keen: \"count('Looked') >= 2 and trait.plan == 'pro'\" }"),
        ("keen.yaml", REMIND.replace("on: Began", "segment: keen")),
    ]
    definitions = load_definitions(files)
    own = build_catalogue(definitions.journeys, segments=definitions.segments, policy=Policy())
    listening = listen(definitions.journeys, definitions.segments)
    lives = World(usual(listening, Population()), listening, seed=1, n_days=20)
    trial = Trial(draft=own, published=None, world=lives, n_people=100)
    assert simulate(trial, n_processes=1, tell=ignore).draft["remind"].entered > 10
