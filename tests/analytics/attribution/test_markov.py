"""Markov models: removal effects as dense solves in fractions give them, at every order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sojourn.analytics.attribution import Paths, chain, windows
from sojourn.analytics.attribution.markov import Markov, markov
from sojourn.analytics.attribution.tallies import evaluate, measures_of, sums_of
from sojourn.model.errors import ConfigError
from tests.analytics.attribution import oracles
from tests.analytics.attribution.making import ask, conversions_of, paths_from, row_lists
from tests.analytics.attribution.oracles import Row
from tests.soak import tries


def by_channel(paths: Paths, numbers: np.ndarray) -> dict[str, float]:
    """Name the numbers."""
    return dict(zip(paths.channels, numbers.tolist(), strict=True))


def floats(exact: oracles.Credit) -> dict[str, float]:
    """Round fractions."""
    return {channel: float(value) for channel, value in exact.items()}


@pytest.fixture(params=["table", "list"])
def kept(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Keep windows in a table of all that could be, or in a list of those that are."""
    if request.param == "list":
        monkeypatch.setattr(windows, "LARGEST_TABLE", 0)
    return str(request.param)


@pytest.mark.parametrize("nulls", [True, False])
@pytest.mark.parametrize("order", [1, 2, 3])
def test_effects_are_those_of_dense_solves(kept: str, order: int, nulls: bool) -> None:
    """Each channel removed in turn, in exact fractions; conversions and value."""

    @settings(max_examples=tries(30), deadline=None)
    @given(rows=row_lists(n_channels=3, max_rows=5))
    def compare(rows: list[Row]) -> None:
        assume(any(row.path for row in rows))
        paths = paths_from(rows)
        model = markov(paths, order, nulls=nulls)
        credit = evaluate(model, measures_of(paths))
        effects, conversions, value, _ = oracles.markov(rows, order, nulls=nulls)
        assert credit.removal_effect is not None
        assert by_channel(paths, credit.removal_effect) == pytest.approx(floats(effects), abs=1e-12)
        assert by_channel(paths, credit.conversions) == pytest.approx(floats(conversions), abs=1e-10)
        assert by_channel(paths, credit.value) == pytest.approx(floats(value), abs=1e-10)

    assert kept in ("table", "list")
    compare()


@settings(deadline=None)
@given(rows=row_lists(), order=st.integers(1, 5))
def test_the_chance_of_a_conversion_is_the_same_at_every_order(rows: list[Row], order: int) -> None:
    """Flows are conserved: whatever a state remembers, as many convert."""
    paths = paths_from(rows)
    model = markov(paths, order)
    journeys = sum(row.conversions + row.nulls for row in rows if row.path)
    if journeys:
        rate = sum(row.conversions for row in rows if row.path) / journeys
        assert model.p_conversion(sums_of(model, measures_of(paths))) == pytest.approx(rate, abs=1e-12)


@settings(deadline=None)
@given(rows=row_lists(n_channels=3), order=st.integers(2, 4))
def test_a_list_of_windows_says_what_a_table_says(rows: list[Row], order: int) -> None:
    """They are two ways of keeping one chain."""
    paths = paths_from(rows)
    table = evaluate(markov(paths, order), measures_of(paths))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(windows, "LARGEST_TABLE", 0)
        model = markov(paths, order)
        listed = evaluate(model, measures_of(paths))
    assert model.walks.space.listed is not None
    np.testing.assert_allclose(listed.conversions, table.conversions, atol=1e-11)
    np.testing.assert_allclose(listed.value, table.value, atol=1e-11)


@settings(deadline=None)
@given(rows=row_lists(n_channels=3), order=st.integers(1, 3))
def test_columns_solved_one_by_one_are_those_solved_together(rows: list[Row], order: int) -> None:
    """Memory is bounded by solving some at a time, which must change nothing."""
    paths = paths_from(rows)
    together = evaluate(markov(paths, order), measures_of(paths))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chain, "COLUMN_CELLS", 1)
        alone = evaluate(markov(paths, order), measures_of(paths))
    np.testing.assert_allclose(alone.conversions, together.conversions, atol=1e-11)


def test_states_are_windows_and_paths_too_short_for_one() -> None:
    """Order 2: ab, bc, and the path a alone."""
    paths = paths_from([Row(("a", "b", "c"), 1), Row(("a",), 1)])
    assert ask(paths, "markov", order=2).definition.parameters == {
        "order": 2,
        "nulls": "with",
        "states": 3,
        "transitions": 1,
    }


def test_a_touch_repeated_is_one_visit() -> None:
    """Staying is no move: at order 1 a loop changes nothing."""
    once, often = (paths_from([Row(("a",) * n + ("b",), 3, 0, 2), Row(("a",), 1, 0, 4)]) for n in (1, 7))
    assert conversions_of(ask(once, "markov")) == pytest.approx(conversions_of(ask(often, "markov")))


def ping_pong(n_turns: int) -> Paths:
    """Go back and forth between two channels, with two more that break in."""
    random = np.random.default_rng(3)
    rows = [Row(("a", "b") * n_turns + ("a",) * (i % 2), i % 3, 5 * (i % 3), 1) for i in range(20)]
    rows += [Row(tuple("abcd"[j] for j in random.integers(0, 4, 6)), 1, 3, 2) for _ in range(30)]
    return paths_from(rows)


def dense(model: Markov, paths: Paths) -> np.ndarray:
    """Return the conversions lost without each channel, by a dense solve of each masked chain."""
    starts, moves, converted, _, short, *_ = sums_of(model, measures_of(paths))
    space = model.walks.space
    nulls = sums_of(model, measures_of(paths))[-1]
    mass = chain.Flow(space, starts, moves, converted + nulls).mass()
    sources, targets = space.moves()
    matrix = np.zeros((space.n_states, space.n_states))
    np.add.at(matrix, (sources, targets), chain.safe_divide(moves, mass[sources]))
    reward = chain.safe_divide(converted, mass)
    lost = []
    for channel in range(space.n_channels + 1):
        mask = ~(space.digits == channel).any(axis=0)
        x = np.linalg.solve(np.eye(len(mask)) - mask[:, None] * matrix, mask * reward)
        lost.append(starts @ x + short[-1] - (short[channel] if channel < space.n_channels else 0))
    return lost[-1] - np.array(lost[:-1])


@pytest.mark.parametrize("order", [2, 3])
def test_long_walks_are_solved_as_exactly_as_short_ones(order: int) -> None:
    """500 turns between two channels: bare sweeps need ten thousand."""
    paths = ping_pong(500)
    model = markov(paths, order)
    credit = evaluate(model, measures_of(paths))
    assert credit.removal_effect is not None
    lost = dense(model, paths) / paths.conversions.sum()
    np.testing.assert_allclose(credit.removal_effect, lost, rtol=1e-9, atol=1e-10)


def test_bare_sweeps_end_at_the_same_solution(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the correction does not help it is left out."""
    paths = ping_pong(20)
    corrected = evaluate(markov(paths, 2), measures_of(paths)).conversions
    monkeypatch.setattr(
        chain._Equation, "_correction", lambda self, residual, removed: 1.5 * np.ones_like(residual)
    )
    np.testing.assert_allclose(
        evaluate(markov(paths, 2), measures_of(paths)).conversions, corrected, rtol=1e-8
    )


def test_sweeps_have_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """A loop that could run for ever would."""
    monkeypatch.setattr(chain, "MAX_SWEEPS", 3)
    with pytest.raises(AssertionError, match="no solution after 3 sweeps"):
        ask(ping_pong(20), "markov", order=2)


@pytest.mark.parametrize("order", [1, 2])
def test_gradients_are_what_a_small_change_does(order: int) -> None:
    """One more of anything that is counted, by differences of the solution itself."""
    rows = [
        Row(("a", "b", "c", "a"), 3, 9, 2),
        Row(("b", "c"), 1, 2, 4),
        Row(("c", "a", "b"), 2, 8, 1),
        Row(("a",), 2, 3, 2),
    ]
    paths = paths_from(rows)
    model = markov(paths, order)
    sums = sums_of(model, measures_of(paths))
    gradients = list(model.gradients(sums))
    base = np.array([conversions_won(model, sums)]).ravel()
    for path, change in [(0, (1, 4, 0)), (2, (0, 0, 1)), (3, (1, 7, 0)), (1, (2, 0, 3))]:
        step = 1e-6
        changed = [each.copy() for each in measures_of(paths)]
        for measure, amount in zip(changed, change, strict=True):
            measure[path] += step * amount
        moved = sums_of(model, type(measures_of(paths))(*changed))
        expected = (conversions_won(model, moved) - base) / step
        slopes = [
            sum(
                float(slope @ (after - before))
                for slope, after, before in zip(gradient, moved, sums, strict=True)
                if slope is not None
            )
            / step
            for gradient in gradients
        ]
        np.testing.assert_allclose(slopes, expected, atol=1e-4)


def conversions_won(model: Markov, sums: list[np.ndarray]) -> np.ndarray:
    """Return what is won without each channel."""
    return model.outputs(sums)


def test_without_a_conversion_nobody_is_credited() -> None:
    """Nothing is shared out, and nothing divided by it."""
    answer = ask(paths_from([Row(("a", "b"), 0, 0, 5)]), "markov")
    assert [(one.conversions, one.removal_effect) for one in answer.channels] == [(0.0, 0.0), (0.0, 0.0)]


def test_a_channel_on_every_converting_path_has_a_removal_effect_of_one() -> None:
    """Without it nothing is left."""
    answer = ask(paths_from([Row(("a", "b"), 2, 0, 1), Row(("c", "a"), 1, 0, 5)]), "markov")
    assert {one.channel: one.removal_effect for one in answer.channels}["a"] == pytest.approx(1.0)


@pytest.mark.parametrize(("order", "message"), [(0, "expected 1 or more"), (60, "too many windows")])
def test_an_order_that_is_none_is_refused(order: int, message: str) -> None:
    """A window is one 64-bit number."""
    with pytest.raises(ConfigError, match=message):
        ask(paths_from([Row(("a", "b", "c"), 1)]), "markov", order=order)


def test_five_hundred_channels_are_no_trouble() -> None:
    """One inverse serves them all."""
    random = np.random.default_rng(0)
    rows = [
        Row(tuple(f"c{j:03d}" for j in random.integers(0, 500, random.integers(1, 8))), int(i % 3 == 0), 0, 1)
        for i in range(4_000)
    ]
    credit = conversions_of(ask(paths_from(rows), "markov"))
    assert len(credit) == 500
    assert sum(credit.values()) == pytest.approx(sum(row.conversions for row in rows), abs=1e-9)
