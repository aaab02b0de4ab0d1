"""From what was measured to what the model rests on: `python -m bench.scale --measure` writes both.

measured.json is as it was measured; fitted.json has each figure of `Costs` with its range and its source.
What could not be measured here is assumed, with the reason: assumed.json.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench import figures
from bench.scale.costs import Costs, Figure
from bench.scale.model import Load, drained, wait
from bench.scale.model import work as work_of

MEASURED = Path(__file__).parent / "measured.json"
COMMAND = "python -m bench.scale --measure"
LATEST = "bench/latest.json, python -m bench cluster"
HOW_TO = "docs/how-to/run-on-kafka-and-flink.md, the table of ticks"
CALM, FULL = 100, 1_600
"""Of the rates that were measured."""

Told = dict[str, dict[str, float]]


def read_measured() -> Told:
    """Read what was measured last."""
    told: Told = json.loads(MEASURED.read_text(encoding="utf-8"))
    return {part: told[part] for part in ("engine", "cluster", "quiet")}


def quiet() -> dict[str, float]:
    """Return what `python -m bench cluster` found on a quiet machine: times, which nothing else may bend."""
    latest: dict[str, Any] = json.loads(figures.LATEST.read_text(encoding="utf-8"))
    return {name: one["value"] for name, one in latest["figures"].items() if name.startswith("cluster_")}


def fit(told: Told) -> dict[str, Figure]:
    """Return every figure of the model."""
    found = _assumed() | _of_engine(told["engine"]) | _of_task(told)
    found |= _of_checkpoints(told)
    found |= _of_rest(found, told["quiet"])
    return {name: found[name] for name in Costs.__dataclass_fields__}


def _of_engine(engine: dict[str, float]) -> dict[str, Figure]:
    def bytes_of(name: str, low: float, high: float) -> Figure:
        return _measured(engine[name], low, high, "bytes")

    return {
        "event_bytes": bytes_of("event_log_bytes", 0.5, 2),
        "facts": _measured(engine["facts_an_event"], 0.5, 2, "an event"),
        "fact_bytes": bytes_of("fact_bytes", 0.8, 1.5),
        "actions": _measured(engine["actions_an_event"], 0.3, 5, "an event"),
        "action_bytes": bytes_of("action_bytes", 0.8, 2),
        "passed_bytes": bytes_of("passed_bytes", 0.5, 2),
        "served_bytes": bytes_of("state_bytes_profile", 0.5, 4),
        "call_us": _measured(_slope(engine), 0.8, 3, "us"),
    }


def _slope(engine: dict[str, float]) -> float:
    """Return what a call costs, over batches of 1 and of 64."""
    us = engine["turn_us_at_1"] - engine["turn_us_at_64"]
    return us / (engine["calls_at_1"] - engine["calls_at_64"])


def _of_task(told: Told) -> dict[str, Figure]:
    """Fit what a call, a record and an event cost a task to what its stages' threads took.

    Two rates differ by calls and by events: the model says how many calls there were. Two drains differ by
    records alone. What an event costs is then what is left of the drain.
    """
    engine, cluster = told["engine"], told["cluster"]
    record = (cluster["drain_2_stages_us"] - cluster["drain_20_stages_us"]) / (1 / 2 - 1 / 20)
    record = max(5.0, record)
    call = max(_slope(engine), _call_us(cluster, record))
    parts = {name: engine[f"turn_us_{name}"] for name in ("identity", "alias", "profile")}
    taken = engine["turn_us_at_64"] - sum(parts.values())
    whole = sum(parts.values()) + taken
    event = _event_us(cluster, record=record, call=call)
    java = cluster["drain_20_task_us"] - cluster["drain_20_stages_us"]
    rest = cluster["rate_0_task_cores"]
    us = {
        "record_us": record,
        "passed_us": record,
        "call_us": call,
        "take_us": event * taken / whole,
        **{f"{name}_us": event * part / whole for name, part in parts.items()},
    }
    how = f"{COMMAND}: processor time of the stages' threads, rates of {CALM} and {FULL}, drains by 2 and 20"
    active = _others(cluster, CALM) - rest - CALM * java / 1e6
    return {
        **{name: _fitted(value, 0.7, 1.4, "us", how) for name, value in us.items()},
        "java_us": _fitted(java, 0.7, 1.4, "us", f"{COMMAND}: the task's other threads, drain by 20"),
        "rest_cores": _fitted(rest, 0.3, 1.2, "cores", f"{COMMAND}: no events, 40 rounds of ticks a second"),
        "active_cores": _fitted(
            max(0.0, active), 0.3, 1.5, "cores", f"{COMMAND}: other threads at {CALM} events/s, less those"
        ),
    }


def _others(cluster: dict[str, float], rate: int) -> float:
    return cluster[f"rate_{rate}_task_cores"] - cluster[f"rate_{rate}_stages_cores"]


def _call_us(cluster: dict[str, float], record: float) -> float:
    """Solve two rates' processor time for a call's, an event's being the same in both."""
    found = []
    for rate in (CALM, FULL):
        load = Load(cluster[f"rate_{rate}_events_per_s"])
        done = work_of(load, _skeleton(tick_ms=1_000 / cluster[f"rate_{rate}_rounds_per_s"]))
        busy = cluster[f"rate_{rate}_stages_cores"] - cluster["rate_0_stages_cores"]
        found.append((load.events_per_s, done.calls, done.passed, busy * 1e6))
    (n1, calls1, passed1, us1), (n2, calls2, passed2, us2) = found
    # us = calls * call + (events + passed) * record + events * event, at both.
    left1, left2 = us1 - (n1 + passed1) * record, us2 - (n2 + passed2) * record
    return (left1 / n1 - left2 / n2) / (calls1 / n1 - calls2 / n2)


def _event_us(cluster: dict[str, float], *, record: float, call: float) -> float:
    """Return what an event costs, so that the drain by 20 comes to what it took."""
    asked = cluster["drain_20_stages_us"]
    low, high = 0.0, asked
    for _ in range(40):
        middle = (low + high) / 2
        tried = _skeleton(record_us=record, passed_us=record, call_us=call, profile_us=middle)
        is_more = 1e6 / drained(tried, shards=32, in_record=20) > asked
        low, high = (low, middle) if is_more else (middle, high)
    return low


def _skeleton(**values: float) -> Costs:
    """Return costs of nothing but what is said, and of the configuration's intervals."""
    settings = {name: figure.value for name, figure in _assumed().items()}
    nothing = dict.fromkeys(Costs.__dataclass_fields__, 0.0)
    return Costs(**(nothing | settings | values))


def _of_checkpoints(told: Told) -> dict[str, Figure]:
    cluster, engine = told["cluster"], told["engine"]
    rates = (CALM, FULL)
    first, last = (cluster[f"rate_{rate}_checkpointed_bytes"] for rate in rates)
    each = (last - first) / (FULL - CALM)
    # A drain's state is marks and people; by raw bytes the one is to the other as their contents are.
    state = cluster["drain_20_state_bytes"] / cluster["drain_20_n_events"]
    people = 1 / engine["events_a_person"]
    mark, life, tie = (
        MARK_BYTES,
        engine["state_bytes_profile"] + KEY_BYTES,
        engine["state_bytes_identity"] + KEY_BYTES,
    )
    raw = mark + people * (life + tie)
    how = f"{COMMAND}: a checkpoint after a drain, shared by raw bytes; compressed, few levels"
    return {
        "checkpoint_bytes": _fitted(
            max(0.0, first - CALM * each), 0.5, 2, "bytes", f"{COMMAND}: rates {rates}"
        ),
        "checkpoint_event_bytes": _fitted(
            each, 0.7, 3, "bytes", f"{COMMAND}: rates {rates}; high: compaction"
        ),
        "mark_bytes": _fitted(state * mark / raw, 0.7, 1.6, "bytes", how),
        "profile_bytes": _fitted(
            state * life / raw, 0.7, 5, "bytes", f"{how}; high: a long life, many journeys"
        ),
        "tie_bytes": _fitted(state * tie / raw, 0.7, 2, "bytes", how),
    }


MARK_BYTES = 32 + 8 + 6
"""A digest in hexadecimal digits, an instant, and Flink's prefix."""
KEY_BYTES = 40
"""A user's or a device's id, and the same prefix."""


def _of_rest(found: dict[str, Figure], quiet: dict[str, float]) -> dict[str, Figure]:
    """Fit two figures to the waits at rest: the way beside the clocks, and a checkpoint's pause."""
    p50, p95 = (quiet[f"cluster_action_{name}_ms"] for name in ("p50", "p95"))
    known = {name: figure.value for name, figure in found.items()}

    def waits(out: float, pause: float) -> Callable[[float], float]:
        return wait(AT_REST, Costs(**(known | {"out_ms": out, "pause_ms": pause}))).quantile

    out, pause = 0.0, 50.0
    for _ in range(6):
        out += p50 - waits(out, pause)(0.5)
        low, high = 1.0, 400.0
        for _ in range(16):
            middle = (low + high) / 2
            low, high = (middle, high) if waits(out, middle)(0.95) < p95 else (low, middle)
        pause = low
    how = f"{LATEST}: p50 and p95 at rest, on two cores that did all of it"
    return {
        "out_ms": _fitted(out, 0.2, 1.2, "ms", how),
        "pause_ms": _fitted(pause, 0.2, 1.5, "ms", how),
    }


AT_REST = Load(100.0)
"""As the bench of the cluster measures it."""


def _measured(value: float, low: float, high: float, unit: str) -> Figure:
    return Figure(_round(value), _round(value * low), _round(value * high), unit, "measured", COMMAND)


def _fitted(value: float, low: float, high: float, unit: str, how: str) -> Figure:
    return Figure(_round(value), _round(value * low), _round(value * high), unit, "fitted", how)


def _round(value: float) -> float:
    return float(f"{value:.3g}")


def _assumed() -> dict[str, Figure]:
    table = json.loads((Path(__file__).parent / "assumed.json").read_text(encoding="utf-8"))
    return {name: Figure(*row) for name, row in table.items()}


def keep(told: Told) -> None:
    """Write what was measured, at which commit."""
    whole = {"commit": figures.commit(), "machine": figures.machine(), **told}
    MEASURED.write_text(json.dumps(whole, indent=2) + "\n", encoding="utf-8")
