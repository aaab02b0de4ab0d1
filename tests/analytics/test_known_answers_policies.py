"""Known answers: what the uniform policy earns, from what another one logged (Open Bandit Dataset)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sojourn.analytics.policies.decisions import Floats
from sojourn.analytics.policies.estimating import Target, ips, snips, target_of, weights_of
from sojourn.analytics.policies.evaluating import Asked, evaluate, overlap_of
from sojourn.analytics.policies.reading import read_decisions
from tests.analytics.making import shared

COLUMNS = {
    "variant": "item_id", "reward": "click", "propensity": "propensity_score", "context": "position",
}  # fmt: skip
TRUTH = 0.0046  # of both campaigns: what the uniform policy earned, drawn beside on the same days


def log(campaign: str) -> Path:
    """Return the decisions of Thompson sampling."""
    return shared(f"open_bandit_small/bts_{campaign}.csv.gz")


@pytest.mark.parametrize(
    ("campaign", "n_items", "answers", "effective", "largest"),
    [
        ("men", 34, ("0.00301", "0.00319", "0.00383"), "656", "178"),
        ("women", 46, ("0.00744", "0.00237", "0.00578"), "2", "21739"),
    ],
)
def test_estimates_are_the_known_ones(
    campaign: str, n_items: int, answers: tuple[str, str, str], effective: str, largest: str
) -> None:
    """To all digits that are known."""
    decisions = read_decisions(log(campaign), COLUMNS).decisions
    target = Target(target_of(decisions, uniform(decisions.contexts, n_items)).taken)
    weights = weights_of(decisions, target)
    clipped = weights_of(decisions, target, clip=10)
    found = (ips(decisions, weights).value, snips(decisions, weights).value, snips(decisions, clipped).value)
    assert tuple(f"{value:.5f}" for value in found) == answers
    overlap = overlap_of(decisions, target, weights)
    assert (f"{overlap.effective:.0f}", f"{overlap.largest_weight:.0f}") == (effective, largest)


@pytest.mark.parametrize("columns", [COLUMNS, {k: v for k, v in COLUMNS.items() if k != "context"}])
def test_the_men_s_interval_covers_the_truth(columns: dict[str, str]) -> None:
    """With contexts and without."""
    decisions = read_decisions(log("men"), columns).decisions
    found = evaluate(decisions, target_of(decisions, uniform(decisions.contexts, 34)), Asked())
    assert found.refused == ()
    for one in found.estimates:
        assert one.low is not None
        assert one.high is not None
        assert one.low <= TRUTH <= one.high, one
    assert found.promote is False


def test_of_the_women_nothing_can_be_said() -> None:
    """2 of 10,000 decisions: a number would be an accident."""
    decisions = read_decisions(log("women"), COLUMNS).decisions
    found = evaluate(decisions, target_of(decisions, uniform(decisions.contexts, 46)), Asked())
    assert len(found.refused) == 2
    assert (found.estimates, found.promote) == ((), None)


def uniform(contexts: tuple[str, ...], n_items: int) -> Floats:
    """Return the policy that draws each item alike."""
    return np.full((len(contexts), n_items), 1 / n_items)
