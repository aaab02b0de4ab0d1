"""Choosing the order of a chain: the one that foretells best where people it has not seen go next."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from sojourn.analytics.attribution.chain import safe_divide
from sojourn.analytics.attribution.paths import Floats, Paths, Sample, summed
from sojourn.model.errors import ConfigError

N_FOLDS = 5
MAX_ORDER = 4
"""That is tried, unless somebody asks for more: each order multiplies the windows."""
LARGEST_TABLE = 2**24  # numbers that are looked up and not sorted

Integers = NDArray[np.int64]


class OrderScore(Struct, frozen=True, kw_only=True):
    """How well a chain of one order tells where people go."""

    order: int
    log_likelihood: float
    """Of a journey that the chain was not fitted to, in nats: the mean over all. Higher is better."""
    bic: float
    """Bayesian information criterion on all journeys (Katz 1981). Lower is better."""
    n_parameters: int


class _Steps(NamedTuple):
    """Every step of every path: to a touch, a conversion or none. Arrays have the shape (n_steps,)."""

    path: Integers
    place: Integers
    """How many touches came before."""
    end: Integers
    """Where these touches end in `Paths.codes`."""
    symbol: Integers
    """The channel of the next touch; `n_channels`: a conversion; `n_channels + 1`: none."""
    conversions: Floats
    """Shape (N_FOLDS, n_paths): journeys of each path, by fold."""
    nulls: Floats
    n_touches: int
    """How many steps come first that are touches; conversions come next, one a path used, and then nulls."""


class _Counts(NamedTuple):
    """How often each symbol came after each context."""

    by_fold: Floats
    """Shape (N_FOLDS, n_pairs)."""
    context: Integers
    """Shape (n_pairs,)."""
    pair: Integers
    """Shape (n_steps,): which pair each step is."""
    example: Integers
    """Shape (n_pairs,): a step of each pair."""


def score_orders(paths: Paths, max_order: int = MAX_ORDER, *, seed: int = 0) -> list[OrderScore]:
    """Score the orders from 1 to `max_order`.

    All orders tell the same story, step by step: the next touch (also of the same channel), a conversion or
    none; so their likelihoods can be compared. What a context was never followed by is foretold by shorter
    contexts (Witten and Bell 1991, method C). Folds are of people; where people are unknown, of journeys.

    Raises:
        ConfigError: No path has a touch, or the order is below 1.
    """
    if max_order < 1:
        raise ConfigError(f"the order is {max_order}; expected 1 or more")
    used = np.flatnonzero((paths.lengths > 0) & (paths.journeys > 0))
    if not len(used):
        raise ConfigError("no path has a touch: there is no order to choose")
    steps = _steps(paths, used, seed)
    n_symbols, n_journeys = paths.n_channels + 2, float(paths.journeys[used].sum())
    contexts = np.zeros(len(steps.path), dtype=np.int64)
    counts = _count(steps, contexts, n_symbols)
    train = counts.by_fold.sum(axis=0) - counts.by_fold
    chance = (train + 1) / (train.sum(axis=1, keepdims=True) + n_symbols)
    scores = []
    for order in range(1, max_order + 1):
        contexts = _longer(steps, paths, contexts, order)
        shorter, counts = counts, _count(steps, contexts, n_symbols)
        chance = _foretold(counts, chance[:, shorter.pair[counts.example]])
        likelihood = float((counts.by_fold * np.log(chance)).sum()) / n_journeys
        n_parameters, bic = _bic(counts)
        scores.append(OrderScore(order=order, log_likelihood=likelihood, bic=bic, n_parameters=n_parameters))
    return scores


def best_order(scores: list[OrderScore]) -> int:
    """Return the order that foretells best; of equals the lowest."""
    return max(scores, key=lambda score: (score.log_likelihood, -score.order)).order


def _steps(paths: Paths, used: Integers, seed: int) -> _Steps:
    n, lengths = paths.n_channels, paths.lengths[used]
    before = np.cumsum(lengths) - lengths
    touches = np.arange(int(lengths.sum())) + np.repeat(paths.offsets[used] - before, lengths)
    path = np.repeat(used, lengths)
    conversions, nulls = _folds(paths.sample, len(paths), seed)
    return _Steps(
        np.concatenate([path, used, used]),
        np.concatenate([touches - paths.offsets[path], lengths, lengths]),
        np.concatenate([touches, paths.offsets[used + 1], paths.offsets[used + 1]]),
        np.concatenate(
            [paths.codes[touches].astype(np.int64), np.full(len(used), n), np.full(len(used), n + 1)]
        ),
        conversions,
        nulls,
        len(touches),
    )


def _folds(sample: Sample, n_paths: int, seed: int) -> tuple[Floats, Floats]:
    """Split the journeys of each path into folds: conversions and nulls, shape (N_FOLDS, n_paths) each."""
    random = np.random.default_rng([seed, 2])
    if sample.person is None:
        rows = [
            random.multinomial(np.round(counts).astype(np.int64), np.full(N_FOLDS, 1 / N_FOLDS)).T
            for counts in (sample.conversions, sample.nulls)
        ]
    else:
        n_people = int(sample.person.max(initial=-1)) + 1
        fold = random.permutation(np.arange(n_people) % N_FOLDS)[sample.person]
        rows = [
            np.where(fold == np.arange(N_FOLDS)[:, None], counts, 0.0)
            for counts in (sample.conversions, sample.nulls)
        ]
    conversions, nulls = (np.stack([summed(sample.path, each, n_paths) for each in row]) for row in rows)
    return conversions, nulls


def _count(steps: _Steps, contexts: Integers, n_symbols: int) -> _Counts:
    pair = _numbered(contexts * n_symbols + steps.symbol)
    n_pairs = int(pair.max()) + 1
    example = np.empty(n_pairs, dtype=np.int64)
    example[pair] = np.arange(len(pair))
    touches, n_used = steps.path[: steps.n_touches], (len(pair) - steps.n_touches) // 2
    used = steps.path[len(pair) - n_used :]
    by_fold = np.empty((N_FOLDS, n_pairs))
    for fold, (conversions, nulls) in enumerate(zip(steps.conversions, steps.nulls, strict=True)):
        weight = np.concatenate([(conversions + nulls)[touches], conversions[used], nulls[used]])
        by_fold[fold] = summed(pair, weight, n_pairs)
    return _Counts(by_fold, contexts[example], pair, example)


def _longer(steps: _Steps, paths: Paths, contexts: Integers, order: int) -> Integers:
    """Number the contexts of `order` touches, given those of one touch less; before the first touch is 0."""
    is_there = steps.place >= order
    older = paths.codes[np.where(is_there, steps.end - order, 0)].astype(np.int64) + 1
    return _numbered(contexts * (paths.n_channels + 1) + np.where(is_there, older, 0))


def _numbered(keys: Integers) -> Integers:
    """Replace numbers by their ranks among those that occur."""
    size = int(keys.max()) + 1
    if size <= LARGEST_TABLE:
        rank: Integers = (np.cumsum(np.bincount(keys, minlength=size) > 0) - 1)[keys]
        return rank
    return np.unique(keys, return_inverse=True)[1]


def _foretold(counts: _Counts, shorter: Floats) -> Floats:
    """Return the chance of each pair's symbol as it is fitted without each fold, shape (N_FOLDS, n_pairs).

    P(y | context) = (n(context, y) + d P(y | shorter context)) / (n(context) + d), with d the number of
    symbols that came after the context.
    """
    chance = np.empty_like(shorter)
    n_contexts = int(counts.context.max()) + 1
    for fold, train in enumerate(counts.by_fold.sum(axis=0) - counts.by_fold):
        n_symbols = summed(counts.context, train > 0, n_contexts)[counts.context]
        total = summed(counts.context, train, n_contexts)[counts.context] + n_symbols
        chance[fold] = np.where(
            total > 0, safe_divide(train + n_symbols * shorter[fold], total), shorter[fold]
        )
    return chance


def _bic(counts: _Counts) -> tuple[int, float]:
    """Return (free parameters, information criterion) of the chain fitted to all journeys."""
    count = counts.by_fold.sum(axis=0)
    n_contexts = int(counts.context.max()) + 1
    total = summed(counts.context, count, n_contexts)
    happened = count > 0
    likelihood = float((count[happened] * np.log(count[happened] / total[counts.context[happened]])).sum())
    n_parameters = int(happened.sum()) - int((total > 0).sum())
    return n_parameters, float(n_parameters * np.log(count.sum()) - 2 * likelihood)
