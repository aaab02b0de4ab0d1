"""Signals of friction: found by array arithmetic as a plain reading of each walk finds them."""

from __future__ import annotations

from collections import Counter
from itertools import groupby, pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.analytics.friction import signals as room
from sojourn.analytics.friction.signals import Signal, signals_of
from sojourn.analytics.friction.walks import walks_of
from tests.analytics.making import MINUTE, events_of
from tests.analytics.making import walks_of as events_of_walks

Told = dict[tuple[str, tuple[str, ...]], tuple[set[str], set[str], int]]
"""(kind, steps) -> who was at risk, who was hit, how often."""

WALKS = st.lists(
    st.lists(st.tuples(st.sampled_from("ABCDE"), st.integers(0, 5)), min_size=1, max_size=9), max_size=8
)


@pytest.fixture(autouse=True)
def _every_signal_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """One case is enough, so that small walks show what is found."""
    monkeypatch.setattr(room, "MIN_CASES", 1)
    monkeypatch.setattr(room, "MAX_NAMED", 1.0)


def told(events: Any, goal: str | None = None, ranks: dict[str, int] | None = None) -> Told:
    walks = walks_of(events, "person")
    is_goal = None if goal is None else np.array([step == goal for step in events.steps], dtype=bool)
    by_rank = None if ranks is None else np.array([ranks.get(step, -1) for step in events.steps])
    found = signals_of(walks, events.steps, goal=is_goal, ranks=by_rank)
    assert not found.n_rare
    assert not found.n_more
    return {_name(signal, events): _who(signal, events) for signal in found.found}


def _name(signal: Signal, events: Any) -> tuple[str, tuple[str, ...]]:
    return signal.kind, tuple(events.steps[code] for code in signal.steps)


def _who(signal: Signal, events: Any) -> tuple[set[str], set[str], int]:
    at_risk, hit = (
        {events.people[i] for i in np.flatnonzero(flags)} for flags in (signal.at_risk, signal.hit)
    )
    return at_risk, hit, signal.n_times


def test_a_ping_pong_is_there_and_back_and_who_went_there_could_have() -> None:
    events = events_of_walks("""
        ada: Task > Wait > Task > Wait > Task > Done
        bob: Task > Wait > Done
        eve: Task > Done
    """)
    assert told(events)["ping-pong", ("Task", "Wait")] == ({"ada", "bob"}, {"ada"}, 2)
    assert told(events)["ping-pong", ("Wait", "Task")] == ({"ada"}, {"ada"}, 1)


def test_a_loop_gains_nothing_new_between_the_first_time_and_the_third() -> None:
    events = events_of_walks("""
        ada: Cart > Ship > Cart > Ship > Cart
        bob: Cart > Ship > Cart > Pay > Cart
        eve: Cart > Cart > Cart
    """)
    assert ("loop", ("Cart",)) not in told(events)  # Ship is new to ada after her first Cart
    events = events_of_walks("ada: Ship > Cart > Ship > Cart > Ship > Cart")
    assert told(events)["loop", ("Cart",)] == ({"ada"}, {"ada"}, 1)


def test_with_ranks_a_loop_gets_no_further() -> None:
    events = events_of_walks("ada: Ship > Cart > Help > Cart > Chat > Cart")
    ranks = {"Cart": 1, "Ship": 2}
    assert told(events, ranks=ranks)["loop", ("Cart",)][1] == {"ada"}
    assert ("loop", ("Cart",)) not in told(events)


def test_going_back_is_to_what_usually_comes_first() -> None:
    forward = "\n".join(f"p{i}: Cart > Pay > Done" for i in range(9))
    events = events_of_walks(f"{forward}\nada: Cart > Pay > Cart > Pay > Done")
    everybody = {f"p{i}" for i in range(9)} | {"ada"}
    assert told(events)["backtrack", ("Pay", "Cart")] == (everybody, {"ada"}, 1)


def test_an_error_is_of_the_step_where_those_hit_had_been() -> None:
    events = events_of_walks("""
        ada: Home > Pay > payment_failed > Support
        bob: Home > Pay > Done > Support
        eve: Home > Support
    """)
    assert told(events)["error", ("Pay", "payment_failed")] == ({"ada", "bob"}, {"ada"}, 1)
    assert told(events)["help", ("Support",)] == ({"ada", "bob", "eve"},) * 2 + (3,)


def test_a_drop_is_who_never_converted_after_coming_there() -> None:
    events = events_of_walks("""
        ada: Cart > Pay > Buy > Cart
        bob: Cart > Pay
    """)
    found = told(events, goal="Buy")
    assert found["drop", ("Pay",)] == ({"ada", "bob"}, {"bob"}, 1)
    assert found["drop", ("Cart",)] == ({"ada", "bob"}, {"bob"}, 1)


def test_a_stall_is_longer_than_nearly_all_who_convert_take() -> None:
    rows = []
    for i in range(40):
        rows += [(f"p{i}", "Pay", 0), (f"p{i}", "Buy", MINUTE)]
    rows += [("ada", "Pay", 0), ("ada", "Home", 99 * MINUTE)]
    at_risk, hit, times = told(events_of(rows), goal="Buy")["stall", ("Pay",)]
    assert (len(at_risk), hit, times) == (41, {"ada"}, 1)


def test_a_step_that_half_of_all_come_to_is_no_sign_whatever_it_is_called(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(room, "MAX_NAMED", 0.5)
    events = events_of_walks("ada: help > Buy\nbob: help > Buy\neve: Buy")
    assert not [name for name in told(events) if name[0] == "help"]


def test_of_no_events_nothing_is_found() -> None:
    assert told(events_of([]), goal="Buy") == {}


@given(WALKS)
def test_what_is_found_is_what_a_plain_reading_finds(walks: list[list[tuple[str, int]]]) -> None:
    rows = [(f"p{i}", step, j * MINUTE) for i, walk in enumerate(walks) for j, (step, _) in enumerate(walk)]
    found = told(events_of(rows), goal="E")
    plain = _plain({f"p{i}": [step for step, _ in walk] for i, walk in enumerate(walks)})
    assert {name: who for name, who in found.items() if name[0] != "stall"} == plain


def _plain(walks: dict[str, list[str]]) -> Told:
    risk: dict[Any, set[str]] = {}
    hit: dict[Any, list[str]] = {}
    before = Counter(pair for walk in walks.values() for pair in _pairs_in_order(list(dict.fromkeys(walk))))
    for person, walk in walks.items():
        for a, b in pairwise(walk):
            risk.setdefault(("ping-pong", (a, b)), set()).add(person)
            if before[b, a] and before[b, a] >= room.PRECEDENCE * (before[a, b] + before[b, a]):
                hit.setdefault(("backtrack", (a, b)), []).append(person)
        for a, b, c in zip(walk, walk[1:], walk[2:], strict=False):
            if a == c != b:
                hit.setdefault(("ping-pong", (a, b)), []).append(person)
        entries = [(step, i) for step, i in _entries(walk)]
        for step in set(walk):
            risk.setdefault(("loop", (step,)), set()).add(person)
            times = [i for name, i in entries if name == step]
            for early, late in zip(times, times[2:], strict=False):
                if set(walk[: late + 1]) == set(walk[: early + 1]):
                    hit.setdefault(("loop", (step,)), []).append(person)
            if step != "E":
                risk.setdefault(("drop", (step,)), set()).add(person)
                if "E" not in walk[walk.index(step) :]:
                    hit.setdefault(("drop", (step,)), []).append(person)
    return {
        name: (
            {who for who, walk in walks.items() if name[1][0] in walk}
            if name[0] == "backtrack"
            else risk[name],
            set(people),
            len(people),
        )
        for name, people in hit.items()
    }


def _pairs_in_order(steps: list[str]) -> list[tuple[str, str]]:
    return [(a, b) for i, a in enumerate(steps) for b in steps[i + 1 :]]


def _entries(walk: list[str]) -> list[tuple[str, int]]:
    entries, i = [], 0
    for step, run in groupby(walk):
        entries.append((step, i))
        i += len(list(run))
    return entries
