"""Importing: what `sojourn import` takes from a file into a fresh folder."""

from __future__ import annotations

import csv
import json
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from bench.figures import Figure, Figures, middle
from bench.journeys import write_journeys
from bench.traffic import ACTIVE, MIX, visits
from demo.program import script, write_config

N_ROWS = 300_000
MAP = (
    "event=event,user_id=user_id,anonymous_id=device,timestamp=at,"
    "properties.cart_id=cart,properties.value=value,properties.price=price,context.page.path=path"
)
STEP = timedelta(milliseconds=200)  # between two rows: 300,000 rows are 17 hours


def measure(folder: Path, *, is_quick: bool) -> Figures:
    """Import a generated CSV into fresh folders, with the bench's journeys in force."""
    n_rows = N_ROWS // 10 if is_quick else N_ROWS
    file = folder / "events.csv"
    n_bytes = _write_rows(file, n_rows)
    speeds = [_import(folder / f"import-{n}", file, n_rows) for n in range(1 if is_quick else 3)]
    return {
        "import_events_per_s": Figure(
            round(middle(speeds)),
            "events/s",
            f"CSV, {n_bytes / n_rows:.0f} bytes a row, start of the command included",
        )
    }


def _import(place: Path, file: Path, n_rows: int) -> float:
    write_journeys(place / "journeys", "out")
    sinks = {"out": {"type": "file", "path": str(place / "out.jsonl")}}
    setup = write_config(place, journeys=place / "journeys", sinks=sinks)
    started = time.perf_counter()
    done = subprocess.run(
        [*script(), "import", str(file), "--map", MAP, "--json", "--config", str(setup.config)],
        stdout=subprocess.PIPE,
        check=True,
    )
    took_s = time.perf_counter() - started
    told = json.loads(done.stdout.splitlines()[-1])
    assert told == {"accepted": n_rows, "duplicate": 0, "failed": 0}, told
    return n_rows / took_s


def _write_rows(file: Path, n_rows: int) -> int:
    """Write rows as a warehouse exports them; return the file's size."""
    random = Random(1)
    names = random.choices(list(MIX), list(MIX.values()), k=n_rows)
    people = visits(random, lambda n: f"p{n % (20 * ACTIVE)}", lambda _, person, __: person)
    at = datetime(2026, 3, 1, tzinfo=UTC)
    with file.open("w", newline="", encoding="utf-8") as handle:
        rows = csv.writer(handle)
        rows.writerow(["event", "user_id", "device", "at", "cart", "value", "price", "path"])
        for n, (name, person) in enumerate(zip(names, people, strict=False)):
            price = round(random.uniform(3, 80), 2)
            moment = (at + n * STEP).isoformat(timespec="milliseconds")
            rows.writerow(
                [
                    name,
                    f"user-{person}",
                    f"8f3a1c52-{person}",
                    moment,
                    f"c-{person}",
                    price * 2,
                    price,
                    "/tea",
                ]
            )
    return file.stat().st_size
