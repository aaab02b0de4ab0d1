"""Results: what a report of an experiment says, as values."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

from sojourn.analytics.statistics.interval import Interval

Decision = Literal[
    "better",
    "worse",
    "no difference shown yet",
    "too few people yet",
    "sample ratio mismatch: do not read",
    "chances not logged: do not read",
]


class Arm(Struct, frozen=True, kw_only=True):
    """One arm: who is in it, and who should be."""

    variant: str
    people: int
    expected_share: float | None
    """What it should have of all; None: it cannot be told."""
    expected_people: float | None


class Ratio(Struct, frozen=True, kw_only=True):
    """Whether arms have the people they should have."""

    p: float | None
    """Valid at every look; None: it cannot be checked."""
    p_once: float | None
    """Chi-square, for one look."""
    is_mismatch: bool
    source: str
    """Where the expected shares come from."""


class Look(Struct, frozen=True, kw_only=True):
    """The comparison as it was at one instant, or at one planned look."""

    at_ms: int
    """Whose window was over by then was in."""
    people: int
    estimate: float
    low: float
    high: float
    p: float
    """The smallest so far."""
    is_clear: bool


class SegmentEffect(Struct, frozen=True, kw_only=True):
    """The effect among some people."""

    value: str
    people: int
    effect: Interval
    """Its level is that of all segments of the attribute together."""


class Segmented(Struct, frozen=True, kw_only=True):
    """The effect by an attribute people had before their assignment."""

    attribute: str
    effects: list[SegmentEffect]
    p: float
    """Of "the effect is the same in all"."""
    q: float
    """Corrected for all attributes and metrics that were asked for."""
    differs: bool
    refused: str = ""
    """Why there are no effects: the attribute itself differs between arms."""


class Compared(Struct, frozen=True, kw_only=True):
    """One metric in one arm beside the control."""

    metric: str
    kind: str
    variant: str
    people: tuple[int, int]
    """Whose window is over: (of the arm, of the control)."""
    waiting: int
    """Of both arms: whose window is not over yet. They are not counted."""
    means: tuple[float, float]
    effect: Interval
    """Of the mean, in the metric's unit."""
    relative: Interval
    """As a share of the control's mean."""
    q: float
    """p corrected for all comparisons of the report (Benjamini-Hochberg)."""
    decision: Decision
    says: str
    """In a sentence."""
    is_up_good: bool
    theta: float
    """Of CUPED; 0: nothing was taken out."""
    variance_kept: float
    """Beside that without CUPED: 0.8 is a fifth less."""
    effective_people: float | None
    """Where chances differed: how many equally weighted people these are worth."""
    looks: list[Look]
    notes: list[str]
    segments: list[Segmented]


class Report(Struct, frozen=True, kw_only=True):
    """One experiment."""

    experiment: str
    control: str
    arms: list[Arm]
    people: int
    first_at_ms: int | None
    last_at_ms: int | None
    until_ms: int | None
    """All was seen up to then; None: it has no times."""
    allocation: Literal["fixed", "changed", "adaptive"]
    multiple: int
    """People who met several variants: they are left out."""
    multiple_share: float
    robots: int = 0
    """Left out; of files nobody knows who is one."""
    ratio: Ratio
    comparisons: list[Compared]
    warnings: list[str]
    definition: dict[str, Any]
    """What the numbers mean."""

    def told(self) -> Report:
        """Lay it out for programs: infinite bounds are null in JSON."""
        return self


class Listed(Struct, frozen=True, kw_only=True):
    """One experiment, before its report."""

    experiment: str
    variants: dict[str, int]
    """Variant -> people."""
    people: int
    multiple: int
    allocation: Literal["fixed", "changed", "adaptive"]
    first_at_ms: int | None
    last_at_ms: int | None
    is_mismatch: bool


class Listing(Struct, frozen=True, kw_only=True):
    """All experiments anybody met."""

    experiments: list[Listed]
    definition: dict[str, Any]

    def told(self) -> Listing:
        """Lay it out for programs."""
        return self
