"""Tallies: the counts that are kept are those that counting all facts anew gives."""

from __future__ import annotations

from collections import Counter
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.adapters.memory import MemoryLog, MemoryStore
from sojourn.engine.state import Life, Tie, decode
from sojourn.model.fact import (
    ActionDecided,
    ActionWithheld,
    AssignmentConflict,
    Entered,
    Exited,
    Exposed,
    Fact,
    GoalReached,
)
from sojourn.model.ids import user_profile
from sojourn.model.turn import STAGES
from sojourn.model.views import JourneyView
from sojourn.runtime.driver import Driver
from sojourn.runtime.tallies import MAX_EXPERIMENTS, Tallies
from tests.laws.flagged import flagged_catalogue, flagged_history
from tests.laws.histories import catalogue, history
from tests.soak import tries

CATALOGUE = catalogue()


def lived(seed: int, n_events: int) -> MemoryStore:
    """Run a random history, restarting the driver now and then."""
    store, random = MemoryStore(), Random(seed)
    waiting = history(random, n_events=n_events)
    while waiting:
        batch, waiting = waiting[:7], waiting[7:]
        Driver(MemoryLog(), store, CATALOGUE).settle(batch, until=batch[-1].at)
    return store


def counted(facts: list[Fact], kind: type[Fact]) -> Counter[str]:
    """Count facts of one kind by journey."""
    return Counter(fact.journey for fact in facts if isinstance(fact, kind))  # type: ignore[union-attr]


def inside(store: MemoryStore) -> Counter[tuple[str, str]]:
    """Count the enrolments of all lives by journey and active atomic state."""
    found: Counter[tuple[str, str]] = Counter()
    for stage in STAGES:
        for key in store.keys(stage):
            state = decode(stage, store.load([(stage, key)])[stage, key].state)
            life = state.life if isinstance(state, Tie) else state
            for enrolment in life.enrolments if isinstance(life, Life) else ():
                found.update((enrolment.journey, active) for active in enrolment.machine.active)
    return found


@settings(max_examples=tries(40), deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 60))
def test_tallies_are_what_all_facts_come_to(seed: int, n_events: int) -> None:
    """They are changed fact by fact, and stored with the facts they count: also over restarts."""
    store = lived(seed, n_events)
    facts = [fact for _, group in store.facts_after(0, 1 << 30) for fact in group]
    for view in Tallies(store).views(CATALOGUE):
        name = view.name
        assert view == JourneyView(
            name=name,
            version=CATALOGUE.journeys[name].version,
            is_open=True,
            entered=counted(facts, Entered)[name],
            goals=counted(facts, GoalReached)[name],
            exited=counted(facts, Exited)[name],
            actions=counted(facts, ActionDecided)[name],
            withheld=counted(facts, ActionWithheld)[name],
            states={state: n for (journey, state), n in sorted(inside(store).items()) if journey == name},
        )


def test_a_journey_that_nobody_was_in_is_listed() -> None:
    """It is in force: people ask why nobody is in it."""
    views = Tallies(MemoryStore()).views(CATALOGUE)
    assert [(view.name, view.entered, view.states) for view in views] == [
        ("once", 0, {}),
        ("paths", 0, {}),
        ("patient", 0, {}),
        ("rescue", 0, {}),
    ]


def test_people_are_counted_by_experiment_and_so_are_conflicts() -> None:
    """Of the same facts, and over restarts: what an operator is warned by."""
    exposed, conflicts = Counter[str](), Counter[str]()
    store, random = MemoryStore(), Random(5)
    flagged = flagged_catalogue()
    waiting = flagged_history(random, n_events=400)
    while waiting:
        batch, waiting = waiting[:7], waiting[7:]
        Driver(MemoryLog(), store, flagged).settle(batch, until=batch[-1].at)
    for _, group in store.facts_after(0, 1 << 30):
        exposed.update(fact.experiment for fact in group if isinstance(fact, Exposed))
        conflicts.update(fact.experiment for fact in group if isinstance(fact, AssignmentConflict))
    found = Tallies(store).experiments
    assert {name: one.exposed for name, one in found.items()} == exposed
    assert {name: one.conflicts for name, one in found.items() if one.conflicts} == conflicts
    assert conflicts


def test_experiments_are_counted_up_to_a_bound() -> None:
    """What an event of the house says is not a definition: the counts do not grow for ever."""
    tallies = Tallies(MemoryStore())
    who = {"profile_id": user_profile("ann"), "at": 1, "position": 1}
    tallies.take(
        Exposed(**who, experiment=f"e{n}", variant="a", propensity=1.0)  # type: ignore[arg-type]
        for n in range(MAX_EXPERIMENTS + 5)
    )
    assert len(tallies.experiments) == MAX_EXPERIMENTS
