"""Hold-outs: shares as asked, independent of one another, and the same answer for life."""

from __future__ import annotations

from math import sqrt
from random import Random

import pytest
from msgspec import structs

from sojourn.definitions.experiment import Experiment
from sojourn.definitions.policy import DEFAULT_HOLDOUT, DEFAULT_JOURNEY_HOLDOUT, Channel, Policy
from sojourn.engine.experiments import bucket
from sojourn.engine.holdouts import holdout_of, holdout_of_experiment, holdouts_of_action
from sojourn.engine.ledger import Ledger
from sojourn.engine.state import Life, Memory, Wanted
from sojourn.engine.view import View
from sojourn.model.ids import EnrolmentId, user_profile
from tests.engine.makers import catalogue

N_UNITS = 20_000
SIGMAS = 4
JOURNEY = "journey: NAME\nentry: { on: E }\nholdout: SHARE\nstates: { a: { after: { 1d: done } } }"
BUTTON = Experiment(id="button", variants=("a", "b"), weights=(0.5, 0.5), holdout=0.3)
CATALOGUE = structs.replace(
    catalogue(*(JOURNEY.replace("NAME", name).replace("SHARE", "30%") for name in ("rescue", "welcome"))),
    policy=Policy(holdout=0.2, channels={"email": Channel(holdout=0.25), "push": Channel(holdout=0.25)}),
)


def ledger_of(unit: str) -> Ledger:
    """Stand before one person."""
    return Ledger(CATALOGUE, user_profile(unit))


def wanted(channel: str, *, holdout: str = "") -> Wanted:
    """Want something from the state that has a hold-out of its own."""
    journey = CATALOGUE.journeys["rescue"]
    return Wanted(
        0, "a", "sink", channel, "", 0, EnrolmentId("e"), "rescue", journey.version, "a", b"", holdout, 0.2
    )


def kept_from(unit: str, channel: str) -> list[str]:
    """Ask every hold-out about one action; a channel's is told by the channel's name."""
    found = holdouts_of_action(Life(), wanted(channel), ledger_of(unit))
    return [channel if each == "channel" else each for each in found]


def held(unit: str) -> dict[str, bool]:
    """Ask every hold-out about one person."""
    answers = {
        name: holdout_of(Life(), Memory(), journey, ledger_of(unit))
        for name, journey in CATALOGUE.journeys.items()
    }
    found = {name: name in kept_from(unit, name) for name in ("email", "push")}
    view = View(Life(), CATALOGUE, at=0, unit=unit)
    return (
        found
        | {"node": "node" in kept_from(unit, "email")}
        | {"button": holdout_of_experiment(Life(), BUTTON, view) == "experiment"}
        | {"global": answers["rescue"] == "global"}
        | {name: answer == "journey" for name, answer in answers.items() if answer != "global"}
    )


@pytest.fixture(scope="module")
def everybody() -> list[dict[str, bool]]:
    """Ask about twenty thousand people, named as real ids are."""
    random = Random(7)
    return [held(f"{random.randrange(1 << 60):x}") for _ in range(N_UNITS)]


@pytest.mark.parametrize(
    ("name", "share"),
    [("global", 0.2), ("rescue", 0.3), ("welcome", 0.3), ("email", 0.25), ("push", 0.25), ("node", 0.2)],
)
def test_as_many_are_held_out_as_was_asked(everybody: list[dict[str, bool]], name: str, share: float) -> None:
    """Within four sigma; of journeys, among those whom the global hold-out lets through."""
    asked = [each[name] for each in everybody if name in each]
    assert abs(sum(asked) - share * len(asked)) < SIGMAS * sqrt(len(asked) * share * (1 - share))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("rescue", "welcome"),
        ("email", "push"),
        ("global", "email"),
        ("rescue", "email"),
        ("welcome", "push"),
        ("node", "email"),
        ("node", "rescue"),
        ("node", "global"),
        ("button", "node"),
        ("button", "push"),
    ],
)
def test_hold_outs_are_independent(everybody: list[dict[str, bool]], one: str, other: str) -> None:
    """Who is kept from one must be no likelier kept from another: else neither's effect can be told apart."""
    pairs = [(each[one], each[other]) for each in everybody if one in each and other in each]
    n = len(pairs)
    p, q = (sum(pair[i] for pair in pairs) / n for i in (0, 1))
    together = sum(a and b for a, b in pairs)
    assert abs(together - n * p * q) < SIGMAS * sqrt(n * p * q * (1 - p) * (1 - q))


def test_a_name_does_not_change_the_answer() -> None:
    """What is hashed is the id a person had when asked first."""
    memory, life = Memory(unit="d1"), Life(unit="d1")
    journey = CATALOGUE.journeys["rescue"]
    for name in ("ann", "bob", "cat", "dan", "eve"):
        assert holdout_of(life, memory, journey, ledger_of(name)) == holdout_of(
            Life(), Memory(), journey, ledger_of("d1")
        )


def test_who_is_asked_is_remembered_by_the_id_they_had() -> None:
    """Also where the answer is no, and where the global hold-out answers first."""
    memory, life = Memory(), Life()
    holdout_of(life, memory, CATALOGUE.journeys["rescue"], ledger_of("ann"))
    assert (memory.unit, life.unit) == ("ann", "ann")


def test_a_journey_asks_by_the_id_that_the_person_was_told_of_before() -> None:
    """Told whether a journey holds them back, logged, and then named: entering it comes to what was told."""
    journey = CATALOGUE.journeys["rescue"]
    for n in range(60):
        told = holdout_of(Life(), Memory(), journey, ledger_of(f"d{n}"))
        assert holdout_of(Life(unit=f"d{n}"), Memory(), journey, ledger_of("ann")) == told


def test_an_action_names_every_hold_out_that_keeps_the_person_back() -> None:
    """Each is asked on its own, also behind the global one: a report sets any of them against the rest."""
    names = [f"{n:x}" for n in range(400)]
    found = set()
    for unit in names:
        life = Life(memories={"rescue": Memory(unit=unit)})
        first = holdout_of(Life(), Memory(), CATALOGUE.journeys["rescue"], ledger_of(unit))
        found.add(",".join(holdouts_of_action(life, wanted("email", holdout=first), ledger_of(unit))))
    assert {"", "global", "journey", "global,journey", "channel,node", "global,journey,channel,node"} <= found
    order = ["global", "journey", "channel", "node"]
    assert all(each.split(",") == [one for one in order if one in each] for each in found if each)


def test_asking_about_an_experiment_leaves_no_trace() -> None:
    """A question is asked of lives that nobody may change; who is exposed is remembered then."""
    life = Life()
    holdout_of_experiment(life, BUTTON, View(life, CATALOGUE, at=0, unit="ann"))
    assert life == Life()


def test_shares_are_on_unless_somebody_says_off() -> None:
    """What a journey is worth can be known only from people who did not get it."""
    text = JOURNEY.replace("NAME", "j")
    silent, off, none = (
        catalogue(each).journeys["j"].holdout
        for each in (
            text.replace("holdout: SHARE\n", ""),
            text.replace("SHARE", "off"),
            text.replace("SHARE", "0%"),
        )
    )
    assert (silent, off, none) == (DEFAULT_JOURNEY_HOLDOUT, 0.0, 0.0)
    assert catalogue(text.replace("SHARE", "off")).policy.holdout == DEFAULT_HOLDOUT


def test_the_hash_is_growthbooks() -> None:
    """Vectors of its public suite, version 2: whoever recomputes an assignment elsewhere gets the same."""
    vectors = [("seed", "a", 0.0505), ("seed", "b", 0.2696)]
    assert [bucket(seed, unit) for seed, unit, _ in vectors] == [place for _, _, place in vectors]
