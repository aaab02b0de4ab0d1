"""A real `sojourn serve` in a folder of its own, and a line to it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

KEY = "write-key"
TOKEN = "an-admin-token-of-24-byte"
START_S = STOP_S = 30
WELCOME = """
journey: welcome
entry: { on: Signed Up }
states: { waiting: { after: { 1d: done } }, done: {} }
"""

# An analyst that answers no question before there is a file `go` in the data folder.
SLOW_ANALYST = """
import time
from sojourn.wiring import analyst
answered = analyst.answered
def slowly(basis, inquiry):
    while not (basis.data / "go").exists():
        time.sleep(0.01)
    return answered(basis, inquiry)
analyst.answered = slowly
analyst.main()
"""


class Serving:
    """One process that serves."""

    def __init__(self, process: subprocess.Popen[str], url: str, told: list[dict[str, Any]]) -> None:
        self.process = process
        self.url = url
        self.told = told
        """What it has logged, line by line; all of it after `end`."""

    def ask(self, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """Make a request with all keys; return the status and the JSON."""
        content = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {TOKEN}", "X-Write-Key": KEY} | headers
        request = urllib.request.Request(self.url + path, data=content, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=START_S) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())

    def read(self, path: str) -> str:
        """Return what a path without a key answers."""
        with urllib.request.urlopen(self.url + path, timeout=START_S) as answer:
            text: str = answer.read().decode()
            return text

    def signal(self, number: int = signal.SIGTERM) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def end(self) -> int:
        """Wait for its end and for what it said; return its exit code."""
        assert self.process.stderr is not None
        code = self.process.wait(STOP_S)
        self.told += [_line(line) for line in self.process.stderr]
        return code

    def says(self, event: str) -> list[dict[str, Any]]:
        """Return the lines of its log that say this."""
        return [line for line in self.told if line.get("event") == event]


def settle_in(folder: Path, **settings: Any) -> Path:
    """Write a configuration, with one journey, on any free port; return its file."""
    (folder / "journeys").mkdir(exist_ok=True)
    (folder / "journeys/welcome.yaml").write_text(WELCOME)
    file = folder / "sojourn.yaml"
    config = {"http": {"port": 0}, "sources": {"web": {"write_key": KEY}}, "admin_token": TOKEN}
    file.write_text(json.dumps({**config, **settings}))
    return file


def free_port() -> int:
    """Find a port nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def serving(file: Path, *, program: str | None = None) -> Iterator[Serving]:
    """Serve in a process of its own until the end of the block; `program` is Python to run instead."""
    command = ["-c", program] if program else ["-c", "from sojourn.cli import main; main()"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SOJOURN_")}
    process = subprocess.Popen(
        [sys.executable, *command, "serve", "--config", str(file)],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        env=environment,
    )
    try:
        assert process.stderr is not None
        told: list[dict[str, Any]] = []
        for line in process.stderr:
            told.append(_line(line))
            if told[-1].get("event") == "serving":
                break
        assert told, "it said nothing"
        assert "url" in told[-1], told
        yield Serving(process, told[-1]["url"], told)
    finally:
        process.kill()
        process.wait()
        if process.stderr is not None:
            process.stderr.close()


def _line(text: str) -> dict[str, Any]:
    try:
        line: dict[str, Any] = json.loads(text)
    except ValueError:
        return {"text": text}
    return line
