"""Slow lines, and lines that are cut, between door, broker and Flink: nothing is lost or doubled."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.cluster.lines import Line, Namespace, require_lines
from tests.cluster.loads import Load, counted_once, facts
from tests.cluster.machines import Flink, Kafka, require, until
from tests.cluster.whole import Whole

pytestmark = pytest.mark.cluster

DELAY_S = 0.03
"""One way: 60 ms there and back, as between two cities."""
CUT_S = 6.0
BETWEEN_S = 3.0
PORT = 9_092


class Apart:
    """A broker in a network of its own, with a line to the doors and one to Flink."""

    def __init__(self, folder: Path, begun: ExitStack) -> None:
        namespace = Namespace(f"sojourn-{os.getpid()}")
        begun.callback(namespace.end)
        self.to_door, self.to_flink = (Line(namespace, number, delay_s=DELAY_S) for number in (1, 2))
        begun.callback(self.to_door.end)
        begun.callback(self.to_flink.end)
        doors = [f"{self.to_door.there}:{PORT}", f"{self.to_flink.there}:{PORT + 1}"]
        self.kafka = Kafka(folder / "broker", doors=doors, inside=namespace.inside)
        begun.callback(self.kafka.machine.kill)
        self.kafka.start()


@pytest.fixture
def apart(tmp_path: Path) -> Iterator[Apart]:
    """Start a broker far away."""
    require()
    require_lines()
    with ExitStack() as begun:
        yield Apart(tmp_path, begun)


def cut(line: Line) -> float:
    """Lose whatever is on a line for some seconds; return when it was whole again."""
    n_lost = line.n_lost
    line.is_cut = True
    time.sleep(CUT_S)
    line.is_cut = False
    assert line.n_lost > n_lost
    return time.monotonic()


def test_lines_that_are_slow_and_cut(apart: Apart, flink: Flink, tmp_path: Path) -> None:
    """First the door cannot reach the broker, then Flink cannot; both go on by themselves."""
    at_door, at_flink = apart.kafka.doors
    whole = Whole(tmp_path, at_door, flink, job_brokers=at_flink)
    with whole.running() as door:
        load = Load(lambda: door)
        with load.running():
            time.sleep(BETWEEN_S)
            door_s = load.recovered(cut(apart.to_door))
            time.sleep(BETWEEN_S)
            whole_again = cut(apart.to_flink)
            n_then = len(facts(whole.shop))
            until("more facts", lambda: len(facts(whole.shop)) > n_then)
            flink_s = time.monotonic() - whole_again
            time.sleep(BETWEEN_S)
        counted_once(whole, load)
    print(f"{len(load.messages)} events acknowledged, {load.n_repeated} batches sent again;")
    print(
        f"after {CUT_S:.0f} s without a line: acknowledged after {door_s:.1f} s, facts after {flink_s:.1f} s"
    )
