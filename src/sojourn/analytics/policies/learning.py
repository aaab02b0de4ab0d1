"""Learning: a draft policy from logged decisions: weights of each variant in each context, with a floor.

What comes out is a draft like any other: `evaluate` judges it, and by decisions it was not learnt from.
"""

from __future__ import annotations

import numpy as np

from sojourn.analytics.policies.decisions import Decisions, Floats
from sojourn.analytics.policies.draft import Draft, Split
from sojourn.definitions.thompson import weights
from sojourn.model.errors import ConfigError

FLOOR = 0.05
"""The least share of a variant: what the next draft can still be judged by."""


def learn_thompson(decisions: Decisions, floor: float) -> Draft:
    """Weigh each variant by the chance that it is the best in its context.

    What holds in other contexts is learnt from all. Rewards are from 0 to 1, and counted as they are: in a
    context, what was drawn by chance needs no weighing.

    Raises:
        ConfigError: A reward is outside 0 to 1, or the floor is too high.
    """
    low, high = float(decisions.reward.min()), float(decisions.reward.max())
    if low < 0 or high > 1:
        raise ConfigError(
            f"Thompson sampling is of rewards from 0 to 1, got {low:g} to {high:g}; take --with vw"
        )
    check_floor(decisions, floor)
    size = (len(decisions.contexts), len(decisions.variants))
    place = np.ravel_multi_index((decisions.context, decisions.variant), size)
    won, tried = (
        np.asarray(np.bincount(place, each, size[0] * size[1]), dtype=np.float64).reshape(size)
        for each in (decisions.reward, np.ones(len(decisions)))
    )
    cells = {
        cell: _split(decisions, won[i], tried[i], floor) for i, cell in enumerate(decisions.contexts) if cell
    }
    return Draft(_split(decisions, won.sum(axis=0), tried.sum(axis=0), floor), cells)


def check_floor(decisions: Decisions, floor: float) -> None:
    """Raise ConfigError where so many variants cannot each have the floor."""
    n = len(decisions.variants)
    if floor * n > 1:
        raise ConfigError(f"{n} variants cannot have {floor:g} each; take a floor of at most {1 / n:.4f}")


def _split(decisions: Decisions, won: Floats, tried: Floats, floor: float) -> Split:
    # Fractions that were summed up may step over by a hair.
    learnt = weights(np.minimum(won, tried).tolist(), tried.tolist(), floor)
    return Split(dict(zip(decisions.variants, learnt, strict=True)))
