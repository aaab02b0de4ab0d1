"""`sojourn backup`: what it says, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sojourn.cli.app import app
from tests.wiring.houses import settle_in

run = CliRunner().invoke
EVENT = {
    "type": "track", "event": "Signed Up", "userId": "ada", "messageId": "m-1",
    "timestamp": "2026-03-01T10:00:00Z",
}  # fmt: skip


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A folder in which one event was imported."""
    file = settle_in(tmp_path)
    (tmp_path / "events.jsonl").write_text(json.dumps(EVENT))
    done = run(app, ["import", str(tmp_path / "events.jsonl"), "--config", str(file)])
    assert done.exit_code == 0, done.output
    return file


def test_a_copy_can_be_read_like_the_folder_it_is_of(config: Path, tmp_path: Path) -> None:
    """It is a data folder."""
    to = tmp_path / "backups" / "monday"
    made = json.loads(run(app, ["backup", str(to), "--config", str(config), "--json"]).stdout)
    assert made["folder"] == str(to)
    assert made["log_end"] == made["position"] > 0
    assert [each.name for each in to.parent.iterdir()] == ["monday"]
    asked = run(app, ["profile", "ada", "--config", str(config), "--data", str(to), "--json"])
    assert json.loads(asked.stdout)["user_ids"] == ["ada"]


def test_a_copy_is_told_of_in_words(config: Path, tmp_path: Path) -> None:
    """How large it is, of when, and how far it goes."""
    said = run(app, ["backup", str(tmp_path / "monday"), "--config", str(config)])
    assert said.exit_code == 0
    assert "monday: the data of 20" in said.stdout
    assert "a start takes up the rest" in said.stdout


@pytest.mark.parametrize(
    ("to", "why"),
    [
        ("data/inside", "lies in the data folder"),
        ("journeys", "is there already"),
        ("sojourn.yaml/x", "cannot be"),
    ],
)
def test_a_place_that_would_do_harm_is_refused(config: Path, tmp_path: Path, to: str, why: str) -> None:
    """A copy takes no place of anything, and is not copied by the next one."""
    said = run(app, ["backup", str(tmp_path / to), "--config", str(config)])
    assert said.exit_code == 2
    assert why in said.stderr
    assert "[backup-folder]" in said.stderr


def test_a_folder_without_data_has_no_copy(tmp_path: Path) -> None:
    """An empty backup would be found when it is needed."""
    said = run(app, ["backup", str(tmp_path / "monday"), "--config", str(settle_in(tmp_path))])
    assert said.exit_code == 2
    assert "[no-data]" in said.stderr
    assert not (tmp_path / "monday").exists()
