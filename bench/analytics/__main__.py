"""`python -m bench.analytics [PART ...] [--quick] [--no-peers]`: measure analytics, ours and the peers'.

Each is a process of its own over the same input. Prints tables, says whether the answers agree, and writes
bench/analytics-latest.json.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from bench import figures
from bench.analytics import asking, events, incremental, paths
from bench.analytics.look import Look, Part

PARTS: dict[str, Callable[[Look], Part]] = {
    "paths": paths.measure,
    "events": events.measure,
    "incremental": incremental.measure,
}
LATEST = figures.ROOT / "bench" / "analytics-latest.json"


def main() -> int:
    """Measure the parts asked for; fail where two that should agree do not."""
    parser = argparse.ArgumentParser(prog="python -m bench.analytics", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all by default")
    parser.add_argument(
        "--quick", action="store_true", help="a hundredth of the rows, once: to see that it works"
    )
    parser.add_argument(
        "--no-peers", action="store_true", help="ours and plain queries alone; installs nothing"
    )
    parser.add_argument("--to", type=Path, default=LATEST, metavar="FILE", help="where the figures are kept")
    said = parser.parse_args()
    unknown = set(said.parts) - set(PARTS)
    if unknown:
        parser.error(f"unknown part {sorted(unknown)[0]!r}; the parts are {', '.join(PARTS)}")
    look = Look(is_quick=said.quick, has_peers=not said.no_peers)
    n_different = 0
    for name, measure in PARTS.items():
        if said.parts and name not in said.parts:
            continue
        print(f"measuring {name} ...", file=sys.stderr, flush=True)
        n_different += _show(name, measure(look), said.to, is_quick=said.quick)
    print(f"\n{said.to.name}: commit {figures.commit()}, {figures.machine()['cpu']}")
    return 1 if n_different else 0


def _show(name: str, part: Part, place: Path, *, is_quick: bool) -> int:
    """Print and keep what a part found; return how many that should agree do not."""
    print(f"\n{name}\n{asking.table(part.rows)}\n{asking.about_disk(part.rows)}")
    print("\n".join(map(str, part.agreements)), flush=True)
    figures.keep(
        {
            "figures": {f"{name} / {row.name}": row.entry() for row in part.rows},
            "agreements": {
                f"{name} / {one.what}": {"verdict": one.verdict, "detail": one.detail}
                for one in part.agreements
            },
        },
        place,
        is_quick=is_quick,
    )
    return sum(one.verdict == "DIFFER" for one in part.agreements)


if __name__ == "__main__":
    sys.exit(main())
