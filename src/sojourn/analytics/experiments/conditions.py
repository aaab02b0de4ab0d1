"""Conditions: which of some events a metric's condition holds for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sojourn.analytics.events import Events
from sojourn.definitions.metrics import Comparison, Condition, Every, Negation

Mask = NDArray[np.bool_]


def holds(events: Events, condition: Condition, about: NDArray[np.int64]) -> Mask:
    """Tell of some events whether a condition holds.

    Args:
        events: They have each text a condition reads among their columns, each number among their values, by
            its path.
        condition: Over them.
        about: Shape (n,): indices of events.
    """
    match condition:
        case Comparison():
            return _compared(events, condition, about)
        case Negation():
            return ~holds(events, condition.part, about)
        case Every():
            both: Mask = np.logical_and.reduce(_all(events, condition.parts, about))
            return both
        case _:
            either: Mask = np.logical_or.reduce(_all(events, condition.parts, about))
            return either


def _all(events: Events, parts: Sequence[Condition], about: NDArray[np.int64]) -> list[Mask]:
    return [holds(events, part, about) for part in parts]


def _compared(events: Events, condition: Comparison, about: NDArray[np.int64]) -> Mask:
    if condition.is_of_numbers:
        numbers = events.values[condition.path][about]
        if condition.operator in ("==", "!="):
            found: Mask = np.isin(numbers, condition.values)
        else:
            compare = {"<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal}
            found = compare[condition.operator](numbers, condition.values[0])
    else:
        column = events.columns[condition.path]
        wanted = np.array(
            [value in condition.values for value in column.values] + [False]
        )  # the last: MISSING
        found = wanted[column.codes[about]]
    return ~found if condition.operator == "!=" else found
