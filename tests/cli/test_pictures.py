"""Pictures and imports on the command line: what is written where, and what is said when it cannot be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.commands import run

MACHINE: dict[str, Any] = {
    "id": "tour",
    "initial": "a",
    "states": {
        "a": {"on": {"GO": {"target": "b", "guard": "isPro"}}, "after": {"60000": "b"}},
        "b": {"type": "final"},
    },
}


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that `sojourn init` made, and we are in it."""
    monkeypatch.chdir(tmp_path)
    for variable in ("SOJOURN_CONFIG", "SOJOURN_DATA"):
        monkeypatch.delenv(variable, raising=False)
    assert run("init").exit_code == 0
    (tmp_path / "tour.json").write_text(json.dumps(MACHINE))
    (tmp_path / "names.yaml").write_text("guards: { isPro: \"trait.plan == 'pro'\" }\n")
    return tmp_path


def test_a_journey_is_drawn_by_its_name_or_its_file(shop: Path) -> None:
    """People know the name; a draft has only a file."""
    by_name = run("draw", "welcome")
    assert by_name.stdout.startswith('---\ntitle: "welcome"\n---\nstateDiagram-v2\n')
    assert run("draw", "journeys/welcome.yaml").stdout == by_name.stdout


def test_the_format_is_what_the_name_of_the_file_says(shop: Path) -> None:
    """Nobody wants Mermaid in a file called .svg."""
    assert run("draw", "welcome", "--out", "w.svg").exit_code == 0
    assert (shop / "w.svg").read_text() == run("draw", "welcome", "--format", "svg").stdout
    assert run("draw", "welcome", "--out", "w.mmd").exit_code == 0
    assert (shop / "w.mmd").read_text() == run("draw", "welcome").stdout


def test_counts_are_those_of_the_data_folder(shop: Path) -> None:
    """Where nobody is yet, everybody is nowhere."""
    events = [
        {"event": "Signed Up", "userId": f"u{i}", "timestamp": "2026-03-01T09:00:00Z"} for i in range(3)
    ]
    (shop / "events.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events))
    imported = run("import", "events.jsonl", "--map", "event=event,user_id=userId,timestamp=timestamp")
    assert imported.exit_code == 0, imported.output
    assert "3 people" in run("draw", "welcome", "--counts").stdout
    assert "people" not in run("draw", "welcome").stdout


def test_what_cannot_be_drawn_or_written_is_said(shop: Path) -> None:
    """With what to do."""
    unknown = run("draw", "welcom")
    assert (unknown.exit_code, unknown.stderr) == (
        2,
        "error: welcom: neither a file nor a journey of the configuration; did you mean 'welcome'?\n",
    )
    assert run("draw", "welcome", "--out", "no/where.svg").exit_code == 2
    (shop / "bad.yaml").write_text("journey: bad\n")
    assert run("draw", "bad.yaml").exit_code == 1


def test_a_machine_becomes_a_journey_that_is_good(shop: Path) -> None:
    """Into the output, or into a file."""
    asked = ("convert", "tour.json", "--entry", "Signed Up", "--names", "names.yaml")
    written = run(*asked)
    assert (written.exit_code, written.stdout.splitlines()[:3]) == (
        0,
        ["# From the XState machine tour.", "journey: tour", "entry: { on: Signed Up }"],
    )
    assert run(*asked, "--out", "tour.yaml").exit_code == 0
    assert (shop / "tour.yaml").read_text() == written.stdout
    assert run("check", "tour.yaml").exit_code == 0


def test_what_has_no_counterpart_is_refused_with_its_place(shop: Path) -> None:
    """Nothing is written then."""
    result = run("convert", "tour.json", "--entry", "Signed Up", "--out", "tour.yaml")
    assert result.exit_code == 1
    assert "tour.json:1:" in result.stderr
    assert "$.states.a.on.GO.guard: the guard 'isPro' has no expression" in result.stderr
    assert not (shop / "tour.yaml").exists()


def test_a_machine_that_makes_no_good_journey_is_written_and_blamed(shop: Path) -> None:
    """Its author mends it where journeys are mended: in the YAML."""
    states = {**MACHINE["states"], "lost": {"after": {"1000": "b"}}}
    (shop / "tour.json").write_text(json.dumps({**MACHINE, "states": states}))
    result = run(
        "convert", "tour.json", "--entry", "X", "--entry", "Y", "--names", "names.yaml", "--out", "tour.yaml"
    )
    assert (result.exit_code, "[unreachable]" in result.stderr) == (1, True)
    assert 'entry: { on: [X, "Y"] }' in (shop / "tour.yaml").read_text()
