"""Serving, by the real process: it starts, answers, ends as it is told, and says why where it cannot."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from urllib.request import urlopen

import pytest

from sojourn import wiring
from sojourn.config import load_config
from sojourn.model.errors import ConfigError
from sojourn.model.optout import OptOut, sign
from sojourn.wiring import open_house, open_readings
from tests.engine.makers import event
from tests.wiring.houses import KEY, START_S, TOKEN, Serving, serving, settle_in

SECRET = "a secret of the operator"
OPERATE = Path(__file__).parents[2] / "docs/how-to/operate.md"

# `sojourn serve`, with one part replaced before it starts.
FAILING_LOG = """
from sojourn.adapters.sqlite import SqliteLog
append = SqliteLog.append
def failing(log, events, **options):
    if any(event.name == "Poison" for event in events):
        raise OSError(28, "No space left on device")
    return append(log, events, **options)
SqliteLog.append = failing
from sojourn.cli import main
main()
"""
SLOW_STORE = """
import time
from sojourn.adapters.sqlite import SqliteStore
commit = SqliteStore.commit
def slow(store, batch):
    if batch.writes:  # what comes into force at a start writes nobody's state
        time.sleep(0.2)
    commit(store, batch)
SqliteStore.commit = slow
from sojourn.cli import main
main()
"""


GREETING = """
journey: greeting
entry: { on: Signed Up }
holdout: off
states: { told: { do: [ { console: , body: {} } ], after: { 1d: done } }, done: {} }
"""


def batch(*names: str, who: str = "ann", prefix: str = "m") -> dict[str, Any]:
    """Make a batch of events of one person."""
    return {
        "batch": [
            {"type": "track", "event": name, "userId": who, "messageId": f"{prefix}{number}"}
            for number, name in enumerate(names)
        ]
    }


def soon(house: Serving, path: str) -> Any:
    """Ask until it is there."""
    until = monotonic() + START_S
    while True:
        status, found = house.ask(path)
        if status == 200 or monotonic() > until:
            return found
        sleep(0.02)


def test_an_event_is_taken_and_its_person_shown_and_sigterm_ends_in_good_order(tmp_path: Path) -> None:
    """The walk of a newcomer."""
    with serving(settle_in(tmp_path)) as house:
        assert house.ask("/ready") == (200, {"ready": True})
        assert house.ask("/v1/batch", batch("Signed Up", "Seen")) == (200, {"success": True})
        found = soon(house, "/api/v1/profiles/ann")
        house.signal()
        assert house.end() == 0
    assert [each["state"] for each in found["enrolments"]] == [["waiting"]]
    assert house.says("stopped")[0]["position"] == 3  # the folder's journeys were published first


def test_what_was_imported_is_history_and_who_comes_to_the_server_after_it_is_not(tmp_path: Path) -> None:
    """The server says in the log that the import is over, before it takes anything."""
    file = settle_in(tmp_path)
    (tmp_path / "journeys/welcome.yaml").write_text(GREETING)
    (tmp_path / "journeys/policy.yaml").write_text("policy: { holdout: off }")
    config = load_config(file, environment={})
    with open_house(config) as house, house.play() as player:
        player.append([event("Signed Up", user_id="bob")], [])
    for who in ("cat", "dan"):
        with serving(file) as server:
            server.ask("/v1/batch", batch("Signed Up", who=who, prefix=who))
            soon(server, f"/api/v1/profiles/{who}")
    with open_readings(config) as readings:
        names = [entry.event.name for entry in readings.log.read(0, 100)]
        (view,) = readings.journeys()
    assert (view.entered, view.actions, view.withheld) == (3, 2, 1)
    assert names[:4] == ["$publish", "$play", "Signed Up", "$played"]
    assert names.count("$played") == 1


def test_a_port_in_use_is_refused_before_anything_is_touched(tmp_path: Path) -> None:
    """A second server ends here: it makes no folder and reads no journey."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        file = settle_in(tmp_path, http={"port": port})
        with pytest.raises(ConfigError, match=rf"127\.0\.0\.1:{port} cannot be listened on.*\[port\]"):
            serve_here(file)
    assert not (tmp_path / "data").exists()


def test_a_folder_in_use_is_refused(tmp_path: Path) -> None:
    """One process writes; it is named."""
    file = settle_in(tmp_path)
    with (
        open_house(load_config(file, environment={})),
        pytest.raises(ConfigError, match=f"in use by process {os.getpid()}"),
    ):
        serve_here(file)


def test_a_host_that_is_none_of_ours_is_refused_with_what_to_do(tmp_path: Path) -> None:
    """Not with a traceback of the name service."""
    with pytest.raises(ConfigError, match=r"Set http\.host or http\.port"):
        serve_here(settle_in(tmp_path, http={"host": "203.0.113.7", "port": 0}))


def test_sigterm_under_load_processes_all_that_was_acknowledged(tmp_path: Path) -> None:
    """In-flight requests are answered; what got a 200 is in the store when the process is gone."""
    file = settle_in(tmp_path)
    with serving(file, program=SLOW_STORE) as house, ThreadPoolExecutor(8) as clients:

        def send(number: int) -> int:
            try:
                return house.ask("/v1/batch", batch(*["Seen"] * 50, prefix=f"{number}-"))[0]
            except OSError:
                return 0  # the door is shut

        answers = [clients.submit(send, number) for number in range(40)]
        while not any(answer.done() for answer in answers):
            sleep(0.005)
        house.signal()
        statuses = [answer.result() for answer in answers]
        assert house.end() == 0
    with open_readings(load_config(file, environment={})) as readings:
        status = readings.status()
    assert set(statuses) <= {200, 503, 0}
    assert status.log_end >= 50 * statuses.count(200) > 0
    assert status.position == status.log_end


def test_a_second_sigterm_ends_at_once_and_the_next_start_takes_up_the_rest(tmp_path: Path) -> None:
    """Whoever asks twice means it; nothing acknowledged is lost by it."""
    file = settle_in(tmp_path)
    with serving(file, program=SLOW_STORE.replace("0.2", "60")) as house:
        house.ask("/v1/batch", batch("Signed Up", "Seen", "Seen"))
        house.signal()
        sleep(0.3)
        house.signal()
        assert house.end() == 128 + signal.SIGTERM
    with serving(file) as again:
        found = soon(again, "/api/v1/profiles/ann")
    assert found["n_events"] == 3
    assert again.says("recovered what the last run had not processed")[0]["entries"] == 3


def test_a_log_that_fails_ends_the_process_and_says_why(tmp_path: Path) -> None:
    """The request is answered 503, the SDK keeps its events, and a supervisor sees the exit code."""
    with serving(settle_in(tmp_path), program=FAILING_LOG) as house:
        assert house.ask("/v1/batch", batch("Seen"))[0] == 200
        assert house.ask("/v1/batch", batch("Poison", prefix="p"))[0] == 503
        assert house.end() == 1
    (line,) = house.says("the engine failed, so all ends")
    assert line["error"] == "OSError: [Errno 28] No space left on device"
    assert "start again" in line["do"]


def test_letters_of_a_sink_that_is_gone_become_dead_letters_and_are_tried_again(tmp_path: Path) -> None:
    """A sink was renamed while actions waited for it: nobody else would ever look at them."""
    destination = folder(tmp_path, "out") / "sent.jsonl"
    journey = """
journey: mailing
entry: { on: Signed Up }
states:
  told: { do: [ { mail: mail, body: { hello: "{{ profile.user_id }}" } } ], after: { 1d: done } }
  done: {}
"""
    file = settle_in(tmp_path, sinks={"mail": {"type": "webhook", "url": "http://127.0.0.1:9/"}})
    (tmp_path / "journeys/mailing.yaml").write_text(journey)
    with serving(file) as house:
        house.ask("/v1/batch", batch("Signed Up"))
        soon(house, "/api/v1/profiles/ann")
    settle_in(tmp_path)
    with serving(file) as without:
        until = monotonic() + START_S
        while not (dead := without.ask("/api/v1/dead-letters")[1]["items"]) and monotonic() < until:
            sleep(0.02)
    assert [letter["last_error"].partition(";")[0] for letter in dead] == ["no sink is named 'mail'"]
    settle_in(tmp_path, sinks={"mail": {"type": "file", "path": str(destination)}})
    with serving(file) as mended:
        assert mended.ask("/api/v1/dead-letters/retry", {"action_ids": None}) == (200, {"revived": 1})
        until = monotonic() + START_S
        while not (destination.exists() and destination.read_text()) and monotonic() < until:
            sleep(0.02)
    assert '"hello":"ann"' in destination.read_text().replace(" ", "")


def test_what_operators_are_told_to_watch_is_there_and_no_log_line_holds_a_secret(tmp_path: Path) -> None:
    """The how-to names metrics; logs are read by more people than secrets are."""
    told = re.findall(r"`(sojourn_\w+)`", OPERATE.read_text(encoding="utf-8"))
    with serving(settle_in(tmp_path)) as house:
        house.ask("/v1/batch", batch("Seen"))
        metrics = house.read("/metrics")
        house.signal()
        house.end()
    assert len(told) >= 6
    assert [name for name in told if f"# TYPE {name} " not in metrics] == []
    assert KEY not in str(house.told)
    assert TOKEN not in str(house.told)


def folder(root: Path, name: str) -> Path:
    """Make a folder."""
    made = root / name
    made.mkdir()
    return made


def serve_here(file: Path) -> None:
    """Serve in this process, where it must end by itself."""
    asyncio.run(wiring.serve(load_config(file, environment={})))


def test_a_link_to_unsubscribe_with_works_where_it_is_configured(tmp_path: Path) -> None:
    """The click is in the person's story; without the setting, nothing is there."""
    settings = {"secret": SECRET, "public_url": "http://localhost"}
    token = sign(OptOut("ann", None, "email"), SECRET)
    with serving(settle_in(tmp_path, unsubscribe=settings)) as house:
        assert "<button>" in house.read(f"/u/{token}")
        urlopen(house.url + f"/u/{token}", data=b"List-Unsubscribe=One-Click").close()
        found = soon(house, "/api/v1/profiles/ann")
    assert "Consent Updated" in [fact.get("name") for fact in found["timeline"]]
    with serving(settle_in(tmp_path)) as house:
        assert house.ask(f"/u/{token}")[0] == 404
