"""Retrying beside a server: what was given up goes out again, without stopping anything."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from tests.cli.commands import answer, run
from tests.wiring.houses import TOKEN, free_port, serving, settle_in

JOURNEY = """\
journey: told
entry: { on: Signed Up }
states:
  told: { do: [ { webhook: support, body: { who: "{{ profile.user_id }}" } } ], after: { 1d: done } }
"""
WAIT_S = 20


def eventually(is_so: Callable[[], bool]) -> None:
    """Wait for another process to get there."""
    until = time.monotonic() + WAIT_S
    while not is_so():
        assert time.monotonic() < until, f"not within {WAIT_S} s"
        time.sleep(0.05)


def n_dead(folder: Path) -> int:
    """Count dead letters."""
    return len(answer("dead", "list", "--data", str(folder / "data")))


class Shop(NamedTuple):
    """A server at work."""

    folder: Path
    url: str


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A server with one dead letter: nobody listens where it sends."""
    folder = tmp_path_factory.mktemp("shop")
    sink = {"type": "webhook", "url": f"http://127.0.0.1:{free_port()}/"}
    deliver = {"max_attempts": 1}
    file = settle_in(folder, http={"port": free_port()}, sinks={"support": sink}, deliver=deliver)
    (folder / "journeys/told.yaml").write_text(JOURNEY)
    with serving(file) as house:
        assert house.ask("/v1/track", {"userId": "ada", "event": "Signed Up"})[0] == 200
        eventually(lambda: n_dead(folder) == 1)
        yield Shop(folder, house.url)


def test_dead_letters_are_retried_by_the_server_that_works_in_the_folder(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is stopped for it. (They come back: there is still nobody to take them.)"""
    monkeypatch.chdir(shop.folder)

    told = run("dead", "retry", "--all", "--json")

    assert (told.exit_code, json.loads(told.stdout)) == (0, {"revived": 1})
    eventually(lambda: n_dead(shop.folder) == 1)


def test_a_server_elsewhere_is_asked_by_its_address(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the token of the configuration, and only with that one."""
    monkeypatch.chdir(tmp_path)
    refused = run("dead", "retry", "--all", "--url", shop.url)
    monkeypatch.setenv("SOJOURN_ADMIN_TOKEN", TOKEN)
    told = run("dead", "retry", "no-such-action", "--url", shop.url, "--json")

    assert refused.exit_code == 2
    assert "admin_token" in refused.stderr
    assert json.loads(told.stdout) == {"revived": 0}


def test_where_no_server_is_the_command_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line, and what to do."""
    monkeypatch.chdir(tmp_path)

    said = run("dead", "retry", "--all", "--url", f"http://127.0.0.1:{free_port()}")

    assert said.exit_code == 2
    assert said.stderr.startswith("error: http://127.0.0.1:")
    assert "--url" in said.stderr


def test_the_sink_says_what_it_failed_with_and_what_it_gave_up(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over HTTP as it is now, on the command line as it was kept last."""
    monkeypatch.chdir(shop.folder)
    answered = httpx.get(f"{shop.url}/api/v1/sinks", headers={"authorization": f"Bearer {TOKEN}"})
    (sink,) = [each for each in answered.json() if each["name"] == "support"]
    assert (sink["type"], sink["waiting"], sink["dead"], sink["delivered"]) == ("webhook", 0, 1, 0)
    assert sink["last_error"]
    assert sink["state"] in ("idle", "backing-off")
    assert {each["name"]: each["dead"] for each in answer("sinks")} == {"console": 0, "support": 1}
