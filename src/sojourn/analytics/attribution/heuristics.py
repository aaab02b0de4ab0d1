"""Heuristics: each conversion is shared among the touches of its path by a fixed rule."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sojourn.analytics.attribution.direct import DIRECT_NAMES, direct_codes, last_non_direct
from sojourn.analytics.attribution.paths import Floats, Paths, summed
from sojourn.analytics.attribution.tallies import Credit, Tally
from sojourn.model.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Heuristic:
    """Any rule of this room, made ready: shares of touches, summed by channel."""

    tallies: Sequence[Tally]

    def credit(self, sums: Sequence[Floats]) -> Credit:
        """Hand the sums on: they are the credit."""
        return Credit(sums[0], sums[1])


def first(paths: Paths) -> Heuristic:
    """Give all to the first touch."""
    return _of_touches(paths, paths.offsets[:-1][_touched(paths)])


def last(paths: Paths) -> Heuristic:
    """Give all to the last touch before the conversion."""
    return _of_touches(paths, paths.offsets[1:][_touched(paths)] - 1)


def last_touch_not_direct(paths: Paths, names: Sequence[str] = DIRECT_NAMES) -> Heuristic:
    """Give all to the last touch that is not direct traffic; to direct traffic where there is no other."""
    found = last_non_direct(paths, direct_codes(paths, names)[paths.codes])
    return _of_touches(paths, np.where(found < 0, paths.offsets[1:] - 1, found)[_touched(paths)])


def linear(paths: Paths) -> Heuristic:
    """Give each touch the same."""
    return _weighted(paths, lambda touches, _place, _length: np.ones(len(touches)))


def time_decay(paths: Paths, half_life_ms: float) -> Heuristic:
    """Give a touch half as much as one that is `half_life_ms` nearer to the conversion.

    Raises:
        ConfigError: The paths have no times, or the half-life is not above 0.
    """
    age_ms = paths.age_ms
    if age_ms is None:
        raise ConfigError(
            "time decay needs the time of each touch, and aggregated paths have none; give events instead"
        )
    if not half_life_ms > 0:
        raise ConfigError(f"the half-life is {half_life_ms} ms; expected more than 0")
    newest = np.zeros(len(paths), dtype=np.int64)
    touched = paths.lengths > 0
    if touched.any():
        newest[touched] = np.minimum.reduceat(age_ms, paths.offsets[:-1][touched])
    path = paths.path_of_touch()
    # Ages count from the newest touch: a path whose touches are all old must not vanish by underflow.
    return _weighted(
        paths,
        lambda touches, _place, _length: np.exp2((newest[path[touches]] - age_ms[touches]) / half_life_ms),
    )


def by_position(
    paths: Paths, *, head: Sequence[float], tail: Sequence[float], rest: float, middle: float = 0.0
) -> Heuristic:
    """Weigh touches by their place: U is head 0.4, rest 0.2, tail 0.4.

    Args:
        paths: The paths. head: The weights of the first touch, the second, ... tail: The weights of the
        last touch, the one before it, ... rest: What all other touches share evenly. middle: The weight of
        the touch halfway (the earlier of two), where it is neither first nor last; it has
            then no part in `rest`.

    What falls on one touch in a short path is added up, and what falls on none is shared by the others in
    proportion; where no touch has any weight, each gets the same.

    Raises:
        ConfigError: A weight is negative or not finite, or all are 0.
    """
    weights = np.array([*head, *tail, rest, middle], dtype=np.float64)
    if not (np.isfinite(weights) & (weights >= 0)).all() or not weights.any():
        raise ConfigError("position weights: expected numbers that are 0 or more, and one above 0")
    from_start, from_end = np.array([*head, 0.0]), np.array([*tail, 0.0])

    def weigh(_touches: NDArray[np.int64], place: NDArray[np.int64], length: NDArray[np.int64]) -> Floats:
        place_from_end = length - 1 - place
        weight: Floats = (
            from_start[np.minimum(place, len(head))] + from_end[np.minimum(place_from_end, len(tail))]
        )
        is_middle = (place == (length - 1) // 2) & (place > 0) & (place_from_end > 0) & (middle > 0)
        weight += middle * is_middle
        is_rest = (place >= len(head)) & (place_from_end >= len(tail)) & ~is_middle
        middles = (middle > 0) & (length >= 3)
        n_rest = length - np.minimum(length, len(head) + len(tail))
        mid = (length - 1) // 2
        n_rest -= middles & (mid >= len(head)) & (length - 1 - mid >= len(tail))
        weight += rest * is_rest / np.maximum(n_rest, 1)
        return weight

    return _weighted(paths, weigh)


def _touched(paths: Paths) -> NDArray[np.bool_]:
    """Tell which paths have something to share, and somebody to share it among."""
    return (paths.conversions > 0) & (paths.lengths > 0)


def _of_touches(paths: Paths, touches: NDArray[np.int64]) -> Heuristic:
    """Give all to one touch of each converting path."""
    return _shared(paths, np.flatnonzero(_touched(paths)).astype(np.int32), touches, None)


def _weighted(
    paths: Paths,
    weigh: Callable[[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]], Floats],
) -> Heuristic:
    """Share by weights of touches, given (which touches, their places from 0, the lengths of their paths)."""
    path_of_touch = paths.path_of_touch()
    touches = np.flatnonzero(_touched(paths)[path_of_touch])
    path = path_of_touch[touches]
    length = paths.lengths[path]
    weight = weigh(touches, touches - paths.offsets[path], length)
    sums = summed(path, weight, len(paths))[path]
    share = np.where(sums > 0, weight / np.where(sums > 0, sums, 1), 1 / length)
    return _shared(paths, path, touches, share)


def _shared(
    paths: Paths, path: NDArray[np.int32], touches: NDArray[np.int64], share: Floats | None
) -> Heuristic:
    feature = paths.codes[touches]
    return Heuristic(
        [
            Tally("conversions", paths.n_channels, path, feature, share),
            Tally("value", paths.n_channels, path, feature, share),
        ]
    )
