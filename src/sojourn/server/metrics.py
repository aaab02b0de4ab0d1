"""Metrics: what an operator watches, in Prometheus' words."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

# From a commit's own time (1 ms) past the promise (100 ms) to where something is wrong.
LATENCY_BUCKETS_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.2, 0.5, 1, 5)


class Metrics:
    """All counters of one process; it is told, and asks nobody."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = self._counter("sojourn_http_requests", "Requests answered, by status", ["status"])
        self.events = self._counter("sojourn_events_accepted", "Events appended to the log")
        self.duplicates = self._counter(
            "sojourn_events_duplicate", "Events refused because they were there before"
        )
        self.failed = self._counter("sojourn_events_failed", "Events kept as failed")
        self.processed = self._counter(
            "sojourn_events_processed", "Events taken through the engine and committed"
        )
        self.commits = self._counter("sojourn_commits", "Commits of the engine")
        self.actions = self._counter("sojourn_actions_decided", "Actions put into the outbox")
        self.deliveries = self._counter("sojourn_deliveries", "What became of actions", ["sink", "outcome"])
        self.retries = self._counter(
            "sojourn_delivery_retries", "Deliveries put off to be tried again", ["sink"]
        )
        self.latency = Histogram(
            "sojourn_event_to_action_seconds",
            "From the receipt of an event to the action it decided, durable in the outbox",
            buckets=LATENCY_BUCKETS_S,
            registry=self.registry,
        )

    def appended(self, *, n_events: int, n_duplicates: int, n_failed: int) -> None:
        """One append is durable."""
        self.events.inc(n_events)
        self.duplicates.inc(n_duplicates)
        self.failed.inc(n_failed)

    def committed(self, *, n_entries: int, lag: int, latencies_ms: Sequence[int], n_actions: int) -> None:
        """One commit is durable."""
        del lag  # asked for when somebody looks
        self.commits.inc()
        self.processed.inc(n_entries)
        self.actions.inc(n_actions)
        for latency_ms in latencies_ms:
            self.latency.observe(latency_ms / 1000)

    def watch(self, gauges: dict[str, tuple[str, Callable[[], float]]]) -> None:
        """Offer values that are asked for at each look, by name: (help, question)."""
        for name, (text, ask) in gauges.items():
            Gauge(name, text, registry=self.registry).set_function(ask)

    def watch_family(self, name: str, text: str, label: str, ask: Callable[[], dict[str, float]]) -> None:
        """Offer a value per label, asked for at each look."""
        self.registry.register(_Family(name, text, label, ask))

    def text(self) -> bytes:
        """Return everything as Prometheus reads it."""
        return generate_latest(self.registry)

    def _counter(self, name: str, text: str, labels: Sequence[str] = ()) -> Counter:
        return Counter(name, text, labels, registry=self.registry)


class _Family(Collector):
    def __init__(self, name: str, text: str, label: str, ask: Callable[[], dict[str, float]]) -> None:
        self._name, self._text, self._label, self._ask = name, text, label, ask

    def collect(self) -> list[GaugeMetricFamily]:
        family = GaugeMetricFamily(self._name, self._text, labels=[self._label])
        for value, number in self._ask().items():
            family.add_metric([value], number)
        return [family]
