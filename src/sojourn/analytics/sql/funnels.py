"""Funnels: how many get how far through some steps in order, within a window, as SQL.

For each event that is step k, the latest beginning of a pass that reaches it is the greatest of those of the
events of step k - 1 before it: a pass fits the window if any does. So one sort of each case answers, and
nothing is joined.
"""

from __future__ import annotations

from collections.abc import Sequence

from sojourn.analytics.sql.dialects import DialectName
from sojourn.analytics.sql.steps import Asking, Steps, case_key, query, select
from sojourn.model.errors import ConfigError

MAX_STEPS = 32


def funnel(
    stages: Sequence[str | Sequence[str]],
    steps: Steps = Steps(),  # noqa: B008 - it is frozen
    *,
    within_ms: int | None = None,
    by_session: bool = False,
    dialect: DialectName = "duckdb",
) -> str:
    """Write how many get to each stage, each case once by the deepest it got: n, step, count, people.

    It counts as `Funnel(order="ordered")` does: other events may lie between, and one event is one stage.

    Args:
        stages: Names of steps; several names are one stage that any of them reaches.
        steps: The table.
        within_ms: At most so long from the first event of a pass to its last, this included.
        by_session: Count sessions and not people.
        dialect: Whose SQL.

    Raises:
        ConfigError: There are no stages, or more than MAX_STEPS, or the window is shorter than nothing; or
            there are no sessions.
    """
    if not 1 <= len(stages) <= MAX_STEPS:
        raise ConfigError(f"{len(stages)} steps: expected 1 to {MAX_STEPS}")
    if within_ms is not None and within_ms < 0:
        raise ConfigError("a conversion window cannot be shorter than nothing")
    asking = Asking(steps, dialect)
    case = case_key(by_session=by_session, steps=steps)
    names = [(stage,) if isinstance(stage, str) else tuple(stage) for stage in stages]
    # Other steps may lie between stages and change nothing: they are not sorted.
    staged = asking.texts(list(dict.fromkeys(name for each in names for name in each)))
    inside = f"step IN ({staged})" + (" AND session_id IS NOT NULL" if by_session else "")
    parts = {"told": asking.told(), "staged": select(["*"], "told", where=inside)}
    source = "staged"
    for k, of_stage in enumerate(names, start=1):
        parts[f"stage_{k}"] = _stage(asking, k, of_stage, case=case, source=source)
        source = f"stage_{k}"
    depth = _depth(len(names), within_ms)
    parts["cases"] = select([case, f"{depth} AS depth"], source, then=f"GROUP BY {case}")
    parts["people"] = select(["person", "MAX(depth) AS depth"], "cases", then="GROUP BY person")
    of_cases = select(["depth", "COUNT(*) AS n_cases", "0 AS n_people"], "cases", then="GROUP BY depth")
    of_people = select(["depth", "0 AS n_cases", "COUNT(*) AS n_people"], "people", then="GROUP BY depth")
    parts["reached"] = f"{of_cases}\nUNION ALL\n{of_people}"
    labels = ", ".join(f"({k}, {asking.dialect.text(' | '.join(each))})" for k, each in enumerate(names, 1))
    answer = [
        "stages.n AS n",
        "stages.step AS step",
        "CAST(COALESCE(SUM(n_cases), 0) AS BIGINT) AS count",
        "CAST(COALESCE(SUM(n_people), 0) AS BIGINT) AS people",
    ]
    joined = f"(VALUES {labels}) AS stages (n, step)\nLEFT JOIN reached ON reached.depth >= stages.n"
    return query(parts, select(answer, joined, then="GROUP BY stages.n, stages.step\nORDER BY n"))


def _stage(asking: Asking, k: int, names: Sequence[str], *, case: str, source: str) -> str:
    """Put beside each event of stage k the latest beginning of a pass that reaches it."""
    ties = [f"tie_{i}" for i, _ in enumerate(asking.steps.ties, start=1)]
    columns = [case, "step", "at_ms", *ties, *(f"began_{i}" for i in range(1, k))]
    reached = f"CASE WHEN step IN ({asking.texts(names)}) THEN"
    if k == 1:
        return select([*columns, f"{reached} at_ms END AS began_1"], source)
    before = (
        f"WINDOW before_it AS (PARTITION BY {case} ORDER BY {asking.order}"
        " ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)"
    )
    began = f"{reached} MAX(began_{k - 1}) OVER before_it END AS began_{k}"
    return select([*columns, began], source, then=before)


def _depth(n_stages: int, within_ms: int | None) -> str:
    """Return SQL of the deepest stage that a case reached within the window."""
    fits = "" if within_ms is None else f" AND at_ms - began_{{k}} <= {within_ms}"
    reached = [
        f"MAX(CASE WHEN began_{k} IS NOT NULL{fits.format(k=k)} THEN {k} ELSE 0 END)"
        for k in range(1, n_stages + 1)
    ]
    return reached[0] if n_stages == 1 else f"GREATEST({', '.join(reached)})"
