"""Reading: first opportunities out of a lake's actions, in SQL.

A row counts for a hold-out where nothing but this hold-out decided: an action that went out, or a ghost that
it alone kept back. What another hold-out keeps back tells nothing of this one, in either arm.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sojourn.analytics.causal.trials import Trials, Unit, UnitKind

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_KINDS: dict[UnitKind, tuple[str, str]] = {
    "everything": ("global", "''"),
    "channel": ("channel", "channel"),
    "journey": ("journey", "journey"),
    "node": ("node", "journey || '/' || state"),
}
"""Kind of unit -> (the word of its hold-out, SQL of its name)."""

EXPECTED_GHOSTS = 10
"""A state that should have so many ghosts and has none asks no hold-out: it is transactional."""

_SETTLED = """
CREATE OR REPLACE TEMP TABLE settled AS
SELECT p.code AS person, a.logged_at, a.fact_group, a.fact_n, a.journey,
       coalesce(a.version, '') AS version, a.state,
       coalesce(a.channel, '') AS channel, a.decision = 'withheld' AS is_ghost,
       string_split(coalesce(nullif(a.holdouts, ''), CASE WHEN a.decision = 'withheld'
           THEN split_part(a.detail, ' ', 1) ELSE '' END), ',') AS keepers
FROM actions a JOIN people_by_code p USING (person_id)
WHERE a.decision = 'decided' OR (a.decision = 'withheld' AND a.reason = 'held-out')
"""
_ROWS = """
SELECT '{kind}' AS kind, {name} AS name, person, logged_at, fact_group, fact_n, journey, state, version,
       is_ghost,
       NOT is_ghost AND keepers <> [''] AS is_owed
FROM settled
WHERE {name} IS NOT NULL AND ('{kind}' = 'everything' OR {name} <> '')
  AND (keepers = [''] OR keepers = ['{word}'])
"""
_FIRST = f"""
CREATE OR REPLACE TEMP TABLE first_opportunities AS
WITH rows AS ({{rows}}),
nodes AS (
    SELECT kind, name, journey, state, count(*) AS n, count(*) FILTER (is_ghost) AS ghosts,
           bool_or(is_owed) AS is_owed
    FROM rows GROUP BY ALL
),
units AS (SELECT kind, name, sum(ghosts) / sum(n) AS share FROM nodes GROUP BY ALL HAVING sum(ghosts) > 0),
asked AS (
    SELECT kind, name, journey, state FROM nodes JOIN units USING (kind, name)
    WHERE NOT is_owed AND (ghosts > 0 OR n * share < {EXPECTED_GHOSTS})
)
SELECT kind, name, person, min(logged_at) AS first_at,
       arg_min(is_ghost, (logged_at, fact_group, fact_n)) AS is_held,
       bool_or(is_ghost) AND NOT bool_and(is_ghost) AS is_mixed,
       arg_min(version, (logged_at, fact_group, fact_n)) AS version
FROM rows JOIN asked USING (kind, name, journey, state)
GROUP BY kind, name, person
"""
_NUMBERED = """
SELECT dense_rank() OVER (ORDER BY kind, name) - 1 AS unit, person, epoch_ms(first_at) AS first_ms, is_held,
       is_mixed, dense_rank() OVER (ORDER BY version) - 1 AS version
FROM first_opportunities ORDER BY unit, person
"""
# Assignment hashes the id a person had when a hold-out was first asked, and keeps it: at their first entry,
# or else at their first action. Of who was never asked, any id will do.
_IDS = """
SELECT substr(coalesce(asked.profile_id, seen.profile_id, '  '), 3)
FROM people_by_code LEFT JOIN (
    SELECT person_id, arg_min(profile_id, (fact_group, fact_n)) AS profile_id FROM (
        SELECT person_id, profile_id, fact_group, fact_n FROM enrolment_changes WHERE change = 'entered'
        UNION ALL SELECT person_id, profile_id, fact_group, fact_n FROM actions
    ) GROUP BY person_id
) asked USING (person_id) LEFT JOIN (
    SELECT person_id, arg_min(profile_id, position) AS profile_id FROM events
    WHERE profile_id IS NOT NULL GROUP BY person_id
) seen USING (person_id) ORDER BY code
"""
_BOTS = """
SELECT DISTINCT p.code FROM events JOIN people_by_code p USING (person_id) WHERE is_bot ORDER BY code
"""
_MASKED = """
SELECT count(*) FILTER (len(keepers) > 1), count(*) FILTER (NOT is_ghost AND keepers <> ['']) FROM settled
"""


def read_trials(connection: DuckDBPyConnection, people: Sequence[str]) -> Trials:
    """Read every hold-out's trial.

    Args:
        connection: `actions`, `enrolment_changes` and `events` lie in it, as a lake's reader has them.
        people: Who is known; rows of others (who came meanwhile) are not read.
    """
    codes = {"person_id": np.array(people, dtype=object), "code": np.arange(len(people), dtype=np.int32)}
    connection.register("people_given", codes)
    connection.execute("CREATE OR REPLACE TEMP TABLE people_by_code AS SELECT * FROM people_given")
    connection.unregister("people_given")
    connection.execute(_SETTLED)
    rows = " UNION ALL ".join(
        _ROWS.format(kind=kind, word=word, name=name) for kind, (word, name) in _KINDS.items()
    )
    connection.execute(_FIRST.format(rows=rows))
    units = connection.execute("SELECT DISTINCT kind, name FROM first_opportunities ORDER BY ALL").fetchall()
    versions = connection.execute("SELECT DISTINCT version FROM first_opportunities ORDER BY ALL").fetchall()
    numbered = connection.execute(_NUMBERED).fetchnumpy()
    several, owed = connection.execute(_MASKED).fetchall()[0]
    left_out = {"kept-by-several-hold-outs": several, "owed-whatever-hold-out": owed}
    bots = connection.execute(_BOTS).fetchnumpy()["code"]
    return Trials(
        units=tuple(Unit(*row) for row in units),
        unit=_plain(numbered["unit"]).astype(np.int32),
        person=_plain(numbered["person"]).astype(np.int32),
        at=_plain(numbered["first_ms"]).astype(np.int64),
        is_held=_plain(numbered["is_held"]).astype(bool),
        is_mixed=_plain(numbered["is_mixed"]).astype(bool),
        version=_plain(numbered["version"]).astype(np.int32),
        versions=tuple(version for (version,) in versions),
        ids=[first for (first,) in connection.execute(_IDS).fetchall()],
        bots=_plain(bots).astype(np.int32),
        left_out={reason: n for reason, n in left_out.items() if n},
    )


def _plain(column: Any) -> NDArray[Any]:
    """Take the mask away from a column that has no nulls."""
    return np.asarray(getattr(column, "data", column)) if isinstance(column, np.ma.MaskedArray) else column
