"""Drop-off: where those went who got to a step and no further."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sojourn.analytics.graph.sankey import Sankey, Shape, Walks, draw
from sojourn.analytics.graph.sequences import Sequences, sequences
from sojourn.analytics.tables import Table
from sojourn.model.errors import ConfigError

if TYPE_CHECKING:
    from sojourn.analytics.funnel.answer import FunnelAnswer


def went_to(answer: FunnelAnswer, *, limit: int = 10) -> Table:
    """Tell, step by step, what those who got no further did right after they were there for the last time.

    One row for each step and what came next; those of one step add up to its `dropped`. `kind` says what a
    row is of: a "step" that came next; the "other" steps, more seldom than the `limit` shown; or "ended",
    where nothing came.
    """
    lined_up = _lined_up(answer)
    rows = []
    for n, label in enumerate(answer.funnel.labels[:-1], start=1):
        flow = draw(lined_up, _dropped(answer, n), Shape(1, 2, limit), {})
        n_dropped = int(np.count_nonzero(answer.counted.depth == n))
        rows += [
            (n, label, kind, name, count, people, count / n_dropped)
            for column, kind, name, count, people in flow.nodes.rows()
            if column == 1
        ]
    names = ("n", "after", "kind", "next", "count", "people", "share")
    columns = {name: [row[i] for row in rows] for i, name in enumerate(names)}
    means = "the event right after they were there for the last time"
    return Table(columns, {**answer.definition, "next_means": means})


def after_drop_off(answer: FunnelAnswer, step: int, *, n_columns: int = 4, limit: int = 8) -> Sankey:
    """Draw the paths of those who got to a step (from 1) and no further, from the last time they were there.

    Raises:
        ConfigError: The funnel has no such step, or nobody drops out at it, for it is the last.
    """
    if not 1 <= step < len(answer.funnel.steps):
        raise ConfigError(f"a funnel of {len(answer.funnel.steps)} steps has no drop-off at step {step}")
    definition = {**answer.definition, "from": f"the last time they were at step {step}, and got no further"}
    shape = Shape(1, n_columns, limit)
    return draw(_lined_up(answer), _dropped(answer, step), shape, definition)


def _lined_up(answer: FunnelAnswer) -> Sequences:
    return sequences(answer.events, answer.unit)


def _dropped(answer: FunnelAnswer, step: int) -> Walks:
    """Return where those were last who got to a step and no further."""
    dropped = np.flatnonzero(answer.counted.depth == step)
    left = answer.relevant.place[answer.counted.left[dropped]]
    return Walks(answer.counted.case[dropped].astype(np.int64), left)
