"""Measuring: one trial: who had an opportunity, what it brought about, whether that can be believed."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sojourn.analytics.buckets import BUCKETS, buckets
from sojourn.analytics.causal.assignment import SampleRatio, found_edge, sample_ratio
from sojourn.analytics.causal.effects import Effect, Total, effect_of
from sojourn.analytics.causal.outcomes import Conversions, known_before, outcomes_after
from sojourn.analytics.causal.results import Check, Settings, UnitEffect, Verdict
from sojourn.analytics.causal.trials import Trials, Unit
from sojourn.analytics.events import Codes, Events, Instants

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

MAX_MIXED = 0.01
"""Of people: above it, more than merges and changes of a share is at work (GrowthBook's alert, too)."""
MIN_GHOSTS = 30
"""People kept back below which an interval of means is not to be trusted."""
MIN_EXPECTED = 5
"""People of the smaller arm who should have converted, were there no effect, below which it is not either:
where chance alone may leave none, the arm's variance is not known (Cochran, 1954)."""


class Grounds(NamedTuple):
    """What trials are judged by."""

    events: Events
    conversions: Conversions
    trials: Trials
    settings: Settings


class Tested(NamedTuple):
    """The people of one trial whose window is over; each of the shape (n_people,), but what is known."""

    unit: Unit
    person: Codes
    at: Instants
    """Of the first opportunity."""
    is_held: Flags
    outcome: Floats
    """Conversions."""
    value: Floats
    known: Floats
    """What was known of each before, shape (n_people, n_known)."""


class Measured(NamedTuple):
    """One trial, who was in it, and the edge of its hold-out where it was found again."""

    effect: UnitEffect
    tested: Tested
    edge: int | None
    """Who lies in a bucket below it is kept back."""


def measure(grounds: Grounds, i: int) -> Measured | None:
    """Measure trial `i`; None where the window of nobody in one of its arms is over."""
    trials, settings = grounds.trials, grounds.settings
    rows = _rows(trials, i, until=grounds.conversions.until)
    tested, n_unfinished = _tested(grounds, rows)
    n_held = int(tested.is_held.sum())
    n_met = len(tested.is_held) - n_held
    if not n_held or not n_met:
        return None
    edge, ratio = _ratio(trials, tested.unit, rows)
    effect = _effect(tested.outcome, tested, settings)
    has_value = bool(grounds.conversions.value.any())
    n_mixed = int(trials.is_mixed[rows].sum())
    found = UnitEffect(
        kind=tested.unit.kind,
        name=tested.unit.name,
        people=n_met + n_held,
        held=n_held,
        effect=effect,
        incremental=effect.times(n_met),
        forgone=effect.times(n_held),
        value=_effect(tested.value, tested, settings).times(n_met) if has_value else None,
        ratio=ratio,
        check=None if edge is None else _check(grounds, tested, edge, effect),
        unfinished=n_unfinished,
        mixed=n_mixed,
        versions=len(np.unique(trials.version[rows])),
        verdict=_verdict(
            effect,
            is_broken=ratio.is_broken or n_mixed > MAX_MIXED * len(rows),
            is_enough=has_enough(tested.outcome, min(n_held, n_met)),
        ),
    )
    return Measured(found, tested, edge)


def ids_of(trials: Trials, person: Codes) -> NDArray[np.bytes_] | list[str]:
    """Return what assignment hashes of some people."""
    if isinstance(trials.ids, np.ndarray):
        return trials.ids[person]
    return [trials.ids[each] for each in person.tolist()]


def _rows(trials: Trials, i: int, *, until: int) -> NDArray[np.int64]:
    """Return a trial's rows: no robots, and nobody who was first asked when observation was over."""
    lies = trials.of(i)
    rows = np.arange(lies.start, lies.stop)
    return rows[(trials.at[rows] <= until) & ~np.isin(trials.person[rows], trials.bots)]


def _tested(grounds: Grounds, rows: NDArray[np.int64]) -> tuple[Tested, int]:
    """Return the people of some rows whose window is over, and how many are still in it."""
    events, conversions, trials, settings = grounds
    person, at = trials.person[rows], trials.at[rows]
    over = outcomes_after(conversions, person, at, window_ms=settings.window_ms).is_over
    rows, person, at = rows[over], person[over], at[over]
    outcomes = outcomes_after(conversions, person, at, window_ms=settings.window_ms)
    known, _ = known_before(events, person, at, covariates=settings.covariates)
    unit = trials.units[trials.unit[rows[0]]] if len(rows) else Unit("channel", "")
    tested = Tested(unit, person, at, trials.is_held[rows], outcomes.conversions, outcomes.value, known)
    return tested, int((~over).sum())


def _effect(outcome: Floats, tested: Tested, settings: Settings) -> Effect:
    return effect_of(outcome, tested.is_held, tested.known, alpha=1 - settings.level, looks=settings.looks)


def _ratio(trials: Trials, unit: Unit, rows: NDArray[np.int64]) -> tuple[int | None, SampleRatio]:
    is_held = trials.is_held[rows]
    if not len(trials.ids):
        return None, sample_ratio(is_held, None, 0)
    edge, misfits = found_edge(buckets(unit.seed, ids_of(trials, trials.person[rows])), is_held)
    return edge, sample_ratio(is_held, None if edge is None else edge / BUCKETS, misfits)


def _check(grounds: Grounds, tested: Tested, edge: int, effect: Effect) -> Check | None:
    """Compare everybody since the trial began, each in the arm where the hash has them.

    None where that says nothing: a window is each person's own, and who else could have entered a journey is
    not known.
    """
    if grounds.settings.window_ms is not None or tested.unit.kind not in ("channel", "everything"):
        return None
    everybody = _everybody(grounds, tested, edge)
    if not everybody.is_held.any() or everybody.is_held.all():
        return None
    wide = _effect(everybody.outcome, everybody, grounds.settings)
    n_met = int((~tested.is_held).sum())
    scale = len(everybody.person) * n_met / len(tested.person)
    times = None
    if wide.standard_error and effect.standard_error:
        times = (wide.standard_error * scale / (effect.standard_error * n_met)) ** 2
    total = wide.times(scale)
    agrees = _holds(total, effect.times(n_met))
    return Check(people=len(everybody.person), incremental=total, agrees=agrees, times_people=times)


def _everybody(grounds: Grounds, tested: Tested, edge: int) -> Tested:
    events, conversions, trials, settings = grounds
    person = np.setdiff1d(np.arange(events.n_people, dtype=np.int32), trials.bots).astype(np.int32)
    at = np.full(len(person), int(tested.at.min()) - 1)
    outcomes = outcomes_after(conversions, person, at, window_ms=None)
    known, _ = known_before(events, person, at, covariates=settings.covariates)
    is_held = buckets(tested.unit.seed, ids_of(trials, person)) < edge
    return Tested(tested.unit, person, at, is_held, outcomes.conversions, outcomes.value, known)


def _holds(interval: Total, estimate: Total) -> bool:
    if interval.low is None or interval.high is None or estimate.estimate is None:
        return True
    return interval.low <= estimate.estimate <= interval.high


def has_enough(outcome: Floats, smaller: int) -> bool:
    """Whether the smaller arm has people enough, and conversions to be expected, for the normal law."""
    n_any = int(np.count_nonzero(outcome))
    return smaller >= MIN_GHOSTS and n_any * smaller >= MIN_EXPECTED * len(outcome)


def _verdict(effect: Effect, *, is_broken: bool, is_enough: bool) -> Verdict:
    if is_broken:
        return "broken"
    if not is_enough:
        return "unclear"
    if effect.low is not None and effect.low > 0:
        return "brings"
    if effect.high is not None and effect.high < 0:
        return "harms"
    return "unclear"
