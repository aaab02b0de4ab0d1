"""Estimates against their formulas, written out one decision after another."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.analytics.policies import estimating
from sojourn.analytics.policies.decisions import Decisions
from sojourn.analytics.policies.estimating import (
    PRIORS,
    Target,
    doubly_robust,
    ips,
    logged,
    reward_model,
    snips,
    target_of,
    weights_of,
)
from sojourn.analytics.policies.uncertainty import bootstrap_bounds, normal_bounds, standard_error
from tests.analytics.policies.making import encode, world

Row = tuple[str, float, float, str, int, float]

rows = st.lists(
    st.tuples(
        st.sampled_from("abc"),
        st.floats(-5, 5),
        st.floats(0.05, 1),
        st.sampled_from(["x", "y"]),
        st.integers(0, 3),
        st.floats(0, 1),
    ),
    min_size=2,
    max_size=30,
)


def decisions_of(several: list[Row]) -> tuple[Decisions, Target]:
    """Encode rows: variant, reward, propensity, context, person, probability under the target."""
    variant, reward, propensity, context, person, taken = zip(*several, strict=True)
    people = sorted(set(person))
    decisions = Decisions(
        variants=("a", "b", "c"),
        contexts=("x", "y"),
        variant=np.array(["abc".index(name) for name in variant], dtype=np.int32),
        context=np.array(["xy".index(name) for name in context], dtype=np.int32),
        reward=np.array(reward),
        propensity=np.array(propensity),
        person=np.array([people.index(one) for one in person], dtype=np.int32),
        n_people=len(people),
    )
    return decisions, Target(np.array(taken))


@given(rows)
def test_ips_and_snips_are_their_formulas(several: list[Row]) -> None:
    """Means of weighted rewards, and weighted means of rewards."""
    decisions, target = decisions_of(several)
    weights = weights_of(decisions, target)
    pairs = [(taken / propensity, reward) for _, reward, propensity, *_, taken in several]
    assert ips(decisions, weights).value == pytest.approx(
        sum(w * r for w, r in pairs) / len(pairs), abs=1e-12
    )
    assert logged(decisions).value == pytest.approx(sum(r for _, r in pairs) / len(pairs), abs=1e-12)
    total = sum(w for w, _ in pairs)
    if total > 1e-6:
        expected = sum(w * r for w, r in pairs) / total
        assert snips(decisions, weights).value == pytest.approx(expected, rel=1e-9, abs=1e-9)


@given(rows, st.floats(0.1, 3))
def test_clipping_caps_weights(several: list[Row], clip: float) -> None:
    """And does nothing else."""
    decisions, target = decisions_of(several)
    expected = [min(taken / propensity, clip) for _, _, propensity, *_, taken in several]
    assert weights_of(decisions, target, clip=clip).tolist() == pytest.approx(expected)


def test_the_reward_model_never_sees_whose_reward_it_foretells() -> None:
    """Cross-fitted: somebody's own rewards change nothing of what is foretold of them."""
    decisions, shares, _ = world(3, n_people=40)
    target = target_of(decisions, shares)
    before = np.stack(reward_model(decisions, target, seed=0))
    own = decisions.person == 7
    decisions.reward[own] = 100.0
    after = np.stack(reward_model(decisions, target, seed=0))
    assert np.array_equal(before[:, own], after[:, own])
    assert not np.array_equal(before, after)


Coded = tuple[int, int, float, int]
"""Context, variant, reward, fold."""


def naive_means(rows: list[Coded], prior: float) -> dict[tuple[int, int], float]:
    """Take the mean of each cell, drawn towards the variant's, drawn towards that of all."""
    overall = sum(reward for *_, reward, _ in rows) / len(rows)
    means = {}
    for v in range(3):
        of_v = [reward for _, variant, reward, _ in rows if variant == v]
        mean = (sum(of_v) + prior * overall) / (len(of_v) + prior)
        for c in range(4):
            of_cell = [reward for context, variant, reward, _ in rows if (context, variant) == (c, v)]
            means[c, v] = (sum(of_cell) + prior * mean) / (len(of_cell) + prior)
    return means


def naive_model(rows: list[Coded]) -> dict[tuple[int, int], float]:
    """Leave one fold of these out after another to choose the prior, and fit it to all of them."""
    folds = {fold for *_, fold in rows}
    errors = {}
    for prior in PRIORS:
        errors[prior] = 0.0
        for fold in folds:
            means = naive_means([row for row in rows if row[3] != fold], prior)
            errors[prior] += sum((r - means[c, v]) ** 2 for c, v, r, f in rows if f == fold)
    return naive_means(rows, min(errors, key=errors.__getitem__))


@pytest.mark.parametrize("seed", range(3))
def test_the_reward_model_is_means_drawn_towards_the_means_above(seed: int) -> None:
    """Naively: of everybody in other folds, cell by cell; with the prior that foretells best among them."""
    decisions, shares, _ = world(seed, n_people=60)
    fold = estimating._folds(decisions, 0).tolist()
    columns = (decisions.context.tolist(), decisions.variant.tolist(), decisions.reward.tolist(), fold)
    rows = list(zip(*columns, strict=True))
    models = {left_out: naive_model([row for row in rows if row[3] != left_out]) for left_out in set(fold)}
    drawn, foretold = reward_model(decisions, target_of(decisions, shares), seed=0)
    assert drawn.tolist() == pytest.approx([models[f][c, v] for c, v, _, f in rows])
    expected = [sum(shares[c, v] * models[f][c, v] for v in range(3)) for c, _, _, f in rows]
    assert foretold.tolist() == pytest.approx(expected)


def test_doubly_robust_is_the_model_corrected_by_what_it_missed() -> None:
    """mean(q(x, target) + w (r - q(x, drawn)))."""
    decisions, shares, _ = world(8, n_people=50)
    target = target_of(decisions, shares)
    weights = weights_of(decisions, target)
    drawn, foretold = reward_model(decisions, target, seed=0)
    expected = [
        q + w * (r - d) for q, w, r, d in zip(foretold, weights, decisions.reward, drawn, strict=True)
    ]
    assert doubly_robust(decisions, target, weights).value == pytest.approx(sum(expected) / len(expected))


def test_doubly_robust_of_the_logging_policy_is_what_was_earned() -> None:
    """With all weights 1 the model cancels but for the variants' chance: it is near, and no surer."""
    decisions, _, _ = world(2)
    target = Target(decisions.propensity)
    weights = weights_of(decisions, target)
    assert doubly_robust(decisions, target, weights).value == pytest.approx(logged(decisions).value)


def test_a_good_model_makes_doubly_robust_surer_than_ips() -> None:
    """That is what it is for: rewards that their cell explains are no noise any more."""
    decisions, shares, _ = world(4, n_contexts=1)
    decisions.reward[:] = 3.0 * decisions.variant
    target = target_of(decisions, shares)
    weights = weights_of(decisions, target)
    robust = standard_error(decisions, doubly_robust(decisions, target, weights))
    assert robust < 0.5 * standard_error(decisions, ips(decisions, weights))


@given(rows)
def test_errors_take_the_decisions_of_a_person_together(
    several: list[Row],
) -> None:
    """The sandwich over people, written out."""
    decisions, target = decisions_of(several)
    estimated = ips(decisions, weights_of(decisions, target))
    people = sorted({row[4] for row in several})
    if len(people) < 2:
        assert math.isnan(standard_error(decisions, estimated))
        return
    moved = dict.fromkeys(people, 0.0)
    for _, reward, propensity, _, person, taken in several:
        moved[person] += reward * taken / propensity - estimated.value
    squares = sum(each**2 for each in moved.values()) * len(people) / (len(people) - 1)
    assert standard_error(decisions, estimated) == pytest.approx(math.sqrt(squares) / len(several), abs=1e-9)


def test_the_same_seed_draws_the_same_people_again() -> None:
    """And another seed draws others, that say nearly the same."""
    decisions, shares, _ = world(1)
    target = target_of(decisions, shares)
    estimated = [doubly_robust(decisions, target, weights_of(decisions, target))]
    first, again, other = (
        bootstrap_bounds(decisions, estimated, level=0.95, n_replicates=500, seed=seed)[0]
        for seed in (1, 1, 2)
    )
    assert first == again
    assert other != first
    assert other == pytest.approx(first, rel=0.05)


def test_where_nothing_is_skewed_both_intervals_agree() -> None:
    """The studentised bootstrap of a mean is then Student's interval."""
    random = np.random.default_rng(0)
    n = 2_000
    decisions = encode(variant=["a"] * n, reward=random.normal(size=n), propensity=np.full(n, 0.5))
    estimated = logged(decisions)
    (bounds,) = bootstrap_bounds(decisions, [estimated], level=0.95, n_replicates=4_000, seed=0)
    expected = normal_bounds(estimated.value, standard_error(decisions, estimated), 0.95)
    assert bounds == pytest.approx(expected, abs=0.002)


def test_where_nobody_varies_nobody_can_tell() -> None:
    """Ten rewards of 1 do not mean that the eleventh is."""
    decisions = encode(variant=["a"] * 10, reward=[1.0] * 10, propensity=[0.5] * 10)
    (bounds,) = bootstrap_bounds(decisions, [logged(decisions)], level=0.95, n_replicates=100, seed=0)
    assert all(map(math.isnan, bounds))
