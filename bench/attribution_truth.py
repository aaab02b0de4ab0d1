"""`python -m bench.attribution_truth [--quick] [--to FILE]`: how far models are from the truth.

Every model is asked about simulated people whose truth is known, in every scenario, beside hold-outs of 10%.
Prints the tables and writes them into docs/attribution-and-truth.md: results of this simulator, nothing more.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from bench import figures
from sojourn.analytics.attribution import JourneyRules
from sojourn.analytics.causal.beside import MODELS
from sojourn.analytics.causal.reporting import Rules, report
from sojourn.analytics.causal.results import Report, Settings, UnitEffect
from sojourn.analytics.causal.shares import shares_of, total_variation
from sojourn.analytics.kinds import Kind
from sojourn.analytics.simulator.observing import Observed, observe
from sojourn.analytics.simulator.recording import ENGAGEMENT, ORDERED, events_of, trials_of
from sojourn.analytics.simulator.scenarios import SCENARIOS
from sojourn.analytics.simulator.truth import truth_of

Floats = NDArray[np.float64]
T = TypeVar("T")

PAGE = figures.ROOT / "docs" / "attribution-and-truth.md"
BEGIN, END = "<!-- figures: written by `python -m bench.attribution_truth` -->", "<!-- end of figures -->"

PEOPLE, SEEDS, HOLDOUT = 200_000, 20, 0.1
REPLICATES, REPLICATE_PEOPLE = 500, 30_000
SEEDED = ("C", "D")
"""Scenarios whose distance is told over many seeds."""
CAUSAL = "hold-out"


class Row(NamedTuple):
    """One model in one scenario; errors are of the channels nearest to the conversion. NaN: there is none."""

    scenario: str
    model: str
    m1: float
    """Share beside the true share, less 1."""
    m2: float
    """Credit beside what was brought about, less 1."""
    m3: float
    """The part of the credit that was not brought about."""
    distance: float
    """Total variation from the true shares of do(off)."""
    shapley_distance: float
    """The same from the Shapley values of what all bring about."""
    wrong_signs: int
    """Channels credited with a gain that take conversions away, or nothing."""


def main() -> int:
    """Measure, print, and write the page."""
    parser = argparse.ArgumentParser(prog="python -m bench.attribution_truth", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few people, few seeds: to see that it works")
    parser.add_argument("--to", type=Path, default=None, metavar="FILE", help="a page to write them into")
    said = parser.parse_args()
    people, seeds, replicates = (20_000, 2, 8) if said.quick else (PEOPLE, SEEDS, REPLICATES)
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        named = pool.map(partial(rows_of, people=people), SCENARIOS)
        rows = [row for found in _shown(named, "scenarios", len(SCENARIOS)) for row in found]
        jobs = [(name, seed) for name in SEEDED for seed in range(1, seeds + 1)]
        found = pool.map(partial(_distances, people=people), jobs)
        distances = list(_shown(found, "populations", len(jobs)))
        estimates = list(
            _shown(pool.map(replicate, range(replicates), chunksize=4), "replicates", replicates)
        )
    text = "\n\n".join(
        [
            _said(people, seeds, replicates),
            models_table(rows),
            seeds_table(jobs, distances),
            coverage_table(estimates),
        ]
    )
    print(text)
    place = said.to or (None if said.quick else PAGE)
    if place is not None:
        write(place, text)
    return 0


def _shown(results: Iterator[T], what: str, n: int) -> Iterator[T]:
    """Say on stderr how far it is."""
    for done, result in enumerate(results, start=1):
        print(f"\r{done:,} of {n:,} {what}", end="\n" if done == n else "", file=sys.stderr, flush=True)
        yield result


def write(page: Path, text: str) -> None:
    """Put the figures between the marks of a page."""
    before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}", encoding="utf-8")


# -- Every model in every scenario.


def rows_of(name: str, *, people: int, seed: int = 1, models: Sequence[str] = MODELS) -> list[Row]:
    """Ask models about one scenario."""
    observed = observe(SCENARIOS[name], people=people, seed=seed, holdout=HOLDOUT)
    truth = truth_of(observed.scenario, people=people, seed=seed)
    found = ask(observed, models=models)
    names = [unit.name for unit in found.units]
    true = np.array([truth.incremental()[each] for each in names])
    # In E nothing is brought about: rounding is no share.
    shapley = np.array([truth.shapley()[each] for each in names]) * true.any()
    # Of those who got it, as credit is: hold-outs kept some back.
    got = np.array([1 - unit.held / unit.people for unit in found.units])
    is_bottom = np.array([each in observed.scenario.bottom for each in names])
    truths = Truths(true * got, shapley, is_bottom)
    credit = {one.model: np.array([channel.credit for channel in one.channels]) for one in found.path_credit}
    credit[CAUSAL] = np.array([unit.incremental.estimate or 0.0 for unit in found.units])
    rows = [_row(name, model, given, truths) for model, given in credit.items()]
    # The hold-out says that a channel brings something only where its interval does.
    said = np.array([unit.verdict == "brings" for unit in found.units])
    return [*rows[:-1], rows[-1]._replace(wrong_signs=int((said & (true <= 0)).sum()))]


class Truths(NamedTuple):
    """What is true of each channel; shape (n_channels,)."""

    brought: Floats
    """Conversions, by do(off), of those who got it."""
    shapley: Floats
    is_bottom: NDArray[np.bool_]


def _row(name: str, model: str, given: Floats, truths: Truths) -> Row:
    bottom, true = truths.is_bottom, truths.brought
    credit, brought = given[bottom].sum(), true[bottom].sum()
    share, true_share = shares_of(given)[bottom].sum(), shares_of(true)[bottom].sum()
    return Row(
        scenario=name,
        model=model,
        m1=share / true_share - 1 if true_share > 0 else np.nan,
        m2=credit / brought - 1 if brought > 0 else np.nan,
        m3=1 - brought / credit if credit > 0 else np.nan,
        distance=total_variation(shares_of(given), shares_of(true)),
        shapley_distance=total_variation(shares_of(given), shares_of(truths.shapley)),
        wrong_signs=int(((given > 0) & (true <= 0)).sum()),
    )


def ask(observed: Observed, *, models: Sequence[str]) -> Report:
    """Ask as `sojourn causal` does, for one look."""
    rules = Rules(
        journeys=JourneyRules(conversion=Kind((ORDERED,))),
        settings=Settings(looks="once", covariates=(ENGAGEMENT,)),
        models=tuple(models),
    )
    return report(events_of(observed, is_lean=True), trials_of(observed), rules)


def models_table(rows: Iterable[Row]) -> str:
    """Write a table: scenarios by models."""
    lines = []
    for row in rows:
        about = SCENARIOS[row.scenario].about if row.model == MODELS[0] else ""
        name = f"{row.scenario}: {about}" if about else row.scenario
        errors = (_percent(each) for each in (row.m1, row.m2, row.m3))
        lines.append([name, row.model, *errors, _three(row.distance), str(row.wrong_signs)])
    heads = ["scenario", "model", "M1", "M2", "M3", "distance", "wrong signs"]
    return _table(heads, lines)


# -- The distance over many seeds.


def _distances(job: tuple[str, int], *, people: int) -> dict[str, float]:
    """Return Markov's and the hold-out's distance from the truth, and from the Shapley truth."""
    name, seed = job
    rows = rows_of(name, people=people, seed=seed, models=("markov",))
    found = {row.model: row.distance for row in rows}
    return {**found, "shapley truth": next(row.shapley_distance for row in rows if row.model == CAUSAL)}


def seeds_table(jobs: Sequence[tuple[str, int]], distances: Sequence[dict[str, float]]) -> str:
    """Write a table: how the distance varies from one population to the next."""
    lines = []
    for name in SEEDED:
        found = [one for (scenario, _), one in zip(jobs, distances, strict=True) if scenario == name]
        causal, markov = (np.array([one[model] for one in found]) for model in (CAUSAL, "markov"))
        other = np.array([one["shapley truth"] for one in found])
        lines.append(
            [
                name,
                f"{np.median(causal):.3f} (largest {causal.max():.3f})",
                f"{np.median(other):.3f} (largest {other.max():.3f})",
                f"{np.median(markov):.3f}",
                f"{np.median(markov / causal):.1f} (least {np.min(markov / causal):.1f})",
                f"{(causal <= 0.05).mean():.0%}",
            ]
        )
    heads = ["scenario", "hold-out: distance", "from the Shapley truth"]
    heads += ["Markov: distance", "times smaller", "at most 0.05"]
    return _table(heads, lines)


# -- Coverage.


class Estimate(NamedTuple):
    """One replicate of one channel, of all who had an opportunity."""

    channel: str
    true: float
    estimate: float
    error: float
    covers: bool
    wide: float
    """By everybody (intention to treat)."""
    wide_error: float
    wide_covers: bool


def replicate(number: int, *, scenario: str = "C", people: int = REPLICATE_PEOPLE) -> list[Estimate]:
    """Estimate among people of their own, and hold it against their truth."""
    world = SCENARIOS[scenario]
    first = (number + 1) * people * 10  # Other ids, so other hold-outs.
    observed = observe(world, people=people, seed=number + 1, holdout=HOLDOUT, first=first)
    truth = truth_of(world, people=people, seed=number + 1, only_off=True, first=first).incremental()
    found = ask(observed, models=())
    return [_estimate(unit, truth[unit.name]) for unit in found.units]


def _estimate(unit: UnitEffect, true: float) -> Estimate:
    assert unit.check is not None, "its people are known by their ids"
    check, effect, n_met = unit.check, unit.effect, unit.people - unit.held
    scale = unit.people / n_met
    wide = check.incremental
    reach = (wide.high - wide.low) / 2 * scale
    return Estimate(
        channel=unit.name,
        true=true,
        estimate=effect.estimate * unit.people,
        error=effect.standard_error * unit.people,
        covers=effect.low * unit.people <= true <= effect.high * unit.people,
        wide=wide.estimate * scale,
        wide_error=reach / 1.96,
        wide_covers=wide.low * scale <= true <= wide.high * scale,
    )


def coverage_table(replicates: Sequence[Sequence[Estimate]]) -> str:
    """Write a table: how often intervals hold the truth, and how many people opportunities spare."""
    lines = []
    for i, first in enumerate(replicates[0]):
        rows = [found[i] for found in replicates]
        true = np.array([row.true for row in rows])
        near, wide = np.array([row.estimate for row in rows]), np.array([row.wide for row in rows])
        lines.append(
            [
                first.channel,
                f"{true.mean():,.0f}",
                f"{(near - true).mean():+.0f} / {(wide - true).mean():+.0f}",
                f"{near.std():,.0f} / {wide.std():,.0f}",
                f"{np.mean([(row.wide_error / row.error) ** 2 for row in rows]):.1f}",
                " / ".join(
                    f"{np.mean(column):.1%}"
                    for column in ([row.covers for row in rows], [row.wide_covers for row in rows])
                ),
            ]
        )
    heads = ["channel", "true", "bias: first opportunity / everybody", "standard error"]
    heads += ["people saved", "coverage of 95%"]
    return _table(heads, lines)


def _said(people: int, seeds: int, replicates: int) -> str:
    return (
        f"{people:,} people of seed 1 in the first table, {seeds} seeds of as many in the second, "
        f"{replicates} replicates of {REPLICATE_PEOPLE:,} people of scenario C in the third; each channel "
        f"keeps {HOLDOUT:.0%} back. Commit {figures.commit()}."
    )


def _percent(number: float) -> str:
    return "" if np.isnan(number) else f"{number:+.0%}"


def _three(number: float) -> str:
    return "" if np.isnan(number) else f"{number:.3f}"


def _table(heads: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    return "\n".join(_lines(heads, lines))


def _lines(heads: Sequence[str], lines: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(heads)} |"
    yield f"| {' | '.join('---' for _ in heads)} |"
    yield from (f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    raise SystemExit(main())
