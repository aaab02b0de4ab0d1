"""Unmodified SDKs against a real server and the real log: each event once, also where an answer is lost."""

from __future__ import annotations

import json
import os
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest
from rudderstack.analytics.client import Client as RudderStackClient
from segment.analytics.client import Client as SegmentClient

from sojourn.adapters.sqlite.log import SqliteLog
from sojourn.model.event import Event
from tests.clients.installing import node_modules
from tests.server.doors import KEY, Kept, http
from tests.server.serving import BreakingLine, served

N_TRACKS = 30
NODE_CLIENTS = Path(__file__).parents[1] / "clients" / "node"
SEND_S = 60


class Sender(Protocol):
    """Sends an identify, N_TRACKS tracks and a page of one person; returns once the SDK is done."""

    def __call__(self, url: str) -> None:
        """Send to the server at `url`."""
        ...


def python_sender(client_type: Any, **options: Any) -> Sender:
    """Send with one of the Python SDKs, which have the same interface."""

    def send(url: str) -> None:
        errors: list[Any] = []
        client = client_type(
            KEY,
            host=url,
            on_error=lambda error, batch: errors.append(error),
            upload_size=20,
            upload_interval=0.1,
            **options,
        )
        person = {"user_id": "u1", "anonymous_id": "a1"}
        client.identify(**person, traits={"plan": "pro"})
        for i in range(N_TRACKS):
            client.track(**person, event="Cart Viewed", properties={"i": i})
        client.page(**person, name="Home")
        client.shutdown()
        assert errors == []

    return send


def node_sender(sdk: str) -> Sender:
    """Send with one of the node SDKs, installed once into a cache outside the tree."""

    def send(url: str) -> None:
        modules = node_modules(NODE_CLIENTS)
        done = subprocess.run(
            ["node", str(NODE_CLIENTS / "send.cjs"), sdk, url, KEY, str(N_TRACKS)],
            env={**os.environ, "NODE_PATH": str(modules)},
            capture_output=True,
            text=True,
            timeout=SEND_S,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    return send


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    """Keep what comes in the real log."""
    log = SqliteLog(tmp_path)
    yield Kept(log)
    log.close()


def shape(events: list[Event]) -> tuple[list[str], list[int], dict[str, Any]]:
    """Say what came: (names, numbers of the tracks, traits), each in a steady order."""
    tracks = [event for event in events if event.kind == "track"]
    [traits] = [json.loads(bytes(event.traits)) for event in events if event.kind == "identify"]
    numbers = sorted(json.loads(bytes(event.properties))["i"] for event in tracks)
    return sorted(event.name for event in events if event.kind != "track"), numbers, traits


WHOLE = (["$identify", "$page"], list(range(N_TRACKS)), {"plan": "pro"})

senders = pytest.mark.parametrize(
    "send",
    [
        pytest.param(python_sender(SegmentClient), id="segment-analytics-python"),
        pytest.param(python_sender(SegmentClient, gzip=True), id="segment-analytics-python-gzip"),
        pytest.param(python_sender(RudderStackClient), id="rudder-sdk-python"),
        pytest.param(node_sender("segment"), id="segment-analytics-node"),
        pytest.param(node_sender("rudderstack"), id="rudder-sdk-node"),
    ],
)


@senders
def test_an_unmodified_sdk_is_understood(send: Sender, kept: Kept) -> None:
    """All its events, of one person, each once."""
    with served(http(kept)) as port:
        send(f"http://127.0.0.1:{port}")
    assert shape(kept.events) == WHOLE
    assert {(event.user_id, event.anonymous_id) for event in kept.events} == {("u1", "a1")}
    assert kept.failed == []


@senders
def test_a_lost_answer_doubles_nothing(send: Sender, kept: Kept) -> None:
    """The server kept the batch, the SDK never heard, and sends it again."""
    with served(http(kept)) as port:
        line = BreakingLine(port, n_breaks=1)
        send(f"http://127.0.0.1:{line.port}")
        line.close()
    assert line.n_breaks == 0
    assert shape(kept.events) == WHOLE
    assert max(Counter(event.message_id for event in kept.events).values()) == 1
