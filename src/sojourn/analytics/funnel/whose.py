"""Whose they were: a funnel broken down by an attribute, so that each step adds up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sojourn.analytics.events import MISSING
from sojourn.analytics.proportions import wilson
from sojourn.analytics.tables import Table
from sojourn.definitions.suggestions import did_you_mean
from sojourn.model.errors import ConfigError

if TYPE_CHECKING:
    from sojourn.analytics.funnel.answer import FunnelAnswer


def by_attribute(answer: FunnelAnswer, name: str, *, limit: int = 10) -> Table:
    """Break a funnel's counts down by what an attribute was when each pass began.

    One row for each value and step. `kind` says what a row is of: a "value"; the "other" values, which
    began fewer passes than the `limit` that are shown; or "none", those without the attribute.

    Raises:
        ConfigError: There is no such attribute.
    """
    columns = answer.events.columns
    if name not in columns:
        raise ConfigError(f"no attribute of text is called {name!r}{did_you_mean(name, columns)}")
    codes = columns[name].codes[answer.relevant.event[answer.counted.first]]
    values = columns[name].values
    sizes = np.bincount(codes[codes != MISSING], minlength=len(values))
    kept = np.argsort(-sizes, kind="stable")[: min(limit, np.count_nonzero(sizes))]
    group_of = np.full(len(values) + 1, len(kept))
    group_of[kept] = np.arange(len(kept))
    group_of[MISSING] = len(kept) + 1
    named = [*(("value", values[code]) for code in kept.tolist()), ("other", None), ("none", None)]
    return _counts(answer, name, group_of[codes], named)


def _counts(answer: FunnelAnswer, name: str, group: Any, named: list[tuple[str, str | None]]) -> Table:
    """Count by group and step; groups without a pass have no row."""
    n_steps = len(answer.funnel.steps)
    by_depth = np.bincount(
        group * (n_steps + 1) + answer.counted.depth, minlength=len(named) * (n_steps + 1)
    ).reshape(len(named), n_steps + 1)
    counts = np.cumsum(by_depth[:, :0:-1], axis=1)[:, ::-1]
    shown = np.flatnonzero(counts[:, 0])
    counts = counts[shown]
    of = np.repeat(counts[:, 0], n_steps)
    low, high = wilson(counts.ravel(), of, level=answer.funnel.level)
    columns: dict[str, Any] = {
        "kind": [named[i][0] for i in shown.tolist() for _ in range(n_steps)],
        name: [named[i][1] for i in shown.tolist() for _ in range(n_steps)],
        "n": np.tile(np.arange(1, n_steps + 1), len(shown)),
        "step": answer.funnel.labels * len(shown),
        "count": counts.ravel(),
        "dropped": (counts - np.append(counts[:, 1:], counts[:, -1:], axis=1)).ravel(),
        "from_start": counts.ravel() / of,
        "from_start_low": low,
        "from_start_high": high,
    }
    return Table(columns, {**answer.definition, "by": f"{name} of the event with which the pass began"})
