"""Measuring: one number a person for each metric, in a window that begins with their assignment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sojourn.analytics.events import Events
from sojourn.analytics.experiments.conditions import holds
from sojourn.analytics.experiments.units import Units
from sojourn.definitions.metrics import Metric, paths_of
from sojourn.definitions.suggestions import did_you_mean

VALUE = "value"
"""Of a goal reached: what it was worth."""

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """What a metric comes to for each unit. Arrays are (n_units,)."""

    metric: Metric
    values: Numbers
    below: Numbers | None
    """Of a ratio: what stands below the line."""
    covariate: Numbers | None
    """The same in the person's own past; None: it is not asked for."""
    is_over: NDArray[np.bool_]
    """Whether their window is over."""
    window_ms: int
    """How long it is."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Happened:
    """What metrics count: events, and goals that journeys reached, and whose they are."""

    events: Events | None
    goals: Events | None
    """Each as an event: the step is the journey, with the amount VALUE."""
    units: Units
    until_ms: int
    """All was seen up to then."""
    unit_of: Mapping[int, NDArray[np.int64]]
    """Of `id(events)` and `id(goals)`: shape (n_people,), an index into units; -1: not in the experiment."""


def happened(events: Events | None, goals: Events | None, units: Units, *, until_ms: int) -> Happened:
    """Tie events to the people of an experiment."""
    place = {person: i for i, person in enumerate(units.people)}
    unit_of = {
        id(each): np.array([place.get(person, -1) for person in each.people], dtype=np.int64)
        for each in (events, goals)
        if each is not None
    }
    return Happened(events, goals, units, until_ms, unit_of)


def measure(seen: Happened, metric: Metric, metrics: Mapping[str, Metric]) -> Measured:
    """Measure a metric.

    Args:
        seen: Who, and what they did.
        metric: What is counted.
        metrics: By name, for the parts of a ratio.
    """
    if metric.kind == "ratio":
        above = measure(seen, metrics[metric.numerator], metrics)
        below = measure(seen, metrics[metric.denominator], metrics)
        notes = tuple(dict.fromkeys((*above.notes, *below.notes)))
        return Measured(metric, above.values, below.values, None, above.is_over, above.window_ms, notes)
    unit, apart, amount, notes = _occurrences(seen, metric)
    is_in = (apart > metric.after_ms) & (apart <= metric.within_ms)
    n = len(seen.units)
    values = _summed(metric, unit[is_in], apart[is_in], amount[is_in], n=n)
    covariate = None
    if metric.before_ms:
        was = (apart < 0) & (apart >= -metric.before_ms)
        covariate = _summed(metric, unit[was], apart[was], amount[was], n=n)
    is_over = seen.units.at + metric.within_ms <= seen.until_ms
    return Measured(metric, *_capped(metric, values, covariate, is_over), is_over, metric.within_ms, notes)


def columns_of(metrics: Iterable[Metric]) -> tuple[frozenset[str], frozenset[str]]:
    """Return the paths that metrics read from events: (as texts, as numbers)."""
    read: set[tuple[str, bool]] = set()
    for metric in metrics:
        read |= paths_of(metric.when)
        if metric.value:
            read.add((metric.value, True))
    texts = frozenset(path for path, is_number in read if not is_number)
    return texts, frozenset(path for path, is_number in read if is_number)


def _occurrences(
    seen: Happened, metric: Metric
) -> tuple[NDArray[np.int64], NDArray[np.int64], Numbers, tuple[str, ...]]:
    """Return (whose, how long after their assignment in ms, its amount) of each, and what is to be said."""
    source = seen.goals if metric.goal else seen.events
    names = (metric.goal,) if metric.goal else metric.on
    if source is None:
        return _nothing(names, ())
    code = {name: i for i, name in enumerate(source.steps)}
    if not any(name in code for name in names):
        return _nothing(names, source.steps)
    is_meant = np.zeros(len(source.steps), dtype=bool)
    is_meant[[code[name] for name in names if name in code]] = True
    some = np.flatnonzero(is_meant[source.step])
    unit = seen.unit_of[id(source)][source.person()[some]]
    is_known = (unit >= 0) & (source.at[some] < seen.until_ms)
    some, unit = some[is_known], unit[is_known]
    if metric.when is not None:
        is_kept = holds(source, metric.when, some)
        some, unit = some[is_kept], unit[is_kept]
    amount = np.ones(len(some))
    if metric.kind == "value":
        amount = source.values[VALUE if metric.goal else metric.value][some]
        amount = np.where(np.isfinite(amount), amount, 0.0)  # what is no number adds nothing
    return unit, source.at[some] - seen.units.at[unit], amount, ()


def _nothing(
    names: tuple[str, ...], known: object
) -> tuple[NDArray[np.int64], NDArray[np.int64], Numbers, tuple[str, ...]]:
    hint = did_you_mean(names[0], known) if isinstance(known, list | tuple) else ""
    none = np.zeros(0, dtype=np.int64)
    return none, none, np.zeros(0), (f"nothing called {names[0]!r} is in the data{hint}",)


def _summed(
    metric: Metric, unit: NDArray[np.int64], apart: NDArray[np.int64], amount: Numbers, *, n: int
) -> Numbers:
    """Return one number for each of n units."""
    if metric.kind == "time_to":
        first = np.full(n, float(metric.within_ms))
        np.minimum.at(first, unit, apart.astype(np.float64))
        return first
    total: Numbers = np.bincount(unit, weights=amount, minlength=n).astype(np.float64)
    if metric.kind in ("conversion", "retention"):
        total = np.minimum(total, 1.0)
    return total


def _capped(
    metric: Metric, values: Numbers, covariate: Numbers | None, is_over: NDArray[np.bool_]
) -> tuple[Numbers, None, Numbers | None]:
    """Cut what a few people have far more of, in both times alike."""

    def cut(x: Numbers) -> Numbers:
        some = x[is_over & (x != 0)]
        most = metric.cap
        if metric.winsorise is not None and len(some):
            most = float(np.quantile(some, metric.winsorise))
        kept: Numbers = x if most is None else np.minimum(x, most)
        return kept

    return cut(values), None, None if covariate is None else cut(covariate)
