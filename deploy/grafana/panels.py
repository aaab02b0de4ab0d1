"""What dashboards are made of: panels, headings, and what several of them show."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

WIDTH, HEIGHT = 24, 8
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}


@dataclass(frozen=True)
class Panel:
    """One picture; each query is (PromQL, what its lines are called)."""

    title: str
    unit: str
    description: str
    queries: Sequence[tuple[str, str]]
    is_stat: bool = False

    def json(self, number: int, *, x: int, y: int, width: int) -> dict[str, Any]:
        """Return it as Grafana has it."""
        kind = "stat" if self.is_stat else "timeseries"
        targets = [
            {"datasource": DATASOURCE, "refId": chr(ord("A") + n), "expr": expr, "legendFormat": legend}
            for n, (expr, legend) in enumerate(self.queries)
        ]
        return {
            "id": number,
            "type": kind,
            "title": self.title,
            "description": self.description,
            "datasource": DATASOURCE,
            "gridPos": {"x": x, "y": y, "w": width, "h": HEIGHT},
            "fieldConfig": {"defaults": {"unit": self.unit, "min": 0}, "overrides": []},
            "targets": targets,
        }


Rows = Sequence[tuple[str, Sequence[Panel]]]


def quantiles(name: str, more: str = "") -> list[tuple[str, str]]:
    """Ask a histogram for its median, 95% and 99%."""
    by = f"le, {more}" if more else "le"
    called = f" {{{{{more}}}}}" if more else ""
    return [
        (f"histogram_quantile({q}, sum by ({by}) (rate({name}_bucket[$__rate_interval])))", f"{word}{called}")
        for q, word in ((0.5, "p50"), (0.95, "p95"), (0.99, "p99"))
    ]


def rate(name: str, by: str = "", where: str = "") -> tuple[str, str]:
    """Ask how much a counter grows a second."""
    asked = f"rate({name}{where}[$__rate_interval])"
    return (f"sum by ({by}) ({asked})", f"{{{{{by}}}}}") if by else (f"sum({asked})", "")


def named(query: tuple[str, str], name: str) -> tuple[str, str]:
    """Call a query's line something."""
    return query[0], name


REQUESTS = Panel(
    "Requests",
    "reqps",
    "HTTP requests by status. 503 says: come again; more than a few is trouble.",
    [rate("sojourn_http_requests_total", "status")],
)
ACCEPTED = Panel(
    "Events",
    "cps",
    "Taken into the log, and what could not be read. The latter are kept: `sojourn failed summary`.",
    [
        named(rate("sojourn_events_accepted_total"), "taken"),
        named(rate("sojourn_events_failed_total"), "cannot be read"),
    ],
)
DELIVERIES: Sequence[Panel] = (
    Panel(
        "What became of actions",
        "cps",
        "Delivered, failed for good, or expired before they went out.",
        [rate("sojourn_deliveries_total", "outcome")],
    ),
    Panel(
        "Tried again",
        "cps",
        "Deliveries put off, by sink: it answered with an error, or not at all.",
        [rate("sojourn_delivery_retries_total", "sink")],
    ),
    Panel(
        "An attempt takes",
        "s",
        "How long receivers take to answer.",
        quantiles("sojourn_delivery_seconds", "sink"),
    ),
    Panel(
        "Sinks paused",
        "short",
        "1 where a sink failed many times in a row and is asked now and then only.",
        [("max by (sink) (sojourn_sink_paused)", "{{sink}}")],
    ),
    Panel(
        "Held back by a rate",
        "cps",
        "Deliveries that had to wait because their sink has a `rate`.",
        [rate("sojourn_deliveries_throttled_total", "sink")],
    ),
    Panel(
        "In flight",
        "short",
        "Deliveries running now; at most `deliver.max_in_flight` a sink and process.",
        [("sum by (sink) (sojourn_deliveries_in_flight)", "{{sink}}")],
    ),
)


def laid(rows: Rows) -> Iterator[dict[str, Any]]:
    """Yield panels and headings, from top to bottom."""
    y, number = 0, 1
    for heading, panels in rows:
        place = {"x": 0, "y": y, "w": WIDTH, "h": 1}
        yield {
            "id": number,
            "type": "row",
            "title": heading,
            "gridPos": place,
            "collapsed": False,
            "panels": [],
        }
        y, number = y + 1, number + 1
        a_row = 4 if len(panels) % 4 == 0 or len(panels) == 1 else 3
        for n, panel in enumerate(panels):
            width = WIDTH // a_row
            yield panel.json(number, x=n % a_row * width, y=y + n // a_row * HEIGHT, width=width)
            number += 1
        y += -(-len(panels) // a_row) * HEIGHT


def dashboard(uid: str, title: str, description: str, rows: Rows) -> dict[str, Any]:
    """Return one as Grafana has it."""
    source = {
        "type": "datasource",
        "query": "prometheus",
        "name": "datasource",
        "label": "Prometheus",
        "hide": 0,
    }
    return {
        "uid": uid,
        "title": title,
        "description": description,
        "tags": ["sojourn"],
        "schemaVersion": 39,
        "editable": False,
        "graphTooltip": 1,
        "time": {"from": "now-6h", "to": "now"},
        "refresh": "30s",
        "templating": {"list": [source]},
        "panels": list(laid(rows)),
    }
