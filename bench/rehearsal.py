"""Rehearsal: a million recorded events under a draft, beside what is published, as the command does it."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import msgspec
from msgspec import Raw

from bench.figures import Figure, Figures
from bench.journeys import texts, write_journeys
from bench.traffic import event, known, visits
from demo.program import script, write_config
from sojourn.adapters.sqlite import SqliteLog, SqliteLogReader, SqliteStore
from sojourn.model.event import Event

N_EVENTS = 1_000_000
N_PEOPLE = 50_000
BATCH = 5_000
STEP_MS = 200  # between two events: a million are 56 hours.
T0 = 1_760_000_000_000
DRAFT = "checkout-rescue"
GOAL_S = 120  # what the project promises for a million events on two cores.


def measure(folder: Path, *, is_quick: bool) -> Figures:
    """Replay a recorded log: one journey edited, then all twenty at once."""
    n_events = N_EVENTS // 10 if is_quick else N_EVENTS
    place = folder / "rehearsal"
    write_journeys(place / "journeys", "out")
    sinks = {"out": {"type": "file", "path": str(place / "out.jsonl")}}
    setup = write_config(place, journeys=place / "journeys", sinks=sinks)
    _record(setup.data, n_events)
    one, every = place / "one", place / "every"
    _write_drafts(one, {DRAFT})
    _write_drafts(every, {*texts("out")})
    decoding = n_events / _decode_all(setup.data, n_events)
    beside = f"goal: {N_EVENTS / GOAL_S:,.0f}; raw: decoding the log {decoding:,.0f} on one core"
    return {
        name: Figure(
            round(n_events / _replay(drafts, place, setup.config, n_events)), "events/s", f"{what}; {beside}"
        )
        for name, drafts, what in (
            ("replay_events_per_s", one, "one journey edited"),
            ("replay_all_events_per_s", every, "20 journeys edited"),
        )
    }


def _record(data: Path, n_events: int) -> None:
    """Fill a folder's log, as if a server had."""
    data.mkdir(parents=True, exist_ok=True)
    SqliteStore(data).close()
    log = SqliteLog(data)
    stream = _events()
    for start in range(0, n_events, BATCH):
        several = list(islice(stream, min(BATCH, n_events - start)))
        log.append(several, now=several[-1].occurred_at, play=True)
    log.close()


def _events() -> Iterator[Event]:
    """Yield events of people who come in visits, each with its own properties and context."""
    random = Random(1)
    encode = msgspec.json.Encoder().encode

    def write(random: Random, person: str, n: int) -> Event:
        told: dict[str, Any] = event(random, person, n)
        at = T0 + n * STEP_MS
        return Event(
            source="web",
            message_id=f"m-{n}",
            kind=told["type"],
            name=told.get("event", "$page"),
            occurred_at=at,
            received_at=at,
            anonymous_id=told["anonymousId"],
            user_id=told["userId"],
            properties=Raw(encode(told["properties"])),
            context=Raw(encode(told["context"])),
        )

    return visits(random, known(random, N_PEOPLE), write)


def _write_drafts(folder: Path, names: set[str]) -> None:
    folder.mkdir()
    for name in sorted(names):
        text = texts("out")[name].replace("30m", "20m").replace("1d", "2d")
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")


def _replay(drafts: Path, place: Path, config: Path, n_events: int) -> float:
    """Replay, start of the command included; return how many seconds it took."""
    started = time.perf_counter()
    done = subprocess.run(
        [*script(), "replay", str(drafts), "--against", str(place / "journeys"), "--json",
         "--config", str(config)],
        stdout=subprocess.PIPE,
        check=True,
    )  # fmt: skip
    took_s = time.perf_counter() - started
    report = json.loads(done.stdout.splitlines()[-1])
    assert report["events"] == n_events, report["events"]
    assert report["affected"] > 0
    assert report["broken"] == 0
    return took_s


def _decode_all(data: Path, n_events: int) -> float:
    """Read and decode the whole log, and do nothing with it; return how many seconds it took."""
    reader = SqliteLogReader(data)
    started = time.perf_counter()
    position = 0
    while entries := reader.read(position, BATCH):
        position = entries[-1].position
    took_s = time.perf_counter() - started
    reader.close()
    assert position == n_events
    return took_s
