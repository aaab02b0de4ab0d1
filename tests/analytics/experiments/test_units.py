"""Units: who is in which arm, since when and with which chance."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from sojourn.analytics.experiments.reporting import MAX_MULTIPLE_SHARE, allocation_of, listing, ratio_of
from sojourn.analytics.experiments.units import shares_of, units_of
from sojourn.model.errors import ConfigError
from tests.analytics.experiments.making import exposures, reported


def chances(**shares: float) -> dict[str, Any]:
    """Say what an exposure could have been."""
    return {"eligible": json.dumps(shares)}


def test_the_first_exposure_counts() -> None:
    """Whoever meets it again is in it since the first time; units stand in the order of time."""
    units = units_of(exposures([("bob", "b", 20), ("ada", "a", 10), ("ada", "a", 30)]), "banner")
    assert (list(units.people), units.at.tolist()) == (["ada", "bob"], [10, 20])
    assert ([units.arms[code] for code in units.arm], units.n_multiple) == (["a", "b"], 0)


def test_who_met_several_variants_is_left_out_and_counted() -> None:
    """Whatever they did may be either variant's doing."""
    units = units_of(
        exposures([("ada", "a", 10), ("bob", "b", 20), ("ada", "b", 30), ("cid", "a", 40)]), "banner"
    )
    assert (list(units.people), units.n_multiple, units.multiple_share) == (["bob", "cid"], 1, 1 / 3)


def test_other_experiments_are_others() -> None:
    """Each person is in each by itself."""
    met = exposures([("ada", "a", 10), ("ada", "b", 5, {"experiment": "price"}), ("bob", "a", 7)])
    assert [one.experiment for one in listing(met).experiments] == ["banner", "price"]
    assert [one.variants for one in listing(met).experiments] == [{"a": 2}, {"b": 1}]
    assert units_of(met, "price").at.tolist() == [5]


def test_what_is_later_is_not_seen() -> None:
    """As if it were then."""
    met = exposures([("ada", "a", 10), ("bob", "b", 20)])
    assert list(units_of(met, "banner", until_ms=20).people) == ["ada"]


def test_an_experiment_nobody_met_is_refused() -> None:
    """It is a slip."""
    with pytest.raises(ConfigError, match="nobody met an experiment named 'baner'; did you mean 'banner'"):
        units_of(exposures([("ada", "a", 10)]), "baner")


def test_chances_are_those_that_were_logged() -> None:
    """Of every arm; one that nobody got is an arm, too."""
    units = units_of(
        exposures(
            [("ada", "a", 1, chances(a=0.5, b=0.3, c=0.2)), ("bob", "b", 2, chances(a=0.5, b=0.3, c=0.2))]
        ),
        "banner",
    )
    shares, _ = shares_of(units)
    assert units.arms == ("a", "b", "c")
    assert np.asarray(shares).tolist() == [[0.5, 0.3, 0.2]] * 2
    assert units.own_chance.tolist() == [0.5, 0.3]
    assert [arm.expected_people for arm in ratio_of(units)[1]] == pytest.approx([1.0, 0.6, 0.4])


def test_without_what_was_eligible_the_chance_of_the_arm_drawn_tells_it() -> None:
    """One share for each arm; unequal ones, too."""
    met = [("ada", "a", 1, {"propensity": 0.8}), ("bob", "b", 2, {"propensity": 0.2})]
    shares, source = shares_of(units_of(exposures(met), "banner"))
    assert np.asarray(shares).tolist() == pytest.approx([0.8, 0.2])
    assert source == "logged with each exposure"


def test_without_any_chance_equal_shares_are_taken_and_said() -> None:
    """Of a file that has none."""
    shares, source = shares_of(units_of(exposures([("ada", "a", 1), ("bob", "b", 2)]), "banner"))
    assert (np.asarray(shares).tolist(), source) == (
        [0.5, 0.5],
        "equal shares, since no propensities were logged",
    )


def test_shares_that_change_are_told() -> None:
    """Of two arms one chance tells both; of three it does not."""
    two = [
        ("ada", "a", 1, {"propensity": 0.8}),
        ("bob", "a", 2, {"propensity": 0.4}),
        ("cid", "b", 3, {"propensity": 0.6}),
    ]
    units = units_of(exposures(two), "banner")
    shares, _ = shares_of(units)
    assert allocation_of(units) == "changed"
    assert np.asarray(shares).tolist() == pytest.approx(np.array([[0.8, 0.2], [0.4, 0.6], [0.4, 0.6]]))
    three = units_of(exposures([*two, ("dan", "c", 4, {"propensity": 0.1})]), "banner")
    assert shares_of(three)[0] is None
    assert ratio_of(three)[0].p is None


def test_an_allocation_that_learns_is_told() -> None:
    """By its exposures."""
    units = units_of(
        exposures([("ada", "a", 1, {"allocation": "adaptive"}), ("bob", "b", 2, {"allocation": "adaptive"})]),
        "banner",
    )
    assert allocation_of(units) == "adaptive"


def test_more_than_one_in_a_hundred_in_several_variants_is_an_alarm() -> None:
    """Two ids of one person, or an assignment that is not kept."""
    met = [(f"p{i}", "ab"[i % 2], i) for i in range(100)]
    twice = [("x", "a", 1), ("x", "b", 2), ("y", "a", 1), ("y", "b", 2)]
    assert not any("several variants" in one for one in reported(met, []).warnings)
    found = reported([*met, *twice], [])
    assert found.multiple_share > MAX_MULTIPLE_SHARE
    assert any("2.0% of people met several variants" in one for one in found.warnings)
