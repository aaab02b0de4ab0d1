"""From what was measured to what the model rests on: `python -m bench.scale --measure` writes both.

measured.json is as it was measured; fitted.json has each figure of `Costs` with its range and its source.
What could not be measured here is assumed, with the reason: assumed.json.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import product
from math import log
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from bench import figures
from bench.scale.costs import Costs, Figure
from bench.scale.model import Load, S, drained, wait, work

MEASURED = Path(__file__).parent / "measured.json"
COMMAND = "python -m bench.scale --measure"
LATEST = "bench/latest.json, python -m bench cluster"
HOW_TO = "docs/how-to/run-on-kafka-and-flink.md, the table of ticks"
RATES, DRAINS = (100, 400, 1_600), (200, 20, 2)
"""What is measured: events a second, and events to a record of a log that lies there. A run of which the
machine had no time to do all may be left out of measured.json."""

Told = dict[str, dict[str, float]]


def read_measured() -> Told:
    """Read what was measured last."""
    told: Told = json.loads(MEASURED.read_text(encoding="utf-8"))
    return {part: told[part] for part in ("engine", "cluster", "quiet")}


def quiet() -> dict[str, float]:
    """Return what `python -m bench cluster` found on a quiet machine: times, which nothing else may bend."""
    latest: dict[str, Any] = json.loads(figures.LATEST.read_text(encoding="utf-8"))
    return {name: one["value"] for name, one in latest["figures"].items() if name.startswith("cluster_")}


def conditions(told: Told) -> dict[str, float]:
    """Return how the waits were measured, where that may differ from what deploy/ says by now."""
    return {"checkpoint_every_ms": told["quiet"]["cluster_checkpoint_every_ms"]}


def fit(told: Told) -> dict[str, Figure]:
    """Return every figure of the model."""
    found = _assumed() | _of_engine(told["engine"]) | _of_task(told)
    found |= _of_checkpoints(told)
    found |= _of_rest(found, told)
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
    }


def _of_task(told: Told) -> dict[str, Figure]:
    """Fit what an event, a call and a record cost a task to what its stages' threads took.

    All six runs at once, by the least sum of deviations in logarithms: one that is bent bends little.
    """
    engine, cluster = told["engine"], told["cluster"]
    event, call, record = _least(_observed(cluster))
    parts = {name: engine[f"turn_us_{name}"] for name in ("identity", "alias", "profile")}
    taken = engine["turn_us_at_64"] - sum(parts.values())
    whole = sum(parts.values()) + taken
    us = {
        "record_us": record,
        "passed_us": record,
        "call_us": call,
        "take_us": event * taken / whole,
        **{f"{name}_us": event * part / whole for name, part in parts.items()},
    }
    java = median(cluster[f"drain_{n}_task_us"] - cluster[f"drain_{n}_stages_us"] for n in _drains(cluster))
    rest = cluster["rate_0_task_cores"]
    active = median(
        cluster[f"rate_{rate}_task_cores"] - cluster[f"rate_{rate}_stages_cores"] - rest
        - cluster[f"rate_{rate}_events_per_s"] * java / 1e6
        for rate in _rates(cluster)
    )  # fmt: skip
    how = f"{COMMAND}: processor time of the stages' threads, three rates, three drains, a busy machine"
    return {
        **{name: _fitted(value, (0.5, 1.5), "us", how) for name, value in us.items()},
        "java_us": _fitted(java, (0.5, 1.4), "us", f"{COMMAND}: the task's other threads, drains"),
        "rest_cores": _fitted(
            rest, (0.3, 1.2), "cores", f"{COMMAND}: no events, 40 rounds of ticks a second"
        ),
        "active_cores": _fitted(
            max(0.02, active),
            (0.3, 2),
            "cores",
            f"{COMMAND}: other threads at three rates, less java_us and rest",
        ),
    }


def _drains(cluster: dict[str, float]) -> list[int]:
    return [n for n in DRAINS if f"drain_{n}_task_us" in cluster]


def _rates(cluster: dict[str, float]) -> list[int]:
    return [rate for rate in RATES if f"rate_{rate}_task_cores" in cluster]


class _Observed(NamedTuple):
    """What an event took in a run, us, and how many calls and records the model counts for it."""

    us: float
    calls: float
    records: float


def _observed(cluster: dict[str, float]) -> list[_Observed]:
    found = []
    for n in _drains(cluster):
        counts = [1e6 / drained(costs, shards=32, in_record=n) for costs in _units()]
        found.append(_Observed(cluster[f"drain_{n}_stages_us"], *(each - 1 for each in counts)))
    for rate in _rates(cluster):
        per_s = cluster[f"rate_{rate}_events_per_s"]
        tick = 1_000 / cluster[f"rate_{rate}_rounds_per_s"]
        counts = [work(Load(per_s), costs.changed(tick_ms=tick)).us_an_event for costs in _units()]
        busy = cluster[f"rate_{rate}_stages_cores"] - cluster["rate_0_stages_cores"]
        found.append(_Observed(busy / per_s * 1e6, *(each - 1 for each in counts)))
    return found


def held_out(cluster: dict[str, float]) -> list[tuple[str, float, float]]:
    """Return what an event took in each run (us), and what the other five say it would."""
    observed = _observed(cluster)
    names = [f"a log drained, {n} to a record" for n in _drains(cluster)]
    names += [f"{rate:,} events/s" for rate in _rates(cluster)]
    found = []
    for at, (name, one) in enumerate(zip(names, observed, strict=True)):
        event, call, record = _least(observed[:at] + observed[at + 1 :])
        found.append((name, one.us, event + one.calls * call + one.records * record))
    return found


def _units() -> tuple[Costs, Costs]:
    """Return costs of 1 us an event and 1 us more a call, or a record: what the model counts is linear."""
    return (
        _skeleton(profile_us=1.0, call_us=1.0),
        _skeleton(profile_us=1.0, record_us=1.0, passed_us=1.0),
    )


def _least(observed: list[_Observed]) -> tuple[float, float, float]:
    """Return (event, call, record), us, of the least sum of such deviations, by search; none below 5."""

    def off(tried: tuple[float, ...]) -> float:
        event, call, record = tried
        return sum(abs(log((event + one.calls * call + one.records * record) / one.us)) for one in observed)

    best: tuple[float, ...] = (100.0, 50.0, 20.0)
    width = 2.0
    while width > 1.005:
        tries = [
            tuple(max(5.0, value * width**power) for value, power in zip(best, powers, strict=True))
            for powers in product((-1, 0, 1), repeat=3)
        ]
        found = min(tries, key=off)
        if off(found) >= off(best) - 1e-9:
            width = width**0.7
        else:
            best = found
    return best[0], best[1], best[2]


def _skeleton(**values: float) -> Costs:
    """Return costs of nothing but what is said, and of the configuration's intervals."""
    settings = {name: figure.value for name, figure in _assumed().items()}
    nothing = dict.fromkeys(Costs.__dataclass_fields__, 0.0)
    return Costs(**(nothing | settings | values))


def _of_checkpoints(told: Told) -> dict[str, Figure]:
    cluster, engine = told["cluster"], told["engine"]
    rates = min(_rates(cluster)), max(_rates(cluster))
    first, last = (cluster[f"rate_{rate}_checkpointed_bytes"] for rate in rates)
    # Of so many events each: what came since the one before.
    n_first, n_last = (rate * cluster["checkpoint_every_ms"] / S for rate in rates)
    each = max(100.0, (last - first) / (n_last - n_first))
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
            max(0.0, first - n_first * each), (0.5, 2), "bytes", f"{COMMAND}: rates {rates}"
        ),
        "checkpoint_event_bytes": _fitted(
            each, (0.7, 3), "bytes", f"{COMMAND}: rates {rates}; high: compaction"
        ),
        "mark_bytes": _fitted(state * mark / raw, (0.7, 1.6), "bytes", how),
        "profile_bytes": _fitted(
            state * life / raw, (0.7, 5), "bytes", f"{how}; high: a long life, many journeys"
        ),
        "tie_bytes": _fitted(state * tie / raw, (0.7, 2), "bytes", how),
    }


MARK_BYTES = 32 + 8 + 6
"""A digest in hexadecimal digits, an instant, and Flink's prefix."""
KEY_BYTES = 40
"""A user's or a device's id, and the same prefix."""


def _of_rest(found: dict[str, Figure], told: Told) -> dict[str, Figure]:
    """Fit two figures to the waits at rest: the way beside the clocks, and a checkpoint's pause."""
    p50, p95 = (told["quiet"][f"cluster_action_{name}_ms"] for name in ("p50", "p95"))
    known = {name: figure.value for name, figure in found.items()} | conditions(told)

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
        "out_ms": _fitted(out, (0.2, 1.2), "ms", how),
        "pause_ms": _fitted(pause, (0.2, 1.5), "ms", how),
    }


AT_REST = Load(100.0)
"""As the bench of the cluster measures it."""


def _measured(value: float, low: float, high: float, unit: str) -> Figure:
    """Return a figure as it was measured; `low` and `high` are of it."""
    return Figure(_round(value), _round(value * low), _round(value * high), unit, "measured", COMMAND)


def _fitted(value: float, reach: tuple[float, float], unit: str, how: str) -> Figure:
    """Return a figure that was found; its reach is of it."""
    low, high = reach
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
