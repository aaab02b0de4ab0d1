"""Planned looks: bounds as published, and the errors they make."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sojourn.analytics.statistics.group_sequential import crossing_probability, lan_demets, obrien_fleming


@pytest.mark.parametrize(
    ("looks", "alpha", "expected"),
    [
        (1, 0.05, 1.960),
        (2, 0.05, 1.977),
        (3, 0.05, 2.004),
        (5, 0.05, 2.040),
        (10, 0.05, 2.087),
        (2, 0.01, 2.580),
    ],
)
def test_obrien_flemings_last_bound_is_as_published(looks: int, alpha: float, expected: float) -> None:
    """Jennison and Turnbull (2000), table 2.3."""
    assert obrien_fleming(looks, alpha)[-1] == pytest.approx(expected, abs=1e-3)


def test_its_bounds_fall_with_the_square_root_of_the_look() -> None:
    """The sum behind z has one bound."""
    bounds = obrien_fleming(4)
    assert [bound * math.sqrt(k) for k, bound in enumerate(bounds, 1)] == pytest.approx([bounds[0]] * 4)


def test_spent_alpha_gives_the_bounds_of_lan_and_demets() -> None:
    """O'Brien-Fleming spending, five equal looks, as tables print them (to three digits)."""
    bounds = lan_demets([0.2, 0.4, 0.6, 0.8, 1.0])
    assert bounds == pytest.approx([4.8769, 3.3569, 2.6803, 2.2898, 2.0310], abs=2e-4)


def test_pococks_spending_stops_early() -> None:
    """Its first bound is below O'Brien-Fleming's, and its last above."""
    early, late = lan_demets([0.5, 1.0], spending="pocock"), lan_demets([0.5, 1.0])
    assert early[0] < late[0]
    assert early[1] > late[1]
    assert early == pytest.approx([2.157, 2.201], abs=1e-3)


@pytest.mark.parametrize("fractions", [[1.0], [0.3, 1.0], [0.1, 0.25, 0.9, 1.0]])
def test_looks_that_are_not_equally_spaced_spend_no_more_than_alpha(fractions: list[float]) -> None:
    """Whenever they are."""
    assert crossing_probability(lan_demets(fractions), fractions) == pytest.approx(0.05, abs=1e-6)


def test_the_recursion_is_what_a_random_walk_does() -> None:
    """20,000 walks of four looks, seed 1; with a drift, too."""
    fractions, bounds = [0.25, 0.5, 0.75, 1.0], [2.8, 2.4, 2.2, 2.1]
    steps = np.random.default_rng(1).normal(0, 0.5, (20_000, 4))
    for drift in (0.0, 2.0):
        z = np.cumsum(steps + drift / 4, axis=1) / np.sqrt(fractions)
        found = (np.abs(z) > bounds).any(axis=1).mean()
        assert crossing_probability(bounds, fractions, drift=drift) == pytest.approx(found, abs=0.01)
