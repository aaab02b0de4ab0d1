"""Measuring: effects against their definition, and the traps on the way."""

from __future__ import annotations

import numpy as np
import pytest
from msgspec.structs import replace

from sojourn.analytics.attribution import JourneyRules
from sojourn.analytics.buckets import buckets
from sojourn.analytics.causal.assignment import found_edge, sample_ratio
from sojourn.analytics.causal.effects import effect_of
from sojourn.analytics.causal.outcomes import Conversions, conversions_of, known_before, outcomes_after
from sojourn.analytics.causal.reporting import Rules, report
from sojourn.analytics.causal.results import Report, Settings
from sojourn.analytics.causal.trials import Trials
from sojourn.analytics.causal.words import is_one_sided, notes_on
from sojourn.analytics.events import Events
from sojourn.analytics.kinds import Kind
from sojourn.model.errors import ConfigError
from tests.analytics.causal.making import plain_trials
from tests.analytics.making import DAY, events_of

N = 4_000
BUY = Kind(("Buy",))
ONCE = Settings(looks="once")


def crowd(
    effect: float = 0.1, *, n: int = N, delay: int = DAY, seed: int = 1
) -> tuple[Events, np.ndarray, np.ndarray]:
    """Make people who view on a day of their own and maybe buy; some are held out.

    Returns (events, whether each is held, when each had their first opportunity).
    """
    drawn = np.random.default_rng(seed)
    is_held = buckets("holdout/channel/email", [f"p{i}" for i in range(n)]) < 2_000
    keen = drawn.random(n)
    at = (drawn.integers(1, 10, n) * DAY).astype(np.int64)
    buys = drawn.random(n) < 0.1 + 0.2 * keen + effect * ~is_held
    rows = []
    for i in range(n):
        rows.append(
            (f"p{i}", "View", int(at[i]) - 1, {"keen": float(keen[i]), "land": "SE" if i % 2 else "DE"})
        )
        if buys[i]:
            rows.append((f"p{i}", "Buy", int(at[i]) + delay, {"after": "yes", "later": 1.0}))
        rows.append((f"p{i}", "View", 40 * DAY, {}))
    return events_of(rows), is_held, at


def told(events: Events, trials: Trials, settings: Settings = ONCE, **more: object) -> Report:
    """Ask about the conversion Buy."""
    rules = Rules(journeys=JourneyRules(conversion=BUY), settings=settings, models=(), **more)  # type: ignore[arg-type]
    return report(events, trials, rules)


def test_an_effect_is_the_difference_of_means_and_scales_to_those_who_got_it() -> None:
    """By definition, with nothing known before."""
    outcome, is_held = np.array([1.0, 0, 1, 1, 0, 0, 1, 0]), np.array([0, 0, 0, 0, 1, 1, 1, 1], dtype=bool)
    effect = effect_of(outcome, is_held, None, alpha=0.05, looks="once")
    assert (effect.estimate, effect.mean_met, effect.mean_held) == (0.5, 0.75, 0.25)
    assert effect.times(4).estimate == 2
    assert effect.low < 0.5 < effect.high  # type: ignore[operator]


def test_what_was_known_before_is_taken_out_as_least_squares_does() -> None:
    """The estimate is the coefficient of a regression on the arm and the index of what was known."""
    drawn = np.random.default_rng(2)
    known = drawn.normal(size=(3_000, 2))
    is_held = drawn.random(3_000) < 0.3
    outcome = known @ [1.0, -2.0] + 0.5 * ~is_held + drawn.normal(size=3_000)
    effect = effect_of(outcome, is_held, known, alpha=0.05, looks="once")
    design = np.column_stack([np.ones(3_000), ~is_held, known])
    by_regression = np.linalg.lstsq(design, outcome, rcond=None)[0][1]
    assert effect.estimate == pytest.approx(by_regression, abs=0.005)
    assert effect.variance_kept == pytest.approx(1 / 6, abs=0.03)


def test_a_trial_tells_the_effect_and_a_check_by_everybody_agrees() -> None:
    """A tenth more of them buys."""
    events, is_held, at = crowd()
    unit = told(events, plain_trials(is_held, at, ids=events.people)).units[0]
    assert unit.verdict == "brings"
    n_met = int((~is_held).sum())
    assert unit.incremental.low < 0.1 * n_met < unit.incremental.high  # type: ignore[operator]
    assert unit.check is not None
    assert unit.check.agrees
    assert unit.ratio.expected == 0.2
    assert unit.forgone.estimate == pytest.approx(unit.effect.estimate * is_held.sum())  # type: ignore[operator]


@pytest.mark.parametrize(("n_held", "verdict"), [(40, "unclear"), (400, "brings")])
def test_a_hold_out_in_which_chance_alone_leaves_none_shows_nothing(n_held: int, verdict: str) -> None:
    """40 of 2,000 buy: of 40 kept back one would have, and nearly half the time none does."""
    is_held = np.arange(2_000 + n_held) >= 2_000
    at = np.full(len(is_held), DAY)
    rows: list[tuple[object, ...]] = [(f"u{i}", "Seen", DAY) for i in range(len(is_held))]
    rows += [(f"u{i}", "Buy", 2 * DAY) for i in range(40)]
    unit = told(events_of(rows), plain_trials(is_held, at)).units[0]
    assert unit.verdict == verdict
    assert is_one_sided(unit)
    assert ("too few conversions" in " ".join(notes_on(unit))) is (verdict == "unclear")


def test_conversions_before_and_at_the_first_opportunity_are_nobody_s_effect() -> None:
    """Only what came after."""
    conversions = Conversions(
        person=np.array([0, 0, 0, 1], dtype=np.int32),
        at=np.array([5, 10, 11, 12]),
        value=np.array([1.0, 2.0, 4.0, 8.0]),
        until=20,
    )
    found = outcomes_after(conversions, np.array([0, 1], dtype=np.int32), np.array([10, 3]), window_ms=None)
    assert found.conversions.tolist() == [1, 1]
    assert found.value.tolist() == [4, 8]


def test_a_window_is_counted_from_the_first_opportunity_and_waits_until_it_is_over() -> None:
    """Who is still in it is left out, in both arms: nobody knows yet what they will do."""
    conversions = Conversions(
        person=np.array([0, 1], dtype=np.int32), at=np.array([14, 16]), value=np.zeros(2), until=20
    )
    people, at = np.array([0, 1, 2], dtype=np.int32), np.array([10, 10, 16])
    found = outcomes_after(conversions, people, at, window_ms=5)
    assert found.conversions.tolist() == [1, 0, 0]
    assert found.is_over.tolist() == [True, True, False]


def test_delayed_conversions_are_missed_by_a_window_that_is_too_short_and_it_is_said() -> None:
    """They come ten days after: a window of a week sees none, one of three weeks all."""
    events, is_held, at = crowd(delay=10 * DAY)
    trials = plain_trials(is_held, at)
    short = told(events, trials, replace(ONCE, window_ms=7 * DAY)).units[0]
    long = told(events, trials, replace(ONCE, window_ms=21 * DAY)).units[0]
    assert (short.verdict, short.effect.mean_met) == ("unclear", 0)
    assert long.verdict == "brings"
    whole = told(events, trials, replace(ONCE, window_ms=36 * DAY)).units[0]
    assert whole.unfinished > 0
    assert any("still in their window" in note for note in whole.notes)


def test_a_number_known_only_afterwards_is_refused_as_a_covariate() -> None:
    """It may be an effect."""
    events, is_held, at = crowd()
    with pytest.raises(ConfigError, match="post-treatment"):
        told(events, plain_trials(is_held, at), replace(ONCE, covariates=("later",)))


def test_people_are_not_split_by_what_they_did_afterwards() -> None:
    """Refused where it is known of nobody before."""
    events, is_held, at = crowd()
    with pytest.raises(ConfigError, match="post-treatment"):
        told(events, plain_trials(is_held, at), by="after")


def test_segments_are_those_of_the_first_opportunity_and_hold_together() -> None:
    """Two halves, with wider intervals than one alone would have."""
    events, is_held, at = crowd()
    found = told(events, plain_trials(is_held, at), by="land")
    assert [row.segment for row in found.segments] == ["DE", "SE"]
    assert sum(row.people for row in found.segments) == N
    one = found.segments[0].effect
    assert (one.high - one.low) / one.standard_error == pytest.approx(2 * 2.2414, abs=0.01)  # type: ignore[operator]


def test_what_was_known_before_is_the_last_of_it_and_the_mean_of_others() -> None:
    """At the instant itself it was before; a person without it has the mean of the others."""
    events = events_of([
        ("ann", "View", 1, {"keen": 1.0}),
        ("ann", "View", 5, {"keen": 3.0}),
        ("ann", "View", 6, {"keen": 9.0}),
        ("bob", "View", 1, {}),
        ("bob", "View", 9, {"keen": 7.0}),
    ])  # fmt: skip
    known, names = known_before(
        events, np.array([0, 1], dtype=np.int32), np.array([5, 5]), covariates=("keen",)
    )
    assert names == ["events before", "when", "keen"]
    assert np.expm1(known[:, 0]).tolist() == pytest.approx([2, 1])
    assert known[:, 2].tolist() == [3, 3]


def test_a_lost_arm_breaks_the_trial() -> None:
    """Something loses half of the ghosts: the difference is huge, and means nothing."""
    events, is_held, at = crowd(0.0)
    kept = np.flatnonzero(~is_held | (np.arange(N) % 2 == 0))
    whole = plain_trials(is_held, at)
    trials = Trials(
        units=whole.units, unit=whole.unit[kept], person=whole.person[kept], at=whole.at[kept],
        is_held=whole.is_held[kept], is_mixed=whole.is_mixed[kept], version=whole.version[kept],
        versions=whole.versions, ids=events.people,
    )  # fmt: skip
    unit = told(events, trials).units[0]
    assert unit.verdict == "broken"
    assert any(note.startswith("sample ratio") for note in unit.notes)


def test_a_few_merged_people_are_counted_and_many_break_the_trial() -> None:
    """Above one of a hundred more than merges is at work."""
    events, is_held, at = crowd()
    few = told(events, plain_trials(is_held, at, is_mixed=np.arange(N) < 10)).units[0]
    many = told(events, plain_trials(is_held, at, is_mixed=np.arange(N) < 100)).units[0]
    assert (few.mixed, few.verdict) == (10, "brings")
    assert (many.mixed, many.verdict) == (100, "broken")


def test_a_version_that_changed_in_the_middle_is_said() -> None:
    """The effect is the mean over both."""
    events, is_held, at = crowd()
    trials = plain_trials(is_held, at, version=(np.arange(N) % 2).astype(np.int32), versions=["v1", "v2"])
    unit = told(events, trials).units[0]
    assert unit.versions == 2
    assert any("2 versions" in note for note in unit.notes)


def test_robots_are_left_out_of_both_arms() -> None:
    """And of the check by everybody."""
    events, is_held, at = crowd()
    bots = np.arange(0, N, 4, dtype=np.int32)
    unit = told(events, plain_trials(is_held, at, ids=events.people, bots=bots)).units[0]
    assert unit.people == N * 3 // 4
    assert unit.check is not None
    assert unit.check.people == N * 3 // 4


def test_nothing_kept_back_is_no_answer() -> None:
    """It says what to do."""
    events, _, at = crowd()
    with pytest.raises(ConfigError, match="no-holdout"):
        told(events, plain_trials(np.zeros(N, dtype=bool), at))


@pytest.mark.parametrize("share", [0.01, 0.05, 0.1, 0.25, 0.5])
def test_the_share_is_found_again_from_the_hash(share: float) -> None:
    """A round one where several fit, and a few merged people do not hide it."""
    places = np.random.default_rng(3).integers(0, 10_000, 20_000)
    is_held = places < share * 10_000
    is_held[:50] ^= True
    edge, misfits = found_edge(places, is_held)
    assert edge == share * 10_000
    assert misfits == 50


def test_a_share_that_no_hash_explains_is_unknown() -> None:
    """Then neither the ratio nor everybody is asked."""
    drawn = np.random.default_rng(4)
    edge, _ = found_edge(drawn.integers(0, 10_000, 2_000), drawn.random(2_000) < 0.2)
    assert edge is None
    assert not sample_ratio(np.array([True, False]), None, 0).is_broken


def test_intervals_that_hold_at_every_look_are_wider() -> None:
    """That is their price."""
    events, is_held, at = crowd()
    trials = plain_trials(is_held, at)
    once, any_ = (told(events, trials, Settings(looks=looks)).units[0].effect for looks in ("once", "any"))
    assert any_.high - any_.low > 1.2 * (once.high - once.low)  # type: ignore[operator]
    assert any_.estimate == once.estimate


def test_conversions_are_worth_what_their_events_say() -> None:
    """0 where they say nothing; a name that nobody has is refused."""
    events = events_of([("ann", "Buy", 1, {"total": 5.0}), ("ann", "Buy", 2, {}), ("bob", "View", 3)])
    assert conversions_of(events, BUY, "total").value.tolist() == [5, 0]
    with pytest.raises(ConfigError, match="no number is called 'totl'; did you mean 'total'"):
        conversions_of(events, BUY, "totl")
