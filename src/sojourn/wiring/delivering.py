"""Delivering: how hard the outbox tries, and what of it is measured, wherever it runs."""

from __future__ import annotations

import structlog

from sojourn.config import Config
from sojourn.runtime.lane import Meter, Policy, Result
from sojourn.server.metrics import Metrics
from sojourn.wiring.sinks import rates_of

log = structlog.get_logger("sojourn")


class MetricsMeter(Meter):
    """Tells the outbox's doings to the metrics."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def attempted(self, sink: str, result: Result, took_ms: int) -> None:
        self._metrics.attempts.labels(sink).observe(took_ms / 1000)
        if result == "retried":
            self._metrics.retries.labels(sink).inc()

    def in_flight(self, sink: str, n_actions: int) -> None:
        self._metrics.in_flight.labels(sink).set(n_actions)

    def throttled(self, sink: str) -> None:
        self._metrics.throttled.labels(sink).inc()

    def paused(self, sink: str, *, is_paused: bool) -> None:
        self._metrics.paused.labels(sink).set(is_paused)
        if is_paused:
            log.warning("a sink is down", sink=sink, do="nothing: it is tried again by itself")
        else:
            log.info("a sink is back", sink=sink)


def policy_of(config: Config) -> Policy:
    """Return how hard the outbox tries."""
    deliver = config.deliver
    return Policy(
        max_in_flight=deliver.max_in_flight,
        max_attempts=deliver.max_attempts,
        delivery_timeout_ms=deliver.delivery_timeout_ms,
        backoff_base_ms=deliver.backoff_base_ms,
        backoff_cap_ms=deliver.backoff_cap_ms,
        retry_after_cap_ms=deliver.retry_after_cap_ms,
        rates=rates_of(config),
    )
