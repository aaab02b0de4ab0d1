"""Timers in memory: however few are held, what is due is found, once, and in order."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.adapters.memory import MemoryStore
from sojourn.model.ports import Commit, Write
from sojourn.model.turn import Key
from sojourn.runtime.timers import Timers
from tests.soak import tries

KEYS: list[Key] = [("profile", str(number)) for number in range(8)]
# A step: set a key's wake (None: it wants none), or move on and fire what is due.
steps = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(KEYS), st.none() | st.integers(0, 12)),
        st.tuples(st.integers(0, 4), st.integers(1, 3)),
    ),
    max_size=40,
)


def store(wakes: dict[Key, int | None]) -> MemoryStore:
    """Make a store in which these keys want to be woken."""
    made = MemoryStore()
    keep(made, wakes)
    return made


def keep(at: MemoryStore, wakes: dict[Key, int | None]) -> None:
    """Store keys' wakes."""
    at.commit(Commit(0, 0, [Write(key, b"state", wake, b"") for key, wake in wakes.items()], []))


@settings(max_examples=tries(300))
@given(steps, st.integers(1, 9))
def test_what_fires_is_what_a_plain_dict_says_is_due(steps: list, max_held: int) -> None:
    """The oracle keeps every wake in a dict and looks at all of them."""
    kept, wakes = MemoryStore(), dict[Key, int]()
    timers = Timers(kept, max_held=max_held)
    now = 0
    timers.extend(now)
    for what, value in steps:
        if isinstance(what, tuple):
            wake = None if value is None else now + value
            keep(kept, {what: wake})
            timers.set(what, wake)
            wakes.pop(what, None)
            if wake is not None:
                wakes[what] = wake
            continue
        now += what
        fired: list[Key] = []
        while True:
            timers.extend(now)
            popped = timers.pop_due(now, value)
            for key in popped:
                keep(kept, {key: None})
                timers.set(key, None)
            fired += popped
            due = timers.next()
            if (due is None or due > now) and timers.reaches(now):
                break
        expected = {key for key, wake in wakes.items() if wake <= now}
        assert [wakes[key] for key in fired] == sorted(wakes[key] for key in expected)
        assert set(fired) == expected
        for key in fired:
            del wakes[key]


def test_timers_due_at_one_instant_all_fire_where_memory_holds_only_some() -> None:
    """Otherwise those beyond the bound would wait for ever: nobody looks behind the horizon again."""
    kept = store(dict.fromkeys(KEYS, 5))
    timers = Timers(kept, max_held=3)
    fired: list[Key] = []
    timers.extend(5)
    while not timers.reaches(5) or timers.next() is not None:
        popped = timers.pop_due(5, 100)
        fired += popped
        keep(kept, dict.fromkeys(popped))
        timers.extend(5)
    assert sorted(fired) == KEYS


def test_a_timer_that_was_moved_does_not_fire_at_its_old_instant() -> None:
    """Its old place in the queue is only a memory."""
    timers = Timers(store({KEYS[0]: 5}))
    timers.extend(0)
    timers.set(KEYS[0], 9)
    assert (timers.pop_due(5, 10), timers.pop_due(9, 10)) == ([], [KEYS[0]])


def test_moving_timers_about_does_not_grow_the_queue_without_bound() -> None:
    """A person who is active for months moves the same timer thousands of times."""
    timers = Timers(store({}), max_held=4)
    timers.extend(0)
    for instant in range(1_000):
        timers.set(KEYS[0], instant)
    assert len(timers._heap) <= 9


def test_more_timers_of_one_instant_than_memory_holds_wait_in_the_store() -> None:
    """A date many wait for, or the end of quiet hours: kept, they would be sorted again with every event."""
    keys: list[Key] = [("profile", str(number)) for number in range(40)]
    timers = Timers(store({}), max_held=4)
    timers.extend(0)
    for key in keys:
        timers.set(key, 5)
    assert len(timers._wakes) <= 8
    assert (timers.reaches(4), timers.reaches(5), timers.next()) == (True, False, 5)


class CountingStore(MemoryStore):
    """Counts how often it is asked what is due."""

    n_asked = 0

    def due(self, until: int, limit: int) -> list[tuple[int, Key]]:
        self.n_asked += 1
        return super().due(until, limit)


def test_what_is_held_and_due_fires_before_the_store_is_asked_again() -> None:
    """Where many wait for one instant, each commit would read all that memory holds, and fire a few of it."""
    kept = CountingStore()
    keep(kept, dict.fromkeys(KEYS, 5))
    timers = Timers(kept, max_held=4)
    fired: list[Key] = []
    for _ in KEYS:
        timers.extend(5)
        popped = timers.pop_due(5, 1)
        keep(kept, dict.fromkeys(popped))
        fired += popped
    assert (sorted(fired), kept.n_asked) == (KEYS, 2)
