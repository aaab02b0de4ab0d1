"""Live: at any moment the views are what counting all events anew gives, beside a server or without one."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from demo.program import Program
from sojourn.adapters.lake import ParquetLake
from sojourn.analytics.attribution.journeys import JourneyRules
from sojourn.analytics.funnel import Funnel
from sojourn.analytics.incremental import Counts, FunnelView, GraphView, MarkovView, View
from sojourn.analytics.kinds import Kind, parse_kind
from sojourn.analytics.reading import Mapping, StepRules, read_steps
from sojourn.model.errors import ConfigError
from sojourn.model.event import Event
from sojourn.wiring.lake_events import in_lake, read_anew
from sojourn.wiring.live import LiveViews, Refreshed, open_live
from tests.adapters.lake.folders import T0, Folder, event
from tests.laws.catalogues import rich_catalogue, rich_history
from tests.wiring.test_lakeside import program, send, until  # noqa: F401 - a fixture

MINUTE = 60_000
MAPPING = Mapping(attributes={"channel": "channel"}, values={"revenue": "revenue"})
VIEWS: dict[str, View] = {
    "graph": GraphView(),
    "funnel": FunnelView(
        Funnel(steps=(parse_kind("Checkout Started"), parse_kind("Order Completed")), within_ms=90 * MINUTE)
    ),
    "attribution": MarkovView(
        JourneyRules(conversion=Kind(("Order Completed",)), value="revenue", repeats="session")
    ),
}
RULES = read_steps("steps: { Seen: { pages: '/**' } }\nleft_out: ['$screen']", file="steps")


def recounted(data: Path, rules: StepRules = StepRules()) -> dict[str, Counts]:
    """Count all events of the lake, read anew: the oracle."""
    from dataclasses import replace

    events = read_anew(data, in_lake(MAPPING), rules)
    asked = {name for view in VIEWS.values() for name in view.names()} - set(events.steps)
    events = replace(events, steps=[*events.steps, *sorted(asked)])
    return {name: view.count(events) for name, view in VIEWS.items()}


@pytest.mark.parametrize("seed", range(8))
def test_what_is_followed_is_what_counting_anew_gives(tmp_path: Path, seed: int) -> None:
    """Late events, merges, aliases and duplicates; the lake is written and merged meanwhile."""
    random, rules = Random(seed), Random(seed).choice((StepRules(), RULES))
    folder = Folder(tmp_path, rich_catalogue())
    lake = ParquetLake(folder.lake_path)
    waiting = rich_history(random, n_events=150)
    lived: list[Event] = []
    batch, waiting = waiting[:20], waiting[20:]
    folder.live([entry.event for entry in batch], now=batch[-1].at)
    folder.flush(lake, n_events=random.choice((5, 1_000)))
    with open_live(tmp_path, VIEWS, MAPPING, rules) as live:
        while waiting:
            n = random.randrange(1, 20)
            batch, waiting = waiting[:n], waiting[n:]
            again = random.sample(lived, min(len(lived), random.randrange(3)))  # duplicates: refused
            lived += [entry.event for entry in batch]
            folder.live([entry.event for entry in batch] + again, now=batch[-1].at)
            if random.random() < 0.4:
                folder.flush(lake, n_events=random.choice((1, 3, 10, 1_000)))
                lake.compact(is_final=True)
            if random.random() < 0.7:
                live.refresh()
                assert live.counts == recounted(tmp_path, rules)
        live.refresh()
        assert live.counts == recounted(tmp_path, rules)
        assert live.lag == 0
    lake.close()
    folder.close()
