"""Results of attribution: who is credited with what, how sure that is, and what it means."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

from sojourn.analytics.tables import Table

KIND = "path credit, not causal"
"""Credit says who stood on paths to conversions. What a channel brought about, only a hold-out tells."""

MIN_SUPPORT = 30
"""Conversions below which a channel is rare: an interval from fewer is itself uncertain."""


class Interval(Struct, frozen=True, kw_only=True):
    """How intervals were made."""

    method: Literal["bootstrap, solved again", "bootstrap, linearised", "none"]
    """Whether each replicate was solved anew, or the first-order change of the solution was taken."""
    level: float
    replicates: int
    unit: Literal["person", "journey"]
    """Who was drawn. Aggregated paths do not say who walked them: then each journey is a person."""
    units: int
    """How many there are."""
    groups: int
    """How many groups of them were drawn."""
    seed: int
    note: str = ""


class Definition(Struct, frozen=True, kw_only=True):
    """What decides the numbers."""

    kind: str = KIND
    formula: str
    source: str
    parameters: dict[str, Any]
    rules: dict[str, str]
    """How the paths came about, by subject."""
    left_out: dict[str, int]
    """What was not counted, by reason."""
    interval: Interval
    min_support: int = MIN_SUPPORT
    """A channel with fewer conversions is marked `is_rare`."""


class Totals(Struct, frozen=True, kw_only=True):
    """What there was to be credited."""

    journeys: float
    conversions: float
    value: float
    nulls: float
    conversion_rate: float | None
    """Conversions over journeys; None where there are no journeys."""
    people: int | None
    """None: unknown."""


class ChannelCredit(Struct, frozen=True, kw_only=True):
    """What one channel is credited with. Bounds are None where there is no interval."""

    channel: str
    conversions: float
    low: float | None
    high: float | None
    share: float | None
    """Of all conversions; None where there are none."""
    value: float
    value_low: float | None
    value_high: float | None
    removal_effect: float | None
    """Of Markov models."""
    removal_low: float | None
    removal_high: float | None
    phi: float | None
    """The Shapley value before it is scaled to the conversions; of `shapley-rate`."""
    standard_error: float | None
    """What sampling coalitions puts on `conversions`; None where nothing was sampled."""
    positions: list[float] | None
    """`conversions` by place in the path, all places after the ninth together; of `shapley-ordered`."""
    journeys: float
    """That hold the channel."""
    converting: float
    """Of these, the ones that converted: what stands behind the credit."""
    people: int | None
    """Converting people whose path holds it. None: unknown."""
    is_rare: bool


class Attribution(Struct, frozen=True, kw_only=True):
    """The answer of one model."""

    model: str
    definition: Definition
    totals: Totals
    channels: list[ChannelCredit]
    """Most conversions first."""

    def table(self) -> Table:
        """Return the channels as columns."""
        names = [name for name in ChannelCredit.__struct_fields__ if name != "positions"]
        columns = {name: [getattr(channel, name) for channel in self.channels] for name in names}
        return Table(columns, {"model": self.model, "kind": self.definition.kind})
