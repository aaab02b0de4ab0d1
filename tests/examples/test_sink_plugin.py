"""The example of a plugin: its own test passes where a reader runs it, and the house finds its entry."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import sojourn
from sojourn.config import Config, Sink
from sojourn.wiring.sinks import make_sinks

PLUGIN = Path(__file__).parents[2] / "examples/sink_plugin"
SOURCES = Path(sojourn.__file__).parents[1]


def test_its_own_test_passes_in_a_folder_of_its_own(tmp_path: Path) -> None:
    """As it is copied by somebody who writes another one."""
    shutil.copytree(PLUGIN, tmp_path / "plugin", ignore=shutil.ignore_patterns("__pycache__"))
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=tmp_path / "plugin",
        env=os.environ | {"PYTHONPATH": str(SOURCES)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "1 passed" in ran.stdout


def test_the_house_finds_it_by_its_entry_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What an installer writes beside a package is written here, from its own pyproject.toml."""
    project = tomllib.loads((PLUGIN / "pyproject.toml").read_text())["project"]
    shutil.copy(PLUGIN / "sojourn_ntfy.py", tmp_path)
    info = tmp_path / "sojourn_ntfy-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: 1.0\n")
    entries = "\n".join(f"{key} = {value}" for key, value in project["entry-points"]["sojourn.sinks"].items())
    (info / "entry_points.txt").write_text(f"[sojourn.sinks]\n{entries}\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "sojourn_ntfy", raising=False)

    options = {"url": "https://ntfy.example", "topic": "alerts"}
    sinks = make_sinks(Config(sinks={"phones": Sink(type="ntfy", options=options)}))
    assert repr(sinks["phones"]) == "NtfySink('phones', topic='alerts')"
