"""The laws are worth something only where a mistake breaks them: each planted here is found."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from msgspec.structs import replace

from sojourn.engine import due, identity, profile, sessions
from sojourn.model.event import Entry
from sojourn.model.turn import Aliased
from sojourn.runtime import driver
from tests.laws.histories import MINUTE, T0, catalogue, history
from tests.laws.runtimes import partitioned, sequential
from tests.laws.test_equality import live

CATALOGUE = catalogue()
MAX_SEEDS = 100


def is_broken(run: Callable[[list[Entry], Random], Any]) -> bool:
    """Look for a history in which a runtime and the sequential one differ, or an assert of ours fails."""
    for seed in range(MAX_SEEDS):
        random = Random(seed)
        entries = history(random, n_events=60)
        until = entries[-1].at + 600 * MINUTE
        try:
            if run(entries, random) != sequential(entries, CATALOGUE, until=until):
                return True
        except AssertionError:
            return True
    return False


def on_partitions(entries: list[Entry], random: Random) -> Any:
    """Run on three partitions."""
    until = entries[-1].at + 600 * MINUTE
    return partitioned(entries, CATALOGUE, until=until, n_partitions=3, random=random)


def test_nothing_is_broken_without_a_mistake() -> None:
    """The search itself finds nothing where there is nothing."""
    assert not is_broken(live)
    assert not is_broken(on_partitions)


def test_a_timer_stamped_by_whoever_looks_at_the_clock_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Law 3: a timer fires at the instant it was due, whenever somebody comes to look."""

    def fire_now(life: Any, until: int, ledger: Any) -> bool:
        n_facts = len(ledger.facts)
        has_fired = fire(life, until, ledger)
        ledger.facts[n_facts:] = [replace(fact, at=until) for fact in ledger.facts[n_facts:]]
        return has_fired

    fire = due.fire_due
    monkeypatch.setattr(due, "fire_due", fire_now)
    assert is_broken(live)


def test_inputs_of_two_devices_out_of_order_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """One person's devices are put into the log's order before the person lives through them."""
    monkeypatch.setattr(driver, "_place", lambda given: 0)
    assert is_broken(live)


def test_an_alias_that_reaches_back_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Law 4: what is said later must not change where an earlier event went."""
    pointed: dict[str, str | None] = {}

    def point(pointer: Any, user_id: str, given: Any, ledger: Any) -> bool:
        if isinstance(given, Aliased):
            pointed[user_id] = given.user_id
        pointer.to = pointed.get(user_id)  # shared by all partitions, and ahead of some
        return original(pointer, user_id, given, ledger)

    original = identity.point
    monkeypatch.setattr(identity, "point", point)
    assert is_broken(on_partitions)


def test_a_life_that_is_left_behind_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistake that every runtime makes alike breaks no equality: stories and oracles are for those."""
    monkeypatch.setattr(profile, "merge", lambda life, other, ledger: None)
    assert not is_broken(on_partitions)


def test_an_id_drawn_at_random_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Law 6: ids are derived from causes, never drawn."""
    monkeypatch.setattr(sessions, "_gap_id", lambda first_id: f"s{Random().random()}")
    assert is_broken(on_partitions)


def test_histories_begin_where_they_should() -> None:
    """A history drawn twice is the same history: a failing seed can be run again."""
    assert history(Random(3), n_events=9) == history(Random(3), n_events=9)
    assert history(Random(3), n_events=9)[0].at >= T0
