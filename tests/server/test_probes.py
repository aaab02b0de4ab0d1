"""Probes and metrics: what machines ask of a running server, and what they are told."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from sojourn.server.metrics import Metrics
from sojourn.server.probes import Probes
from tests.server.houses import House

OPERATE = Path(__file__).parents[2] / "docs/how-to/operate.md"


def samples(metrics: Metrics) -> dict[str, float]:
    """Read all metrics as Prometheus does: a sample's name and labels -> its value."""
    families = text_string_to_metric_families(metrics.text().decode())
    return {
        sample.name + "".join(f"{{{name}={value}}}" for name, value in sample.labels.items()): sample.value
        for family in families
        for sample in family.samples
    }


def test_ready_says_whether_events_are_taken() -> None:
    """A load balancer sends nothing to a house that is starting, stopping or full."""
    house = House()
    ready = house.ask("/ready", token=None)
    house.is_ready = False
    not_ready = house.ask("/ready", token=None)
    assert (ready.status_code, ready.json()) == (200, {"ready": True})
    assert (not_ready.status_code, not_ready.json()["ready"]) == (503, False)
    assert not_ready.headers["retry-after"] == "1"


def test_metrics_are_answered_as_prometheus_reads_them() -> None:
    """Its parser is strict, and is the oracle."""
    answer = House().ask("/metrics", token=None)
    names = {family.name for family in text_string_to_metric_families(answer.text)}
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert "sojourn_events_accepted" in names


@pytest.mark.parametrize("path", ["/ready", "/metrics"])
def test_probes_are_only_read(path: str) -> None:
    """And HEAD is a GET without a body."""
    house = House()
    wrong, head = house.ask(path, method="POST"), house.ask(path, method="HEAD")
    assert (wrong.status_code, "GET" in wrong.headers["allow"]) == (405, True)
    assert (head.status_code, head.content) == (200, b"")


def test_what_is_told_is_counted() -> None:
    """Each number where it belongs."""
    metrics = Metrics()
    metrics.appended(n_events=3, n_duplicates=2, n_failed=1)
    metrics.committed(n_entries=3, lag=0, latencies_ms=[4, 40], n_actions=2)
    found = samples(metrics)
    expected = {
        "sojourn_events_accepted_total": 3,
        "sojourn_events_duplicate_total": 2,
        "sojourn_events_failed_total": 1,
        "sojourn_events_processed_total": 3,
        "sojourn_actions_decided_total": 2,
        "sojourn_event_to_action_seconds_count": 2,
        "sojourn_event_to_action_seconds_bucket{le=0.005}": 1,
        "sojourn_event_to_action_seconds_bucket{le=0.05}": 2,
    }
    assert {name: found[name] for name in expected} == expected


def test_what_is_watched_is_asked_at_each_look() -> None:
    """A value that somebody else keeps is not copied at every change."""
    metrics, values = Metrics(), {"n": 1.0}
    metrics.watch("sojourn_lag_entries", "How far behind", lambda: values["n"])
    metrics.watch_total("sojourn_engine_failures", "How often it failed", lambda: values["n"])
    metrics.watch_family("sojourn_kept", "How much", "kind", lambda: values)
    values["n"] = 7.0
    found = samples(metrics)
    names = ("sojourn_lag_entries", "sojourn_engine_failures_total", "sojourn_kept{kind=n}")
    assert [found[name] for name in names] == [7.0, 7.0, 7.0]


def test_where_nothing_else_is_served_other_paths_are_not_found() -> None:
    """A worker has probes, and no door."""
    worker = Probes(Metrics(), is_ready=lambda: True)

    async def asked(path: str) -> list[MutableMapping[str, Any]]:
        sent: list[MutableMapping[str, Any]] = []

        async def send(message: MutableMapping[str, Any]) -> None:
            sent.append(message)

        async def receive() -> MutableMapping[str, Any]:
            raise AssertionError("a probe has no body")

        await worker({"type": "http", "method": "GET", "path": path}, receive, send)
        return sent

    ready, other = asyncio.run(asked("/ready")), asyncio.run(asked("/v1/batch"))
    assert (ready[0]["status"], ready[1]["body"]) == (200, b'{"ready":true}')
    assert (other[0]["status"], b"not-found" in other[1]["body"]) == (404, True)
