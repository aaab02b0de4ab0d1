"""Known: what facts say of the people whose events are asked about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from sojourn.analytics.belonging.spans import Mask, Spans

ALWAYS, NEVER = -(1 << 62), 1 << 62
"""Instants before and after all others, ms."""


class Encounter(Struct, frozen=True, eq=False):
    """Which variant of one experiment each person met first. Arrays are (n_people,)."""

    arms: Sequence[str]
    """All that anybody met, sorted."""
    arm: NDArray[np.int32]
    """An index into `arms`; -1: the person never met the experiment."""
    at: NDArray[np.int64]
    """When they met it; NEVER."""


class Belonging(Struct, frozen=True, eq=False):
    """Segments and experiments by name: those that a question asked for."""

    segments: Mapping[str, Spans]
    """When who was in it, by their places among the events' people."""
    experiments: Mapping[str, Encounter]

    def of_some(self, is_kept: Mask) -> Belonging:
        """Return what is known of some people."""
        return Belonging(
            {name: spans.of_some(is_kept) for name, spans in self.segments.items()},
            {
                name: Encounter(one.arms, one.arm[is_kept], one.at[is_kept])
                for name, one in self.experiments.items()
            },
        )
