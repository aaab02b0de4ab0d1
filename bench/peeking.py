"""Peeking: how often tests that are looked at again and again find what is not there, and what is.

    python -m bench.peeking

Streams of people, each treated or not by a coin; each buys or does not. The bounds are the product's own.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from sojourn.analytics.proportions import wilson
from sojourn.analytics.statistics.distributions import normal_quantile
from sojourn.analytics.statistics.group_sequential import obrien_fleming
from sojourn.analytics.statistics.interval import Contrast
from sojourn.analytics.statistics.sequential import TUNING, sequential_interval

RULES = ("one look at the end", "p < 0.05 at any look", "always-valid", "5 planned looks")
ALPHA = 0.05
AT_ONCE = 100  # streams in memory.

Numbers = NDArray[np.float64]


class Setting(Struct, frozen=True, kw_only=True):
    """What is drawn, and how often one looks."""

    control: float
    """How likely somebody buys."""
    treated: float
    people: int
    every: int
    """A look each so many people."""
    streams: int
    seed: int = 0
    tuning: float = TUNING
    is_skewed: bool = False
    """Whether what they buy costs very different amounts (lognormal, sigma 1.5)."""


class Outcome(Struct, frozen=True, kw_only=True):
    """What one rule did."""

    rule: str
    found: float
    """The share of streams in which it called a difference clear."""
    low: float
    high: float
    mean_people: float
    """At which it stopped, the last person where it did not."""


def measure(setting: Setting) -> list[Outcome]:
    """Try every rule on the same streams."""
    at = np.concatenate([_first_clear(*chunk, setting) for chunk in _chunks(setting)], axis=1)
    outcomes = []
    for rule, stopped in zip(RULES, at, strict=True):
        found = int((stopped > 0).sum())
        low, high = wilson(found, setting.streams)
        people = np.where(stopped > 0, stopped, setting.people).mean()
        outcomes.append(
            Outcome(
                rule=rule,
                found=found / setting.streams,
                low=float(low),
                high=float(high),
                mean_people=float(people),
            )
        )
    return outcomes


def _chunks(setting: Setting) -> Iterator[tuple[Numbers, Numbers]]:
    """Yield (the difference, its variance) at each look, shape (streams, looks)."""
    random = np.random.default_rng(setting.seed)
    for start in range(0, setting.streams, AT_ONCE):
        shape = (min(AT_ONCE, setting.streams - start), setting.people)
        is_treated = random.random(shape) < 0.5
        y = (random.random(shape) < np.where(is_treated, setting.treated, setting.control)) * 1.0
        if setting.is_skewed:
            y *= random.lognormal(0.0, 1.5, shape)
        yield _differences(y, is_treated, setting.every)


def _differences(y: Numbers, is_treated: NDArray[np.bool_], every: int) -> tuple[Numbers, Numbers]:
    means, variances = [], []
    for chosen in (is_treated, ~is_treated):
        n = np.cumsum(chosen, axis=1)[:, every - 1 :: every].astype(np.float64)
        total = np.cumsum(y * chosen, axis=1)[:, every - 1 :: every]
        squares = np.cumsum(y * y * chosen, axis=1)[:, every - 1 :: every]
        with np.errstate(divide="ignore", invalid="ignore"):
            means.append(total / n)
            variances.append((squares - total**2 / n) / (n - 1) / n)
    return means[0] - means[1], variances[0] + variances[1]


def _first_clear(difference: Numbers, variance: Numbers, setting: Setting) -> NDArray[np.int64]:
    """Return at how many people each rule called each stream clear, 0 for never; shape (rules, streams)."""
    n = np.arange(1, difference.shape[1] + 1) * setting.every
    with np.errstate(divide="ignore", invalid="ignore"):
        # Where nobody varies nothing is known; rounding may make a little of it.
        z = np.where(variance > 1e-12, np.abs(difference) / np.sqrt(variance), 0.0)
    z = np.nan_to_num(z)
    reach = np.array([_reach(int(size), setting) for size in n])
    last = normal_quantile(1 - ALPHA / 2)
    planned = np.full(len(n), math.inf)
    for k, bound in enumerate(obrien_fleming(5, ALPHA), 1):
        planned[k * len(n) // 5 - 1] = bound
    only_last = np.full(len(n), math.inf)
    only_last[-1] = last
    bounds = (only_last, np.full(len(n), last), reach, planned)
    clear = [z > bound for bound in bounds]
    return np.stack([np.where(each.any(axis=1), n[each.argmax(axis=1)], 0) for each in clear])


def _reach(n: int, setting: Setting) -> float:
    """Return how many standard errors the product's always-valid interval reaches at n people."""
    return sequential_interval(Contrast(0.0, 1.0, n), ALPHA, setting.tuning).high


def _said(setting: Setting) -> str:
    lines = [
        f"{setting.control:.0%} beside {setting.treated:.0%}, {setting.people:,} people, a look every "
        f"{setting.every:,}, {setting.streams:,} streams",
        "",
        "| rule | called clear | people when it stopped |",
        "|---|---|---|",
    ]
    lines += [
        f"| {one.rule} | {one.found:.1%} ({one.low:.1%} to {one.high:.1%}) | {one.mean_people:,.0f} |"
        for one in measure(setting)
    ]
    return "\n".join(lines)


def main() -> None:
    """Print both tables: nothing there, and something."""
    same = Setting(control=0.05, treated=0.05, people=20_000, every=100, streams=5_000)
    more = Setting(control=0.05, treated=0.06, people=20_000, every=100, streams=5_000)
    sys.stdout.write(f"{_said(same)}\n\n{_said(more)}\n")


if __name__ == "__main__":
    main()
