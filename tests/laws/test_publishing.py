"""Live = replay = partitioned, over publishings, pauses and stops too."""

from __future__ import annotations

from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from sojourn.adapters.memory import MemoryLog, MemoryStore
from sojourn.definitions import publishing
from sojourn.definitions.compile import compile_journey
from sojourn.definitions.controls import Change, Publishing, control_event
from sojourn.definitions.journey import Catalogue
from sojourn.definitions.publishing import InForce, Version, catalogue_of
from sojourn.engine import due, migrating
from sojourn.model.event import Entry
from sojourn.runtime import sweeping
from sojourn.runtime.controls import kept_in_force
from sojourn.runtime.driver import Driver
from tests.laws.histories import MINUTE, ONCE, PATHS, PATIENT, RESCUE, history
from tests.laws.runtimes import Outcome, partitioned, sequential
from tests.laws.test_equality import end_of, outcome_of, same

EDITS: list[tuple[str, dict[str, str]]] = [
    (RESCUE, {"postponed": "waiting"}),
    (RESCUE.replace("after: { 30m: deciding }", "after: { 10m: deciding }"), {}),
    (RESCUE.replace("waiting", "postponed"), {"waiting": "postponed"}),
    (RESCUE.replace("after: { 1h: done }", "after: { 2h: waiting }"), {"assisted": "deciding"}),
    (PATHS, {}),
    (PATHS.replace("after: { 3h: done }", "after: { 1h: done }"), {}),
    (PATHS.replace("after: { 40m: idle }", "after: { 4m: idle }"), {"deep": "bought", "shallow": "browsing"}),
    (ONCE.replace("10m: told", "30m: told"), {}),
    (PATIENT.replace("after: { 3h: done }", "after: { 1h: resting }"), {"thanked": "done"}),
]
seeds = st.integers(0, 2**32)
lengths = st.integers(0, 60)


def first() -> InForce:
    """What is in force before the first control."""
    compiled = [compile_journey(text) for text in (RESCUE, PATHS, ONCE, PATIENT)]
    return InForce(
        current={one.name: one.version for one in compiled},
        versions=[Version(journey=one.name, version=one.version, text=one.text) for one in compiled],
        ranks={"Viewed": 0, "Checkout Started": 1, "Shipping": 2, "Order Completed": 3},
        session_gap_ms=20 * MINUTE,
    )


FIRST = first()
CATALOGUE, _ = catalogue_of(FIRST)
COMPILED = {text: compile_journey(text) for text, _ in EDITS}


def with_controls(random: Random, entries: list[Entry]) -> list[Entry]:
    """Put controls in the place of some entries."""
    return [
        replace(entry, event=control(random, entry), is_history=False, is_shadow=False)
        if random.random() < 0.12
        else entry
        for entry in entries
    ]


def control(random: Random, entry: Entry) -> Any:
    """Draw one: mostly a publishing, some pauses, and now and then all stands still."""
    dice = random.random()
    name, payload = "$publish", published(random, entry)
    if dice < 0.3:
        name, payload = random.choice(("$pause", "$resume", "$resume")), {"journey": random.choice(JOURNEYS)}
    elif dice < 0.45:
        name, payload = random.choice(("$stop", "$release", "$release")), {}
    return control_event(name, payload, after=entry.position, now=entry.at)


JOURNEYS = ("rescue", "paths", "once", "patient")


RANKS = (None, {}, {"Order Completed": 0, "Shipping": 1, "Viewed": 2})


def published(random: Random, entry: Entry) -> Publishing:
    """Draw an edit of one journey and what becomes of the people inside; settings by its place in the log."""
    text, states = random.choice(EDITS)
    journey = COMPILED[text]
    policy = random.choice(("pin", "follow", "map", "map"))
    return Publishing(
        changes=[
            Change(
                journey=journey.name,
                version=journey.version,
                text=text,
                policy=policy,  # type: ignore[arg-type]
                states=states if policy == "map" else {},
            )
        ],
        removed=["once"] if random.random() < 0.1 else [],
        ranks=RANKS[entry.at % 3],
        session_gap_ms=(None, 5 * MINUTE, 60 * MINUTE, None)[entry.position % 4],
    )


def live(entries: list[Entry], random: Random, before: InForce = FIRST) -> Outcome:
    """Run the driver in random batches, with clock ticks and restarts, also in the middle of a sweep."""
    log, store = MemoryLog(), MemoryStore()
    driver = restarted(log, store, before)
    waiting = list(entries)
    while waiting:
        n_taken = random.randrange(1, 12)
        batch, waiting = waiting[:n_taken], waiting[n_taken:]
        driver.settle(batch, until=batch[-1].at)
        if random.random() < 0.5:
            ceiling = waiting[0].at if waiting else end_of(entries)
            driver.settle([], until=random.randint(batch[-1].at, ceiling))
        if random.random() < 0.2:
            driver = restarted(log, store, before)
    driver.settle([], until=end_of(entries))
    driver.finish_sweep()
    return outcome_of(store)


def restarted(log: MemoryLog, store: MemoryStore, before: InForce = FIRST) -> Driver:
    """Open the store as a start does."""
    in_force = kept_in_force(store) or before
    catalogue, _ = catalogue_of(in_force)
    return Driver(log, store, catalogue, in_force=in_force, cache=0)


def drawn(seed: int, n_events: int) -> tuple[Random, list[Entry]]:
    """Draw a history with controls in it."""
    random = Random(seed)
    return random, with_controls(random, history(random, n_events=n_events))


@settings(max_examples=120, deadline=None)
@given(seeds, lengths, st.sampled_from((1, 2, 512)))
def test_live_is_replay_over_controls(seed: int, n_events: int, n_slice: int) -> None:
    """Whenever the sweep comes to somebody, and whatever stops it halfway: the same facts."""
    random, entries = drawn(seed, n_events)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sweeping.Sweep.take, "__defaults__", (n_slice,))
        patch.setattr(sweeping, "PAGE", n_slice * 2)
        found = live(entries, random)
    same(found, sequential(entries, CATALOGUE, until=end_of(entries), in_force=FIRST))


@settings(max_examples=120, deadline=None)
@given(seeds, lengths, st.integers(1, 3))
def test_partitioned_is_replay_over_controls(seed: int, n_events: int, n_partitions: int) -> None:
    """Each partition hears of a control at its position, at its own pace, and sweeps as it likes."""
    random, entries = drawn(seed, n_events)
    until = end_of(entries)
    found = partitioned(
        entries, CATALOGUE, until=until, n_partitions=n_partitions, random=random, in_force=FIRST
    )
    same(found, sequential(entries, CATALOGUE, until=until, in_force=FIRST))


@settings(max_examples=60, deadline=None)
@given(seeds, st.integers(30, 60))
def test_what_is_forgotten_is_forgotten_alike(seed: int, n_events: int) -> None:
    """At the bounds of what is kept a change waits until everybody was asked about the one before it."""
    random, entries = drawn(seed, n_events)
    until = end_of(entries)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(publishing, "MAX_OLDER", 1)
        patch.setattr(publishing, "MAX_HOLDS", 1)
        patch.setattr(publishing, "MAX_MIGRATIONS", 2)
        patch.setattr(sweeping.Sweep.take, "__defaults__", (1,))
        expected = sequential(entries, CATALOGUE, until=until, in_force=FIRST)
        same(live(entries, random), expected)
        found = partitioned(entries, CATALOGUE, until=until, n_partitions=2, random=random, in_force=FIRST)
        same(found, expected)


def test_a_replay_from_the_start_comes_to_the_same_definitions() -> None:
    """What is in force is a function of the log."""
    for seed in range(20):
        _, entries = drawn(seed, 60)
        log, store, other = MemoryLog(), MemoryStore(), MemoryStore()
        restarted(log, other).settle(entries, until=end_of(entries))
        for entry in entries:
            restarted(log, store).settle([entry], until=entry.at)
        assert kept_in_force(store) == kept_in_force(other)


def test_histories_with_controls_reach_what_they_are_meant_to_reach() -> None:
    """A law over publishings in which nobody moves holds for nothing."""
    found: dict[str, int] = {}
    for seed in range(60):
        _, entries = drawn(seed, 60)
        outcome = sequential(entries, CATALOGUE, until=end_of(entries), in_force=FIRST)
        for raw in outcome.facts:
            fact = msgspec.json.decode(raw)
            kind = fact["type"] + (f" {fact['reason']}" if fact["type"] == "not_entered" else "")
            found[kind] = found.get(kind, 0) + 1
    assert found["migrated"] > 50
    assert found["not_entered paused"] > 50


def is_broken(catalogue: Catalogue) -> bool:
    """Look for a history in which live and replay differ."""
    for seed in range(60):
        random, entries = drawn(seed, 60)
        expected = sequential(entries, catalogue, until=end_of(entries), in_force=FIRST)
        if live(entries, random) != expected:
            return True
    return False


def test_a_migration_dated_by_the_sweep_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """It happens at the publishing's instant, whenever somebody comes to do it."""
    assert not is_broken(CATALOGUE)
    original = due.migrate

    def late(life: Any, enrolment: Any, ledger: Any) -> None:
        ledger.at += len(ledger.facts)  # what else the turn does tells when it came
        original(life, enrolment, ledger)

    monkeypatch.setattr(due, "migrate", late)
    monkeypatch.setattr(migrating, "migrate", late)
    assert is_broken(CATALOGUE)
