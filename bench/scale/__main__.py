"""`python -m bench.scale [--prices MINE.json] [--measure [--quick]] [--write]`: the model's tables, anew.

`python -m bench scale` prints them, too. `--measure` measures first (Java, Kafka and Flink are wanted for it)
and fits; `--write` puts tables and pictures into docs/scale.md.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from bench.scale import costs, fitting, report
from bench.scale.money import Prices, read_prices


def main() -> int:
    """Measure if asked to, then print, and write if asked to."""
    parser = argparse.ArgumentParser(prog="python -m bench.scale", description=__doc__)
    parser.add_argument("--prices", type=Path, metavar="FILE", help="your prices, as JSON")
    parser.add_argument("--measure", action="store_true", help="measure and fit first: a quarter of an hour")
    parser.add_argument("--quick", action="store_true", help="measure for a short while")
    parser.add_argument("--write", action="store_true", help="write docs/scale.md and its pictures")
    asked = parser.parse_args()
    if asked.measure:
        _measure(is_quick=asked.quick)
    prices = read_prices(asked.prices) if asked.prices else Prices()
    found = report.simulated()
    sections = report.sections(prices) | report.simulated_sections(found)
    if asked.write:
        report.write(sections, report.pictures(found))
    print("\n\n".join(f"{name}\n\n{text}" for name, text in sections.items()))
    return 0


def _measure(*, is_quick: bool) -> None:
    from bench.scale import measuring, measuring_cluster

    engine = measuring.measure(is_quick=is_quick)
    with tempfile.TemporaryDirectory(prefix="sojourn-scale-") as folder:
        cluster = measuring_cluster.measure(Path(folder), is_quick=is_quick)
    told = {"engine": engine, "cluster": cluster, "quiet": fitting.quiet()}
    fitting.keep(told)
    costs.write(fitting.fit(told))
    costs.figures.cache_clear()


if __name__ == "__main__":
    raise SystemExit(main())
