"""`python -m bench.adaptive [--replicates N] [--write]`: adaptive splits beside a fixed one and a funnel."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from bench.figures import ROOT
from sojourn.analytics.simulator.adaptive import FLOOR, Compared, World, compare
from sojourn.analytics.simulator.adaptive_worlds import WORLDS

PAGE = ROOT / "docs" / "adaptive.md"
REPLICATES = 200

_HEAD = """\
# Adaptive splits, in the simulator

What does it earn to let weights follow what converts, and to do so in each live state by itself? This page is
written by `python -m bench.adaptive --write`. It is the result of a simulator, of invented people in invented
worlds, and nothing more: it says what rules do where this is so, and not what they would do for you. That
takes a hold-out.

{n_people:,} people enter a journey in {days} days and come to a decision in one of {n_states} states:
{states}.
They are offered one of {n_offers} things ({offers}), which stays theirs; of those
who do not convert, {back:.0%} come back once. Weights are the engine's own
([Thompson sampling](how-to/policies.md)), learnt once a day from rewards
within {within} days, with a floor of {floor:.0%}.
Who would convert under which offer is drawn before anybody decides, so all rules meet the same people:
{replicates} times, each time others (seeds from {seed} on).

- **Conversion** and **lift** are means over all times, with the 95 % interval of the mean.
- **In one run**: between what the lift over the static funnel lay 95 of 100 times; whoever does it once may
  see any of it.
- **Regret** is how many conversions of 1,000 people fail to happen that would have by the best offer in each
  state and at each time, known beforehand.
"""
_TAIL = """
## What not to conclude

- What is better here is better in worlds like these, and nobody knows beforehand in which one they are.
- Adaptive weights pay where offers differ and the difference lasts. Where nothing differs they cost nothing.
  Where the world changes they follow late: what was learnt is not forgotten.
- Branching on live state learns from fewer people in each state. Where one offer is best for everybody, it is
  slower than one split for all, and earns less.
- An adaptive split is a poor measurement: it stops drawing what seems worse. To know an effect, split evenly,
  or judge [by the logged probabilities](how-to/policies.md).
"""


def main() -> int:
    """Play every world, print the tables, and write the page where asked."""
    parser = argparse.ArgumentParser(prog="python -m bench.adaptive", description=__doc__)
    parser.add_argument(
        "--replicates", type=int, default=REPLICATES, help="how often, each time other people"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--write", action="store_true", help="write docs/adaptive.md")
    asked = parser.parse_args()
    parts = []
    for world in WORLDS:
        print(f"playing: {world.name} ...", file=sys.stderr, flush=True)
        parts.append(section(world, compare(world, replicates=asked.replicates, seed=asked.seed)))
        print(parts[-1], flush=True)
    if asked.write:
        PAGE.write_text(page(parts, replicates=asked.replicates, seed=asked.seed), encoding="utf-8")
    return 0


def page(sections: Sequence[str], *, replicates: int, seed: int) -> str:
    """Write the page around the sections of the worlds."""
    world = WORLDS[0]
    head = _HEAD.format(
        n_people=world.per_day * world.days,
        days=world.days,
        n_states=len(world.states),
        states="; ".join(world.states),
        n_offers=len(world.offers),
        offers=", ".join(world.offers),
        back=world.comes_back,
        within=world.within_days,
        floor=FLOOR,
        replicates=replicates,
        seed=seed,
    )
    return head + "".join("\n" + part for part in sections) + _TAIL


def section(world: World, rows: Sequence[Compared]) -> str:
    """Write one world's table."""
    lines = [
        f"## World: {world.name}",
        "",
        world.about,
        "",
        "| rule | conversion | lift over static funnel | in one run | lift over fixed split | regret |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        low, high = row.one_run
        lines.append(
            f"| {row.rule} | {_percent(row.conversion)} | {_percent(row.lift)} | "
            f"{low:+.1%} to {high:+.1%} | {_percent(row.over_split)} | {_plain(row.regret)} |"
        )
    return "\n".join(lines) + "\n"


def _percent(interval: tuple[float, float, float]) -> str:
    value, low, high = interval
    return f"{value:.2%} ({low:.2%} to {high:.2%})"


def _plain(interval: tuple[float, float, float]) -> str:
    value, low, high = interval
    return f"{value:.1f} ({low:.1f} to {high:.1f})"


if __name__ == "__main__":
    sys.exit(main())
