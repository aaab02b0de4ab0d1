"""Retrying beside a server: what was given up goes out again, without stopping anything."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
import urllib.request
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from typer.testing import CliRunner

from sojourn.cli.app import app

TOKEN = "a-token-of-the-tests"
CONFIG = """\
http: { port: %d }
sources: { web: { write_key: dev } }
sinks: { support: { type: webhook, url: "http://127.0.0.1:%d/" } }
admin_token: %s
deliver: { max_attempts: 1 }
"""
JOURNEY = """\
journey: told
entry: { on: Signed Up }
states:
  told: { do: [ { webhook: support, body: { who: "{{ profile.user_id }}" } } ], after: { 1d: done } }
"""
WAIT_S = 20


def free_port() -> int:
    """Find a port nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def eventually(is_so: Callable[[], bool]) -> None:
    """Wait for another process to get there."""
    until = time.monotonic() + WAIT_S
    while not is_so():
        assert time.monotonic() < until, f"not within {WAIT_S} s"
        time.sleep(0.05)


def run(*arguments: str) -> Any:
    """Run a command."""
    return CliRunner().invoke(app, list(arguments), catch_exceptions=False)


def n_dead(folder: Path) -> int:
    """Count dead letters."""
    return len(json.loads(run("dead", "list", "--json", "--data", str(folder / "data")).stdout or "[]"))


class Shop(NamedTuple):
    """A server at work."""

    folder: Path
    url: str


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A server with one dead letter: nobody listens where it sends."""
    folder, port = tmp_path_factory.mktemp("shop"), free_port()
    (folder / "sojourn.yaml").write_text(CONFIG % (port, free_port(), TOKEN))
    (folder / "journeys").mkdir()
    (folder / "journeys" / "told.yaml").write_text(JOURNEY)
    command = [sys.executable, "-c", "from sojourn.cli import main; main()", "serve"]
    server = subprocess.Popen(command, stderr=subprocess.DEVNULL, cwd=folder)
    url = f"http://127.0.0.1:{port}"
    try:
        eventually(lambda: answers(f"{url}/health"))
        send(url)
        eventually(lambda: n_dead(folder) == 1)
        yield Shop(folder, url)
    finally:
        server.terminate()
        server.wait(WAIT_S)


def answers(address: str) -> bool:
    """Tell whether somebody answers there."""
    try:
        with urllib.request.urlopen(address, timeout=1) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def send(address: str) -> None:
    """Let somebody sign up."""
    body = json.dumps({"userId": "ada", "event": "Signed Up"}).encode()
    key = {"Authorization": f"Basic {b64encode(b'dev:').decode()}"}
    with urllib.request.urlopen(
        urllib.request.Request(f"{address}/v1/track", body, key), timeout=5
    ) as answer:
        assert answer.status == 200


def test_dead_letters_are_retried_by_the_server_that_works_in_the_folder(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is stopped for it. (They come back: there is still nobody to take them.)"""
    monkeypatch.chdir(shop.folder)

    told = run("dead", "retry", "--all", "--json")

    assert (told.exit_code, json.loads(told.stdout)) == (0, {"revived": 1})
    eventually(lambda: n_dead(shop.folder) == 1)


def test_a_server_elsewhere_is_asked_by_its_address(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the token of the configuration, and only with that one."""
    monkeypatch.chdir(tmp_path)
    refused = run("dead", "retry", "--all", "--url", shop.url)
    monkeypatch.setenv("SOJOURN_ADMIN_TOKEN", TOKEN)
    told = run("dead", "retry", "no-such-action", "--url", shop.url, "--json")

    assert refused.exit_code == 2
    assert "admin_token" in refused.stderr
    assert json.loads(told.stdout) == {"revived": 0}


def test_where_no_server_is_the_command_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line, and what to do."""
    monkeypatch.chdir(tmp_path)

    said = run("dead", "retry", "--all", "--url", f"http://127.0.0.1:{free_port()}")

    assert said.exit_code == 2
    assert said.stderr.startswith("error: http://127.0.0.1:")
    assert "--url" in said.stderr
