"""Worlds: draws that are luck for nobody, and truth that is exact."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from sojourn.analytics.games import shapley_of
from sojourn.analytics.simulator.draws import Draws, Purpose
from sojourn.analytics.simulator.living import NEVER, live, people_of
from sojourn.analytics.simulator.observing import ids_of, observe
from sojourn.analytics.simulator.scenarios import SCENARIOS, scenario_named
from sojourn.analytics.simulator.truth import CHUNK, as_they_run, truth_of
from sojourn.model.errors import ConfigError

C = SCENARIOS["C"]
N = 4_000


def lived(name: str, *on: bool, people: int = N) -> np.ndarray:
    """Live with the same channels on for everybody; return the step at which each converted."""
    scenario = SCENARIOS[name]
    return live(scenario, Draws(1, 0, people), np.array(on)[:, None, None])[0]


def test_draws_are_uniform_and_independent_of_one_another() -> None:
    """Of steps, channels, purposes and neighbours."""
    draws = Draws(7, 0, 20_000)
    columns = [
        draws.uniform(Purpose.CLICK, 0, 0),
        draws.uniform(Purpose.CLICK, 1, 0),
        draws.uniform(Purpose.CLICK, 0, 1),
        draws.uniform(Purpose.VISIT, 0, 0),
        Draws(8, 0, 20_000).uniform(Purpose.CLICK, 0, 0),
        np.roll(draws.uniform(Purpose.CLICK, 0, 0), 1),
    ]
    for column in columns:
        counts = np.histogram(column, 20, (0, 1))[0]
        assert ((counts - 1_000) ** 2 / 1_000).sum() < 43.8  # chi-square of 19, p = 0.001
    together = np.corrcoef(columns) - np.eye(len(columns))
    assert np.abs(together).max() < 4 / np.sqrt(20_000)


def test_a_person_s_draws_do_not_depend_on_whom_they_are_drawn_with() -> None:
    """So work can be cut into pieces of any size."""
    whole, part = Draws(3, 0, 100), Draws(3, 60, 40)
    assert (whole.uniform(Purpose.VISIT, 4, 2)[60:] == part.uniform(Purpose.VISIT, 4, 2)).all()


def test_what_is_known_before_tells_the_intent_as_well_as_it_says() -> None:
    """A correlation of 0.7."""
    people = people_of(C, Draws(1, 0, 50_000))
    assert np.corrcoef(people.intent, people.known)[0, 1] == pytest.approx(0.7, abs=0.01)
    assert people.intent.std() == pytest.approx(1, abs=0.02)


def test_a_channel_changes_nothing_before_it_first_meets_somebody() -> None:
    """That is why a first opportunity is fair to both arms: it is the same in both worlds."""
    all_on = observe(C, people=N, seed=1, holdout=0.0)
    off = observe(C, people=N, seed=1, holdout=0.1)
    c = 3  # retargeting, which needs a visit: what the others do must be alike
    others = np.delete(np.arange(5), c)
    alike = ~off.held[others].any(axis=0)

    def first(observed: object) -> dict[int, int]:
        met = observed.met  # type: ignore[attr-defined]
        rows = np.flatnonzero(met.channel == c)[::-1]
        return dict(zip(met.person[rows].tolist(), met.step[rows].tolist(), strict=True))

    one, other = first(all_on), first(off)
    held = np.flatnonzero(alike & off.held[c]).tolist()
    assert len(held) > 100
    assert [one.get(person) for person in held] == [other.get(person) for person in held]


def test_where_no_channel_does_anything_every_world_is_the_same() -> None:
    """Scenario E, person by person."""
    assert (lived("E", *[True] * 5) == lived("E", *[False] * 5)).all()
    assert len(set(truth_of(SCENARIOS["E"], people=N, seed=1).conversions)) == 1


def test_a_harmful_channel_loses_conversions() -> None:
    """Scenario F says so of retargeting alone."""
    truth = truth_of(SCENARIOS["F"], people=N, seed=1).incremental()
    assert [name for name, n in truth.items() if n < 0] == ["retargeting"]


def test_delayed_conversions_are_those_of_the_same_people_but_later() -> None:
    """Scenario G, with channels that do not meet who waits: none."""
    at_once, later = lived("C", *[False] * 5), lived("G", *[False] * 5)
    delay = people_of(SCENARIOS["G"], Draws(1, 0, N)).delay
    assert delay.mean() == pytest.approx(5, abs=0.3)
    converted = at_once != NEVER
    seen = at_once + delay < SCENARIOS["G"].steps + SCENARIOS["G"].tail
    assert (later[converted & seen] == (at_once + delay)[converted & seen]).all()
    assert (later[~converted | ~seen] == NEVER).all()


def test_truth_does_not_depend_on_how_work_is_cut() -> None:
    """People are counted in pieces."""
    whole = truth_of(C, people=CHUNK + 500, seed=2)
    first = truth_of(C, people=CHUNK, seed=2)
    rest = truth_of(C, people=500, seed=2, first=CHUNK)
    assert [a + b for a, b in zip(first.conversions, rest.conversions, strict=True)] == list(
        whole.conversions
    )


def test_truth_is_that_of_living_each_world_alone() -> None:
    """The naive way, for three sets."""
    truth = truth_of(C, people=N, seed=1)
    for mask in (0b00000, 0b01011, 0b11111):
        on = [bool(mask >> c & 1) for c in range(5)]
        assert truth.conversions[mask] == (lived("C", *on) != NEVER).sum()


def test_only_what_is_switched_off_is_as_in_the_whole_truth() -> None:
    """A sixth of the work."""
    assert (
        truth_of(C, people=N, seed=1, only_off=True).incremental()
        == truth_of(C, people=N, seed=1).incremental()
    )


def test_shapley_values_are_the_mean_over_all_orders() -> None:
    """The definition, at its own pace."""
    worth = np.random.default_rng(5).normal(size=16)
    found = np.zeros(4)
    for order in permutations(range(4)):
        mask = 0
        for player in order:
            found[player] += worth[mask | 1 << player] - worth[mask]
            mask |= 1 << player
    assert shapley_of(worth) == pytest.approx(found / 24)
    assert shapley_of(worth).sum() == pytest.approx(worth[-1] - worth[0])


def test_beside_hold_outs_of_the_others_a_channel_brings_about_what_living_says() -> None:
    """With nobody held out it is do(off); with all held out, each channel alone."""
    truth = truth_of(C, people=N, seed=1)
    nobody = observe(C, people=N, seed=1, holdout=0.0)
    assert as_they_run(nobody) == truth.incremental()
    everybody = observe(C, people=N, seed=1, holdout=1.0)
    alone = [truth.conversions[1 << c] - truth.conversions[0] for c in range(5)]
    assert list(as_they_run(everybody).values()) == alone


def test_observed_is_the_world_in_which_each_person_has_the_channels_they_have() -> None:
    """A person whom nothing keeps back converts as in the world with all on."""
    observed = observe(C, people=N, seed=1, holdout=0.1)
    free = ~observed.held.any(axis=0)
    assert 0.5 < free.mean() < 0.7
    assert (observed.converted[free] == lived("C", *[True] * 5)[free]).all()


def test_ids_have_one_length() -> None:
    """So that they sort as they count."""
    assert ids_of(98, 3).tolist() == [b"p00000098", b"p00000099", b"p00000100"]


def test_a_scenario_that_is_none_is_refused_by_name() -> None:
    """With those that are."""
    with pytest.raises(ConfigError, match=r"no scenario is called 'Q'.*A, B, C"):
        scenario_named("Q")
    assert scenario_named("c") is C
