"""Windows: the states of a chain of order k are the last k touches.

A path of `length >= k` touches walks through its windows of k touches, one touch further each time; equal
windows in a row are one visit. A path of fewer touches is one state of its own, entered and left at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sojourn.analytics.attribution.paths import Floats, Paths
from sojourn.analytics.attribution.sets import distinct_channels
from sojourn.model.errors import ConfigError

LARGEST_KEY = 2**62  # a window is one 64-bit number, written in base `n_channels`
LARGEST_TABLE = 2**23  # cells of a table of all windows that could be, 64 MB
ALWAYS_A_TABLE = 2**16
CELLS_A_MOVE = 4
"""A cell of a table is about that much cheaper than an observed move in a list."""

Integers = NDArray[np.int64]


class Visits(NamedTuple):
    """Where some paths were: path `path[i]` was in `place[i]`; ascending by path."""

    path: NDArray[np.int32]
    place: NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Space:
    """The windows of `order` touches, and the moves between them.

    Either a table of all that could be, numbered by their touches, or a list of those that occur.
    """

    order: int
    n_channels: int
    digits: NDArray[np.int16]
    """Shape (order, n_states): the channels of each window, the newest last."""
    listed: tuple[Integers, Integers] | None
    """Of a list, shape (n_moves,) each: the window a move leaves (ascending), and the one it reaches."""

    @property
    def n_states(self) -> int:
        """Count the windows."""
        return int(self.digits.shape[1])

    @property
    def n_moves(self) -> int:
        """Count the moves."""
        return len(self.listed[0]) if self.listed else self.n_states * self.n_channels

    def moves(self) -> tuple[Integers, Integers]:
        """Return the window that each move leaves, and the one it reaches, shape (n_moves,) each.

        In a table a move is numbered `window * n_channels + next touch`.
        """
        if self.listed:
            return self.listed
        n, place = self.n_channels, np.arange(self.n_moves)
        return place // n, place // n % n ** (self.order - 1) * n + place % n


@dataclass(frozen=True, slots=True, eq=False)
class Walks:
    """The walks of some paths through windows."""

    space: Space
    starts: Visits
    """The first window of each path that is long enough."""
    ends: Visits
    """Its last window."""
    moves: Visits
    """All its moves."""
    short: Visits
    """The channels of each path that is too short, each once."""
    short_paths: NDArray[np.int32]
    n_short_states: int
    """How many different paths are too short."""


def walks_of(paths: Paths, order: int, counted: NDArray[np.bool_]) -> Walks:
    """Walk the paths that are `counted` (shape (n_paths,)) through windows of `order` touches.

    Raises:
        ConfigError: The order is below 1, or there are more windows than a 64-bit number can name.
    """
    n, lengths = max(paths.n_channels, 1), paths.lengths
    if order < 1:
        raise ConfigError(f"the order is {order}; expected 1 or more")
    if n**order >= LARGEST_KEY:
        raise ConfigError(f"order {order} with {n} channels has too many windows; choose a lower order")
    long = np.flatnonzero(counted & (lengths >= order)).astype(np.int32)
    keys = _keys(paths.codes, order, n)
    left, mover = _moves(paths, keys, counted, order)
    newest = paths.codes[left + order]
    first, last = keys[paths.offsets[long]], keys[paths.offsets[long + 1] - order]
    largest = min(LARGEST_TABLE, max(ALWAYS_A_TABLE, CELLS_A_MOVE * len(mover)))
    if order == 1 or n ** (order + 1) <= largest:
        space, states = Space(order, n, _digits(np.arange(n**order), order, n), None), None
        place = keys[left] * n + newest
    else:
        states = np.unique(np.concatenate([first, keys[left + 1]]))
        moves, place = np.unique(np.searchsorted(states, keys[left]) * n + newest, return_inverse=True)
        targets = np.searchsorted(states, states[moves // n] % n ** (order - 1) * n + moves % n)
        space = Space(order, n, _digits(states, order, n), (moves // n, targets))
    ends = (each if states is None else np.searchsorted(states, each) for each in (first, last))
    starts, stops = (Visits(long, each.astype(np.int32)) for each in ends)
    short = np.flatnonzero(counted & (lengths < order) & (lengths > 0)).astype(np.int32)
    return Walks(
        space,
        starts,
        stops,
        Visits(mover, place.astype(np.int32)),
        Visits(*distinct_channels(paths, short)),
        short,
        _count_different(paths, short, order),
    )


def count_states(walks: Walks, starts: Floats, moves: Floats) -> tuple[int, int]:
    """Count the states, and the moves between them, that occur, given how often each does."""
    entered = starts > 0
    entered[walks.space.moves()[1][moves > 0]] = True
    return int(entered.sum()) + walks.n_short_states, int((moves > 0).sum())


def _keys(codes: NDArray[np.int32], order: int, n: int) -> Integers:
    """Write the `order` touches from each place on as one number; where fewer are left it means nothing."""
    keys = codes.astype(np.int64)
    for ahead in range(1, order):
        keys *= n
        keys[:-ahead] += codes[ahead:]
    return keys


def _moves(
    paths: Paths, keys: Integers, counted: NDArray[np.bool_], order: int
) -> tuple[Integers, NDArray[np.int32]]:
    """Return (the place it leaves, its path) of each move to another window."""
    path = paths.path_of_touch()
    ahead = path[order:]  # of the touch that the move adds
    behind = path[: len(ahead)]
    is_move = (behind == ahead) & (keys[: len(ahead)] != keys[1 : len(ahead) + 1]) & counted[behind]
    left = np.flatnonzero(is_move)
    return left, path[left]


def _digits(keys: Integers, order: int, n: int) -> NDArray[np.int16]:
    return np.stack([(keys // n**power % n).astype(np.int16) for power in range(order - 1, -1, -1)])


def _count_different(paths: Paths, short_paths: NDArray[np.int32], order: int) -> int:
    """Count the different paths among those of fewer than `order` touches."""
    lengths = paths.lengths[short_paths]
    return sum(
        len(
            np.unique(
                _keys(paths.codes, length, paths.n_channels)[paths.offsets[short_paths[lengths == length]]]
            )
        )
        for length in range(1, order)
    )
