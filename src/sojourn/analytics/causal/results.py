"""Results: what is said of each trial, and of all of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Struct

from sojourn.analytics.causal.assignment import SampleRatio
from sojourn.analytics.causal.effects import Effect, Looks, Total
from sojourn.analytics.causal.shares import Share
from sojourn.analytics.causal.trials import UnitKind

Verdict = Literal["brings", "harms", "unclear", "broken"]


class Settings(Struct, frozen=True, kw_only=True):
    """How effects are measured."""

    level: float = 0.95
    looks: Looks = "any"
    """`any`: intervals hold at every look; `once`: at one."""
    window_ms: int | None = None
    """How long after the first opportunity conversions count. None: until observation ends."""
    covariates: tuple[str, ...] = ()
    """Numbers of events, of which the last one before the first opportunity is taken out."""
    seed: int = 0
    """Of the draws behind intervals of shares."""


class Check(Struct, frozen=True, kw_only=True):
    """The same by everybody, opportunity or not (intention to treat): wider, and without any condition."""

    people: int
    incremental: Total
    agrees: bool
    """Whether its interval holds the estimate."""
    times_people: float | None
    """So many times as many people it needs for an interval as narrow."""


class UnitEffect(Struct, frozen=True, kw_only=True):
    """One trial: a channel, a journey, a state, or everything."""

    kind: UnitKind
    name: str
    people: int
    """Who had an opportunity, and whose window is over."""
    held: int
    """Of them, kept back: ghosts."""
    effect: Effect
    """In conversions a person."""
    incremental: Total
    """Conversions that it brought about: the effect times those who got it."""
    forgone: Total
    """What the hold-out cost: the effect times those who were kept back."""
    value: Total | None
    """What it brought about, in value."""
    ratio: SampleRatio
    check: Check | None
    """None: nobody knows who of the others would have been kept back."""
    unfinished: int
    """People whose window is not over: left out."""
    mixed: int
    """People who were assigned both ways; the first one counts."""
    versions: int
    """Versions of journeys under which people had their first opportunity."""
    verdict: Verdict
    """What is claimed counts after correction, by `q`."""
    q: float = 1.0
    """p corrected for all trials of the report (Benjamini-Hochberg)."""
    share: Share | None = None
    """Of a channel: of all that channels bring about."""
    shapley: Total | None = None
    """Of a channel, where all sets of channels happened: what it brings about beside all others."""
    notes: list[str] = []

    def __str__(self) -> str:
        """Name it."""
        return f"{self.kind} {self.name}".rstrip()


class SegmentEffect(Struct, frozen=True, kw_only=True):
    """One trial among the people of a segment; the intervals of all its segments hold together."""

    kind: UnitKind
    name: str
    segment: str
    people: int
    held: int
    effect: Effect
    incremental: Total


class ChannelCredit(Struct, frozen=True, kw_only=True):
    """What a model of path credit says of a channel, beside what the hold-out says."""

    channel: str
    credit: float
    """Conversions."""
    share: float
    """Of what the model credits to channels with a hold-out."""
    share_error: float | None
    """M1: its share beside the causal one, less 1. None: that is not above 0."""
    credit_error: float | None
    """M2: its credit beside what was brought about, less 1. None: that is not above 0."""
    not_caused: float | None
    """M3: the part of its credit that the channel did not bring about."""


class PathCredit(Struct, frozen=True, kw_only=True):
    """One model of path credit: not causal."""

    model: str
    channels: list[ChannelCredit]
    total_variation: float | None
    """How far its shares are from the causal ones, 0 to 1."""


class Inside(Struct, frozen=True, kw_only=True):
    """One part of a channel: the hold-out fixes the channel's total, path credit spreads it."""

    channel: str
    part: str
    credit: float
    incremental: Total


class Report(Struct, frozen=True, kw_only=True):
    """All trials."""

    definition: Mapping[str, Any]
    units: list[UnitEffect]
    shares_by: Literal["off", "shapley", ""]
    """`off`: what is lost by switching a channel off; `shapley`: these add up; empty: there are no shares."""
    shares_note: str
    path_credit: list[PathCredit]
    inside: list[Inside]
    segments: list[SegmentEffect]
    cautions: list[str]
    """What not to conclude."""
    left_out: Mapping[str, int]
