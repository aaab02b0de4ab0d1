"""Tallies: the counts that are kept are those that counting all facts anew gives."""

from __future__ import annotations

from collections import Counter
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.adapters.memory import MemoryLog, MemoryStore
from sojourn.engine.state import Life, Tie, decode
from sojourn.model.fact import ActionDecided, ActionWithheld, Entered, Exited, Fact, GoalReached
from sojourn.model.turn import STAGES
from sojourn.model.views import JourneyView
from sojourn.runtime.driver import Driver
from sojourn.runtime.tallies import Tallies
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
