"""The driver: whatever its bounds are, the same comes of a history."""

from __future__ import annotations

from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.adapters.memory import MemoryLog, MemoryStore
from sojourn.model.fact import Transitioned
from sojourn.model.turn import STAGES
from sojourn.runtime import driver as driver_module
from sojourn.runtime.driver import Driver
from tests.engine.makers import MINUTE, T0, event
from tests.engine.makers import catalogue as compiled
from tests.laws.histories import catalogue, history
from tests.soak import tries

CATALOGUE = catalogue()
NUDGE = """
journey: nudge
entry: { on: Started }
holdout: off
states:
  waiting: { after: { 30m: told } }
  told:
    do: [ { webhook: mail, body: { who: "{{ profile.user_id }}" } } ]
    after: { 1d: done }
  done: {}
"""

Kept = tuple[dict, list, list]


def kept(store: MemoryStore) -> Kept:
    """Return all that a store holds: states with wakes, facts, and actions."""
    keys = [(stage, key) for stage in STAGES for key in store.keys(stage)]
    states = {key: (stored.state, stored.wake) for key, stored in store.load(keys).items()}
    facts = sorted(msgspec.json.encode(fact) for _, group in store.facts_after(0, 1 << 30) for fact in group)
    return states, facts, sorted(msgspec.json.encode(letter) for letter in store.letters.values())


def lived(seed: int, **bounds: int) -> Kept:
    """Run a random history in batches of seven, then a day on, under these bounds."""
    store = MemoryStore()
    driver = Driver(MemoryLog(), store, CATALOGUE, **bounds)
    entries = history(Random(seed), n_events=60)
    for start in range(0, len(entries), 7):
        driver.settle(entries[start : start + 7], until=entries[start : start + 7][-1].at)
    driver.settle((), until=entries[-1].at + 1_440 * MINUTE)
    return kept(store)


@settings(max_examples=tries(30), deadline=None)
@given(
    st.integers(0, 2**32),
    st.fixed_dictionaries(
        {
            "cache": st.sampled_from((0, 1, 3)),
            "max_woken": st.sampled_from((1, 2)),
            "max_timers": st.sampled_from((1, 2, 5)),
        }
    ),
)
def test_bounds_change_nothing_but_the_pace(seed: int, bounds: dict[str, int]) -> None:
    """Tiny caches forget states, tiny commits wake few, and few timers are in memory."""
    assert lived(seed, **bounds) == lived(seed)


def started(n_people: int) -> tuple[MemoryLog, MemoryStore]:
    """Make a log in which so many people started at once."""
    log, store = MemoryLog(floor=T0), MemoryStore()
    log.append([event("Started", message_id=str(n), user_id=str(n)) for n in range(n_people)], now=T0)
    return log, store


def test_more_timers_than_a_commit_wakes_all_fire() -> None:
    """Ten thousand people can be due at one instant."""
    log, store = started(50)
    driver = Driver(log, store, compiled(NUDGE), max_woken=7, max_timers=9)
    driver.catch_up()
    actions = driver.settle((), until=T0 + 30 * MINUTE)
    assert len({action.profile_id for action in actions}) == 50


def test_a_commit_wakes_at_most_what_it_may() -> None:
    """A commit of a million timers would stop everything else for a minute."""
    log, store = started(50)
    driver = Driver(log, store, compiled(NUDGE), max_woken=7)
    driver.catch_up()
    commit = driver.process((), until=T0 + 30 * MINUTE)
    assert commit is not None
    assert len(commit.writes) == 7
    assert driver.has_due(T0 + 30 * MINUTE)


def test_an_entry_is_before_the_timers_that_are_due_after_it() -> None:
    """Law 3, also where only some of the timers fit into the commit."""
    log, store = started(20)
    driver = Driver(log, store, compiled(NUDGE), max_woken=3)
    driver.catch_up()
    late = log.append([event("Seen", at=45, user_id="7")], now=T0 + 45 * MINUTE)
    driver.take(late.entries)
    moved = [fact for fact in store.facts(("profile", "7")) if isinstance(fact, Transitioned)]
    assert [(fact.at - T0, fact.target) for fact in moved] == [
        (30 * MINUTE, ["told"]),
        (0, ["waiting"]),
    ]


@settings(max_examples=tries(30), deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 60))
def test_catching_up_after_a_crash_comes_to_what_no_crash_comes_to(seed: int, n_stored: int) -> None:
    """A crash: the log holds everything, the store what was committed, and memory is gone."""

    def run(*, is_crashing: bool) -> Kept:
        log, store = MemoryLog(floor=T0), MemoryStore()
        appended = [
            log.append([entry.event], now=entry.at).entries[0] for entry in history(Random(seed), n_events=60)
        ]
        driver = Driver(log, store, CATALOGUE)
        if is_crashing:
            driver.take(appended[:n_stored])
            assert Driver(log, store, CATALOGUE).catch_up() == 60 - n_stored
        else:
            driver.take(appended)
        return kept(store)

    assert run(is_crashing=True) == run(is_crashing=False)


def test_catching_up_goes_on_batch_by_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    """A log of a month is not one commit."""
    monkeypatch.setattr(driver_module, "BATCH", 8)
    log, store = started(50)
    driver = Driver(log, store, compiled(NUDGE))
    assert driver.catch_up() == 50
    assert (driver.position, store.progress().position, store.counts()["profiles"]) == (50, 50, 50)


def test_nothing_new_is_no_commit() -> None:
    """An idle house writes nothing."""
    driver = Driver(MemoryLog(), MemoryStore(), CATALOGUE)
    assert driver.process((), until=T0) is None
