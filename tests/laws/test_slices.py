"""Slices: while applications ask, a commit is made in parts while another is stored; nothing else differs."""

from __future__ import annotations

from collections import deque
from random import Random

import pytest
from hypothesis import given, settings

from sojourn.adapters.memory import MemoryLog, MemoryStore
from sojourn.engine import turn as turn_room
from sojourn.engine.decisions import Asking, decide_all
from sojourn.model.event import Entry
from sojourn.model.ports import Commit
from sojourn.runtime import driver as driver_module
from sojourn.runtime.driver import Driver, joined
from tests.laws.histories import history
from tests.laws.runtimes import Outcome, sequential
from tests.laws.test_equality import CATALOGUE, end_of, lengths, outcome_of, same, seeds
from tests.soak import tries


def sliced(entries: list[Entry], random: Random) -> Outcome:
    """Run the driver as the live runtime does: each commit in slices, stored when the next one is made."""
    log, store = MemoryLog(), MemoryStore()
    driver = Driver(log, store, CATALOGUE, cache=random.choice((0, 2, 1_000)))
    waiting, under_way = deque(entries), Commit(0, 0, [], [])
    while waiting:
        parts: list[Commit | None] = []
        goes_on = False
        while waiting:
            batch, until = driver.next_batch(waiting, most=random.randrange(1, 5))
            parts.append(driver.process(batch, until=until, goes_on=goes_on))
            ask_everybody(driver, until)
            goes_on = random.random() < 0.6
            if not goes_on:
                break
        store.commit(under_way)
        under_way = joined([part for part in parts if part is not None])
    store.commit(under_way)
    driver.settle([], until=end_of(entries))
    return outcome_of(store)


def ask_everybody(driver: Driver, at: int) -> None:
    """Ask of everybody in memory, as an application may at any moment."""
    for key, life in driver.hot.young("profile").items():
        decide_all(life, Asking(catalogue=driver.catalogue, at=at, unit=key))


@settings(max_examples=tries(50), deadline=None)
@given(seeds, lengths)
def test_commits_made_in_slices_while_everybody_is_asked_about_are_replay(seed: int, n_events: int) -> None:
    """However slices are cut, whatever is still being stored, and whoever is asked about: the same facts."""
    random = Random(seed)
    entries = history(random, n_events=n_events)
    same(sliced(entries, random), sequential(entries, CATALOGUE, until=end_of(entries)))


def test_a_turn_that_fails_in_a_slice_is_done_again_from_the_slice_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What a key was before is in no store yet, and in the parts of a commit that is not stored."""
    entries = history(Random(7), n_events=40)
    failing = entries[-1]

    def turn(stage, key, state, inputs, **options):  # type: ignore[no-untyped-def]
        if any(getattr(one, "position", 0) == failing.position for one in inputs):
            raise ZeroDivisionError
        return turn_room.turn(stage, key, state, inputs, **options)

    monkeypatch.setattr(driver_module, "turn", turn)
    monkeypatch.setattr("sojourn.runtime.salvage.turn", turn)
    log, store = MemoryLog(), MemoryStore()
    driver = Driver(log, store, CATALOGUE)
    parts = [driver.process(entries[:20], until=entries[19].at)]
    parts.append(driver.process(entries[20:-1], until=entries[-2].at, goes_on=True))
    parts.append(driver.process([failing], until=failing.at, goes_on=True))
    store.commit(joined([part for part in parts if part is not None]))
    driver.settle([], until=end_of(entries))
    monkeypatch.undo()
    same(outcome_of(store), sequential(entries[:-1], CATALOGUE, until=end_of(entries)))
