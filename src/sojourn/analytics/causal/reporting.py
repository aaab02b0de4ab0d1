"""Reporting: all trials together: effects, shares, path credit beside them, and what not to conclude."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from sojourn.analytics.attribution import JourneyRules, paths_of
from sojourn.analytics.buckets import buckets
from sojourn.analytics.causal import words
from sojourn.analytics.causal.beside import path_credit, spread_inside
from sojourn.analytics.causal.effects import Total
from sojourn.analytics.causal.factorial import MIN_CELL, Factorial, factorial, smallest_cell
from sojourn.analytics.causal.measuring import Grounds, Measured, ids_of, measure
from sojourn.analytics.causal.outcomes import Conversions, conversions_of, known_before, outcomes_after
from sojourn.analytics.causal.results import PathCredit, Report, Settings, UnitEffect
from sojourn.analytics.causal.segments import by_segment
from sojourn.analytics.causal.shares import Share, shares_of, shares_with_intervals
from sojourn.analytics.causal.trials import Trials
from sojourn.analytics.events import Events
from sojourn.analytics.statistics.distributions import normal_quantile
from sojourn.analytics.statistics.multiplicity import benjamini_hochberg
from sojourn.model.errors import ConfigError

MIN_CHANNELS = 2
"""Shares of one channel say nothing."""


class Rules(Struct, frozen=True, kw_only=True):
    """What is asked of events."""

    journeys: JourneyRules
    """What a conversion is, and, for path credit, a touch."""
    settings: Settings
    models: tuple[str, ...]
    """Of path credit; none: not asked."""
    part: str | None = None
    """The attribute by which a channel's total is spread."""
    by: str | None = None
    """The attribute by which people are told apart before their first opportunity."""


def report(events: Events, trials: Trials, rules: Rules) -> Report:
    """Measure every trial.

    Raises:
        ConfigError: There is none, or a name does not occur.
    """
    settings = rules.settings
    conversions = conversions_of(events, rules.journeys.conversion, rules.journeys.value)
    grounds = Grounds(events, conversions, trials, settings)
    measured = [found for i in range(len(trials.units)) if (found := measure(grounds, i)) is not None]
    if not measured:
        raise ConfigError(
            "no hold-out kept anybody back from something they would have got, or the window of nobody is "
            "over; give channels, journeys or states a `holdout`, and wait [no-holdout]"
        )
    measured = corrected(measured, settings.level)
    channels = [each for each in measured if each.effect.kind == "channel"]
    game = _factorial(grounds, channels)
    shares = _shares(channels, game, settings)
    units = [_finished(each.effect, shares, game, channels, settings=settings) for each in measured]
    causal = {unit.name: unit.incremental for unit in units if unit.kind == "channel"}
    return Report(
        definition=_definition(rules, conversions),
        units=units,
        shares_by=("shapley" if game else "off") if shares else "",
        shares_note=words.about_shares(units, is_factorial=game is not None),
        path_credit=_beside(events, units, rules),
        inside=[] if rules.part is None else spread_inside(events, rules.journeys, rules.part, causal),
        segments=[]
        if rules.by is None
        else [row for each in measured for row in by_segment(events, each.tested, rules.by, settings)],
        cautions=words.cautions(units, settings, has_credit=bool(rules.models and causal)),
        left_out={
            reason: n
            for reason, n in {**trials.left_out, "people-who-are-robots": len(trials.bots)}.items()
            if n
        },
    )


def _beside(events: Events, units: Sequence[UnitEffect], rules: Rules) -> list[PathCredit]:
    """Ask path credit about the channels that have a hold-out."""
    channels = [unit for unit in units if unit.kind == "channel"]
    if not rules.models or not channels:
        return []
    causal = {unit.name: unit.incremental.estimate or 0.0 for unit in channels}
    told = [unit.share.share for unit in channels if unit.share is not None]
    shares = np.array(told) if len(told) == len(channels) else shares_of(np.array(list(causal.values())))
    return path_credit(paths_of(events, rules.journeys), causal, shares, models=rules.models)


def corrected(measured: Sequence[Measured], level: float) -> list[Measured]:
    """Correct for all trials that are told at once: what is clear alone and not among them is no claim."""
    q = benjamini_hochberg([each.effect.effect.p for each in measured]).tolist()
    return [
        each._replace(effect=_claimed(each.effect, value, level))
        for each, value in zip(measured, q, strict=True)
    ]


def _claimed(unit: UnitEffect, q: float, level: float) -> UnitEffect:
    if unit.verdict not in ("brings", "harms") or q <= 1 - level:
        return replace(unit, q=q)
    return replace(unit, q=q, verdict="unclear", notes=[words.not_among(q)])


def _finished(
    unit: UnitEffect,
    shares: Sequence[Share] | None,
    game: Factorial | None,
    channels: Sequence[Measured],
    *,
    settings: Settings,
) -> UnitEffect:
    """Add a channel's share, and what is to be said."""
    if unit.kind == "channel":
        i = [each.effect.name for each in channels].index(unit.name)
        unit = replace(
            unit,
            share=shares[i] if shares else None,
            shapley=None if game is None else _shapley(game, i, settings.level),
        )
    return replace(unit, notes=words.notes_on(unit))


def _shapley(game: Factorial, i: int, level: float) -> Total:
    reach = normal_quantile((1 + level) / 2) * float(np.sqrt(game.covariance[i, i]))
    phi = float(game.phi[i])
    return Total(estimate=phi, low=phi - reach, high=phi + reach)


def _shares(channels: Sequence[Measured], game: Factorial | None, settings: Settings) -> list[Share] | None:
    if len(channels) < MIN_CHANNELS:
        return None
    if game is not None:
        return shares_with_intervals(
            game.phi.tolist(), game.covariance, level=settings.level, seed=settings.seed
        )
    effects = [each.effect for each in channels]
    errors = np.array(
        [(each.effect.standard_error or np.nan) * (each.people - each.held) for each in effects]
    )
    totals = [each.incremental.estimate or 0.0 for each in effects]
    return shares_with_intervals(totals, np.diag(errors**2), level=settings.level, seed=settings.seed)


def _factorial(grounds: Grounds, channels: Sequence[Measured]) -> Factorial | None:
    """Ask every set of channels, where the hash tells who was in which and each set has people enough."""
    events, conversions, trials, settings = grounds
    edges = [each.edge for each in channels if each.edge is not None]
    if len(channels) < MIN_CHANNELS or len(edges) < len(channels) or settings.window_ms is not None:
        return None
    person, at = _first_of_any(trials, channels, until=conversions.until)
    ids = ids_of(trials, person)
    is_on = np.stack([
        buckets(each.tested.unit.seed, ids) >= edge for each, edge in zip(channels, edges, strict=True)
    ])  # fmt: skip
    if smallest_cell(is_on) < MIN_CELL:
        return None
    outcome = outcomes_after(conversions, person, at, window_ms=None).conversions
    known, _ = known_before(events, person, at, covariates=settings.covariates)
    game = factorial(outcome, is_on, known)
    n = len(person)
    return Factorial(game.phi * n, game.covariance * n * n, game.smallest_cell)


def _first_of_any(
    trials: Trials, channels: Sequence[Measured], *, until: int
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Return who had an opportunity for any of the channels, and when first."""
    names = {each.effect.name for each in channels}
    wanted = [i for i, unit in enumerate(trials.units) if unit.kind == "channel" and unit.name in names]
    rows = np.flatnonzero(
        np.isin(trials.unit, wanted) & (trials.at <= until) & ~np.isin(trials.person, trials.bots)
    )
    order = rows[np.lexsort((trials.at[rows], trials.person[rows]))]
    person, first = np.unique(trials.person[order], return_index=True)
    return person, trials.at[order][first]


def _definition(rules: Rules, conversions: Conversions) -> dict[str, Any]:
    settings = rules.settings
    return {
        "conversion": str(rules.journeys.conversion),
        "value": rules.journeys.value,
        "unit": "people, from their first opportunity; held-out people's are ghosts",
        "window": words.window(settings),
        "observed_until": conversions.until,
        "estimator": "difference of means; what was known before the first opportunity is taken out (CUPED)",
        "known_before": ["events before", "when", *settings.covariates],
        "interval": words.interval(settings),
        "level": settings.level,
        "correction": "Benjamini-Hochberg over all trials: a claim counts by q, an interval is one trial's",
        "seed": settings.seed,
        "path_credit": "not causal: who stood on the way",
    }
