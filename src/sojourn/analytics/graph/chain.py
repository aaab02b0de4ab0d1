"""The absorbing chain: how likely a conversion is from each step, and how many steps away.

J. G. Kemeny and J. L. Snell, Finite Markov Chains, 1960, chapter III: with Q the steps between transient
states and r those into a conversion, p = (I - Q)^-1 r. All is a forecast by what people did next, never an
effect.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Chain:
    """What is ahead of each step; arrays have the shape (n_steps,), NaN for steps nobody took."""

    conversion: Numbers
    """The probability of a conversion before the end; 1 at a conversion itself."""
    steps_to_end: Numbers
    """How many steps until a conversion or the end, on average."""
    steps_to_convert: Numbers
    """How many until the conversion, of those who convert; NaN where nobody does."""


def chain_of(counts: NDArray[np.int64], ends: NDArray[np.int64], goal: NDArray[np.bool_]) -> Chain:
    """Solve the chain of observed transitions.

    Args:
        counts: Shape (n_steps, n_steps): how often the row's step was followed by the column's.
        ends: Shape (n_steps,): how often a case ended with the step.
        goal: Shape (n_steps,): the conversions; what follows them does not count.
    """
    n_steps = len(ends)
    out = counts.sum(axis=1) + ends
    is_open = (out > 0) & ~goal
    conversion, to_end, to_convert = (np.full(n_steps, np.nan) for _ in range(3))
    conversion[goal], to_end[goal], to_convert[goal] = 1.0, 0.0, 0.0
    if is_open.any():
        leaving = out[is_open].astype(np.float64)
        q = counts[np.ix_(is_open, is_open)] / leaving[:, None]
        r = counts[is_open][:, goal].sum(axis=1) / leaving
        system = np.eye(len(r)) - q
        p, t = np.linalg.solve(system, np.column_stack([r, np.ones(len(r))])).T
        # Of those who convert: sum of n P(after n steps) = N^2 r = N p, beside p.
        until = np.linalg.solve(system, p)
        conversion[is_open], to_end[is_open] = np.clip(p, 0.0, 1.0), t
        with np.errstate(invalid="ignore", divide="ignore"):
            to_convert[is_open] = np.where(r.any() & (p > 1e-12), until / p, np.nan)
    return Chain(conversion, to_end, to_convert)
