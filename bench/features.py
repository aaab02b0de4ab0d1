"""Features: what each of them costs an event, beside an engine without it, in one run.

The engine alone, over memory: no network, no disk. Rounds of all catalogues alternate, so that a busy
neighbour slows all alike; the least of each counts.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from functools import partial
from itertools import islice
from random import Random

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from bench import journeys, traffic
from bench.feature_texts import FEATURES, Added, files
from bench.figures import Figure, Figures
from sojourn.adapters.memory import MemoryLog, MemoryStore
from sojourn.definitions.catalogue import build_catalogue, load_definitions
from sojourn.definitions.forecasts import OTHER
from sojourn.definitions.journey import Catalogue
from sojourn.model.event import Entry, Event
from sojourn.runtime.driver import Driver

N_EVENTS = 40_000
BATCH = 1_000  # entries a commit, as where the door is busy.
ROUNDS = 3
T0 = 1_800_000_000_000
STEP_MS = 50  # between events: 20 a second.


def measure(*, is_quick: bool) -> Figures:
    """Time the engine with each catalogue over the same events."""
    entries = _entries(N_EVENTS // (4 if is_quick else 1))
    catalogues = {name: make() for name, make in CATALOGUES.items()}
    least: dict[str, float] = {}
    for _ in range(1 if is_quick else ROUNDS):
        for name, catalogue in catalogues.items():
            took = _run(entries, catalogue) / len(entries) * 1e6
            least[name] = min(took, least.get(name, took))
    base = least["20_journeys"]
    return {
        f"engine_us_{name}": Figure(round(us, 2), "us an event", f"{us - base:+.2f} us beside 20 journeys")
        for name, us in least.items()
    }


def _twenty() -> Iterable[tuple[str, str]]:
    return ((f"{name}.yaml", text) for name, text in journeys.texts("console").items())


def _with(*added: Added) -> Catalogue:
    """Put the 20 journeys in force, and what some features add; what is forecast is as good as any."""
    found = load_definitions([*_twenty(), *files(*added)])
    built = build_catalogue(found.journeys, segments=found.segments, policy=found.policy)
    forecast = dict.fromkeys((OTHER, *traffic.MIX), 0.1)
    return replace(built, forecasts=dict.fromkeys(built.needs.propensities, forecast))


CATALOGUES: dict[str, Callable[[], Catalogue]] = {
    "no_journeys": lambda: Catalogue(journeys={}),
    "20_journeys": _with,
    **{f"{name}_too": partial(_with, added) for name, added in FEATURES.items()},
    "everything": lambda: _with(*FEATURES.values()),
}
"""Name -> the definitions in force."""


def _run(entries: list[Entry], catalogue: Catalogue) -> float:
    """Return the seconds the engine takes; what the store does meanwhile is not counted."""
    store = MemoryStore()
    driver = Driver(MemoryLog(floor=T0), store, catalogue)
    took = 0.0
    for start in range(0, len(entries), BATCH):
        batch = entries[start : start + BATCH]
        began = time.perf_counter()
        commit = driver.process(batch, until=batch[-1].at)
        took += time.perf_counter() - began
        assert commit is not None
        store.commit(commit)
    return took


def _entries(n_events: int) -> list[Entry]:
    stream = traffic.visits(Random(1), str, _event)
    return [
        Entry(position=n, at=event.received_at, event=event)
        for n, event in enumerate(islice(stream, n_events), start=1)
    ]


def _event(random: Random, person: str, n: int) -> Event:
    """Write one event as the door hands it on."""
    name = random.choices(list(traffic.MIX), list(traffic.MIX.values()))[0]
    at = T0 + n * STEP_MS
    context = {"timezone": "Europe/Berlin", "page": {"path": "/tea", "url": "https://shop.example/tea"}}
    return Event(
        source="web",
        message_id=f"m{n}",
        kind="page" if name == "$page" else "track",
        name=name,
        occurred_at=at,
        received_at=at,
        anonymous_id=f"d-{person}",
        user_id=f"u-{person}",
        properties=_raw(traffic.properties(random, name, person)),
        context=_raw(context),
    )


def _raw(value: object) -> Raw:
    return Raw(msgspec.json.encode(value))
