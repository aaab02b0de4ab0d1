"""Evaluating: what a draft policy would have earned on logged decisions, or why nobody can tell."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from msgspec import Struct

from sojourn.analytics.policies.decisions import Decisions, Floats
from sojourn.analytics.policies.estimating import (
    N_FOLDS,
    Estimated,
    Target,
    doubly_robust,
    ips,
    logged,
    snips,
    weights_of,
)
from sojourn.analytics.policies.uncertainty import bootstrap_bounds, normal_bounds, standard_error

MIN_EFFECTIVE = 100.0
"""Decisions that the weighted ones are worth; below, an estimate is an anecdote."""
MAX_SHARE = 0.1
"""Of all weight on one decision; above, it decides alone."""
MAX_UNSEEN = 0.05
"""Of what the draft would draw, never drawn in its context, where the log does not say what could be."""
MAX_OFF = 0.1
"""By which the mean weight may miss 1; and by five standard errors, if these are more."""
_ERRORS = 5.0  # weights are skewed: by two or three their mean is off often enough
_ROUNDING = 1e-9  # of what was earned: sums of a draft that draws as was drawn differ by less
_NEVER = 1e-6  # of what the draft would draw though it was impossible: rounding, and no more


class Asked(Struct, frozen=True, kw_only=True):
    """How an evaluation is to be made."""

    level: float = 0.95
    replicates: int = 2_000
    seed: int = 0
    clip: float | None = None
    """Show, beside, what comes out with weights of at most this: less uncertain, and biased."""


class Overlap(Struct, frozen=True, kw_only=True):
    """Whether what was drawn says anything about the draft."""

    decisions: int
    people: int
    effective: float
    """(sum of weights)^2 / sum of their squares (Kish, 1965)."""
    largest_weight: float
    largest_share: float
    """Of all weight."""
    mean_weight: float
    """1, but for chance, where propensities are right and whatever the draft draws could be drawn."""
    mean_weight_error: float
    """Its standard error; NaN of one person."""
    unseen: float
    """The share of what the draft would draw that was never drawn in its context."""
    impossible: float | None = None
    """The share of it that could not be drawn there; None where the log does not say what could."""


class Estimate(Struct, frozen=True, kw_only=True):
    """One estimate of what a decision earns; bounds are None where nobody can tell."""

    name: str
    value: float
    low: float | None
    high: float | None
    """By the studentised bootstrap."""
    normal_low: float | None
    normal_high: float | None
    standard_error: float | None


class Evaluation(Struct, frozen=True, kw_only=True):
    """What was found of a draft policy."""

    definition: dict[str, Any]
    overlap: Overlap
    current: Estimate
    """What the decisions earned as they were drawn."""
    refused: tuple[str, ...]
    """Why nothing can be said of the draft; then there are no estimates."""
    estimates: tuple[Estimate, ...] = ()
    """DR, SNIPS and IPS; and clipped ones, which say so in their names."""
    difference: Estimate | None = None
    """DR less current, decision by decision."""
    promote: bool | None = None
    """Whether both lower bounds of the difference lie above 0; None where refused."""


def evaluate(decisions: Decisions, target: Target, asked: Asked) -> Evaluation:
    """Estimate what a target policy would have earned for each decision; refuse where overlap is missing."""
    weights = weights_of(decisions, target)
    overlap = overlap_of(decisions, target, weights)
    refused = refusals(overlap)
    current = logged(decisions)
    if refused:
        return Evaluation(
            definition=_definition(decisions, asked),
            overlap=overlap,
            current=_told(decisions, {"current": current}, asked)[0],
            refused=refused,
        )
    robust = doubly_robust(decisions, target, weights, seed=asked.seed)
    several = {"DR": robust, "SNIPS": snips(decisions, weights), "IPS": ips(decisions, weights)}
    if asked.clip is not None:
        clipped = weights_of(decisions, target, clip=asked.clip)
        several[f"SNIPS, weights clipped at {asked.clip:g}"] = snips(decisions, clipped)
        several[f"IPS, weights clipped at {asked.clip:g}"] = ips(decisions, clipped)
    ones = np.ones(len(decisions))
    change = Estimated(robust.value - current.value, robust.top - current.top, ones)
    first, second, *rest = _told(decisions, {"current": current, "DR less current": change, **several}, asked)
    return Evaluation(
        definition=_definition(decisions, asked),
        overlap=overlap,
        current=first,
        refused=(),
        estimates=tuple(rest),
        difference=second,
        promote=_is_better(second, first.value),
    )


def overlap_of(decisions: Decisions, target: Target, weights: Floats) -> Overlap:
    """Measure how much of what the draft would draw was drawn."""
    total, squares = float(weights.sum()), float(weights @ weights)
    return Overlap(
        decisions=len(decisions),
        people=decisions.n_people,
        effective=total * total / squares if squares else 0.0,
        largest_weight=float(weights.max()),
        largest_share=float(weights.max() / total) if total else 1.0,
        mean_weight=float(weights.mean()),
        mean_weight_error=standard_error(
            decisions, Estimated(float(weights.mean()), weights, np.ones(len(decisions)))
        ),
        unseen=_unseen(decisions, target),
        impossible=_impossible(decisions, target),
    )


def refusals(overlap: Overlap) -> tuple[str, ...]:
    """Say why an estimate would be worth nothing; nothing where it is worth something."""
    found = []
    if overlap.effective < MIN_EFFECTIVE:
        found.append(
            f"the {overlap.decisions:,} decisions are worth {overlap.effective:,.0f} (effective size); "
            f"at least {MIN_EFFECTIVE:,.0f} are needed"
        )
    if overlap.largest_share > MAX_SHARE:
        found.append(
            f"one decision has {overlap.largest_share:.0%} of all weight (its weight is "
            f"{overlap.largest_weight:,.0f}); at most {MAX_SHARE:.0%} is allowed"
        )
    if overlap.impossible is not None and overlap.impossible > _NEVER:
        found.append(
            f"{overlap.impossible:.1%} of what the draft would draw could not be drawn there: nobody knows "
            "what it earns"
        )
    elif overlap.impossible is None and overlap.unseen > MAX_UNSEEN:
        found.append(
            f"{overlap.unseen:.1%} of what the draft would draw was never drawn in its context; at most "
            f"{MAX_UNSEEN:.0%} is allowed"
        )
    elif abs(overlap.mean_weight - 1) > max(MAX_OFF, _ERRORS * overlap.mean_weight_error):
        found.append(
            f"the mean weight is {overlap.mean_weight:.3f} and should be 1: variants were not drawn with the "
            "probabilities that were logged, or the draft draws what never could be"
        )
    return tuple(found)


def _unseen(decisions: Decisions, target: Target) -> float:
    if target.shares is None:
        return 0.0
    size = (len(decisions.contexts), len(decisions.variants))
    place = decisions.context.astype(np.int64) * size[1] + decisions.variant
    times = np.bincount(place, minlength=size[0] * size[1]).reshape(size)
    return float((target.shares * (times == 0)).sum(axis=1) @ times.sum(axis=1) / len(decisions))


def _impossible(decisions: Decisions, target: Target) -> float | None:
    if target.shares is None or decisions.eligible is None or decisions.drawn_from is None:
        return None
    never = decisions.eligible[decisions.drawn_from] == 0
    return float((target.shares[decisions.context] * never).sum() / len(decisions))


def _told(decisions: Decisions, several: dict[str, Estimated], asked: Asked) -> list[Estimate]:
    bounds = bootstrap_bounds(
        decisions, [*several.values()], level=asked.level, n_replicates=asked.replicates, seed=asked.seed
    )
    found = []
    for (name, estimated), (low, high) in zip(several.items(), bounds, strict=True):
        error = standard_error(decisions, estimated)
        normal_low, normal_high = normal_bounds(estimated.value, error, asked.level)
        found.append(
            Estimate(
                name=name,
                value=estimated.value,
                low=_finite(low),
                high=_finite(high),
                normal_low=_finite(normal_low),
                normal_high=_finite(normal_high),
                standard_error=_finite(error),
            )
        )
    return found


def _is_better(difference: Estimate, current: float) -> bool:
    """Tell by the difference: what was earned is as uncertain as DR, and by the same people."""
    lows = [low for low in (difference.low, difference.normal_low) if low is not None]
    return len(lows) == 2 and min(lows) > _ROUNDING * abs(current)


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None


def _definition(decisions: Decisions, asked: Asked) -> dict[str, Any]:
    return {
        "value": "reward of a decision",
        "level": asked.level,
        "intervals": f"studentised bootstrap by person, {asked.replicates:,} replicates, seed {asked.seed}",
        "reward_model": f"means of contexts and variants, shrunk, cross-fitted on {N_FOLDS} folds of people",
        "variants": list(decisions.variants),
        "contexts": len(decisions.contexts),
        "left_out": dict(decisions.left_out or {}),
        "refused": {
            "effective_below": MIN_EFFECTIVE,
            "largest_share_above": MAX_SHARE,
            "unseen_above": MAX_UNSEEN,
            "mean_weight_off_by": MAX_OFF,
        },
        "promoted": "where both lower bounds of DR less what was earned lie above 0",
    }
