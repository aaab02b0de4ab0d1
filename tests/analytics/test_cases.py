"""Cases: sessions are told apart as one would by hand."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sojourn.analytics.cases import cases_of
from tests.analytics.making import events_of
from tests.analytics.oracles_funnel import cases_by_hand

VISITS = st.lists(
    st.tuples(st.sampled_from("ab"), st.integers(0, 5), st.sampled_from([None, "x", "y", "z"])), max_size=12
)


@given(VISITS)
def test_sessions_are_their_events_in_order(visits: list[tuple[str, int, str | None]]) -> None:
    """Sessions may overlap, and some events are of none."""
    rows = [(who, "View", at, {"session": session} if session else {}) for who, at, session in visits]
    events = events_of([*rows, ("c", "View", 0, {"session": "x"})])
    cases = cases_of(events, "session")
    order = list(range(len(events))) if cases.order is None else cases.order.tolist()
    starts = cases.starts.tolist()
    found = [(person, order[starts[i] : starts[i + 1]]) for i, person in enumerate(cases.person.tolist())]
    assert found == cases_by_hand(events, "session")
