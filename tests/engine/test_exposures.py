"""Exposures: who met what, told once; whose word counts; what rewards it, and what a merge keeps."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.definitions.catalogue import build_catalogue, load_definitions
from sojourn.definitions.journey import Catalogue
from sojourn.engine.experiments import Choice
from sojourn.engine.exposures import MAX_MET, meet, merge_met
from sojourn.engine.ledger import Ledger
from sojourn.engine.state import Life, Met
from sojourn.engine.turn import turn
from sojourn.model.event import OUR_SOURCE
from sojourn.model.fact import AssignmentConflict, Exposed, Fact, Rewarded
from sojourn.model.ids import user_profile
from tests.engine.makers import MINUTE, T0, arrived

FLAG = """
flag: button
variants: { calm: 1, bold: 2 }
default: calm
rules:
  - when: "trait.plan != 'team' and properties.page != 'help'"
    experiment:
      variants: { calm: 1, bold: 1 }
      allocation: adaptive
      reward: { on: Bought, when: "properties.total > 10", within: 1h }
      by: trait.plan
  - experiment: { id: rest, variants: { calm: 1, bold: 1 } }
"""
SAID: dict[str, Any] = {
    "flag": "button", "experiment": "button", "variant": "bold", "propensity": 0.3,
    "eligible": {"calm": 0.7, "bold": 0.3}, "decision_id": "d1", "context": '"pro"',
}  # fmt: skip


def flags(*texts: str) -> Catalogue:
    """Build the catalogue of some flags and journeys."""
    found = load_definitions([(f"{n}.yaml", text) for n, text in enumerate(texts)])
    return build_catalogue(found.journeys, flags=found.flags)


CATALOGUE = flags(FLAG)


def lived(
    *inputs: Any, life: Life | None = None, catalogue: Catalogue = CATALOGUE
) -> tuple[Life, list[Fact]]:
    """Let somebody live through arrivals; return what they are then, and what was told of experiments."""
    until = inputs[-1].at if inputs else T0
    result = turn("profile", "ann", life, inputs, until=until, catalogue=catalogue)
    assert isinstance(result.state, Life)
    told = [fact for fact in result.facts if isinstance(fact, Exposed | Rewarded | AssignmentConflict)]
    return result.state, told


def logged(*, at: float = 0, source: str = OUR_SOURCE, **fields: Any) -> Any:
    """A decision that was told and logged."""
    return arrived("$exposed", at=at, user_id="ann", kind="track", source=source, properties=SAID | fields)


def told(name: str = "Flag Exposed", *, at: float = 0, **properties: Any) -> Any:
    """An application says that it used a flag."""
    return arrived(name, at=at, user_id="ann", kind="track", properties=properties)


def test_a_logged_decision_is_taken_over_as_it_was_said() -> None:
    """What it was drawn from, then; whatever the weights are now."""
    life, facts = lived(logged())
    assert facts == [
        Exposed(
            profile_id=user_profile("ann"), at=T0, position=1, experiment="button", variant="bold",
            propensity=0.3, flag="button", decision_id="d1", eligible={"calm": 0.7, "bold": 0.3},
            context='"pro"', allocation="adaptive",
        )
    ]  # fmt: skip
    assert life.variants == {"button": "bold"}
    assert life.n_events == 0


def test_the_second_decision_exposes_nobody_again() -> None:
    """One exposure for each person and experiment; another variant is a conflict, told once."""
    life, facts = lived(logged(), logged(at=1), logged(at=2, variant="calm"), logged(at=3, variant="calm"))
    assert [type(fact) for fact in facts] == [Exposed, AssignmentConflict]
    assert isinstance(facts[1], AssignmentConflict)
    assert (facts[1].kept, facts[1].dropped) == ("bold", "calm")
    assert life.variants == {"button": "bold"}


def test_nobody_else_can_log_a_decision() -> None:
    """From another source it is a step like any other, and exposes nobody."""
    life, facts = lived(logged(source="web"))
    assert (facts, life.variants, life.n_events) == ([], {}, 1)


@pytest.mark.parametrize("properties", [{}, {"experiment": 7}, {"experiment": "e"}])
def test_what_a_later_release_logged_is_passed_over(properties: dict[str, Any]) -> None:
    """A log is replayed by earlier releases, too; nobody fails for it."""
    event = arrived("$exposed", user_id="ann", kind="track", source=OUR_SOURCE, properties=properties)
    assert lived(event)[1] == []


@pytest.mark.parametrize("name", ["Flag Exposed", "$feature_flag_called"])
def test_an_application_says_that_it_used_a_flag(name: str) -> None:
    """It gets what it would be told now, and is a step as it came."""
    key = "$feature_flag" if name.startswith("$") else "flag"
    life, facts = lived(told(name, **{key: "button"}))
    (exposed,) = facts
    assert isinstance(exposed, Exposed)
    assert (exposed.flag, exposed.experiment, exposed.propensity, exposed.context) == (
        "button",
        "button",
        0.5,
        "null",
    )
    assert life.variants == {"button": exposed.variant}
    assert life.n_events == 1


def test_the_variant_an_application_used_is_believed_where_there_is_one() -> None:
    """Its answer may be older than the weights in force; what it shows is what the person meets."""
    for variant in ("calm", "bold"):
        _, (exposed,) = lived(told(flag="button", variant=variant))
        assert isinstance(exposed, Exposed)
        assert exposed.variant == variant
    _, (exposed,) = lived(told(flag="button", variant="other"))
    assert isinstance(exposed, Exposed)
    assert exposed.variant in ("calm", "bold")


@pytest.mark.parametrize("properties", [{"flag": "none"}, {"flag": 7}, {}, {"flag": ["button"]}])
def test_a_flag_that_nobody_has_exposes_nobody(properties: dict[str, Any]) -> None:
    """Applications ask for flags of the past."""
    assert lived(told(**properties))[1] == []


def test_the_question_may_bring_properties() -> None:
    """A rule that asks for them sees those of the exposure event."""
    _, (exposed,) = lived(told(flag="button", page="help"))
    assert isinstance(exposed, Exposed)
    assert exposed.experiment == "rest"


def test_whoever_met_an_earlier_version_takes_no_part_in_one_that_leaves_them_out_sticky_or_not() -> None:
    """What was met is remembered also where the variant does not stay."""
    text = """
flag: button
variants: { calm: 1, bold: 2 }
default: calm
rules: [ { experiment: { variants: { calm: 1, bold: 1 }, sticky: false, version: VERSION } } ]
"""
    life, first = lived(told(flag="button"), catalogue=flags(text.replace("VERSION", "0")))
    later = flags(text.replace("VERSION", "1, min_version: 1"))
    _, second = lived(told(flag="button", at=1), life=life, catalogue=later)
    assert (len(first), second) == (1, [])


def test_an_import_exposes_nobody() -> None:
    """What somebody met elsewhere, long ago, was not drawn here."""
    event = told(flag="button")
    for kind in ({"is_history": True}, {"is_shadow": True}):
        assert lived(msgspec.structs.replace(event, **kind))[1] == []


def test_a_reward_in_time_is_told_once_and_names_its_exposure() -> None:
    """Only where its condition holds, and up to the end of its window."""
    bought = [
        arrived("Bought", at=at, user_id="ann", properties={"total": total})
        for at, total in ((5, 9), (60, 11))
    ]
    again = arrived("Bought", at=60.5, user_id="ann", properties={"total": 99})
    _, facts = lived(logged(), *bought, again)
    (reward,) = [fact for fact in facts if isinstance(fact, Rewarded)]
    assert (reward.at, reward.experiment, reward.variant) == (T0 + 60 * MINUTE, "button", "bold")
    assert (reward.context, reward.exposed_at) == ('"pro"', T0)
    late = arrived("Bought", at=60.1, user_id="ann", properties={"total": 99})
    assert [type(fact) for fact in lived(logged(), late)[1]] == [Exposed]


def test_the_goal_of_a_journey_rewards_its_own_split() -> None:
    """Whoever is inside, or was, and met a variant there."""
    text = """
journey: j
entry: { on: E }
holdout: off
goal: { on: G, within: 2h }
states:
  a: { experiment: { id: x, variants: { one: 1, two: 3 }, allocation: adaptive, to: { one: b, two: b } } }
  b: { after: { 1h: done } }
"""
    goal = arrived("G", at=90, user_id="ann")
    _, facts = lived(arrived("E", user_id="ann"), goal, catalogue=flags(text))
    assert [type(fact) for fact in facts] == [Exposed, Rewarded]
    too_late = arrived("G", at=150, user_id="ann")
    assert len(lived(arrived("E", user_id="ann"), too_late, catalogue=flags(text))[1]) == 1


# -- Two lives that become one.


def life_of(at: int, variant: str, **more: Any) -> Life:
    """Somebody who met one variant."""
    return Life(met={"e": Met(at, variant, **more)}, variants={"e": variant})


def test_of_two_exposures_the_first_one_stays_whichever_life_is_named_first() -> None:
    """Three lives, in any order: the same variant, and a conflict is told once."""
    lives = [(1, "a"), (2, "b"), (3, "a")]
    for order in permutations(lives):
        ledger = Ledger(CATALOGUE, user_profile("ann"))
        life = Life()
        for at, variant in order:
            merge_met(life, life_of(at, variant), ledger)
        assert (life.variants["e"], life.met["e"].at) == ("a", 1)
        assert [type(fact) for fact in ledger.facts] == [AssignmentConflict]


@given(st.lists(st.tuples(st.integers(1, 5), st.sampled_from("abc")), min_size=1, max_size=6))
def test_merging_many_lives_keeps_the_earliest_exposure(exposures: list[tuple[int, str]]) -> None:
    """Against a naive look at all of them; of several at one instant, that of the life merged first."""
    ledger = Ledger(CATALOGUE, user_profile("ann"))
    life = Life()
    for at, variant in exposures:
        merge_met(life, life_of(at, variant), ledger)
    earliest = min(at for at, _ in exposures)
    expected = next(variant for at, variant in exposures if at == earliest)
    assert (life.variants["e"], life.met["e"].variant, life.met["e"].at) == (expected, expected, earliest)
    assert len(ledger.facts) <= 1
    assert bool(ledger.facts) == (len({variant for _, variant in exposures}) > 1)


def test_two_lives_that_met_the_same_variant_do_not_conflict() -> None:
    """It is no mistake of anybody."""
    ledger = Ledger(CATALOGUE, user_profile("ann"))
    life = life_of(2, "a")
    merge_met(life, life_of(1, "a"), ledger)
    assert (ledger.facts, life.met["e"].at) == ([], 1)


def test_of_two_exposures_at_one_instant_the_persons_own_stays() -> None:
    """Somebody must be right."""
    life = life_of(1, "a")
    merge_met(life, life_of(1, "b"), Ledger(CATALOGUE, user_profile("ann")))
    assert life.variants == {"e": "a"}


def test_what_one_person_met_is_bounded() -> None:
    """Definitions come and go; a life does not grow for ever."""
    ledger = Ledger(CATALOGUE, user_profile("ann"))
    life = Life()
    for n in range(MAX_MET + 1):
        meet(life, Choice(experiment=f"e{n}", variant="a", propensity=1.0, eligible={"a": 1.0}), ledger)
    assert (len(life.met), len(ledger.facts)) == (MAX_MET, MAX_MET)


def test_what_two_lives_met_together_is_bounded_and_the_first_stay() -> None:
    """A hundred devices may become one person; their own exposures stay, then the earliest of the others."""

    def met(*names: str, at: int) -> Life:
        each = {name: Met(at + n, "b", "", 0) for n, name in enumerate(names)}
        return Life(met=each, variants=dict.fromkeys(names, "b"))

    life = met(*(f"own{n}" for n in range(MAX_MET - 2)), at=100)
    merge_met(life, met("own0", "early", "second", "late", at=7), Ledger(CATALOGUE, user_profile("ann")))
    assert (len(life.met), len(life.variants)) == (MAX_MET, MAX_MET)
    assert {"own0", "early", "second"} <= life.met.keys()
    assert life.met["own0"].at == 7
    assert "late" not in life.met.keys() | life.variants.keys()
