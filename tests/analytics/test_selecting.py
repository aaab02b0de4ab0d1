"""Selecting: who is asked about, and how it is said."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.analytics.selecting import Did, Selection, Where, select
from sojourn.model.errors import ConfigError
from tests.analytics.making import DAY, Row, events_of, rows_of

ROWS: list[Row] = [
    ("ada", "View", 0, {"session": "1", "country": "SE"}),
    ("ada", "Cart", 1, {"session": "1", "country": "SE"}),
    ("ada", "Buy", DAY, {"session": "2", "country": "DE"}),
    ("bob", "Cart", 0, {"session": "1", "country": "DE"}),
    ("bob", "View", 2, {"session": "1", "country": "DE"}),
    ("cy", "View", 0),
]


def chosen(**selection: Any) -> list[tuple[str, str]]:
    """Select; return (person, step)."""
    return [(person, step) for person, step, *_ in rows_of(select(events_of(ROWS), Selection(**selection)))]


def test_a_time_is_half_open() -> None:
    """So that neighbouring times share no event."""
    assert chosen(since_ms=1, until_ms=DAY) == [("ada", "Cart"), ("bob", "View")]


def test_a_condition_keeps_people_whole() -> None:
    """Cutting events out of a walk would join steps that were never neighbours."""
    assert {person for person, _ in chosen(where=(Where(attribute="country", values=("SE",)),))} == {"ada"}
    assert len(chosen(where=(Where(attribute="country", values=("SE",)),))) == 3


def test_a_negated_condition_keeps_everybody_else() -> None:
    """Also those who have no value at all."""
    where = Where(attribute="country", values=("SE",), is_not=True)
    assert {person for person, _ in chosen(where=(where,))} == {"bob", "cy"}


def test_a_condition_on_sessions_keeps_sessions_whole() -> None:
    """Events of no session go: they cannot be judged."""
    where = (Where(attribute="country", values=("DE",)),)
    assert chosen(where=where, of="session") == [("ada", "Buy"), ("bob", "Cart"), ("bob", "View")]
    negated = (Where(attribute="country", values=("DE",), is_not=True),)
    assert chosen(where=negated, of="session") == [("ada", "View"), ("ada", "Cart")]


def test_who_did_a_step() -> None:
    """Ever, never, and before another one."""
    assert {person for person, _ in chosen(did=(Did(step="Cart"),))} == {"ada", "bob"}
    assert {person for person, _ in chosen(did=(Did(step="Cart", is_not=True),))} == {"cy"}
    assert {person for person, _ in chosen(did=(Did(step="View", before="Cart"),))} == {"ada", "cy"}
    assert {person for person, _ in chosen(did=(Did(step="View", before="Cart", is_not=True),))} == {"bob"}


def test_what_is_outside_the_time_is_not_asked() -> None:
    """The window comes first: a purchase after it is no purchase."""
    never = (Did(step="Buy", is_not=True),)
    assert {person for person, _ in chosen(until_ms=DAY, did=never)} == {"ada", "bob", "cy"}


def test_sessions_are_cut_where_none_are_recorded() -> None:
    """By the silence that ends one."""
    rows = [("ada", "View", 0), ("ada", "Buy", DAY), ("ada", "View", DAY + 1)]
    events = select(events_of(rows), Selection(did=(Did(step="Buy"),), of="session"))
    assert [step for _, step, *_ in rows_of(events)] == ["Buy", "View"]


def test_a_selection_says_itself_in_words() -> None:
    """The reader of a number must know whose it is."""
    selection = Selection(
        since_ms=0,
        until_ms=DAY + 3_600_000,
        where=(
            Where(attribute="country", values=("SE", "DE")),
            Where(attribute="os", values=("iOS",), is_not=True),
        ),
        did=(Did(step="Cart", before="Buy"), Did(step="Help", is_not=True)),
        of="session",
    )
    assert selection.words() == (
        "from 1970-01-01, before 1970-01-02 01:00:00, sessions with country is SE or DE and os is not iOS "
        "and did Cart before Buy and never did Help"
    )
    assert Selection().words() == "all events"


@pytest.mark.parametrize(
    ("selection", "message"),
    [
        (
            {"where": (Where(attribute="contry", values=("SE",)),)},
            "no attribute 'contry' was read; did you mean",
        ),
        ({"where": (Where(attribute="country", values=("FR",)),)}, "nothing has country 'FR'; known: DE, SE"),
        ({"did": (Did(step="Veiw"),)}, "nobody took a step 'Veiw'; did you mean 'View'"),
        ({"since_ms": 9 * DAY}, "nothing is selected: no event fits 'from 1970-01-10'"),
    ],
)
def test_a_selection_of_what_is_not_there_is_an_error(selection: dict[str, Any], message: str) -> None:
    """A misspelled step would look like a step nobody takes."""
    with pytest.raises(ConfigError, match=message):
        chosen(**selection)


def oracle(rows: list[Row], selection: Selection) -> list[Row]:
    """Select as a person would: the time first, then person by person."""
    since, until = selection.since_ms or 0, selection.until_ms or 10**9
    inside = [row for row in rows_of(events_of(rows)) if since <= row[2] < until]
    kept = []
    for person in dict.fromkeys(row[0] for row in inside):
        walk = [row for row in inside if row[0] == person]
        fits = True
        for where in selection.where:
            fits &= any(row[3].get(where.attribute) in where.values for row in walk) != where.is_not
        for did in selection.did:
            firsts = [i for i, row in enumerate(walk) if row[1] == did.before]
            end = firsts[0] if firsts else len(walk)
            fits &= any(row[1] == did.step for row in walk[:end]) != did.is_not
        kept += walk if fits else []
    return kept


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["ada", "bob", "cy"]),
            st.sampled_from("xyz"),
            st.integers(0, 9),
            st.sampled_from([{"c": "SE"}, {"c": "DE"}, {}]),
        ),
        max_size=15,
    ),
    st.sampled_from([(None, None), (3, None), (2, 8)]),
    st.booleans(),
    st.booleans(),
    st.sampled_from(["", "x", "y"]),
)
def test_a_selection_is_what_an_oracle_selects(
    rows: list[Row], time: tuple[int | None, int | None], is_not: bool, did_not: bool, before: str
) -> None:
    """All conditions together."""
    rows = [*rows, *((f"p{step}{c}", step, 5, {"c": c}) for step in "xyz" for c in ("SE", "DE"))]
    selection = Selection(
        since_ms=time[0],
        until_ms=time[1],
        where=(Where(attribute="c", values=("SE",), is_not=is_not),),
        did=(Did(step="z", before=before, is_not=did_not),),
    )
    expected = oracle(rows, selection)
    if not expected:
        with pytest.raises(ConfigError):
            select(events_of(rows), selection)
    else:
        assert rows_of(select(events_of(rows), selection)) == expected
