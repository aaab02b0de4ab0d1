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
class Windows:
    """The walks of some paths through windows of `order` touches."""

    order: int
    n_channels: int
    digits: NDArray[np.int16]
    """Shape (order, n_states): the channels of each window, the newest last."""
    starts: Visits
    """The first window of each path that is long enough."""
    ends: Visits
    """Its last window."""
    moves: Visits
    """All moves between windows: the place is an index into `sources` and `targets`."""
    sources: NDArray[np.int32] | None
    """Shape (n_moves,), ascending: the window left. None: all moves that could be, source x n_channels + touch."""
    targets: NDArray[np.int32] | None
    short: Visits
    """The channels of each path that is too short, each once."""
    short_paths: NDArray[np.int32]
    n_short_states: int
    """How many different paths are too short."""

    @property
    def n_states(self) -> int:
        """Count the windows, those that only could be included."""
        return self.digits.shape[1]

    @property
    def n_moves(self) -> int:
        """Count the moves, those that only could be included."""
        return self.n_states * self.n_channels if self.sources is None else len(self.sources)


def windows_of(paths: Paths, order: int, counted: NDArray[np.bool_]) -> Windows:
    """Walk the paths that are `counted` (shape (n_paths,)) through windows of `order` touches.

    Raises:
        ConfigError: The order is below 1, or there are more windows than a 64-bit number can name.
    """
    n = max(paths.n_channels, 1)
    if order < 1:
        raise ConfigError(f"the order is {order}; expected 1 or more")
    if n**order >= LARGEST_KEY:
        raise ConfigError(f"order {order} with {n} channels has too many windows; choose a lower order")
    lengths = paths.lengths
    long = np.flatnonzero(counted & (lengths >= order)).astype(np.int32)
    keys = _keys(paths.codes, order, n)
    from_place, to_place, mover = _moves(paths, keys, long, order)
    newest = paths.codes[to_place + (order - 1)]
    short_paths = np.flatnonzero(counted & (lengths < order) & (lengths > 0)).astype(np.int32)
    first, last = keys[paths.offsets[long]], keys[paths.offsets[long + 1] - order]
    rest = {
        "short": Visits(*distinct_channels(paths, short_paths)),
        "short_paths": short_paths,
        "n_short_states": _count_different(paths, short_paths, order),
    }
    if n ** (order + 1) <= min(LARGEST_TABLE, max(ALWAYS_A_TABLE, CELLS_A_MOVE * len(mover))):
        return Windows(
            digits=_digits(np.arange(n**order), order, n),
            starts=Visits(long, first.astype(np.int32)),
            ends=Visits(long, last.astype(np.int32)),
            moves=Visits(mover, (keys[from_place] * n + newest).astype(np.int32)),
            sources=None,
            targets=None,
            order=order,
            n_channels=n,
            **rest,
        )
    states = np.unique(np.concatenate([first, keys[to_place]]))
    source = np.searchsorted(states, keys[from_place])
    pairs, place = np.unique(source * n + newest, return_inverse=True)
    target_keys = (states[pairs // n] % n ** (order - 1)) * n + pairs % n
    return Windows(
        digits=_digits(states, order, n),
        starts=Visits(long, np.searchsorted(states, first).astype(np.int32)),
        ends=Visits(long, np.searchsorted(states, last).astype(np.int32)),
        moves=Visits(mover, place.astype(np.int32)),
        sources=(pairs // n).astype(np.int32),
        targets=np.searchsorted(states, target_keys).astype(np.int32),
        order=order,
        n_channels=n,
        **rest,
    )


def moves_of(windows: Windows) -> tuple[Integers, Integers]:
    """Return the window that each move leaves, and the one it reaches, shape (n_moves,) each."""
    if windows.sources is not None and windows.targets is not None:
        return windows.sources.astype(np.int64), windows.targets.astype(np.int64)
    n, place = windows.n_channels, np.arange(windows.n_moves)
    return place // n, place // n % n ** (windows.order - 1) * n + place % n


def count_states(windows: Windows, starts: Floats, moves: Floats) -> tuple[int, int]:
    """Count the states and the moves between them that occur, given how often: shape (n_states,), (n_moves,)."""
    entered = starts > 0
    entered[moves_of(windows)[1][moves > 0]] = True
    return int(entered.sum()) + windows.n_short_states, int((moves > 0).sum())


def _keys(codes: NDArray[np.int32], order: int, n: int) -> Integers:
    """Write the `order` touches from each place on as one number; where fewer are left it means nothing."""
    keys = codes.astype(np.int64)
    for ahead in range(1, order):
        keys *= n
        keys[:-ahead] += codes[ahead:]
    return keys


def _moves(
    paths: Paths, keys: Integers, long: NDArray[np.int32], order: int
) -> tuple[Integers, Integers, NDArray[np.int32]]:
    """Return (place left, place reached, path) of each move to another window."""
    begins, n_moves = paths.offsets[long], paths.lengths[long] - order
    before = np.cumsum(n_moves) - n_moves
    places = np.arange(int(n_moves.sum())) + np.repeat(begins - before, n_moves)
    is_move = keys[places] != keys[places + 1]
    places = places[is_move]
    return places, places + 1, np.repeat(long, n_moves)[is_move]


def _digits(keys: Integers, order: int, n: int) -> NDArray[np.int16]:
    return np.stack([(keys // n**power % n).astype(np.int16) for power in range(order - 1, -1, -1)])


def _count_different(paths: Paths, short_paths: NDArray[np.int32], order: int) -> int:
    """Count the different paths among those of fewer than `order` touches."""
    lengths = paths.lengths[short_paths]
    return sum(
        len(np.unique(_keys(paths.codes, length, paths.n_channels)[paths.offsets[short_paths[lengths == length]]]))
        for length in range(1, order)
    )


def distinct_channels(paths: Paths, chosen: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """List (path, channel) of some paths (ascending), each once, ascending by path and channel."""
    n = max(paths.n_channels, 1)
    lengths = paths.lengths[chosen]
    before = np.cumsum(lengths) - lengths
    touches = np.arange(int(lengths.sum())) + np.repeat(paths.offsets[chosen] - before, lengths)
    pairs = np.repeat(chosen.astype(np.int64) * n, lengths) + paths.codes[touches]
    pairs.sort()
    pairs = pairs[np.concatenate([[True], np.diff(pairs) != 0])] if len(pairs) else pairs
    return (pairs // n).astype(np.int32), (pairs % n).astype(np.int32)
