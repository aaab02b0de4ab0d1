"""Salvage: what the engine fails on is left out, kept and said; everything else is as if it had not been."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from sojourn.adapters.memory import MemoryLog, MemoryStore
from sojourn.engine import statechart
from sojourn.engine.turn import turn
from sojourn.model.event import Entry
from sojourn.model.turn import Arrived, Input, Result
from sojourn.runtime import driver as driver_module
from sojourn.runtime import salvage as salvage_module
from sojourn.runtime.driver import Driver
from sojourn.runtime.reading import find_profile
from sojourn.runtime.salvage import STUCK_MS
from tests.engine.makers import MINUTE, T0, event
from tests.engine.makers import catalogue as compiled
from tests.laws.histories import catalogue, history
from tests.runtime.test_driver import NUDGE, kept
from tests.soak import tries
from tests.stories.world import World

CATALOGUE = catalogue()


class PlantedError(Exception):
    """A bug that a test put there."""


def failing_on(is_bad: Callable[[Input], bool]) -> Callable[..., Result]:
    """Make a turn that changes the state it was given, and then fails, where a bad input is in it."""

    def failing(stage: Any, key: str, state: Any, inputs: Sequence[Input], **rest: Any) -> Result:
        result = turn(stage, key, state, inputs, **rest)
        if any(is_bad(given) for given in inputs):
            raise PlantedError("planted")
        return result

    return failing


def plant(patch: pytest.MonkeyPatch, is_bad: Callable[[Input], bool]) -> None:
    """Put a bug into the engine."""
    failing = failing_on(is_bad)
    patch.setattr(driver_module, "turn", failing)
    patch.setattr(salvage_module, "turn", failing)


def is_arrival_of(*positions: int) -> Callable[[Input], bool]:
    """Make a question: is it an event at one of these positions of the log?"""
    return lambda given: isinstance(given, Arrived) and given.position in positions


def run(entries: list[Entry], *, cut: Random, clock: int) -> MemoryStore:
    """Run entries in random batches with ticks between them, up to an instant."""
    store, waiting = MemoryStore(), list(entries)
    driver = Driver(MemoryLog(), store, CATALOGUE, cache=cut.choice((0, 2, 100)))
    while waiting:
        n_taken = cut.randrange(1, 12)
        batch, waiting = waiting[:n_taken], waiting[n_taken:]
        driver.settle(batch, until=batch[-1].at)
        if waiting and cut.random() < 0.5:
            driver.settle((), until=cut.randint(batch[-1].at, waiting[0].at))
    driver.settle((), until=clock)
    return store


@settings(max_examples=tries(40), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 2**32), st.sets(st.integers(1, 50), max_size=6))
def test_what_the_engine_fails_on_is_as_if_it_had_not_come(seed: int, bad: set[int]) -> None:
    """However the log is cut: the oracle is the same history without those entries."""
    entries = history(Random(seed), n_events=50)
    clock = entries[-1].at + 600 * MINUTE
    without = [entry for entry in entries if entry.position not in bad]
    expected = run(without, cut=Random(1), clock=clock)
    with pytest.MonkeyPatch.context() as patch, capture_logs():
        plant(patch, is_arrival_of(*bad))
        assert kept(run(entries, cut=Random(seed), clock=clock)) == kept(expected)


def test_its_event_is_kept_as_failed_with_the_cause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that was acknowledged is lost, and whoever mends the bug finds where."""
    log = MemoryLog(floor=T0)
    entries = log.append([event("Started", user_id="ann", message_id="m1")], now=T0).entries
    plant(monkeypatch, is_arrival_of(1))
    with capture_logs():
        Driver(log, MemoryStore(), compiled(NUDGE)).take(entries)
    (failed,) = log.failed()
    assert (failed.code, failed.source, failed.message_id) == ("engine-error", "web", "m1")
    assert failed.reason.startswith("the engine failed on it: PlantedError in failing (test_salvage.py:")
    assert msgspec.json.decode(failed.body)["name"] == "Started"


def test_a_bug_is_told_once_and_counted_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand lines that say the same hide the one that says something else."""
    log = MemoryLog(floor=T0)
    entries = log.append(
        [event("Started", user_id=str(n), message_id=str(n)) for n in range(5)], now=T0
    ).entries
    plant(monkeypatch, lambda given: True)
    driver = Driver(log, MemoryStore(), compiled(NUDGE))
    with capture_logs() as logs:
        driver.take(entries)
    assert driver.failures.n_noted == 5
    assert [(line["log_level"], line["event"]) for line in logs] == [
        ("error", "the engine failed, by a bug of ours")
    ]


def test_what_cannot_be_stored_is_a_failure_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """A state that no bytes can hold must not stop the house at its commit."""
    log = MemoryLog(floor=T0)
    names = ("good", "bad", "good too")
    events = [event("Started", user_id="ann", message_id=name) for name in names]
    entries = log.append(events, now=T0).entries

    def unspeakable(stage: Any, key: str, state: Any, inputs: Sequence[Input], **rest: Any) -> Result:
        result = turn(stage, key, state, inputs, **rest)
        if any(isinstance(given, Arrived) and given.event.message_id == "bad" for given in inputs):
            result.state.n_events = 1 << 80
        return result

    monkeypatch.setattr(driver_module, "turn", unspeakable)
    monkeypatch.setattr(salvage_module, "turn", unspeakable)
    store = MemoryStore()
    with capture_logs():
        Driver(log, store, compiled(NUDGE)).take(entries)
    assert [failed.message_id for failed in log.failed()] == ["bad"]
    assert store.counts()["profiles"] == 1


def test_memory_that_ran_out_is_nobody_s_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same input goes through after a restart, so it must not be left out."""

    def starving(*arguments: Any, **rest: Any) -> Result:
        raise MemoryError

    monkeypatch.setattr(driver_module, "turn", starving)
    log = MemoryLog(floor=T0)
    entries = log.append([event("Started", user_id="ann")], now=T0).entries
    driver = Driver(log, MemoryStore(), compiled(NUDGE))
    with pytest.raises(MemoryError):
        driver.take(entries)


class TestATimerThatFails:
    """A timer is nobody's event: it waits, and what is mended finds it."""

    def plant(self, patch: pytest.MonkeyPatch, who: str) -> None:
        """Let every timer of one person fail."""
        fire = statechart.fire

        def failing(chart: Any, machine: Any, scope: Any, **rest: Any) -> Any:
            if scope.profile["user_id"] == who:
                raise PlantedError("planted")
            return fire(chart, machine, scope, **rest)

        patch.setattr(statechart, "fire", failing)

    def test_stops_nobody_else(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Everybody else's timers of the same instant fire."""
        world = World(NUDGE)
        for who in ("ann", "bob", "cat"):
            world.when("Started", who)
        self.plant(monkeypatch, "bob")
        with capture_logs():
            world.after(30)
        assert sorted(body["who"] for _, body in world.sent()) == ["ann", "cat"]

    def test_is_tried_again_and_fires_at_the_instant_it_was_due(self) -> None:
        """The release that mends the bug needs no help to find the people it hurt."""
        world = World(NUDGE)
        world.when("Started", "bob")
        with pytest.MonkeyPatch.context() as patch, capture_logs():
            self.plant(patch, "bob")
            world.after(30)
        assert world.states("bob") == [["waiting"]]
        world.after(STUCK_MS / MINUTE)
        (action,) = world.actions()
        assert action.at == T0 + 30 * MINUTE

    def test_fails_what_comes_after_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Nothing may overtake it (law 3), so it is kept as failed and the order stays true."""
        world = World(NUDGE)
        world.when("Started", "bob")
        self.plant(monkeypatch, "bob")
        with capture_logs():
            world.after(31)
            world.when("Seen", "bob")
        assert [failed.code for failed in world.log.failed()] == ["engine-error"]
        assert world.states("bob") == [["waiting"]]


def test_a_state_that_is_not_stored_yet_is_not_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """The live runtime works on a batch while the one before it is being written."""
    log, store = MemoryLog(floor=T0), MemoryStore()
    events = [event("Seen", user_id="ann", message_id=str(number)) for number in range(3)]
    entries = log.append(events, now=T0).entries
    plant(monkeypatch, is_arrival_of(2))
    driver = Driver(log, store, compiled(NUDGE))
    with capture_logs():
        commits = [driver.process(entries[:1], until=T0), driver.process(entries[1:], until=T0)]
    for commit in commits:
        assert commit is not None
        store.commit(commit)
    profile = find_profile(store, "ann")
    assert profile is not None
    assert profile.n_events == 2
