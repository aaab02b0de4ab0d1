"""Sessions, against an oracle that cuts the whole set of events at once."""

from __future__ import annotations

from copy import deepcopy
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.engine.sessions import GAP_MS, LATENESS_MS, Visit, current, merge, visit
from sojourn.engine.state import Session
from tests.soak import tries

MINUTE = 60_000
T0 = 1_700_000_000_000


def visit_at(minute: float, name: str = "", **fields: object) -> Visit:
    """Make an event `minute` minutes after the start."""
    at = T0 + int(minute * MINUTE)
    return Visit(**{"at": at, "message_id": name or f"m{at}", "person": "p", **fields})  # type: ignore[arg-type]


def cut_all(visits: list[Visit]) -> list[Session]:
    """Put events in, in the order given."""
    sessions: list[Session] = []
    for one in visits:
        visit(sessions, one)
    return sessions


def oracle(visits: list[Visit]) -> list[tuple[int, int, int]]:
    """Sort by time and cut where the gap is too long: (start, end, number of events)."""
    found: list[list[int]] = []
    for at in sorted(one.at for one in visits):
        if found and at - found[-1][1] <= GAP_MS:
            found[-1][1] = at
            found[-1][2] += 1
        else:
            found.append([at, at, 1])
    horizon = found[-1][1] - LATENESS_MS if found else 0
    return [(start, end, n) for start, end, n in found if end >= horizon]


minutes = st.lists(st.integers(0, 600), min_size=1, max_size=40)


@given(minutes, st.randoms(use_true_random=False))
def test_any_order_of_arrival_ends_in_the_sessions_of_the_oracle(at: list[int], random: Random) -> None:
    """Sessions are a function of the set of events."""
    visits = [visit_at(minute, f"m{index}") for index, minute in enumerate(at)]
    random.shuffle(visits)
    sessions = cut_all(visits)
    assert [(one.started_at, one.ended_at, one.n_events) for one in sessions] == oracle(visits)


@given(minutes, st.randoms(use_true_random=False))
def test_ids_and_counts_do_not_depend_on_the_order(at: list[int], random: Random) -> None:
    """A session's id, channel and step counts come from its first event and its set."""
    visits = [
        visit_at(minute, f"m{index}", channel=f"c{index % 3}", step=f"s{index % 4}", rank=index % 5)
        for index, minute in enumerate(at)
    ]
    expected = cut_all(visits)
    random.shuffle(visits)
    assert cut_all(visits) == expected


@given(minutes, minutes, st.integers(0, 3))
def test_two_lives_merged_are_one_life_lived(mine: list[int], theirs: list[int], n_clients: int) -> None:
    """The unnamed life moves forward whole: nothing shows that it was ever apart."""
    client = [f"k{index}" if index else "" for index in range(n_clients + 1)]
    first = [visit_at(minute, f"a{i}", client_id=client[i % len(client)]) for i, minute in enumerate(mine)]
    second = [visit_at(minute, f"b{i}", client_id=client[i % len(client)]) for i, minute in enumerate(theirs)]
    apart = cut_all(first)
    merge(apart, deepcopy(cut_all(second)))
    assert apart == cut_all(first + second)


def test_a_late_event_bridges_two_sessions_into_one() -> None:
    """The sessions that are gone are named, so that facts can say so."""
    sessions = cut_all([visit_at(0, "a"), visit_at(50, "b")])
    second = sessions[1].id
    cut = visit(sessions, visit_at(25, "late"))
    assert cut is not None
    assert (len(sessions), cut.session.n_events, cut.replaces) == (1, 3, (second,))


def test_a_client_session_id_outlasts_the_gap() -> None:
    """An SDK that cuts sessions itself is believed."""
    sessions = cut_all([visit_at(0, client_id="k"), visit_at(300, client_id="k")])
    assert [one.n_events for one in sessions] == [2]


def test_an_event_over_a_day_late_cuts_nothing() -> None:
    """Lateness has a bound, or every session would be kept for ever."""
    sessions = cut_all([visit_at(3_000)])
    assert visit(sessions, visit_at(0)) is None
    assert len(sessions) == 1


def test_the_current_session_is_the_one_that_ended_last() -> None:
    """A client's long session may have begun before a short one that is over."""
    sessions = cut_all([visit_at(0, client_id="k"), visit_at(10, "short"), visit_at(60, client_id="k")])
    found = current(sessions)
    assert found is not None
    assert found.client_id == "k"


@settings(max_examples=tries(50))
@given(st.lists(st.integers(0, 20_000), min_size=1, max_size=200))
def test_the_sessions_kept_are_bounded(at: list[int]) -> None:
    """A profile's state must not grow with its history."""
    sessions = cut_all([visit_at(minute, f"m{index}") for index, minute in enumerate(sorted(at))])
    assert len(sessions) <= LATENESS_MS // GAP_MS + 1
