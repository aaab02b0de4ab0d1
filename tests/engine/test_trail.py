"""The trail: signals found step by step are those that whoever looks at the whole visit finds."""

from __future__ import annotations

from random import Random

import pytest

from sojourn.definitions.friction_rules import FrictionRules
from sojourn.engine.trail import MAX_STEPS, Trail, is_a_step, walk

RULES = FrictionRules()
RANKS = {"a": 0, "b": 1, "c": 2, "d": 3}
Step = tuple[str, int]


def walked(steps: list[Step], trail: Trail | None = None) -> list[list[str]]:
    """Walk; return the signals of each step that led on."""
    trail = trail or Trail()
    return [
        walk(trail, name, at, rank=RANKS.get(name, -1), rules=RULES)
        for name, at in steps
        if is_a_step(trail, name, at)
    ]


def random_walk(random: Random) -> list[Step]:
    """Draw a visit that hurries and dawdles."""
    at, steps, name = 0, [], ""
    for _ in range(random.randrange(30)):
        at += random.choice((0, 1_000, 9_999, 10_000, 60_000))
        name = random.choice([one for one in ("a", "b", "c", "d", "x", "y") if one != name])
        steps.append((name, at))
    return steps


def naive(steps: list[Step]) -> list[list[str]]:
    """Judge every step by all that came before it."""
    found: list[list[str]] = []
    names = [name for name, _ in steps]
    ranks = [RANKS.get(name, -1) for name in names]
    last_loop = -1
    was_backtracking = False
    for i, (name, at) in enumerate(steps):
        signals = []
        if i >= 2 and names[i - 2] == name and at - steps[i - 1][1] < 10_000:
            signals.append("quick_back")
        is_backtracking = i >= 5 and sum(goes_back(ranks, k) for k in range(i - 5, i + 1)) > 3
        if is_backtracking and not was_backtracking:
            signals.append("backtrack")
        was_backtracking = is_backtracking
        records = [k for k in range(i + 1) if ranks[k] > max(ranks[:k], default=-1)]
        since = max([last_loop + 1, *records])
        is_to_and_fro = i - last_loop >= 4 and names[i - 3 : i - 1] == names[i - 1 : i + 1]
        if names[since : i + 1].count(name) >= 3 or is_to_and_fro:
            signals.append("loop")
            last_loop = i
        found.append(signals)
    return found


def goes_back(ranks: list[int], k: int) -> bool:
    """Tell whether a step leads before the last one that had a rank."""
    before = [rank for rank in ranks[:k] if rank >= 0]
    return bool(before) and 0 <= ranks[k] < before[-1]


def test_signals_found_step_by_step_are_those_of_the_whole_visit() -> None:
    """The incremental state forgets nothing that a signal needs."""
    seen: set[str] = set()
    for seed in range(3_000):
        steps = random_walk(Random(seed))
        expected = naive(steps)
        assert walked(steps) == expected, f"seed {seed}"
        seen.update(*expected)
    assert seen == {"quick_back", "backtrack", "loop"}


@pytest.mark.parametrize(
    ("steps", "signals"),
    [
        ([("a", 0), ("b", 1_000), ("a", 2_000)], ["quick_back"]),
        ([("a", 0), ("b", 1_000), ("a", 11_000)], []),
        ([("a", 0), ("a", 1_000), ("a", 2_000)], []),  # a page loaded again is no way back
        ([("x", 0), ("y", 20_000), ("x", 40_000), ("z", 60_000), ("x", 80_000)], ["loop"]),
        ([("x", 0), ("y", 20_000), ("x", 40_000), ("d", 60_000), ("x", 80_000)], []),  # it got further
        ([("x", 0), ("y", 20_000), ("x", 40_000), ("y", 60_000)], ["loop"]),
        ([(name, i * 60_000) for i, name in enumerate("xdcbyazq")], []),
        ([(name, i * 60_000) for i, name in enumerate("dcdcba")], ["loop", "backtrack"]),
    ],
)
def test_a_way_is_a_signal_or_none(steps: list[Step], signals: list[str]) -> None:
    """Each definition at its border."""
    assert [name for each in walked(steps) for name in each] == signals


def test_a_step_that_comes_late_is_not_walked() -> None:
    """Its place in the visit is over: what was said of the order stays."""
    assert not is_a_step(Trail(recent=[("a", 5_000)]), "b", 4_999)


def test_the_steps_counted_have_a_bound() -> None:
    """A crawler visits a million pages and costs as much as anybody."""
    trail = Trail()
    walked([(f"page {i}", i) for i in range(3 * MAX_STEPS)], trail)
    assert len(trail.counts) == MAX_STEPS
    assert len(trail.recent) == 4
