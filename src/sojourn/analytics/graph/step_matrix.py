"""The step matrix: at the first, second, third step of their path, where people are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sojourn.analytics.cases import Unit
from sojourn.analytics.chunks import in_parts
from sojourn.analytics.events import Events
from sojourn.analytics.graph.sequences import sequences
from sojourn.analytics.tables import Table
from sojourn.model.errors import ConfigError

ENDED, OTHER = "(ended)", "(other)"
MAX_COLUMNS = 200


@dataclass(frozen=True, slots=True, eq=False)
class StepMatrix:
    """Shares of cases; each column adds up to 1: the steps shown, the others, and those who ended before."""

    names: list[str]
    """Of the rows: steps, the most frequent first; then OTHER where some are not shown; then ENDED."""
    count: NDArray[np.int64]
    """Shape (n_rows, n_columns): cases."""
    n_cases: int
    definition: dict[str, Any]

    def table(self) -> Table:
        """Lay it out long: position (from 1), step, kind, count, share."""
        n_rows, n_columns = self.count.shape
        kinds = {OTHER: "other", ENDED: "ended"}
        kind = [kinds.get(name, "step") for name in self.names]
        columns = {
            "position": np.repeat(np.arange(1, n_columns + 1), n_rows),
            "step": self.names * n_columns,
            "kind": kind * n_columns,
            "count": self.count.T.ravel(),
            "share": self.count.T.ravel() / max(1, self.n_cases),
        }
        return Table(columns, self.definition)


def step_matrix(
    events: Events,
    *,
    n_columns: int = 10,
    limit: int = 20,
    unit: Unit = "person",
    collapse: bool = False,
) -> StepMatrix:
    """Count where cases are at each of their first steps.

    Raises:
        ConfigError: It is to have no columns, or more than MAX_COLUMNS; or there are no sessions.
    """
    if not 1 <= n_columns <= MAX_COLUMNS:
        raise ConfigError(f"{n_columns} columns: expected 1 to {MAX_COLUMNS}")
    lined_up = sequences(events, unit, collapse=collapse)
    n_steps = len(events.steps)
    count = np.zeros((n_steps, n_columns), dtype=np.int64)
    length = np.diff(lined_up.starts)

    def fill(column: int) -> None:
        there = lined_up.starts[:-1][length > column] + column
        count[:, column] = np.bincount(lined_up.step[there], minlength=n_steps)

    in_parts(fill, n_columns)
    total = count.sum(axis=1)
    order = np.argsort(-total, kind="stable")
    order = order[total[order] > 0]
    shown, rest = order[: max(limit, 0)], order[max(limit, 0) :]
    names = [events.steps[code] for code in shown.tolist()]
    rows = [count[shown]]
    if len(rest):
        names.append(OTHER)
        rows.append(count[rest].sum(axis=0, keepdims=True))
    names.append(ENDED)
    rows.append(len(lined_up) - count.sum(axis=0, keepdims=True))
    definition = {
        "unit": unit,
        "repeats": "equal steps right after one another are one" if collapse else "kept",
        "share": "of all cases: each position adds up to 1",
        "n_steps_in_other": len(rest),
        "n_cases": len(lined_up),
        "n_people": events.n_people,
    }
    return StepMatrix(names, np.concatenate(rows), len(lined_up), definition)
