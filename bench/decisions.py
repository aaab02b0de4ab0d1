"""Decisions: how soon an application is answered, alone and beside ingestion, and how soon a page hears."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from pathlib import Path
from random import Random
from statistics import quantiles
from typing import Any

from msgspec import Raw

from bench import decision_load, load
from bench.figures import Figure, Figures
from bench.journeys import write_journeys
from bench.traffic import known
from demo.program import Program, Setup, write_config
from sojourn.adapters.memory import MemoryLog, MemoryStore
from sojourn.definitions.catalogue import build_catalogue, load_definitions
from sojourn.engine.decisions import Asking, decide, flag_keys
from sojourn.model.event import Event
from sojourn.runtime.driver import Driver

KEY = "a-key-of-the-bench-and-nobody-else"
RATE = 1_000.0  # questions a second, as the goal says.
N_PEOPLE = 2_000  # known ones, who do things and are asked about.
N_ROUNDS = 500  # over all flags, in process.
BESIDE = (0.0, 2_000.0, 5_000.0)  # events a second while questions are asked.
T0 = 1_700_000_000_000
ROOT = Path(__file__).parents[1]
WEB = ROOT / "tests" / "clients" / "openfeature"


def measure(folder: Path, *, is_quick: bool) -> Figures:
    """Measure in process, then over HTTP, then from an event to a page."""
    return {**_in_process(folder / "inside"), **_over_http(folder / "decisions", is_quick=is_quick)}


def _in_process(folder: Path) -> Figures:
    """Ask for every flag of a person who is inside two journeys."""
    driver, life = somebody(folder)
    asking = Asking(catalogue=driver.catalogue, at=T0 + 1_000, unit="ann")
    keys = flag_keys(driver.catalogue)
    took: list[float] = []
    for _ in range(N_ROUNDS):
        for key in keys:
            began = time.perf_counter_ns()
            decide(life, key, asking)
            took.append((time.perf_counter_ns() - began) / 1_000)
    return {
        f"decide_us_p{percent}": Figure(
            round(_percentile(took, percent), 1),
            "us",
            f"{len(keys)} flags of 20 journeys; goal: p99 below 50",
        )
        for percent in (50, 99)
    }


def somebody(folder: Path) -> tuple[Driver, Any]:
    """Return a driver with the bench's journeys, and the life of somebody who is inside two of them."""
    write_journeys(folder, "out")
    definitions = load_definitions([(str(file), file.read_text()) for file in sorted(folder.glob("*.yaml"))])
    catalogue = build_catalogue(
        definitions.journeys, segments=definitions.segments, policy=definitions.policy
    )
    log = MemoryLog(floor=T0)
    driver = Driver(log, MemoryStore(), catalogue)
    said = {"cart_id": "c1", "value": 150}
    event = Event(
        source="web",
        message_id="m1",
        kind="track",
        name="Checkout Started",
        occurred_at=T0,
        received_at=T0,
        user_id="ann",
        properties=Raw(json.dumps(said).encode()),
    )
    driver.take(log.append([event], now=T0).entries)
    return driver, driver.hot.peek("profile", "ann")


def _over_http(folder: Path, *, is_quick: bool) -> Figures:
    seconds = 5.0 if is_quick else 20.0
    found: Figures = {}
    with Program(_world(folder)) as program:
        _beside(program, events_per_s=2_000.0, seconds=5.0, name="warm")
        for events_per_s in BESIDE:
            cpu_s = program.cpu_s()
            told, n_events = _beside(
                program, events_per_s=events_per_s, seconds=seconds, name=f"at{events_per_s:.0f}-"
            )
            assert told["n_refused"] == 0, f"the server refused questions: {told}"
            if not events_per_s:
                cpu_us = (program.cpu_s() - cpu_s) / told["n"] * 1e6
                found["decision_cpu_us"] = Figure(
                    round(cpu_us), "us CPU/decision", "server, all threads, alone"
                )
            for percent in ("p50", "p99"):
                found[f"decision_ms_{percent}_at_{events_per_s:.0f}"] = Figure(
                    round(told["took_ms"][percent], 2),
                    "ms",
                    f"single, {told['n'] / seconds:,.0f} a second beside {n_events / seconds:,.0f} events/s"
                    + ("; goal: p99 at most 5" if percent == "p99" else ""),
                )
        found |= _pushed(program, is_quick=is_quick)
        program.stop()
    return found


def _beside(
    program: Program, *, events_per_s: float, seconds: float, name: str
) -> tuple[dict[str, Any], int]:
    """Ask at the goal's rate while events come in; return what came of both."""
    setup = program.setup
    people = [f"user-{one}" for one in {known(Random(n), N_PEOPLE)(0) for n in range(N_PEOPLE)}]
    asking = decision_load.Orders(
        port=setup.port, key=KEY, flags=_flags(program), people=people, seconds=seconds, rate=RATE
    )
    sending = load.Orders(
        port=setup.port,
        write_key=setup.write_key,
        seconds=seconds,
        rate=events_per_s,
        round_prefix=name,
        n_known=N_PEOPLE,
        n_templates=100,
    )
    sent = load.start(sending) if events_per_s else None
    asked = decision_load.start(asking)
    told = load.finish(asked)
    return told, load.finish(sent)["n_events"] if sent else 0


def _flags(program: Program) -> list[str]:
    names = [journey["name"] for journey in program.journeys()]
    return [
        f"journey.{name}.{each}"
        for name in names
        for each in ("state", "next_action", "variant", "propensity")
    ]


def _pushed(program: Program, *, is_quick: bool) -> Figures:
    """Send events and wait for the web SDK to say that its decisions changed; nothing without node."""
    if shutil.which("node") is None:
        return {}
    from tests.clients.installing import node_modules

    modules = node_modules(WEB)
    orders = {
        "url": program.address,
        "key": KEY,
        "writeKey": program.setup.write_key,
        "flag": "journey.checkout-rescue.state",
        "events": ["Checkout Started", "Shipping Viewed"],
        "people": 10 if is_quick else 50,
    }
    told = subprocess.run(
        ["node", str(WEB / "push.cjs"), json.dumps(orders)],
        env={**os.environ, "NODE_PATH": str(modules)},
        capture_output=True,
        text=True,
        check=True,
    )
    took: list[float] = json.loads(told.stdout)
    about = "event posted to ConfigurationChanged of the web SDK, whose own wait is 50"
    return {
        f"push_ms_p{percent}": Figure(
            round(_percentile(took, percent), 1),
            "ms",
            about + ("; goal: p95 at most 100" if percent == 95 else ""),
        )
        for percent in (50, 95)
    }


def _world(folder: Path) -> Setup:
    journeys = folder / "journeys"
    write_journeys(journeys, "out")
    sinks = {"out": {"type": "file", "path": str(folder / "out.jsonl")}}
    return write_config(folder, journeys=journeys, sinks=sinks, decisions={"keys": {"bench": {"key": KEY}}})


def _percentile(values: list[float], percent: int) -> float:
    return quantiles(values, n=100)[percent - 1]
