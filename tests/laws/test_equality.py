"""Live = replay = partitioned: the property everything rests on."""

from __future__ import annotations

from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.adapters.memory import MemoryLog, MemoryStore
from sojourn.definitions.journey import Catalogue
from sojourn.engine import entries as entry_room
from sojourn.engine import identity, sessions, traits
from sojourn.model.event import Entry
from sojourn.model.turn import STAGES
from sojourn.runtime.driver import Driver
from tests.laws.histories import MINUTE, STEPS_MS, T0, catalogue, history
from tests.laws.runtimes import Outcome, partitioned, sequential
from tests.soak import tries

CATALOGUE = catalogue()
seeds = st.integers(0, 2**32)
lengths = st.integers(0, 60)


def end_of(entries: list[Entry]) -> int:
    """An instant well after the last timer could be due."""
    return (entries[-1].at if entries else T0) + 600 * MINUTE


def same(one: Outcome, other: Outcome) -> None:
    """Compare part by part, so that a failure shows what differs and not everything."""
    assert sorted(set(one.facts) ^ set(other.facts)) == []
    assert one.facts == other.facts
    assert one.actions == other.actions
    assert {
        key: (one.states.get(key), other.states.get(key))
        for key in one.states.keys() | other.states.keys()
        if one.states.get(key) != other.states.get(key)
    } == {}


def live(entries: list[Entry], random: Random, catalogue: Catalogue = CATALOGUE) -> Outcome:
    """Run the driver in random batches, with random clock ticks, forgetting its cache at times."""
    log, store = MemoryLog(), MemoryStore()
    cache = random.choice((0, 2, 1_000))
    driver = Driver(log, store, catalogue, cache=cache)
    waiting = list(entries)
    while waiting:
        n_taken = random.randrange(1, 8)
        batch, waiting = waiting[:n_taken], waiting[n_taken:]
        driver.settle(batch, until=batch[-1].at)
        if random.random() < 0.5:
            ceiling = waiting[0].at if waiting else end_of(entries)
            driver.settle([], until=random.randint(batch[-1].at, ceiling))
        if random.random() < 0.1:  # the process stops and starts again
            driver = Driver(log, store, catalogue, cache=cache)
    driver.settle([], until=end_of(entries))
    return outcome_of(store)


def outcome_of(store: MemoryStore) -> Outcome:
    """Lay out what a store holds as the other runtimes lay theirs out."""
    facts = [msgspec.json.encode(fact) for _, group in store.facts_after(0, 1 << 30) for fact in group]
    actions = [msgspec.json.encode(letter.action) for letter in _letters(store)]
    keys = [(stage, key) for stage in STAGES for key in store.keys(stage)]
    states = {key: stored.state for key, stored in store.load(keys).items()}
    return Outcome(sorted(facts), sorted(actions), dict(sorted(states.items())))


def _letters(store: MemoryStore) -> list:
    return [
        letter
        for sink in ("shop", "support", "own")
        for letter in store.waiting(sink, now=1 << 60, limit=1 << 30)
    ]


@settings(max_examples=tries(75), deadline=None)
@given(seeds, lengths)
def test_live_is_replay(seed: int, n_events: int) -> None:
    """However inputs are cut into batches, whenever the clock ticks, and across restarts: the same facts."""
    random = Random(seed)
    entries = history(random, n_events=n_events)
    same(live(entries, random), sequential(entries, CATALOGUE, until=end_of(entries)))


@settings(max_examples=tries(75), deadline=None)
@given(seeds, lengths, st.integers(1, 4))
def test_partitioned_is_replay(seed: int, n_events: int, n_partitions: int) -> None:
    """On any number of partitions, in any interleaving under a strict watermark: the same facts."""
    random = Random(seed)
    entries = history(random, n_events=n_events)
    until = end_of(entries)
    found = partitioned(entries, CATALOGUE, until=until, n_partitions=n_partitions, random=random)
    same(found, sequential(entries, CATALOGUE, until=until))


@settings(max_examples=tries(50), deadline=None)
@given(seeds, st.integers(20, 60))
def test_bounds_are_met_alike_by_every_runtime(seed: int, n_events: int) -> None:
    """What is refused or forgotten at a bound is a function of the log, too: here all bounds are near."""
    random = Random(seed)
    entries = history(random, n_events=n_events)
    until = end_of(entries)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(identity, "MAX_OWNERS", 2)
        patch.setattr(identity, "MAX_IDS", 2)
        patch.setattr(entry_room, "MAX_ENROLMENTS", 3)
        patch.setattr(entry_room, "MAX_KEYS", 1)
        patch.setattr(entry_room, "MAX_ENTRIES_BYTES", 60)
        patch.setattr(sessions, "MAX_SESSIONS", 2)
        patch.setattr(traits, "MAX_TIMES", 2)
        expected = sequential(entries, CATALOGUE, until=until)
        same(live(entries, random), expected)
        same(partitioned(entries, CATALOGUE, until=until, n_partitions=3, random=random), expected)


def test_histories_reach_what_they_are_meant_to_reach() -> None:
    """A law over histories in which nothing happens holds for nothing."""
    kinds: set[str] = set()
    n_actions = 0
    for seed in range(60):
        random = Random(seed)
        entries = history(random, n_events=60)
        outcome = sequential(entries, CATALOGUE, until=end_of(entries))
        kinds |= {msgspec.json.decode(fact)["type"] for fact in outcome.facts}
        n_actions += len(outcome.actions)
    assert n_actions > 50
    assert kinds >= {
        "step", "session_started", "session_revised", "session_ended", "identified", "identity_refused",
        "entered", "not_entered", "transition", "goal", "exited", "exposed", "action", "action_withheld",
        "delivery",
    }  # fmt: skip


@settings(max_examples=tries(75), deadline=None)
@given(seeds, st.integers(0, 40))
def test_any_order_and_duplication_ends_in_the_same_profiles_and_sessions(seed: int, n_events: int) -> None:
    """Late and repeated events change when a profile knows something, not what it ends up knowing.

    Within the lateness that sessions allow, a day: 40 steps of at most 31 minutes.
    """
    random = Random(seed)
    entries = history(random, n_events=n_events, is_one_user_per_device=True, steps_ms=STEPS_MS[:-1])
    events = [entry.event for entry in entries]
    assert profiles_of(events) == profiles_of(_shuffled_and_doubled(events, random))


def _shuffled_and_doubled(events: list, random: Random) -> list:
    doubled = events + random.sample(events, k=len(events) // 2)
    random.shuffle(doubled)
    return doubled


def profiles_of(events: list) -> dict:
    """Send events through a log, which refuses duplicates; return what profiles know, without journeys."""
    log, store = MemoryLog(), MemoryStore()
    for index, event in enumerate(events):
        log.append([event], now=T0 + index)
    Driver(log, store, CATALOGUE).catch_up()
    found = {}
    from sojourn.engine.state import decode

    for stage in ("identity", "profile"):
        for (_, key), stored in store.load([(stage, key) for key in store.keys(stage)]).items():
            life = decode(stage, stored.state)
            if stage == "identity":
                life = life.life
            if life is not None:
                sessions = [
                    (s.id, s.started_at, s.ended_at, s.n_events, s.channel, s.steps) for s in life.sessions
                ]
                found[stage, key] = (
                    sorted(life.user_ids), sorted(life.anonymous_ids), life.first_seen_at, life.last_seen_at,
                    life.n_events, dict(sorted(life.traits.items())), dict(sorted(life.counters.items())),
                    sessions,
                )  # fmt: skip
    return found


@pytest.mark.parametrize("n_partitions", [1, 3])
def test_an_empty_history_comes_to_nothing(n_partitions: int) -> None:
    """The edge where there is no edge."""
    assert partitioned([], CATALOGUE, until=T0, n_partitions=n_partitions, random=Random(0)) == Outcome(
        [], [], {}
    )
