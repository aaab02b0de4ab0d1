"""Publishing settings from the command line, in a folder and beside a server."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from sojourn.cli.app import app
from tests.cli.test_retry import WAIT_S, eventually
from tests.wiring.houses import free_port

TOKEN = "a-token-of-the-tests"
CONFIG = """\
http: {{ port: {port} }}
sources: {{ web: {{ write_key: dev }} }}
admin_token: {token}
steps: {steps}
session_gap: {gap}
"""
BACK = """\
journey: back
entry: { on: Cart, when: regressed(), reentry: never }
states: { helping: { after: { 1d: done } }, done: {} }
"""
SEGMENTS = "segments: { buyers: \"count('Bought') > 0\" }\n"


def run(folder: Path, *arguments: str) -> Any:
    """Run a command with the configuration of a folder."""
    return CliRunner().invoke(
        app, [*arguments, "--config", str(folder / "sojourn.yaml")], catch_exceptions=False
    )


def planned(folder: Path, *arguments: str) -> Any:
    """Publish, or show what it would come to; return the answer for programs."""
    return json.loads(run(folder, "publish", "--json", *arguments).stdout)


def write(folder: Path, *, port: int = 0, steps: str = "[]", gap: str = "30m") -> Path:
    """Write a configuration with one journey."""
    (folder / "journeys").mkdir(exist_ok=True)
    (folder / "journeys" / "back.yaml").write_text(BACK)
    (folder / "sojourn.yaml").write_text(CONFIG.format(port=port, token=TOKEN, steps=steps, gap=gap))
    return folder


def test_steps_and_the_gap_of_sessions_are_published_with_the_rest(tmp_path: Path) -> None:
    """Without paths, it is all of the configuration that is brought into force; said again, it is nothing."""
    run(write(tmp_path), "publish", "--yes")
    write(tmp_path, steps="[Cart, Pay]", gap="20m")
    shown, done, again = (planned(tmp_path, *how) for how in (["--dry-run"], [], []))
    settings = [
        {"name": "steps", "before": "none", "after": "Cart, Pay"},
        {"name": "session_gap", "before": "30m", "after": "20m"},
    ]
    assert (shown["settings"], shown["revision"]) == (settings, None)
    assert (done["settings"], done["revision"]) == (settings, 2)
    assert (again["settings"], again["revision"]) == ([], None)


def test_a_file_that_is_named_is_published_alone(tmp_path: Path) -> None:
    """Whoever names one file means no other setting."""
    run(write(tmp_path), "publish", "--yes")
    write(tmp_path, steps="[Cart, Pay]")
    view = planned(tmp_path, str(tmp_path / "journeys" / "back.yaml"))
    assert (view["settings"], view["revision"]) == ([], None)


@pytest.mark.parametrize("what", ["steps", "segment buyers"])
def test_a_change_of_no_journey_is_shown_and_asked_about(tmp_path: Path, what: str) -> None:
    """It is no nothing: people would wonder why it does not hold."""
    run(write(tmp_path), "publish", "--yes")
    if what == "steps":
        write(tmp_path, steps="[Cart, Pay]")
    else:
        (tmp_path / "journeys" / "segments.yaml").write_text(SEGMENTS)
    asked = run(tmp_path, "publish")
    assert (asked.exit_code, "Nothing to publish" in asked.output) == (2, False)
    assert what in asked.stdout
    assert "say --yes" in asked.stderr
    assert "In force" in run(tmp_path, "publish", "--yes").stdout
    assert "Nothing to publish" in run(tmp_path, "publish").stdout


def answers(url: str) -> bool:
    """Tell whether somebody answers there."""
    try:
        with urllib.request.urlopen(url, timeout=WAIT_S) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """A server in a folder; its address."""
    port = free_port()
    write(tmp_path, port=port)
    command = [sys.executable, "-c", "from sojourn.cli import main; main()", "serve"]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, cwd=tmp_path)
    try:
        eventually(lambda: answers(f"http://127.0.0.1:{port}/ready"))
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(WAIT_S)


def send(address: str, who: str, *names: str) -> None:
    """Let somebody do things, one after the other."""
    for name in names:
        body = json.dumps({"event": name, "userId": who, "writeKey": "dev"}).encode()
        with urllib.request.urlopen(f"{address}/v1/track", body, timeout=WAIT_S) as answer:
            assert answer.status == 200


def journeys_of(folder: Path, who: str) -> list[str]:
    """Return what a person is in; nobody is known before their events are processed."""
    told = run(folder, "profile", who, "--json")
    return [each["journey"] for each in json.loads(told.stdout)["enrolments"]] if told.exit_code == 0 else []


def test_a_server_at_work_takes_the_new_steps(tmp_path: Path, server: str) -> None:
    """From the next event on, without a restart; and a start finds nothing to publish."""
    send(server, "ann", "Pay", "Cart")
    write(tmp_path, port=int(server.rpartition(":")[2]), steps="[Cart, Pay]")
    assert "In force" in run(tmp_path, "publish", "--yes").stdout
    send(server, "bob", "Pay", "Cart")
    eventually(lambda: journeys_of(tmp_path, "bob") == ["back"])
    assert journeys_of(tmp_path, "ann") == []
    assert planned(tmp_path, "--dry-run")["settings"] == []
