"""What facts tell is what states hold: whoever reads only facts comes to the same people."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.engine.state import Life, Tie, decode
from tests.laws.histories import catalogue, history
from tests.laws.runtimes import Outcome, sequential
from tests.laws.test_equality import end_of
from tests.soak import tries

CATALOGUE = catalogue()
seeds = st.integers(0, 2**32)


def told(outcome: Outcome) -> list[dict[str, Any]]:
    """Return the facts as whoever reads them from the lake sees them."""
    return [msgspec.json.decode(fact) for fact in outcome.facts]


def lives(outcome: Outcome) -> list[Life]:
    """Return everybody, named or not."""
    found = []
    for (stage, key), raw in outcome.states.items():
        state = decode(stage, raw) if stage != "alias" else None  # type: ignore[arg-type]
        life = state.life if isinstance(state, Tie) else state
        if isinstance(life, Life):
            found.append(life)
        assert key
    return found


def outcome_of(seed: int) -> Outcome:
    """Run one random history."""
    entries = history(Random(seed), n_events=60)
    return sequential(entries, CATALOGUE, until=end_of(entries))


@settings(max_examples=tries(50), deadline=None)
@given(seeds)
def test_who_entered_and_did_not_leave_is_inside(seed: int) -> None:
    """Nobody gets lost, and nobody leaves twice."""
    outcome = outcome_of(seed)
    facts = told(outcome)
    entered = Counter(fact["enrolment_id"] for fact in facts if fact["type"] == "entered")
    left = Counter(fact["enrolment_id"] for fact in facts if fact["type"] == "exited")
    inside = Counter(enrolment.id for life in lives(outcome) for enrolment in life.enrolments)
    assert max([*entered.values(), *left.values(), 0]) <= 1
    assert entered - left == inside
    assert not left - entered


@settings(max_examples=tries(50), deadline=None)
@given(seeds)
def test_every_visit_told_is_kept_or_told_to_be_over_or_replaced(seed: int) -> None:
    """Whoever counts visits from facts counts those that there were."""
    outcome = outcome_of(seed)
    facts = told(outcome)
    begun = {fact["session_id"] for fact in facts if fact["type"] in ("session_started", "session_revised")}
    over = {fact["session_id"] for fact in facts if fact["type"] == "session_ended"}
    over |= {old for fact in facts if fact["type"] == "session_revised" for old in fact["replaces"]}
    kept = {session.id for life in lives(outcome) for session in life.sessions}
    assert kept <= begun
    assert begun - over <= kept


@settings(max_examples=tries(50), deadline=None)
@given(seeds)
def test_every_action_is_told(seed: int) -> None:
    """What the outbox holds is what facts say was decided, each once."""
    outcome = outcome_of(seed)
    decided = Counter(fact["action_id"] for fact in told(outcome) if fact["type"] == "action")
    assert decided == Counter(msgspec.json.decode(action)["id"] for action in outcome.actions)
    assert max(decided.values(), default=1) == 1
