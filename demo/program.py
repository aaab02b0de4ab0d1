"""The program: `sojourn serve` as a child process, as an operator would start, watch, stop and lose it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

READY_S = 30.0  # a start on a slow machine; a healthy one takes about a second.
STOP_S = 30.0  # what was taken is finished first.
ASK_S = 5.0

_SAMPLE = re.compile(r"^(\w+)(?:\{([^}]*)\})? (\S+)$")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


class ProgramError(Exception):
    """The program did not do what it should; the message carries the end of its log."""


class Metrics:
    """One look at `/metrics`."""

    def __init__(self, text: str) -> None:
        self._samples = [
            (found[1], dict(_LABEL.findall(found[2] or "")), float(found[3]))
            for found in map(_SAMPLE.match, text.splitlines())
            if found
        ]

    def total(self, name: str, **labels: str) -> float:
        """Sum a metric over all its labels, or over those that match."""
        return sum(
            value
            for sample, found, value in self._samples
            if sample == name and labels.items() <= found.items()
        )

    def buckets(self, name: str) -> dict[float, float]:
        """Return a histogram: upper bound -> how many were at or below it."""
        return {
            float(labels["le"]): value
            for sample, labels, value in self._samples
            if sample == name + "_bucket"
        }


def quantile(buckets: dict[float, float], share: float) -> float | None:
    """Return the value below which a share of a histogram lies, on a straight line inside its bucket."""
    bounds = sorted(buckets)
    n = buckets[bounds[-1]] if bounds else 0
    if not n:
        return None
    lower, n_lower = 0.0, 0.0
    for bound in bounds:
        if buckets[bound] >= share * n:
            if bound == float("inf"):
                return lower
            inside = buckets[bound] - n_lower
            return lower + (bound - lower) * ((share * n - n_lower) / inside if inside else 1)
        lower, n_lower = bound, buckets[bound]
    return lower


def since(after: dict[float, float], before: dict[float, float]) -> dict[float, float]:
    """Return the part of a histogram that came after an earlier look."""
    return {bound: n - before.get(bound, 0) for bound, n in after.items()}


def free_port() -> int:
    """Return a port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def script() -> list[str]:
    """Return the command `sojourn` of this very environment."""
    beside = Path(sys.executable).parent / "sojourn"
    return [str(beside)] if beside.exists() else [sys.executable, "-m", "sojourn.cli"]


def write_config(folder: Path, *, journeys: Path, sinks: dict[str, Any], **settings: Any) -> Setup:
    """Write a configuration into a folder that is its own world: data, secrets and a free port.

    `settings` are further settings, as the configuration reference names them.
    """
    setup = Setup(
        config=folder / "sojourn.yaml",
        port=free_port(),
        write_key=secrets.token_urlsafe(12),
        admin_token=secrets.token_urlsafe(24),
    )
    # JSON is YAML, and needs no library here.
    config = {
        "data": "data",
        "journeys": str(journeys),
        "http": {"port": setup.port},
        "sources": {"shop": {"write_key": setup.write_key}},
        "sinks": sinks,
        "admin_token": setup.admin_token,
        "log": {"level": "warning", "format": "json"},
    }
    folder.mkdir(parents=True, exist_ok=True)
    setup.config.touch(mode=0o600)
    setup.config.write_text(json.dumps(config | settings, indent=2) + "\n", encoding="utf-8")
    return setup


@dataclass(frozen=True)
class Setup:
    """What whoever talks to the program must know."""

    config: Path
    port: int
    write_key: str
    admin_token: str

    @property
    def data(self) -> Path:
        """The data folder."""
        return self.config.parent / "data"


class Program:
    """One server on one folder; it never outlives the `with` it is used in."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.log = setup.config.parent / "server.log"
        self.address = f"http://127.0.0.1:{setup.port}"
        # After the `#`, which a browser sends to nobody: not into any log.
        self.studio = f"{self.address}/studio/#token={setup.admin_token}"
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Program:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    @property
    def pid(self) -> int:
        """The child's process id."""
        assert self._child is not None, "start it first"
        return self._child.pid

    def start(self) -> None:
        """Start it and wait until it answers; raise ProgramError where it does not."""
        self.launch()
        self.wait_ready()

    def launch(self) -> None:
        """Start it and wait for nothing."""
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(  # noqa: S603 - our own command
                [*script(), "serve", "--config", str(self.setup.config)],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is for whoever started it, who then stops it in order
            )

    def wait_ready(self) -> None:
        """Wait until it answers; raise ProgramError where it ends or stays silent instead."""
        assert self._child is not None, "launch it first"
        deadline = time.monotonic() + READY_S
        while not self._answers():
            if self._child.poll() is not None:
                raise ProgramError(f"it ended with status {self._child.returncode}:\n{self.log_end()}")
            if time.monotonic() > deadline:
                self.kill()
                raise ProgramError(f"it did not answer within {READY_S:g} s:\n{self.log_end()}")
            time.sleep(0.02)

    def is_running(self) -> bool:
        """Tell whether the process is there."""
        return self._child is not None and self._child.poll() is None

    def stop(self) -> int:
        """Ask it to end in order; return its status; kill it where it does not."""
        assert self._child is not None, "start it first"
        with contextlib.suppress(ProcessLookupError):
            self._child.send_signal(signal.SIGTERM)
        try:
            return self._child.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise ProgramError(f"it did not end within {STOP_S:g} s:\n{self.log_end()}") from None

    def kill(self) -> None:
        """Take it away at once (kill -9), where it still runs."""
        if self._child is not None:
            self._child.kill()
            self._child.wait()

    def ask(self, path: str) -> bytes:
        """Return what a GET answers, with the admin token; raises URLError or OSError."""
        request = urllib.request.Request(self.address + path)  # noqa: S310 - our own http address
        request.add_header("Authorization", f"Bearer {self.setup.admin_token}")
        with urllib.request.urlopen(request, timeout=ASK_S) as answer:  # noqa: S310
            body: bytes = answer.read()
            return body

    def metrics(self) -> Metrics:
        """Look at its metrics."""
        return Metrics(self.ask("/metrics").decode())

    def journeys(self) -> list[dict[str, Any]]:
        """Return its journeys and how many people are where."""
        found: list[dict[str, Any]] = json.loads(self.ask("/api/v1/journeys"))
        return found

    def decide(self, any_id: str, flag: str) -> dict[str, Any]:
        """Ask what an application is told of a person by one flag, as OpenFeature's SDKs ask (OFREP)."""
        path = f"{self.address}/ofrep/v1/evaluate/flags/{flag}"
        body = json.dumps({"context": {"targetingKey": any_id}}).encode()
        request = urllib.request.Request(path, data=body, method="POST")  # noqa: S310 - our own http address
        request.add_header("Authorization", f"Bearer {self.setup.admin_token}")
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=ASK_S) as answer:  # noqa: S310
            found: dict[str, Any] = json.load(answer)
            return found

    def cpu_s(self) -> float:
        """Return the processor time it has used, all threads, ours and the kernel's on its behalf."""
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def rss_mb(self) -> float:
        """Return the memory it holds now."""
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="utf-8")
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024  # type: ignore[index]

    def log_end(self, n_lines: int = 25) -> str:
        """Return the last lines it wrote."""
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-n_lines:])

    def _answers(self) -> bool:
        try:
            urllib.request.urlopen(self.address + "/health", timeout=ASK_S).close()  # noqa: S310
        except (urllib.error.URLError, OSError):
            return False
        return True
