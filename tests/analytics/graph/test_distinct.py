"""Distinct: who is behind each group is what a set of pairs says, wherever steps are cut into parts."""

from __future__ import annotations

from collections import Counter
from threading import Lock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.analytics.events import MISSING
from sojourn.analytics.graph import distinct
from sojourn.analytics.graph.distinct import Part, Parts, n_distinct, n_sessions
from sojourn.analytics.graph.sequences import Sequences

PAIRS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 4)), max_size=30)


@pytest.fixture(params=["by a table", "by sorting"])
def _way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "by sorting":
        monkeypatch.setattr(distinct, "_TABLE", 0)


def _expected(pairs: list[tuple[int, int]]) -> list[int]:
    found = Counter(group for _, group in set(pairs))
    return [found[group] for group in range(5)]


@pytest.mark.usefixtures("_way")
@given(PAIRS)
def test_each_is_counted_once_in_each_group(pairs: list[tuple[int, int]]) -> None:
    who, group = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    assert n_distinct(who, group.astype(np.uint8), 5).tolist() == _expected(pairs)


@pytest.mark.parametrize("spread", [1, 1_000_000])
@given(st.lists(st.tuples(st.integers(MISSING, 5), st.integers(0, 4)), max_size=30))
def test_sessions_are_counted_whatever_their_numbers_and_those_missing_are_not(
    spread: int, pairs: list[tuple[int, int]]
) -> None:
    """Numbers far apart, as a selection leaves them, are no reason for a table of millions."""
    session, group = np.array(pairs, dtype=np.int32).reshape(-1, 2).T
    numbers = np.where(session == MISSING, MISSING, session * spread).astype(np.int32)
    assert n_sessions(numbers, group, 5).tolist() == _expected([pair for pair in pairs if pair[0] != MISSING])


@given(st.lists(st.lists(st.integers(1, 4), min_size=1, max_size=3), min_size=1, max_size=12))
def test_parts_are_all_steps_once_and_nobody_is_in_two(people: list[list[int]]) -> None:
    """Of each person the lengths of the cases; a part of one step ends at the next person."""
    lengths = [length for cases in people for length in cases]
    person = np.repeat(np.arange(len(people), dtype=np.int32), [len(cases) for cases in people])
    starts = np.append(0, np.cumsum(lengths))
    lined_up = Sequences(starts, np.zeros(starts[-1], np.int32), None, starts[1:] - 1, person, ["A"])
    patched, lock, seen = pytest.MonkeyPatch(), Lock(), []

    def note(part: Part) -> None:
        case = np.arange(part.cases.start, part.cases.stop)[part.case]
        with lock:
            seen.append((part.steps.start, case.tolist(), set(person[part.cases].tolist())))

    with patched.context() as patch:
        patch.setattr(distinct, "PART", 4)
        Parts(lined_up).run(note)
    seen.sort()
    assert [case for _, cases, _ in seen for case in cases] == lined_up.case().tolist()
    assert [start for start, _, _ in seen] == np.cumsum(
        [0, *(len(cases) for _, cases, _ in seen[:-1])]
    ).tolist()
    assert sum(len(inside) for _, _, inside in seen) == len(people)
