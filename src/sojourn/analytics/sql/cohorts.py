"""Cohorts: who comes back how many calendar periods after their first event (classic retention), as SQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from sojourn.analytics.sql.dialects import DialectName
from sojourn.analytics.sql.steps import Asking, Steps, query, select
from sojourn.model.errors import ConfigError

Period = Literal["day", "week", "month"]

MAX_PERIODS = 1_000

_LABELS: dict[Period, str] = {
    "day": "CAST(DATE '1970-01-01' + cohort AS STRING)",
    "week": "CAST(DATE '1970-01-01' + (cohort * 7 - 3) AS STRING)",
    "month": "CONCAT(LPAD(CAST(CAST(FLOOR(cohort / 12) AS INT) AS STRING), 4, '0'), '-',"
    " LPAD(CAST(cohort % 12 + 1 AS STRING), 2, '0'))",
}
"""Of the number of a period: what `sojourn retention` calls it."""


def retention(
    steps: Steps = Steps(),  # noqa: B008 - it is frozen
    *,
    first: Sequence[str] = (),
    returning: Sequence[str] = (),
    period: Period = "month",
    n_periods: int = 12,
    dialect: DialectName = "duckdb",
) -> str:
    """Write how many of each cohort came back in the n-th period: cohort, people, n, count, is_over.

    Cohorts are the calendar periods (in UTC) of people's first events; what lies ahead of the last event has
    no row, and a period that is not over is told by `is_over`: more may come back.

    Args:
        steps: The table.
        first: Who is followed: whoever took one of these steps, from the first time on; none: any step.
        returning: What counts as coming back: one of these steps, after the first event or as it; none: any.
        period: What n counts.
        n_periods: The last n; the period of the first event is 0.
        dialect: Whose SQL.

    Raises:
        ConfigError: There is no such period, or there are more than MAX_PERIODS.
    """
    if period not in _LABELS:
        raise ConfigError(f"{period!r}: expected a period of {', '.join(_LABELS)}")
    if not 0 <= n_periods < MAX_PERIODS:
        raise ConfigError(f"{n_periods} periods: at most {MAX_PERIODS - 1} can be asked for")
    asking = Asking(steps, dialect)
    numbers = ", ".join(f"({n})" for n in range(n_periods + 1))
    parts = _followed(asking, first, returning, period)
    parts["ended"] = select(["MAX(at_ms) AS last_ms"], "told")
    last, after = _number("last_ms", period), _number("(last_ms + 1)", period)
    parts["ends"] = select([f"{last} AS last_period", f"{after} AS next_period"], "ended")
    answer = select(
        [
            f"{_LABELS[period].replace('cohort', 'cohorts.cohort')} AS cohort",
            "people",
            "numbers.n AS n",
            "COALESCE(n_back, 0) AS count",
            "cohorts.cohort + numbers.n < next_period AS is_over",
        ],
        f"cohorts CROSS JOIN (VALUES {numbers}) AS numbers (n) CROSS JOIN ends\n"
        "LEFT JOIN returns ON returns.cohort = cohorts.cohort AND returns.n = numbers.n",
        where="cohorts.cohort + numbers.n <= last_period",
        then="ORDER BY cohort, n",
    )
    return query(parts, answer)


def _followed(
    asking: Asking, first: Sequence[str], returning: Sequence[str], period: Period
) -> dict[str, str]:
    """Sort people into cohorts, and count who came back how many periods after."""
    is_first = f"step IN ({asking.texts(first)})" if first else "TRUE"
    is_back = f"step IN ({asking.texts(returning)})" if returning else "TRUE"
    of_person = "OVER (PARTITION BY person) AS"
    return {
        "told": asking.told(),
        "numbered": asking.numbered(f"{_number('at_ms', period)} AS period"),
        "followed": select(
            [
                "person",
                "period",
                f"n >= MIN(CASE WHEN {is_first} THEN n END) {of_person} is_after",
                f"MIN(CASE WHEN {is_first} THEN period END) {of_person} cohort",
                f"{is_back} AS is_back",
            ],
            "numbered",
        ),
        "cohorts": select(
            ["cohort", "COUNT(DISTINCT person) AS people"],
            "followed",
            where="cohort IS NOT NULL",
            then="GROUP BY cohort",
        ),
        "returns": select(
            ["cohort", "period - cohort AS n", "COUNT(DISTINCT person) AS n_back"],
            "followed",
            where="is_after AND is_back",
            then="GROUP BY cohort, period - cohort",
        ),
    }


def _number(at_ms: str, period: Period) -> str:
    """Return SQL of the number of the period an instant lies in; neighbours have neighbouring numbers."""
    day = f"CAST(FLOOR({at_ms} / 86400000) AS INT)"
    if period == "day":
        return day
    if period == "week":
        # 1970-01-01 was a Thursday: three days more, and weeks begin on Monday.
        return f"CAST(FLOOR(({day} + 3) / 7) AS INT)"
    date = f"(DATE '1970-01-01' + {day})"
    return f"CAST(EXTRACT(YEAR FROM {date}) * 12 + EXTRACT(MONTH FROM {date}) - 1 AS INT)"
