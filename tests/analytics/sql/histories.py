"""Histories: random small ones, as a table for SQL and as encoded events; and all the questions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import duckdb
from hypothesis import strategies as st

from sojourn.analytics import sql
from sojourn.analytics.events import Events
from sojourn.analytics.sql import DialectName, Steps
from tests.analytics.making import DAY, events_of

STEPS = Steps(table="history", person="who", step="did", time="seen", session="visit", ties=("n",))
NAMES = ("View", "it's", 'a "cart" \\n', "Buy")
BOUGHT = ("Buy",)
WINDOW_MS = 40 * DAY
LOOKBACK_MS = 30 * DAY
# Two changes of the clock in New York lie in it, and an instant before 1970.
FIRST = datetime(2026, 2, 20, tzinfo=UTC)
_COLUMNS = "who VARCHAR, did VARCHAR, seen TIMESTAMP, visit VARCHAR, n BIGINT, channel VARCHAR, worth DOUBLE"


class Happened(NamedTuple):
    """One event."""

    who: str
    did: str
    after_ms: int
    """Since FIRST."""
    visit: str | None
    channel: str | None
    worth: float | None


def histories() -> st.SearchStrategy[list[Happened]]:
    """Draw events of a few people over some months, many at one instant."""
    after = st.one_of(
        st.integers(0, 3).map(lambda day: day * DAY),
        st.integers(0, 300 * DAY),
        st.integers(-60 * 365 * DAY, 0),
    )
    one = st.builds(
        Happened,
        st.sampled_from(["ada", "bob", "001", "ü"]),
        st.sampled_from(NAMES),
        after,
        st.sampled_from(["s1", "s2", None]),
        st.sampled_from(["Search", "Email", "Social's", None, None]),
        st.sampled_from([None, 0.0, 2.5, 10.0]),
    )
    return st.lists(one, min_size=1, max_size=25)


def events_from(history: list[Happened]) -> Events:
    """Encode a history."""
    rows = []
    for one in history:
        extra: dict[str, Any] = {"channel": one.channel} if one.channel else {}
        extra |= {"session": one.visit} if one.visit else {}
        extra |= {"worth": one.worth} if one.worth is not None else {}
        at = FIRST + timedelta(milliseconds=one.after_ms)
        rows.append((one.who, one.did, round(at.timestamp() * 1000), extra))
    return events_of(rows)


def fill(connection: duckdb.DuckDBPyConnection, history: list[Happened]) -> None:
    """Make the table `history`, rows that are no events among them."""
    rows: list[tuple[Any, ...]] = [
        (one.who, one.did, _plain(one.after_ms), one.visit, n, one.channel, one.worth)
        for n, one in enumerate(history)
    ]
    rows += [(None, "Buy", _plain(0), None, 90, "Search", 1.0), ("ada", None, _plain(0), None, 91, None, 1.0)]
    rows += [("ada", "Buy", None, None, 92, "Search", 1.0), ("", "Buy", _plain(0), "s1", 93, "Search", 1.0)]
    connection.execute(f"CREATE OR REPLACE TABLE history ({_COLUMNS})")
    connection.executemany("INSERT INTO history VALUES (?, ?, ?, ?, ?, ?, ?)", rows)


def ask(connection: duckdb.DuckDBPyConnection, text: str) -> list[dict[str, Any]]:
    """Return the rows by column."""
    relation = connection.sql(text)
    return [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]


def questions(dialect: DialectName) -> dict[str, str]:
    """Write every question in one dialect, each in its variants."""
    asked: dict[str, Callable[..., str]] = {}
    for by_session in (False, True):
        of = "sessions" if by_session else "people"
        for collapse in (False, True):
            what = f"{of}, {'collapsed' if collapse else 'as they are'}"
            asked[f"nodes of {what}"] = _with(sql.journey_nodes, by_session=by_session, collapse=collapse)
            asked[f"edges of {what}"] = _with(sql.journey_edges, by_session=by_session, collapse=collapse)
        asked[f"matrix of {of}"] = _with(sql.step_matrix, n_columns=4, by_session=by_session)
        stages = (NAMES[0], NAMES[1:3], NAMES[0], NAMES[3])
        asked[f"funnel of {of}"] = _with(sql.funnel, stages, by_session=by_session)
        asked[f"window of {of}"] = _with(sql.funnel, stages, within_ms=WINDOW_MS, by_session=by_session)
    asked["days"] = _with(sql.retention, period="day", n_periods=20)
    asked["weeks"] = _with(sql.retention, period="week", first=NAMES[:1], returning=NAMES[1:3])
    asked["months"] = _with(sql.retention, period="month", returning=BOUGHT)
    for name, ask_ in (("paths", sql.touch_paths), ("credit", sql.position_credit)):
        asked[name] = _with(ask_, BOUGHT, value="worth")
        asked[f"recent {name}"] = _with(ask_, BOUGHT, value="worth", lookback_ms=LOOKBACK_MS)
    return {name: write(steps=STEPS, dialect=dialect) for name, write in asked.items()}


def _with(write: Callable[..., str], *first: Any, **options: Any) -> Callable[..., str]:
    return lambda **more: write(*first, **options, **more)


def _plain(after_ms: int) -> datetime:
    return (FIRST + timedelta(milliseconds=after_ms)).replace(tzinfo=None)
