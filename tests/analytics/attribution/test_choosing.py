"""Choosing the order: what foretells best in worlds whose order is known."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from math import log

import numpy as np
import pytest

from sojourn.analytics.attribution import choosing, score_orders
from sojourn.analytics.attribution.choosing import N_FOLDS, best_order
from sojourn.model.errors import ConfigError
from tests.analytics.attribution.making import ask, paths_from
from tests.analytics.attribution.oracles import Row

Context = tuple[str, ...]
END, NONE = "(conversion)", "(null)"


def walks(n_people: int, order: int, seed: int = 0) -> list[Row]:
    """Let people walk, each step by the last `order` touches."""
    chance, rows = random.Random(seed), []
    weights: dict[Context, list[float]] = {}
    for _ in range(n_people):
        path: list[str] = []
        while True:
            context = tuple(path[-order:])
            if context not in weights:
                mixed = random.Random(str(context))
                weights[context] = [mixed.random() ** 4 for _ in range(3)]
            path += chance.choices("abc", weights[context])
            if chance.random() < 0.2:
                break
        rows.append(Row(tuple(path), *((1, 0, 0) if chance.random() < 0.3 else (0, 0, 1))))
    return rows


@pytest.mark.parametrize("order", [1, 2, 3])
def test_the_order_of_a_known_world_is_found(order: int) -> None:
    """By held-out likelihood, and by the information criterion."""
    scores = score_orders(paths_from(walks(4_000, order), people=range(4_000)))
    assert best_order(scores) == order
    assert min(scores, key=lambda score: score.bic).order == order


def steps(row: Row) -> list[str]:
    """Return what one journey tells, step by step."""
    return [*row.path, END if row.conversions else NONE]


def test_scores_are_those_of_plain_counting() -> None:
    """Witten and Bell's method C and the information criterion, context by context."""
    rows = walks(60, 2)
    paths = paths_from(rows, people=range(60))
    fold = np.random.default_rng([0, 2]).permutation(np.arange(60) % N_FOLDS)
    symbols = len({touch for row in rows for touch in row.path}) + 2
    for score in score_orders(paths, 3):
        total = 0.0
        for held_out in range(N_FOLDS):
            train = [row for row, at in zip(rows, fold, strict=True) if at != held_out]
            foretold = fitted(train, score.order, symbols)
            for row in (row for row, at in zip(rows, fold, strict=True) if at == held_out):
                told = steps(row)
                total += sum(log(foretold(tuple(told[:i]), told[i])) for i in range(len(told)))
        assert score.log_likelihood == pytest.approx(total / 60, abs=1e-12)
        counts = counted(rows, score.order)
        n_parameters = sum(len(after) - 1 for after in counts.values())
        likelihood = sum(
            n * log(n / sum(after.values())) for after in counts.values() for n in after.values()
        )
        n_steps = sum(len(steps(row)) for row in rows)
        assert score.n_parameters == n_parameters
        assert score.bic == pytest.approx(n_parameters * log(n_steps) - 2 * likelihood)


def counted(rows: list[Row], order: int) -> dict[Context, Counter[str]]:
    """Count what came after each context; one at the start of a path is not one inside."""
    counts: dict[Context, Counter[str]] = {}
    for row in rows:
        told = steps(row)
        for i, symbol in enumerate(told):
            counts.setdefault(context_of(tuple(told[:i]), order), Counter())[symbol] += 1
    return counts


def context_of(before: Context, order: int) -> Context:
    """Return the last touches, with a mark where there are too few."""
    return () if not order else before[-order:] if len(before) >= order else ("(start)", *before)


def fitted(rows: list[Row], order: int, n_symbols: int) -> Callable[[Context, str], float]:
    """Fit a chain; shorter contexts foretell what longer ones never saw."""
    counts = [counted(rows, k) for k in range(order + 1)]

    def foretold(before: Context, symbol: str) -> float:
        after = counts[0][()]
        chance = (after[symbol] + 1) / (sum(after.values()) + n_symbols)
        for k in range(1, order + 1):
            after = counts[k].get(context_of(before, k), Counter())
            if after:
                chance = (after[symbol] + len(after) * chance) / (sum(after.values()) + len(after))
        return chance

    return foretold


def test_large_numbers_are_ranked_as_small_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sorted where a table would be too large."""
    paths = paths_from(walks(100, 2))
    looked_up = score_orders(paths)
    monkeypatch.setattr(choosing, "LARGEST_TABLE", 0)
    assert score_orders(paths) == looked_up


def test_the_choice_is_told_with_the_result() -> None:
    """All scores, and why this one."""
    answer = ask(paths_from(walks(800, 1)), "markov", order="auto", max_order=2)
    told = answer.definition.parameters
    assert (told["order"], told["chosen_by"]) == (1, "log-likelihood of held-out journeys")
    assert [score.order for score in told["orders"]] == [1, 2]


@pytest.mark.parametrize(
    ("rows", "max_order", "message"),
    [([Row((), 1)], 2, "no path has a touch"), ([Row(("a",), 1)], 0, "the order is 0")],
)
def test_what_has_no_order_is_refused(rows: list[Row], max_order: int, message: str) -> None:
    """With the reason."""
    with pytest.raises(ConfigError, match=message):
        score_orders(paths_from(rows), max_order)
