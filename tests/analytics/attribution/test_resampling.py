"""Intervals: they are the bootstrap's by person, and hold the truth as often as they say."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from sojourn.analytics.attribution import Bootstrap, Options, Paths, attribute, resampling
from sojourn.analytics.attribution import heuristics as rules
from sojourn.analytics.attribution.markov import Markov, markov
from sojourn.analytics.attribution.rates import RateGame, rate_game
from sojourn.analytics.attribution.resampling import Draws, deal
from sojourn.analytics.attribution.shapley import sum_game
from sojourn.analytics.attribution.tallies import Model
from sojourn.model.errors import ConfigError
from tests.analytics.attribution.making import ask, conversions_of, paths_from
from tests.analytics.attribution.oracles import Row

BEGINS = (0.5, 0.3, 0.15, 0.05)
MOVES = ((0.2, 0.4, 0.3, 0.1), (0.3, 0.2, 0.4, 0.1), (0.4, 0.3, 0.2, 0.1), (0.3, 0.3, 0.3, 0.1))
CONVERTS = (0.5, 0.3, 0.2, 0.4)
ENDS = 0.4
COMES_BACK = 0.3


def world(n_people: int, seed: int) -> Paths:
    """Let people walk: a journey or more each, through four channels; one converts by where it ends."""
    rows, people, chance = [], [], random.Random(seed)
    for person in range(n_people):
        comes = True
        while comes:
            path = chance.choices(range(4), BEGINS)
            while chance.random() > ENDS:
                path += chance.choices(range(4), MOVES[path[-1]])
            converts = chance.random() < CONVERTS[path[-1]]
            rows.append(Row(tuple("abcd"[c] for c in path), int(converts), 0, int(not converts)))
            people.append(person)
            comes = chance.random() < COMES_BACK
    return paths_from(rows, people=people)


def aggregated(paths: Paths) -> list[Row]:
    """Sum the rows of each path, as a file would have them."""
    sums: dict[tuple[str, ...], list[int]] = {}
    for i in range(len(paths)):
        codes = paths.codes[paths.offsets[i] : paths.offsets[i + 1]].tolist()
        row = sums.setdefault(tuple(paths.channels[c] for c in codes), [0, 0])
        row[0] += int(paths.conversions[i])
        row[1] += int(paths.nulls[i])
    return [Row(path, conversions, 7 * conversions, nulls) for path, (conversions, nulls) in sums.items()]


def replicates(paths: Paths, model: Model, n: int, seed: int = 0) -> NDArray[np.float64]:
    """Draw credit, shape (n, n_channels)."""
    found = Draws(deal(paths.sample, seed), n, seed).replicate(paths, model)
    assert found is not None
    return found.conversions


def test_a_replicate_is_what_the_drawn_people_would_say() -> None:
    """Each is asked again from a file of exactly these people, as often as they were drawn."""
    paths = world(40, 1)
    draws = Draws(deal(paths.sample, 0), 5, 0)
    assert draws.weights is not None
    assert draws.weights.sum(axis=1).tolist() == [40.0] * 5
    for model in (rules.linear, sum_game, markov, rate_game, lambda each: markov(each, 2)):
        found = draws.replicate(paths, model(paths))
        assert found is not None
        for weights, conversions in zip(draws.weights, found.conversions, strict=True):
            weight = weights[paths.sample.person]
            drawn = replace(
                paths,
                conversions=paths.conversions * weight,
                nulls=paths.nulls * weight,
                value=paths.value * weight,
            )
            expected = evaluate_again(model(drawn), drawn)
            np.testing.assert_allclose(conversions, expected, atol=1e-9)


def evaluate_again(model: Model, paths: Paths) -> NDArray[np.float64]:
    """Ask a model of paths as they are."""
    measures = resampling.measures_of(paths)
    return resampling.evaluate(model, measures).conversions


def test_groups_kept_and_paths_summed_anew_are_two_ways_to_one_sum(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model with many sums is asked path by path."""
    paths = world(60, 2)
    kept = replicates(paths, markov(paths), 8)
    monkeypatch.setattr(resampling, "MAX_FEATURES", 0)
    np.testing.assert_allclose(replicates(paths, markov(paths), 8), kept, atol=1e-9)


def test_rows_are_gone_through_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is bounded, and the sums are the same."""
    paths = world(60, 2)
    whole = replicates(paths, rules.linear(paths), 8)
    monkeypatch.setattr(resampling, "CHUNK", 7)
    np.testing.assert_allclose(replicates(paths, rules.linear(paths), 8), whole, atol=1e-9)


@pytest.mark.parametrize("way", ["each journey", "counted"])
def test_aggregated_paths_vary_as_their_journeys_would(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One by one, or a row's count as a whole: both have the standard error of counts in a sample."""
    if way == "counted":
        monkeypatch.setattr(resampling, "MAX_JOURNEYS", 0)
    rows = [Row(("a",), 300, 0, 0), Row(("b",), 100, 0, 200), Row(("a", "b"), 0, 0, 400)]
    paths = paths_from(rows)
    assert deal(paths.sample, 0).is_counted == (way == "counted")
    drawn = replicates(paths, rules.last(paths), 2_000)
    expected = [np.sqrt(1_000 * share * (1 - share)) for share in (0.3, 0.1)]
    np.testing.assert_allclose(drawn.std(axis=0), expected, rtol=0.06)
    np.testing.assert_allclose(drawn.mean(axis=0), [300, 100], rtol=0.02)


def test_many_people_are_drawn_in_groups_and_vary_as_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Dealt at random, groups are people as uncertain."""
    paths = world(2_000, 3)
    alone = replicates(paths, markov(paths), 1_500).std(axis=0)
    monkeypatch.setattr(resampling, "MAX_GROUPS", 300)
    dealt = deal(paths.sample, 0)
    assert (dealt.n_groups, dealt.n_units) == (300, 2_000)
    assert set(np.bincount(dealt.group[np.unique(paths.sample.person, return_index=True)[1]])) <= {6, 7}
    np.testing.assert_allclose(replicates(paths, markov(paths), 1_500).std(axis=0), alone, rtol=0.15)


class _Dear:
    """A model that says it is too dear to be solved again."""

    is_dear = True

    def __init__(self, model: Markov | RateGame) -> None:
        self.model = model

    def __getattr__(self, name: str) -> object:
        return getattr(self.model, name)


@pytest.mark.parametrize("counted", [False, True])
@pytest.mark.parametrize("model", [lambda paths: markov(paths, 2), lambda paths: markov(paths, 3), rate_game])
def test_a_linearised_interval_is_as_wide_as_a_solved_one(
    model: object, counted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first-order change of the solution stands for the solution."""
    monkeypatch.setattr(resampling, "MAX_FEATURES", 0)
    if counted:
        monkeypatch.setattr(resampling, "MAX_JOURNEYS", 0)
    paths = paths_from(aggregated(world(1_500, 4)))
    made = model(paths)  # type: ignore[operator]
    solved, linear = (replicates(paths, each, 200) for each in (made, _Dear(made)))
    np.testing.assert_allclose(linear.std(axis=0), solved.std(axis=0), rtol=0.1)
    np.testing.assert_allclose(linear.mean(axis=0), solved.mean(axis=0), rtol=0.05)


def test_a_model_too_large_to_be_linearised_has_no_interval_and_says_why(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A bound with a name, and no number made up."""
    monkeypatch.setattr(resampling, "MAX_FEATURES", 0)
    monkeypatch.setattr(resampling, "MAX_CELLS", 0)
    monkeypatch.setattr(Markov, "is_dear", True)
    (answer,) = attribute(world(50, 1), ["markov"])
    assert answer.definition.interval.method == "none"
    assert "no interval" in answer.definition.interval.note
    assert all(one.low is None and one.removal_low is None for one in answer.channels)


def test_the_same_seed_gives_the_same_interval_whatever_else_is_asked() -> None:
    """And another seed another."""
    paths = world(200, 5)
    (alone,) = attribute(paths, ["markov"])
    *_, beside = attribute(paths, ["first", "shapley", "markov"])
    (other,) = attribute(paths, ["markov"], bootstrap=Bootstrap(seed=1))
    assert alone == beside
    assert alone.channels != other.channels


def test_without_replicates_there_are_no_intervals() -> None:
    """A number alone, when it was asked for so."""
    answer = ask(world(50, 1), "linear")
    assert answer.definition.interval.replicates == 0
    assert all((one.low, one.high, one.value_low) == (None, None, None) for one in answer.channels)


@pytest.mark.parametrize(
    "bootstrap", [Bootstrap(replicates=-1), Bootstrap(replicates=10**6), Bootstrap(level=1.0)]
)
def test_a_bootstrap_that_is_none_is_refused(bootstrap: Bootstrap) -> None:
    """Bounds have names."""
    with pytest.raises(ConfigError, match=r"replicates; expected|the level is"):
        attribute(world(5, 1), ["first"], bootstrap=bootstrap)


def test_a_rare_channel_is_marked() -> None:
    """Below 30 conversions the interval is itself uncertain."""
    answer = ask(paths_from([Row(("a",), 100), Row(("b",), 29), Row(("c",), 30)]), "last")
    assert {one.channel: one.is_rare for one in answer.channels} == {"a": False, "b": True, "c": False}


def test_the_interval_of_an_untouched_conversion_is_a_counts() -> None:
    """`(none)` is as uncertain as everybody."""
    (answer,) = attribute(paths_from([Row((), 400, 800, 0), Row(("a",), 600)]), ["markov"])
    nobody = next(one for one in answer.channels if one.channel == "(none)")
    assert nobody.low is not None
    assert nobody.high is not None
    assert nobody.low == pytest.approx(400 - 1.96 * 15.5, abs=8)
    assert nobody.high == pytest.approx(400 + 1.96 * 15.5, abs=8)


def coverage(n_worlds: int, n_people: int, model: str, truth: dict[str, float], **options: object) -> float:
    """Tell how often intervals of worlds hold what a world is expected to give."""
    held = []
    for seed in range(n_worlds):
        (answer,) = attribute(world(n_people, 1_000 + seed), [model], options=Options(**options))  # type: ignore[arg-type]
        for one in answer.channels:
            assert one.low is not None
            assert one.high is not None
            held.append(one.low <= truth[one.channel] * n_people <= one.high)
    return float(np.mean(held))


def truth_of(model: str, n_people: int, **options: object) -> dict[str, float]:
    """Return the credit a person brings, from one world of very many."""
    credit = conversions_of(ask(paths_from(aggregated(world(n_people, 7))), model, **options))
    return {channel: conversions / n_people for channel, conversions in credit.items()}


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    """A short look at one heuristic and the chain; the long one is among the slow tests."""
    for model in ("linear", "markov"):
        assert 0.90 <= coverage(40, 500, model, truth_of(model, 40_000)) <= 0.99


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "options"),
    [("first", {}), ("markov", {})],
)
def test_intervals_hold_the_truth_95_times_in_a_hundred(model: str, options: dict[str, object]) -> None:
    """500 worlds of 1,500 people: 93 to 97 % of all intervals."""
    assert 0.93 <= coverage(500, 1_500, model, truth_of(model, 400_000, **options), **options) <= 0.97


@pytest.mark.slow
def test_linearised_intervals_hold_the_truth_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Order 3, every replicate by its first-order change."""
    monkeypatch.setattr(resampling, "MAX_FEATURES", 0)
    monkeypatch.setattr(Markov, "is_dear", True)
    held = coverage(300, 1_500, "markov", truth_of("markov", 400_000, order=3), order=3)
    assert 0.93 <= held <= 0.97
