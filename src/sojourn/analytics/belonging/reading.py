"""Reading: who was in which segment and who met which variant, out of a lake's facts, in SQL.

The times of events are told by the devices they happened on, and facts by the log's clock, which is later by
the way an event takes. So that both can be held against each other, what an event caused is told by the time
of that event, and what a timer caused by the instant it was due.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from sojourn.analytics.belonging.known import ALWAYS, NEVER, Belonging, Encounter
from sojourn.analytics.belonging.spans import Spans
from sojourn.definitions.suggestions import did_you_mean
from sojourn.model.errors import ConfigError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


class Wanted(NamedTuple):
    """Which segments and experiments a question names."""

    segments: tuple[str, ...] = ()
    experiments: tuple[str, ...] = ()


class ListedSegment(Struct, frozen=True, kw_only=True):
    """A segment, by its facts."""

    segment: str
    people: int
    """Who was ever in it."""
    first_at_ms: int
    """When somebody came into it first, by the log's clock."""
    last_at_ms: int
    """When somebody came into it, or left it, last."""


class ListedSegments(Struct, frozen=True, kw_only=True):
    """All segments anybody was ever in."""

    segments: list[ListedSegment]
    definition: dict[str, str]


_AT = "epoch_ms(coalesce(e.occurred_at, f.logged_at))"
_CAUSE = "LEFT JOIN raw.events e ON f.position > 0 AND e.position = f.position"

# An id that belongs to another person by now is in no segment any more, whatever time makes of what is left
# under it: what they do is told under the other's.
_SPANS = f"""
WITH gone AS (
    SELECT profile_id, min(gone_at) AS gone_at FROM (
        SELECT profile_id, until_at AS gone_at FROM identities WHERE until_at IS NOT NULL
        UNION ALL
        SELECT profile_id, logged_at FROM raw.identity_changes
        WHERE change = 'identified' AND anonymous_id IS NULL
          AND profile_id IN (SELECT profile_id FROM aliases)
    ) GROUP BY profile_id
), said AS (
    SELECT f.person_id, f.profile_id, f.change, f.fact_group, f.fact_n, {_AT} AS at_ms,
           CASE WHEN f.person_id <> f.profile_id THEN epoch_ms(gone.gone_at) END AS gone_at
    FROM segment_changes f {_CAUSE} LEFT JOIN gone ON gone.profile_id = f.profile_id
    WHERE f.segment = ? AND f.person_id IS NOT NULL
), ordered AS (
    SELECT *, row_number() OVER each AS n, lead(at_ms) OVER each AS next_at FROM said
    WINDOW each AS (PARTITION BY person_id, profile_id ORDER BY fact_group, fact_n)
)
SELECT person_id, CASE WHEN change = 'entered' THEN at_ms ELSE {ALWAYS} END AS began,
       least(CASE WHEN change = 'entered' THEN coalesce(next_at, {NEVER}) ELSE at_ms END,
             coalesce(gone_at, {NEVER})) AS ended
FROM ordered WHERE (change = 'entered' OR n = 1) AND at_ms < coalesce(gone_at, {NEVER})
"""
_FIRST_MET = f"""
SELECT person_id, arg_min(variant, (logged_at, fact_group, fact_n)) AS variant,
       arg_min(at_ms, (logged_at, fact_group, fact_n)) AS at_ms
FROM (
    SELECT f.person_id, f.variant, f.logged_at, f.fact_group, f.fact_n, {_AT} AS at_ms
    FROM exposures f {_CAUSE}
    WHERE f.experiment = ? AND f.person_id IS NOT NULL
) GROUP BY person_id
"""
_SEGMENTS = """
SELECT segment, count(DISTINCT person_id), epoch_ms(min(logged_at)), epoch_ms(max(logged_at))
FROM segment_changes WHERE person_id IS NOT NULL GROUP BY segment ORDER BY segment
"""


def segments_in(connection: DuckDBPyConnection) -> ListedSegments:
    """List every segment that anybody was ever in, by name."""
    rows = connection.execute(_SEGMENTS).fetchall()
    return ListedSegments(
        segments=[
            ListedSegment(segment=name, people=people, first_at_ms=first, last_at_ms=last)
            for name, people, first, last in rows
        ],
        definition={"people": "who was ever in it, by who they are now"},
    )


def read_belonging(connection: DuckDBPyConnection, people: Sequence[str], wanted: Wanted) -> Belonging:
    """Read what a question names.

    Args:
        connection: `segment_changes`, `exposures` and `identities` lie in it, as a lake's reader has them.
        people: Whose events are asked about; facts of others (who came meanwhile) are not read.
        wanted: Segments and experiments by name.

    Raises:
        ConfigError: Nobody was ever in a segment, or nobody met an experiment, of a name.
    """
    segments = {name: _rows(connection, _SPANS, name) for name in wanted.segments}
    met = {name: _rows(connection, _FIRST_MET, name) for name in wanted.experiments}
    for name, rows in segments.items():
        if not len(rows["person_id"]):
            known = connection.execute("SELECT DISTINCT segment FROM segment_changes").fetchall()
            hint = did_you_mean(name, [one for (one,) in known])
            raise ConfigError(f"nobody was ever in a segment named {name!r}{hint}")
    for name, rows in met.items():
        if not len(rows["person_id"]):
            known = connection.execute("SELECT DISTINCT experiment FROM exposures").fetchall()
            hint = did_you_mean(name, [one for (one,) in known])
            raise ConfigError(f"nobody met an experiment named {name!r}{hint}")
    named = {person for rows in (*segments.values(), *met.values()) for person in rows["person_id"].tolist()}
    places = {person: i for i, person in enumerate(people) if person in named}
    return Belonging(
        {name: _spans(rows, places) for name, rows in segments.items()},
        {name: _encounter(rows, places, len(people)) for name, rows in met.items()},
    )


def _rows(connection: DuckDBPyConnection, sql: str, name: str) -> dict[str, NDArray[Any]]:
    fetched = connection.execute(sql, [name]).fetchnumpy()
    return {column: np.ma.getdata(values) for column, values in fetched.items()}


def _spans(rows: Mapping[str, NDArray[Any]], places: Mapping[str, int]) -> Spans:
    person = _places(rows, places)
    known = person >= 0
    return Spans.of(
        person[known], rows["began"][known].astype(np.int64), rows["ended"][known].astype(np.int64)
    )


def _encounter(rows: Mapping[str, NDArray[Any]], places: Mapping[str, int], n_people: int) -> Encounter:
    arms, codes = np.unique(rows["variant"].astype(str), return_inverse=True)
    person = _places(rows, places)
    known = person >= 0
    arm, at = np.full(n_people, -1, dtype=np.int32), np.full(n_people, NEVER, dtype=np.int64)
    arm[person[known]] = codes[known]
    at[person[known]] = rows["at_ms"][known]
    return Encounter(arms.tolist(), arm, at)


def _places(rows: Mapping[str, NDArray[Any]], places: Mapping[str, int]) -> NDArray[np.int64]:
    ids = rows["person_id"].tolist()
    return np.fromiter((places.get(person, -1) for person in ids), np.int64, len(ids))
