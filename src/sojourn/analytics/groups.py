"""Groups: people, or whatever is counted, by the value of an attribute, so that all of them are in one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sojourn.analytics.events import MISSING, Events
from sojourn.definitions.suggestions import did_you_mean
from sojourn.model.errors import ConfigError

Named = list[tuple[str, str | None]]
"""(kind, name) of each group: a "value", the "other" values, or "none" where the attribute is missing."""


def grouped(
    events: Events, attribute: str, some: NDArray[np.int64], *, limit: int
) -> tuple[NDArray[np.int64], Named]:
    """Group events by an attribute: the most frequent values, the others, and those without. None is empty.

    Args:
        events: The events.
        attribute: The name of an attribute of text.
        some: Indices of events.
        limit: So many values are a group each.

    Returns:
        The group of each of `some`, and what the groups are.

    Raises:
        ConfigError: There is no such attribute.
    """
    if attribute not in events.columns:
        raise ConfigError(
            f"no attribute of text is called {attribute!r}{did_you_mean(attribute, events.columns)}"
        )
    column = events.columns[attribute]
    codes = column.codes[some]
    sizes = np.bincount(codes[codes != MISSING], minlength=len(column.values))
    kept = np.argsort(-sizes, kind="stable")[: min(max(limit, 0), np.count_nonzero(sizes))]
    group_of = np.full(len(column.values) + 1, len(kept))
    group_of[kept] = np.arange(len(kept))
    group_of[MISSING] = len(kept) + 1  # MISSING is -1: the last one
    named: Named = [("value", column.values[code]) for code in kept.tolist()]
    named += [("other", None), ("none", None)]
    present, group = np.unique(group_of[codes], return_inverse=True)
    return group, [named[i] for i in present.tolist()]
