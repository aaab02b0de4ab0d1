"""The screen: one look at everything, drawn for a terminal or written as a line."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from demo.program import Metrics, quantile
from demo.receiver import Tally, Webhook

LATENCY = "sojourn_event_to_action_seconds"
COUNTS = ("entered", "goals", "exited", "actions", "withheld")
N_SHOWN = 6  # latest actions


@dataclass
class Look:
    """What is known at one instant."""

    elapsed_s: float
    metrics: Metrics
    journeys: list[dict[str, Any]]
    n_people: int
    n_lost: int
    """Requests that were not answered with 200."""
    events_per_s: float
    tally: Tally
    latest: list[Webhook] = field(default_factory=list)
    told: str = ""
    """What a page was told that asked what to show somebody."""

    def count(self, name: str) -> int:
        """Return one of the server's counters."""
        return round(self.metrics.total(name))

    def kept(self, kind: str) -> int:
        """Return how much the server keeps of a kind: `timers`, `outbox`, ..."""
        return round(self.metrics.total("sojourn_kept", kind=kind))

    def latency_ms(self, share: float) -> float | None:
        """Return the latency from an event's receipt to its durable action, below which a share lies."""
        found = quantile(self.metrics.buckets(LATENCY), share)
        return None if found is None else found * 1000

    @property
    def retries(self) -> int:
        """Deliveries put off to be tried again."""
        return self.count("sojourn_delivery_retries_total")

    @property
    def n_decided(self) -> int:
        """Actions put into the outbox."""
        return self.count("sojourn_actions_decided_total")

    @property
    def n_by_timers(self) -> int:
        """Actions that a timer decided: those of the histogram were decided by events."""
        return max(0, self.n_decided - round(self.metrics.total(LATENCY + "_count")))


def draw(look: Look, *, address: str, left: str) -> RenderableType:
    """Draw a look: what a low window cuts off at its foot is what matters least."""
    title = Text.assemble(("Sojourn", "bold"), f"  {address}   {look.elapsed_s:.0f} s   ", (left, "dim"))
    below = Table.grid(expand=True)
    below.add_column(ratio=2)
    below.add_column(ratio=3)
    below.add_row(_flow(look), _actions(look))
    return Group(title, _journeys(together(look.journeys)), _latest(look), below)


def line(look: Look) -> str:
    """Write a look as one line."""
    journeys = "  ".join(
        f"{journey['name']} {sum(journey['states'].values())} in, {journey['goals']} goals"
        for journey in together(look.journeys)
    )
    return (
        f"{look.elapsed_s:5.0f} s  {look.events_per_s:4.0f} events/s  {look.n_people} people  "
        f"{look.count('sojourn_events_duplicate_total')} duplicates refused  "
        f"{look.n_decided} actions, {look.tally.n_acted} delivered, "
        f"{look.retries} retries  "
        f"p99 {_ms(look.latency_ms(0.99))}  |  {journeys}"
    )


def together(journeys: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Count the versions of a journey as one: after a change is published, people are in two of them."""
    found: dict[str, dict[str, Any]] = {}
    for version in journeys:
        into = found.setdefault(version["name"], {"name": version["name"], "states": Counter()})
        into["states"].update(version["states"])
        for name in COUNTS:
            into[name] = into.get(name, 0) + version[name]
    return list(found.values())


def sentence(webhook: Webhook) -> str:
    """Say what an action does to a person."""
    data = webhook.data
    who = data.get("user_id") or data.get("anonymous_id") or data["profile_id"]
    moment = time.strftime("%H:%M:%S", time.localtime(webhook.received_at_s))
    return f'{moment}  {who}: "{data["body"].get("say", "")}"  ({data["journey"]}, {data["state"]})'


def told(any_id: str, decision: dict[str, Any]) -> str:
    """Say what a page was told that asked for somebody's next action in a journey."""
    value = decision["value"]
    says = [action["body"].get("say") for action in value.get("actions", ()) if action.get("body")]
    what = f'show "{says[0]}"' if says else value["kind"]
    return f"a page that asks for {any_id} is told: {what}"


def _flow(look: Look) -> Panel:
    grid = _grid()
    grid.add_row("events a second", f"{look.events_per_s:,.0f}")
    grid.add_row("events in the log", f"{look.count('sojourn_events_accepted_total'):,}")
    grid.add_row("duplicates refused", f"{look.count('sojourn_events_duplicate_total'):,}")
    grid.add_row("failed events", f"{look.count('sojourn_events_failed_total'):,}")
    grid.add_row("people seen", f"{look.n_people:,}")
    grid.add_row("timers running", f"{look.kept('timers'):,}")
    return Panel(grid, title="events", title_align="left")


def _actions(look: Look) -> Panel:
    grid = _grid()
    tally = look.tally
    latency = ", ".join(f"p{share:g} {_ms(look.latency_ms(share / 100))}" for share in (50, 95, 99))
    grid.add_row("decided", f"{look.n_decided:,} ({look.n_by_timers:,} by timers)")
    grid.add_row("delivered, once each", f"{tally.n_acted:,}")
    grid.add_row("answered 503 on purpose", f"{tally.n_unwell:,}, {look.retries:,} retries")
    grid.add_row("event to durable action", latency)
    grid.add_row("wrong signatures, doubled", f"{tally.n_forged}, {len(tally.doubled)}")
    return Panel(grid, title="actions", title_align="left")


def _journeys(journeys: list[dict[str, Any]]) -> Panel:
    grid = Table(box=None, expand=True, header_style="dim", padding=(0, 1))
    grid.add_column("journey", no_wrap=True)
    grid.add_column("who is where now", ratio=1)
    for name in ("entered", "goals", "left", "actions", "withheld"):
        grid.add_column(name, justify="right")
    for journey in journeys:
        states = "  ".join(f"{state} {n}" for state, n in journey["states"].items())
        counts = (str(journey[name]) for name in COUNTS)
        grid.add_row(journey["name"], states or "nobody", *counts)
    return Panel(grid, title="journeys", title_align="left")


def _latest(look: Look) -> Panel:
    shown = [sentence(webhook) for webhook in look.latest[-N_SHOWN:]]
    return Panel(
        "\n".join(shown) or "none yet",
        title="latest actions",
        title_align="left",
        subtitle=look.told or None,
        subtitle_align="left",
    )


def _grid() -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim")
    grid.add_column()
    return grid


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f} ms"
