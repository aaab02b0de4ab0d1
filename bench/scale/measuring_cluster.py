"""What the model is fitted to, of a real Kafka and Flink: processor time, bytes of a checkpoint, a restart.

Processor time is what counts: it says the same on a busy machine, give or take what caches cost. One task;
what it takes is asked of the kernel, all threads, the JVM's own included.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import httpx

from bench import cluster
from bench.cluster import N_SHARDS, Run
from sojourn.engine.records import Sent, encode_events, entry_shard
from sojourn.model.turn import STAGES
from tests.cluster.machines import Flink, Kafka, Machine, require, until

Found = dict[str, float]

RATES = (0, 100, 400, 1_600)
"""Events a second that a task is given, one event to a record: what a call costs shows there."""
IN_RECORDS = (200, 20, 2)
"""Events to a record of a log that is drained."""
WARM_UP_EVENTS = 40_000
WARM_UP_S = 6.0


def measure(folder: Path, *, is_quick: bool) -> Found:
    """Measure one task of a cluster of its own.

    Raises pytest's Skipped where there is no Java, Kafka or Flink.
    """
    require()
    seconds = 8.0 if is_quick else 15.0
    n_events = 20_000 if is_quick else 40_000
    found: Found = {}
    with cluster.machines(folder, n_tasks=1) as (kafka, flink):
        for _ in range(2):  # Java compiles what it runs, for some 60,000 events.
            _drain(kafka, flink, folder, n_events=WARM_UP_EVENTS, in_record=200)
        for in_record in IN_RECORDS:
            n_drained = n_events if in_record > 2 else n_events // 3
            told = _drain(kafka, flink, folder, n_events=n_drained, in_record=in_record)
            found |= {f"drain_{in_record}_{name}": value for name, value in told.items()}
        for rate in RATES:
            told = _paced(kafka, flink, folder, rate=rate, seconds=seconds)
            found |= {f"rate_{rate}_{name}": value for name, value in told.items()}
        found |= _restart(kafka, flink, folder)
        found["checkpoint_every_ms"] = flink.checkpoint_every_ms
    return found


def _drain(kafka: Kafka, flink: Flink, folder: Path, *, n_events: int, in_record: int) -> Found:
    """Drain a log that lies there; return what an event of it costs after the first tenth."""
    run = Run(kafka, flink, folder)
    run.fill(n_events, in_record=in_record)
    job = flink.run(run.settings, parallelism=1)
    before: _Taken | None = None
    n_done = 0
    for content in run.read(run.topics.facts):
        n_done += content.count(b'"type":"step"')
        if before is None and n_done >= n_events / 10:
            before, n_before = _Taken.by(kafka, flink), n_done
        if n_done >= n_events:
            break
    assert before is not None
    took = _Taken.by(kafka, flink) - before
    n = n_done - n_before
    told = {f"{name}_us": seconds / n * 1e6 for name, seconds in took._asdict().items()}
    flink.checkpoint(job, "CONFIGURED")  # of all that was drained
    told |= {"n_events": n_events, **_checkpoint(flink, job)}
    flink.cancel(job)
    return told


def _paced(kafka: Kafka, flink: Flink, folder: Path, *, rate: int, seconds: float) -> Found:
    """Send so many events a second, each a record, and wait until they are done; return the cores.

    On a busy machine what is sent is done later: so work is counted until all of it is done, and time is what
    the events say, were they done as they come.
    """
    run = Run(kafka, flink, folder)
    job = flink.run(run.settings, parallelism=1)
    stream = cluster.events(int(rate * (seconds + WARM_UP_S)) + 1)
    began, n_sent, n_done = time.monotonic(), 0, 0
    warm: tuple[_Taken, int, int, float] | None = None
    ends = began + WARM_UP_S + seconds
    for content in run.read(run.topics.facts):
        now = time.monotonic()
        n_done += content.count(b'"type":"step"')
        while n_sent < (min(now, ends) - began) * rate:
            event = next(stream)
            run.put(entry_shard(event, N_SHARDS), encode_events([Sent(event)]))
            n_sent += 1
        if warm is None and now > began + WARM_UP_S:
            warm = _Taken.by(kafka, flink), n_done, run.n_rounds, now
        if now > ends and n_done >= n_sent:
            break
    assert warm is not None
    took = _Taken.by(kafka, flink) - warm[0]
    lasted = time.monotonic() - warm[3]
    told = {
        **{f"{name}_cores": each / lasted for name, each in took._asdict().items()},
        "events_per_s": (n_done - warm[1]) / lasted,
        "rounds_per_s": (run.n_rounds - warm[2]) / lasted,
        **_checkpoint(flink, job),
    }
    flink.cancel(job)
    return told


class _Taken(NamedTuple):
    """Processor seconds."""

    task: float
    stages: float
    """Of the task's, those of the threads that the stages run in: they share Python's lock."""
    broker: float
    asking: float
    """This process's: it sends, ticks and reads."""

    @classmethod
    def by(cls, kafka: Kafka, flink: Flink) -> _Taken:
        (task,) = flink.taskmanagers
        return cls(task.cpu_s(), _stages_s(task), kafka.machine.cpu_s(), time.process_time())

    def __sub__(self, before: tuple[float, ...]) -> _Taken:  # type: ignore[override]
        return _Taken(*(after - each for after, each in zip(self, before, strict=True)))


def _restart(kafka: Kafka, flink: Flink, folder: Path) -> Found:
    """Kill the task's machine under a small state; return the wall seconds until the job runs again."""
    run = Run(kafka, flink, folder)
    run.fill(2_000, in_record=200)
    job = flink.run(run.settings, parallelism=1)
    until("a checkpoint", lambda: _checkpoint(flink, job))
    began = time.monotonic()
    flink.replace_taskmanagers()
    until("the restart", lambda: flink.restarts(job) > 0)
    flink.until_running(job)
    took = time.monotonic() - began
    flink.cancel(job)
    return {"restart_wall_s": took}


def _checkpoint(flink: Flink, job: str) -> Found:
    """Return bytes and times of the checkpoints there were, by the median; nothing where there was none."""
    told = httpx.get(f"http://127.0.0.1:{flink.port}/jobs/{job}/checkpoints", timeout=20).json()
    done: list[dict[str, Any]] = [one for one in told["history"] if one["status"] == "COMPLETED"]
    if not done:
        return {}

    def middle(name: str) -> float:
        return float(median(one[name] for one in done))

    return {
        "state_bytes": float(max(one["state_size"] for one in done)),
        "checkpointed_bytes": middle("checkpointed_size"),
        "checkpoint_wall_ms": middle("end_to_end_duration"),
    }


def _stages_s(machine: Machine) -> float:
    """Return the processor seconds of the threads that the stages run in: those share Python's lock."""
    total = 0
    for task in Path(f"/proc/{machine.pid}/task").iterdir():
        name, _, rest = (task / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")
        if name.partition("(")[2].startswith(STAGES):
            fields = rest.split()
            total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")
