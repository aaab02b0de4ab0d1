"""Whose they were: a funnel broken down by an attribute, so that each step adds up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sojourn.analytics.groups import grouped
from sojourn.analytics.tables import Table

if TYPE_CHECKING:
    from sojourn.analytics.funnel.answer import FunnelAnswer


def by_attribute(answer: FunnelAnswer, name: str, *, limit: int = 10) -> Table:
    """Break a funnel's counts down by what an attribute was when each pass began.

    One row for each value and step. `kind` says what a row is of: a "value"; the "other" values, which
    began fewer passes than the `limit` that are shown; or "none", those without the attribute.

    Raises:
        ConfigError: There is no such attribute.
    """
    group, named = grouped(answer.events, name, answer.relevant.event[answer.counted.first], limit=limit)
    n_steps = len(answer.funnel.steps)
    rows = []
    for i, (kind, value) in enumerate(named):
        is_here = group == i
        counts = [int(np.count_nonzero(is_here & (answer.counted.depth >= n))) for n in range(1, n_steps + 1)]
        for n, count in enumerate(counts, start=1):
            share = answer.share(is_here & (answer.counted.depth >= n), is_here)
            dropped = count - (counts[n] if n < n_steps else count)
            step = answer.funnel.labels[n - 1]
            rows.append((kind, value, n, step, count, dropped, share.share, share.low, share.high))
    names = ("kind", name, "n", "step", "count", "dropped", "from_start", "from_start_low", "from_start_high")
    columns = {column: [row[i] for row in rows] for i, column in enumerate(names)}
    return Table(columns, {**answer.definition, "by": f"{name} of the event with which the pass began"})
