"""Adaptive allocation: which experiments learn, and from what, as the catalogue indexes them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sojourn.definitions.experiment import Experiment, Flag
from sojourn.definitions.journey import Journey


def index_adaptive(journeys: Iterable[Journey], flags: Iterable[Flag]) -> dict[str, Any]:
    """Return the catalogue's `adaptive`, `rewards` and `goal_rewards`; a later journey's version wins."""
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
        "adaptive": {name: one for name, (_, one) in adaptive.items()},
        "rewards": rewards,
        "goal_rewards": goals,
    }
