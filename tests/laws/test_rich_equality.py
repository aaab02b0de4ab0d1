"""Live = replay = partitioned, with segments, schedules, groups, calls and late goals in force."""

from __future__ import annotations

from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.engine import calls, enrolments, goals
from sojourn.engine import entries as entry_room
from tests.laws.catalogues import rich_catalogue, rich_history
from tests.laws.runtimes import partitioned, sequential
from tests.laws.test_equality import end_of, live, same
from tests.soak import tries

CATALOGUE = rich_catalogue()
seeds = st.integers(0, 2**32)
lengths = st.integers(0, 60)


@settings(max_examples=tries(50), deadline=None)
@given(seeds, lengths)
def test_live_is_replay(seed: int, n_events: int) -> None:
    """However inputs are cut into batches, whenever the clock ticks, and across restarts: the same facts."""
    random = Random(seed)
    entries = rich_history(random, n_events=n_events)
    same(live(entries, random, CATALOGUE), sequential(entries, CATALOGUE, until=end_of(entries)))


@settings(max_examples=tries(50), deadline=None)
@given(seeds, lengths, st.integers(1, 4))
def test_partitioned_is_replay(seed: int, n_events: int, n_partitions: int) -> None:
    """On any number of partitions, in any interleaving under a strict watermark: the same facts."""
    random = Random(seed)
    entries = rich_history(random, n_events=n_events)
    until = end_of(entries)
    found = partitioned(entries, CATALOGUE, until=until, n_partitions=n_partitions, random=random)
    same(found, sequential(entries, CATALOGUE, until=until))


@settings(max_examples=tries(30), deadline=None)
@given(seeds, st.integers(20, 60))
def test_bounds_are_met_alike_by_every_runtime(seed: int, n_events: int) -> None:
    """What is refused or forgotten at a bound is a function of the log, too: here all bounds are near."""
    random = Random(seed)
    entries = rich_history(random, n_events=n_events)
    until = end_of(entries)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(entry_room, "MAX_ENROLMENTS", 3)
        patch.setattr(entry_room, "MAX_EXITS", 1)
        patch.setattr(enrolments, "MAX_EXITS", 1)
        patch.setattr(goals, "MAX_FINISHED", 2)
        patch.setattr(goals, "MAX_FINISHED_BYTES", 60)
        patch.setattr(calls, "MAX_CALLS", 1)
        patch.setattr(calls, "MAX_CALL_DEPTH", 1)
        expected = sequential(entries, CATALOGUE, until=until)
        same(live(entries, random, CATALOGUE), expected)
        same(partitioned(entries, CATALOGUE, until=until, n_partitions=3, random=random), expected)


def test_histories_reach_what_they_are_meant_to_reach() -> None:
    """A law over histories in which nothing happens holds for nothing."""
    seen: set[tuple[str, str]] = set()
    for seed in range(60):
        entries = rich_history(Random(seed), n_events=60)
        for raw in sequential(entries, CATALOGUE, until=end_of(entries)).facts:
            fact = msgspec.json.decode(raw)
            seen |= {(fact["type"], str(fact.get(field, ""))) for field in ("reason", "journey", "segment")}
            seen |= {(fact["type"], field) for field in ("parent", "after_exit") if fact.get(field)}
    assert seen >= {
        ("segment_entered", "busy"), ("segment_left", "busy"), ("segment_entered", "waning"),
        ("segment_left", "waning"), ("segment_entered", "target"), ("segment_left", "recent"),
        ("entered", "busy-help"), ("entered", "digest"), ("entered", "weekly"), ("entered", "child"),
        ("entered", "parent"), ("goal", "after_exit"), ("not_entered", "cooldown"),
        ("not_entered", "excluded"), ("not_entered", "already-in"), ("exited", "preempted"),
        ("exited", "parent"),
        ("exited", "exit"),
        ("exited", "merged"),
    }  # fmt: skip
