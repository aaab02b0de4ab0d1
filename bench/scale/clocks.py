"""Clocks: how long until the watermark has passed an event, which every partition has to have passed.

A partition passes an event's instant with the next record of its own, or with a door's tick. A door makes
a round of ticks every `tick_ms`, and leaves out the partitions that its own events fill densely: where it
sent one within `tick_ms`, and another within `tick_ms` before that. So a partition is not yet past an event
after x ms with probability

    exp(-r x) * product over the rounds before x of b(U)        and 0 from a round and `tick_ms` on,

r being its records a ms, U a round's instant, b(U) the probability that it was left out; and the watermark
has passed once none of n is behind.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, partial
from math import exp

PHASES = 8
POINTS = 60


@dataclass(frozen=True)
class Gate:
    """How long an event waits for the watermark, as points that are equally probable each by its weight."""

    waits: tuple[float, ...]
    weights: tuple[float, ...]

    @property
    def mean(self) -> float:
        """The mean, ms."""
        return sum(wait * weight for wait, weight in zip(self.waits, self.weights, strict=True))


@cache
def gate(*, partitions: int, doors: int, lane_per_ms: float, tick_ms: float, step_ms: float) -> Gate:
    """Return the distribution of the wait.

    Args:
        partitions: of the events.
        doors: each ticks on its own.
        lane_per_ms: records a ms that a door writes to a partition.
        tick_ms: between a door's rounds.
        step_ms: between two looks at the clocks (Flink's auto-watermark interval): half of it is added.
    """
    longest = 2 * tick_ms
    width = longest / POINTS
    behind_at = partial(_behind, partitions=partitions, doors=doors, rate=lane_per_ms, tick=tick_ms)
    behind = [
        sum(behind_at(point * width, phase=phase) for phase in range(PHASES)) / PHASES
        for point in range(POINTS + 1)
    ]
    weights = tuple(max(0.0, behind[point] - behind[point + 1]) for point in range(POINTS))
    whole = sum(weights) or 1.0
    waits = tuple((point + 0.5) * width + step_ms / 2 for point in range(POINTS))
    return Gate(waits, tuple(weight / whole for weight in weights))


def _behind(x: float, *, phase: int, partitions: int, doors: int, rate: float, tick: float) -> float:
    """Return how probably some partition has not passed an event x ms after it."""
    one = exp(-rate * doors * x)
    for door in range(doors):
        at = (door + (phase + 0.5) / PHASES) * tick / doors
        if x >= at + tick:
            return 0.0
        if x >= at:
            # Its last record came within a tick of the round, before the event; the one before soon enough.
            one *= (1 - exp(-rate * (tick - at))) * (1 - exp(-rate * tick))
    return 1 - (1 - one) ** partitions


def ticks_per_s(*, partitions: int, doors: int, lane_per_ms: float, tick_ms: float) -> float:
    """Return the ticks of all doors while events come: a round leaves out what the door fills densely."""
    dense = (1 - exp(-lane_per_ms * tick_ms)) ** 2
    return doors * partitions * (1 - dense) * 1_000 / tick_ms
