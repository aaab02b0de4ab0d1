"""Adaptive splits beside fixed ones: the same people, what is learnt and when, and what the page says."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from bench.adaptive import PAGE, page, section
from sojourn.analytics.policies.decisions import Decisions
from sojourn.analytics.policies.estimating import target_of
from sojourn.analytics.policies.evaluating import Asked, evaluate
from sojourn.analytics.simulator import adaptive as rules
from sojourn.analytics.simulator.adaptive import (
    FLOOR,
    RULES,
    Compared,
    Counts,
    Floats,
    Rule,
    World,
    compare,
    converted,
    people_of,
    play,
)
from sojourn.analytics.simulator.adaptive_worlds import WORLDS
from sojourn.definitions.thompson import weights

SMALL = replace(WORLDS[0], days=20, per_day=60)


def recorded(rule: Rule) -> tuple[Rule, list[Floats]]:
    """Wrap a rule, and keep the weights it gave each day."""
    given: list[Floats] = []

    def run(world: World, day: int, known: Counts) -> Floats:
        given.append(rule(world, day, known))
        return given[-1]

    return run, given


def test_the_same_seed_invents_the_same_people_and_another_seed_others() -> None:
    """Differences between rules are theirs alone."""
    one, again, other = (people_of(SMALL, seed) for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(one, again, strict=True))
    assert not np.array_equal(one.place, other.place)


def test_rates_are_those_of_the_world() -> None:
    """At the first visit, and for three in ten of the others at a second one."""
    world = replace(WORLDS[0], per_day=2_000)
    people = people_of(world, 0)
    for state in range(4):
        for offer in range(3):
            rate = world.rates[state][offer]
            here = people.state == state
            expected = rate + (1 - rate) * world.comes_back * rate
            error = (expected * (1 - expected) / here.sum()) ** 0.5
            assert people.converts[offer, here].mean() == pytest.approx(expected, abs=4 * error)
            assert people.rewards[offer, here].mean() <= people.converts[offer, here].mean()


@pytest.mark.parametrize(
    ("rule", "is_by_state"), [(rules.adaptive, False), (rules.branching, True)], ids=["adaptive", "branching"]
)
def test_weights_follow_from_rewards_whose_time_is_over(rule: Rule, is_by_state: bool) -> None:
    """Counted anew for each day, person by person: who met an offer so long ago that no reward is awaited."""
    people = people_of(SMALL, 3)
    run, given = recorded(rule)
    offers = play(SMALL, people, run).tolist()
    days, states = people.day.tolist(), people.state.tolist()
    for day in range(SMALL.days):
        over = [i for i, then in enumerate(days) if then + SMALL.within_days < day]
        for state in range(4):
            mine = [i for i in over if not is_by_state or states[i] == state]
            tried = [sum(offers[i] == offer for i in mine) for offer in range(3)]
            won = [sum(offers[i] == o and bool(people.rewards[o, i]) for i in mine) for o in range(3)]
            assert tuple(given[day][state].tolist()) == weights(won, tried, FLOOR)


def test_offers_are_drawn_by_the_weights() -> None:
    """By the place where the hash puts somebody."""
    people = people_of(replace(SMALL, per_day=5_000), 0)

    def uneven(world: World, day: int, known: Counts) -> Floats:
        del world, day, known
        return np.array([[0.2, 0.3, 0.5], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])

    offers = play(replace(SMALL, per_day=5_000), people, uneven)
    share = np.bincount(offers[people.state == 0]) / (people.state == 0).sum()
    assert share == pytest.approx([0.2, 0.3, 0.5], abs=0.01)
    assert [set(offers[people.state == state].tolist()) for state in (1, 2, 3)] == [{0}, {1}, {2}]


def test_where_nothing_makes_a_difference_no_rule_does() -> None:
    """Exactly: the same people convert."""
    assert all(row.lift == (0.0, 0.0, 0.0) for row in compare(replace(WORLDS[2], days=10), replicates=2))


def test_where_states_differ_branching_beats_all_that_do_not_look_at_them() -> None:
    """By far more than chance explains, with a regret that is less than half of the best single offer's."""
    found = {row.rule: row for row in compare(WORLDS[0], replicates=4)}
    names = list(RULES)
    branching = found[names[4]]
    assert branching.lift[1] > max(found[name].lift[2] for name in [*names[:4], names[5]])
    assert branching.regret[2] < found[names[5]].regret[1] / 2
    assert found[names[-1]].regret == (0.0, 0.0, 0.0)


def test_a_trial_offers_its_winner_when_it_is_over() -> None:
    """To everybody alike, and evenly before."""
    people = people_of(WORLDS[1], 0)
    run, given = recorded(rules.winner)
    play(WORLDS[1], people, run)
    assert np.allclose(given[13], 1 / 3)
    assert np.array_equal(given[-1], [[0, 1, 0]] * 4)


def logged_by(world: World, seed: int, rule: Rule) -> Decisions:
    """Play a rule, and write down its decisions as the engine does."""
    people = people_of(world, seed)
    run, given = recorded(rule)
    offers = play(world, people, run)
    shares = np.concatenate(given)
    row = people.day * len(world.states) + people.state
    n = len(offers)
    return Decisions(
        variants=world.offers,
        contexts=world.states,
        variant=offers.astype(np.int32),
        context=people.state.astype(np.int32),
        reward=converted(people, offers).astype(float),
        propensity=shares[row, offers],
        person=np.arange(n, dtype=np.int32),
        n_people=n,
        drawn_from=row.astype(np.int32),
        eligible=shares,
    )


def covers(seeds: range, rule: Callable[..., Any]) -> float:
    """Return how often DR's interval, of the best in each state, holds what that really earns."""
    world = replace(WORLDS[0], days=20)
    shares = rules.best_by_state(world, 0, Counts(np.zeros((4, 3)), np.zeros((4, 3))))
    rates = np.array(world.rates).max(axis=1)
    truth = np.array(world.share) @ (rates + (1 - rates) * world.comes_back * rates)
    hits = []
    for seed in seeds:
        decisions = logged_by(world, seed, rule)
        found = evaluate(decisions, target_of(decisions, shares), Asked(replicates=300, seed=seed))
        assert found.refused == ()
        robust = found.estimates[0]
        assert robust.low is not None
        assert robust.high is not None
        hits.append(robust.low <= truth <= robust.high)
    return float(np.mean(hits))


def test_what_an_adaptive_split_logged_judges_other_policies() -> None:
    """Its floor keeps every offer alive, and its probabilities say how much each decision tells."""
    assert covers(range(12), rules.branching) >= 0.75


@pytest.mark.slow
def test_intervals_from_adaptive_logs_cover_the_truth() -> None:
    """Weights that depend on the past make rewards depend on one another, and hardly at all."""
    assert covers(range(150), rules.branching) >= 0.92


def test_the_page_is_what_the_command_writes_but_for_its_figures() -> None:
    """Whoever changes a world or a rule writes the page anew."""

    def worded(text: str) -> str:
        return re.sub(r"[-+]?\d[\d.,]*%?", "#", text)

    one = (0.0, 0.0, 0.0)
    rows = [
        Compared(rule=name, conversion=one, lift=one, one_run=(0.0, 0.0), over_split=one, regret=one)
        for name in RULES
    ]
    written = page([section(world, rows) for world in WORLDS], replicates=200, seed=0)
    assert worded(PAGE.read_text(encoding="utf-8")) == worded(written)
