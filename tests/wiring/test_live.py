"""Live: at any moment the views are what counting all events anew gives, beside a server or without one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from demo.program import Program
from sojourn.adapters.lake import ParquetLake
from sojourn.adapters.lake.encoded import known
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
from tests.soak import tries
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
EVERYTHING = StepRules()
RULES = read_steps("steps: { Seen: { pages: '/**' } }\nleft_out: ['$screen']", file="steps")


def recounted(data: Path, rules: StepRules = EVERYTHING) -> dict[str, Counts]:
    """Count all events of the lake, read anew: the oracle."""
    events = read_anew(data, in_lake(MAPPING), rules)
    asked = {name for view in VIEWS.values() for name in view.names()} - set(events.steps)
    events = replace(events, steps=[*events.steps, *sorted(asked)])
    return {name: view.count(events) for name, view in VIEWS.items()}


@pytest.mark.parametrize("seed", range(tries(4)))
def test_what_is_followed_is_what_counting_anew_gives(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Late events, merges, aliases and duplicates; the lake is written and merged, and memory given back."""
    monkeypatch.setattr(known, "SPARE_ROWS", 20)
    random, rules = Random(seed), Random(seed).choice((StepRules(), RULES))
    folder = Folder(tmp_path, rich_catalogue())
    lake = ParquetLake(folder.lake_path)
    waiting = rich_history(random, n_events=100)
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


def test_views_follow_a_running_server(program: Program) -> None:  # noqa: F811 - the fixture
    """Sent over HTTP, seen after a refresh, and the same once they are in files and after a restart."""
    data = program.setup.data
    send(program, "Checkout Started")
    with open_live(data, VIEWS, MAPPING, StepRules()) as live:
        until(lambda: refreshed(live, n_events=1))
        send(program, "Order Completed", "Order Completed")
        until(lambda: refreshed(live, n_events=3))
        assert live.counts["funnel"]["reached", "2"] == 1
        assert live.counts == recounted(data)

        assert program.stop() == 0  # all of it is in files now
        program.start()
        send(program, "Help Opened")
        until(lambda: refreshed(live, n_events=4))
        assert live.counts == recounted(data)
    with open_live(data, VIEWS, MAPPING, StepRules()) as again:
        assert again.counts == recounted(data)


def refreshed(live: LiveViews, *, n_events: int) -> bool:
    """Refresh; tell whether so many events are counted."""
    live.refresh()
    times = sum(count for key, count in live.counts["graph"].items() if key[0] == "times")
    return times == n_events


def test_nobody_did_anything_yet_is_a_beginning(tmp_path: Path) -> None:
    """A server that has just begun has a page, too."""
    folder = Folder(tmp_path, rich_catalogue())
    with open_live(tmp_path, VIEWS, MAPPING, StepRules()) as live:
        assert live.counts == {"graph": {}, "funnel": {}, "attribution": {}}
        folder.live([event(1, "Order Completed")], now=T0)
        assert live.lag == 1
        assert live.refresh() == Refreshed(n_entries=1, n_people=1)
        assert live.counts["graph"]["times", "Order Completed"] == 1
    folder.close()


def test_a_refresh_takes_in_that_only_time_has_passed(tmp_path: Path) -> None:
    """Timers make facts, and no entry is in the log."""
    folder = Folder(tmp_path, rich_catalogue())
    folder.live([entry.event for entry in rich_history(Random(3), n_events=30)], now=T0)
    with open_live(tmp_path, VIEWS, MAPPING, StepRules()) as live:
        before, group = live.counts, live.reach.group
        for hours in range(1, 9):
            folder.wait(T0 + hours * 60 * MINUTE)
        assert live.lag == 0
        assert live.refresh().n_entries == 0
        assert live.reach.group > group
        assert live.counts == before == recounted(tmp_path)
    folder.close()


def test_what_a_view_refuses_is_told_at_each_refresh(tmp_path: Path) -> None:
    """A conversion of a negative value makes no answer, and no older one is shown as if it were today's."""
    folder = Folder(tmp_path, rich_catalogue())
    folder.live([event(1, "Order Completed", properties={"revenue": 5})], now=T0)
    with open_live(tmp_path, VIEWS, MAPPING, StepRules()) as live:
        folder.live([event(2, "Order Completed", user_id="bob", properties={"revenue": -5})], now=T0 + 1)
        with pytest.raises(ConfigError, match="revenue"):
            live.refresh()
        with pytest.raises(ConfigError, match="revenue"):
            live.refresh()
    folder.close()


def test_a_mapping_that_says_otherwise_who_and_when_is_refused(tmp_path: Path) -> None:
    """What is followed is people, by what is known of them."""
    Folder(tmp_path, rich_catalogue()).close()
    with (
        pytest.raises(ConfigError, match="live-mapping"),
        open_live(tmp_path, VIEWS, Mapping(person=("user_id",)), StepRules()),
    ):
        pass
