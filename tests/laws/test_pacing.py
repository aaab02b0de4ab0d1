"""The laws with a policy in force: consent, caps, quiet hours and hold-outs are functions of the log, too."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.engine import consent, deferred, pacing
from tests.laws.paced import paced_catalogue, paced_history
from tests.laws.runtimes import Outcome, partitioned, sequential
from tests.laws.test_equality import end_of, live, same
from tests.laws.test_facts import lives
from tests.soak import tries

CATALOGUE = paced_catalogue()
seeds = st.integers(0, 2**32)
lengths = st.integers(0, 60)


def outcome_of(seed: int) -> Outcome:
    """Run one random history."""
    entries = paced_history(Random(seed), n_events=60)
    return sequential(entries, CATALOGUE, until=end_of(entries))


def told(outcome: Outcome) -> list[dict[str, Any]]:
    """Return the facts as whoever reads them from the lake sees them."""
    return [msgspec.json.decode(fact) for fact in outcome.facts]


@settings(max_examples=tries(50), deadline=None)
@given(seeds, lengths)
def test_live_is_replay_under_a_policy(seed: int, n_events: int) -> None:
    """What is put off, capped or kept back does not depend on when somebody looked."""
    random = Random(seed)
    entries = paced_history(random, n_events=n_events)
    expected = sequential(entries, CATALOGUE, until=end_of(entries))
    same(live(entries, random, CATALOGUE), expected)


@settings(max_examples=tries(50), deadline=None)
@given(seeds, lengths, st.integers(1, 4))
def test_partitioned_is_replay_under_a_policy(seed: int, n_events: int, n_partitions: int) -> None:
    """Nor on how people are spread over machines."""
    random = Random(seed)
    entries = paced_history(random, n_events=n_events)
    until = end_of(entries)
    found = partitioned(entries, CATALOGUE, until=until, n_partitions=n_partitions, random=random)
    same(found, sequential(entries, CATALOGUE, until=until))


@settings(max_examples=tries(30), deadline=None)
@given(seeds)
def test_the_bounds_of_pacing_are_met_alike_by_every_runtime(seed: int) -> None:
    """Here they are near."""
    random = Random(seed)
    entries = paced_history(random, n_events=50)
    until = end_of(entries)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(consent, "MAX_SCOPES", 1)
        patch.setattr(deferred, "MAX_DEFERRED", 2)
        patch.setattr(pacing, "MAX_SENT", 2)
        expected = sequential(entries, CATALOGUE, until=until)
        same(live(entries, random, CATALOGUE), expected)
        same(
            partitioned(entries, CATALOGUE, until=until, n_partitions=3, random=random),
            expected,
        )


@settings(max_examples=tries(50), deadline=None)
@given(seeds)
def test_every_action_put_off_is_decided_or_still_waits(seed: int) -> None:
    """None gets lost overnight, and none is decided twice."""
    outcome = outcome_of(seed)
    facts = told(outcome)
    put_off = {fact["action_id"] for fact in facts if fact["type"] == "action_deferred"}
    decided = Counter(fact["action_id"] for fact in facts if fact["type"] in ("action", "action_withheld"))
    waiting = {one.action_id for life in lives(outcome) if life.pacing for one in life.pacing.deferred}
    assert max(decided.values(), default=1) == 1
    assert put_off - decided.keys() == waiting
    assert not waiting & decided.keys()


def test_histories_under_a_policy_reach_every_reason() -> None:
    """A law over histories in which nothing happens holds for nothing."""
    reasons: Counter[str] = Counter()
    for seed in range(60):
        for fact in told(outcome_of(seed)):
            reasons[fact["type"]] += 1
            if fact["type"] == "action_withheld":
                detail = fact.get("detail", "")
                reasons[f"{fact['reason']} {detail}" if fact["reason"] == "held-out" else fact["reason"]] += 1
    expected = {
        "action", "action_deferred", "consent", "held-out global", "held-out journey",
        "held-out channel email", "history", "cap", "quiet-hours", "left", "expired",
    }  # fmt: skip
    assert expected <= {reason for reason, n in reasons.items() if n > 4}
