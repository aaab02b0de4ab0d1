"""Scope: the names an expression can see while it is evaluated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol
from zoneinfo import ZoneInfo


class Scope(Protocol):
    """What compiled expressions call. Absent things are None, and comparisons with None are false.

    The kernel sets `active` and `data` before it asks a guard; everything else is the profile's.
    """

    active: frozenset[str]
    """Ids of all active states, ancestors included: `In('x')`."""
    data: Mapping[str, Any]
    """The chart's variables."""

    @property
    def at(self) -> int:
        """The instant of evaluation, ms."""
        ...

    @property
    def zone(self) -> ZoneInfo:
        """The person's time zone."""
        ...

    @property
    def event(self) -> Mapping[str, Any]:
        """The event: `name`, `kind`, `properties`, `traits`, `user_id`, `channel`, `device`, `geo`."""
        ...

    @property
    def properties(self) -> Mapping[str, Any]:
        """Short for `event.properties`."""
        ...

    @property
    def traits(self) -> Mapping[str, Any]:
        """The profile's traits (`trait.plan`)."""
        ...

    @property
    def profile(self) -> Mapping[str, Any]:
        """`id`, `user_id`, `anonymous_id`, `first_seen_at`, `last_seen_at`, `traits`."""
        ...

    @property
    def entry(self) -> Mapping[str, Any]:
        """The event that entered the journey: `name`, `at`, `key`, `properties`."""
        ...

    @property
    def session(self) -> Mapping[str, Any]:
        """The current session: `id`, `n_events`, `started_at`, `duration_s`, `channel`."""
        ...

    def draw(self, seed: str) -> float:
        """A number from 0 to below 1: the same for the same enrolment, seed and instant, on every run."""
        ...

    @property
    def friction(self) -> Mapping[str, Any]:
        """What goes against the person: `score`, 0 to 1, and `last`, the name of the latest signal."""
        ...

    def count(self, name: str, within_ms: int | None) -> int:
        """How often the event happened, in the last `within_ms` or ever."""
        ...

    def since(self, name: str) -> float | None:
        """Seconds since the event last happened; None if never."""
        ...

    def in_segment(self, segment: str) -> bool:
        """Whether the person belongs to the segment."""
        ...

    def visits(self, step: str) -> int:
        """How often the step was taken in the current session."""
        ...

    def loops(self, step: str) -> int:
        """How often the person came back to the step in the current session."""
        ...

    def regressed(self) -> bool:
        """Whether the latest ranked step of the session lies before the furthest one."""
        ...

    def variant(self, experiment: str) -> str | None:
        """The person's variant."""
        ...

    def friction_count(self, name: str, within_ms: int | None) -> int:
        """How often a signal of friction was found, in the last `within_ms`; of the last 32 signals."""
        ...

    def propensity(self, goal: str) -> float | None:
        """The probability of reaching a goal before the visit ends; None while there is no model."""
        ...

    def hazard(self) -> float | None:
        """The probability that the current step is the last of the visit; None while there is no model."""
        ...

    def churn(self) -> float | None:
        """The probability that the person is gone for good; None before their second visit."""
        ...
