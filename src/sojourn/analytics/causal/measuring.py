"""Measuring: one trial, from who had an opportunity to what it brought about and whether that can be believed."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sojourn.analytics.buckets import BUCKETS, buckets
from sojourn.analytics.causal.assignment import found_edge, sample_ratio
from sojourn.analytics.causal.effects import Effect, Total, effect_of
from sojourn.analytics.causal.outcomes import Conversions, known_before, outcomes_after
from sojourn.analytics.causal.results import Check, Settings, UnitEffect, Verdict
from sojourn.analytics.causal.trials import Trials, Unit
from sojourn.analytics.events import Events

MAX_MIXED = 0.01
"""Of people: above it, more than merges and changes of a share is at work (GrowthBook's alert, too)."""
MIN_GHOSTS = 30
"""People kept back below which an interval of means is not to be trusted."""


class Measured(NamedTuple):
    """One trial, and the edge of its hold-out where it was found again."""

    effect: UnitEffect
    edge: int | None
    """Who lies in a bucket below it is kept back."""


def measure(
    events: Events, conversions: Conversions, trials: Trials, i: int, settings: Settings
) -> Measured | None:
    """Measure trial `i`; None where the window of nobody in one of its arms is over."""
    unit = trials.units[i]
    rows = _rows(trials, i, until=conversions.until)
    person, at, is_held = trials.person[rows], trials.at[rows], trials.is_held[rows]
    outcomes = outcomes_after(conversions, person, at, window_ms=settings.window_ms)
    over = outcomes.is_over
    kept = is_held[over]
    if not kept.any() or kept.all():
        return None
    known, _ = known_before(events, person, at, covariates=settings.covariates)
    alpha = 1 - settings.level
    effect = effect_of(outcomes.conversions[over], kept, known[over], alpha=alpha, looks=settings.looks)
    n_met, n_held = int((~kept).sum()), int(kept.sum())
    value = None
    if conversions.value.any():
        value = effect_of(outcomes.value[over], kept, known[over], alpha=alpha, looks=settings.looks).times(
            n_met
        )
    edge, misfits = _edge(trials, unit, person, is_held)
    ratio = sample_ratio(is_held, None if edge is None else edge / BUCKETS, misfits)
    n_mixed = int(trials.is_mixed[rows].sum())
    incremental = effect.times(n_met)
    check = None
    if edge is not None and settings.window_ms is None:
        check = _check(events, conversions, trials, edge, unit=unit, since=int(at.min()), beside=incremental,
                       effect=effect, n_met=n_met, n_people=n_met + n_held, settings=settings)  # fmt: skip
    verdict = _verdict(effect, is_broken=ratio.is_broken or n_mixed > MAX_MIXED * len(person))
    found = UnitEffect(
        kind=unit.kind,
        name=unit.name,
        people=n_met + n_held,
        held=n_held,
        effect=effect,
        incremental=incremental,
        forgone=effect.times(n_held),
        value=value,
        ratio=ratio,
        check=check,
        unfinished=int((~over).sum()),
        mixed=n_mixed,
        versions=len(np.unique(trials.version[rows])),
        verdict=verdict,
    )
    return Measured(found, edge)


def _rows(trials: Trials, i: int, *, until: int) -> NDArray[np.int64]:
    """Return a trial's rows: no robots, and nobody who was first asked when observation was over."""
    lies = trials.of(i)
    rows = np.arange(lies.start, lies.stop)
    return rows[(trials.at[rows] <= until) & ~np.isin(trials.person[rows], trials.bots)]


def _edge(
    trials: Trials, unit: Unit, person: NDArray[np.int32], is_held: NDArray[np.bool_]
) -> tuple[int | None, int]:
    if not len(trials.ids):
        return None, 0
    return found_edge(buckets(unit.seed, _ids(trials, person)), is_held)


def _ids(trials: Trials, person: NDArray[np.int32]) -> NDArray[np.bytes_] | list[str]:
    if isinstance(trials.ids, np.ndarray):
        return trials.ids[person]
    return [trials.ids[each] for each in person.tolist()]


def _check(  # noqa: PLR0913 - all of one trial
    events: Events,
    conversions: Conversions,
    trials: Trials,
    edge: int,
    *,
    unit: Unit,
    since: int,
    beside: Total,
    effect: Effect,
    n_met: int,
    n_people: int,
    settings: Settings,
) -> Check | None:
    """Compare everybody, by the arm in which the hash would have them."""
    if unit.kind not in ("channel", "everything"):
        return None  # who could have entered a journey is not known
    person = np.setdiff1d(np.arange(events.n_people, dtype=np.int32), trials.bots)
    at = np.full(len(person), since - 1)
    is_held = buckets(unit.seed, _ids(trials, person)) < edge
    if not is_held.any() or is_held.all():
        return None
    outcome = outcomes_after(conversions, person, at, window_ms=None).conversions
    known, _ = known_before(events, person, at, covariates=settings.covariates)
    all_ = effect_of(outcome, is_held, known, alpha=1 - settings.level, looks=settings.looks)
    scale = len(person) * n_met / n_people
    total = all_.times(scale)
    times = None
    if all_.standard_error and effect.standard_error:
        times = (all_.standard_error * scale / (effect.standard_error * n_met)) ** 2
    return Check(people=len(person), incremental=total, agrees=_holds(total, beside), times_people=times)


def _holds(interval: Total, estimate: Total) -> bool:
    if interval.low is None or interval.high is None or estimate.estimate is None:
        return True
    return interval.low <= estimate.estimate <= interval.high


def _verdict(effect: Effect, *, is_broken: bool) -> Verdict:
    if is_broken:
        return "broken"
    if effect.low is not None and effect.low > 0:
        return "brings"
    if effect.high is not None and effect.high < 0:
        return "harms"
    return "unclear"
