"""Sessions: whoever is followed, every event has its one place."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sojourn.analytics.sessions import GAP_MS, by_session, walks, with_sessions
from tests.analytics.making import MINUTE, Row, events_of, rows_of

ROWS = st.lists(
    st.tuples(
        st.sampled_from(["ada", "bob"]),
        st.sampled_from("xyz"),
        st.integers(0, 5),
        st.sampled_from(["s", "t", "u", None]),
    ),
    max_size=20,
)


def laid_out(rows: list[Row]) -> list[tuple[str, list[str]]]:
    """Walk sessions; return (person, steps) of each."""
    events = events_of(rows)
    found = walks(events, "session")
    bounds = found.starts.tolist()
    return [
        (events.people[person], [events.steps[code] for code in found.step[start:end]])
        for person, start, end in zip(found.person.tolist(), bounds, bounds[1:], strict=False)
    ]


@given(ROWS)
def test_recorded_sessions_are_followed_as_an_oracle_does(
    rows: list[tuple[str, str, int, str | None]],
) -> None:
    """Interleaved, shared between people, without a session: in the order of people, then of first events."""
    full = [(person, step, at, {"session": session} if session else {}) for person, step, at, session in rows]
    if not any(session for *_, session in rows):
        full.append(("ada", "x", 9, {"session": "s"}))
    met: dict[tuple[str, int], list[str]] = {}
    for person, step, _, extra in rows_of(events_of(full)):
        if "session" in extra:
            met.setdefault((person, extra["session"]), []).append(step)
    assert laid_out(full) == [(person, steps) for (person, _), steps in met.items()]


def test_events_without_a_session_are_counted() -> None:
    """They belong to no walk, and the reader is told how many."""
    events = events_of(
        [("ada", "a", 0, {"session": "s"}), ("ada", "b", 1), ("ada", "c", 2, {"session": "s"})]
    )
    found = walks(events, "session")
    assert (found.step.tolist(), found.n_without) == ([0, 2], 1)


def test_a_silence_ends_a_session_only_if_it_is_longer() -> None:
    """Exactly 30 minutes is still the same visit, as in the engine."""
    rows = [("ada", "a", 0), ("ada", "b", GAP_MS), ("ada", "c", 2 * GAP_MS + 1), ("bob", "a", 2 * GAP_MS + 1)]
    assert laid_out(rows) == [("ada", ["a", "b"]), ("ada", ["c"]), ("bob", ["a"])]


def test_the_silence_can_be_chosen() -> None:
    """Some products are used by the hour."""
    cut = with_sessions(events_of([("ada", "a", 0), ("ada", "b", 2 * MINUTE)]), gap_ms=MINUTE)
    assert by_session(cut).starts.tolist() == [0, 1, 2]


def test_no_events_have_no_sessions() -> None:
    """Nothing is an answer."""
    assert len(walks(events_of([]), "session")) == 0
    assert len(walks(events_of([]))) == 0
