"""Time to convert: how long until people do it, counting those who have not done it yet."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from sojourn.analytics.events import Events
from sojourn.analytics.kinds import ANYTHING, Kind, first_of, where_is
from sojourn.analytics.tables import Table
from sojourn.definitions.durations import write_duration
from sojourn.model.errors import ConfigError

QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)
MAX_POINTS = 1_000  # of a curve that is drawn or printed.

Numbers = NDArray[np.float64]


class Conversion(Struct, frozen=True, kw_only=True):
    """From which event to which later one."""

    to: Kind
    first: Kind = ANYTHING
    """The clock starts with a person's first such event; `to` is their first event after it that is such."""
    within_ms: int | None = None
    """Nobody is looked at for longer. None: up to the end of the data."""
    until_ms: int | None = None
    """Up to when everything was observed. None: up to the last event."""
    level: float = 0.95

    def __post_init__(self) -> None:
        """Refuse what is no conversion."""
        if self.within_ms is not None and self.within_ms <= 0:
            raise ConfigError("people must be looked at for longer than nothing")
        if not 0 < self.level < 1:
            raise ConfigError("the level of an interval lies between 0 and 1, as 0.95 does")


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """The Kaplan-Meier estimate: steps down at the times at which people converted. Arrays are (n_times,)."""

    after_ms: NDArray[np.int64]
    """Ascending, each once."""
    at_risk: NDArray[np.int64]
    """Who was still looked at and had not converted just before."""
    converted: NDArray[np.int64]
    """Who converted then."""
    waiting: Numbers
    """The estimated share of all people who have not converted by then."""
    low: Numbers
    high: Numbers
    """Bounds of `waiting`: log-log, with Greenwood's variance. NaN: it cannot be told."""

    def quantile_ms(self, share: float) -> tuple[int | None, int | None, int | None]:
        """Return when that share of all people has converted, and an interval; None: not in the time looked
        at.

        The interval is that of Brookmeyer and Crowley (1982): the times at which the bounds of the curve
        get there.
        """
        return self._first(self.waiting, share), self._first(self.low, share), self._first(self.high, share)

    def _first(self, waiting: Numbers, share: float) -> int | None:
        # A share computed by multiplying may miss its target by a rounding.
        there = np.flatnonzero(waiting <= 1 - share + 1e-12)
        return int(self.after_ms[there[0]]) if len(there) else None


def kaplan_meier(took_ms: NDArray[np.int64], has_converted: NDArray[np.bool_], *, level: float) -> Curve:
    """Estimate how many have not converted by when (E. L. Kaplan, P. Meier, 1958).

    Args:
        took_ms: Shape (n_people,): the time to their conversion, or for which they were looked at without
            one.
        has_converted: Shape (n_people,). Whoever was looked at until just then was at risk when others
            converted.
        level: Of the bounds.
    """
    times, counts = np.unique(took_ms[has_converted], return_counts=True)
    at_risk = len(took_ms) - np.searchsorted(np.sort(took_ms), times, side="left")
    waiting = np.cumprod(1 - counts / at_risk, dtype=np.float64)
    z = NormalDist().inv_cdf((1 + level) / 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        greenwood = np.cumsum(counts / (at_risk * (at_risk - counts)))
        reach = z * np.sqrt(greenwood) / np.log(waiting)
        low, high = waiting ** np.exp(-reach), waiting ** np.exp(reach)
    # Where all who were left converted, how far the estimate may be too low cannot be told.
    is_over = counts == at_risk
    low, high = np.where(is_over, 0.0, low), np.where(is_over, np.nan, high)
    return Curve(times, at_risk, counts, waiting, low, high)


@dataclass(frozen=True, eq=False)
class ConversionAnswer:
    """How long people took, and how long those were waited for who did not."""

    asked: Conversion
    events: Events
    until_ms: int
    person: NDArray[np.int64]
    """Who had the first event; shape (n_followed,)."""
    took_ms: NDArray[np.int64]
    """Until they converted; or, without that, for how long they were looked at."""
    has_converted: NDArray[np.bool_]

    @cached_property
    def definition(self) -> dict[str, Any]:
        """Say what the numbers mean, and how many people stand behind them."""
        within = self.asked.within_ms
        return {
            "first": str(self.asked.first),
            "to": str(self.asked.to),
            "within": None if within is None else write_duration(within),
            "until_ms": self.until_ms,
            "all": "of all who started, those who have not converted counted as long as they were looked at "
            "(Kaplan-Meier)",
            "converters": "of those who converted while looked at: too short while others still may",
            "intervals": f"log-log, {self.asked.level:.0%}",
            "n_people": self.events.n_people,
            "n_started": len(self.person),
            "n_converted": int(np.count_nonzero(self.has_converted)),
        }

    @cached_property
    def curve(self) -> Curve:
        """The whole estimate."""
        return kaplan_meier(self.took_ms, self.has_converted, level=self.asked.level)

    def quantiles(self, shares: tuple[float, ...] = QUANTILES) -> Table:
        """Tell when which share had converted: of all who started, and beside it of the converters alone;
        ms."""
        of_all = [self.curve.quantile_ms(share) for share in shares]
        took = self.took_ms[self.has_converted]
        naive = (
            np.quantile(took, shares, method="inverted_cdf").tolist() if len(took) else [None] * len(shares)
        )
        return Table(
            {
                "share": list(shares),
                "all_ms": [middle for middle, _, _ in of_all],
                "all_low_ms": [low for _, low, _ in of_all],
                "all_high_ms": [high for _, _, high in of_all],
                "converters_ms": naive,
            },
            self.definition,
        )

    def table(self) -> Table:
        """Lay out the curve: the estimated share converted by when; at most MAX_POINTS of its steps, the
        last included."""
        curve = self.curve
        shown = (
            np.unique(np.linspace(0, len(curve.after_ms) - 1, MAX_POINTS).astype(np.int64))
            if len(curve.after_ms)
            else slice(0)
        )
        return Table(
            {
                "after_ms": curve.after_ms[shown],
                "at_risk": curve.at_risk[shown],
                "converted": 1 - curve.waiting[shown],
                "low": 1 - curve.high[shown],
                "high": 1 - curve.low[shown],
            },
            {**self.definition, "n_times": len(curve.after_ms)},
        )


def time_to_convert(events: Events, asked: Conversion) -> ConversionAnswer:
    """Find how long people took from one event to another, and for how long the others were looked at.

    Raises:
        ConfigError: The events lack a name that is asked for, or `until_ms` lies before the last event.
    """
    last = int(events.at.max()) if len(events) else 0
    until_ms = last + 1 if asked.until_ms is None else asked.until_ms
    if until_ms <= last:
        raise ConfigError(
            "there are events after the instant up to which all was observed: leave them out first"
        )
    first = first_of(events, where_is(events, asked.first))
    person = np.flatnonzero(first < len(events))
    first = first[person]
    some = where_is(events, asked.to)
    to = np.append(some, len(events))[np.searchsorted(some, first, side="right")]
    has_converted = to < events.starts[person + 1]
    started_at = events.at[first]
    ended_at = np.append(events.at, until_ms)[np.where(has_converted, to, len(events))]
    took_ms = ended_at - started_at
    if asked.within_ms is not None:
        has_converted &= took_ms <= asked.within_ms
        took_ms = np.minimum(took_ms, asked.within_ms)
    return ConversionAnswer(asked, events, until_ms, person, took_ms, has_converted)
