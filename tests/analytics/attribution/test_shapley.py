"""Shapley values: as going through all coalitions gives them, and the axioms they are known by."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

from sojourn.analytics.attribution import rates
from sojourn.analytics.attribution.rates import RateGame, SampledRateGame, rate_game, shapley_values
from sojourn.analytics.attribution.tallies import Credit, evaluate, measures_of, sums_of
from tests.analytics.attribution import oracles
from tests.analytics.attribution.making import ask, conversions_of, paths_from, row_lists
from tests.analytics.attribution.oracles import Row, channels_of, rate_worth, shapley, sum_worth
from tests.soak import tries

FEW = settings(max_examples=tries(50), deadline=None)


def floats(exact: oracles.Credit) -> dict[str, float]:
    """Round fractions."""
    return {channel: float(value) for channel, value in exact.items()}


def phi_of(rows: list[Row]) -> dict[str, float]:
    """Return the values of the rate game."""
    return {
        one.channel: one.phi for one in ask(paths_from(rows), "shapley-rate").channels if one.phi is not None
    }


@FEW
@given(rows=row_lists())
def test_the_closed_form_is_the_shapley_value_of_the_sum_game(rows: list[Row]) -> None:
    """Zhao and others: 2^n coalitions say the same."""
    expected = floats(shapley(channels_of(rows), sum_worth(rows)))
    credit = conversions_of(ask(paths_from(rows), "shapley"))
    assert {channel: credit[channel] for channel in expected} == pytest.approx(expected, abs=1e-9)


@FEW
@given(rows=row_lists())
def test_rates_are_shared_as_going_through_all_coalitions_does(rows: list[Row]) -> None:
    """The transforms are a way of adding up, and no other definition."""
    expected = floats(shapley(channels_of(rows), rate_worth(rows)))
    assert phi_of(rows) == pytest.approx(expected, abs=1e-12)


@FEW
@given(rows=row_lists())
def test_the_ordered_value_says_where_in_the_path(rows: list[Row]) -> None:
    """By the formula, place by place; and it adds up to the plain value."""
    answer = ask(paths_from(rows), "shapley-ordered")
    expected = oracles.ordered(rows)
    for one in answer.channels:
        if one.positions is not None:
            places = [float(expected.get((one.channel, place), 0)) for place in range(10)]
            assert one.positions == pytest.approx(places, abs=1e-9)
    plain = conversions_of(ask(paths_from(rows), "shapley"))
    assert conversions_of(answer) == pytest.approx(plain, abs=1e-9)


def test_places_after_the_ninth_are_one() -> None:
    """The view adds up, however long a path is."""
    answer = ask(paths_from([Row(("a",) * 12, 12)]), "shapley-ordered")
    assert answer.channels[0].positions == pytest.approx([1.0] * 9 + [3.0])


@FEW
@given(rows=row_lists())
def test_values_add_up_to_the_rate_of_all(rows: list[Row]) -> None:
    """Efficiency."""
    values = phi_of(rows)
    assert sum(values.values()) == pytest.approx(float(rate_worth(rows)(frozenset(values))), abs=1e-9)


@FEW
@given(rows=row_lists(n_channels=3))
def test_channels_that_play_the_same_part_have_the_same_value(rows: list[Row]) -> None:
    """Symmetry: each path again with a and b changed about."""
    change = {"a": "b", "b": "a"}
    both = [*rows, *(row._replace(path=tuple(change.get(c, c) for c in row.path)) for row in rows)]
    values, credit = phi_of(both), conversions_of(ask(paths_from(both), "shapley"))
    assert values.get("a", 0) == pytest.approx(values.get("b", 0), abs=1e-9)
    assert credit.get("a", 0) == pytest.approx(credit.get("b", 0), abs=1e-9)


@FEW
@given(rows=row_lists(n_channels=3))
def test_a_channel_that_changes_nothing_has_nothing(rows: list[Row]) -> None:
    """Null player: everybody who meets others meets z or does not, with no difference."""
    touched = [row for row in rows if row.path]
    both = [*touched, *(row._replace(path=(*row.path, "z")) for row in touched)]
    assert phi_of(both).get("z", 0) == pytest.approx(0, abs=1e-9)
    # In the sum game z has no part only where it stands on no path that converted.
    without = [*touched, Row(("z",), 0, 0, 5)]
    assert conversions_of(ask(paths_from(without), "shapley"))["z"] == 0


def test_a_channel_that_keeps_people_from_converting_has_a_negative_value() -> None:
    """That is the game, and the credit shows it."""
    rows = [Row(("a",), 9, 0, 1), Row(("a", "b"), 1, 0, 9)]
    assert conversions_of(ask(paths_from(rows), "shapley-rate"))["b"] < 0


@pytest.fixture
def many() -> list[Row]:
    """Many paths over 30 channels."""
    random = np.random.default_rng(5)
    return [
        Row(tuple(f"c{j:02d}" for j in random.integers(0, 30, random.integers(1, 5))), i % 3, 2 * (i % 3), 2)
        for i in range(600)
    ]


def test_more_channels_than_can_be_gone_through_are_sampled(many: list[Row]) -> None:
    """And the answer says so, with what sampling adds to the uncertainty."""
    answer = ask(paths_from(many), "shapley-rate", n_permutations=200)
    assert answer.definition.parameters == {"coalitions": "sampled", "permutations": 200, "seed": 0}
    assert all(one.standard_error is not None and one.standard_error > 0 for one in answer.channels)
    assert sum(conversions_of(answer).values()) == pytest.approx(answer.totals.conversions, abs=1e-9)


def sampled(rows: list[Row], seed: int, n_permutations: int = 400) -> Credit:
    """Sample a game that could be gone through."""
    paths = paths_from(rows)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rates, "MAX_EXACT", 0)
        model = rate_game(paths, n_permutations=n_permutations, seed=seed)
    assert isinstance(model, SampledRateGame)
    return evaluate(model, measures_of(paths))


def test_sampling_is_off_by_its_standard_error() -> None:
    """Over 60 seeds the distance to the exact value is one standard error, root mean square."""
    random = np.random.default_rng(2)
    rows = [
        Row(tuple("abcdefgh"[j] for j in random.integers(0, 8, random.integers(1, 6))), i % 3, 0, 2)
        for i in range(200)
    ]
    exact = evaluate(rate_game(paths_from(rows)), measures_of(paths_from(rows))).conversions
    distances = []
    for seed in range(60):
        credit = sampled(rows, seed)
        assert credit.error is not None
        distances.append((credit.conversions - exact) / credit.error)
    assert 0.9 < np.sqrt(np.mean(np.square(distances))) < 1.1


def test_sampling_does_not_depend_on_names(many: list[Row]) -> None:
    """Channels are drawn by what they brought; only of equals the name decides, and here are none."""
    few = [row._replace(value=row.conversions * (1_000 + i**2)) for i, row in enumerate(many)]
    renamed = [row._replace(path=tuple(f"n{97 - int(c[1:]) * 3:02d}" for c in row.path)) for row in few]
    before, after = (conversions_of(ask(paths_from(rows), "shapley-rate")) for rows in (few, renamed))
    assert {f"n{97 - int(c[1:]) * 3:02d}": credit for c, credit in before.items()} == pytest.approx(after)


def test_values_of_twenty_players_add_up() -> None:
    """A million coalitions: rounding does not."""
    worth = np.random.default_rng(0).random(2**20)
    worth[0], in_all = 0.0, float(worth[-1])
    assert shapley_values(worth.copy()).sum() == pytest.approx(in_all, abs=1e-9)


def test_gradients_of_the_rate_game_are_what_a_small_change_does() -> None:
    """By differences of the values themselves."""
    random = np.random.default_rng(1)
    rows = [
        Row(tuple("abcde"[j] for j in random.integers(0, 5, random.integers(1, 5))), i % 4, 3 * (i % 4), 2)
        for i in range(40)
    ]
    paths = paths_from(rows)
    model = rate_game(paths)
    assert isinstance(model, RateGame)
    sums = sums_of(model, measures_of(paths))
    base, gradients = model.outputs(sums), list(model.gradients(sums))
    for tally in range(3):
        for place in range(0, len(sums[0]), 3):
            moved = [each.copy() for each in sums]
            moved[tally][place] += 1e-6
            expected = (model.outputs(moved) - base) / 1e-6
            slopes = [0.0 if each[tally] is None else each[tally][place] for each in gradients]
            np.testing.assert_allclose(slopes, expected, atol=1e-5)


def test_sixty_five_channels_are_told_apart() -> None:
    """A set of them does not fit one 64-bit number."""
    rows = [Row((f"c{i:03d}", f"c{(i + 64) % 130:03d}"), 1, 0, i % 3) for i in range(130)]
    paths = paths_from(rows)
    model = rate_game(paths)
    assert isinstance(model, SampledRateGame)
    assert len(model.begins) == len({frozenset(row.path) for row in rows})
