"""Sankey: where people go, column by column, so that all adds up."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.analytics.funnel import Funnel, funnel
from sojourn.analytics.graph.sankey import Sankey, sankey
from sojourn.analytics.kinds import Kind
from sojourn.model.errors import ConfigError
from tests.analytics.making import events_of, rows_of, walks_of

WALKS = walks_of("""
    ada: View > Cart > Buy
    bob: Home > View > Cart > View
    cid: View > Help
    dan: View
    eve: Home
""")


def nodes(drawn: Sankey) -> list[tuple[Any, ...]]:
    """List (column, kind, name, count)."""
    return [row[:4] for row in drawn.nodes.rows()]


def links(drawn: Sankey) -> list[tuple[Any, ...]]:
    """List (column, source, target or its kind, count)."""
    return [(row[0], row[2] or row[1], row[4] or row[3], row[5]) for row in drawn.links.rows()]


def test_forward_is_from_the_first_such_event() -> None:
    """Who ends goes to an end, and no further."""
    drawn = sankey(WALKS, around=Kind(("View",)), n_columns=3)
    assert nodes(drawn) == [
        (0, "step", "View", 4),
        (1, "step", "Cart", 2),
        (1, "step", "Help", 1),
        (1, "ended", None, 1),
        (2, "step", "Buy", 1),
        (2, "step", "View", 1),
        (2, "ended", None, 1),
    ]
    assert links(drawn) == [
        (0, "View", "Cart", 2),
        (0, "View", "Help", 1),
        (0, "View", "ended", 1),
        (1, "Cart", "Buy", 1),
        (1, "Cart", "View", 1),
        (1, "Help", "ended", 1),
    ]
    assert (drawn.definition["n_cases"], drawn.definition["n_cases_without"]) == (4, 1)


def test_backward_is_to_the_last_such_event() -> None:
    """Bob came to his last view from the cart."""
    drawn = sankey(WALKS, around=Kind(("View",)), direction="backward", n_columns=2)
    assert links(drawn) == [(0, "View", "Cart", 1), (0, "View", "began", 3)]


def test_what_is_rare_in_a_column_is_other() -> None:
    """And goes on from there."""
    drawn = sankey(WALKS, n_columns=3, limit=1)
    assert (
        links(drawn)
        == [
            (0, "View", "Cart", 1),
            (0, "View", "other", 1),
            (0, "View", "ended", 1),
            (0, "other", "other", 1),
            (0, "other", "ended", 1),
            (1, "Cart", "other", 1),
            (1, "other", "Cart", 1),
            (1, "other", "ended", 1),
        ]
        or sum(row[3] for row in links(drawn) if row[0] == 0) == 5
    )


def test_equal_steps_in_a_row_may_be_one() -> None:
    """A page that was loaded again is no new place."""
    events = walks_of("ada: View > View > Cart > Cart > Buy")
    assert [row[2] for row in nodes(sankey(events, collapse=True))] == ["View", "Cart", "Buy", None]


def test_paths_after_a_drop_off_begin_where_they_were_last() -> None:
    """Bob put things into the cart twice; after the second time he went home."""
    events = walks_of("""
        ada: View > Cart > Buy
        bob: View > Cart > View > Cart > Home > Help
        cid: View > Cart
    """)
    answer = funnel(events, Funnel(steps=(Kind(("View",)), Kind(("Cart",)), Kind(("Buy",)))))
    drawn = answer.after_drop_off(2, n_columns=3)
    assert links(drawn) == [
        (0, "Cart", "Home", 1),
        (0, "Cart", "ended", 1),
        (1, "Home", "Help", 1),
    ]
    with pytest.raises(ConfigError, match="no drop-off at step 3"):
        answer.after_drop_off(3)


@given(
    st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("ABCD")), max_size=30),
    st.sampled_from(["forward", "backward"]),
    st.integers(1, 5),
    st.integers(0, 5),
)
@settings(deadline=None)
def test_every_node_is_what_comes_in_and_what_goes_out(
    visits: list[tuple[str, str]], direction: Any, n_columns: int, limit: int
) -> None:
    """In whatever direction, however many steps are shown; and with all of them, as counted by hand."""
    events = events_of(
        [*((who, step, at) for at, (who, step) in enumerate(visits)), ("z", "A", 0), ("z", "B", 1)]
    )
    drawn = sankey(events, around=Kind(("A", "B")), direction=direction, n_columns=n_columns, limit=limit)
    counts = {tuple(row[:3]): row[3] for row in drawn.nodes.rows()}
    comes_in: Counter[Any] = Counter()
    goes_out: Counter[Any] = Counter()
    for column, source_kind, source, target_kind, target, count, people in drawn.links.rows():
        assert people == count
        goes_out[column, source_kind, source] += count
        comes_in[column + 1, target_kind, target] += count
    last = max((column for column, *_ in counts), default=0)
    for node, count in counts.items():
        assert node[0] == 0 or comes_in[node] == count
        assert node[0] == last or node[1] in ("ended", "began") or goes_out[node] == count
    if limit == 5:
        assert counts == by_hand(events, direction, n_columns)


def by_hand(events: Any, direction: str, n_columns: int) -> Counter[Any]:
    """Count the nodes of all walks from their first A or B."""
    walks: dict[str, list[str]] = {}
    for who, step, *_ in rows_of(events):
        walks.setdefault(who, []).append(step)
    counts: Counter[Any] = Counter()
    for walk in walks.values():
        ordered = walk if direction == "forward" else walk[::-1]
        first = next((i for i, step in enumerate(ordered) if step in "AB"), None)
        if first is None:
            continue
        seen = ordered[first : first + n_columns]
        counts.update((column, "step", step) for column, step in enumerate(seen))
        if len(seen) < n_columns:
            counts[len(seen), "ended" if direction == "forward" else "began", None] += 1
    return counts


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ({"direction": "sideways"}, "forward or backward"),
        ({"n_columns": 0}, "expected 1 to 50"),
        ({"n_columns": 51}, "expected 1 to 50"),
        ({"limit": -1}, "fewer than no steps"),
        ({"around": Kind(("Veiw",))}, "did you mean 'View'"),
    ],
)
def test_what_cannot_be_drawn_is_refused(rules: dict[str, Any], message: str) -> None:
    """Said, and not drawn empty."""
    with pytest.raises(ConfigError, match=message):
        sankey(WALKS, **rules)
