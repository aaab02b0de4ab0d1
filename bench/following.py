"""`python -m bench.following FOLDER [N_EVENTS]`: questions over a lake of so many events, and views of it.

The folder is made where it is not there, by a process of its own, so that its memory is not in the figures.
CPU s are those of this process alone. Questions are asked when all is in files, then with what the views
followed still in the log, and again by whoever remembers.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from msgspec import Raw

from bench.lakes import DAYS, STEPS, T0
from sojourn.adapters.lake.encoded import Memory, keep_up
from sojourn.adapters.sqlite import SqliteLog, SqliteStore
from sojourn.analytics.attribution.journeys import JourneyRules
from sojourn.analytics.funnel import Funnel, funnel
from sojourn.analytics.graph.journey_graph import journey_graph
from sojourn.analytics.graph.step_matrix import step_matrix
from sojourn.analytics.incremental import FunnelView, GraphView, MarkovView, View
from sojourn.analytics.kinds import Kind, parse_kind
from sojourn.analytics.reading import Mapping, StepRules
from sojourn.definitions.journey import Catalogue
from sojourn.model.event import Event
from sojourn.model.lake import DAY_MS
from sojourn.runtime.driver import Driver
from sojourn.wiring.lake import FOLDER, open_tail
from sojourn.wiring.lake_events import read_lake_events
from sojourn.wiring.live import open_live

N_EVENTS = 10_000_000
N_BATCHES, BATCH = 20, 1_000
SHARE_KNOWN, SHARE_LATE, SHARE_NAMED = 0.8, 0.05, 0.02
FUNNEL = Funnel(steps=tuple(map(parse_kind, ("Product Viewed", "Product Added", "Order Completed"))))
MAPPING = Mapping(attributes={"channel": "channel"}, values={"revenue": "revenue"})
VIEWS: dict[str, View] = {
    "graph": GraphView(),
    "funnel": FunnelView(FUNNEL),
    "attribution": MarkovView(JourneyRules(conversion=Kind(("Order Completed",)), value="revenue")),
}


def measured(what: str, work: Callable[[], Any]) -> Any:
    """Do something, and say what it took."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = work()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{what:44} {time.perf_counter() - wall:8.3f} s wall {time.process_time() - cpu:8.3f} s CPU"
        f" {peak:7.0f} MB peak",
        flush=True,
    )
    return result


def arrivals(n_events: int, random: np.random.Generator, *, first: int) -> list[Event]:
    """Draw what comes next: of known people and new ones, some late, some signing in."""
    n_people, now = n_events // 10, T0 + DAYS * DAY_MS + first
    events = []
    for n in range(first, first + BATCH):
        person = int(random.integers(0, n_people if random.random() < SHARE_KNOWN else 1 << 40))
        is_late, is_named = random.random() < SHARE_LATE, random.random() < SHARE_NAMED
        at = now - int(random.integers(0, DAYS * DAY_MS)) if is_late else now
        events.append(
            Event(
                source="shop",
                message_id=f"new-{n}-{now}",
                kind="track",
                name=STEPS[int(random.integers(0, len(STEPS)))],
                occurred_at=at,
                received_at=now,
                user_id=f"{person:08d}",
                anonymous_id=f"device-{person}" if is_named else None,
                properties=Raw(b'{"revenue":12.5}'),
            )
        )
    return events


def keep(data: Path) -> None:
    """Keep the lake's events as numbers, as its writer has it done."""
    with open_tail(data) as tail:
        keep_up(data / FOLDER, tail)


def ask(data: Path, memory: Memory | None = None) -> None:
    """Ask three questions of a folder, as a process that has just begun does, or one that remembers."""
    events = measured(
        "read the events of the lake",
        lambda: read_lake_events(data, Mapping(), StepRules(), memory=memory),
    )
    measured(f"graph of {len(events):,} events", lambda: journey_graph(events))
    measured("step matrix", lambda: step_matrix(events))
    measured("funnel", lambda: funnel(events, FUNNEL))


def follow(data: Path, n_events: int) -> None:
    """Live on, a thousand events at a time, and let views follow."""
    store = SqliteStore(data)
    log = SqliteLog(data, floor=store.progress().clock)
    driver = Driver(log, store, Catalogue(journeys={}))
    random = np.random.default_rng(log.end())
    with open_live(data, VIEWS, MAPPING, StepRules()) as live:
        spent = []
        for _ in range(N_BATCHES):
            events = arrivals(n_events, random, first=log.end())
            driver.take(log.append(events, now=events[-1].received_at).entries)
            wall, cpu = time.perf_counter(), time.process_time()
            live.refresh()
            spent.append((time.process_time() - cpu, time.perf_counter() - wall))
        cpu, wall = (sorted(each)[N_BATCHES // 2] * 1_000 for each in zip(*spent, strict=True))
        print(f"{BATCH:,} new events in all views, median {wall:25.0f} ms wall {cpu:6.0f} ms CPU")
    log.close()
    store.close()


def main() -> None:
    """Measure."""
    data, n_events = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else N_EVENTS
    if not data.exists():
        command = [sys.executable, "-m", "bench.lakes", str(data), str(n_events)]
        subprocess.run(command, check=True)
    measured("keep the lake's events as numbers", lambda: keep(data))
    ask(data)
    measured("live views: opened and followed", lambda: follow(data, n_events))
    memory = Memory()
    for _ in range(2):
        ask(data, memory)


if __name__ == "__main__":
    main()
