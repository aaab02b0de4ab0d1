"""Publishing from a command line: what changes is shown before it is done, whatever it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from sojourn.cli.app import app

WELCOME = "{ journey: welcome, entry: { on: Signed Up }, states: { waiting: { after: { 1d: done } } } }"
GOLD = "segments: { gold: trait.plan == 'gold' }"
OPT_OUT = "policy: { channels: { email: { consent: opt_out } } }"


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a journey, a segment and a policy in force, and we are in it."""
    monkeypatch.chdir(tmp_path)
    for variable in ("SOJOURN_CONFIG", "SOJOURN_DATA", "SOJOURN_ADMIN_TOKEN"):
        monkeypatch.delenv(variable, raising=False)
    (tmp_path / "sojourn.yaml").write_text("journeys: [ journeys ]\n")
    write(tmp_path, welcome=WELCOME, segments=GOLD, policy=OPT_OUT)
    assert run("publish", "--yes").exit_code == 0
    return tmp_path


def write(folder: Path, **texts: str) -> None:
    """Write definitions, a file each."""
    (folder / "journeys").mkdir(exist_ok=True)
    for name, text in texts.items():
        (folder / "journeys" / f"{name}.yaml").write_text(text)


def run(*arguments: str, says: str | None = None) -> Any:
    """Run a command."""
    return CliRunner().invoke(app, list(arguments), input=says)


def test_the_same_content_is_nothing_to_publish(shop: Path) -> None:
    """Nobody is asked about it."""
    assert "Nothing to publish" in run("publish", "--dry-run").stdout
    assert "Nothing to publish" in run("publish").stdout


def test_a_change_of_what_journeys_share_is_shown(shop: Path) -> None:
    """A policy decides who is written to at all."""
    write(shop, policy=OPT_OUT.replace("opt_out", "opt_in"), segments=GOLD.replace("gold:", "golden:"))
    told = run("publish", "--dry-run").stdout
    assert "Nothing to publish" not in told
    assert [line.split() for line in told.split("shared by journeys")[1].split("\n")[2:5]] == [
        ["policy", "changed"],
        ["segment", "gold", "removed"],
        ["segment", "golden", "new"],
    ]


def test_a_change_of_what_journeys_share_is_asked_about(shop: Path) -> None:
    """Where nobody is there to be asked, it says what to do."""
    write(shop, policy=OPT_OUT.replace("opt_out", "opt_in"))
    asked = run("publish")
    assert asked.exit_code == 2
    assert "say --yes" in asked.stderr


def test_programs_are_told_the_same(shop: Path) -> None:
    """As what differs, beside journeys."""
    write(shop, segments=GOLD.replace("'gold'", "'silver'"))
    told = json.loads(run("publish", "--dry-run", "--json").stdout)
    assert told["shared"] == [{"what": "segment gold", "change": "changed"}]
