"""A scope made of plain values, for expressions under test."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class PlainScope:
    """What an expression sees; counts and the like are looked up by name."""

    properties: dict[str, Any] = field(default_factory=dict)
    traits: dict[str, Any] = field(default_factory=dict)
    event: dict[str, Any] = field(default_factory=dict)
    profile: dict[str, Any] = field(default_factory=dict)
    entry: dict[str, Any] = field(default_factory=dict)
    session: dict[str, Any] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)
    active: frozenset[str] = frozenset()
    counts: dict[tuple[str, int | None], int] = field(default_factory=dict)
    ages: dict[str, float] = field(default_factory=dict)
    steps: dict[str, int] = field(default_factory=dict)
    variants: dict[str, str] = field(default_factory=dict)
    segments: frozenset[str] = frozenset()
    has_regressed: bool = False
    friction: dict[str, Any] = field(default_factory=dict)
    signals: dict[tuple[str, int | None], int] = field(default_factory=dict)
    propensities: dict[str, float] = field(default_factory=dict)
    hazard_is: float | None = None
    churn_is: float | None = None
    at: int = 0

    def count(self, name: str, within_ms: int | None) -> int:
        return self.counts.get((name, within_ms), 0)

    def since(self, name: str) -> float | None:
        return self.ages.get(name)

    def in_segment(self, segment: str) -> bool:
        return segment in self.segments

    def visits(self, step: str) -> int:
        return self.steps.get(step, 0)

    def loops(self, step: str) -> int:
        return max(0, self.visits(step) - 1)

    def regressed(self) -> bool:
        return self.has_regressed

    def variant(self, experiment: str) -> str | None:
        return self.variants.get(experiment)

    def friction_count(self, name: str, within_ms: int | None) -> int:
        return self.signals.get((name, within_ms), 0)

    def propensity(self, goal: str) -> float | None:
        return self.propensities.get(goal)

    def hazard(self) -> float | None:
        return self.hazard_is

    def churn(self) -> float | None:
        return self.churn_is
