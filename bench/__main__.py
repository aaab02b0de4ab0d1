"""`python -m bench [PART ...] [--quick]`: measure, print a table, write bench/latest.json."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from bench import (
    checking,
    cluster,
    cluster_lake,
    cluster_state,
    decisions,
    features,
    figures,
    guard,
    importing,
    limits,
    people,
    rehearsal,
    serving,
    streams,
    studio,
)
from bench.figures import Figures, NotMeasuredError
from bench.scale import report

PARTS = (
    "limits",
    "guard",
    "checking",
    "features",
    "http",
    "latency",
    "decisions",
    "streams",
    "studio",
    "import",
    "replay",
    "people",
    "cluster",
    "cluster-state",
    "cluster-lake",
    "scale",
)
LIMITED = {"http", "latency", "import", "people"}
"""Parts whose events a second are bounded by disk and decoder: those are measured with them."""


def main() -> int:
    """Measure the parts asked for, the cheap ones first."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all by default")
    parser.add_argument("--quick", action="store_true", help="a short look: figures vary more")
    asked = parser.parse_args()
    unknown = set(asked.parts) - set(PARTS)
    if unknown:
        parser.error(f"unknown part {sorted(unknown)[0]!r}; the parts are {', '.join(PARTS)}")
    asked_for = set(asked.parts) or set(PARTS)
    if asked_for & LIMITED:
        asked_for.add("limits")
    found: Figures = {}
    with tempfile.TemporaryDirectory(prefix="sojourn-bench-") as folder:
        for name in PARTS:
            if name == "scale" and name in asked_for:
                report.show()  # A model: nothing of it is measured, nor kept.
            elif name in asked_for:
                print(f"measuring {name} ...", file=sys.stderr, flush=True)
                try:
                    measured = _measure(name, Path(folder), found, is_quick=asked.quick)
                except NotMeasuredError as reason:
                    print(f"{name} is left out: {reason}", file=sys.stderr, flush=True)
                    continue
                if name in LIMITED:
                    measured = limits.beside(measured, found)
                print(figures.table(measured), flush=True)
                found |= measured
                figures.write(found, is_quick=asked.quick)
    print(
        f"\n{figures.LATEST.relative_to(figures.ROOT)}: commit {figures.commit()}, {figures.machine()['cpu']}"
    )
    return 0


def _measure(name: str, folder: Path, found: Figures, *, is_quick: bool) -> Figures:
    throughput = found.get("http_events_per_s")
    parts: dict[str, Callable[[], Figures]] = {
        "limits": lambda: limits.measure(folder, is_quick=is_quick),
        "guard": guard.measure,
        "checking": checking.measure,
        "features": lambda: features.measure(is_quick=is_quick),
        "http": lambda: serving.measure_throughput(folder, is_quick=is_quick),
        "latency": lambda: serving.measure_latency(
            folder, events_per_s=throughput.value if throughput else None, is_quick=is_quick
        ),
        "decisions": lambda: decisions.measure(folder, is_quick=is_quick),
        "streams": lambda: streams.measure(folder, is_quick=is_quick),
        "studio": lambda: studio.measure(folder, is_quick=is_quick),
        "cluster": lambda: cluster.measure(folder, is_quick=is_quick),
        "cluster-state": lambda: cluster_state.measure(folder / "state", is_quick=is_quick),
        "cluster-lake": lambda: cluster_lake.measure(folder / "lake", is_quick=is_quick),
        "import": lambda: importing.measure(folder, is_quick=is_quick),
        "replay": lambda: rehearsal.measure(folder, is_quick=is_quick),
        "people": lambda: people.measure(folder, is_quick=is_quick),
    }
    return parts[name]()


if __name__ == "__main__":
    sys.exit(main())
