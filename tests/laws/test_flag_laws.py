"""Flags and experiments: live = replay = partitioned, each exposure told once, a mistake that is found."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.engine import experiments
from sojourn.model.event import Entry
from tests.laws.flagged import flagged_catalogue, flagged_history
from tests.laws.runtimes import partitioned, sequential
from tests.laws.test_equality import end_of, live, same
from tests.soak import tries

CATALOGUE = flagged_catalogue()
seeds = st.integers(0, 2**32)


def on_partitions(entries: list[Entry], random: Random) -> Any:
    """Run on three partitions."""
    return partitioned(entries, CATALOGUE, until=end_of(entries), n_partitions=3, random=random)


@settings(max_examples=tries(30), deadline=None)
@given(seeds, st.integers(0, 60))
def test_live_and_partitioned_are_replay(seed: int, n_events: int) -> None:
    """Who met what first, also where two lives become one, is the log's to say."""
    random = Random(seed)
    entries = flagged_history(random, n_events=n_events)
    expected = sequential(entries, CATALOGUE, until=end_of(entries))
    same(live(entries, random, CATALOGUE), expected)
    same(on_partitions(entries, random), expected)


@settings(max_examples=tries(30), deadline=None)
@given(seeds)
def test_an_exposure_a_reward_and_a_conflict_are_told_once(seed: int) -> None:
    """Whoever counts people counts facts; and what rewards was met before, as the variant that stays."""
    entries = flagged_history(Random(seed), n_events=60)
    facts = [msgspec.json.decode(raw) for raw in sequential(entries, CATALOGUE, until=end_of(entries)).facts]
    for kind in ("exposed", "assignment_conflict"):
        told = Counter((fact["profile_id"], fact["experiment"]) for fact in facts if fact["type"] == kind)
        assert max(told.values(), default=1) == 1, kind
    met = {  # two people may meet a variant at one instant
        (fact["experiment"], fact["variant"], fact["at"], fact.get("context", "")): fact
        for fact in facts
        if fact["type"] == "exposed"
    }
    for fact in facts:
        if fact["type"] == "rewarded":
            exposure = met[fact["experiment"], fact["variant"], fact["exposed_at"], fact.get("context", "")]
            assert exposure["allocation"] == "adaptive"


def test_propensities_are_those_in_force() -> None:
    """What is told of a split inside a journey is what was learnt of its cell, or what is defined."""
    known = {"true": [0.2, 0.8], "false": [0.9, 0.1]}
    found: set[tuple[str, float]] = set()
    for seed in range(30):
        entries = flagged_history(Random(seed), n_events=60)
        for raw in sequential(entries, CATALOGUE, until=end_of(entries)).facts:
            fact = msgspec.json.decode(raw)
            if fact["type"] == "exposed" and fact["experiment"] == "tuned":
                weights = known.get(fact["context"], [2 / 3, 1 / 3])
                assert list(fact["eligible"].values()) == weights
                assert fact["propensity"] == fact["eligible"][fact["variant"]]
                found.add((fact["context"], fact["propensity"]))
    assert {context for context, _ in found} == {"true", "false"}


def test_histories_reach_what_flags_can_come_to() -> None:
    """Else the laws would hold for nothing."""
    told: Counter[str] = Counter()
    for seed in range(30):
        entries = flagged_history(Random(seed), n_events=60)
        for raw in sequential(entries, CATALOGUE, until=end_of(entries)).facts:
            fact = msgspec.json.decode(raw)
            told[fact["type"]] += 1
            told[fact.get("holdouts", "")] += 1
            told[fact.get("flag", "")] += fact["type"] == "exposed"
    wanted = ("exposed", "rewarded", "assignment_conflict", "node", "button", "price.shown")
    assert min(told[one] for one in wanted) > 2, told


def is_broken(run: Any) -> bool:
    """Look for a history in which a runtime and the sequential one differ."""
    for seed in range(60):
        random = Random(seed)
        entries = flagged_history(random, n_events=60)
        if run(entries, random) != sequential(entries, CATALOGUE, until=end_of(entries)):
            return True
    return False


def test_weights_that_a_turn_reads_from_what_was_counted_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """What others did is no part of a turn: only what came into force by the log is."""
    assert not is_broken(on_partitions)
    counted: Counter[str] = Counter()

    def weights_now(experiment: Any, cell: str, learnt: Any) -> Any:
        counted[experiment.id] += 1
        return [1.0, 0.0] if counted[experiment.id] % 3 else [0.0, 1.0]

    monkeypatch.setattr(experiments, "weights_now", weights_now)
    assert is_broken(on_partitions)
