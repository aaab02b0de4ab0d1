"""An installation moves into topics, and back: whole, once, and on when it was killed."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.cluster.machines import Kafka
from tests.cluster.moves import Installation, filled

pytestmark = pytest.mark.cluster


def test_killed_in_the_middle_it_goes_on_and_nothing_is_there_twice(kafka: Kafka, tmp_path: Path) -> None:
    """What lies in the topics in the end is what one undisturbed move writes."""
    first = Installation(tmp_path / "first", kafka.brokers)
    filled(first, n_people=6_000)
    second = first.twin(tmp_path / "second")
    assert first.answer("to-cluster")["went_on"] is False
    n_kills = 0
    for wait_s in (0.9, 1.1, 1.2, 1.3, 1.4, 1.6):
        running = subprocess.Popen(second.command("to-cluster"), env=dict(os.environ))
        time.sleep(wait_s)
        if running.poll() is None:
            running.send_signal(signal.SIGKILL)
            n_kills += 1
        running.wait()
    told = second.answer("to-cluster")
    whole, cut = first.lying(), second.lying()
    assert cut == whole
    assert (n_kills > 2, told["counts"]["entries"]) == (True, 6_001)
    assert second.answer("to-cluster")["went_on"] is True
    assert second.lying() == whole
