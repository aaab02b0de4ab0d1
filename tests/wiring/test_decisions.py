"""Decisions of a lake: who met what, and what came of it in time, told by a real engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sojourn.analytics.policies.decisions import Decisions
from sojourn.definitions.catalogue import build_catalogue
from sojourn.definitions.compile import compile_journey
from sojourn.definitions.policy import Policy
from sojourn.engine.experiments import bucket
from sojourn.model.errors import ConfigError, InputError
from sojourn.wiring.decisions import Rewards, read_logged
from tests.adapters.lake.folders import T0, Folder, event

HOUR, DAY = 3_600_000, 86_400_000
RESCUE = """
journey: rescue
entry: { on: Began, reentry: after_exit }
goal: { on: Bought, within: 3d }
holdout: off
states:
  deciding:
    experiment: { id: offer, variants: { none: 3, free: 1 }, to: { none: waiting, free: waiting } }
  waiting:
    after: { 2d: done }
  done: {}
"""
PEOPLE = ("ann", "bob", "cid", "dan", "eve", "fay")
BOUGHT = {"ann": HOUR, "bob": 30 * HOUR, "eve": HOUR}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder in which five began at once and fay a week later; three bought something since."""
    path = tmp_path_factory.mktemp("data")
    folder = Folder(
        path, build_catalogue([compile_journey(RESCUE, file="rescue.yaml")], policy=Policy(holdout=0.0))
    )
    happenings = [(0, "Began", who) for who in PEOPLE if who != "fay"] + [(7 * DAY, "Began", "fay")]
    happenings += [(at, "Bought", who) for who, at in BOUGHT.items()] + [(2 * HOUR, "Bought", "ann")]
    happenings.append((-HOUR, "Bought", "dan"))
    for n, (at, name, who) in enumerate(sorted(happenings)):
        properties = {"revenue": 10 * len(who) + n}
        happened = event(n, name, at=T0 + at, user_id=who, properties=properties)
        folder.live([happened], now=T0 + at)
    folder.wait(T0 + 7 * DAY + HOUR)
    yield path
    folder.close()


def rewards_by_variant(found: Decisions) -> list[tuple[str, float, float]]:
    """List variant, propensity and reward of each decision."""
    names = [found.variants[code] for code in found.variant.tolist()]
    return list(zip(names, found.propensity.tolist(), found.reward.tolist(), strict=True))


def drawn(who: str) -> tuple[str, float]:
    """Return what the hash draws for somebody, and how likely it was."""
    return ("none", 0.75) if bucket("offer", who) < 0.75 else ("free", 0.25)


def test_a_decision_earns_its_goal_where_it_came_in_time(data: Path) -> None:
    """A day after: bob's came later, fay's may still come, and what dan bought before is no answer."""
    found = read_logged(data, "offer", Rewards(within_ms=DAY)).decisions
    expected = [(*drawn(who), 1.0 if BOUGHT.get(who, DAY) < DAY else 0.0) for who in PEOPLE if who != "fay"]
    assert rewards_by_variant(found) == expected
    assert found.left_out == {"too-young": 1}
    assert found.n_people == 5


def test_what_could_have_been_drawn_is_known(data: Path) -> None:
    """The engine says it with every exposure."""
    found = read_logged(data, "offer", Rewards()).decisions
    assert found.eligible is not None
    assert found.variants == ("free", "none")
    assert found.eligible.tolist() == [[0.25, 0.75]]


def test_an_event_may_be_what_it_is_for(data: Path) -> None:
    """Within an hour and a half: ann and eve, once each, whatever the goal is."""
    found = read_logged(data, "offer", Rewards(event="Bought", within_ms=HOUR * 3 // 2)).decisions
    assert found.reward.tolist() == [float(who in ("ann", "eve")) for who in PEOPLE[:5]]


def test_and_how_much_of_it(data: Path) -> None:
    """All that came in time is summed up: ann bought twice."""
    found = read_logged(data, "offer", Rewards(event="Bought", value="revenue", within_ms=DAY)).decisions
    assert (found.reward[0] > 60, found.reward[1:4].tolist()) == (True, [0.0] * 3)


@pytest.mark.parametrize(
    ("experiment", "rewards", "says"),
    [
        ("ofer", Rewards(), "nobody met 'ofer'; did you mean 'offer'"),
        ("offer", Rewards(value="revenue"), "name the event with --event"),
    ],
)
def test_what_cannot_be_asked_is_told(data: Path, experiment: str, rewards: Rewards, says: str) -> None:
    """With what to do."""
    with pytest.raises(ConfigError, match=says):
        read_logged(data, experiment, rewards)


def test_where_all_are_too_young_there_is_nothing_to_learn(data: Path) -> None:
    """Rather than nobody's rewards."""
    with pytest.raises(InputError, match="long enough ago"):
        read_logged(data, "offer", Rewards(within_ms=30 * DAY))
