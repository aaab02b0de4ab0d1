"""Events: ten million of them, from a cold Parquet file to journey graph, step matrix and funnel."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bench.analytics.agreeing import Agreement, explained, same_numbers, same_rows
from bench.analytics.asking import Asked, Goal, Row
from bench.analytics.children import ours
from bench.analytics.look import Look, Part, answer_of, of_peer, of_plain
from demo.program import script

N_EVENTS = 10_000_000
ALL_THREE = "graph, step matrix, funnel"
LIBRARY, SQL = "Sojourn, library", "DuckDB, plain SQL"
PEERS = ("polars", "retentioneering", "pm4py")
COLD = Goal(wall_s=6, cpu_s=10, peak_mb=1_100)
ENCODED = Goal(wall_s=1.5)

NOT_TRANSITIVE = (
    "it has no ordered funnel: who did b after a, and c after b, need not have done all three in a row"
)


def measure(look: Look) -> Part:
    """Ask everybody who is there."""
    file, folder = look.input("events", N_EVENTS), look.input("encoded", N_EVENTS)
    peers = [there for name in PEERS if (there := look.peer(name)) is not None]
    theirs = (of_peer(there, ALL_THREE, "journeys", file) for there in peers)
    rows = look.ask([*_ours(file, folder), *theirs])
    names = [SQL, "Sojourn, encoded folder", *(there.peer.name for there in peers)]
    agreements = [found for name in names for found in _with(rows, name)]
    return Part(list(rows.values()), agreements)


def _ours(file: Path, folder: Path) -> Iterator[Asked]:
    yield of_plain("reading the columns", "DuckDB alone", "reading", file, note="the raw limit beside")
    yield Asked(ALL_THREE, LIBRARY, ours("journeys", str(file)), file, COLD)
    yield Asked(ALL_THREE, "Sojourn, encoded folder", ours("encoded-journeys", str(folder)), folder, ENCODED)
    command = [*script(), "graph", "--events", str(file), "--json"]
    yield Asked("graph", "Sojourn, command", command, file)
    yield of_plain(ALL_THREE, SQL, "journeys", file)


def _with(rows: dict[str, Row], name: str) -> Iterator[Agreement]:
    here, there = (answer_of(rows, ALL_THREE, who) or {} for who in (LIBRARY, name))
    for what in ("graph", "matrix"):
        yield same_rows(f"{what}: {LIBRARY} and {name}", here.get(what), there.get(what))
    counts = [
        answer and {str(i): float(n) for i, n in enumerate(answer["funnel"], start=1)}
        for answer in (here, there)
    ]
    found = same_numbers(f"funnel: {LIBRARY} and {name}", counts[0] or None, counts[1] or None, bound=0)
    yield explained(found, NOT_TRANSITIVE) if name.startswith("pm4py") else found
