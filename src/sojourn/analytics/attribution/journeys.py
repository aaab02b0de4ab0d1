"""Journeys: from events to the touches before each conversion, and those that led to none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, NamedTuple

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from sojourn.analytics.attribution.direct import DIRECT_NAMES, DirectRule, apply_direct_rule
from sojourn.analytics.attribution.paths import Paths, Sample, with_names
from sojourn.analytics.events import MISSING, Codes, Events
from sojourn.analytics.kinds import Kind, where_is
from sojourn.definitions.durations import write_duration
from sojourn.definitions.suggestions import did_you_mean
from sojourn.model.errors import ConfigError

Repeats = Literal["keep", "session"]

CHANNEL = "channel"
"""The attribute that names the channel, where nobody names another."""


class JourneyRules(Struct, frozen=True, kw_only=True):
    """What is a touch, what a conversion, and which touches belong to it."""

    conversion: Kind
    touch: Kind | None = None
    """None: any event that has the `channel`."""
    channel: str | None = None
    """The attribute that names a touch's channel. None: `channel`; with a `touch`, the name of the event."""
    value: str | None = None
    """The number of a conversion that says what it is worth. None: nothing is worth anything."""
    lookback_ms: int | None = None
    """How long before the conversion (null path: the last touch) a touch may be. None: any time."""
    lookback_touches: int | None = None
    """How many touches a path holds at most: the newest. None: any number."""
    reset: bool = True
    """Whether a path begins anew after each conversion. If not, touches count for every later one too."""
    repeats: Repeats = "keep"
    """`session`: touches of one channel in a row are one within a session, the first."""
    nulls: bool = True
    """Whether what came after the last conversion is a path too, one that led to none."""
    direct: DirectRule = "keep"
    direct_names: tuple[str, ...] = DIRECT_NAMES


class _Touches(NamedTuple):
    """Events that are touches."""

    where: NDArray[np.int64]
    """Which events, ascending."""
    codes: Codes
    """The channel of each: an index into `names`."""
    names: Sequence[str]


class _Spans(NamedTuple):
    """Journeys as runs of touches: those of journey `i` are `touches[low[i]:high[i]]`."""

    person: NDArray[np.int64]
    low: NDArray[np.int64]
    high: NDArray[np.int64]
    end_at: NDArray[np.int64]
    """Of the conversion; of the last touch where there is none."""
    value: NDArray[np.float64]
    """NaN: no conversion."""


def paths_of(events: Events, rules: JourneyRules) -> Paths:
    """Build the path to each conversion, and each person's path to none.

    Touches and conversions at one instant are taken in the order of the events; an event that is both is
    first the touch. A conversion without a touch before it has an empty path. A person without touch and
    conversion has no path. Each path is one journey of one person.

    Raises:
        ConfigError: A name does not occur, a conversion has a value below 0, or a rule does not fit the
        events.
    """
    _check(rules)
    touches = _touches(events, rules)
    conversions = where_is(events, rules.conversion)
    spans = _converting(events, rules, touches.where, conversions)
    if rules.nulls:
        spans = _with_nulls(events, spans, touches.where)
    spans = _looked_back(events, rules, touches.where, spans)
    order = np.lexsort((spans.high, np.isnan(spans.value), spans.person))
    spans = _Spans._make(column[order] for column in spans)
    paths = _encoded(events, spans, touches)
    left_out = {"conversions-without-value": _n_without_value(events, rules, conversions)}
    paths = replace(
        with_names(paths, touches.names),
        rules=_said(events, rules),
        left_out={reason: n for reason, n in left_out.items() if n},
    )
    return apply_direct_rule(paths, rules.direct, rules.direct_names)


def _check(rules: JourneyRules) -> None:
    if rules.lookback_ms is not None and rules.lookback_ms < 1:
        raise ConfigError(f"the lookback is {rules.lookback_ms} ms; expected more than 0")
    if rules.lookback_touches is not None and rules.lookback_touches < 1:
        raise ConfigError(f"the lookback is {rules.lookback_touches} touches; expected 1 or more")


def _touches(events: Events, rules: JourneyRules) -> _Touches:
    column = rules.channel or (CHANNEL if rules.touch is None else None)
    where = np.arange(len(events)) if rules.touch is None else where_is(events, rules.touch)
    if column is None:
        names, codes = events.steps, events.step[where]
    elif column in events.columns:
        names, codes = events.columns[column].values, events.columns[column].codes[where]
        where, codes = where[codes != MISSING], codes[codes != MISSING]
    else:
        raise ConfigError(
            f"no attribute is called {column!r}, which should name the channel of a touch"
            f"{did_you_mean(column, events.columns)}; name another, or say which events are touches"
        )
    if rules.repeats == "session":
        if events.session is None:
            raise ConfigError(
                "these events have no sessions; keep repeated touches, or name the session's column"
            )
        session = events.session[where]
        is_again = (np.diff(session, prepend=MISSING) == 0) & (np.diff(codes, prepend=MISSING) == 0)
        kept = ~is_again | (session == MISSING)
        where, codes = where[kept], codes[kept]
    return _Touches(where, codes, names)


def _converting(
    events: Events, rules: JourneyRules, touches: NDArray[np.int64], conversions: NDArray[np.int64]
) -> _Spans:
    """Return the touches before each conversion: all of the person's, or those since the one before."""
    whose = events.person()[conversions].astype(np.int64)
    high = np.searchsorted(touches, conversions, side="right")
    low = np.searchsorted(touches, events.starts[whose])
    if rules.reset and len(conversions):
        is_same = np.diff(whose, prepend=-1) == 0
        low = np.where(is_same, np.concatenate([[0], high[:-1]]), low)
    return _Spans(whose, low, high, events.at[conversions], _values(events, rules, conversions))


def _values(events: Events, rules: JourneyRules, conversions: NDArray[np.int64]) -> NDArray[np.float64]:
    if rules.value is None:
        return np.zeros(len(conversions))
    if rules.value not in events.values:
        raise ConfigError(f"no number is called {rules.value!r}{did_you_mean(rules.value, events.values)}")
    values = events.values[rules.value][conversions]
    wrong = np.flatnonzero((values < 0) | np.isinf(values))
    if len(wrong):
        whose = int(np.searchsorted(events.starts, conversions[wrong[0]], side="right")) - 1
        raise ConfigError(
            f"a conversion of {events.people[whose]!r} has the {rules.value} {values[wrong[0]]:g}; "
            "expected a number that is 0 or more: leave such events out, or name another number"
        )
    return np.nan_to_num(values)


def _n_without_value(events: Events, rules: JourneyRules, conversions: NDArray[np.int64]) -> int:
    return 0 if rules.value is None else int(np.isnan(events.values[rules.value][conversions]).sum())


def _with_nulls(events: Events, converting: _Spans, touches: NDArray[np.int64]) -> _Spans:
    """Add each person's touches after the last conversion."""
    low, high = (np.searchsorted(touches, each) for each in (events.starts[:-1], events.starts[1:]))
    # Of several conversions of a person the last one assigned stays.
    low[converting.person] = converting.high
    people = np.flatnonzero(high > low)
    nulls = _Spans(
        people, low[people], high[people], events.at[touches[high[people] - 1]], np.full(len(people), np.nan)
    )
    return _Spans(*(np.concatenate(pair) for pair in zip(converting, nulls, strict=True)))


def _looked_back(events: Events, rules: JourneyRules, touches: NDArray[np.int64], spans: _Spans) -> _Spans:
    """Leave out touches that lie too far back."""
    low = spans.low
    if rules.lookback_touches is not None:
        low = np.maximum(low, spans.high - rules.lookback_touches)
    if rules.lookback_ms is not None:
        low = _first_since(events.at[touches], low, spans.high, spans.end_at - rules.lookback_ms)
    return spans._replace(low=low)


def _first_since(
    at: NDArray[np.int64], low: NDArray[np.int64], high: NDArray[np.int64], since: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Find the first place in each span that is not before `since`, by halving: times never go back."""
    low, end = low.copy(), high.copy()
    while (open_ := low < end).any():
        middle = (low + end) // 2
        is_before = open_ & (at[np.minimum(middle, len(at) - 1)] < since)
        low = np.where(is_before, middle + 1, low)
        end = np.where(open_ & ~is_before, middle, end)
    return low


def _encoded(events: Events, spans: _Spans, touches: _Touches) -> Paths:
    lengths = spans.high - spans.low
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    place = np.arange(int(offsets[-1])) + np.repeat(spans.low - offsets[:-1], lengths)
    is_conversion = ~np.isnan(spans.value)
    conversions, value = is_conversion.astype(np.float64), np.nan_to_num(spans.value)
    _, person = np.unique(spans.person, return_inverse=True)
    sample = Sample(
        np.arange(len(lengths), dtype=np.int32), conversions, value, 1 - conversions, person.astype(np.int32)
    )
    return Paths(
        channels=touches.names,
        offsets=offsets,
        codes=touches.codes[place],
        conversions=conversions,
        value=value,
        nulls=1 - conversions,
        sample=sample,
        age_ms=np.repeat(spans.end_at, lengths) - events.at[touches.where[place]],
    )


def _said(events: Events, rules: JourneyRules) -> dict[str, str]:
    """Say the rules in words."""
    windows = [
        f"{write_duration(rules.lookback_ms)} before the conversion (a null path: before its last touch)"
        if rules.lookback_ms is not None
        else "",
        f"the last {rules.lookback_touches} touches" if rules.lookback_touches is not None else "",
    ]
    column = rules.channel or (CHANNEL if rules.touch is None else None)
    return {
        "source": f"{len(events):,} events of {events.n_people:,} people",
        "conversion": str(rules.conversion),
        "touch": f"{rules.touch or '*'}, by {column or 'its name'}",
        "value": rules.value or "none",
        "window": "; ".join(filter(None, windows)) or "any time before",
        "several conversions": "a path begins anew after each"
        if rules.reset
        else "a touch counts for each conversion after it",
        "repeated touches": "one a session and channel in a row" if rules.repeats == "session" else "kept",
        "nulls": "touches after a person's last conversion are a path to none" if rules.nulls else "left out",
    }
