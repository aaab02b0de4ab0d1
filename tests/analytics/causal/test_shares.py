"""Shares, path credit beside them, and what sets of channels tell."""

from __future__ import annotations

import numpy as np
import pytest
from msgspec.structs import replace

from sojourn.analytics.attribution import JourneyRules
from sojourn.analytics.causal.beside import compared, spread_inside
from sojourn.analytics.causal.effects import Total
from sojourn.analytics.causal.factorial import factorial, smallest_cell
from sojourn.analytics.causal.measuring import Measured
from sojourn.analytics.causal.reporting import Rules, corrected, report
from sojourn.analytics.causal.results import Report, Settings
from sojourn.analytics.causal.shares import shares_of, shares_with_intervals, total_variation
from sojourn.analytics.causal.words import notes_on
from sojourn.analytics.kinds import Kind
from sojourn.analytics.simulator.observing import observe
from sojourn.analytics.simulator.recording import ENGAGEMENT, ORDERED, events_of, trials_of
from sojourn.analytics.simulator.scenarios import SCENARIOS
from sojourn.analytics.simulator.truth import Truth, as_they_run, truth_of
from tests.analytics.making import events_of as small_events

TRIED = ("last", "markov")


def asked(
    name: str, *, people: int, holdout: float = 0.1, seed: int = 1, models: tuple[str, ...] = TRIED
) -> tuple[Report, Truth]:
    """Ask about a scenario, as the command does for one look."""
    world = SCENARIOS[name]
    observed = observe(world, people=people, seed=seed, holdout=holdout)
    rules = Rules(
        journeys=JourneyRules(conversion=Kind((ORDERED,))),
        settings=Settings(looks="once", covariates=(ENGAGEMENT,)),
        models=models,
    )
    found = report(events_of(observed, is_lean=True), trials_of(observed), rules)
    return found, truth_of(world, people=people, seed=seed)


def distances(found: Report, truth: Truth) -> dict[str, float]:
    """Return how far the hold-out and each model are from the true shares."""
    channels = [unit for unit in found.units if unit.kind == "channel"]
    true = shares_of(np.array([truth.incremental()[unit.name] for unit in channels]))
    own = np.array([unit.share.share for unit in channels])  # type: ignore[union-attr]
    by_model = {
        one.model: total_variation(np.array([row.share for row in one.channels]), true)
        for one in found.path_credit
    }
    return {"hold-out": total_variation(own, true), **by_model}


def test_gains_sum_to_one_and_a_loss_stays_a_loss() -> None:
    """A harmful channel is not nought, and takes nothing from the others' sum."""
    shares = shares_of(np.array([30.0, 10.0, -20.0]))
    assert shares.tolist() == [0.75, 0.25, -0.5]
    assert np.isnan(shares_of(np.array([-1.0, 0.0]))).all()


def test_intervals_of_shares_hold_the_share_and_are_the_same_each_time() -> None:
    """By a seed."""
    shares = shares_with_intervals([30.0, 10.0], np.diag([4.0, 4.0]), level=0.95, seed=1)
    assert shares is not None
    assert shares == shares_with_intervals([30.0, 10.0], np.diag([4.0, 4.0]), level=0.95, seed=1)
    first = shares[0]
    assert first.low < first.share == 0.75 < first.high
    # By the delta method the standard error is sqrt(10^2 + 30^2) / 40^2 * 2 = 0.0395.
    assert (first.high - first.low) / 2 == pytest.approx(1.96 * 0.0395, rel=0.07)


def test_the_errors_of_path_credit_are_what_they_are_defined_to_be() -> None:
    """M1, M2 and M3 of a channel that has half of the credit and a quarter of the effect."""
    found = compared(
        "last",
        {"ads": 50, "mail": 50, "direct": 900},
        {"ads": 10, "mail": 30},
        shares_of(np.array([10.0, 30.0])),
    )
    ads = found.channels[0]
    assert (ads.credit, ads.share) == (50, 0.5)
    assert ads.share_error == pytest.approx(0.5 / 0.25 - 1)
    assert ads.credit_error == pytest.approx(50 / 10 - 1)
    assert ads.not_caused == pytest.approx(1 - 10 / 50)
    assert found.total_variation == 0.25


def test_of_a_harmful_channel_relative_errors_are_not_told() -> None:
    """A share beside a loss has no meaning; that none of its credit was caused has."""
    harmful = compared(
        "last", {"ads": 50, "mail": 50}, {"ads": -10, "mail": 30}, shares_of(np.array([-10.0, 30.0]))
    ).channels[0]
    assert (harmful.share_error, harmful.credit_error) == (None, None)
    assert harmful.not_caused == pytest.approx(1.2)


def test_inside_a_channel_parts_add_up_to_what_the_hold_out_says() -> None:
    """Path credit says how it is spread, and nothing else."""
    rows = []
    for i in range(60):
        campaign = "spring" if i % 3 else "autumn"
        rows += [
            (f"p{i}", "Seen", 1, {"channel": "mail", "campaign": campaign}),
            (f"p{i}", "Seen", 2, {"channel": "ads", "campaign": "other"}),
        ]
        rows += [(f"p{i}", "Buy", 3, {})] if i % 2 else []
    totals = {
        "mail": Total(estimate=12.0, low=6.0, high=18.0),
        "ads": Total(estimate=-3.0, low=-6.0, high=0.0),
    }
    rules = JourneyRules(conversion=Kind(("Buy",)))
    parts = spread_inside(small_events(rows), rules, "campaign", totals)
    assert {(one.channel, one.part) for one in parts} == {
        ("mail", "spring"),
        ("mail", "autumn"),
        ("ads", "other"),
    }
    for channel, total in totals.items():
        mine = [one.incremental for one in parts if one.channel == channel]
        assert sum(one.estimate for one in mine) == pytest.approx(total.estimate)  # type: ignore[misc]
        assert sum(one.high for one in mine) == pytest.approx(total.high)  # type: ignore[misc]


def test_a_factorial_tells_shapley_values_of_means_by_set() -> None:
    """Two channels that do more together than alone: each has half of what they do together."""
    drawn = np.random.default_rng(1)
    is_on = drawn.random((2, 40_000)) < 0.5
    outcome = 0.1 * is_on[0] + 0.2 * is_on[1] + 0.4 * is_on[0] * is_on[1] + drawn.normal(size=40_000)
    found = factorial(outcome, is_on, None)
    error = np.sqrt(np.diag(found.covariance))
    assert (np.abs(found.phi - [0.3, 0.4]) < 3.5 * error).all()
    assert (error < 0.02).all()
    assert smallest_cell(is_on) == found.smallest_cell > 9_000


def test_large_hold_outs_give_shapley_values_that_add_up() -> None:
    """Half of the people of each channel are kept back: every set of five has people enough."""
    found, truth = asked("C", people=20_000, holdout=0.5, models=())
    assert found.shares_by == "shapley"
    z = []
    for unit in found.units:
        assert unit.shapley is not None
        reach = (unit.shapley.high - unit.shapley.low) / 2 / 1.96  # type: ignore[operator]
        z.append((unit.shapley.estimate - truth.shapley()[unit.name]) / reach)  # type: ignore[operator]
    assert np.abs(z).max() < 3
    assert "they add up" in found.shares_note


def test_small_hold_outs_tell_what_is_lost_by_switching_off() -> None:
    """And say that this need not add up."""
    found, _ = asked("C", people=5_000, models=())
    assert found.shares_by == "off"
    assert "need not add up" in found.shares_note
    assert all(unit.shapley is None for unit in found.units)


def test_where_nothing_works_nothing_is_shown() -> None:
    """Scenario E, though path credit gives every conversion to some channel."""
    found, _ = asked("E", people=20_000)
    assert [unit.verdict for unit in found.units] == ["unclear"] * 5
    credit = sum(row.credit for row in found.path_credit[0].channels)
    assert credit > 1_000


def test_what_is_clear_alone_and_not_among_all_trials_is_no_claim() -> None:
    """Of five trials of nothing one in five reports would claim something; q counts, by hand here."""
    found, _ = asked("E", people=2_000, models=())
    p = [0.04, 0.3, 0.02, 0.5, 0.9]
    trials = [
        Measured(
            replace(unit, effect=replace(unit.effect, p=each), verdict="brings", notes=[]),
            None,  # type: ignore[arg-type]  # nobody looks at it
            None,
        )
        for unit, each in zip(found.units, p, strict=True)
    ]
    units = [each.effect for each in corrected(trials, 0.95)]
    assert [unit.q for unit in units] == pytest.approx([0.1, 0.5, 0.1, 0.625, 0.9])
    assert [unit.verdict for unit in units] == ["unclear"] * 5
    assert "clear by itself, and not among all trials" in notes_on(units[2])[0]
    (alone,) = corrected(trials[2:3], 0.95)
    assert (alone.effect.q, alone.effect.verdict) == (0.02, "brings")


def test_a_channel_that_drives_people_away_is_said_to() -> None:
    """Scenario F: last click gives it conversions, the hold-out a loss."""
    found, _ = asked("F", people=20_000)
    harmful = next(unit for unit in found.units if unit.name == "retargeting")
    assert harmful.verdict == "harms"
    assert harmful.share is not None
    assert harmful.share.high < 0
    credited = next(row for row in found.path_credit[0].channels if row.channel == "retargeting")
    assert credited.credit > 100
    assert "A share below 0 is a loss" in found.shares_note


@pytest.mark.slow
@pytest.mark.parametrize("name", ["C", "D"])
def test_causal_shares_are_near_the_truth_and_path_credit_is_far(name: str) -> None:
    """200,000 people, 10 % hold-outs: at most 0.05 away, and at least five times nearer than Markov."""
    found, truth = asked(name, people=200_000)
    distance = distances(found, truth)
    assert distance["hold-out"] <= 0.05
    assert distance["markov"] >= 5 * distance["hold-out"]
    assert all(unit.check.times_people >= 1.4 for unit in found.units)  # type: ignore[union-attr,operator]
    assert max(unit.check.times_people for unit in found.units) >= 3  # type: ignore[union-attr,type-var]


@pytest.mark.slow
def test_beside_the_others_as_they_run_there_is_no_bias_and_intervals_hold() -> None:
    """Over 60 populations: the mean error is what chance explains, and 95 of 100 intervals hold the truth."""
    errors, covered = [], []
    for number in range(60):
        observed = observe(SCENARIOS["C"], people=10_000, seed=number, holdout=0.1, first=number * 1_000_000)
        rules = Rules(
            journeys=JourneyRules(conversion=Kind((ORDERED,))),
            settings=Settings(looks="once", covariates=(ENGAGEMENT,)),
            models=(),
        )
        found = report(events_of(observed, is_lean=True), trials_of(observed), rules)
        true = as_they_run(observed)
        estimates = [(unit.effect.estimate or 0) * unit.people for unit in found.units]
        reach = [(unit.effect.high - unit.effect.low) / 2 * unit.people for unit in found.units]  # type: ignore[operator]
        off = np.array(estimates) - [true[unit.name] for unit in found.units]
        errors.append(off)
        covered.append(np.abs(off) <= reach)
    of = np.array(errors)
    assert (np.abs(of.mean(axis=0)) < 3.5 * of.std(axis=0) / np.sqrt(len(of))).all()
    assert 0.91 <= np.mean(covered) <= 0.99
