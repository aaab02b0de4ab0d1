"""A plan: what an installation of a size wants, of everything, and what of it there is too much of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil

from bench.scale import storage
from bench.scale.clocks import ticks_per_s
from bench.scale.costs import Costs
from bench.scale.model import Load, records_per_s, recovery, tasks_for, wait, work
from bench.scale.money import Prices, a_month
from bench.scale.skew import active_people, hit_share
from bench.scale.storage import Keeping
from sojourn.engine.records import MAX_SHARDS
from sojourn.runtime.shards.worker import HOT_STATES

DAY_S = 86_400
BUSY = 0.6
"""Of a task's interpreter, at the busiest: the rest is for catching up, and for uneven keys."""
WATERMARK_MS = 20.0
"""Between two looks at the clocks, instead of 5: calls are dear, and an event waits 8 ms longer."""
DOOR_BUSY = 0.5
TICKS_BUSY = 0.15
"""Of a door's core, what ticks may take: by it the plan chooses `cluster.tick`."""
VISIT_EVENTS, VISIT_S = 8.0, 600.0
"""A visit of the bench's traffic has eight events; that it takes ten minutes is assumed."""
BROKER_CORES = 8
BROKER_BUSY = 0.4
BROKER_MB_PER_S = 150.0
"""What a broker writes, its part of replicas included; and 4,000 partitions' replicas. Assumed."""
BROKER_REPLICAS = 4_000
BROKER_DISK = 16e12
STORE_MEMORY = 64e9
"""Of one node of the serving store."""


@dataclass(frozen=True)
class Target:
    """What is asked for."""

    name: str
    events_per_s: float
    """At the busiest."""
    people: float
    mean_share: float = 0.4
    """The mean of a day beside its busiest second. Assumed: shops have 0.3 to 0.5."""
    skew: float = 0.5
    """Of people. Keys that are hotter are looked at on their own."""

    @property
    def events_per_day(self) -> float:
        """The events of a mean day."""
        return self.events_per_s * self.mean_share * DAY_S


TARGETS = (
    Target("10k events/s, 10 M people", 10_000, 10e6),
    Target("100k events/s, 100 M people", 100_000, 100e6),
    Target("1 M events/s, 1,000 M people", 1_000_000, 1e9),
)


@dataclass(frozen=True)
class Plan:
    """What it wants."""

    target: Target
    keeping: Keeping
    load: Load
    tick_ms: float
    cores: dict[str, float]
    brokers: int
    ticks_per_s: float
    states: storage.States
    log: storage.Log
    serving: float
    lake: float
    checkpoint_s: float
    task_state: float
    """Bytes of the fullest task."""
    memory: float
    """Bytes, beyond the 4 GB of a core."""
    p50_ms: float
    p99_ms: float
    down_s: float
    caught_up_s: float
    month: dict[str, float]

    @property
    def total(self) -> float:
        """Money a month."""
        return sum(self.month.values())

    @property
    def a_million(self) -> float:
        """Money for a million events."""
        return self.total / (self.target.events_per_day * 365 / 12) * 1e6


def plan(target: Target, costs: Costs, keeping: Keeping, prices: Prices) -> Plan:
    """Choose shards, tasks, doors and ticks for a target, and count."""
    load, costs = sized(target, costs)
    done, waits = work(load, costs), wait(load, costs)
    kept = storage.states(costs, keeping, people=target.people, events_per_day=target.events_per_day)
    log = storage.log(costs, keeping, events_per_s=target.events_per_s, events_per_day=target.events_per_day)
    ticks = ticks_of(load, costs)
    brokers = _brokers(load, costs, keeping, log=log, ticks=ticks)
    task_state = kept.total * max(load.task_shards / load.shards, 1 / load.tasks)
    lost = recovery(load, costs, task_state_mb=task_state / 1e6)
    serving = storage.serving_bytes(costs, people=target.people)
    lake = storage.lake_bytes(costs, keeping, events_per_day=target.events_per_day)
    cores = {
        "doors": load.doors * 1.0,
        "tasks": load.tasks * (costs.rest_cores + costs.active_cores)
        + target.events_per_s * (done.us_an_event + costs.java_us) / 1e6,
        "brokers": brokers * float(BROKER_CORES),
        "workers": 1 + target.events_per_s * costs.actions * costs.worker_us / 1e6 / DOOR_BUSY,
        "serving": 2.0 * ceil(serving / STORE_MEMORY),
    }
    used = {
        "cores": sum(cores.values()),
        "memory": serving,
        # Each task's states lie on a disk of its own, twice while they are compacted; the log beside.
        "disk": log.disk * 1.3 + kept.total * 2,
        "objects": kept.total * 2 + lake,
        "traffic": _traffic(target, costs, keeping),
    }
    between = done.events * costs.checkpoint_every_ms / 1_000
    return Plan(
        target, keeping, load, costs.tick_ms, cores, brokers, ticks, kept, log, serving, lake,
        storage.checkpoint_s(costs, events=between), task_state, used["memory"],
        waits.quantile(0.5), waits.quantile(0.99), lost.down, lost.caught_up, a_month(prices, used),
    )  # fmt: skip


def sized(target: Target, costs: Costs) -> tuple[Load, Costs]:
    """Choose doors, then shards and tasks, then how often doors tick."""
    doors = max(2, ceil(target.events_per_s * costs.door_us / 1e6 / DOOR_BUSY))
    shards, tasks = 16, 1
    costs = costs.changed(
        profile_us=costs.profile_us + cold_share(costs) * costs.miss_us, watermark_ms=WATERMARK_MS
    )
    while True:
        load = Load(target.events_per_s, 1, shards, doors, target.people, target.skew)
        ticking = costs.changed(tick_ms=tick_for(load, costs))
        tasks = tasks_for(load, ticking, busy=BUSY)
        if shards >= MAX_SHARDS or tasks * 2 <= shards:
            return replace(load, tasks=tasks), ticking
        shards = min(MAX_SHARDS, shards * 2)


def cold_share(costs: Costs) -> float:
    """Return how often a task as busy as planned finds a person's state not decoded any more."""
    events = BUSY * 1e6 / (costs.event_us + costs.miss_us)
    return 1 - hit_share(active_people(events, visit_events=VISIT_EVENTS, visit_s=VISIT_S), HOT_STATES)


def tick_for(load: Load, costs: Costs) -> float:
    """Return the shortest `cluster.tick` (ms) at which ticks leave a door to its events."""
    tick = costs.tick_ms
    while tick < 2_000:
        each = ticks_of(load, costs.changed(tick_ms=tick)) / load.doors
        if each * costs.tick_door_us / 1e6 <= TICKS_BUSY:
            return tick
        tick *= 1.25
    return tick


def ticks_of(load: Load, costs: Costs) -> float:
    """Return the ticks of all doors a second."""
    lane = records_per_s(load.events_per_s, load, costs) / load.shards / load.doors / 1_000
    return ticks_per_s(partitions=load.shards, doors=load.doors, lane_per_ms=lane, tick_ms=costs.tick_ms)


def _brokers(load: Load, costs: Costs, keeping: Keeping, *, log: storage.Log, ticks: float) -> int:
    """Return the brokers that are enough for cores, for disks, for partitions, and for safety."""
    records = records_per_s(load.events_per_s, load, costs)
    us = records * costs.broker_us + ticks * costs.tick_broker_us
    partitions = (load.shards + 32) * keeping.replicas
    return max(
        3,
        ceil(us / 1e6 / BROKER_CORES / BROKER_BUSY),
        ceil(log.written_per_s * keeping.replicas / 1e6 / BROKER_MB_PER_S),
        ceil(partitions / BROKER_REPLICAS),
        ceil(log.disk * 1.3 / BROKER_DISK),
    )


def _traffic(target: Target, costs: Costs, keeping: Keeping) -> float:
    """Return the bytes a month between zones: replicas, what tasks read and hand on, two thirds of it."""
    less = costs.compression if keeping.is_compressed else 1.0
    event, facts = costs.event_bytes / less, costs.facts * costs.fact_bytes / less
    a_event = (event + facts) * keeping.replicas + event + costs.passed_bytes + facts
    return a_event * 2 / 3 * target.events_per_day * 365 / 12
