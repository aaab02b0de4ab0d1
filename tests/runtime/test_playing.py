"""Playing: log, engine and store at work at once come to what they come to one after the other."""

from __future__ import annotations

import gc
from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.adapters.memory import MemoryLog, MemoryStore
from sojourn.model.event import Event, FailedEvent
from sojourn.model.ports import Commit
from sojourn.runtime.driver import Driver
from sojourn.runtime.importing import Player
from tests.laws.histories import T0, catalogue, history
from tests.soak import tries

CATALOGUE = catalogue()


class FullStore(MemoryStore):
    """A store whose disk is full after so many commits."""

    def __init__(self, n_commits: int) -> None:
        super().__init__()
        self.n_left = n_commits

    def commit(self, commit: Commit) -> None:
        """Store, while there is room."""
        if not self.n_left:
            raise OSError("no space left on device")
        self.n_left -= 1
        super().commit(commit)


def events_of(seed: int, n_events: int) -> list[Event]:
    """Make a history's events, in time order, as an import brings them."""
    entries = history(Random(seed), n_events=n_events)
    return sorted((entry.event for entry in entries), key=lambda event: event.occurred_at)


def batches(events: list[Event], random: Random) -> list[list[Event]]:
    """Cut events into batches; some have none, as where all rows were there before."""
    cut: list[list[Event]] = []
    while events:
        n_taken = random.randrange(0, 9)
        cut.append(events[:n_taken])
        events = events[n_taken:]
    return cut


def outcome(store: MemoryStore) -> list[bytes]:
    """Lay out all facts."""
    return sorted(msgspec.json.encode(fact) for _, group in store.facts_after(0, 1 << 30) for fact in group)


def one_by_one(events: list[Event]) -> MemoryStore:
    """Append and process one event after the other."""
    log, store = MemoryLog(), MemoryStore()
    driver = Driver(log, store, CATALOGUE)
    for event in events:
        driver.take(log.append([event], now=T0, play=True, shadow=True).entries)
    return store


def play(log: MemoryLog, store: MemoryStore, cut: list[list[Event]], **bounds: int) -> None:
    """Play batches."""
    with Player(Driver(log, store, CATALOGUE, **bounds), now=lambda: T0) as player:
        for batch in cut:
            player.append(batch, [])


@settings(max_examples=tries(60), deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 60))
def test_what_is_played_comes_to_what_one_event_at_a_time_comes_to(seed: int, n_events: int) -> None:
    """Small bounds, so that timers run over and states are read back while a commit is under way."""
    random = Random(seed)
    events = events_of(seed, n_events)
    store = MemoryStore()

    play(MemoryLog(), store, batches(events, random), cache=2, max_woken=2, max_timers=3)

    assert outcome(store) == outcome(one_by_one(events))
    assert store.progress().position == len(events)


def test_an_append_answers_for_its_own_batch() -> None:
    """Though the engine is still at the one before."""
    events = events_of(7, 20)
    with Player(Driver(MemoryLog(), MemoryStore(), CATALOGUE), now=lambda: T0) as player:
        first = player.append(events[:12], [])
        second = player.append(events[10:], [])

    assert (len(first.entries), first.duplicates) == (12, [])
    assert (len(second.entries), second.duplicates) == (8, [0, 1])
    assert all(entry.is_shadow for entry in (*first.entries, *second.entries))


def test_a_batch_of_failed_rows_alone_is_kept() -> None:
    """They come before all events."""
    log = MemoryLog()
    with Player(Driver(log, MemoryStore(), CATALOGUE), now=lambda: T0) as player:
        player.append([], [FailedEvent(source="import", received_at=T0, code="bad-row", reason="no")])

    assert [failed.code for failed in log.failed()] == ["bad-row"]


@pytest.mark.parametrize("n_commits", [0, 1, 3])
def test_a_store_that_fails_ends_the_import_and_loses_nothing(n_commits: int) -> None:
    """The next start processes what the log has, to the same end."""
    events = events_of(11, 60)
    cut = [events[start : start + 5] for start in range(0, len(events), 5)]
    log, store = MemoryLog(), FullStore(n_commits)

    with pytest.raises(OSError, match="no space"):
        play(log, store, cut)
    store.n_left = 1 << 30
    Driver(log, store, CATALOGUE).catch_up()
    play(log, store, cut)

    assert outcome(store) == outcome(one_by_one(events))


def test_the_collector_is_left_as_it_was() -> None:
    """It is the whole process's."""
    before = gc.get_threshold()

    play(MemoryLog(), MemoryStore(), [])

    assert gc.get_threshold() == before
