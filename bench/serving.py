"""Serving: what the real server takes over HTTP, durably and fully processed, and how soon it acts."""

from __future__ import annotations

import http.client
import json
import statistics
import time
from base64 import b64encode
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import Any

from bench import load
from bench.figures import Figure, Figures, middle
from bench.journeys import write_journeys
from demo.program import Metrics, Program, Setup, quantile, since, write_config
from demo.receiver import Receiver, Webhook, new_secret

LATENCY = "sojourn_event_to_action_seconds"
WARM_UP_S = 5.0
SETTLE_S = 120.0  # for the lag to come down after a load; longer is a failure
PROBE_EVERY_S = 0.1
DEFAULT_RATE = 10_000.0  # half the goal, where the throughput was not measured in this run

_PROBE = """journey: probe
entry: { on: Probe Sent, key: properties.n }
states:
  told:
    do: [ { webhook: probe, body: { n: "{{ entry.properties.n }}" } } ]
    after: { 1m: done }
"""


@dataclass(frozen=True)
class Load:
    """One load, from its first request until the last event was processed."""

    events_per_s: float
    cpu_us: float
    """The server's processor time, an event."""
    metrics_before: Metrics
    metrics_after: Metrics
    told: dict[str, Any]


def measure_throughput(folder: Path, *, is_quick: bool) -> Figures:
    """Load the server as fast as it answers, three times; the median counts."""
    seconds, n_times = (5.0, 1) if is_quick else (15.0, 3)
    with Program(_world(folder / "http")) as program:
        _run(program, seconds=WARM_UP_S, name="warm")
        loads = [_run(program, seconds=seconds, name=f"full{n}-") for n in range(n_times)]
        rss_mb = program.rss_mb()
        program.stop()
    decided = loads[-1].metrics_after.total("sojourn_actions_decided_total")
    accepted = loads[-1].metrics_after.total("sojourn_events_accepted_total")
    return {
        "http_events_per_s": Figure(
            round(middle([one.events_per_s for one in loads])), "events/s", "goal: 20,000; 20 journeys"
        ),
        "http_cpu_us": Figure(
            round(middle([one.cpu_us for one in loads]), 1), "us CPU/event", "server, all threads"
        ),
        "http_rss_mb": Figure(round(rss_mb), "MB", "after the load"),
        "http_actions_share": Figure(round(decided / accepted, 4), "", "actions an event"),
    }


def measure_latency(folder: Path, *, events_per_s: float | None, is_quick: bool) -> Figures:
    """Load the server with half of what it takes, and look at the histogram and at a receiver outside."""
    rate = (events_per_s or 2 * DEFAULT_RATE) / 2
    secret = new_secret()
    receiver = Receiver(secret)
    sink = {"type": "webhook", "url": receiver.url, "secret": secret}
    setup = _world(folder / "latency", probe=sink)
    probe = Probe(setup)
    receiver.on_action = probe.heard
    receiver.start()
    try:
        with Program(setup) as program:
            _run(program, seconds=WARM_UP_S, rate=rate, name="warm")
            probe.start()
            found = _run(program, seconds=5.0 if is_quick else 20.0, rate=rate, name="half")
            probe.stop()
            program.stop()
    finally:
        receiver.stop()
    buckets = since(found.metrics_after.buckets(LATENCY), found.metrics_before.buckets(LATENCY))
    figures = {}
    for percent in (50, 95, 99):
        value = quantile(buckets, percent / 100)
        assert value is not None, "no event decided an action"
        figures[f"latency_ms_p{percent}"] = Figure(
            round(value * 1000, 1),
            "ms",
            f"receipt to durable action, at {rate:,.0f} events/s; goal: p99 below 100",
        )
    for percent, cut in ((50, 49), (99, 98)):
        seen = statistics.quantiles(probe.took_ms, n=100)[cut]
        figures[f"latency_seen_ms_p{percent}"] = Figure(
            round(seen, 1), "ms", "sent by a client to webhook received, from outside"
        )
    return figures


def _world(folder: Path, *, probe: dict[str, Any] | None = None) -> Setup:
    journeys = folder / "journeys"
    write_journeys(journeys, "out")
    sinks: dict[str, Any] = {"out": {"type": "file", "path": str(folder / "out.jsonl")}}
    if probe is not None:
        (journeys / "probe.yaml").write_text(_PROBE, encoding="utf-8")
        sinks["probe"] = probe
    return write_config(folder, journeys=journeys, sinks=sinks)


def _run(program: Program, *, seconds: float, name: str, rate: float = 0.0) -> Load:
    orders = load.Orders(
        port=program.setup.port,
        write_key=program.setup.write_key,
        seconds=seconds,
        rate=rate,
        round_prefix=name,
    )
    before, cpu_s = program.metrics(), program.cpu_s()
    told = load.finish(load.start(orders))
    after, ended_at = _settled(program)
    assert told["n_other"] == 0, f"the server refused requests: {told}"
    return Load(
        events_per_s=told["n_events"] / (ended_at - told["started_at"]),
        cpu_us=(program.cpu_s() - cpu_s) / told["n_events"] * 1e6,
        metrics_before=before,
        metrics_after=after,
        told=told,
    )


def _settled(program: Program) -> tuple[Metrics, float]:
    """Wait until everything accepted is processed; return the metrics and when it was."""
    deadline = time.monotonic() + SETTLE_S
    while True:
        metrics, now = program.metrics(), time.time()
        accepted = metrics.total("sojourn_events_accepted_total")
        if metrics.total("sojourn_events_processed_total") >= accepted:
            return metrics, now
        assert time.monotonic() < deadline, "the server does not catch up"
        time.sleep(0.02)


@dataclass
class Probe:
    """One more client: it sends a single event now and then, and waits for what comes of it outside."""

    setup: Setup
    took_ms: list[float] = field(default_factory=list)
    _sent: dict[str, float] = field(default_factory=dict)
    _stopping: Event = field(default_factory=Event)
    _thread: Thread | None = None

    def start(self) -> None:
        """Begin to send."""
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Send no more; what is on its way arrives."""
        assert self._thread is not None, "start it first"
        self._stopping.set()
        self._thread.join()
        time.sleep(1)

    def heard(self, webhook: Webhook) -> None:
        """Take the time of what arrived."""
        self.took_ms.append((time.perf_counter() - self._sent[webhook.data["body"]["n"]]) * 1000)

    def _run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.setup.port)
        key = b64encode(f"{self.setup.write_key}:".encode()).decode()
        n = 0
        while not self._stopping.wait(PROBE_EVERY_S):
            n += 1
            event = {"type": "track", "event": "Probe Sent", "userId": "probe", "messageId": f"probe-{n}"}
            event["properties"] = {"n": f"n{n}"}
            self._sent[f"n{n}"] = time.perf_counter()
            connection.request(
                "POST", "/v1/batch", json.dumps({"batch": [event]}), {"Authorization": f"Basic {key}"}
            )
            connection.getresponse().read()
        connection.close()
