"""Tables: a simulated population as a lake has it: every event, and what was decided or kept back by whom."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sojourn.analytics.events import MISSING
from sojourn.analytics.simulator.observing import ID_DIGITS, Observed
from sojourn.analytics.simulator.recording import (
    ENGAGEMENT,
    OPENED,
    OPPORTUNITY,
    ORDERED,
    REVENUE,
    STEPS,
    VERSION,
    ends_at,
    rows_of,
)
from sojourn.analytics.sql.names import text_sql

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

SOURCE = "simulator"
SINK = "simulated"
BY = "by"
"""The property of an opportunity that names its channel."""
JOURNEY = "simulated-"
"""A channel's journey is called so, and by its name."""
STATE = "met"

_LAID = f"""
CREATE OR REPLACE TEMP TABLE laid AS
SELECT row_number() OVER (ORDER BY "at", person, step) AS position, person,
       'p' || lpad(CAST(person + {{first}} AS VARCHAR), {ID_DIGITS}, '0') AS id,
       make_timestamp_ms("at") AS happened_at, step, list_extract({{steps}}, step + 1) AS name,
       CASE WHEN channel <> {MISSING} THEN list_extract({{channels}}, channel + 1) END AS channel,
       channel AS code, amount
FROM given
"""
_PROPERTIES = f"""CASE name
    WHEN '{OPENED}' THEN '{{"{ENGAGEMENT}":' || amount || '}}'
    WHEN '{ORDERED}' THEN '{{"{REVENUE}":' || amount || '}}'
    WHEN '{OPPORTUNITY}' THEN '{{"{BY}":"' || channel || '"}}'
END"""
_EVENTS = f"""
INSERT INTO events BY NAME
SELECT position, happened_at AS logged_at, happened_at AS occurred_at, happened_at AS received_at,
       '{SOURCE}' AS source, 's' || position AS message_id, 'track' AS kind, name, id AS user_id,
       'u:' || id AS profile_id, CASE WHEN name <> '{OPPORTUNITY}' THEN channel END AS channel,
       {_PROPERTIES} AS properties, false AS is_bot, false AS is_history, false AS is_shadow,
       CAST(happened_at AS DATE) AS date
FROM laid ORDER BY position
"""
_ACTIONS = f"""
INSERT INTO actions BY NAME
SELECT row_number() OVER (ORDER BY position) AS fact_group, 0 AS fact_n, position, happened_at AS logged_at,
       'u:' || id AS profile_id, CASE WHEN is_held THEN 'withheld' ELSE 'decided' END AS decision,
       'a' || position AS action_id, '{SINK}' AS sink, '{JOURNEY}' || channel AS journey,
       '{VERSION}' AS version, 'e' || position AS enrolment_id, '{STATE}' AS state, channel,
       CASE WHEN is_held THEN 'held-out' END AS reason,
       CASE WHEN is_held THEN 'channel ' || channel END AS detail,
       CASE WHEN is_held THEN 'channel' END AS holdouts, CAST(happened_at AS DATE) AS date
FROM laid JOIN held USING (person, code) WHERE name = '{OPPORTUNITY}' ORDER BY position
"""
_FILE = f"""
COPY (
    SELECT 'track' AS type, name AS event, id AS user_id, happened_at AS timestamp,
           's' || position AS message_id,
           CASE WHEN name <> '{OPPORTUNITY}' THEN channel END AS "properties.channel",
           CASE WHEN name = '{OPPORTUNITY}' THEN channel END AS "properties.{BY}",
           CASE WHEN name = '{OPENED}' THEN amount END AS "properties.{ENGAGEMENT}",
           CASE WHEN name = '{ORDERED}' THEN amount END AS "properties.{REVENUE}"
    FROM laid ORDER BY position
) TO {{path}} (FORMAT parquet, COMPRESSION zstd)
"""


def insert(connection: DuckDBPyConnection, observed: Observed) -> list[str]:
    """Add all rows to a lake's tables, which lie in the database; return the names of those that got some."""
    channels = [channel.name for channel in observed.scenario.channels]
    connection.register("given", rows_of(observed)._asdict())
    connection.execute(
        _LAID.format(first=observed.first, steps=_list_sql(STEPS), channels=_list_sql(channels))
    )
    connection.unregister("given")
    n = observed.n_people
    held = {
        "person": np.tile(np.arange(n, dtype=np.int32), len(channels)),
        "code": np.repeat(np.arange(len(channels), dtype=np.int8), n),
        "is_held": observed.held.ravel(),
    }
    connection.register("held", held)
    connection.execute(_EVENTS)
    connection.execute(_ACTIONS)
    connection.unregister("held")
    return ["events", "actions"]


def write_events(connection: DuckDBPyConnection, file: Path) -> None:
    """Write what `insert` laid out as a file of events that an import reads as it is."""
    connection.execute(_FILE.format(path=text_sql(str(file))))


def counts(connection: DuckDBPyConnection) -> tuple[int, int]:
    """Count the events and the actions that `insert` added."""
    (row,) = connection.execute(
        "SELECT (SELECT count(*) FROM events), (SELECT count(*) FROM actions)"
    ).fetchall()
    return int(row[0]), int(row[1])


def reach_of(observed: Observed) -> tuple[int, int, int]:
    """Return up to where the lake goes: the last event, the last action, the end in ms."""
    met = observed.met
    several = (met.shown, met.clicked, observed.has_converted)
    n_events = observed.n_people + len(met.person) + len(observed.visits.person)
    n_events += sum(int(each.sum()) for each in several)
    return n_events, len(met.person), ends_at(observed)


def journeys_of(observed: Observed, holdout: float) -> dict[str, str]:
    """Return the files with which an engine decides the same: a journey for each channel, a policy.

    Each opportunity enters the channel's journey, which sends at once; the channel's hold-out does the rest.
    """
    files = {
        f"{JOURNEY}{channel.name}.yaml": _JOURNEY.format(name=channel.name)
        for channel in observed.scenario.channels
    }
    channels = "".join(
        f"    {channel.name}: {{ holdout: {holdout:.4%} }}\n" for channel in observed.scenario.channels
    )
    return {**files, "policy.yaml": f"policy:\n  holdout: off\n  channels:\n{channels}"}


_JOURNEY = f"""journey: {JOURNEY}{{name}}
entry: {{{{ on: {OPPORTUNITY}, when: "event.properties.{BY} == '{{name}}'" }}}}
holdout: off
states:
  {STATE}:
    do: [ {{{{ sink: {SINK}, channel: {{name}}, body: {{{{ say: {{name}} }}}} }}}} ]
    after: {{{{ 1m: done }}}}
"""


def _list_sql(texts: list[str] | tuple[str, ...]) -> str:
    return f"[{', '.join(map(text_sql, texts))}]"
