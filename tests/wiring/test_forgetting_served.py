"""Forgetting, by the real processes: the server goes on, the lake's writer erases, and nothing is left."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sojourn.wiring.lake import open_lake
from tests.wiring.houses import Serving, free_port, serving, settle_in
from tests.wiring.test_forgetting import MARK, traces

WAIT_S = 30.0


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Serving, Path]]:
    """A server whose lake is written several times a second."""
    with serving(settle_in(tmp_path, lake={"every": "200ms"}, http={"port": free_port()})) as house:
        yield house, tmp_path / "data"


def send(house: Serving, who: str, *names: str) -> None:
    """Send events of somebody on a phone of theirs."""
    batch = [
        {
            "type": "track", "event": name, "userId": who, "anonymousId": f"{who}-phone",
            "messageId": f"{who}-{name}", "properties": {"note": f"{who} was here"},
        }
        for name in names
    ]  # fmt: skip
    assert house.ask("/v1/batch", {"batch": batch, "writeKey": "write-key"})[0] == 200


def until(is_so: Callable[[], bool]) -> None:
    """Wait for it."""
    deadline = time.monotonic() + WAIT_S
    while not is_so():
        assert time.monotonic() < deadline, "it does not come to that"
        time.sleep(0.05)


def ledger(house: Serving) -> list[dict[str, Any]]:
    status, rows = house.ask("/api/v1/forgotten")
    assert status == 200
    return list(rows)


def steps(data: Path) -> list[tuple[str, str]]:
    with open_lake(data) as reading:
        return reading.connection.sql("SELECT person_id, name FROM steps ORDER BY position").fetchall()


def test_somebody_is_forgotten_while_the_server_goes_on(served: tuple[Serving, Path]) -> None:
    """Their life ends at once; bytes follow, in the lake's files too; others are untouched."""
    house, data = served
    send(house, MARK, "Signed Up", "Viewed", "Ordered")
    send(house, "ann", "Signed Up", "Viewed")
    until(lambda: bool(list((data / "lake").glob("steps/*/*.parquet"))))
    assert len(traces(data)) > 3
    path = f"/api/v1/people/{MARK}/forget"
    status, refused = house.ask(path, {"confirm": "ann"})
    assert (status, refused["code"]) == (422, "unconfirmed")
    status, view = house.ask(path, {"confirm": MARK, "reason": "ticket 7"})
    assert status == 200
    assert view["ids"] == [MARK, f"{MARK}-phone"]
    assert view["n_journeys"] == 1
    assert house.ask(f"/api/v1/profiles/{MARK}")[0] == 404
    until(lambda: ledger(house)[0]["stage"] == "done")
    (row,) = ledger(house)
    assert (row["n_events"], row["by"], row["reason"]) == (3, "$operator", "ticket 7")
    assert row["n_files"] > 0
    assert MARK not in json.dumps(row)
    assert house.ask(path, {"confirm": MARK})[1]["request_id"] is None
    journeys = {each["name"]: each for each in house.ask("/api/v1/journeys")[1]}
    assert (journeys["welcome"]["entered"], journeys["welcome"]["states"]) == (1, {"waiting": 1})
    until(lambda: traces(data) == [])
    assert [step for step in steps(data) if "ann" in step[0]] == [
        ("u:ann", "Signed Up"),
        ("u:ann", "Viewed"),
    ]
    send(house, "ann", "Ordered")
    until(lambda: len(steps(data)) == 3)


def test_the_command_shows_what_it_finds_and_asks_the_server(served: tuple[Serving, Path]) -> None:
    """As an operator does it; without --yes nobody who cannot be asked forgets anybody."""
    house, data = served
    send(house, MARK, "Signed Up")
    until(lambda: house.ask(f"/api/v1/profiles/{MARK}")[0] == 200)
    shown = command(data, MARK, "--dry-run", "--json")
    assert shown.returncode == 0, shown.stderr
    assert (json.loads(shown.stdout)["n_facts"], json.loads(shown.stdout)["request_id"]) == (5, None)
    assert house.ask(f"/api/v1/profiles/{MARK}")[0] == 200
    refused = command(data, MARK)
    assert refused.returncode == 2
    assert f"{MARK}-phone" in refused.stdout
    assert "--yes" in refused.stderr
    done = command(data, MARK, "--yes", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["ids"] == [MARK, f"{MARK}-phone"]
    again = command(data, MARK, "--yes")
    assert "Nothing is kept" in again.stdout


def command(data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SOJOURN_")}
    program = "from sojourn.cli import main; main()"
    file = str(data.parent / "sojourn.yaml")
    return subprocess.run(
        [sys.executable, "-c", program, "forget", *arguments, "--config", file],
        capture_output=True,
        text=True,
        env=environment,
        timeout=WAIT_S,
        stdin=subprocess.DEVNULL,
        check=False,
    )
