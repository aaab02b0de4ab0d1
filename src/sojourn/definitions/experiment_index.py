"""The catalogue's index of experiments: all of them, and which learn from what."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sojourn.definitions.experiment import Experiment, Flag
from sojourn.definitions.journey import Journey


def index_experiments(journeys: Iterable[Journey], flags: Iterable[Flag]) -> dict[str, Any]:
    """Return the catalogue's `experiments`, `adaptive`, `rewards` and `goal_rewards`.

    Of an experiment that several versions of a journey have, the last one's counts.
    """
    owned = [("", one) for flag in flags for one in flag.experiments]
    owned += [(journey.name, one) for journey in journeys for one in journey.experiments.values()]
    adaptive: dict[str, tuple[str, Experiment]] = {
        one.id: (journey, one) for journey, one in owned if one.allocation == "adaptive"
    }
    rewards: dict[str, tuple[Experiment, ...]] = {}
    goals: dict[str, tuple[Experiment, ...]] = {}
    for journey, one in adaptive.values():
        names = one.reward.names if one.reward is not None else frozenset()
        for name in sorted(names):
            rewards[name] = (*rewards.get(name, ()), one)
        if not names:
            goals[journey] = (*goals.get(journey, ()), one)
    return {
        "experiments": {one.id: one for _, one in owned},
        "adaptive": {name: one for name, (_, one) in adaptive.items()},
        "rewards": rewards,
        "goal_rewards": goals,
    }
