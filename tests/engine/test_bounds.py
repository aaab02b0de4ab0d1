"""Bounds of an hour: counted as somebody would who remembers every action, and told once."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import pytest

from sojourn.engine import bounds
from sojourn.engine.bounds import MAX_ACTIONS, merge_ticks, tick
from sojourn.engine.state import Memory, decode, encode
from sojourn.engine.turn import turn
from sojourn.model.fact import ActionDecided, ActionWithheld, JourneyError
from sojourn.model.turn import Arrived
from tests.engine.makers import MINUTE, T0, catalogue, event

HOUR = 60 * MINUTE

BUSY = """
journey: busy
entry: { on: Begun, key: properties.key }
holdout: off
states:
  acting:
    do: [ { webhook: shop, body: {} } ]
    on: { Asked: acting }
    after: { 7m: acting }
"""
CATALOGUE = catalogue(BUSY)


def lived(seed: int) -> list[Any]:
    """Let one person, in the journey for two keys, live a random while, in turns cut at random."""
    random = Random(seed)
    at = T0 + random.randrange(HOUR)
    state, facts = None, []
    for position in range(1, random.randrange(2, 90)):
        at += random.choice((0, 1, 1_000, MINUTE, 40 * MINUTE, 70 * MINUTE))
        made = event(
            random.choice(("Begun", "Asked")), user_id="ann", properties={"key": random.randrange(2)}
        )
        inputs = [Arrived(at, position, made)] if random.random() < 0.9 else []
        result = turn("profile", "ann", state, inputs, until=at, catalogue=CATALOGUE)
        facts += result.facts
        state = decode("profile", encode(result.state)) if random.random() < 0.3 else result.state
    return facts


def counted(facts: list[Any], most: int) -> list[tuple[bool, int]]:
    """Say of each action whether it is sent, and of each hour how often its bound is told: the naive way."""
    n_wanted: Counter[tuple[str, int]] = Counter()
    found = []
    for fact in facts:
        if isinstance(fact, ActionDecided | ActionWithheld):
            place = (fact.enrolment_id, fact.at // HOUR)
            n_wanted[place] += 1
            found.append((n_wanted[place] <= most, int(n_wanted[place] == most + 1)))
    return found


@pytest.mark.parametrize("seed", range(150))
def test_actions_are_counted_as_somebody_would_who_remembers_everything(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of each enrolment and hour the first few are sent; the first one too many is told as an error."""
    most = 1 + seed % 6
    monkeypatch.setattr(bounds, "MAX_ACTIONS", most)
    found: list[tuple[bool, int]] = []
    facts = lived(seed)
    for fact, before in zip(facts, [None, *facts], strict=False):
        if isinstance(fact, ActionDecided | ActionWithheld):
            found.append((isinstance(fact, ActionDecided), int(isinstance(before, JourneyError))))
    assert found == counted(facts, most)
    assert sum(isinstance(fact, JourneyError) for fact in facts) == sum(n_told for _, n_told in found)


def test_lives_meet_the_bound_and_go_on_after_it() -> None:
    """An oracle over lives in which nothing is withheld, or all of it, tells nothing."""
    sent = Counter(is_sent for seed in range(150) for is_sent, _ in counted(lived(seed), 1 + seed % 6))
    assert min(sent[True], sent[False]) > 500


def test_the_bound_says_what_it_is_and_what_to_do() -> None:
    """Whoever reads the person's story is not to have to read our code."""
    state, facts = None, []
    names = ["Begun", *["Asked"] * (MAX_ACTIONS + 5)]
    for position, name in enumerate(names, start=1):
        made = event(name, user_id="ann", properties={"key": 1})
        arrived = [Arrived(T0, position, made)]
        result = turn("profile", "ann", state, arrived, until=T0, catalogue=CATALOGUE)
        state, facts = result.state, facts + result.facts
    assert sum(isinstance(fact, ActionDecided) for fact in facts) == MAX_ACTIONS
    withheld = {(fact.reason, fact.detail) for fact in facts if isinstance(fact, ActionWithheld)}
    assert withheld == {("bound", "100 in this hour already")}
    assert [fact.detail for fact in facts if isinstance(fact, JourneyError)] == [
        "acting: more than 100 actions and calls in an hour; no more until the next one."
        " Does it answer its own outcomes? Give it a time or a condition [action-limit]"
    ]


@pytest.mark.parametrize("seed", range(100))
def test_two_lives_that_become_one_count_what_both_counted(seed: int) -> None:
    """In the later of their hours; what an earlier one held is over."""
    random = Random(seed)
    lives: list[list[int]] = [[random.randrange(3 * HOUR) for _ in range(random.randrange(9))] for _ in "ab"]
    one, other = Memory(), Memory()
    for memory, instants in zip((one, other), lives, strict=True):
        for instant in sorted(instants):
            tick(memory, T0 + instant)
    merge_ticks(one, other)
    last = T0 + max([instant for each in lives for instant in each], default=0)
    hour = last // HOUR
    n_before = sum((T0 + instant) // HOUR == hour for each in lives for instant in each)
    assert tick(one, last) == n_before + 1
