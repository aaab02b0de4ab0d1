"""Paths: the touches that led to conversions, or to none, as numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sojourn.analytics.events import Codes, Instants, Offsets
from sojourn.model.errors import ConfigError

NONE = "(none)"
"""Who is credited where nobody was met: a conversion before any touch."""

MAX_CHANNELS = 5_000
"""More than any report lists: most likely something else was taken for the channel."""
MAX_TOUCHES = 2**31 - 1

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Journeys as they were drawn from the world, for the bootstrap. Arrays have the shape (n_rows,)."""

    path: Codes
    """Which path, an index into `Paths`."""
    conversions: Floats
    value: Floats
    """Of all conversions of the row, which are worth the same each."""
    nulls: Floats
    person: Codes | None = None
    """Whose journeys a row holds. None: unknown, and then each journey is taken for a person of its own."""


@dataclass(frozen=True, slots=True, eq=False)
class Paths:
    """Encoded touch paths. The touches of path `i` are `codes[offsets[i]:offsets[i + 1]]`.

    A path may have no touch: nobody was met before the conversion. Equal paths may occur more than once.
    Arrays are never changed in place.
    """

    channels: Sequence[str]
    """Distinct names, sorted; each occurs in a path."""
    offsets: Offsets
    """Shape (n_paths + 1,)."""
    codes: Codes
    """Shape (n_touches,): an index into `channels`."""
    conversions: Floats
    """Shape (n_paths,): journeys that ended in a conversion; none is negative, fractions are fine."""
    value: Floats
    """Shape (n_paths,): what these conversions are worth; 0 where there is none."""
    nulls: Floats
    """Shape (n_paths,): journeys that took the path and did not convert."""
    sample: Sample
    age_ms: Instants | None = None
    """Shape (n_touches,): how long before the conversion (null path: its last touch). None: unknown."""
    rules: Mapping[str, str] = field(default_factory=dict)
    """How paths came about, by subject: window, direct traffic, nulls, ...; printed with every result."""
    left_out: Mapping[str, int] = field(default_factory=dict)
    """What was not taken, by reason."""

    def __len__(self) -> int:
        """Count the paths."""
        return len(self.conversions)

    @property
    def n_channels(self) -> int:
        """Count the channels."""
        return len(self.channels)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Count the touches of each path, shape (n_paths,)."""
        return np.diff(self.offsets)

    @property
    def journeys(self) -> Floats:
        """Count the journeys of each path, shape (n_paths,)."""
        return self.conversions + self.nulls

    def path_of_touch(self) -> Codes:
        """Return which path each touch is of, shape (n_touches,)."""
        return np.repeat(np.arange(len(self), dtype=np.int32), self.lengths)

    def keep_touches(self, kept: NDArray[np.bool_]) -> Paths:
        """Return the same paths without some touches; channels that are left in none are forgotten."""
        sums = np.concatenate([[0], np.cumsum(kept)])
        touches = replace(
            self,
            offsets=sums[self.offsets],
            codes=self.codes[kept],
            age_ms=None if self.age_ms is None else self.age_ms[kept],
        )
        return with_names(touches, self.channels)


def summed(places: NDArray[Any], weights: NDArray[Any], n_places: int) -> Floats:
    """Add up weights by place, shape (n_places,)."""
    # Of nothing, NumPy makes whole numbers.
    return np.bincount(places, weights, n_places).astype(np.float64, copy=False)


def with_names(paths: Paths, names: Sequence[str]) -> Paths:
    """Return paths whose codes are indices into `names`, in any order and maybe twice, as they should be.

    Raises:
        ConfigError: There are more channels or touches than can be counted.
    """
    used = np.flatnonzero(np.bincount(paths.codes, minlength=len(names))).tolist()
    channels = sorted({names[i] for i in used})
    if len(channels) > MAX_CHANNELS:
        raise ConfigError(
            f"there are {len(channels):,} channels; at most {MAX_CHANNELS:,} can be credited: group them"
        )
    if len(paths.codes) > MAX_TOUCHES:
        raise ConfigError(f"there are {len(paths.codes):,} touches; at most {MAX_TOUCHES:,} can be counted")
    place = {name: i for i, name in enumerate(channels)}
    new = np.zeros(len(names), dtype=np.int32)
    new[used] = [place[names[i]] for i in used]
    return replace(paths, channels=tuple(channels), codes=new[paths.codes])
