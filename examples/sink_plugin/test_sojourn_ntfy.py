"""The plugin passes Sojourn's public battery, against a receiver on a real socket."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from sojourn_ntfy import NtfySink

from sojourn.testing import check_sink

TOKEN = "tk_a-secret-token"  # noqa: S105 - of nobody


class Receiver(ThreadingHTTPServer):
    """Keeps the ids of what it was sent, and answers with one status."""

    request_queue_size = 64  # the battery connects sixteen times at once

    def __init__(self, status: int) -> None:
        """Listen on any free port."""
        super().__init__(("127.0.0.1", 0), Handler)
        self.status = status
        self.ids: list[str] = []

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: Receiver

    def do_POST(self) -> None:
        """Take a message."""
        self.rfile.read(int(self.headers["content-length"]))
        self.server.ids.append(self.headers["idempotency-key"])
        self.send_response(self.server.status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def receivers() -> Iterator[list[Receiver]]:
    """One that takes everything, and one that is down."""
    servers = [Receiver(status) for status in (200, 503)]
    for server in servers:
        Thread(target=server.serve_forever, daemon=True).start()
    yield servers
    for server in servers:
        server.shutdown()
        server.server_close()


def test_it_passes_the_battery(receivers: list[Receiver], monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything the outbox relies on: delivery, repetition, refusal, secrets, closing."""
    monkeypatch.setenv("NTFY_TOKEN", TOKEN)
    works, broken = receivers
    options = {"topic": "alerts", "token_env": "NTFY_TOKEN"}
    asyncio.run(
        check_sink(
            NtfySink,
            {"url": works.url, **options},
            arrived=lambda: works.ids,
            broken={"url": broken.url, **options},
            secrets=[TOKEN],
            bodies=[b'{"message":"hello"}', b'{"message":"\\u00fc","title":"a title"}'],
        )
    )
