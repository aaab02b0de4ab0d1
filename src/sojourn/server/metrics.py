"""Metrics: what an operator watches, in Prometheus' words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

# From a commit's own time (1 ms) past the promise (100 ms) to where something is wrong.
LATENCY_BUCKETS_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.2, 0.5, 1, 5)

# From a receiver next door to the longest an attempt may take (30 s).
ATTEMPT_BUCKETS_S = (0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

# From memory (0.1 ms) past the promise (5 ms) to an answer that waited for its person's own events (250 ms).
DECISION_BUCKETS_S = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1)

# From a small lake to the longest a question may take (120 s, unless it is set otherwise).
ANSWER_BUCKETS_S = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)


class Metrics:
    """All counters of one process; it is told, and asks nobody."""

    def __init__(self) -> None:
        """Start at zero."""
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
        self._begin_deliveries()
        self.decisions = self._histogram(
            "sojourn_decision_seconds",
            "How long an answer to an application took, from its request read to its bytes",
            DECISION_BUCKETS_S,
            ["kind"],
        )
        self.latency = self._histogram(
            "sojourn_event_to_action_seconds",
            "From the receipt of an event to the action it decided, durable in the outbox",
            LATENCY_BUCKETS_S,
        )
        self.questions = self._counter(
            "sojourn_analytics_questions",
            "Questions of analytics, by what became of them",
            ["question", "outcome"],
        )
        self.answers = self._histogram(
            "sojourn_analytics_seconds",
            "From a question of analytics to what became of it, with the time it waited",
            ANSWER_BUCKETS_S,
            ["question"],
        )

    def asked(self, question: str, became: str, seconds: float) -> None:
        """Something became of a question of analytics."""
        self.questions.labels(question, became).inc()
        self.answers.labels(question).observe(seconds)

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

    def watch(self, name: str, text: str, ask: Callable[[], float]) -> None:
        """Offer a value that is asked for at each look."""
        Gauge(name, text, registry=self.registry).set_function(ask)

    def watch_total(self, name: str, text: str, ask: Callable[[], float]) -> None:
        """Offer a count that somebody else keeps, asked for at each look."""
        self.registry.register(_Asked(lambda: CounterMetricFamily(name, text, value=ask())))

    def watch_family(self, name: str, text: str, label: str, ask: Callable[[], Mapping[str, float]]) -> None:
        """Offer a value per label, asked for at each look."""
        self.registry.register(_Asked(lambda: _family(name, text, label, ask())))

    def text(self) -> bytes:
        """Return everything as Prometheus reads it."""
        return generate_latest(self.registry)

    def _begin_deliveries(self) -> None:
        self.deliveries = self._counter("sojourn_deliveries", "What became of actions", ["sink", "outcome"])
        self.retries = self._counter(
            "sojourn_delivery_retries", "Deliveries put off to be tried again", ["sink"]
        )
        self.in_flight = self._gauge("sojourn_deliveries_in_flight", "Deliveries running now", ["sink"])
        self.paused = self._gauge(
            "sojourn_sink_paused", "1 while a sink is paused after many failures in a row", ["sink"]
        )
        self.throttled = self._counter(
            "sojourn_deliveries_throttled", "Deliveries that had to wait for their sink's rate", ["sink"]
        )
        self.attempts = self._histogram(
            "sojourn_delivery_seconds",
            "How long one attempt of a delivery took",
            ATTEMPT_BUCKETS_S,
            ["sink"],
        )

    def _counter(self, name: str, text: str, labels: Sequence[str] = ()) -> Counter:
        return Counter(name, text, labels, registry=self.registry)

    def _histogram(
        self, name: str, text: str, buckets: Sequence[float], labels: Sequence[str] = ()
    ) -> Histogram:
        return Histogram(name, text, labels, buckets=buckets, registry=self.registry)

    def _gauge(self, name: str, text: str, labels: Sequence[str]) -> Gauge:
        return Gauge(name, text, labels, registry=self.registry)


class _Asked(Collector):
    """A metric that is made when somebody looks."""

    def __init__(self, make: Callable[[], Metric]) -> None:
        self._make = make

    def collect(self) -> Iterator[Metric]:
        yield self._make()


def _family(name: str, text: str, label: str, values: Mapping[str, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, text, labels=[label])
    for value, number in values.items():
        family.add_metric([value], number)
    return family
