"""A simulated folder: a lake that is read as an engine's, events that an import takes, the truth beside."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from sojourn.analytics.causal.reading import read_trials
from sojourn.analytics.reading import Mapping, StepRules
from sojourn.analytics.simulator.observing import observe
from sojourn.analytics.simulator.recording import ENGAGEMENT, REVENUE, events_of, trials_of
from sojourn.analytics.simulator.scenarios import SCENARIOS
from sojourn.model.errors import ConfigError
from sojourn.wiring.lake import open_lake
from sojourn.wiring.lake_events import read_lake_events
from sojourn.wiring.simulating import PHASES, Asked, simulate
from tests.cli.commands import run

PEOPLE, SEED = 1_000, 3
MAPPING = Mapping(attributes={"channel": "channel"}, values={ENGAGEMENT: ENGAGEMENT, REVENUE: REVENUE})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Scenario C, written by the command's own function."""
    out = tmp_path_factory.mktemp("simulated") / "typical"
    told: list[int] = []
    asked = Asked(scenario="C", people=PEOPLE, holdout=0.2, seed=SEED, out=out)
    done = simulate(asked, told.append)
    assert sum(told) == PHASES * PEOPLE
    assert done.actions > PEOPLE
    return out


def test_its_events_are_those_that_were_observed(folder: Path) -> None:
    """Whoever reads the lake sees them as the simulation has them: people, times, steps, numbers."""
    observed = observe(SCENARIOS["C"], people=PEOPLE, seed=SEED, holdout=0.2)
    expected, read = events_of(observed), read_lake_events(folder, MAPPING, StepRules())
    assert [f"u:{who}" for who in expected.people] == list(read.people)
    assert list(read.steps) == list(expected.steps)
    for name in ("starts", "at", "step"):
        assert (getattr(read, name) == getattr(expected, name)).all(), name
    for name in (ENGAGEMENT, REVENUE):
        assert np.array_equal(read.values[name], expected.values[name], equal_nan=True)


def test_its_first_opportunities_are_those_that_were_observed(folder: Path) -> None:
    """Read in SQL out of actions, as from an engine's lake."""
    observed = observe(SCENARIOS["C"], people=PEOPLE, seed=SEED, holdout=0.2)
    expected = trials_of(observed)
    with open_lake(folder) as lake:
        read = read_trials(lake.connection, [f"u:p{n:08}" for n in range(PEOPLE)])
    assert list(read.units) == list(expected.units)
    for name in ("unit", "person", "at", "is_held", "is_mixed"):
        assert (getattr(read, name) == getattr(expected, name)).all(), name
    assert list(read.ids) == [each.decode() for each in expected.ids]


def test_it_says_how_far_it_goes(folder: Path) -> None:
    """To the last event and the last action, as a lake does that follows a log."""
    with open_lake(folder) as lake:
        rows = [lake.ask(f"SELECT max({column}) FROM {table}")[1][0][0]
                for table, column in (("events", "position"), ("actions", "fact_group"))]  # fmt: skip
        assert rows == [lake.reach.position, lake.reach.group]


def test_the_truth_beside_it_says_what_every_set_of_channels_does(folder: Path) -> None:
    """32 sets of five channels."""
    truth = json.loads((folder / "truth.json").read_text())
    assert len(truth["sets"]) == 32
    assert truth["sets"][-1]["on"] == truth["channels"]
    total = truth["conversions_with_all"] - truth["conversions_with_none"]
    assert sum(truth["shapley_of_incremental_conversions"].values()) == pytest.approx(total)


@pytest.mark.parametrize(
    "command",
    [
        ["graph"],
        ["attribution", "--conversion", "Order Completed", "--value", "revenue", "--replicates", "0"],
        ["causal", "--conversion", "Order Completed", "--value", "revenue", "--covariate", "engagement"],
        ["causal", "--conversion", "Order Completed", "--within", "7d", "--method", "fixed"],
    ],
)
def test_questions_are_asked_of_it_as_of_an_engine_s_folder(folder: Path, command: list[str]) -> None:
    """With --data, and nothing else."""
    said = run(*command, "--data", str(folder), "--json")
    assert said.exit_code == 0, said.output
    assert json.loads(said.stdout)


def test_its_events_are_imported_as_they_are(folder: Path, tmp_path: Path) -> None:
    """Into an engine's folder, without a map."""
    assert run("init", str(tmp_path)).exit_code == 0
    config = str(tmp_path / "sojourn.yaml")
    said = run("import", str(folder / "events.parquet"), "--config", config, "--json")
    assert said.exit_code == 0, said.output
    counted = json.loads(said.stdout.splitlines()[-1])
    assert counted["failed"] == 0
    assert counted["accepted"] > 10 * PEOPLE


def test_a_folder_that_is_not_empty_is_left_alone(folder: Path) -> None:
    """Nobody's data is written over."""
    with pytest.raises(ConfigError, match="not empty"):
        simulate(Asked(scenario="C", people=10, holdout=0.1, seed=1, out=folder))


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["simulate"], "name drafts to rehearse"),
        (["simulate", "--scenario", "C"], "say where to write"),
        (["simulate", "--scenario", "Q", "--out", "q"], "no scenario is called 'Q'"),
        (["simulate", "--scenario", "C", "--out", "q", "--holdout", "0"], "expected a share"),
        (["simulate", "draft.yaml", "--scenario", "C", "--out", "q"], "channels of its own"),
        (["causal", "--events", "e.csv", "--conversion", "Buy"], "whom a hold-out kept back"),
    ],
)
def test_what_cannot_be_done_is_said(
    arguments: list[str], complaint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a line."""
    monkeypatch.chdir(tmp_path)
    said = run(*arguments)
    assert said.exit_code == 2
    assert complaint in said.output
