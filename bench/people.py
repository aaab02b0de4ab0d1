"""People: what an event costs, and what memory is held, when 10,000, 100,000 and a million are known.

Filled and measured through the engine and SQLite in a process of its own, without HTTP: what does not
depend on the number of people would only hide what does. Two kinds of traffic: in visits (a few thousand
people are active at a time, each does about eight things, then others), and, beside it, each event a
random person's, which no product has and no cache can help. The memory is that of the real server,
serving visits over HTTP on the filled folder.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any, Literal

import msgspec
from msgspec import Raw

from bench import load
from bench.figures import Figure, Figures, middle
from bench.journeys import texts, write_journeys
from bench.traffic import event, known, visits
from demo.program import Program, write_config
from sojourn.adapters.sqlite import SqliteLog, SqliteStore, lock_folder
from sojourn.definitions.catalogue import build_catalogue, load_journeys
from sojourn.definitions.policy import Policy
from sojourn.model.event import Event
from sojourn.runtime.driver import BATCH, Driver

SIZES = (10_000, 100_000, 1_000_000)
NAMES = {10_000: "10k", 100_000: "100k", 1_000_000: "1m"}
N_WARM_UP = 40_000  # events: more than a generation of states, so that caches and files are as they will be
N_MEASURED = 60_000  # events a time
N_TIMES = 3
EVENT_MS = 0.05  # the log's clock between two events: 20,000 events a second
N_SHAPES = 2_000  # bodies of events, reused under other names: encoding is not what is measured here

Shape = Literal["visits", "random"]


def measure(folder: Path, *, is_quick: bool) -> Figures:
    """Fill, then measure, one size after the other."""
    figures: Figures = {}
    sizes = SIZES[:2] if is_quick else SIZES
    costs: dict[int, float] = {}
    for n_people in sizes:
        name = NAMES[n_people]
        place = folder / f"people-{name}"
        filled = _child("fill", place, n_people)
        figures[f"fill_events_per_s_{name}"] = Figure(round(filled["events_per_s"]), "events/s", "no HTTP")
        for shape in ("visits", "random"):
            found = _child(shape, place, n_people)
            figures[f"cost_us_{shape}_{name}"] = Figure(
                round(found["cpu_us"], 2), "us CPU/event", f"no HTTP; {found['wall_us']:.1f} us wall"
            )
            if shape == "visits":
                costs[n_people] = found["cpu_us"]
        figures[f"rss_mb_{name}_profiles"] = _serve(place, n_people, is_quick=is_quick)
        shutil.rmtree(place)
    if not is_quick:
        ratio = costs[1_000_000] / costs[10_000]
        figures["cost_ratio_1m_to_10k"] = Figure(round(ratio, 3), "", "goal: below 1.2; visits, CPU time")
    return figures


def _child(task: str, place: Path, n_people: int) -> dict[str, Any]:
    """Do one task in a fresh process: memory and caches start empty."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.people", task, str(place), str(n_people)],
        stdout=subprocess.PIPE,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _serve(place: Path, n_people: int, *, is_quick: bool) -> Figure:
    """Serve visits of known people for a while; return the server's memory at its highest."""
    write_journeys(place / "journeys", "out")
    setup = write_config(
        place,
        journeys=place / "journeys",
        sinks={"out": {"type": "file", "path": str(place / "out.jsonl")}},
        dedup_window="30d",
    )
    with Program(setup) as program:
        orders = load.Orders(
            port=setup.port,
            write_key=setup.write_key,
            seconds=5 if is_quick else 20,
            rate=5_000,
            n_templates=1_000,
            n_known=n_people,
        )
        loading = load.start(orders)
        highest = 0.0
        while loading.poll() is None:
            highest = max(highest, program.rss_mb())
            time.sleep(0.1)
        load.finish(loading)
        program.stop()
    return Figure(round(highest), "MB", f"goal: below 1,000 at 1M; serving {orders.rate:,.0f} events/s")


class _Engine:
    """The engine on a data folder, in this process."""

    def __init__(self, place: Path, n_people: int) -> None:
        data = place / "data"
        self._lock = lock_folder(data)
        self._store = SqliteStore(data)
        progress = self._store.progress()
        self._log = SqliteLog(data, floor=progress.clock)
        catalogue = build_catalogue(
            load_journeys((f"{name}.yaml", text) for name, text in texts("out").items()), policy=Policy()
        )
        self._driver = Driver(self._log, self._store, catalogue)
        self._shapes = list(_shapes())
        self._random = Random(n_people + progress.position)
        self._position = progress.position
        self._started_at = progress.clock or int(time.time() * 1000) - 3_600_000
        self._n_people = n_people
        self._n_done = 0

    def run(self, people: Iterator[str], n_events: int) -> tuple[float, float]:
        """Take so many events through; return (CPU, wall) in microseconds an event."""
        cpu, wall = 0.0, 0.0
        for start in range(0, n_events, BATCH):
            now = self._started_at + int(self._n_done * EVENT_MS)
            events = [self._event(next(people), now) for _ in range(min(BATCH, n_events - start))]
            cpu -= time.process_time()
            wall -= time.perf_counter()
            appended = self._log.append(events, now=now)
            self._driver.settle(appended.entries, until=appended.entries[-1].at)
            cpu += time.process_time()
            wall += time.perf_counter()
            assert not appended.duplicates, "every message of the bench is new"
        return cpu / n_events * 1e6, wall / n_events * 1e6

    def people(self, shape: Shape) -> Iterator[str]:
        """Yield whose event is next."""
        if shape == "random":
            while True:
                yield f"p{self._random.randrange(self._n_people)}"
        else:
            yield from visits(self._random, known(self._random, self._n_people), lambda _, person, __: person)

    def close(self) -> None:
        """Close the folder in order."""
        self._log.close()
        self._store.close()
        self._lock.close()

    def _event(self, person: str, now: int) -> Event:
        self._n_done += 1
        shape = self._shapes[self._random.randrange(N_SHAPES)]
        return msgspec.structs.replace(
            shape,
            message_id=f"ajs-next-1795423271-{self._position + self._n_done:010d}-5f0c2b",
            occurred_at=now,
            received_at=now,
            anonymous_id=f"8f3a1c52-{person}",
            user_id=f"user-{person}",
        )


def _shapes() -> Iterator[Event]:
    random = Random(1)
    for n in range(N_SHAPES):
        written = event(random, "someone", n)
        yield Event(
            source="shop",
            message_id="",
            kind=written["type"],
            name=written.get("event", "$page"),
            occurred_at=0,
            received_at=0,
            properties=Raw(json.dumps(written["properties"]).encode()),
            context=Raw(json.dumps(written["context"]).encode()),
        )


def main() -> None:
    """Do one task on one folder, and print what it took as one line of JSON."""
    task, place, n_people = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    engine = _Engine(place, n_people)
    if task == "fill":
        _, wall_us = engine.run((f"p{n}" for n in range(n_people)), n_people)
        print(json.dumps({"events_per_s": 1e6 / wall_us}))
    else:
        people = engine.people("visits" if task == "visits" else "random")
        engine.run(people, N_WARM_UP)
        runs = [engine.run(people, N_MEASURED) for _ in range(N_TIMES)]
        cpu_us, wall_us = (middle([run[part] for run in runs]) for part in (0, 1))
        print(json.dumps({"cpu_us": cpu_us, "wall_us": wall_us}))
    engine.close()


if __name__ == "__main__":
    main()
