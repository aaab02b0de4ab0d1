"""The difference of two selections: which transitions one has more of, and whether that is more than chance.

Compared is the share of cases in which a transition occurs. Cases of one person are alike, and one person may
be in both selections (two months, say): so the variance is that of people, by linearisation of the two ratios
(L. Kish, Survey Sampling, 1965), and p-values are corrected for the number of edges (Y. Benjamini and
Y. Hochberg, 1995).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sojourn.analytics.cases import Unit
from sojourn.analytics.events import Events
from sojourn.analytics.graph.sequences import sequences
from sojourn.analytics.proportions import LEVEL
from sojourn.analytics.statistics.multiplicity import benjamini_hochberg
from sojourn.analytics.tables import Table

MIN_PEOPLE = 10  # with a transition, in both selections together; fewer have no test.
MAX_Q = 0.05

Counts = NDArray[np.int64]
Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class _Side:
    """One selection: how many cases each person has, and how many with each edge."""

    n: Counts
    """Shape (n_people,): cases, of all people of both."""
    edge: Counts
    """Shape (n_pairs,): with `person`, distinct pairs; ascending by edge, then person."""
    person: Counts
    hits: Counts
    """Shape (n_pairs,): cases of the person with the edge."""
    n_silent: int
    """Cases without an event."""

    @property
    def n_cases(self) -> int:
        return int(self.n.sum())


def difference(
    one: Events,
    other: Events,
    *,
    unit: Unit = "person",
    collapse: bool = False,
    silent: tuple[Sequence[str], Sequence[str]] = ((), ()),
) -> Table:
    """Compare the edges of two selections, the clearest difference first.

    `silent` are people of each who have no event in it: each is a case without edges.

    Returns source, target, share_one, share_other, difference (one less other), low, high (of the
    difference), people, p, q, is_real.
    """
    steps = sorted({*one.steps, *other.steps})
    everybody = dict.fromkeys([*one.people, *other.people, *silent[0], *silent[1]])
    people = {name: i for i, name in enumerate(everybody)}
    a, b = (
        _silenced(_side(each, steps, people, unit=unit, collapse=collapse), [people[name] for name in quiet])
        for each, quiet in zip((one, other), silent, strict=True)
    )
    edges = np.union1d(a.edge, b.edge)
    share_a, share_b = (_by_edge(edges, side, side.hits) / max(1, side.n_cases) for side in (a, b))
    variance = _variance(edges, a, share_a) + _variance(edges, b, share_b)
    # Rounding may step below zero where nothing differs.
    error = np.sqrt(np.maximum(variance - 2 * _covariance(edges, a, b, share_a=share_a, share_b=share_b), 0))
    n_people = _people(edges, a, b)
    p = _p_values(share_a - share_b, error, n_people)
    q = benjamini_hochberg(p)
    reach = NormalDist().inv_cdf((1 + LEVEL) / 2) * error
    order = np.lexsort((edges, -np.abs(share_a - share_b), np.nan_to_num(p, nan=2.0)))
    columns: dict[str, Any] = {
        "source": [steps[code] for code in (edges[order] // len(steps)).tolist()],
        "target": [steps[code] for code in (edges[order] % len(steps)).tolist()],
        "share_one": share_a[order],
        "share_other": share_b[order],
        "difference": (share_a - share_b)[order],
        # The normal law knows no bounds, and a difference of shares has some.
        "low": np.maximum(share_a - share_b - reach, -1.0)[order],
        "high": np.minimum(share_a - share_b + reach, 1.0)[order],
        "people": n_people[order],
        "p": p[order],
        "q": q[order],
        "is_real": (q <= MAX_Q)[order],
    }
    return Table(columns, _definition(unit, a, b, len(edges)))


def _side(events: Events, steps: list[str], people: dict[str, int], *, unit: Unit, collapse: bool) -> _Side:
    lined_up = sequences(events, unit, collapse=collapse)
    place = {name: i for i, name in enumerate(steps)}
    number = np.array([place[name] for name in events.steps], dtype=np.int64)
    who = np.array([people[name] for name in events.people], dtype=np.int64)
    step, case = number[lined_up.step], lined_up.case().astype(np.int64)
    inside = np.flatnonzero(case[1:] == case[:-1])
    edge = step[inside] * len(steps) + step[inside + 1]
    n_edges = len(steps) ** 2
    taken = np.unique(case[inside] * n_edges + edge)  # a case has an edge once
    person = who[lined_up.person[taken // n_edges]]
    pairs, hits = np.unique((taken % n_edges) * len(people) + person, return_counts=True)
    n = np.bincount(who[lined_up.person], minlength=len(people))
    return _Side(n, pairs // len(people), pairs % len(people), hits, 0)


def _silenced(side: _Side, people: Sequence[int]) -> _Side:
    if not people:
        return side
    n = side.n.copy()
    n[np.array(people)] += 1
    return replace(side, n=n, n_silent=len(people))


def _by_edge(edges: Counts, side: _Side, values: NDArray[Any]) -> Numbers:
    place = np.searchsorted(edges, side.edge)
    return np.bincount(place, weights=values.astype(np.float64), minlength=len(edges)).astype(np.float64)


def _variance(edges: Counts, side: _Side, share: Numbers) -> Numbers:
    """Return the variance of each share: the sum over people of (x - share n)^2, over cases squared."""
    own = side.n[side.person].astype(np.float64)
    squares = _by_edge(edges, side, side.hits.astype(np.float64) ** 2)
    crossed = _by_edge(edges, side, side.hits * own)
    every = float((side.n.astype(np.float64) ** 2).sum())
    found: Numbers = (
        np.maximum(squares - 2 * share * crossed + share**2 * every, 0) / max(1, side.n_cases) ** 2
    )
    return found


def _covariance(edges: Counts, a: _Side, b: _Side, *, share_a: Numbers, share_b: Numbers) -> Numbers:
    """Return the covariance that people in both selections bring: the sum of (x - s m)(y - t n)."""
    if not (a.n * b.n).any():
        return np.zeros(len(edges))
    n_people = len(a.n)
    _, at, bt = np.intersect1d(
        a.edge * n_people + a.person, b.edge * n_people + b.person, return_indices=True
    )
    both = np.bincount(
        np.searchsorted(edges, a.edge[at]), weights=a.hits[at] * b.hits[bt], minlength=len(edges)
    )
    x_n = _by_edge(edges, a, a.hits * b.n[a.person].astype(np.float64))
    y_m = _by_edge(edges, b, b.hits * a.n[b.person].astype(np.float64))
    every = float((a.n.astype(np.float64) * b.n).sum())
    crossed = both - share_b * x_n - share_a * y_m + share_a * share_b * every
    return crossed / (max(1, a.n_cases) * max(1, b.n_cases))


def _people(edges: Counts, a: _Side, b: _Side) -> Counts:
    """Count the people with each edge, in either selection."""
    n_people = len(a.n)
    pairs = np.union1d(a.edge * n_people + a.person, b.edge * n_people + b.person)
    return np.bincount(np.searchsorted(edges, pairs // n_people), minlength=len(edges))


def _p_values(difference: Numbers, error: Numbers, n_people: Counts) -> Numbers:
    """Return two-sided p-values by the normal law; NaN where too few people stand behind them."""
    normal = NormalDist()
    p = np.full(len(difference), np.nan)
    for i in np.flatnonzero((n_people >= MIN_PEOPLE) & (error > 0)).tolist():
        p[i] = 2 * normal.cdf(-abs(difference[i] / error[i]))
    return p


def _definition(unit: Unit, a: _Side, b: _Side, n_edges: int) -> dict[str, Any]:
    return {
        "unit": unit,
        "share": f"of the {unit}s of a selection, those with the transition",
        "test": "difference of two shares, people as clusters, normal law",
        "q": f"Benjamini-Hochberg over the edges tested; real is q at most {MAX_Q}",
        "min_people": MIN_PEOPLE,
        "n_edges": n_edges,
        "n_one": a.n_cases,
        "n_other": b.n_cases,
        "silent_one": a.n_silent,
        "silent_other": b.n_silent,
        "people_in_both": int(((a.n > 0) & (b.n > 0)).sum()),
    }
