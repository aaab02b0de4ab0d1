"""Assignment: GrowthBook's rules on cases of our own, and shares that are as they were asked."""

from __future__ import annotations

from math import sqrt
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.definitions.experiment import Experiment, Namespace, Reward
from sojourn.definitions.forecasts import OTHER
from sojourn.definitions.guards import compile_expression
from sojourn.engine.experiments import (
    BUCKETS,
    BUCKETS_V1,
    MAX_CELL_CHARS,
    Choice,
    Weights,
    bucket,
    bucket_ranges,
    choose,
    choose_variant,
    in_namespace,
    place,
)
from sojourn.engine.state import Life, Trait
from sojourn.engine.view import View
from tests.engine.makers import EMPTY

UNITS = [f"{Random(n).randrange(1 << 60):x}" for n in range(4_000)]
FAIR = Experiment(id="e", variants=("a", "b"), weights=(0.5, 0.5))


def chosen(
    experiment: Experiment, unit: str, *, kept: dict[str, str] | None = None, learnt: Weights | None = None
) -> Choice | None:
    """Ask about somebody of whom nothing else is known."""
    view = View(Life(), EMPTY, at=0, unit=unit)
    return choose(experiment, unit, kept=kept or {}, scope=view, learnt=learnt or {})


def naive_fnv1a(text: str) -> int:
    """FNV-1a, 32 bits, as its authors wrote it down, over the 16-bit units of JavaScript's strings."""
    found = 2166136261
    encoded = text.encode("utf-16-le")
    for low, high in zip(encoded[::2], encoded[1::2], strict=True):
        found = ((found ^ (low + 256 * high)) * 16777619) % 2**32
    return found


@pytest.mark.parametrize(
    ("unit", "place"), [("ann", 0.2524), ("zoë", 0.4193), ("日本", 0.5427), ("😀x", 0.1686)]
)
def test_ids_of_any_script_are_where_growthbooks_sdk_for_browsers_puts_them(unit: str, place: float) -> None:
    """Places that its version 1.8 gives: it hashes the code units of JavaScript's strings."""
    assert bucket("sé", unit) == place


@given(st.text(max_size=30), st.text(max_size=30))
def test_the_hash_is_as_it_is_written_down(seed: str, unit: str) -> None:
    """Both versions, on any text; there is no third."""
    assert (
        place(seed, unit, 2)
        == bucket(seed, unit)
        == naive_fnv1a(str(naive_fnv1a(seed + unit))) % 10_000 / 10_000
    )
    assert place(seed, unit, 1) == naive_fnv1a(unit + seed) % 1_000 / 1_000
    assert place(seed, unit, 3) is None


@given(
    st.lists(st.floats(0.01, 10), min_size=1, max_size=8),
    st.floats(0, 1),
    st.integers(0, BUCKETS - 1),
)
def test_ranges_part_everybody_as_the_weights_say(weights: list[float], coverage: float, n: int) -> None:
    """Each variant has the covered share of its part, and nobody is in two."""
    shares = [weight / sum(weights) for weight in weights]
    ranges = bucket_ranges(len(shares), coverage, shares)
    found = n / BUCKETS
    edges = [0.0]
    for share in shares:
        edges.append(edges[-1] + share)
    inside = [i for i, share in enumerate(shares) if edges[i] <= found < edges[i] + coverage * share]
    assert choose_variant(found, ranges) == (inside[0] if inside else -1)
    assert len(inside) <= 1
    assert sum(end - start for start, end in ranges) == pytest.approx(coverage)


@pytest.mark.parametrize("weights", [None, [], [0.5], [0.5, 0.4], [0.6, 0.6], [1, 1]])
def test_what_is_no_set_of_weights_counts_as_equal_ones(weights: list[float] | None) -> None:
    """As GrowthBook has it: a slip elsewhere must not send everybody one way."""
    assert bucket_ranges(2, 1, weights) == [(0, 0.5), (0.5, 1)]


def test_parts_of_a_namespace_that_do_not_overlap_share_nobody() -> None:
    """And together, they have everybody; a part has about as many as it is wide."""
    parts = [Namespace("n", 0.0, 0.3), Namespace("n", 0.3, 0.4), Namespace("n", 0.4, 1.0)]
    each = [[in_namespace(unit, part) for part in parts] for unit in UNITS]
    assert {sum(found) for found in each} == {1}
    n_first = sum(found[0] for found in each)
    assert abs(n_first - 0.3 * len(UNITS)) < 4 * sqrt(0.21 * len(UNITS))
    assert in_namespace("ann", Namespace("n", place("__n", "ann", 1) or 0, 1))
    assert (place("__n", "ann", 1) or 0) * BUCKETS_V1 % 1 == 0


def test_shares_are_as_asked_among_those_who_take_part() -> None:
    """Coverage takes alike from all variants, and the probability told is that among who takes part."""
    experiment = Experiment(id="e", variants=("a", "b"), weights=(0.8, 0.2), coverage=0.5)
    each = [choice for unit in UNITS if (choice := chosen(experiment, unit))]
    n, p = len(each), sum(choice.variant == "b" for choice in each) / len(each)
    assert abs(n - 0.5 * len(UNITS)) < 4 * sqrt(0.25 * len(UNITS))
    assert abs(p - 0.2) < 4 * sqrt(0.16 / n)
    assert {(choice.variant, choice.propensity) for choice in each} == {("a", 0.8), ("b", 0.2)}
    assert each[0].eligible == {"a": 0.8, "b": 0.2}


def test_two_experiments_are_independent_whatever_their_coverage() -> None:
    """Who gets one variant here is no likelier to get any there."""
    other = Experiment(id="f", variants=("a", "b"), weights=(0.5, 0.5))
    pairs = [(chosen(FAIR, unit), chosen(other, unit)) for unit in UNITS]
    n_both = sum(one is not None and two is not None and one.variant == two.variant for one, two in pairs)
    assert abs(n_both - 0.5 * len(UNITS)) < 4 * sqrt(0.25 * len(UNITS))


def test_whoever_met_a_variant_keeps_it() -> None:
    """Also when weights, coverage or the namespace would say otherwise; unless it is not sticky."""
    narrow = Experiment(
        id="e", variants=("a", "b"), weights=(0.5, 0.5), coverage=0.0001, namespace=Namespace("n", 0.0, 0.0)
    )
    assert chosen(narrow, "ann") is None
    kept = chosen(narrow, "ann", kept={"e": "b"})
    assert kept is not None
    assert (kept.variant, kept.is_kept) == ("b", True)
    loose = Experiment(id="e", variants=("a", "b"), weights=(1.0, 0.0), is_sticky=False)
    drawn = chosen(loose, "ann", kept={"e": "b"})
    assert drawn is not None
    assert (drawn.variant, drawn.is_kept) == ("a", False)


def test_a_variant_that_is_no_more_is_drawn_anew() -> None:
    """Nobody can be shown it."""
    found = chosen(FAIR, "ann", kept={"e": "gone"})
    assert found is not None
    assert not found.is_kept


def test_whoever_met_an_excluded_version_takes_no_part() -> None:
    """Their behaviour is already another's."""
    later = Experiment(id="e__2", variants=("a", "b"), weights=(0.5, 0.5), excludes=("e", "e__1"))
    assert chosen(later, "ann") is not None
    assert chosen(later, "ann", kept={"e__1": "a"}) is None


def test_learnt_weights_are_those_of_the_cell() -> None:
    """Of a cell nobody knows, those of all rare ones, or as defined; a fixed allocation learns nothing."""
    plan = compile_expression("trait.plan")
    adaptive = Experiment(
        id="e",
        variants=("a", "b"),
        weights=(0.5, 0.5),
        allocation="adaptive",
        reward=Reward(within_ms=1),
        by=(plan,),
    )
    learnt = {"e": {'"pro"': [0.1, 0.9], OTHER: [0.7, 0.3], '"odd"': [1.0]}}

    def weights(value: str | None, known: Weights) -> list[float]:
        life = Life(traits={"plan": Trait(0, "m", value)} if value else {})
        found = choose(adaptive, "ann", kept={}, scope=View(life, EMPTY, at=0, unit="ann"), learnt=known)
        assert found is not None
        assert found.allocation == "adaptive"
        return [*found.eligible.values()]

    assert weights("pro", learnt) == [0.1, 0.9]
    assert weights("free", learnt) == weights(None, learnt) == [0.7, 0.3]
    assert weights("odd", learnt) == weights("free", {}) == [0.5, 0.5]
    fixed = chosen(FAIR, "ann", learnt={"e": {"": [0.0, 1.0]}})
    assert fixed is not None
    assert fixed.eligible == {"a": 0.5, "b": 0.5}


def test_the_name_of_a_cell_is_bounded() -> None:
    """A trait may be as long as somebody likes."""
    plan = compile_expression("trait.plan")
    experiment = Experiment(
        id="e",
        variants=("a",),
        weights=(1.0,),
        allocation="adaptive",
        reward=Reward(within_ms=1),
        by=(plan, plan),
    )
    life = Life(traits={"plan": Trait(0, "m", "x" * 1_000)})
    found = choose(experiment, "ann", kept={}, scope=View(life, EMPTY, at=0, unit="ann"), learnt={})
    assert found is not None
    assert len(found.context) == MAX_CELL_CHARS
