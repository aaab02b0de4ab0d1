"""Reports: what is decided, what stops a decision, and what must not be concluded."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import numpy as np
import pytest

from sojourn.analytics.experiments.asked import LEVEL, TUNING
from sojourn.analytics.experiments.results import Report
from sojourn.analytics.experiments.rules import Rule
from sojourn.analytics.statistics import fixed, sequential
from sojourn.analytics.statistics.moments import Moments, joint_of, moments_of
from sojourn.analytics.statistics.ratio import ratio_moments
from sojourn.analytics.statistics.sequential import confidence_sequence
from sojourn.definitions.metrics import Metric
from sojourn.model.errors import ConfigError
from tests.analytics.experiments.making import BOUGHT, T0, reported
from tests.analytics.making import DAY

Rows = list[tuple[Any, ...]]
END = T0 + 100 * DAY


def shop(
    buyers: dict[str, tuple[int, int]], *, land: str | None = None, propensity: float | None = None
) -> tuple[Rows, Rows]:
    """Make (exposures, events): of each variant (who bought a day later, of how many)."""
    met: Rows = []
    did: Rows = []
    for variant, (n_bought, n) in buyers.items():
        for i in range(n):
            person = f"{variant}{i}{land or ''}"
            at = T0 + i * 60_000
            met.append((person, variant, at, {} if propensity is None else {"propensity": propensity}))
            did.append((person, "Look", at, {"land": land} if land else {}))
            if i % n < n_bought:
                did.append((person, "Buy", at + DAY))
    return met, did


def one(found: Report) -> tuple[str, float]:
    """Return the only decision, and its effect."""
    (comparison,) = found.comparisons
    return comparison.decision, comparison.effect.estimate


def test_an_effect_that_is_clear_is_called_better() -> None:
    """400 of 1,000 beside 300 of 1,000; the interval is the confidence sequence of these numbers."""
    found = reported(*shop({"a": (400, 1_000), "control": (300, 1_000)}), until_ms=END)
    (comparison,) = found.comparisons
    expected = confidence_sequence(*(Moments(1_000, p, p * (1 - p) * 1_000 / 999) for p in (0.4, 0.3)))
    assert (comparison.variant, comparison.people, comparison.means) == ("a", (1_000, 1_000), (0.4, 0.3))
    assert (comparison.effect.estimate, comparison.effect.low, comparison.effect.high) == (
        pytest.approx(expected.estimate),
        pytest.approx(expected.low),
        pytest.approx(expected.high),
    )
    assert comparison.decision == "better"
    assert comparison.says == "a 40.00% beside 30.00%: 10.00 points more (3.37 to 16.63 points); better."


def test_less_is_better_where_the_metric_says_so() -> None:
    """Of complaints, say."""
    met, did = shop({"a": (400, 1_000), "control": (300, 1_000)})
    fewer = msgspec.structs.replace(BOUGHT, is_up_good=False)
    assert one(reported(met, did, fewer, until_ms=END))[0] == "worse"


def test_what_is_not_clear_is_not_called_the_same() -> None:
    """And the report says so."""
    found = reported(*shop({"a": (310, 1_000), "control": (300, 1_000)}), until_ms=END)
    assert one(found)[0] == "no difference shown yet"
    assert any("No difference shown is not 'no effect'" in warning for warning in found.warnings)


@pytest.mark.parametrize(
    "buyers", [{"a": (20, 20), "control": (0, 20)}, {"a": (9, 900), "control": (0, 900)}]
)
def test_few_people_decide_nothing(buyers: dict[str, tuple[int, int]]) -> None:
    """Few in an arm, or few who did it at all: a mean of them is not near its law."""
    found = reported(*shop(buyers), until_ms=END)
    assert one(found)[0] == "too few people yet"
    assert "too few people to say more" in found.comparisons[0].says


def test_of_a_time_those_who_did_it_decide_whoever_came_first() -> None:
    """The first of all did it, one other too, and a thousand did not: that is two, not a thousand."""
    met = [(f"u{i}", ("control", "offer")[i % 2], T0 + i) for i in range(1_000)]
    did = [(f"u{i}", "Buy", T0 + i + (i + 1) * 60_000) for i in (0, 1)]
    time = Metric(name="time", kind="time_to", on=("Buy",), within_ms=7 * DAY, before_ms=0)
    found = reported(met, did, time, until_ms=T0 + 30 * DAY).comparisons[0]
    assert found.decision == "too few people yet"


def test_a_small_arm_in_which_chance_alone_leaves_none_decides_nothing() -> None:
    """60 of 2,900 buy: of 100 others two would have, and one time in eight none does."""
    arms = ["offer" if i % 30 else "control" for i in range(3_000)]
    chances = {"offer": 29 / 30, "control": 1 / 30}
    met = [(f"u{i}", arm, T0 + i, {"propensity": chances[arm]}) for i, arm in enumerate(arms)]
    did = [(f"u{i}", "Buy", T0 + DAY) for i in range(0, 3_000, 49) if i % 30]
    found = reported(met, did, rule=Rule(method="fixed"), until_ms=END)
    assert found.comparisons[0].effect.is_clear
    assert one(found)[0] == "too few people yet"


def test_a_propensity_above_one_is_refused() -> None:
    """It would weigh people by what no draw can have been."""
    met, did = shop({"a": (40, 100), "control": (30, 100)}, propensity=1.7)
    with pytest.raises(ConfigError, match=r"from 0 to 1, got 1\.7"):
        reported(met, did)


def test_an_amount_that_is_endless_adds_nothing() -> None:
    """As one that is missing."""
    met = [(f"u{i}", ("control", "offer")[i % 2], T0 + i) for i in range(100)]
    did = [(f"u{i}", "Buy", T0 + i + 1, {"worth": float("inf") if i == 1 else 2.0}) for i in range(100)]
    worth = Metric(name="worth", kind="value", on=("Buy",), value="worth", within_ms=7 * DAY, before_ms=0)
    found = reported(met, did, worth, until_ms=T0 + 30 * DAY).comparisons[0]
    assert found.means == (pytest.approx(2 * 49 / 50), 2.0)


def test_one_variant_is_compared_with_none_and_nobody_is_refused() -> None:
    """Both are told."""
    met = [(f"u{i}", "offer", T0 + i) for i in range(10)]
    found = reported(met, [("u0", "Buy", T0 + 1)])
    assert "Everybody met offer: there is no other variant to compare it with." in found.warnings
    assert "The sample ratio could not be checked: there are not two variants." in found.warnings
    with pytest.raises(ConfigError, match="nobody is in 'banner' by then"):
        reported(met, [("u0", "Buy", T0 + 1)], until_ms=T0 - 1)


def test_a_sample_ratio_mismatch_stops_every_decision() -> None:
    """However clear the effect looks."""
    met, did = shop({"a": (400, 1_000), "control": (200, 700)}, propensity=0.5)
    found = reported(met, did, until_ms=END)
    assert found.ratio.is_mismatch
    assert one(found)[0] == "sample ratio mismatch: do not read"
    assert found.warnings[0].startswith("Sample ratio mismatch")


def test_people_whose_window_is_not_over_are_not_counted() -> None:
    """They would be people who have not bought yet; how many wait is said."""
    met, did = shop({"a": (50, 200), "control": (50, 200)})
    late = [(f"late{i}", "ab"[i % 2].replace("b", "control"), END - DAY) for i in range(40)]
    found = reported([*met, *late], did, until_ms=END)
    assert (found.comparisons[0].people, found.comparisons[0].waiting) == ((200, 200), 40)
    assert "People whose window is not over are not counted yet." in found.warnings


def test_claims_are_corrected_for_all_that_was_asked() -> None:
    """A p just below alpha is no claim among ten metrics."""
    met, did = shop({"a": (400, 1_000), "control": (300, 1_000)})
    nothing = [msgspec.structs.replace(BOUGHT, name=f"m{i}", on=("Look",), after_ms=DAY) for i in range(9)]
    alone = reported(met, did, until_ms=END).comparisons[0]
    among = reported(met, did, BOUGHT, *nothing, until_ms=END).comparisons[0]
    assert among.q == pytest.approx(alone.q * 10)


def test_the_smallest_p_of_all_looks_counts() -> None:
    """An effect that was clear when half of the people were over is not unclear for the others."""
    met, did = shop({"a": (500, 1_000), "control": (0, 1_000)})  # the first half of `a` buys, then nobody
    (comparison,) = reported(met, did, until_ms=END).comparisons
    assert comparison.effect.p == min(look.p for look in comparison.looks)
    assert [look.p for look in comparison.looks] == sorted(
        (look.p for look in comparison.looks), reverse=True
    )
    assert comparison.looks[-1].people == 2_000


def test_what_people_did_before_is_taken_out() -> None:
    """Whoever bought before buys again: the interval is narrower, and around the same effect."""
    random = np.random.default_rng(1)
    met, did = [], []
    for i in range(2_000):
        variant, love = ("a", "control")[i % 2], random.gamma(1, 2)
        met.append((f"p{i}", variant, T0))
        did += [(f"p{i}", "Buy", T0 - DAY)] * random.poisson(love)
        did += [(f"p{i}", "Buy", T0 + DAY)] * random.poisson(love * (1.1 if variant == "a" else 1.0))
    count = Metric(name="n", kind="count", on=("Buy",), within_ms=7 * DAY, before_ms=0)
    plain, cuped = (
        reported(met, did, msgspec.structs.replace(count, before_ms=before), until_ms=END).comparisons[0]
        for before in (0, 7 * DAY)
    )
    assert (plain.theta, plain.variance_kept) == (0.0, 1.0)
    assert cuped.theta > 0.4
    assert cuped.variance_kept == pytest.approx(
        (cuped.effect.standard_error / plain.effect.standard_error) ** 2, rel=0.05
    )
    assert cuped.variance_kept < 0.7
    assert cuped.means == plain.means


def test_a_ratio_is_over_people() -> None:
    """Money over orders; the variance is that of the delta method."""
    met, did = [], []
    random = np.random.default_rng(2)
    money: dict[str, list[tuple[float, float]]] = {"a": [], "control": []}
    for i in range(400):
        variant, orders = ("a", "control")[i % 2], int(random.integers(1, 4))
        met.append((f"p{i}", variant, T0))
        paid = [float(random.integers(5, 60)) for _ in range(orders)]
        did += [(f"p{i}", "Buy", T0 + DAY, {"properties.total": each}) for each in paid]
        money[variant].append((sum(paid), orders))
    window = {"on": ("Buy",), "within_ms": 7 * DAY, "before_ms": 0}
    parts = (
        Metric(name="money", kind="value", value="properties.total", **window),  # type: ignore[arg-type]
        Metric(name="orders", kind="count", **window),  # type: ignore[arg-type]
    )
    ratio = Metric(name="each", kind="ratio", numerator="money", denominator="orders")
    found = reported(met, did, *parts, ratio, until_ms=END, metrics=("each",)).comparisons[0]
    one, other = (ratio_moments(joint_of(*zip(*money[name], strict=True))) for name in ("a", "control"))
    assert found.means == (pytest.approx(one.mean), pytest.approx(other.mean))
    assert found.effect.standard_error == pytest.approx(
        math.sqrt(one.mean_variance + other.mean_variance), rel=1e-3
    )


def test_planned_looks_are_at_the_people_that_were_planned() -> None:
    """The third of five looks is clear; the test is over then, whatever comes."""
    met, did = shop({"a": (200, 500), "control": (130, 500)})
    rule = Rule(method="planned-looks", looks=5, planned=1_000)
    random = np.random.default_rng(3)
    random.shuffle(met)
    met = [(person, variant, T0 + i, *more) for i, (person, variant, _, *more) in enumerate(met)]
    comparison = reported(met, did, rule=rule, until_ms=END).comparisons[0]
    assert [look.people for look in comparison.looks] == [200, 400, 600, 800, 1_000][: len(comparison.looks)]
    assert [look.is_clear for look in comparison.looks[:-1]] == [False] * (len(comparison.looks) - 1)
    assert (comparison.decision, sum(comparison.people)) == ("better", comparison.looks[-1].people)


def test_before_the_first_planned_look_nothing_is_said() -> None:
    """It was not planned."""
    met, did = shop({"a": (20, 50), "control": (10, 50)})
    found = reported(met, did, rule=Rule(method="planned-looks", planned=1_000), until_ms=END).comparisons[0]
    assert (found.looks, found.decision) == ([], "too few people yet")


@pytest.mark.parametrize("rule", [{"method": "planned-looks"}, {"looks": 0}, {"looks": 5, "planned": 4}])
def test_looks_that_cannot_be_planned_are_refused(rule: dict[str, Any]) -> None:
    """With what to say instead."""
    with pytest.raises(ConfigError):
        Rule(**rule)


def learning(n: int, *, is_logged: bool = True) -> tuple[Rows, Rows]:
    """Make an allocation that comes to favour `a`, people who buy more the later they come, and no effect."""
    random = np.random.default_rng(4)
    met, did = [], []
    for i in range(n):
        chance = 0.2 + 0.6 * i / n
        variant = "a" if random.random() < chance else "control"
        told: dict[str, Any] = {"allocation": "adaptive"}
        if is_logged:
            told["propensity"] = chance if variant == "a" else 1 - chance
        met.append((f"p{i}", variant, T0 + i, told))
        if random.random() < 0.1 + 0.4 * i / n:
            did.append((f"p{i}", "Buy", T0 + i + DAY))
    return met, did


def test_an_allocation_that_learns_is_weighted_by_its_logged_chances() -> None:
    """Plain means would see an effect of when people came; the report says that it weighs."""
    found = reported(*learning(4_000), until_ms=END)
    (comparison,) = found.comparisons
    plain = comparison.means[0] - comparison.means[1]
    assert found.allocation == "adaptive"
    assert not found.ratio.is_mismatch
    assert comparison.effective_people is not None
    assert comparison.effective_people < 3_500
    assert abs(plain) < 0.03
    assert comparison.decision == "no difference shown yet"
    assert any("weighted by the logged chance" in warning for warning in found.warnings)


def test_an_allocation_that_learns_without_logged_chances_is_not_read() -> None:
    """Nobody can tell its effect from who came when."""
    assert (
        one(reported(*learning(600, is_logged=False), until_ms=END))[0] == "chances not logged: do not read"
    )


@pytest.mark.parametrize("rule", [Rule(method="fixed"), Rule(method="planned-looks", planned=100)])
def test_an_allocation_that_learns_is_read_with_always_valid_intervals_only(rule: Rule) -> None:
    """Their sample sizes depend on outcomes."""
    with pytest.raises(ConfigError, match="leave --method out"):
        reported(*learning(600), rule=rule, until_ms=END)


def by_land(se: tuple[int, int], de: tuple[int, int], n: int = 1_000) -> Report:
    """Report an experiment in two countries: (bought of n treated, of n others) in each."""
    met, did = [], []
    for land, (treated, others) in {"SE": se, "DE": de}.items():
        more = shop({"a": (treated, n), "control": (others, n)}, land=land)
        met, did = [*met, *more[0]], [*did, *more[1]]
    return reported(met, did, until_ms=END, segments=("land",))


def test_an_effect_that_differs_between_segments_is_told() -> None:
    """All of it in one country."""
    (segmented,) = by_land((500, 300), (300, 300)).comparisons[0].segments
    assert [(each.value, each.people, each.effect.estimate) for each in segmented.effects] == [
        ("DE", 2_000, pytest.approx(0.0)),
        ("SE", 2_000, pytest.approx(0.2)),
    ]
    assert segmented.differs


def test_a_chance_difference_between_segments_is_not() -> None:
    """A clear effect in one country, an unclear one in the other: that is no difference between them."""
    (segmented,) = by_land((390, 300), (360, 300)).comparisons[0].segments
    assert not segmented.differs


def test_an_attribute_that_an_arm_changed_is_no_segment() -> None:
    """Everybody of the treated arm is in one country: within it there is no effect to be read."""
    met, did = shop({"a": (200, 500)}, land="SE")
    more = shop({"control": (200, 500)}, land="DE")
    found = reported([*met, *more[0]], [*did, *more[1]], until_ms=END, segments=("land",))
    (segmented,) = found.comparisons[0].segments
    assert "the arms differ in 'land' itself" in segmented.refused
    assert segmented.effects == []


def test_an_attribute_is_what_it_was_at_the_assignment() -> None:
    """What people become afterwards may be the arm's doing."""
    met, did = shop({"a": (200, 500), "control": (200, 500)}, land="SE")
    did += [(person, "Moved", at + DAY, {"land": "NO"}) for person, variant, at, _ in met if variant == "a"]
    (segmented,) = reported(met, did, until_ms=END, segments=("land",)).comparisons[0].segments
    assert [each.value for each in segmented.effects] == ["SE"]


def test_the_control_is_found_by_its_name_or_named() -> None:
    """Else it is the first by name."""
    met, did = shop({"a": (10, 50), "control": (10, 50), "z": (10, 50)})
    assert reported(met, did, until_ms=END).control == "control"
    assert reported(met, did, until_ms=END, control="z").control == "z"
    unnamed = reported([row for row in met if row[1] != "control"], did, until_ms=END)
    assert unnamed.control == "a"
    assert "No variant is named control: others are compared with a, the first by name." in unnamed.warnings
    with pytest.raises(ConfigError, match="no variant is named 'zz'"):
        reported(met, did, until_ms=END, control="zz")


def test_an_unknown_metric_is_refused() -> None:
    """With the one that was probably meant."""
    met, did = shop({"a": (10, 50), "control": (10, 50)})
    with pytest.raises(ConfigError, match="there is no metric 'bougt'; did you mean 'bought'"):
        reported(met, did, until_ms=END, metrics=("bougt",))


def test_a_report_is_json_whatever_is_unknown() -> None:
    """Infinite and missing numbers are null."""
    found = reported(*shop({"a": (0, 5), "control": (0, 5)}), until_ms=END)
    told = msgspec.json.decode(msgspec.json.encode(found.told()))
    assert told["comparisons"][0]["effect"]["low"] is None


def test_defaults_are_those_of_the_statistics() -> None:
    """They stand twice, since the command line's help loads no numbers."""
    assert (pytest.approx(fixed.ALPHA), sequential.TUNING) == (1 - LEVEL, TUNING)


def test_an_experiment_without_events_is_told_too() -> None:
    """Nobody did anything yet."""
    met, _ = shop({"a": (0, 40), "control": (0, 40)})
    comparison = reported(met, [], until_ms=END).comparisons[0]
    assert (comparison.means, comparison.decision) == ((0.0, 0.0), "too few people yet")
    assert moments_of([0.0, 0.0]).variance == 0.0
