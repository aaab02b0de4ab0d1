"""The door of a cluster: what one takes over HTTP, confirmed by a broker on the same machine."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from bench import load
from bench.figures import Figure, Figures
from tests.cluster.machines import Kafka
from tests.cluster.shops import KEY, Door, Shop

WARM_UP_S = 3.0
REST_RATE = 1_000.0  # events a second, where answers are not queued


def measure(kafka: Kafka, folder: Path, *, n_shards: int, is_quick: bool) -> Figures:
    """Load one door as fast as it answers, then slowly."""
    seconds = 5.0 if is_quick else 15.0
    shop = Shop(folder, kafka.brokers, shards=n_shards)
    shop.answer("init")
    with shop.door() as door:
        _sent(door, seconds=WARM_UP_S, name="warm")
        before_s = _cpu_s(door)
        full = _sent(door, seconds=seconds, name="full")
        cpu_s = _cpu_s(door) - before_s
        slow = _sent(door, seconds=seconds, name="slow", rate=REST_RATE)
    return {
        "cluster_door_events_per_s": Figure(
            round(full["n_events"] / full["seconds"]), "events/s", f"one door, {n_shards} shards, acks=all"
        ),
        "cluster_door_cpu_us": Figure(round(cpu_s / full["n_events"] * 1e6, 1), "us CPU/event", "the door"),
        "cluster_door_ack_p50_ms": Figure(
            round(slow["answers_ms"]["p50"], 1), "ms", f"{REST_RATE:,.0f} events/s"
        ),
        "cluster_door_ack_p99_ms": Figure(round(slow["answers_ms"]["p99"], 1), "ms", ""),
    }


def _sent(door: Door, *, seconds: float, name: str, rate: float = 0.0) -> dict[str, Any]:
    port = int(door.url.rpartition(":")[2])
    orders = load.Orders(port=port, write_key=KEY, seconds=seconds, rate=rate, round_prefix=name)
    told = load.finish(load.start(orders))
    assert told["n_other"] == 0, "the door refused requests"
    return told


def _cpu_s(door: Door) -> float:
    fields = Path(f"/proc/{door.process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
