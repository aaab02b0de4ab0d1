"""Allocating: what rewards tell of each variant, and the weights that follow from it.

Exposures and rewards are counted for each experiment, cell of its context and variant, from facts. Weights
follow by Thompson sampling (`definitions/thompson.py`). The counts are global, so no turn may read them:
weights go through the log (`$learnt`), and are in force from their position on, live and in every replay.

Rewards come late. An exposure counts, with its reward or without one, only when the time in which it can be
rewarded is over: counted at once, the variant drawn most of late would look the worst. What is not yet
counted waits by the time of exposure, in some MAX_WAITING parts of that time.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import msgspec
from msgspec import Struct

from sojourn.definitions.experiment import Experiment
from sojourn.definitions.forecasts import OTHER
from sojourn.definitions.thompson import weights
from sojourn.model.fact import Exposed, Fact, Rewarded
from sojourn.runtime.tallies import Kept

DOCUMENT = "allocations"
EVERY_MS = 15 * 60_000  # of the log's clock, between two allocations: as often as forecasts.
KEEP_MS = 60_000  # of the log's clock, between two stored documents: a crash forgets a minute of counts.
MAX_CELLS = 50  # told apart in one experiment, those that came first; the rest is OTHER.
MAX_WAITING = 32  # parts of the time in which an exposure can be rewarded.
MIN_PART_MS = 1_000


class Arm(Struct):
    """What is known of one variant in one cell."""

    trials: int = 0
    """Exposures whose time is over."""
    successes: int = 0
    """How many of these were rewarded."""
    waiting: dict[int, list[int]] = {}
    """When a part of time began, ms -> [exposures, rewards] of those exposed in it, until theirs is over."""


Cells = dict[str, dict[str, Arm]]
"""Cell -> variant -> what is known."""


class _Kept(Struct):
    """The counts, and when weights were last made of them."""

    experiments: dict[str, Cells] = {}
    made_at: int = 0
    is_new: bool = False
    """Something was counted since."""


class Allocator:
    """Takes facts in, and says from time to time which weights follow."""

    def __init__(self, store: Kept) -> None:
        kept = store.kept(DOCUMENT)
        self._kept = _Kept() if kept is None else msgspec.json.decode(kept, type=_Kept)
        self._stored_at = 0

    def take(self, facts: Iterable[Fact], adaptive: Mapping[str, Experiment]) -> None:
        """Count exposures and rewards of the experiments in force."""
        for fact in facts:
            if type(fact) is Exposed and fact.experiment in adaptive:
                self._count(adaptive[fact.experiment], fact, at=fact.at, place=0)
            elif type(fact) is Rewarded and fact.experiment in adaptive:
                self._count(adaptive[fact.experiment], fact, at=fact.exposed_at, place=1)

    def due(self, clock: int, adaptive: Collection[str]) -> bool:
        """Tell whether weights are to be made: somebody asks, enough time is over, something was counted."""
        return bool(adaptive) and self._kept.is_new and clock - self._kept.made_at >= EVERY_MS

    def allocations(
        self, clock: int, adaptive: Mapping[str, Experiment]
    ) -> dict[str, dict[str, list[float]]]:
        """Return experiment -> cell -> weights in the order of the variants; forget experiments of the past.

        A cell of which nothing is known yet keeps the weights of the definition.
        """
        kept = self._kept
        kept.experiments = {name: cells for name, cells in kept.experiments.items() if name in adaptive}
        is_waiting = False
        found: dict[str, dict[str, list[float]]] = {}
        for name, cells in sorted(kept.experiments.items()):
            for cell, arms in sorted(cells.items()):
                for arm in arms.values():
                    is_waiting |= _settle(arm, adaptive[name], clock)
                if any(arm.trials for arm in arms.values()):
                    found.setdefault(name, {})[cell] = _weights(arms, adaptive[name])
        kept.made_at, kept.is_new = clock, is_waiting
        return found

    def kept(self) -> dict[str, bytes]:
        """Return all that another one of them would go on from."""
        return {DOCUMENT: msgspec.json.encode(self._kept)}

    def document(self, clock: int) -> dict[str, bytes]:
        """Return what a commit keeps of it: nothing, where it kept it a moment ago."""
        if clock - self._stored_at < KEEP_MS or not self._kept.experiments:
            return {}
        self._stored_at = clock
        return self.kept()

    def counts(self, experiment: str) -> Cells:
        """Return what is known of an experiment."""
        return self._kept.experiments.get(experiment, {})

    def _count(self, experiment: Experiment, fact: Exposed | Rewarded, *, at: int, place: int) -> None:
        cells = self._kept.experiments.setdefault(experiment.id, {})
        cell = fact.context if fact.context in cells or len(cells) < MAX_CELLS else OTHER
        arm = cells.setdefault(cell, {}).setdefault(fact.variant, Arm())
        arm.waiting.setdefault(at - at % _part_ms(experiment), [0, 0])[place] += 1
        if len(arm.waiting) > 2 * MAX_WAITING:  # where nobody asks for weights: a log is read again
            _settle(arm, experiment, fact.at)
        self._kept.is_new = True


def _settle(arm: Arm, experiment: Experiment, clock: int) -> bool:
    """Count what waited until its time was over; returns whether something still waits."""
    part_ms, within_ms = _part_ms(experiment), _within_ms(experiment)
    for part in [part for part in arm.waiting if part + part_ms + within_ms <= clock]:
        trials, successes = arm.waiting.pop(part)
        arm.trials += trials
        arm.successes += successes
    return bool(arm.waiting)


def _weights(arms: Mapping[str, Arm], experiment: Experiment) -> list[float]:
    each = [arms.get(variant, Arm()) for variant in experiment.variants]
    trials = [arm.trials for arm in each]
    # A crash may have lost an exposure whose reward was kept.
    successes = [min(arm.successes, arm.trials) for arm in each]
    return list(weights(successes, trials, experiment.floor))


def _part_ms(experiment: Experiment) -> int:
    return max(MIN_PART_MS, _within_ms(experiment) // MAX_WAITING)


def _within_ms(experiment: Experiment) -> int:
    return experiment.reward.within_ms if experiment.reward is not None else 0
