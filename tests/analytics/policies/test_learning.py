"""Learning: drafts from logs whose best policy is known, judged by the other half of the people."""

from __future__ import annotations

import sys
from collections.abc import Callable
from random import Random

import numpy as np
import pytest

from sojourn.analytics.policies.decisions import Decisions, of_rows, rows_of_half
from sojourn.analytics.policies.draft import Draft, Drafts, read_drafts, write_drafts
from sojourn.analytics.policies.estimating import target_of
from sojourn.analytics.policies.evaluating import Asked, evaluate
from sojourn.analytics.policies.learning import learn_thompson
from sojourn.analytics.policies.vowpal import learn_vowpal
from sojourn.definitions.thompson import weights
from sojourn.model.errors import ConfigError, InputError
from tests.analytics.policies.making import encode

RATES = {
    ('"pro"|true', "none"): 0.3,
    ('"pro"|true', "free"): 0.1,
    ('"new"|false', "none"): 0.1,
    ('"new"|false', "free"): 0.3,
}

RARE = '"pro"|null'
"""A cell of which hardly anything is known, and of its first part much."""


def log(n: int = 3_000, *, rare: int = 0) -> Decisions:
    """Draw decisions unevenly: free ships once in four times, and `rare` more in a rare cell."""
    random = Random(7)
    rows = []
    for i in range(n + rare):
        cell = random.choice(['"pro"|true', '"new"|false']) if i < n else RARE
        variant = random.choices(["none", "free"], [0.75, 0.25])[0]
        reward = float(random.random() < RATES[cell if i < n else '"pro"|true', variant])
        rows.append((variant, reward, 0.75 if variant == "none" else 0.25, cell, f"p{i}"))
    variant, reward, propensity, context, person = map(list, zip(*rows, strict=True))
    return encode(variant=variant, reward=reward, propensity=propensity, context=context, person=person)


def half(decisions: Decisions, which: str) -> Decisions:
    """Return one half of the people."""
    return of_rows(decisions, rows_of_half(decisions, which))  # type: ignore[arg-type]


@pytest.mark.parametrize("learn", [learn_thompson, learn_vowpal])
def test_what_is_learnt_from_one_half_is_better_by_the_other(
    learn: Callable[[Decisions, float], Draft],
) -> None:
    """Each context gets its best variant but for the floor; people it never saw say that it earns more."""
    if learn is learn_vowpal:
        pytest.importorskip("vowpalwabbit", reason="the extra `bandit` is not installed")
    learnt_from, judged_by = half(log(), "first"), half(log(), "second")
    draft = learn(learnt_from, 0.05)
    for cell, best in (('"pro"|true', "none"), ('"new"|false', "free")):
        assert draft.cells[cell].weights[best] == pytest.approx(0.95, abs=0.02)
    shares = draft.shares(judged_by.variants, judged_by.contexts)
    found = evaluate(judged_by, target_of(judged_by, shares), Asked(replicates=300))
    assert found.promote is True
    assert found.estimates[0].value == pytest.approx(0.29, abs=0.04)


def test_thompson_weighs_each_context_by_itself() -> None:
    """With the weights the engine would have come to."""
    decisions = log(400)
    draft = learn_thompson(decisions, 0.1)
    names = [decisions.variants[code] for code in decisions.variant.tolist()]
    cells = [decisions.contexts[code] for code in decisions.context.tolist()]
    rows = list(zip(cells, names, decisions.reward.tolist(), strict=True))
    for cell in decisions.contexts:
        won = [sum(r for c, v, r in rows if (c, v) == (cell, name)) for name in decisions.variants]
        tried = [sum((c, v) == (cell, name) for c, v, _ in rows) for name in decisions.variants]
        assert tuple(draft.cells[cell].weights.values()) == weights(won, tried, 0.1)
    won = [sum(r for _, v, r in rows if v == name) for name in decisions.variants]
    tried = [names.count(name) for name in decisions.variants]
    assert tuple(draft.default.weights.values()) == weights(won, tried, 0.1)


def test_vowpal_says_the_same_again() -> None:
    """By its seed; and something of people of whom nothing is known."""
    pytest.importorskip("vowpalwabbit", reason="the extra `bandit` is not installed")
    decisions = log()
    assert learn_vowpal(decisions, 0.05, seed=1) == learn_vowpal(decisions, 0.05, seed=1)
    draft = learn_vowpal(decisions, 0.05)
    assert set(draft.cells) == set(decisions.contexts)
    assert sum(draft.default.weights.values()) == pytest.approx(1.0)
    assert min(draft.default.weights.values()) >= 0.05


def test_vowpal_learns_across_contexts_where_thompson_takes_each_by_itself() -> None:
    """Six decisions of a rare cell tell next to nothing; its first part was met a thousand times."""
    pytest.importorskip("vowpalwabbit", reason="the extra `bandit` is not installed")
    decisions = log(rare=6)
    alone, across = learn_thompson(decisions, 0.05), learn_vowpal(decisions, 0.05)
    assert 0.2 < alone.cells[RARE].weights["none"] < 0.8
    assert across.cells[RARE].weights["none"] > 0.85


def test_without_vowpal_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an extra."""
    monkeypatch.setitem(sys.modules, "vowpalwabbit", None)
    with pytest.raises(ConfigError, match=r"pip install 'sojourn\[bandit\]'"):
        learn_vowpal(log(10), 0.05)


def test_what_is_learnt_is_written_as_any_draft() -> None:
    """And says the same when it is read again."""
    draft = learn_thompson(log(500), 0.05)
    text = write_drafts(Drafts("learnt", {"offer": draft}))
    again = read_drafts(text, file="learnt.yaml").of("offer")[1]
    cells = ('"pro"|true', '"new"|false', "elsewhere")
    assert np.allclose(
        again.shares(("free", "none"), cells), draft.shares(("free", "none"), cells), atol=1e-6
    )


def test_halves_are_of_people_and_stay_theirs() -> None:
    """Nobody is in both, and another order of rows moves nobody."""
    people = [f"p{i // 2}" for i in range(2_000)]
    decisions = encode(variant=people, reward=[0.0] * 2_000, propensity=[1.0] * 2_000, person=people)
    backwards = encode(
        variant=people[::-1], reward=[0.0] * 2_000, propensity=[1.0] * 2_000, person=people[::-1]
    )
    first, second = half(decisions, "first"), half(decisions, "second")
    names = {decisions.variants[code] for code in first.variant.tolist()}
    assert names.isdisjoint(decisions.variants[code] for code in second.variant.tolist())
    assert names == {backwards.variants[code] for code in half(backwards, "first").variant.tolist()}
    assert (first.n_people + second.n_people, 400 < first.n_people < 600) == (1_000, True)


def test_rows_of_nobody_are_halved_one_by_one() -> None:
    """Every other one."""
    decisions = encode(variant=["a", "b", "c"], reward=[0.0] * 3, propensity=[1.0] * 3)
    assert rows_of_half(decisions, "second").tolist() == [1]
    with pytest.raises(InputError, match="has none"):
        half(of_rows(decisions, np.array([0])), "second")


@pytest.mark.parametrize("learn", [learn_thompson, learn_vowpal])
def test_a_floor_that_so_many_variants_cannot_have_is_refused(
    learn: Callable[[Decisions, float], Draft],
) -> None:
    """Three of 0.4 each are more than everybody."""
    decisions = encode(variant=["a", "b", "c"], reward=[0.0] * 3, propensity=[0.3] * 3)
    with pytest.raises(ConfigError, match=r"take a floor of at most 0\.3333"):
        learn(decisions, 0.4)


def test_thompson_is_of_rewards_from_0_to_1() -> None:
    """Money is no success."""
    decisions = encode(variant=["a", "b"], reward=[0.0, 20.0], propensity=[0.5] * 2)
    with pytest.raises(ConfigError, match="got 0 to 20; take --with vw"):
        learn_thompson(decisions, 0.05)
