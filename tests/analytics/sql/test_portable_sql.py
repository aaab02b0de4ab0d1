"""Portable SQL: a text that any engine answers counts what the arrays count."""

from __future__ import annotations

from typing import Any

import duckdb
import numpy as np
import pytest
from hypothesis import assume, given, settings

from sojourn.analytics import sql
from sojourn.analytics.attribution import Bootstrap, JourneyRules, attribute, paths_of, read_paths
from sojourn.analytics.cases import Unit
from sojourn.analytics.funnel import Funnel, funnel
from sojourn.analytics.graph.journey_graph import Asked, journey_graph
from sojourn.analytics.graph.step_matrix import step_matrix
from sojourn.analytics.kinds import ANYTHING, Kind
from sojourn.analytics.retention import Retention, retention
from sojourn.analytics.tables import Table
from sojourn.model.errors import ConfigError
from tests.analytics.sql.histories import (
    BOUGHT,
    LOOKBACK_MS,
    NAMES,
    STEPS,
    WINDOW_MS,
    Happened,
    ask,
    events_from,
    fill,
    histories,
    questions,
)
from tests.soak import tries

UNITS: dict[Unit, str] = {"person": "people", "session": "sessions"}
FEW = settings(max_examples=tries(12), deadline=None)


def rows(table: Table, *dropped: str) -> list[dict[str, Any]]:
    """List a table's rows by what tells them apart; NaN, which is nothing in SQL, as None."""
    told = [
        {name: _plain(value) for name, value in row.items() if name not in dropped}
        for row in table.to_dicts()
    ]
    return by_text(told)


def by_text(told: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Sort rows by their texts."""
    return sorted(
        told, key=lambda row: [str(value) for value in row.values() if isinstance(value, str | int)]
    )


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and np.isnan(value) else value


def approximately(told: list[dict[str, Any]]) -> list[Any]:
    """Compare fractions to nine digits, and all else exactly."""
    return [
        {
            name: pytest.approx(value, rel=1e-9) if isinstance(value, float) else value
            for name, value in row.items()
        }
        for row in told
    ]


@pytest.fixture(scope="module")
def connection() -> duckdb.DuckDBPyConnection:
    """Open one database for all histories."""
    return duckdb.connect()


@pytest.mark.parametrize("unit", UNITS)
@FEW
@given(history=histories())
def test_nodes_and_edges_are_those_of_the_journey_graph(
    unit: Unit, history: list[Happened], connection: duckdb.DuckDBPyConnection
) -> None:
    """Whichever engine counts, by people and by sessions, with repeats and without."""
    fill(connection, history)
    events = events_from(history)
    texts = questions("duckdb")
    assume(unit == "person" or events.session is not None)
    for collapse, what in ((False, "as they are"), (True, "collapsed")):
        graph = journey_graph(events, Asked(unit=unit, collapse=collapse))
        nodes = by_text(ask(connection, texts[f"nodes of {UNITS[unit]}, {what}"]))
        edges = by_text(ask(connection, texts[f"edges of {UNITS[unit]}, {what}"]))
        unknown = [] if events.session is not None else ["sessions"]
        for row in (*nodes, *edges):
            assert row.pop("sessions") == 0 if unknown else True
        assert nodes == approximately(rows(graph.nodes, "kind", *unknown))
        assert edges == approximately(rows(graph.edges, "kind", "direction", *unknown))


@pytest.mark.parametrize("unit", UNITS)
@FEW
@given(history=histories())
def test_the_step_matrix_is_the_same_and_adds_up(
    unit: Unit, history: list[Happened], connection: duckdb.DuckDBPyConnection
) -> None:
    """Each position holds every case once."""
    fill(connection, history)
    events = events_from(history)
    assume(unit == "person" or events.session is not None)
    found = ask(connection, questions("duckdb")[f"matrix of {UNITS[unit]}"])
    expected = step_matrix(events, n_columns=4, limit=100, unit=unit).table()
    shown = [row for row in rows(expected) if row["count"] or row["kind"] == "ended"]
    assert by_text(found) == approximately(shown)


@pytest.mark.parametrize("unit", UNITS)
@FEW
@given(history=histories())
def test_a_funnel_has_as_many_at_each_stage(
    unit: Unit, history: list[Happened], connection: duckdb.DuckDBPyConnection
) -> None:
    """With a window and without; one stage comes twice, and one has two names."""
    fill(connection, history)
    events = events_from(history)
    assume(unit == "person" or events.session is not None)
    known = events.steps
    stages = (NAMES[0], NAMES[1:3], NAMES[0], NAMES[3])
    kinds = tuple(_kind(one, known) for one in stages)
    assume(all(kind.names for kind in kinds))  # a name that nobody has is refused by the arrays
    for question, within_ms in (("funnel", None), ("window", WINDOW_MS)):
        found = ask(connection, questions("duckdb")[f"{question} of {UNITS[unit]}"])
        steps = funnel(events, Funnel(steps=kinds, within_ms=within_ms, per=unit)).steps
        assert [(row["count"], row["people"]) for row in found] == [(one.count, one.people) for one in steps]


@FEW
@given(history=histories())
def test_cohorts_come_back_as_often(history: list[Happened], connection: duckdb.DuckDBPyConnection) -> None:
    """By days, weeks and months; a period that is not over is told apart from one nobody came in."""
    fill(connection, history)
    events, texts = events_from(history), questions("duckdb")
    asked = {"days": Retention(period="day", n_periods=20)}
    if NAMES[0] in events.steps and set(NAMES[1:3]) & set(events.steps):
        asked["weeks"] = Retention(
            period="week", first=_kind(NAMES[:1], events.steps), returning=_kind(NAMES[1:3], events.steps)
        )
    if BOUGHT[0] in events.steps:
        asked["months"] = Retention(period="month", first=ANYTHING, returning=_kind(BOUGHT, events.steps))
    for question, definition in asked.items():
        expected = [
            {
                "cohort": row["cohort"],
                "people": row["people"],
                "n": int(row["n"]),
                "count": row["count"] + row["count_so_far"],
                "is_over": row["status"] == "over",
            }
            for row in retention(events, definition).table().to_dicts()
            if row["status"] != "ahead"
        ]
        assert by_text(ask(connection, texts[question])) == by_text(expected)


@pytest.mark.parametrize("lookback_ms", [None, LOOKBACK_MS])
@FEW
@given(history=histories())
def test_paths_collected_credit_as_events_do(
    lookback_ms: int | None, history: list[Happened], connection: duckdb.DuckDBPyConnection
) -> None:
    """Every model runs on what was collected; the simple ones need not even that."""
    events = events_from(history)
    assume(BOUGHT[0] in events.steps and "channel" in events.columns and "worth" in events.values)
    fill(connection, history)
    rules = JourneyRules(conversion=_kind(BOUGHT, events.steps), value="worth", lookback_ms=lookback_ms)
    name = "paths" if lookback_ms is None else "recent paths"
    collected = read_paths(connection.sql(questions("duckdb")[name]))
    models, none = ["first", "last", "linear", "markov", "shapley"], Bootstrap(replicates=0)
    expected = attribute(paths_of(events, rules), models, bootstrap=none)
    for one, other in zip(attribute(collected, models, bootstrap=none), expected, strict=True):
        assert credit(one.channels) == nearly(credit(other.channels))
    rows_ = ask(connection, questions("duckdb")[name.replace("paths", "credit")])
    for model, answer in zip(models[:3], expected, strict=False):
        told = {row["channel"]: (row[f"{model}_conversions"], row[f"{model}_value"]) for row in rows_}
        wanted = {channel: sums for channel, sums in credit(answer.channels).items() if any(sums)}
        assert {channel: sums for channel, sums in told.items() if any(sums)} == nearly(wanted)


def credit(channels: Any) -> dict[str, tuple[float, float]]:
    """Return what each channel is credited."""
    return {one.channel: (one.conversions, one.value) for one in channels}


def nearly(credited: dict[str, tuple[float, float]]) -> dict[str, Any]:
    """Compare credit to nine digits behind the point."""
    return {channel: pytest.approx(sums, abs=1e-9) for channel, sums in credited.items()}


def _kind(names: str | tuple[str, ...], known: Any) -> Kind:
    wanted = (names,) if isinstance(names, str) else names
    return Kind(names=tuple(name for name in wanted if name in known))


def test_names_of_columns_and_texts_are_nothing_else_in_a_query() -> None:
    """A column may be called anything; so may a step."""
    connection = duckdb.connect()
    connection.execute("""CREATE TABLE t ("a ""b" VARCHAR, "c;" VARCHAR, d TIMESTAMP)""")
    connection.execute("INSERT INTO t VALUES ('ada', 'it''s', '2026-01-01'), ('ada', 'x', '2026-01-02')")
    steps = sql.Steps(table="t", person='a "b', step="c;", time="d", session=None, ties=())
    assert ask(connection, sql.funnel(["it's", "x"], steps)) == [
        {"n": 1, "step": "it's", "count": 1, "people": 1},
        {"n": 2, "step": "x", "count": 1, "people": 1},
    ]
    assert ask(connection, sql.journey_edges(steps))[0]["sessions"] is None


def test_a_stage_that_nobody_reached_has_a_row() -> None:
    """And so have all stages where there is nobody."""
    connection = duckdb.connect()
    connection.execute("CREATE TABLE t (who VARCHAR, did VARCHAR, seen TIMESTAMP)")
    steps = sql.Steps(table="t", person="who", step="did", time="seen", session=None, ties=())
    none = [{"n": n, "step": step, "count": 0, "people": 0} for n, step in ((1, "View"), (2, "Buy"))]
    assert ask(connection, sql.funnel(["View", "Buy"], steps)) == none
    connection.execute("INSERT INTO t VALUES ('ada', 'View', '2026-01-01'), ('bob', 'Look', '2026-01-01')")
    first = {"n": 1, "step": "View", "count": 1, "people": 1}
    assert ask(connection, sql.funnel(["View", "Buy"], steps)) == [first, none[1]]


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda: sql.funnel([]), "0 steps: expected 1 to 32"),
        (lambda: sql.funnel(["a"], within_ms=-1), "shorter than nothing"),
        (lambda: sql.step_matrix(n_columns=0), "0 columns: expected 1 to 200"),
        (lambda: sql.retention(period="year"), "expected a period of day, week, month"),  # type: ignore[arg-type]
        (lambda: sql.retention(n_periods=1_000), "at most 999"),
        (lambda: sql.touch_paths([]), "there is no conversion"),
        (lambda: sql.touch_paths(["a"], lookback_ms=0), "expected more than 0"),
        (lambda: sql.journey_nodes(STEPS, dialect="oracle"), "expected a dialect of duckdb, spark"),  # type: ignore[arg-type]
        (lambda: sql.journey_nodes(sql.Steps(session=None), by_session=True), "the table has no sessions"),
    ],
)
def test_what_cannot_be_asked_is_refused_before_any_engine_sees_it(write: Any, message: str) -> None:
    """An engine's own message would be about SQL that nobody wrote."""
    with pytest.raises(ConfigError, match=message):
        write()
