"""Bytes: of states, checkpoints, the log, what serves look-ups, and the lake; and what a broker is asked."""

from __future__ import annotations

from dataclasses import dataclass

from bench.scale.costs import Costs

DAY_S = 86_400


@dataclass(frozen=True)
class Keeping:
    """How long what is kept; what an operator chooses."""

    seen_days: float = 30
    """The window in which a message that comes again is known: `runtime.shards.seen`."""
    events_days: float = 30
    facts_days: float = 7
    actions_days: float = 7
    lake_days: float = 365
    devices: float = 1.5
    """Of a person."""
    is_compressed: bool = False
    """Whether the client's `compression.type` is set."""
    replicas: int = 3


@dataclass(frozen=True)
class States:
    """What the three stages keep, bytes."""

    profiles: float
    devices: float
    marks: float
    """Of messages that were seen: all of one window, and on average half of the one before."""

    @property
    def total(self) -> float:
        """All of it."""
        return self.profiles + self.devices + self.marks


def states(costs: Costs, keeping: Keeping, *, people: float, events_per_day: float) -> States:
    """Return what is kept of people, and of what they did."""
    return States(
        profiles=people * costs.profile_bytes,
        devices=people * keeping.devices * costs.tie_bytes,
        marks=1.5 * keeping.seen_days * events_per_day * costs.mark_bytes,
    )


@dataclass(frozen=True)
class Log:
    """What the brokers are asked."""

    written_per_s: float
    """Bytes a second from doors and tasks, before they are replicated."""
    disk: float
    """Bytes on all of them."""


def log(costs: Costs, keeping: Keeping, *, events_per_s: float, events_per_day: float) -> Log:
    """Return what the brokers take at the busiest, and what lies there."""
    less = costs.compression if keeping.is_compressed else 1.0
    event, facts = costs.event_bytes / less, costs.facts * costs.fact_bytes / less
    actions = costs.actions * costs.action_bytes
    a_day = events_per_day * keeping.replicas
    kept = event * keeping.events_days + facts * keeping.facts_days + actions * keeping.actions_days
    return Log(events_per_s * (event + facts + actions), a_day * kept)


def checkpoint_bytes(costs: Costs, *, events: float) -> float:
    """Return what a task writes to a checkpoint, having taken so many events since the last one."""
    return costs.checkpoint_bytes + costs.checkpoint_event_bytes * events


def checkpoint_s(costs: Costs, *, events: float) -> float:
    """Return how long it takes until that is where it is safe; it goes on beside the events."""
    return checkpoint_bytes(costs, events=events) / 1e6 / costs.restore_mb_per_s


def hot_bytes(costs: Costs, *, stages: int = 3, states: int = 20_000) -> float:
    """Return what decoded states take of a task's memory; how many there are at most is the worker's."""
    return stages * states * costs.hot_bytes


def serving_bytes(costs: Costs, *, people: float, copies: int = 2) -> float:
    """Return the memory of a store that answers for every person."""
    return people * copies * (costs.served_bytes + costs.store_key_bytes)


def lake_bytes(costs: Costs, keeping: Keeping, *, events_per_day: float) -> float:
    """Return what lies in the lake."""
    return events_per_day * keeping.lake_days * costs.lake_event_bytes
