"""Chains: what is won on a walk that must not pass some channel, for all channels at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sojourn.analytics.attribution.paths import Floats, summed
from sojourn.analytics.attribution.windows import Space

TOLERANCE = 1e-14
"""Of the residual, where the largest reward is 1: a few units in the last place of a double."""
ROUND_OFF = 1e-11
"""A residual this small that no longer shrinks is rounding."""
PATIENCE = 10  # sweeps in which corrections must halve the residual
MAX_SWEEPS = 1_000_000  # a path of a thousand turns between two channels takes 20,000 bare ones at most
COLUMN_CELLS = 2**21  # of the table that is worked on at once, 16 MB

Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Flow:
    """How often windows were entered first, left for others, and left for good."""

    space: Space
    starts: Floats
    """Shape (n_states,): walks that began there."""
    moves: Floats
    """Shape (n_moves,)."""
    exits: Floats
    """Shape (n_states,): walks that ended there."""

    def mass(self) -> Floats:
        """Count how often each window was left, shape (n_states,)."""
        if self.space.listed:
            return summed(self.space.listed[0], self.moves, self.space.n_states) + self.exits
        mass: Floats = self.moves.reshape(-1, self.space.n_channels).sum(axis=1) + self.exits
        return mass

    def between_channels(self) -> Floats:
        """Count the moves by newest touch before and after, shape (n_channels, n_channels)."""
        n = self.space.n_channels
        if not self.space.listed:
            between: Floats = self.moves.reshape(-1, n, n).sum(axis=0)
            return between
        source, target = (self.space.digits[-1][each].astype(np.int64) for each in self.space.listed)
        return summed(source * n + target, self.moves, n * n).reshape(n, n)


class Columns(NamedTuple):
    """Some columns of a solution: one for each reward and each channel that is cut out."""

    reward: Integers
    """Shape (n_columns,): which reward."""
    removed: Integers
    """Shape (n_columns,): which channel; `n_channels` where none is."""
    won: Floats
    """Shape (n_states, n_columns): what is won from each window on; 0 in windows that hold the channel."""
    visits: Floats | None
    """Likewise: how often walks that have not passed the channel are there. None: not asked for."""


def safe_divide(above: NDArray[Any], below: NDArray[Any]) -> Floats:
    """Divide; 0 where there is nothing to divide by."""
    shares: Floats = np.zeros(np.broadcast(above, below).shape)
    np.divide(above, below, out=shares, where=below > 0)
    return shares


def won_without(flow: Flow, rewards: Floats) -> Floats:
    """Return what all walks win that never pass some channel.

    Args:
        flow: The chain.
        rewards: Shape (n_rewards, n_states): won by the walks that ended there.

    Returns:
        Shape (n_rewards, n_channels + 1); the last column is what is won where no channel is cut out.
    """
    won = np.zeros((len(rewards), flow.space.n_channels + 1))
    for columns in solved(flow, rewards):
        won[columns.reward, columns.removed] = flow.starts @ columns.won
    return won


def solved(flow: Flow, rewards: Floats, *, visits: bool = False) -> Iterator[Columns]:
    """Cut each channel out of the chain and solve it, some columns at a time.

    With x the expected reward from each window on, Q the moves as shares of the window's mass and r the
    rewards as shares of it, x = r + Q x, and x is 0 in windows that hold the channel: an absorbing chain
    without them (Kemeny and Snell, Finite Markov Chains, 1960, ch. 3). The visits y of walks that have not
    passed the channel solve y = starts + Q' y likewise.
    """
    n, mass = flow.space.n_channels, flow.mass()
    shares = safe_divide(rewards, mass)
    scale = shares.max(axis=1, initial=0.0)
    removed = np.tile(np.arange(n + 1), len(rewards))
    reward = np.repeat(np.arange(len(rewards)), n + 1)
    forward = _Equation.of_rewards(flow, mass)
    backward = _Equation.of_visits(flow, mass) if visits else None
    most = max(float(flow.starts.max(initial=0.0)), 1e-300)
    width = max(1, COLUMN_CELLS // max(flow.space.n_states, 1))
    for begin in range(0, len(removed), width):
        part = slice(begin, begin + width)
        unit = safe_divide(shares, scale[:, None])[reward[part]].T
        won = forward.solve(unit, removed[part]) * scale[reward[part]]
        been = None
        if backward:
            been = backward.solve((flow.starts / most)[:, None], removed[part]) * most
        yield Columns(reward[part], removed[part], won, been)


@dataclass(frozen=True, slots=True, eq=False)
class _Equation:
    """x = mask (source + A x), for many columns with a mask each.

    A sweep puts x into the right side: it ends at the solution whatever the chain is. What makes it quick
    also on long walks is that after each sweep the residual is solved for exactly in the small chain of
    newest touches alone, and that solution added (aggregation: Stewart, Numerical Solution of Markov
    Chains, 1994, ch. 6).
    """

    space: Space
    multiply: Callable[[Floats], Floats]
    """Columns, shape (n_states, n_columns), by A."""
    fundamental: Floats
    """Shape (n_channels, n_channels): (I - A)^-1 of the small chain."""
    before: Floats | None
    """Shape (n_states,): how windows are weighed when they are summed by newest touch."""
    after: Floats | None
    """Shape (n_states,): how a newest touch's solution is spread over its windows."""

    @classmethod
    def of_rewards(cls, flow: Flow, mass: Floats) -> _Equation:
        """Set up A = Q."""
        fundamental, weight = _small_chain(flow, mass)
        return cls(flow.space, _multiplier(flow, mass), fundamental, weight, None)

    @classmethod
    def of_visits(cls, flow: Flow, mass: Floats) -> _Equation:
        """Set up A = Q'."""
        fundamental, weight = _small_chain(flow, mass)
        return cls(flow.space, _transposed_multiplier(flow, mass), fundamental.T, None, weight)

    def solve(self, source: Floats, removed: Integers) -> Floats:
        """Return x, shape (n_states, n_columns), for the channel that each column lacks."""
        mask = self._mask(removed)
        source = mask * source
        x, before, is_corrected = source, np.inf, True
        for sweep in range(1, MAX_SWEEPS + 1):
            swept = self.multiply(x)
            swept *= mask
            swept += source
            residual = swept - x
            size = float(np.abs(residual).max(initial=0.0))
            if size <= TOLERANCE:
                return swept
            if sweep % PATIENCE == 0:
                if size <= ROUND_OFF and size >= before:
                    return swept
                # Where the correction does not help, bare sweeps do, if slowly.
                is_corrected, before = is_corrected and size < before / 2, size
            x = swept + mask * self._correction(residual, removed) if is_corrected else swept
        raise AssertionError(f"no solution after {MAX_SWEEPS} sweeps: the residual is {size}")

    def _mask(self, removed: Integers) -> Floats:
        """Return 0 where a window holds the channel that a column lacks, else 1."""
        digits = self.space.digits
        # A table is multiplied row by row, a list column by column: so they lie in memory.
        is_table = self.space.listed is None
        mask = np.ones((digits.shape[1], len(removed)), order="C" if is_table else "F")
        for column, channel in enumerate(removed.tolist()):
            mask[(digits == channel).any(axis=0), column] = 0
        return mask

    def _correction(self, residual: Floats, removed: Integers) -> Floats:
        """Solve for the swept residual in the chain of newest touches, shape (n_states, n_columns).

        That chain without a channel c needs no inverse of its own: N - N e_c e_c' N / N_cc.
        """
        n, is_table = self.space.n_channels, self.space.listed is None
        last = self.space.digits[-1].astype(np.int64)
        weighed = residual if self.before is None else residual * self.before[:, None]
        if is_table:
            small = weighed.reshape(-1, n, residual.shape[1]).sum(axis=0)
        else:
            small = np.stack([summed(last, column, n) for column in weighed.T], axis=1)
        spread: Floats = self.fundamental @ small
        columns = np.flatnonzero(removed < n)
        channels = removed[columns]
        pivot = spread[channels, columns] / self.fundamental[channels, channels]
        spread[:, columns] -= self.fundamental[:, channels] * pivot
        spread -= small
        wide: Floats = spread[last] if is_table else spread.T[:, last].T
        return wide if self.after is None else wide * self.after[:, None]


def _small_chain(flow: Flow, mass: Floats) -> tuple[Floats, Floats]:
    """Return the chain of newest touches as (I - Q)^-1, and each window's part of its newest touch's mass."""
    last = flow.space.digits[-1].astype(np.int64)
    by_channel = summed(last, mass, flow.space.n_channels)
    moves = safe_divide(flow.between_channels(), by_channel[:, None])
    fundamental = np.asarray(np.linalg.inv(np.eye(len(moves)) - moves), dtype=np.float64)
    return fundamental, safe_divide(mass, by_channel[last])


def _blocks(flow: Flow, mass: Floats) -> Floats:
    """Return Q as blocks, for a table of all moves: shape (n_states / n, n, n).

    A window (x, u) can only move to a (u, y): for each u there is a small dense block, from all x to all y.
    """
    n = flow.space.n_channels
    shares = safe_divide(flow.moves.reshape(-1, n), mass[:, None])
    return np.ascontiguousarray(shares.reshape(n, -1, n).transpose(1, 0, 2))


def _multiplier(flow: Flow, mass: Floats) -> Callable[[Floats], Floats]:
    """Return a function that multiplies columns by Q."""
    if flow.space.listed:
        sources, targets = flow.space.listed
        return _by_list(sources, targets, safe_divide(flow.moves, mass[sources]))
    blocks, n = _blocks(flow, mass), flow.space.n_channels

    def by_blocks(x: Floats) -> Floats:
        moved = np.matmul(blocks, x.reshape(len(blocks), n, -1))
        return np.ascontiguousarray(moved.transpose(1, 0, 2)).reshape(x.shape)

    return by_blocks


def _transposed_multiplier(flow: Flow, mass: Floats) -> Callable[[Floats], Floats]:
    """Return a function that multiplies columns by Q'."""
    if flow.space.listed:
        sources, targets = flow.space.listed
        order = np.argsort(targets, kind="stable")
        share = safe_divide(flow.moves, mass[sources])
        return _by_list(targets[order], sources[order], share[order])
    blocks, n = np.ascontiguousarray(_blocks(flow, mass).transpose(0, 2, 1)), flow.space.n_channels

    def by_blocks(y: Floats) -> Floats:
        parts = np.ascontiguousarray(y.reshape(n, len(blocks), -1).transpose(1, 0, 2))
        moved: Floats = np.matmul(blocks, parts).reshape(y.shape)
        return moved

    return by_blocks


def _by_list(rows: Integers, columns: Integers, cells: Floats) -> Callable[[Floats], Floats]:
    """Return a function that multiplies by a sparse matrix given as its cells, ascending by row."""
    begins = np.flatnonzero(np.diff(rows, prepend=-1))
    filled = rows[begins]

    def by_list(x: Floats) -> Floats:
        moved = np.zeros_like(x)
        if len(begins):
            for column in range(x.shape[1]):
                moved[filled, column] = np.add.reduceat(x[columns, column] * cells, begins)
        return moved

    return by_list
