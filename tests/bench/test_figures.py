"""Figures are kept beside older ones, each with where and at what it was measured."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench import figures


def test_a_figure_of_before_keeps_its_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts are measured one at a time, on whatever machine is there."""
    place = tmp_path / "latest.json"
    for cpu, name in (("a slow one", "first"), ("a quick one", "second")):
        monkeypatch.setattr(figures, "_cpu_name", lambda cpu=cpu: cpu)
        figures.keep({"figures": {name: {"value": 1}}}, place, is_quick=False)
    kept = json.loads(place.read_text(encoding="utf-8"))
    assert {name: each["cpu"] for name, each in kept["figures"].items()} == {
        "first": "a slow one",
        "second": "a quick one",
    }
    assert kept["machine"]["cpu"] == "a quick one"


@pytest.mark.parametrize("path", [figures.LATEST, figures.ROOT / "bench" / "analytics-latest.json"])
def test_every_figure_says_at_which_commit_and_on_what(path: Path) -> None:
    """A number without them says nothing."""
    kept = json.loads(path.read_text(encoding="utf-8"))["figures"]
    assert [name for name, each in kept.items() if not (each["commit"] and each["cpu"])] == []
