"""The loop closed: a real engine draws by what it learns, and its lake judges another policy rightly."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from sojourn.analytics.policies.draft import read_drafts
from sojourn.analytics.policies.estimating import target_of
from sojourn.analytics.policies.evaluating import Asked, evaluate
from sojourn.definitions.compile import compile_journey
from sojourn.definitions.controls import LEARNT, control_event
from sojourn.definitions.publishing import InForce, Version, catalogue_of
from sojourn.model.event import Event
from sojourn.runtime.driver import Driver
from sojourn.wiring.decisions import Rewards, read_logged
from sojourn.wiring.lake import open_lake
from tests.adapters.lake.folders import T0, Folder, event
from tests.cli.commands import answer, run

HOUR, DAY = 3_600_000, 86_400_000
RESCUE = """
journey: rescue
entry: { on: Began }
goal: { on: Bought, within: 1d }
holdout: off
states:
  deciding:
    experiment:
      id: offer
      variants: { none: 1, free: 1 }
      to: { none: waiting, free: waiting }
      allocation: adaptive
      by: entry.properties.plan
      reward: { on: Bought, within: 1d }
      floor: 10%
  waiting:
    after: { 2d: done }
  done: {}
"""
BEST = """
experiments:
  offer:
    weights: uniform
    cells: { '"pro"': always none, '"new"': always free }
"""
RATES = {("pro", "none"): 0.5, ("pro", "free"): 0.2, ("new", "none"): 0.1, ("new", "free"): 0.4}
TRUTH = 0.45  # of the best in each plan, half of the people having either
PER_DAY, DAYS = 60, 12


class Shop:
    """People who begin each day, and buy as the variant they met makes them."""

    def __init__(self, path: Path) -> None:
        journey = compile_journey(RESCUE, file="rescue.yaml")
        version = Version(journey=journey.name, version=journey.version, text=RESCUE)
        current = {journey.name: journey.version}
        in_force = InForce(current=current, versions=[version], shared=["policy: { holdout: off }"])
        catalogue, problems = catalogue_of(in_force)
        assert problems == []
        self.folder = folder = Folder(path, catalogue)
        folder.driver = Driver(folder.log, folder.store, catalogue, in_force=in_force)
        self.random = Random(5)
        self.n = 0

    def day(self, at: int) -> None:
        """Let some begin, each with a plan; an hour later those buy whom their variant makes."""
        plans = {f"p{self.n + i}": self.random.choice(["pro", "new"]) for i in range(PER_DAY)}
        began = [self.happening("Began", who, at, plan) for who, plan in plans.items()]
        self.folder.live(began, now=at)
        met = {
            fact.profile_id.removeprefix("u:"): fact.variant
            for _, _, fact in self.folder.facts()
            if type(fact).__name__ == "Exposed"
        }
        bought = [who for who, plan in plans.items() if self.random.random() < RATES[plan, met[who]]]
        later = [self.happening("Bought", who, at + HOUR, plans[who]) for who in bought]
        self.folder.live(later, now=at + HOUR)

    def learn(self, at: int) -> None:
        """Put into the log what was learnt, as the runtime does."""
        learnt = self.folder.driver.learn()
        if learnt is not None:
            position = self.folder.driver.position
            self.folder.live([control_event(LEARNT, learnt, after=position, now=at)], now=at)

    def happening(self, name: str, who: str, at: int, plan: str) -> Event:
        """Write an event."""
        self.n += name == "Began"
        return event(f"{name} {who}", name, at=at, user_id=who, properties={"plan": plan})


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder in which a split was adaptive for twelve days."""
    path = tmp_path_factory.mktemp("data")
    shop = Shop(path)
    for day in range(DAYS):
        shop.day(T0 + day * DAY)
        shop.folder.wait(T0 + day * DAY + 20 * HOUR)
        shop.learn(T0 + day * DAY + 20 * HOUR)
    shop.folder.wait(T0 + (DAYS + 1) * DAY)
    yield path
    shop.folder.close()


def test_the_engine_comes_to_draw_what_is_best_in_each_plan(data: Path) -> None:
    """But for the floor; and every exposure says what it was drawn from."""
    with open_lake(data) as lake:
        last = lake.connection.execute("""
            SELECT context, max_by(eligible, logged_at) FROM exposures GROUP BY context ORDER BY context
        """).fetchall()
    assert last == [('"new"', '{"none":0.1,"free":0.9}'), ('"pro"', '{"none":0.9,"free":0.1}')]


def test_its_log_judges_a_policy_that_nobody_was_given(data: Path) -> None:
    """DR's interval, and both others', hold what the best in each plan would have earned."""
    decisions = read_logged(data, "offer", Rewards(within_ms=DAY)).decisions
    _, draft = read_drafts(BEST, file="best.yaml").of("offer")
    shares = draft.shares(decisions.variants, decisions.contexts)
    found = evaluate(decisions, target_of(decisions, shares), Asked(replicates=500))
    assert (found.refused, found.overlap.decisions, found.overlap.impossible) == ((), PER_DAY * DAYS, 0.0)
    for one in found.estimates:
        assert one.low is not None
        assert one.high is not None
        assert one.low < TRUTH < one.high, one


def test_the_command_says_the_same_of_the_folder(data: Path, tmp_path: Path) -> None:
    """With the draft as a file, beside whoever writes the folder."""
    draft = tmp_path / "best.yaml"
    draft.write_text(BEST)
    asked = ("policy", "evaluate", "--policy", str(draft), "--data", str(data), "--within", "1d")
    found = answer(*asked, "--replicates", "500")
    assert found["reward"] == "1 where the journey's goal came, else 0"
    robust = found["evaluation"]["estimates"][0]
    assert robust["low"] < TRUTH < robust["high"]
    said = run(*asked).output
    assert f"best.yaml, judged by {PER_DAY * DAYS} decisions of {PER_DAY * DAYS} people in offer" in said


def test_a_draft_learnt_from_the_folder_is_what_the_engine_came_to(data: Path) -> None:
    """The same counts, by the same function: all of them, where the engine still waited for some."""
    asked = (
        "policy",
        "learn",
        "--experiment",
        "offer",
        "--data",
        str(data),
        "--within",
        "1d",
        "--floor",
        "0.1",
    )
    said = run(*asked).output
    assert """'"new"': { 'free': 0.9, 'none': 0.1 }""" in said
    assert """'"pro"': { 'free': 0.1, 'none': 0.9 }""" in said
