"""Evaluations: what covers the truth, what is refused, and what is worth promoting."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sojourn.analytics.policies.estimating import Target, target_of
from sojourn.analytics.policies.evaluating import Asked, Evaluation, evaluate
from sojourn.model.errors import InputError
from tests.analytics.policies.making import encode, world

QUICK = Asked(replicates=400)


def covered(n_worlds: int) -> dict[str, float]:
    """Return how often each estimate's interval holds the truth; no world may be refused."""
    hits: dict[str, list[bool]] = {}
    for seed in range(n_worlds):
        decisions, shares, truth = world(seed)
        for one in evaluate(decisions, target_of(decisions, shares), QUICK).estimates:
            assert one.low is not None
            assert one.high is not None
            hits.setdefault(one.name, []).append(one.low <= truth <= one.high)
    assert all(len(each) == n_worlds for each in hits.values())
    return {name: sum(each) / n_worlds for name, each in hits.items()}


def test_intervals_cover_the_truth_of_simulated_logs() -> None:
    """A few of those below."""
    assert min(covered(60).values()) >= 0.88


@pytest.mark.slow
def test_doubly_robust_covers_the_truth_in_93_of_100_logs() -> None:
    """500 logs of worlds that have nothing in common."""
    found = covered(500)
    assert found["DR"] >= 0.93, found


def steady(**changes: Any) -> Evaluation:
    """Judge "always b" by 2,000 decisions drawn evenly, where b earns 0.3 and a 0.1."""
    random = np.random.default_rng(0)
    variant = random.choice(["a", "b"], 2_000)
    reward = (random.random(2_000) < np.where(variant == "b", 0.3, 0.1)).astype(float)
    columns = {"variant": variant.tolist(), "reward": reward, "propensity": np.full(2_000, 0.5)} | changes
    decisions = encode(**columns)
    shares = np.array([[float(name == "b") for name in decisions.variants]] * len(decisions.contexts))
    return evaluate(decisions, target_of(decisions, shares), QUICK)


def test_a_draft_that_earns_more_for_sure_is_worth_promoting() -> None:
    """Both lower bounds of the difference lie above 0."""
    found = steady()
    robust = found.estimates[0]
    assert (found.refused, found.promote, robust.name) == ((), True, "DR")
    assert robust.low is not None
    assert found.current.value < robust.low < 0.3 < (robust.high or 0)
    assert found.difference is not None
    assert found.difference.value == pytest.approx(robust.value - found.current.value)


def test_a_draft_beside_what_may_have_been_earned_by_bad_luck_is_not() -> None:
    """b earns 0.3 each time; a as much in the mean, and anything between: this time it earned less."""
    random = np.random.default_rng(0)
    variant = np.array(["a", "b"] * 1_000)
    reward = np.where(variant == "b", 0.3, random.normal(0.3, 10, 2_000))
    found = steady(variant=variant.tolist(), reward=reward)
    robust = found.estimates[0]
    assert robust.low is not None
    assert found.current.value < robust.low
    assert found.promote is False


def test_a_draft_that_is_as_good_is_not() -> None:
    """What was in force needs no promotion."""
    decisions, _, _ = world(0)
    assert evaluate(decisions, Target(decisions.propensity), QUICK).promote is False


def test_what_could_not_be_drawn_is_refused() -> None:
    """The log says that b was impossible for half of the people: nothing tells what it earns there."""
    n = 2_000
    half = np.arange(n) % 2 == 0
    variant = np.where(half & (np.arange(n) % 4 == 0), "b", "a")
    eligible = ['{"a": 0.5, "b": 0.5}' if is_free else '{"a": 1.0, "b": 0.0}' for is_free in half]
    found = steady(
        variant=variant.tolist(),
        reward=np.ones(n),
        propensity=np.where(half, 0.5, 1.0),
        eligible=eligible,
        context=np.where(half, "free", "bound").tolist(),
    )
    assert found.refused == (
        "50.0% of what the draft would draw could not be drawn there: nobody knows what it earns",
    )
    assert (found.estimates, found.promote) == ((), None)


def test_what_was_never_drawn_in_a_context_is_refused() -> None:
    """Where the log does not say what could have been drawn, what never was counts as impossible."""
    variant = ["b", "a"] * 500 + ["a"] * 1_000
    context = ["x"] * 1_000 + ["y"] * 1_000
    found = steady(variant=variant, context=context, propensity=[0.5] * 1_000 + [0.9] * 1_000)
    assert found.refused == (
        "50.0% of what the draft would draw was never drawn in its context; at most 5% is allowed",
    )


def test_few_decisions_are_refused() -> None:
    """The draft draws b only; 50 decisions were that."""
    found = steady(variant=["a"] * 1_950 + ["b"] * 50, propensity=[0.975] * 1_950 + [0.025] * 50)
    assert found.refused == ("the 2,000 decisions are worth 50 (effective size); at least 100 are needed",)


def test_one_heavy_decision_is_refused() -> None:
    """It would decide alone; by then the effective size is small too."""
    propensity = np.full(2_000, 0.5)
    variant = ["a", "b"] * 1_000
    propensity[7] = 0.001
    found = steady(variant=variant, propensity=propensity)
    assert found.refused[-1] == (
        "one decision has 33% of all weight (its weight is 1,000); at most 10% is allowed"
    )


def test_probabilities_that_were_not_those_drawn_by_are_found_out() -> None:
    """Half of the decisions were b, and a quarter is said to be: weights are twice too large."""
    found = steady(variant=["a", "b"] * 1_000, propensity=[0.75, 0.25] * 1_000)
    assert found.refused == (
        "the mean weight is 2.000 and should be 1: variants were not drawn with the probabilities that were "
        "logged, or the draft draws what never could be",
    )


def test_clipped_estimates_say_so_and_come_beside() -> None:
    """They are biased: nobody may take one for another."""
    decisions, shares, _ = world(0)
    names = [one.name for one in evaluate(decisions, target_of(decisions, shares), Asked(clip=2)).estimates]
    assert names == ["DR", "SNIPS", "IPS", "SNIPS, weights clipped at 2", "IPS, weights clipped at 2"]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"propensity": [0.0] * 2_000}, "row 1: expected a propensity above 0, at most 1, got 0"),
        ({"propensity": [0.5] * 1_999 + [1.5]}, "row 2000: expected a propensity"),
        ({"propensity": [float("nan")] * 2_000}, "got nan"),
        ({"reward": [float("inf")] * 2_000}, "expected a finite reward"),
        ({"variant": ["a"] * 5 + [None] * 1_995}, "row 6: says no variant"),
        ({"eligible": ['{"a": 0.5, "b": 0.5, "c": 0.1}'] * 2_000}, "eligible shares that sum to 1, got 1.1"),
        ({"eligible": ['{"a": 0.9, "b": 0.1}'] * 2_000}, "one of them was logged wrongly"),
        ({"variant": [], "reward": [], "propensity": []}, "no decision"),
    ],
)
def test_a_log_that_cannot_be_right_is_refused_with_its_row(changes: dict[str, Any], says: str) -> None:
    """A wrong propensity makes every number wrong."""
    with pytest.raises(InputError, match=says):
        steady(**changes)
