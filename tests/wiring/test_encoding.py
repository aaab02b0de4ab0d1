"""The encoder: the lake's writer keeps events as numbers beside it, and nobody's first question has to."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from bench.lakes import write_lake
from sojourn.adapters.lake.encoded import is_due
from sojourn.analytics.graph.journey_graph import journey_graph
from sojourn.analytics.reading import Mapping, StepRules
from sojourn.config import Lake
from sojourn.wiring import child, lakeside
from sojourn.wiring.encoding import FAILED_S, LOOK_S, REST, Encoder
from sojourn.wiring.lake_events import in_lake, read_anew, read_lake_events

N_EVENTS = 60_000
WAIT_S = 60.0


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A lake that is large enough to be kept."""
    write_lake(tmp_path / "data", N_EVENTS)
    return tmp_path / "data"


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def until(is_so: Callable[[], bool]) -> None:
    """Wait for it."""
    deadline = time.monotonic() + WAIT_S
    while not is_so():
        assert time.monotonic() < deadline, "it does not come to that"
        time.sleep(0.05)


def started(encoder: Encoder) -> subprocess.Popen[bytes]:
    """Return its process, which is there."""
    process = encoder._process
    assert process is not None
    return process


def test_it_is_started_where_something_is_due_and_rests_when_it_is_done(data: Path) -> None:
    """A process of the lowest priority, twenty times as long at rest as at work."""
    clock = Clock()
    encoder = Encoder(data, clock=clock)
    encoder.turn(N_EVENTS)
    assert encoder._process is None
    clock.now = LOOK_S
    encoder.turn(N_EVENTS)
    process = started(encoder)
    until(lambda: process.poll() is not None)
    clock.now += 3.0
    encoder.turn(N_EVENTS)
    assert process.returncode == 0
    assert not is_due(data / "lake", N_EVENTS)
    assert is_due(data / "lake", 2 * N_EVENTS)
    clock.now += 3.0 * REST - 0.1
    encoder.turn(2 * N_EVENTS)
    assert encoder._process is None
    clock.now += 0.2
    encoder.turn(2 * N_EVENTS)
    assert started(encoder).poll() is None
    encoder.stop()


def test_one_that_is_killed_is_missed_by_nobody(data: Path) -> None:
    """The next question makes what is missing, and finds what reading anew finds."""
    clock = Clock()
    encoder = Encoder(data, clock=clock)
    clock.now = LOOK_S
    encoder.turn(N_EVENTS)
    process = started(encoder)
    until(lambda: any((data / "lake").glob("encoded/*")) or process.poll() is not None)
    encoder.stop()
    assert process.returncode is not None
    mapping = in_lake(Mapping())
    found = journey_graph(read_lake_events(data, Mapping(), StepRules()))
    assert found.edges.to_dicts() == journey_graph(read_anew(data, mapping, StepRules())).edges.to_dicts()
    assert not list((data / "lake").glob("encoded/staged-*"))


def test_one_that_fails_is_not_tried_again_at_once(data: Path) -> None:
    """As where the disk is full: it has said so."""
    clock = Clock()
    encoder = Encoder(data, clock=clock)
    (data / "lake" / "progress.json").write_text("torn")
    clock.now = LOOK_S
    encoder.turn(N_EVENTS)
    process = started(encoder)
    until(lambda: process.poll() is not None)
    assert process.returncode != 0
    encoder.turn(N_EVENTS)
    clock.now += FAILED_S - 0.1
    encoder.turn(N_EVENTS)
    assert encoder._process is None
    clock.now += 0.2
    encoder.turn(N_EVENTS)
    assert encoder._process is not None
    encoder.stop()


@pytest.mark.parametrize("is_wanted", [True, False])
def test_the_writer_of_a_lake_has_one_unless_it_is_told_not_to(
    data: Path, monkeypatch: pytest.MonkeyPatch, is_wanted: bool
) -> None:
    """And ends it when it ends."""
    settings = msgspec.json.encode(Lake(encoded=is_wanted)).decode()
    command = child.module(lakeside.__name__, str(data), settings)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        assert writer.stdin is not None
        assert b'"position":60000' in writer.stdout.readline()
        if is_wanted:
            until(lambda: not is_due(data / "lake", N_EVENTS))
        else:
            time.sleep(LOOK_S + 1)
        writer.stdin.write(child.STOP)
        writer.stdin.flush()
        assert writer.wait(WAIT_S) == 0
    assert is_due(data / "lake", N_EVENTS) is not is_wanted
