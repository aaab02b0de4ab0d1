"""Truth: what each channel brings about, by living every set of channels with the same draws."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from sojourn.analytics.games import shapley_of
from sojourn.analytics.simulator.draws import Draws
from sojourn.analytics.simulator.living import NEVER, live, people_of
from sojourn.analytics.simulator.observing import Observed
from sojourn.analytics.simulator.scenarios import Scenario

Floats = NDArray[np.float64]
Tell = Callable[[int], None]

CHUNK = 4_096
"""People at a time: all worlds of so many fit into a processor's cache."""
MAX_CHANNELS = 8


class Truth(Struct, frozen=True, kw_only=True):
    """What happens with each set of channels on, and what follows from it."""

    scenario: str
    seed: int
    people: int
    channels: tuple[str, ...]
    conversions: tuple[int, ...]
    """By set: bit `c` of the index says that channel `c` is on."""
    value: tuple[float, ...]

    @property
    def all_on(self) -> int:
        """The index of the set of all."""
        return len(self.conversions) - 1

    def incremental(self) -> dict[str, float]:
        """Return what is lost where a channel alone is switched off, in conversions: do(off)."""
        return self._off(self.conversions)

    def incremental_value(self) -> dict[str, float]:
        """Return the same in value."""
        return self._off(self.value)

    def shapley(self) -> dict[str, float]:
        """Return each channel's Shapley value of the conversions that all bring about together."""
        phi = shapley_of(np.array(self.conversions, dtype=np.float64))
        return dict(zip(self.channels, phi.tolist(), strict=True))

    def told(self) -> dict[str, object]:
        """Lay it out for a file."""
        return {
            "scenario": self.scenario,
            "seed": self.seed,
            "people": self.people,
            "channels": list(self.channels),
            "conversions_with_none": self.conversions[0],
            "conversions_with_all": self.conversions[-1],
            "incremental_conversions": self.incremental(),
            "incremental_value": self.incremental_value(),
            "shapley_of_incremental_conversions": self.shapley(),
            "sets": [
                {
                    "on": [name for c, name in enumerate(self.channels) if mask >> c & 1],
                    "conversions": self.conversions[mask],
                    "value": self.value[mask],
                }
                for mask in range(len(self.conversions))
            ],
        }

    def _off(self, by_set: tuple[int, ...] | tuple[float, ...]) -> dict[str, float]:
        return {
            name: float(by_set[self.all_on] - by_set[self.all_on & ~(1 << c)])
            for c, name in enumerate(self.channels)
        }


def truth_of(
    scenario: Scenario,
    *,
    people: int,
    seed: int,
    first: int = 0,
    only_off: bool = False,
    tell: Tell = lambda _: None,
) -> Truth:
    """Live all sets of channels.

    Args:
        scenario: The world.
        people: How many.
        seed: Which.
        first: The number of the first of them.
        only_off: Only the sets that do(off) needs; the others are said to have had 0 conversions.
        tell: Called with how many people were done.
    """
    names = tuple(channel.name for channel in scenario.channels)
    n_sets = 1 << len(names)
    masks = np.arange(n_sets)
    if only_off:
        masks = np.array([n_sets - 1, *(n_sets - 1 & ~(1 << c) for c in range(len(names)))])
    on = (masks[None, :] >> np.arange(len(names))[:, None] & 1).astype(bool)[:, :, None]
    conversions, value = np.zeros(n_sets, dtype=np.int64), np.zeros(n_sets)
    for start in range(first, first + people, CHUNK):
        draws = Draws(seed, start, min(CHUNK, first + people - start))
        converted = live(scenario, draws, on) != NEVER
        conversions[masks] += converted.sum(axis=1)
        value[masks] += converted @ people_of(scenario, draws).worth
        tell(draws.n_people)
    return Truth(
        scenario=scenario.name,
        seed=seed,
        people=people,
        channels=names,
        conversions=tuple(conversions.tolist()),
        value=tuple(np.round(value, 2).tolist()),
    )


def as_they_run(observed: Observed) -> dict[str, int]:
    """Return what each channel brings about beside the others as these were: with their hold-outs.

    That is what a hold-out measures: everybody lives with the channel and without it, and has the others as
    they had them.
    """
    scenario, n_channels = observed.scenario, len(observed.scenario.channels)
    totals = np.zeros(2 * n_channels, dtype=np.int64)
    for start in range(0, observed.n_people, CHUNK):
        n = min(CHUNK, observed.n_people - start)
        on = np.repeat(~observed.held[:, None, start : start + n], 2 * n_channels, axis=1)
        for c in range(n_channels):
            on[c, 2 * c], on[c, 2 * c + 1] = True, False
        draws = Draws(observed.seed, observed.first + start, n)
        totals += (live(scenario, draws, on) != NEVER).sum(axis=1)
    names = [channel.name for channel in scenario.channels]
    return {name: int(totals[2 * c] - totals[2 * c + 1]) for c, name in enumerate(names)}
