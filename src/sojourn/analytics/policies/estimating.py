"""Estimating: what another policy would have earned, from what was drawn by a known chance.

With w = target probability / propensity of what was drawn (Horvitz and Thompson, 1952):

    IPS    mean(w r)
    SNIPS  sum(w r) / sum(w)                              (Swaminathan and Joachims, 2015)
    DR     mean(q(x, target) + w (r - q(x, drawn)))       (Robins, Rotnitzky, Zhao, 1994; Dudik et al., 2011)

q is a model of rewards. It is fitted on other people than those it is used for (cross-fitting: Chernozhukov
et al., 2018), so DR is right whatever the model is worth, as long as propensities are; a good model makes it
more certain.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sojourn.analytics.policies.decisions import Decisions, Floats

N_FOLDS = 5
PRIORS = (1.0, 10.0, 100.0, 1_000.0, 10_000.0)
"""How many decisions the mean above a cell may count for in the cell's own: a ridge on its deviation."""


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """A policy to be evaluated, as probabilities."""

    taken: Floats
    """Shape (n_decisions,): of what was drawn, in its context."""
    shares: Floats | None = None
    """Shape (n_contexts, n_variants), rows sum to 1; None where only `taken` is known."""


@dataclass(frozen=True, slots=True, eq=False)
class Estimated:
    """An estimate, and what each decision has to do with it."""

    value: float
    top: Floats
    """Shape (n_decisions,): the estimate is sum(top) / sum(bottom)."""
    bottom: Floats

    @property
    def influence(self) -> Floats:
        """How far each decision moves the estimate, times n; they sum to 0."""
        moved: Floats = (self.top - self.value * self.bottom) / self.bottom.mean()
        return moved


def target_of(decisions: Decisions, shares: Floats) -> Target:
    """Say how likely a policy, shape (n_contexts, n_variants), was to draw what was drawn."""
    return Target(shares[decisions.context, decisions.variant], shares)


def weights_of(decisions: Decisions, target: Target, *, clip: float | None = None) -> Floats:
    """Return how much each decision counts for the target; `clip`: at most that much, which biases."""
    weights = target.taken / decisions.propensity
    return weights if clip is None else np.minimum(weights, clip)


def logged(decisions: Decisions) -> Estimated:
    """Return what the policy earned that was in force."""
    return _ratio(decisions.reward, np.ones(len(decisions)))


def ips(decisions: Decisions, weights: Floats) -> Estimated:
    """Return the mean of weighted rewards: right on average, and far off where weights are."""
    return _ratio(weights * decisions.reward, np.ones(len(decisions)))


def snips(decisions: Decisions, weights: Floats) -> Estimated:
    """Return the weighted mean of rewards: a little biased, less uncertain. A weight must be above 0."""
    return _ratio(weights * decisions.reward, weights)


def doubly_robust(decisions: Decisions, target: Target, weights: Floats, *, seed: int = 0) -> Estimated:
    """Return what a model of rewards foretells, corrected by what it missed.

    Where only the probability of what was drawn is known, the model knows contexts and no variants.
    """
    drawn, foretold = reward_model(decisions, target, seed=seed)
    return _ratio(foretold + weights * (decisions.reward - drawn), np.ones(len(decisions)))


def reward_model(decisions: Decisions, target: Target, *, seed: int) -> tuple[Floats, Floats]:
    """Foretell each decision's reward from other people's: of what was drawn, and under the target.

    The mean of the cell (context and variant), drawn towards the variant's mean, and that towards the mean
    of all; how strongly is what foretells best (least squares), again among other people. Returns two arrays
    of the shape (n_decisions,).
    """
    n_cells, n_variants = len(decisions.contexts), len(decisions.variants)
    variant = decisions.variant.astype(np.int64)
    if target.shares is None:
        n_variants, variant = 1, np.zeros(len(decisions), dtype=np.int64)
    fold = _folds(decisions, seed)
    size = (N_FOLDS, n_cells, n_variants)
    place = np.ravel_multi_index((fold, decisions.context, variant), size)
    count, total = (
        np.asarray(np.bincount(place, each, math.prod(size)), dtype=np.float64).reshape(size)
        for each in (np.ones(len(decisions)), decisions.reward)
    )
    foretold = np.stack([_foretold(count, total, left_out) for left_out in range(N_FOLDS)])
    shares = np.ones((n_cells, 1)) if target.shares is None else target.shares
    under = np.einsum("fcv,cv->fc", foretold, shares)
    return foretold.ravel()[place], under[fold, decisions.context]


def _foretold(count: Floats, total: Floats, left_out: int) -> Floats:
    """Fit cells' means on all folds but one; how far they are drawn together is tried out among those."""
    others = [fold for fold in range(N_FOLDS) if fold != left_out]
    n, gained = count[others], total[others]
    priors = [_shrunk(n.sum(axis=0) - n, gained.sum(axis=0) - gained, prior) for prior in PRIORS]
    errors = [(n * means**2 - 2 * gained * means).sum() for means in priors]
    best = PRIORS[int(np.argmin(errors))]
    fitted: Floats = _shrunk(n.sum(axis=0)[None], gained.sum(axis=0)[None], best)[0]
    return fitted


def _folds(decisions: Decisions, seed: int) -> NDArray[np.int64]:
    """Deal people out, as evenly as it goes."""
    order = np.random.default_rng([seed, 2]).permutation(decisions.n_people)
    fold_of: NDArray[np.int64] = order % N_FOLDS
    return fold_of[decisions.person]


def _shrunk(count: Floats, total: Floats, prior: float) -> Floats:
    """Return the means of cells, shape (n_folds, n_contexts, n_variants): the rarer, the more alike."""
    all_count, all_total = count.sum(axis=(1, 2)), total.sum(axis=(1, 2))
    overall = np.divide(all_total, all_count, out=np.zeros(len(count)), where=all_count > 0)[:, None]
    of_variant = (total.sum(axis=1) + prior * overall) / (count.sum(axis=1) + prior)
    shrunk: Floats = (total + prior * of_variant[:, None, :]) / (count + prior)
    return shrunk


def _ratio(top: Floats, bottom: Floats) -> Estimated:
    return Estimated(float(top.sum() / bottom.sum()), top, bottom)
