"""Resolving: who a profile is by now, and what became of visits and enrolments, computed from all facts.

Facts say what was known when they were written. People are named later, late events move visits: so a reader
does not change what is written, but joins what was learnt since (`identities`, `session_names`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from sojourn.model.lake import EVENTS, TABLES

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# Whoever names a device first takes what was lived on it before; nobody does where their limit was reached.
FIRST_OWNERS = """
SELECT 'a:' || id AS profile_id, arg_min(owner, position) AS owner, min(position) AS until_position,
       arg_min(logged_at, position) AS until_at
FROM (
    SELECT anonymous_id AS id, profile_id AS owner, position, logged_at FROM raw.identity_changes
    WHERE change = 'identified' AND anonymous_id IS NOT NULL
    UNION ALL
    SELECT other_id, '', position, logged_at FROM raw.identity_changes WHERE reason = 'merge-limit'
)
GROUP BY id
"""
"""SQL of who named each device first; an owner without a name is nobody."""
_POINTERS = """
SELECT profile_id, 'u:' || arg_max(user_id, position) FROM raw.identity_changes
WHERE change = 'identified' AND anonymous_id IS NULL GROUP BY profile_id
"""
_IDENTITIES = """
CREATE TABLE identities AS
SELECT f.profile_id, coalesce(a.person_id, f.owner) AS person_id, until_position, until_at
FROM first_owners f LEFT JOIN aliases a ON a.profile_id = f.owner WHERE f.owner <> ''
UNION ALL
SELECT profile_id, person_id, NULL, NULL FROM aliases WHERE person_id <> profile_id
"""

PERSON = """CASE
    WHEN i.person_id IS NULL THEN t.profile_id
    WHEN i.until_position IS NULL THEN i.person_id
    WHEN CASE WHEN t.position > 0 THEN t.position < i.until_position ELSE t.logged_at <= i.until_at END
    THEN i.person_id
    ELSE t.profile_id
END"""
"""SQL of whom a row of `t` is about, with JOIN_PEOPLE behind it."""
JOIN_PEOPLE = "LEFT JOIN identities i ON i.profile_id = t.profile_id"
_WITH_PERSON = f"""
CREATE VIEW {{table}} AS
SELECT t.*, {PERSON} AS person_id FROM raw.{{table}} t {JOIN_PEOPLE}
"""
_WITH_SESSION = f"""
CREATE VIEW {{table}} AS
SELECT t.* REPLACE (coalesce(n.name, t.session_id) AS session_id)
FROM (
    SELECT t.*, {PERSON} AS person_id FROM raw.{{table}} t
    {JOIN_PEOPLE}
) t
LEFT JOIN session_names n ON n.person_id = t.person_id AND n.session_id = t.session_id
"""

# A visit's name is its first event's; each earlier name leads to the next one.
_SESSION_NAMES = f"""
CREATE TEMP TABLE session_names AS
SELECT person_id, old AS session_id, arg_max(session_id, (fact_group, fact_n)) AS name
FROM (
    SELECT {PERSON} AS person_id, unnest(string_split(t.replaces, ',')) AS old, t.session_id, t.fact_group,
           t.fact_n
    FROM raw.session_changes t {JOIN_PEOPLE}
    WHERE t.change = 'revised' AND t.replaces IS NOT NULL
)
WHERE old <> session_id GROUP BY person_id, old
"""
_FOLLOW_NAMES = """
UPDATE session_names SET name = further.name FROM session_names further
WHERE further.person_id = session_names.person_id AND further.session_id = session_names.name
"""
MAX_DOUBLINGS = 40  # Each doubles how far a name leads: more than 10^12 late events of one visit.

_SESSIONS = """
CREATE VIEW sessions AS
WITH changes AS (
    SELECT c.* REPLACE (coalesce(n.name, c.session_id) AS session_id)
    FROM session_changes c
    LEFT JOIN session_names n ON n.person_id = c.person_id AND n.session_id = c.session_id
), began AS (
    SELECT person_id, session_id, min(started_at) AS started_at, max(ended_at) AS ended_at,
           nullif(arg_min(coalesce(channel, ''), (started_at, -fact_group, -fact_n))
                  FILTER (change <> 'ended'), '') AS channel,
           arg_max(n_events, (fact_group, fact_n)) FILTER (change = 'ended') AS n_events,
           arg_max(change, (fact_group, fact_n)) = 'ended' AS is_over
    FROM changes GROUP BY person_id, session_id
), taken AS (
    SELECT person_id, session_id, count(*) AS n_steps, max(occurred_at) AS last_at,
           arg_min(name, (occurred_at, position)) AS first_step,
           arg_max(name, (occurred_at, position)) AS last_step
    FROM steps WHERE session_id IS NOT NULL GROUP BY person_id, session_id
)
SELECT session_id, person_id, started_at, greatest(started_at, ended_at, last_at) AS ended_at,
       coalesce(n_steps, 0) AS n_steps, n_events, first_step, last_step, channel, is_over
FROM began LEFT JOIN taken USING (person_id, session_id)
"""
_ENROLMENTS = """
CREATE VIEW enrolments AS
WITH entered AS (SELECT * FROM enrolment_changes WHERE change = 'entered'),
exited AS (
    SELECT enrolment_id, arg_max(logged_at, (fact_group, fact_n)) AS exited_at,
           arg_max(reason, (fact_group, fact_n)) AS exit_reason,
           arg_max(coalesce(states, ''), (fact_group, fact_n)) AS states
    FROM enrolment_changes WHERE change = 'exited' GROUP BY enrolment_id
), moved AS (
    SELECT enrolment_id, arg_max(coalesce(to_states, ''), (fact_group, fact_n)) AS states,
           arg_max(version, (fact_group, fact_n)) FILTER (change = 'migrated') AS version,
           count(*) FILTER (change = 'moved') AS n_moves
    FROM transitions GROUP BY enrolment_id
), converted AS (
    SELECT enrolment_id, arg_min(logged_at, (fact_group, fact_n)) AS converted_at,
           arg_min(coalesce(value, 'nan'::DOUBLE), (fact_group, fact_n)) AS value
    FROM conversions GROUP BY enrolment_id
)
SELECT enrolment_id, person_id, journey, coalesce(m.version, e.version) AS version, entry_key,
       e.logged_at AS entered_at, held_out, holdout, parent_id,
       nullif(coalesce(x.states, m.states), '') AS states, coalesce(n_moves, 0) AS n_moves,
       exited_at, exit_reason, converted_at, CASE WHEN NOT isnan(c.value) THEN c.value END AS value
FROM entered e
LEFT JOIN exited x USING (enrolment_id)
LEFT JOIN moved m USING (enrolment_id)
LEFT JOIN converted c USING (enrolment_id)
"""
_PEOPLE = """
CREATE VIEW people AS
SELECT person_id, count(DISTINCT profile_id) AS n_profiles, min(occurred_at) AS first_seen_at,
       max(occurred_at) AS last_seen_at, count(*) AS n_steps, count(DISTINCT session_id) AS n_sessions
FROM steps GROUP BY person_id
"""


def resolve(connection: DuckDBPyConnection) -> None:
    """Make the tables that a reader asks, out of those in the schema `raw`."""
    resolve_people(connection)
    _name_sessions(connection)
    for name in TABLES:
        has_session = name in (EVENTS.name, "steps")
        connection.execute((_WITH_SESSION if has_session else _WITH_PERSON).format(table=name))
    for view in (_SESSIONS, _ENROLMENTS, _PEOPLE):
        connection.execute(view)


def resolve_people(connection: DuckDBPyConnection) -> dict[str, str]:
    """Make `identities`; return the user each aliased profile points to."""
    connection.execute(f"CREATE TEMP TABLE first_owners AS {FIRST_OWNERS}")
    pointers = dict(connection.execute(_POINTERS).fetchall())
    people = follow_aliases(pointers)
    connection.execute("CREATE TEMP TABLE aliases (profile_id VARCHAR, person_id VARCHAR)")
    if people:
        connection.executemany("INSERT INTO aliases VALUES (?, ?)", list(people.items()))
    connection.execute(_IDENTITIES)
    return pointers


def follow_aliases(pointers: Mapping[str, str]) -> dict[str, str]:
    """Say who each aliased profile is: the end of its chain of aliases.

    Aliases said in a circle make all of it one person, who has the name that sorts first.
    """
    people: dict[str, str] = {}
    for profile in pointers:
        walked: dict[str, int] = {}
        at = profile
        while at not in people and at in pointers and pointers[at] != at and at not in walked:
            walked[at] = len(walked)
            at = pointers[at]
        person = people.get(at, at)
        if at in walked:
            person = min(name for name, place in walked.items() if place >= walked[at])
        people.update(dict.fromkeys(walked, person))
    return people


def _name_sessions(connection: DuckDBPyConnection) -> None:
    connection.execute(_SESSION_NAMES)
    for _ in range(MAX_DOUBLINGS):
        if not connection.execute(_FOLLOW_NAMES).fetchall()[0][0]:
            return
    raise AssertionError("a visit's names lead back to it")
