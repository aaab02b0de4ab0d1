"""Graph: the steps people take and the moves between them, and where they are step by step, as SQL."""

from __future__ import annotations

from sojourn.analytics.sql.dialects import DialectName
from sojourn.analytics.sql.steps import Asking, Steps, case_key, query, select
from sojourn.model.errors import ConfigError

MAX_COLUMNS = 200
_QUANTILES = ("0.5", "0.9")


def journey_nodes(
    steps: Steps = Steps(),  # noqa: B008 - it is frozen
    *,
    by_session: bool = False,
    collapse: bool = False,
    dialect: DialectName = "duckdb",
) -> str:
    """Write the nodes of the journey graph: one row a step, as `journey_graph(events).nodes` has them.

    Columns: name, count, people, sessions, share, starts, ends, repeats, returns, dwell_p50_ms, dwell_p90_ms.

    Args:
        steps: The table.
        by_session: Follow sessions and not people; events without one are of none.
        collapse: Take equal steps right after one another as one.
        dialect: Whose SQL.
    """
    asking = Asking(steps, dialect)
    case = case_key(by_session=by_session, steps=steps)
    n_cases = f"COUNT(DISTINCT ({case}))"
    repeats = "COUNT(*) FILTER (WHERE step_after = step)"
    columns = [
        "step AS name",
        "COUNT(*) AS count",
        "COUNT(DISTINCT person) AS people",
        _sessions(steps),
        f"{n_cases} / MAX(n_cases) AS share",
        "COUNT(*) FILTER (WHERE step_before IS NULL) AS starts",
        "COUNT(*) FILTER (WHERE step_after IS NULL) AS ends",
        f"{repeats} AS repeats",
        f"COUNT(*) - {repeats} - {n_cases} AS returns",
        *_dwells(),
    ]
    parts = _walked(asking, case, by_session=by_session, collapse=collapse)
    parts["cases"] = select([f"{n_cases} AS n_cases"], "lined_up")
    return query(
        parts, select(columns, "walked CROSS JOIN cases", then="GROUP BY step\nORDER BY count DESC, name")
    )


def journey_edges(
    steps: Steps = Steps(),  # noqa: B008 - it is frozen
    *,
    by_session: bool = False,
    collapse: bool = False,
    dialect: DialectName = "duckdb",
) -> str:
    """Write the edges of the journey graph: one row a move, as `journey_graph(events).edges` has them.

    Columns: source, target, count, people, sessions (of the source), share (of all that leave the source, its
    ends included), dwell_p50_ms, dwell_p90_ms. Arguments are those of `journey_nodes`.
    """
    asking = Asking(steps, dialect)
    case = case_key(by_session=by_session, steps=steps)
    parts = _walked(asking, case, by_session=by_session, collapse=collapse)
    parts["moves"] = select(
        [
            "step AS source",
            "step_after AS target",
            "COUNT(*) AS count",
            "COUNT(DISTINCT person) AS people",
            _sessions(steps),
            *_dwells(),
        ],
        "walked",
        then="GROUP BY step, step_after",
    )
    # Who ends at a step leaves it, too: that is the row without a target.
    parts["shared"] = select(["*", "count / SUM(count) OVER (PARTITION BY source) AS share"], "moves")
    columns = ["source", "target", "count", "people", "sessions", "share", "dwell_p50_ms", "dwell_p90_ms"]
    return query(
        parts,
        select(columns, "shared", where="target IS NOT NULL", then="ORDER BY count DESC, source, target"),
    )


def step_matrix(
    steps: Steps = Steps(),  # noqa: B008 - it is frozen
    *,
    n_columns: int = 10,
    by_session: bool = False,
    dialect: DialectName = "duckdb",
) -> str:
    """Write where cases are at each of their first steps: position, step, kind, count, share.

    Each position adds up to all cases: those whose walk is over by then are in a row of the kind `ended`.

    Raises:
        ConfigError: It is to have no columns, or more than MAX_COLUMNS; or there are no sessions.
    """
    if not 1 <= n_columns <= MAX_COLUMNS:
        raise ConfigError(f"{n_columns} columns: expected 1 to {MAX_COLUMNS}")
    asking = Asking(steps, dialect)
    case = case_key(by_session=by_session, steps=steps)
    place = f"ROW_NUMBER() OVER (PARTITION BY {case} ORDER BY {asking.order}) AS place"
    positions = ", ".join(f"({i})" for i in range(1, n_columns + 1))
    parts = {
        "told": asking.told(),
        "inside": select(["*"], "told", where="session_id IS NOT NULL" if by_session else ""),
        "placed": select(["step", place], "inside"),
        "counted": select(
            ["place", "step", "COUNT(*) AS n"],
            "placed",
            where=f"place <= {n_columns}",
            then="GROUP BY place, step",
        ),
        "cases": select([f"COUNT(DISTINCT ({case})) AS n_cases"], "inside"),
        "there": select(["place", "SUM(n) AS n"], "counted", then="GROUP BY place"),
    }
    step = select(
        ["place AS position", "step", "'step' AS kind", "CAST(n AS BIGINT) AS count", "n / n_cases AS share"],
        "counted CROSS JOIN cases",
    )
    ended = select(
        [
            "positions.place AS position",
            "'(ended)' AS step",
            "'ended' AS kind",
            "CAST(n_cases - COALESCE(n, 0) AS BIGINT) AS count",
            "(n_cases - COALESCE(n, 0)) / n_cases AS share",
        ],
        f"(VALUES {positions}) AS positions (place)"
        "\nCROSS JOIN cases\nLEFT JOIN there ON there.place = positions.place",
    )
    return query(parts, f"{step}\nUNION ALL\n{ended}\nORDER BY position, kind DESC, count DESC, step")


def _walked(asking: Asking, case: str, *, by_session: bool, collapse: bool) -> dict[str, str]:
    """Put beside each step the one before it and the one after it in its case."""
    window = f"WINDOW walk AS (PARTITION BY {case} ORDER BY {asking.order})"
    ties = [f"tie_{i}" for i, _ in enumerate(asking.steps.ties, start=1)]
    kept = ["person", "session_id", "step", "at_ms", *ties]
    inside = "session_id IS NOT NULL" if by_session else ""
    parts = {"told": asking.told()}
    if collapse:
        before = select([*kept, "LAG(step) OVER walk AS last_step"], "told", where=inside, then=window)
        parts["runs"] = before
        parts["lined_up"] = select(kept, "runs", where="last_step IS NULL OR last_step <> step")
    else:
        parts["lined_up"] = select(kept, "told", where=inside)
    parts["walked"] = select(
        [
            "person",
            "session_id",
            "step",
            "at_ms",
            "LAG(step) OVER walk AS step_before",
            "LEAD(step) OVER walk AS step_after",
            "(LEAD(at_ms) OVER walk) - at_ms AS dwell_ms",
        ],
        "lined_up",
        then=window,
    )
    return parts


def _sessions(steps: Steps) -> str:
    """Count distinct sessions: one is of one person."""
    if steps.session is None:
        return "CAST(NULL AS BIGINT) AS sessions"
    return "COUNT(DISTINCT (person, session_id)) FILTER (WHERE session_id IS NOT NULL) AS sessions"


def _dwells() -> list[str]:
    return [
        f"PERCENTILE_CONT({share}) WITHIN GROUP (ORDER BY dwell_ms) AS dwell_p{share[2:]}0_ms"
        for share in _QUANTILES
    ]
