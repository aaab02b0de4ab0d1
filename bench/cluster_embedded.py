"""Beside the cluster: the same events through one machine's engine, from its log into its state."""

from __future__ import annotations

import time
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

from bench.figures import Figure, Figures
from sojourn.adapters.sqlite.log import SqliteLog
from sojourn.adapters.sqlite.store import SqliteStore
from sojourn.definitions.publishing import InForce, catalogue_of
from sojourn.model.event import Event
from sojourn.runtime.driver import Driver

IN_BLOCK = 500  # events appended at once: what a busy door does.


def measure(folder: Path, events: Iterable[Event], in_force: InForce) -> Figures:
    """Drain a log that lies there, as the cluster does; all threads count, and nothing is served."""
    data = folder / "embedded"
    data.mkdir()
    log, store = SqliteLog(data), SqliteStore(data)
    waiting = iter(events)
    while block := list(islice(waiting, IN_BLOCK)):
        log.append(block, now=time.time_ns() // 1_000_000)
    driver = Driver(log, store, catalogue_of(in_force)[0], in_force=in_force)
    began, spent_s = time.monotonic(), time.process_time()
    n_events = driver.catch_up()
    wall_s, cpu_s = time.monotonic() - began, time.process_time() - spent_s
    store.close()
    log.close()
    return {
        "cluster_embedded_events_per_s": Figure(
            round(n_events / wall_s), "events/s", "the same events, one machine's engine"
        ),
        "cluster_embedded_cpu_us": Figure(round(cpu_s / n_events * 1e6, 1), "us CPU/event", ""),
    }
