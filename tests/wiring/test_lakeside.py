"""The lakeside, by the real processes: it writes beside a server, is started again, and ends with it."""

from __future__ import annotations

import http.client
import json
import os
import signal
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from demo.program import Program, write_config
from sojourn.wiring.lake import open_lake

WAIT_S = 30.0


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    """A server whose lake is written several times a second."""
    (tmp_path / "journeys").mkdir()
    setup = write_config(tmp_path, journeys=tmp_path / "journeys", sinks={}, lake={"every": "200ms"})
    with Program(setup) as program:
        yield program


def send(program: Program, *names: str) -> None:
    """Send events of one person."""
    batch = [{"type": "track", "event": name, "userId": "ann"} for name in names]
    connection = http.client.HTTPConnection("127.0.0.1", program.setup.port, timeout=WAIT_S)
    key = b64encode(f"{program.setup.write_key}:".encode()).decode()
    connection.request("POST", "/v1/batch", json.dumps({"batch": batch}), {"Authorization": f"Basic {key}"})
    assert connection.getresponse().status == 200
    connection.close()


def until(is_so: Callable[[], bool]) -> None:
    """Wait for it."""
    deadline = time.monotonic() + WAIT_S
    while not is_so():
        assert time.monotonic() < deadline, "it does not come to that"
        time.sleep(0.05)


def writers(program: Program) -> list[int]:
    """Return the process ids of the server's writers."""
    children = Path(f"/proc/{program.pid}/task/{program.pid}/children").read_text().split()
    commands = {pid: Path(f"/proc/{pid}/cmdline") for pid in children}
    return [int(pid) for pid, path in commands.items() if path.exists() and b"lakeside" in path.read_bytes()]


def steps(program: Program) -> list[str]:
    """Return the names of all steps, from files and the tail."""
    with open_lake(program.setup.data) as reading:
        found = reading.connection.sql("SELECT name FROM steps ORDER BY position").fetchall()
    return [name for (name,) in found]


def in_files(program: Program) -> bool:
    """Tell whether all that was sent is in files."""
    metrics = program.metrics()
    is_all = not metrics.total("sojourn_lag_entries") and not metrics.total("sojourn_lake_lag_entries")
    return is_all and metrics.total("sojourn_lake_files") > 0


def test_events_are_read_at_once_and_soon_in_files(program: Program) -> None:
    """A reader does not care where they lie."""
    send(program, "one", "two")
    until(lambda: steps(program) == ["one", "two"])
    until(lambda: in_files(program))
    assert list((program.setup.data / "lake").glob("steps/*/*.parquet"))
    assert steps(program) == ["one", "two"]
    assert program.metrics().total("sojourn_lake_failures_total") == 0


def test_a_writer_that_dies_is_started_again_and_nobody_else_minds(program: Program) -> None:
    """The lake is not what the product waits for."""
    send(program, "one")
    until(lambda: in_files(program))
    (pid,) = writers(program)
    os.kill(pid, signal.SIGKILL)
    send(program, "two")
    until(lambda: bool(writers(program)) and writers(program) != [pid])
    until(lambda: in_files(program))
    assert steps(program) == ["one", "two"]
    assert program.metrics().total("sojourn_lake_failures_total") == 1


def test_a_writer_ends_with_its_server_whichever_way_that_ends(program: Program) -> None:
    """Nothing is left running behind a server that was killed; one that stops has written all."""
    send(program, "one")
    until(lambda: in_files(program))
    (pid,) = writers(program)
    program.kill()
    until(lambda: not Path(f"/proc/{pid}").exists())

    program.start()
    until(lambda: program.metrics().total("sojourn_lake_files") > 0)
    send(program, "two", "three")
    assert program.stop() == 0
    with open_lake(program.setup.data) as reading:
        assert reading.connection.sql("SELECT count(*) FROM tail.steps").fetchall() == [(0,)]
    assert steps(program) == ["one", "two", "three"]


def test_a_lake_that_cannot_be_written_is_told_and_stops_nothing_else(program: Program) -> None:
    """Another log's lake: somebody has to look."""
    send(program, "one")
    until(lambda: in_files(program))
    program.stop()
    progress = program.setup.data / "lake" / "progress.json"
    progress.write_text(progress.read_text().replace('"mark":"', '"mark":"00'))
    program.start()
    until(lambda: program.metrics().total("sojourn_lake_failures_total") == 1)
    send(program, "two")
    assert "move its folder `lake` away" in program.log_end()
    assert program.stop() == 0
