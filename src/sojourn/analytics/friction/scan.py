"""The scan: the window in which something happened more often than outside it, and whether chance does so.

The statistic is Kulldorff's (1997) for one dimension, time, and counts of trials: over all windows of days,
the largest log-likelihood ratio of a share of its own inside against one share everywhere. What chance does
is seen by shuffling which cases were hit; a Gumbel tail fitted to those (Abrams, Kleinman and Kulldorff,
2010) tells p-values smaller than one in the number of shuffles.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, expm1, log, pi, sqrt

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]

MAX_SHARE = 0.5  # of all days that a window may have: what lasts longer is how things are.
MIN_HITS = 5  # in a window.
EDGE = 1.92  # half the 95% point of chi-squared with one degree of freedom.


@dataclass(frozen=True, slots=True)
class Window:
    """The days in which hits are most unlike the rest: from `first` to `last`, both included."""

    llr: float
    """The log-likelihood ratio; 0: no window has more than the rest."""
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Trials:
    """Cases that could be hit; arrays have the shape (n_trials,)."""

    day: NDArray[np.int64]
    """From 0 to n_days - 1."""
    hit: NDArray[np.bool_]
    person: NDArray[np.int32]
    """Whose each is."""
    n_days: int

    def daily(self) -> tuple[Counts, Counts]:
        """Return the hits and the trials of each day, shape (n_days,)."""
        trials = np.bincount(self.day, minlength=self.n_days)
        return np.bincount(self.day[self.hit], minlength=self.n_days), trials


def scan(hits: Counts, trials: Counts) -> Window:
    """Find the window in one series of daily counts, each of the shape (n_days,)."""
    llr, first, last = scan_many(hits[None, :], trials)
    return Window(float(llr[0]), int(first[0]), int(last[0]))


def scan_many(hits: Counts, trials: Counts) -> tuple[NDArray[np.float64], Counts, Counts]:
    """Find the window in each of several series.

    Args:
        hits: Shape (n_series, n_days).
        trials: The same shape, or (n_days,): the same for all.

    Returns:
        The ratio, first and last day of each, shape (n_series,).
    """
    n_series, n_days = hits.shape
    until_hits, until_trials = _until(hits), _until(np.atleast_2d(trials))
    n, h = until_trials[:, -1:], until_hits[:, -1:]
    xlogx = _table(int(n.max(initial=0)))
    base = xlogx[h] + xlogx[n - h] - xlogx[n]
    best = np.zeros(n_series)
    first, last = np.zeros(n_series, np.int64), np.full(n_series, n_days - 1)
    rows = np.arange(n_series)
    for length in range(1, int(n_days * MAX_SHARE) + 1):
        inside = until_trials[:, length:] - until_trials[:, :-length]
        hit = until_hits[:, length:] - until_hits[:, :-length]
        rest, rest_hit = n - inside, h - hit
        llr = (
            xlogx[hit] + xlogx[inside - hit] - xlogx[inside]
            + xlogx[rest_hit] + xlogx[rest - rest_hit] - xlogx[rest]
            - base
        )  # fmt: skip
        is_more = (hit * rest > rest_hit * inside) & (hit >= MIN_HITS)
        llr = np.where(is_more, llr, 0.0)
        at = llr.argmax(axis=1)
        found = llr[rows, at]
        better = found > best
        best[better], first[better], last[better] = found[better], at[better], at[better] + length - 1
    return best, first, last


def edges(hits: Counts, trials: Counts, window: Window) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the days between which the window may as well begin, and end.

    All for which the likelihood, the other edge being where it is, is within EDGE of the best: a 95% profile
    interval. Days without a trial tell nothing, and belong to it.
    """
    first, last = window.first, window.last
    begins = [_llr(hits, trials, day, last) for day in range(last + 1)]
    ends = [_llr(hits, trials, first, day) for day in range(first, len(hits))]
    begin = [day for day, llr in enumerate(begins) if llr >= window.llr - EDGE]
    end = [first + day for day, llr in enumerate(ends) if llr >= window.llr - EDGE]
    return (_run_with(begin, first), _run_with(end, last))


def p_value(trials: Trials, found: float, *, n_shuffles: int, random: np.random.Generator) -> float:
    """Tell how often chance finds a window at least so unlike the rest.

    Hits are dealt out anew among each person's own trials, so that somebody who always struggles and came in
    one week is no incident; those with one trial each deal among themselves.
    """
    _, daily = trials.daily()
    series = _shuffled(trials, n_shuffles, random)
    by_chance, _, _ = scan_many(series, daily)
    by_counting = (1 + int((by_chance >= found).sum())) / (n_shuffles + 1)
    return (
        min(by_counting, gumbel_tail(by_chance, found))
        if by_counting == 1 / (n_shuffles + 1)
        else by_counting
    )


def gumbel_tail(drawn: NDArray[np.float64], found: float) -> float:
    """Return the share above `found` of the Gumbel distribution with the moments of what was drawn."""
    spread = float(drawn.std(ddof=1)) * sqrt(6) / pi
    if spread == 0:
        return 0.0 if found > drawn.max() else 1.0
    z = (found - (float(drawn.mean()) - np.euler_gamma * spread)) / spread
    return -expm1(-exp(-z))


def _shuffled(trials: Trials, n_shuffles: int, random: np.random.Generator) -> Counts:
    """Deal the hits out anew so many times; returns hits a day, shape (n_shuffles, n_days)."""
    _, person, n_own = np.unique(trials.person, return_inverse=True, return_counts=True)
    n_hit = np.bincount(person, weights=trials.hit).astype(np.int64)
    single = (n_own == 1)[person]
    mixed = ((n_hit > 0) & (n_hit < n_own))[person]
    fixed = ~single & ~mixed & trials.hit
    n_days = trials.n_days
    series = np.zeros((n_shuffles, n_days), np.int64) + np.bincount(trials.day[fixed], minlength=n_days)
    among = np.bincount(trials.day[single], minlength=n_days)
    series += random.multivariate_hypergeometric(
        among, int((single & trials.hit).sum()), size=n_shuffles, method="marginals"
    )
    place = np.flatnonzero(mixed)
    place = place[np.argsort(person[place], kind="stable")]
    owner, day, hit = person[place], trials.day[place], trials.hit[place]
    for shuffle in range(n_shuffles):
        order = np.lexsort((random.random(len(place)), owner))
        series[shuffle] += np.bincount(day[order][hit], minlength=n_days)
    return series


def _llr(hits: Counts, trials: Counts, first: int, last: int) -> float:
    inside = slice(first, last + 1)
    n, h, n_in, h_in = (int(x) for x in (trials.sum(), hits.sum(), trials[inside].sum(), hits[inside].sum()))
    if not n_in or n_in == n or h_in * (n - n_in) <= (h - h_in) * n_in:
        return 0.0
    return _log_likelihood(h_in, n_in) + _log_likelihood(h - h_in, n - n_in) - _log_likelihood(h, n)


def _log_likelihood(hits: int, trials: int) -> float:
    share = hits / trials
    return sum(k * log(p) for k, p in ((hits, share), (trials - hits, 1 - share)) if k)


def _run_with(days: list[int], day: int) -> tuple[int, int]:
    """Return the unbroken run of days that one of them is in."""
    known = set(days)
    low = high = day
    while low - 1 in known:
        low -= 1
    while high + 1 in known:
        high += 1
    return low, high


def _until(counts: Counts) -> Counts:
    """Return the sums before each day, and of all, shape (n_series, n_days + 1)."""
    return np.pad(np.cumsum(counts, axis=1), ((0, 0), (1, 0)))


def _table(n: int) -> NDArray[np.float64]:
    """Return k log k for k from 0 to n."""
    k = np.arange(n + 1, dtype=np.float64)
    k[1:] *= np.log(k[1:])
    return k
