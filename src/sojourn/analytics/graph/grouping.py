"""Grouping: things put together by a small number, so that each group is one stretch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sojourn.analytics.chunks import CHUNK, in_chunks, taken
from sojourn.analytics.ordering import stable_order

Counts = NDArray[np.int64]

_RADIX = 1 << 16  # numbers below it are sorted by counting, several times as fast.
_INT32 = 1 << 31


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """An order in which equal groups lie together, and within a group what came first is first."""

    order: NDArray[np.integer]
    """Shape (n,): indexes of the things grouped."""
    starts: Counts
    """Shape (n_groups + 1,): group `g` is `order[starts[g]:starts[g + 1]]`."""

    @classmethod
    def of(cls, group: NDArray[Any], n_groups: int) -> Groups:
        """Group things: `group` has the shape (n,), numbers from 0 to n_groups - 1."""
        if n_groups <= _RADIX:
            return cls(*_counted(group, n_groups))
        starts = np.concatenate([[0], np.cumsum(np.bincount(group, minlength=n_groups))])
        return cls(stable_order(group), starts)

    def joined(self, shown: Counts, hidden: Counts) -> Groups:
        """Return the shown groups in the order they are named in, and behind them all hidden ones as one."""
        stretches = [self.order[self.starts[g] : self.starts[g + 1]] for g in shown.tolist()]
        if len(hidden):
            rest = [self.order[self.starts[g] : self.starts[g + 1]] for g in hidden.tolist()]
            stretches.append(np.sort(np.concatenate(rest)))
        starts = np.concatenate([[0], np.cumsum([len(one) for one in stretches])]).astype(np.int64)
        return Groups(np.concatenate([self.order[:0], *stretches]), starts)

    @property
    def sizes(self) -> Counts:
        """Count each group."""
        return np.diff(self.starts)

    def n_distinct(self, together: NDArray[Any], *, of: NDArray[np.bool_] | None = None) -> Counts:
        """Count the distinct values of each group, of values that lie together along the things grouped.

        Args:
            together: Shape (n,): equal values stand in one stretch; such as ascend do.
            of: Shape (n_values,), or more: which values count, by the values themselves. None: all.
        """
        values = taken(together, self.order)
        is_new = np.empty(len(values), dtype=np.bool_)
        is_new[:1] = True
        np.not_equal(values[1:], values[:-1], out=is_new[1:])
        is_new[self.starts[:-1][self.sizes > 0]] = True
        if of is not None:
            is_new &= of[values]
        return np.diff(np.searchsorted(np.flatnonzero(is_new), self.starts))

    def quantiles(self, values: NDArray[Any], shares: Sequence[float]) -> NDArray[np.float64]:
        """Return quantiles of each group (as R's type 7), shape (n_shares, n_groups); NaN of an empty one."""
        ordered = taken(values, self.order)
        found = np.full((len(shares), len(self.sizes)), np.nan)
        for group in np.flatnonzero(self.sizes).tolist():
            found[:, group] = np.quantile(ordered[self.starts[group] : self.starts[group + 1]], shares)
        return found


def _counted(group: NDArray[Any], n_groups: int) -> tuple[NDArray[np.integer], Counts]:
    """Sort by counting: (the order, where each group starts).

    Each chunk counts its groups; then it is known where each chunk's part of each group belongs, and each
    sorts its own in a core's cache. Of ten million things that takes a third of the memory of one sort.
    """
    n, n_chunks = len(group), -(-len(group) // CHUNK)
    counts = np.zeros((n_chunks, n_groups), dtype=np.int64)

    def count(part: slice) -> None:
        counts[part.start // CHUNK] = np.bincount(group[part], minlength=n_groups)

    in_chunks(count, n)
    starts = np.concatenate([[0], np.cumsum(counts.sum(axis=0))]).astype(np.int64)
    begins = starts[:-1] + np.cumsum(counts, axis=0) - counts
    order: NDArray[np.integer] = np.empty(n, dtype=np.int32 if n < _INT32 else np.int64)

    def place(part: slice) -> None:
        own = counts[part.start // CHUNK]
        sorted_ = np.argsort(group[part].astype(np.uint16), kind="stable")
        shift = begins[part.start // CHUNK] - (np.cumsum(own) - own)
        order[np.repeat(shift, own) + np.arange(len(sorted_))] = sorted_ + part.start

    in_chunks(place, n)
    return order, starts
