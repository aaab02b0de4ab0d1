"""Outcomes: what each person did after their first opportunity, and what was known of them before it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sojourn.analytics.events import Codes, Events, Instants
from sojourn.analytics.kinds import Kind, where_is
from sojourn.definitions.suggestions import did_you_mean
from sojourn.model.errors import ConfigError

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Conversions:
    """Conversions in the order of persons, then time. Arrays have the shape (n_conversions,)."""

    person: Codes
    at: Instants
    value: Floats
    """0 where none is asked for."""
    until: int
    """Up to when all was observed, ms."""


def conversions_of(events: Events, kind: Kind, value: str | None) -> Conversions:
    """Find the conversions.

    Raises:
        ConfigError: A name does not occur.
    """
    where = where_is(events, kind)
    if value is None:
        worth = np.zeros(len(where))
    elif value not in events.values:
        raise ConfigError(f"no number is called {value!r}{did_you_mean(value, events.values)}")
    else:
        worth = np.nan_to_num(events.values[value][where])
    return Conversions(
        person=events.person()[where],
        at=events.at[where],
        value=worth,
        until=int(events.at.max(initial=0)),
    )


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What some people did after an instant of theirs; arrays have the shape (n_rows,)."""

    conversions: Floats
    value: Floats
    is_over: Flags
    """Whether the window was over when observation ended; who is still in it tells nothing yet."""


def outcomes_after(
    conversions: Conversions, person: Codes, at: Instants, *, window_ms: int | None
) -> Outcomes:
    """Count what came after.

    Args:
        conversions: Of everybody.
        person: Whose rows.
        at: Since when: later, and not at the instant itself.
        window_ms: How long; None: up to the end of observation, for everybody.
    """
    end = np.full(len(at), conversions.until) if window_ms is None else at + window_ms
    low, high = (_places(conversions.person, conversions.at, person, each) for each in (at, end))
    sums = np.concatenate([[0.0], np.cumsum(conversions.value)])
    return Outcomes(
        conversions=(high - low).astype(np.float64),
        value=sums[high] - sums[low],
        is_over=end <= conversions.until,
    )


def known_before(
    events: Events, person: Codes, at: Instants, *, covariates: tuple[str, ...]
) -> tuple[Floats, list[str]]:
    """Return what was known of people up to an instant, shape (n_rows, n_known), and its names.

    How much they had done, when it was, and the last value of each named number up to then (its mean where
    there was none).

    Raises:
        ConfigError: No number is called so, or nobody had one before: what comes after may be an effect.
    """
    high = places_before(events, person, at)
    low = events.starts[person]
    columns, names = (
        [np.log1p(high - low), (at - at.min(initial=0)).astype(np.float64)],
        ["events before", "when"],
    )
    for name in covariates:
        columns.append(_last_value(events, name, low, high))
        names.append(name)
    return np.column_stack(columns), names


def places_before(events: Events, person: Codes, at: Instants) -> NDArray[np.int64]:
    """Return behind which event each instant lies; what happened at the instant itself was before."""
    return _places(events.person(), events.at, person, at)


def _last_value(events: Events, name: str, low: NDArray[np.int64], high: NDArray[np.int64]) -> Floats:
    if name not in events.values:
        raise ConfigError(f"no number is called {name!r}{did_you_mean(name, events.values)}")
    values = events.values[name]
    last = np.maximum.accumulate(np.where(np.isnan(values), -1, np.arange(len(values))))
    place = last[high - 1] if len(values) else np.zeros(0, dtype=np.int64)
    is_known = (high > low) & (place >= low)
    if len(low) and not is_known.any():
        raise ConfigError(
            f"{name!r} is known of nobody before their first opportunity; what comes after it may be an "
            "effect of it, and taking it out would take a part of the effect away [post-treatment]"
        )
    found = np.where(is_known, values[np.maximum(place, 0)], np.nan)
    return np.where(is_known, found, np.nanmean(found) if is_known.any() else 0.0)


def _places(of: Codes, times: Instants, person: Codes, at: Instants) -> NDArray[np.int64]:
    """Find behind how many of some rows, in the order of persons and times, an instant of a person lies."""
    first = min(times.min(initial=0), at.min(initial=0))
    span = max(times.max(initial=0), at.max(initial=0)) - first + 1
    keys, asked = (
        who.astype(np.int64) * span + (when - first) for who, when in ((of, times), (person, at))
    )  # fmt: skip
    places: NDArray[np.int64] = np.searchsorted(keys, asked, side="right")
    return places
