"""Streams: how soon an event that was acknowledged is seen by whoever looks, by the real server."""

from __future__ import annotations

import http.client
import json
import statistics
import time
from base64 import b64encode
from pathlib import Path
from threading import Thread
from typing import Any

from bench.figures import Figure, Figures
from bench.journeys import write_journeys
from demo.program import Program, Setup, write_config

SPARSE_S, DENSE_S = 0.4, 0.02
"""Between two events: one that is alone in its quarter of a second, and one of many."""
SETTLE_S = 1.0


def measure(folder: Path, *, is_quick: bool) -> Figures:
    """Send events one by one, and note when each stream told of it."""
    place = folder / "streams"
    write_journeys(place / "journeys", "out")
    sinks = {"out": {"type": "file", "path": str(place / "out.jsonl")}}
    n_sparse, n_dense = (20, 200) if is_quick else (150, 2_000)
    figures: Figures = {}
    with Program(write_config(place, journeys=place / "journeys", sinks=sinks)) as program:
        for name, pause_s, n_events in (("sparse", SPARSE_S, n_sparse), ("dense", DENSE_S, n_dense)):
            tail, progress = _look(program.setup, name, pause_s=pause_s, n_events=n_events)
            about = f"acknowledged to seen, an event each {pause_s * 1000:.0f} ms"
            figures |= {
                f"stream_tail_ms_p95_{name}": Figure(_late(tail), "ms", about),
                f"stream_progress_ms_p50_{name}": Figure(_middle(progress), "ms", about),
                f"stream_progress_ms_p95_{name}": Figure(
                    _late(progress), "ms", f"{about}; goal: 200, where one alone is told at once"
                ),
            }
        program.stop()
    return figures


class Listener:
    """Who listens to a stream, on a thread."""

    def __init__(self, setup: Setup, path: str) -> None:
        self.told: list[tuple[float, str, Any]] = []
        """When, the event's name, and what it says."""
        line = http.client.HTTPConnection("127.0.0.1", setup.port)
        line.request("GET", path, headers={"Authorization": f"Bearer {setup.admin_token}"})
        self._answer = line.getresponse()
        Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        name = ""
        while text := self._answer.readline():
            at, line = time.perf_counter(), text.decode().rstrip("\n")
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: "):
                self.told.append((at, name, json.loads(line.removeprefix("data: "))))
                name = ""


def _look(setup: Setup, name: str, *, pause_s: float, n_events: int) -> tuple[list[float], list[float]]:
    """Return how long after its acknowledgement each event was told by the tail, and by the progress, ms."""
    tail, progress = (Listener(setup, path) for path in ("/api/v1/events/stream", "/api/v1/stream"))
    time.sleep(SETTLE_S)
    acknowledged = _send(setup, name, pause_s=pause_s, n_events=n_events)
    time.sleep(SETTLE_S)
    seen = {row["message_id"]: (at, row) for at, kind, row in tail.told if kind == ""}
    in_tail: list[float] = []
    in_progress: list[float] = []
    for message_id, sent_at in acknowledged.items():
        at, row = seen[message_id]
        in_tail.append(max(0.0, at - sent_at) * 1000)
        reached = (
            when
            for when, kind, said in progress.told
            if kind == "progress" and said["position"] >= row["position"]
        )
        in_progress.append(max(0.0, next(reached) - sent_at) * 1000)
    return in_tail, in_progress


def _send(setup: Setup, name: str, *, pause_s: float, n_events: int) -> dict[str, float]:
    line = http.client.HTTPConnection("127.0.0.1", setup.port)
    key = b64encode(f"{setup.write_key}:".encode()).decode()
    acknowledged: dict[str, float] = {}
    for number in range(n_events):
        message_id = f"{name}-{number}"
        event = {"type": "track", "event": "Seen", "userId": f"u{number}", "messageId": message_id}
        line.request("POST", "/v1/batch", json.dumps({"batch": [event]}), {"Authorization": f"Basic {key}"})
        line.getresponse().read()
        acknowledged[message_id] = time.perf_counter()
        time.sleep(pause_s)
    return acknowledged


def _middle(times_ms: list[float]) -> float:
    return round(statistics.median(times_ms), 1)


def _late(times_ms: list[float]) -> float:
    return round(statistics.quantiles(times_ms, n=100)[94], 1)
