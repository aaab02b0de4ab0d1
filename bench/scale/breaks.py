"""What breaks first: of each thing that there can be too much of, how much there is, and what to do."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bench.scale.costs import Costs
from bench.scale.model import Load, capacity, records_per_s, step_ms
from bench.scale.plan import BUSY, VISIT_EVENTS, VISIT_S, Plan, ticks_of
from bench.scale.skew import active_people
from sojourn.engine.records import MAX_SHARDS
from sojourn.runtime.shards.worker import ASKED, HOT_STATES

YEAR_S = 365.25 * 86_400
OFFSETS = 2.0**33
"""Records of a partition that have positions below 2^53: `engine.records`."""
SST_BYTES = 64e6
"""RocksDB's files, unless set."""
STATE_OF_A_TASK = 200e9
"""More takes half an hour and longer to restore at 100 MB/s. Assumed to be what one bears."""
PARTITION_BYTES_PER_S = 10e6
"""What one partition of facts takes comfortably. Assumed."""
PARTITIONS = 8
"""Of facts and actions, unless `cluster.partitions` says more."""


@dataclass(frozen=True)
class Break:
    """One thing that there can be too much of."""

    what: str
    limit: str
    uses: tuple[float, ...]
    """Of each plan, how much of the limit it uses: above 1 it breaks."""
    remedy: str


def breaks(plans: tuple[Plan, ...], costs: Costs) -> list[Break]:
    """Look at every limit, for every plan; the fullest at the largest plan first."""
    found = [
        _marks(plans, costs),
        _change(plans, costs),
        _positions(plans, costs),
        _log_disk(plans),
        _ticks(plans, costs),
        _shards(plans, costs),
        _one_key(plans, costs),
        _hot_states(plans),
        _files(plans),
        _facts(plans, costs),
        _store(plans),
    ]
    return sorted(found, key=lambda one: -one.uses[-1])


def key_limit(costs: Costs) -> float:
    """Return the events a second at most of one key, its shard having a task to itself, in large batches."""
    return 1e6 / costs.event_us


def _marks(plans: tuple[Plan, ...], costs: Costs) -> Break:
    del costs
    return Break(
        f"marks of duplicates: a window of {plans[0].keeping.seen_days:.0f} days, and half of another",
        f"{STATE_OF_A_TASK / 1e9:.0f} GB of state a task",
        tuple(
            plan.states.marks * plan.load.task_shards / plan.load.shards / STATE_OF_A_TASK for plan in plans
        ),
        "a shorter window (SDKs try for hours, not weeks); it is fixed at 30 days today",
    )


def _change(plans: tuple[Plan, ...], costs: Costs) -> Break:
    def lasts_h(plan: Plan) -> float:
        people = plan.target.people * (1 + plan.keeping.devices) / plan.load.shards
        step = max(step_ms(plan.load, costs), plan.load.task_shards * ASKED * costs.ask_us / 1e3)
        return people / ASKED * step / 3_600e3

    return Break(
        f"a change that asks everybody, {ASKED} of a shard with each step of the watermark",
        "a day until all are asked; publish again before, and the rest is asked at once",
        tuple(lasts_h(plan) / 24 for plan in plans),
        "smaller tasks of fewer people; larger slices where nobody waits (worker.ASKED)",
    )


def _positions(plans: tuple[Plan, ...], costs: Costs) -> Break:
    def lasts_years(plan: Plan) -> float:
        ticking = costs.changed(tick_ms=plan.tick_ms)
        share = plan.target.mean_share
        calm = replace(plan.load, events_per_s=plan.load.events_per_s * share)
        records = records_per_s(calm.events_per_s, calm, ticking) + ticks_of(calm, ticking)
        return OFFSETS / (records / plan.load.shards * YEAR_S)

    return Break(
        "positions: 2^33 records a partition, ticks among them, before numbers pass 2^53",
        "10 years",
        tuple(10 / lasts_years(plan) for plan in plans),
        "fewer, larger records (a longer tick, fewer doors to a partition); in the end another layout",
    )


def _log_disk(plans: tuple[Plan, ...]) -> Break:
    keeping = plans[0].keeping
    how = "compressed" if keeping.is_compressed else "as they come"
    return Break(
        f"the log: {keeping.events_days:.0f} days of events, {how}, on {keeping.replicas} replicas",
        "500 TB of broker disks",
        tuple(plan.log.disk / 500e12 for plan in plans),
        "client: compression.type: zstd; tiered storage; three days, and replays from the lake",
    )


def _ticks(plans: tuple[Plan, ...], costs: Costs) -> Break:
    def of_a_door(plan: Plan) -> float:
        return ticks_of(plan.load, costs) / plan.load.doors * costs.tick_door_us / 1e6

    return Break(
        f"ticks every {costs.tick_ms:.0f} ms, of each door, to each shard",
        "one core of each door",
        tuple(of_a_door(plan) for plan in plans),
        "a longer cluster.tick, which is what the plans do; ticks by one door for all (not built)",
    )


def _shards(plans: tuple[Plan, ...], costs: Costs) -> Break:
    def most(plan: Plan) -> float:
        ticking = costs.changed(tick_ms=plan.tick_ms)
        whole = Load(0, MAX_SHARDS, MAX_SHARDS, plan.load.doors, plan.target.people, plan.target.skew)
        return capacity(whole, ticking, busy=BUSY)

    return Break(
        f"shards: {MAX_SHARDS:,} at most, and no more tasks than shards",
        f"a task a shard, each {BUSY:.0%} busy",
        tuple(plan.target.events_per_s / most(plan) for plan in plans),
        "several installations, each of some of the people; a cheaper event",
    )


def _one_key(plans: tuple[Plan, ...], costs: Costs) -> Break:
    return Break(
        "one key that does 1 of 1,000 events (a bot, a kiosk, a shared login)",
        f"{key_limit(costs):,.0f} events/s, a task's all",
        tuple(plan.target.events_per_s / 1_000 / key_limit(costs) for plan in plans),
        "a rate for each key at the door (not built); split a device into sub-keys until it is named",
    )


def _hot_states(plans: tuple[Plan, ...]) -> Break:
    def active(plan: Plan) -> float:
        events = plan.target.events_per_s * plan.load.task_share
        return active_people(events, visit_events=VISIT_EVENTS, visit_s=VISIT_S)

    return Break(
        "people in the middle of a visit, of a task",
        f"{HOT_STATES:,} decoded states of a stage",
        tuple(active(plan) / HOT_STATES for plan in plans),
        "slower, not broken: the rest is decoded anew (miss_us); more, smaller tasks, or a larger HOT_STATES",
    )


def _files(plans: tuple[Plan, ...]) -> Break:
    return Break(
        "RocksDB's files of a task, 64 MB each",
        "65,536 handles",
        tuple(plan.task_state / SST_BYTES / 65_536 for plan in plans),
        "ulimit -n, larger files (target_file_size_base)",
    )


def _facts(plans: tuple[Plan, ...], costs: Costs) -> Break:
    a_event = costs.facts * costs.fact_bytes
    return Break(
        f"facts through {PARTITIONS} partitions",
        f"{PARTITION_BYTES_PER_S / 1e6:.0f} MB/s each",
        tuple(plan.target.events_per_s * a_event / PARTITIONS / PARTITION_BYTES_PER_S for plan in plans),
        "cluster.partitions, chosen at the beginning",
    )


def _store(plans: tuple[Plan, ...]) -> Break:
    return Break(
        "the serving store: everybody in memory, twice",
        "1 TB of memory",
        tuple(plan.serving / 1e12 for plan in plans),
        "keep only who was seen lately (a TTL); the rest is answered from the states' topic, or as unknown",
    )
