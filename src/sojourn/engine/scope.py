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
