"""A shop's history, imported by the real command, and counted again from the engine's own facts.

Once with events of our own making, once with the data set `ecom_events`, whose README says what is in it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from typer.testing import CliRunner

from sojourn.cli.app import app
from sojourn.config import load_config
from sojourn.model.fact import (
    ActionDecided,
    ActionWithheld,
    Entered,
    Exited,
    Fact,
    GoalReached,
    NotEntered,
    SessionStarted,
    StepTaken,
)
from sojourn.wiring import Readings, open_readings
from tests.cli import shops

ECOM = Path(__file__).parents[2] / ".." / "shared" / "data" / "ecom_events" / "ecom_events.csv.gz"
MAP = (
    "event=event,user_id=user_id,session_id=session_id,timestamp=timestamp,"
    "properties.platform=platform,properties.channel=acquisition_channel"
)
SEED = 20_240_104
CONFIG = """\
sinks:
  support: { type: webhook, url: "https://example.com/never-asked" }
"""
GROUPS = 1_000  # of facts, read at once.


class Shop(NamedTuple):
    """One table, imported."""

    folder: Path
    file: Path
    counts: dict[str, int]
    facts: list[Fact]
    """In the order they were stored."""

    @property
    def steps(self) -> list[StepTaken]:
        """Return the steps people took, in time order."""
        taken = [fact for fact in self.facts if isinstance(fact, StepTaken)]
        return sorted(taken, key=lambda step: (step.occurred_at, step.position))

    def count(self, kind: type[Fact]) -> int:
        """Count the facts of a kind."""
        return sum(isinstance(fact, kind) for fact in self.facts)


@pytest.fixture(scope="module", params=["made", "ecom_events"])
def shop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """A folder with a journey, and a table imported into it."""
    folder = tmp_path_factory.mktemp("shop")
    file = ECOM
    if request.param == "made":
        file = folder / "made.csv.gz"
        shops.make(file, seed=SEED)
    elif not ECOM.exists():
        pytest.skip("the shared data set ecom_events is not beside this clone")
    (folder / "sojourn.yaml").write_text(CONFIG)
    (folder / "journeys").mkdir()
    (folder / "journeys" / "checkout-rescue.yaml").write_text(shops.JOURNEY)
    counts = imported(folder, file)
    return Shop(folder, file, counts, facts_of(folder))


def imported(folder: Path, file: Path) -> Any:
    """Run the command, and read its answer."""
    arguments = ["import", str(file), "--map", MAP, "--config", str(folder / "sojourn.yaml"), "--json"]
    result = CliRunner().invoke(app, arguments, catch_exceptions=False, env={"SOJOURN_DATA": ""})
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout.splitlines()[-1])


@contextmanager
def opened(folder: Path) -> Iterator[Readings]:
    """Open a folder to read in."""
    with open_readings(load_config(folder / "sojourn.yaml", environment={})) as readings:
        yield readings


def facts_of(folder: Path) -> list[Fact]:
    """Read all facts."""
    facts: list[Fact] = []
    last = 0
    with opened(folder) as readings:
        while groups := readings.store.facts_after(last, GROUPS):
            last = groups[-1][0]
            facts += [fact for _, group in groups for fact in group]
    return facts


# What the table says, the facts say


def test_every_row_is_a_step_somebody_took(shop: Shop) -> None:
    """In time order, rows of one second in the file's: no row lost, none twice, none at another time."""
    rows = shops.read(shop.file)

    assert shop.counts == {"accepted": len(rows), "duplicate": 0, "failed": 0}
    assert [(f"u:{row.user}", row.name, row.at) for row in rows] == [
        (step.profile_id, step.name, step.occurred_at) for step in shop.steps
    ]


def test_sessions_are_those_of_the_table(shop: Shop) -> None:
    """Whoever exports sessions has cut them; they are not cut again."""
    rows = shops.read(shop.file)

    ours: dict[str | None, set[str]] = {}
    for row, step in zip(rows, shop.steps, strict=True):
        ours.setdefault(step.session_id, set()).add(row.session)

    assert None not in ours
    assert all(len(theirs) == 1 for theirs in ours.values())
    assert len(ours) == len({row.session for row in rows}) == shop.count(SessionStarted)


def test_the_journey_comes_to_what_counting_by_hand_comes_to(shop: Shop) -> None:
    """Entries, reminders at their instant, goals in their window, and ends, up to the last event of all."""
    exits = Counter(fact.reason for fact in shop.facts if isinstance(fact, Exited))

    found = shops.Rescue(
        entered=shop.count(Entered),
        refused=shop.count(NotEntered),
        reminded=shop.count(ActionWithheld),
        goals=shop.count(GoalReached),
        ended=exits["final"],
    )

    assert found == shops.rescue(shops.read(shop.file))
    assert exits == {"final": found.ended, "goal": found.goals}


def test_the_journey_s_tallies_agree_with_its_facts(shop: Shop) -> None:
    """What `sojourn journeys` shows."""
    with opened(shop.folder) as readings:
        [view] = readings.journeys()

    entered, goals, exited = shop.count(Entered), shop.count(GoalReached), shop.count(Exited)
    assert (view.entered, view.goals, view.exited) == (entered, goals, exited)
    assert sum(view.states.values()) == entered - exited


def test_a_profile_knows_its_own_history(shop: Shop) -> None:
    """Looked up as an operator would, one person at a time."""
    rows = shops.read(shop.file)
    theirs = Counter(row.user for row in rows)

    with opened(shop.folder) as readings:
        profiles = {user: readings.profile(user) for user in theirs}
        n_profiles = readings.status().counts["profiles"]

    assert {user: view.n_events for user, view in profiles.items() if view} == theirs
    assert n_profiles == len(theirs)


# What is not sent


def test_nothing_of_an_import_is_sent(shop: Shop) -> None:
    """Nobody wants a reminder of the cart they left in January."""
    withheld = [fact for fact in shop.facts if isinstance(fact, ActionWithheld)]

    with opened(shop.folder) as readings:
        status = readings.status()

    assert withheld
    assert {(fact.reason, fact.sink, fact.state) for fact in withheld} == {("history", "support", "reminded")}
    assert shop.count(ActionDecided) == 0
    assert (status.counts["outbox"], status.counts["dead_letters"]) == (0, 0)


def test_a_second_import_adds_nothing(shop: Shop) -> None:
    """No event, no fact, no state: a script that runs twice does no harm."""
    with opened(shop.folder) as readings:
        before = readings.status()

    counts = imported(shop.folder, shop.file)

    with opened(shop.folder) as readings:
        assert readings.status() == before
    assert counts == {"accepted": 0, "duplicate": shop.counts["accepted"], "failed": 0}
    assert facts_of(shop.folder) == shop.facts


# The README's own numbers


def test_the_known_numbers_of_ecom_events_come_out(shop: Shop) -> None:
    """From the engine's facts alone; what its README says was counted by others."""
    if shop.file != ECOM:
        pytest.skip("only the known data set has known numbers")
    by_user = shops.paths((step.profile_id, step.name) for step in shop.steps)
    by_session = shops.paths((step.session_id or "", step.name) for step in shop.steps)

    assert (len(shop.steps), len(by_user), len(by_session)) == (31_106, 600, 3_605)
    assert shops.funnel(by_user) == (600, 596, 502, 390, 272, 139)
    assert shops.transitions(by_user) == (30_506, 338)
    assert shops.transitions(by_session) == (27_501, 336)
    assert shops.funnel(by_session) == (2_837, 2_108, 602, 236, 80, 21)
