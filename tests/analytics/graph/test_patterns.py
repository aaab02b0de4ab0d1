"""Patterns: what many paths have in common, as enumerating all of them finds."""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from math import ceil
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.analytics.graph import patterns as module
from sojourn.analytics.graph.patterns import Patterns, PatternsAnswer, patterns
from sojourn.model.errors import ConfigError
from tests.analytics.making import events_of, walks_of
from tests.soak import tries

WALKS = walks_of("""
    ada: Home > View > Cart > Buy
    bob: View > Cart > View > Cart > Help > Buy
    cid: View > Help
    dan: Buy
""")


def found(answer: PatternsAnswer) -> dict[str, tuple[int, int | None]]:
    """List the patterns in words -> (cases, occurrences)."""
    rows = answer.table().to_dicts()
    return {" > ".join(row["pattern"]): (row["count"], row["occurrences"]) for row in rows}


def test_runs_are_counted_once_a_case_and_as_often_as_they_occur() -> None:
    """Bob went from view to cart twice."""
    answer = patterns(WALKS, Patterns(min_share=0.5, max_length=3))
    assert found(answer) == {"View > Cart": (2, 3)}
    row = answer.table().to_dicts()[0]
    assert (row["share"], row["people"], row["is_maximal"]) == (0.5, 2, True)


def test_with_gaps_other_steps_may_lie_between() -> None:
    """Both who viewed, put into the cart and bought did so in this order."""
    answer = patterns(WALKS, Patterns(min_share=0.5, gaps=True))
    assert found(answer) == {
        "View > Cart > Buy": (2, None),
        "View > Cart": (2, None),
        "View > Buy": (2, None),
        "Cart > Buy": (2, None),
        "View > Help": (2, None),
    }
    maximal = answer.table(only_maximal=True)
    assert [row["pattern"] for row in maximal.to_dicts()] == [["View", "Cart", "Buy"], ["View", "Help"]]


def test_a_table_says_how_many_patterns_it_does_not_show() -> None:
    """Nothing is cut off in silence."""
    table = patterns(WALKS, Patterns(min_share=0.5, gaps=True)).table(limit=1)
    assert (len(table), table.definition["n_patterns"]) == (1, 5)


def test_sessions_are_cases_of_their_own() -> None:
    """Two visits of one person are two cases and one of the people."""
    rows = [
        ("ada", step, at, {"session": "ab"[at > 5]}) for at, step in ((0, "A"), (1, "B"), (8, "A"), (9, "B"))
    ]
    for gaps in (False, True):
        row = patterns(events_of(rows), Patterns(unit="session", gaps=gaps)).table().to_dicts()[0]
        assert (row["pattern"], row["count"], row["people"]) == (["A", "B"], 2, 1)


def by_hand(walks: list[str], asked: Patterns) -> dict[str, int]:
    """Enumerate every run or subsequence of every walk."""
    cases: Counter[str] = Counter()
    for walk in walks:
        inside = set()
        for length in range(asked.min_length, asked.max_length + 1):
            if asked.gaps:
                inside |= {"".join(some) for some in combinations(walk, length)}
            else:
                inside |= {walk[i : i + length] for i in range(len(walk) - length + 1)}
        cases.update(inside)
    least = ceil(asked.min_share * len(walks) - 1e-9)
    return {pattern: n for pattern, n in cases.items() if n >= least}


def is_inside(short: str, long: str, *, gaps: bool) -> bool:
    """Tell whether a pattern is in another."""
    return any("".join(some) == short for some in combinations(long, len(short))) if gaps else short in long


@given(
    st.lists(st.text("ABC", min_size=1, max_size=7), min_size=1, max_size=6),
    st.sampled_from([0.1, 0.3, 0.5, 1.0]),
    st.integers(1, 2),
    st.integers(2, 4),
    st.booleans(),
)
@settings(deadline=None, max_examples=tries(200))
def test_patterns_are_all_there_are(
    walks: list[str], min_share: float, min_length: int, max_length: int, gaps: bool
) -> None:
    """Their cases, their order, and which of them are in no longer one."""
    rows = [(f"p{who}", step, at) for who, walk in enumerate(walks) for at, step in enumerate(walk)]
    asked = Patterns(min_share=min_share, min_length=min_length, max_length=max_length, gaps=gaps)
    table = patterns(events_of(rows), asked).table().to_dicts()
    expected = by_hand(walks, asked)
    assert {"".join(row["pattern"]): row["count"] for row in table} == expected
    assert [row["count"] for row in table] == sorted(expected.values(), reverse=True)
    for row in table:
        pattern = "".join(row["pattern"])
        longer = [other for other in expected if len(other) > len(pattern)]
        assert row["is_maximal"] == (not any(is_inside(pattern, other, gaps=gaps) for other in longer))
        if not gaps:
            occurrences = sum(walk.startswith(pattern, i) for walk in walks for i in range(len(walk)))
            assert row["occurrences"] == occurrences


def test_runs_of_many_kinds_are_numbered_as_runs_of_few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a table would be too large, keys are sorted."""
    expected = found(patterns(WALKS, Patterns(min_share=0.25)))
    monkeypatch.setattr(module, "_COUNTABLE", 0)
    assert found(patterns(WALKS, Patterns(min_share=0.25))) == expected


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ({"min_share": 0.0}, "a share of 0 to 1"),
        ({"min_share": 1.1}, "a share of 0 to 1"),
        ({"min_length": 3, "max_length": 2}, "at least 1"),
        ({"max_length": 21}, "at most 20"),
    ],
)
def test_what_finds_nothing_is_refused(rules: dict[str, Any], message: str) -> None:
    """And what finds everything."""
    with pytest.raises(ConfigError, match=message):
        Patterns(**rules)


def test_too_many_patterns_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bound says what to do."""
    monkeypatch.setattr(module, "MAX_PATTERNS", 3)
    for gaps in (False, True):
        with pytest.raises(ConfigError, match="over 3 patterns"):
            patterns(WALKS, Patterns(min_share=0.25, gaps=gaps))


def test_no_events_have_no_patterns() -> None:
    """An empty table."""
    for gaps in (False, True):
        assert len(patterns(events_of([]), Patterns(gaps=gaps)).table()) == 0
