"""Decisions: what a data folder's lake says of an experiment's random choices, and what came of each."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from sojourn.definitions.suggestions import did_you_mean
from sojourn.model.errors import ConfigError, InputError
from sojourn.wiring.lake import open_lake

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from sojourn.analytics.policies.encoding import Logged

WITHIN_MS = 7 * 86_400_000
"""How long a reward may take, unless somebody says otherwise: a week, for one of each weekday."""

_MET = """
    CREATE TEMP TABLE met AS
    SELECT row_number() OVER (ORDER BY fact_group, fact_n) AS n, person_id, variant, propensity, eligible,
           context, enrolment_id, logged_at,
           logged_at + to_milliseconds($within) > make_timestamp_ms($now) AS is_young,
           row_number() OVER (PARTITION BY person_id ORDER BY fact_group, fact_n) > 1 AS is_again,
           person_id IN (SELECT person_id FROM events WHERE is_bot) IS TRUE AS is_robot
    FROM exposures WHERE experiment = $experiment AND propensity > 0
"""
# Bounds are of the log's clock, by which exposures happen: what came in the window, and after.
_GOALS = """
    CREATE TEMP TABLE won AS
    SELECT met.n, 1.0 AS reward FROM met JOIN conversions AS won USING (enrolment_id)
    WHERE won.logged_at BETWEEN met.logged_at AND met.logged_at + to_milliseconds($within)
"""
_EVENTS = """
    CREATE TEMP TABLE won AS
    SELECT met.n, coalesce(try_cast(did.properties ->> $value AS DOUBLE), 0) AS reward
    FROM met JOIN events AS did USING (person_id)
    WHERE did.name = $event AND did.logged_at > met.logged_at
      AND did.logged_at <= met.logged_at + to_milliseconds($within)
"""
_REWARDED = """
    CREATE TEMP TABLE rewarded AS
    SELECT person_id, variant, propensity, eligible, context,
           (CASE WHEN $is_sum THEN coalesce(sum(reward), 0) ELSE least(count(reward), 1) END)::DOUBLE
           AS reward
    FROM met LEFT JOIN won USING (n) WHERE NOT is_young AND NOT is_again AND NOT is_robot
    GROUP BY n, person_id, variant, propensity, eligible, context ORDER BY n
"""
_COLUMNS = {
    "variant": "variant", "reward": "reward", "propensity": "propensity", "context": "context",
    "person": "person_id", "eligible": "eligible",
}  # fmt: skip


class Rewards(Struct, frozen=True, kw_only=True):
    """What a decision is to bring about."""

    event: str | None = None
    """An event of the person; None: the goal of the enrolment."""
    value: str | None = None
    """A property of it that is summed up; None: whether it came at all."""
    within_ms: int = WITHIN_MS
    """After the exposure. Decisions that are younger are left out."""

    def told(self) -> dict[str, Any]:
        """Say what they are, for whoever reads a number."""
        what = self.event or "the journey's goal"
        return {
            "reward": f"the sum of {self.value} of {what}" if self.value else f"1 where {what} came, else 0",
            "within_ms": self.within_ms,
        }


def read_logged(data: Path, experiment: str, rewards: Rewards) -> Logged:
    """Read an experiment's decisions up to this instant, each person's first.

    Raises:
        ConfigError: There is no lake, nobody met the experiment, or its reward is no goal.
        InputError: No decision is old enough.
    """
    from sojourn.analytics.policies.encoding import encode  # noqa: PLC0415 - help needs no numbers

    if rewards.value is not None and rewards.event is None:
        raise ConfigError("--value is a property of an event; name the event with --event")
    with open_lake(data) as lake:
        connection = lake.connection
        _meet(connection, experiment, within_ms=rewards.within_ms, now_ms=lake.reach.clock)
        _reward(connection, rewards)
        if not _count(connection, "SELECT count(*) FROM rewarded"):
            reason = f"nobody met {experiment!r} long enough ago; wait, or make --within shorter"
            raise InputError("no-decisions", reason, path=str(data), status=404)
        left_out = _left_out(connection)
        return encode(connection, "rewarded", _COLUMNS, place=str(data), left_out=left_out)


def _meet(connection: DuckDBPyConnection, experiment: str, *, within_ms: int, now_ms: int) -> None:
    """Collect who met the experiment; raise ConfigError where nobody did."""
    connection.execute(_MET, {"within": within_ms, "now": now_ms, "experiment": experiment})
    if not _count(connection, "SELECT count(*) FROM met"):
        rows = connection.execute("SELECT DISTINCT experiment FROM exposures ORDER BY 1").fetchall()
        names = [str(name) for (name,) in rows]
        known = f"those that were met are {', '.join(names)}" if names else "nobody met any experiment yet"
        raise ConfigError(f"nobody met {experiment!r}{did_you_mean(experiment, names)}; {known}")


def _reward(connection: DuckDBPyConnection, rewards: Rewards) -> None:
    names: dict[str, Any] = {"within": rewards.within_ms}
    if rewards.event is None:
        if not _count(connection, "SELECT count(enrolment_id) FROM met"):
            raise ConfigError("a flag has no goal of its own; name what it is for with --event")
        sql = _GOALS
    else:
        sql = _EVENTS
        names |= {"event": rewards.event, "value": rewards.value or ""}
    connection.execute(sql, names)
    connection.execute(_REWARDED, {"is_sum": rewards.value is not None})


def _left_out(connection: DuckDBPyConnection) -> dict[str, int]:
    robots, young, again = connection.execute(
        "SELECT count(*) FILTER (is_robot), count(*) FILTER (NOT is_robot AND is_young AND NOT is_again), "
        "count(*) FILTER (NOT is_robot AND is_again) FROM met"
    ).fetchall()[0]
    reasons = {"of-a-robot": robots, "too-young": young, "met-again": again}
    return {reason: n for reason, n in reasons.items() if n}


def _count(connection: DuckDBPyConnection, sql: str) -> int:
    return int(connection.execute(sql).fetchall()[0][0])
