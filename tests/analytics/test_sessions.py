"""Sessions: a silence ends a visit."""

from __future__ import annotations

from sojourn.analytics.cases import by_session
from sojourn.analytics.sessions import GAP_MS, with_sessions
from tests.analytics.making import MINUTE, Row, events_of


def cut(rows: list[Row], *, gap_ms: int = GAP_MS) -> list[tuple[str, int]]:
    """Cut sessions; return (person, how many events) of each."""
    events = with_sessions(events_of(rows), gap_ms=gap_ms)
    cases = by_session(events)
    sizes = (cases.starts[1:] - cases.starts[:-1]).tolist()
    return [(events.people[person], n) for person, n in zip(cases.person.tolist(), sizes, strict=True)]


def test_a_silence_ends_a_session_only_if_it_is_longer() -> None:
    """Exactly 30 minutes is still the same visit, as in the engine; nobody's silence ends another's visit."""
    rows = [("ada", "a", 0), ("ada", "b", GAP_MS), ("ada", "c", 2 * GAP_MS + 1), ("bob", "a", 2 * GAP_MS + 1)]
    assert cut(rows) == [("ada", 2), ("ada", 1), ("bob", 1)]


def test_the_silence_can_be_chosen() -> None:
    """Some products are used by the hour."""
    assert cut([("ada", "a", 0), ("ada", "b", 2 * MINUTE)], gap_ms=MINUTE) == [("ada", 1), ("ada", 1)]


def test_no_events_have_no_sessions() -> None:
    """Nothing is an answer."""
    assert cut([]) == []
