"""Variants: distinct whole paths, counted as a dictionary of lists counts them."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.analytics.graph import variants as module
from sojourn.analytics.graph.variants import variants
from sojourn.model.errors import ConfigError
from tests.analytics.making import MINUTE, events_of, walks_of

WALKS = walks_of("""
    ada: View > Cart > Buy
    bob: View > Cart > Buy
    cid: View > View > Cart
    dan: View
    eve: Buy
""")

Visits = list[tuple[str, str, str]]
VISITS = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from("xy"), st.sampled_from("ABC")), max_size=25
)


def test_the_most_frequent_path_comes_first_and_the_others_are_a_row() -> None:
    """Nothing is cut off in silence."""
    rows = variants(WALKS).table(limit=1).to_dicts()
    assert [(row["kind"], row["path"], row["n_variants"], row["count"], row["share"]) for row in rows] == [
        ("variant", ["View", "Cart", "Buy"], 1, 2, 0.4),
        ("other", None, 3, 3, 0.6),
    ]


def test_equal_steps_in_a_row_may_be_one() -> None:
    """Cid looked twice."""
    found = variants(WALKS, collapse=True)
    assert ["View", "Cart"] in [found.path(i) for i in range(len(found))]


def test_a_path_lasts_from_its_first_event_to_its_last() -> None:
    """Also where the last one is a repeat that was collapsed."""
    events = walks_of("ada: View > Cart > Cart > Cart\nbob: View > Cart")
    row = variants(events, collapse=True).table().to_dicts()[0]
    assert (row["count"], row["p50_ms"], row["p90_ms"]) == (2, 2 * MINUTE, 2.8 * MINUTE)


def test_the_people_of_a_path_are_those_counted() -> None:
    """Two sessions of one person are one of the people."""
    rows = [(who, "View", at, {"session": f"s{at}"}) for who, at in (("ada", 0), ("ada", 9), ("bob", 0))]
    found = variants(events_of(rows), unit="session")
    row = found.table().to_dicts()[0]
    assert (row["count"], row["people"], found.people(0)) == (3, 2, ["ada", "bob"])
    with pytest.raises(ConfigError, match="counted from 0"):
        found.people(1)


@given(VISITS, st.booleans(), st.sampled_from(["person", "session"]), st.integers(0, 4))
@settings(deadline=None)
def test_paths_are_counted_as_by_hand(visits: Visits, collapse: bool, unit: str, limit: int) -> None:
    """Of people and of sessions, repeats kept or not; and all rows add up."""
    rows = [(who, step, at, {"session": session}) for at, (who, session, step) in enumerate(visits)]
    events = events_of([*rows, ("z", "A", 0, {"session": "x"})])
    walks: dict[tuple[str, ...], list[str]] = {}
    for who, session, step in [*visits, ("z", "x", "A")]:
        walk = walks.setdefault((who,) if unit == "person" else (who, session), [])
        if not (collapse and walk and walk[-1] == step):
            walk.append(step)
    found = variants(events, unit=unit, collapse=collapse)  # type: ignore[arg-type]
    expected = Counter(map(tuple, walks.values()))
    assert {tuple(found.path(i)): int(n) for i, n in enumerate(found.count)} == expected
    assert found.count.tolist() == sorted(found.count.tolist(), reverse=True)
    table = found.table(limit=limit)
    assert (sum(table["count"]), sum(table["n_variants"])) == (len(walks), len(expected))


def test_paths_that_hash_alike_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """A collision is found by comparing, and hashed anew."""
    hashes = module._hashes

    def colliding(lined_up: object, place: object, salt: int) -> object:
        found = hashes(lined_up, place, salt)  # type: ignore[arg-type]
        return found if salt == 2 else np.zeros_like(found)

    expected = variants(WALKS).count.tolist()
    monkeypatch.setattr(module, "_hashes", colliding)
    assert variants(WALKS).count.tolist() == expected


def test_no_events_have_no_paths() -> None:
    """An empty table, and no division by zero."""
    assert len(variants(events_of([])).table()) == 0
