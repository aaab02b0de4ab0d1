"""Friction that is known to be there, in shared data: dated incidents of a shop, ping-pong of a help desk."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

import duckdb
import pytest

from sojourn.analytics.events import Events
from sojourn.analytics.friction.findings import Finding, find_friction
from tests.analytics.making import events_of, shared

DAYS = timedelta(days=3)

CHECKOUT_BUG = date(2024, 4, 9), date(2024, 5, 9)
PAYMENT = date(2024, 5, 19), date(2024, 6, 7)
VIRAL = date(2024, 2, 29), date(2024, 3, 3)

Visits = dict[str, list[tuple[str, str, int, str, dict[str, str]]]]


def _visits() -> Visits:
    path = shared("ecom_events") / "ecom_events.csv.gz"
    rows = (
        duckdb.connect()
        .sql(
            "select user_id, event, epoch_ms(timestamp), session_id, platform, acquisition_channel,"
            f" user_lifecycle from read_csv('{path}')"
        )
        .fetchall()
    )
    people: Visits = {}
    for person, step, at, session, platform, channel, lifecycle in rows:
        told = {"session": session, "platform": platform, "channel": channel, "lifecycle": lifecycle}
        people.setdefault(person, []).append((person, step, at, session, told))
    return people


def _events(people: Visits, moved: dict[str, int] | None = None) -> Events:
    return events_of(
        (person, step, at + (moved or {}).get(session, 0), told)
        for visits in people.values()
        for person, step, at, session, told in visits
    )


def _is_dated(found: Finding, truth: tuple[date, date]) -> bool:
    assert found.first_between is not None
    assert found.last_between is not None
    (first, until), (since, last) = found.first_between, found.last_between
    return first - DAYS <= truth[0] <= until + DAYS and since - DAYS <= truth[1] <= last + DAYS


@pytest.fixture(scope="module")
def visits() -> Visits:
    return _visits()


def test_the_two_incidents_of_the_shop_lead_the_findings(visits: Visits) -> None:
    payment, checkout = find_friction(_events(visits), unit="session", goal=["purchase"]).findings[:2]
    assert (payment.steps, payment.segment) == (["payment_details", "payment_error"], {})
    assert _is_dated(payment, PAYMENT)
    assert "help" in {one.signal for one in payment.evidence}  # support was asked, too
    assert (checkout.steps[-1], checkout.segment) == ("checkout_bug", {"platform": "mobile"})
    assert _is_dated(checkout, CHECKOUT_BUG)


def test_the_viral_article_that_its_authors_speak_of_left_no_trace_to_find(visits: Visits) -> None:
    """As many organic visits as in the days before and after; so nobody can find it, and we do not."""
    began = {
        told["session"]: at
        for each in visits.values()
        for _, _, at, _, told in reversed(each)
        if told["channel"] == "organic"
    }
    epoch = date(1970, 1, 1)
    day_0 = (VIRAL[0] - epoch).days

    def visits_from(day: int) -> int:
        return sum(day <= at // 86_400_000 < day + 4 for at in began.values())

    assert [visits_from(day_0 + offset) for offset in (-4, 0, 4)] == [17, 19, 20]


def test_with_visits_dealt_out_anew_within_people_there_are_no_incidents(visits: Visits) -> None:
    n_false = 0
    for seed in range(3):
        random = Random(seed)
        moved: dict[str, int] = {}
        for each in visits.values():
            began = {session: at for _, _, at, session, _ in reversed(each)}
            new = list(began.values())
            random.shuffle(new)
            moved |= {session: at - began[session] for session, at in zip(began, new, strict=True)}
        found = find_friction(_events(visits, moved), unit="session", goal=["purchase"])
        n_false += any(one.kind == "incident" for one in found.findings)
    assert n_false == 0


@pytest.mark.slow
@pytest.mark.parametrize("keeps_visits", [True, False])
def test_with_times_shuffled_within_people_at_most_one_of_twenty_has_an_incident(
    visits: Visits, keeps_visits: bool
) -> None:
    """Each event gets the time of another one of the same person: with the visit of that time, or its own."""
    n_false = 0
    for seed in range(100, 120):
        random = Random(seed)
        rows = []
        for each in visits.values():
            moments = [(at, told) for _, _, at, _, told in each]
            random.shuffle(moments)
            rows += [
                (person, step, at, told if keeps_visits else own)
                for (person, step, _, _, own), (at, told) in zip(each, moments, strict=True)
            ]
        rows.sort(key=lambda row: (row[0], row[2]))
        found = find_friction(events_of(rows), unit="session", goal=["purchase"])
        n_false += any(one.kind == "incident" for one in found.findings)
    assert n_false <= 1


def test_the_help_desk_has_482_ping_pongs_and_154_reopened_tickets() -> None:
    path = shared("helpdesk") / "helpdesk.csv.gz"
    rows = (
        duckdb.connect()
        .sql(f"select case_id::varchar, event, epoch_ms(timestamp::timestamptz) from read_csv('{path}')")
        .fetchall()
    )
    found = find_friction(events_of(rows), goal=["Closed"]).findings
    times = {(one.signal, *one.steps): one.times for one in found if one.kind == "standing"}
    assert times["ping-pong", "Take in charge ticket", "Wait"] == 482
    assert times["backtrack", "Resolve ticket", "Take in charge ticket"] == 154
