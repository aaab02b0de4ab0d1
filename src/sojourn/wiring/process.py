"""Process: what every serving process of ours has: an HTTP server that waits for us, signals, a grace."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import structlog
import uvicorn

from sojourn.server.http import App
from sojourn.server.segments import OneSegment

GRACE_S = 10  # what is in flight may end; orchestrators kill after 30.

log = structlog.get_logger("sojourn")


class Server(uvicorn.Server):
    """uvicorn without its own ideas about signals."""

    def __init__(self, application: App) -> None:
        settings: dict[str, Any] = {
            "http": OneSegment,
            "log_config": None,
            "access_log": False,
            "server_header": False,
            "proxy_headers": False,  # the door counts the operator's own proxies itself
            "timeout_graceful_shutdown": GRACE_S,
        }
        super().__init__(uvicorn.Config(application, **settings))

    async def run_on(self, listener: socket.socket) -> None:
        """Serve until `should_exit`."""
        await self.serve(sockets=[listener])
        assert self.started, "uvicorn ends before it starts only where its application fails"

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the house, which has more to stop than HTTP."""
        yield


class Stopping(asyncio.Event):
    """Set by SIGINT or SIGTERM."""

    def heed_signals(self) -> None:
        """Begin to hear them."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stop, number)

    def _stop(self, number: int) -> None:
        """Stop in good order; asked a second time, at once: what was acknowledged is in the log."""
        if self.is_set():
            log.warning("stopped at once", do="nothing: the next start takes up what was not processed")
            os._exit(128 + number)
        self.set()


async def ended(task: asyncio.Task[None]) -> None:
    """Wait for a task; what it raised is raised later, after the others have ended."""
    with suppress(Exception):
        await asyncio.shield(task)


def url_of(host: str, listener: socket.socket) -> str:
    """Say where a server listens."""
    port = listener.getsockname()[1]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
