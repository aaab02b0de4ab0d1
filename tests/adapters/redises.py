"""A real Redis or Valkey for tests, a process of its own that a test may kill."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest
import redis

SERVERS = ("redis-server", "valkey-server")


class RedisServer:
    """One server, in memory alone."""

    def __init__(self, folder: Path, *, password: str = "") -> None:
        """Skip the test where none is installed."""
        found = [path for name in SERVERS if (path := shutil.which(name))]
        if not found:
            pytest.skip("needs redis-server or valkey-server (Debian: apt install redis-server)")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._password = password
        self._command = [
            found[0], "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder),
            *(["--requirepass", password] if password else []),
        ]  # fmt: skip
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        ends = time.monotonic() + 20
        while time.monotonic() < ends:
            try:
                self.client().ping()
            except redis.ConnectionError:
                time.sleep(0.01)
            else:
                return
        raise AssertionError("redis-server does not answer")

    def client(self) -> redis.Redis:
        """Return a client of one's own."""
        return redis.Redis.from_url(self.url, password=self._password or None)

    def kill(self) -> None:
        """End it as a power cut would: what it had is gone."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(20)
            self._process = None
