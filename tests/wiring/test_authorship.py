"""Authors beside a real server: what is published survives a crash, and traffic is counted on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.wiring.houses import TOKEN, WELCOME, Serving, serving, settle_in

FILE = "journeys/welcome.yaml"
LATER = WELCOME.replace("1d", "2d")
WAIT_S = 30.0

# A server that dies between the writing of a file and its publishing.
DYING = """
import os
from sojourn.wiring import serving
def die(self, event): os._exit(9)
serving._Serving._bring = die
from sojourn.cli import main
main()
"""


def ask(house: Serving, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
    """Make a request of any method."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(
        house.url + path,
        data=None if body is None else json.dumps(body).encode(),
        method=method,
        headers={"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json", **named},
    )
    try:
        with urllib.request.urlopen(request, timeout=WAIT_S) as answer:
            return answer.status, json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def draft(house: Serving, text: str = LATER) -> str:
    """Begin a draft of the file; return its etag."""
    _, file = ask(house, "GET", f"/api/v1/files/{FILE}")
    status, kept = ask(house, "PUT", f"/api/v1/drafts/{FILE}", {"text": text}, If_Match=file["etag"])
    assert status == 200, kept
    return str(kept["etag"])


def sign_up(house: Serving, *ids: str) -> None:
    """Let people in."""
    for each in ids:
        status, _ = house.ask("/v1/track", {"event": "Signed Up", "userId": each, "messageId": f"m-{each}"})
        assert status == 200


def until(look: Callable[[], Any]) -> Any:
    """Wait for something; return it."""
    deadline = time.monotonic() + WAIT_S
    while not (found := look()):
        assert time.monotonic() < deadline, "it does not come to that"
        time.sleep(0.03)
    return found


def traffic(house: Serving, query: str = "") -> Any:
    """Return the journey's traffic."""
    return ask(house, "GET", f"/api/v1/journeys/welcome/traffic{query}")[1]


def counters(house: Serving) -> list[int]:
    """Return the ids of the processes that count traffic."""
    children = Path(f"/proc/{house.process.pid}/task/{house.process.pid}/children").read_text().split()
    return [int(one) for one in children if b"trafficside" in Path(f"/proc/{one}/cmdline").read_bytes()]


def test_after_a_crash_between_file_and_publishing_the_start_publishes_the_file(tmp_path: Path) -> None:
    """And the draft that was left is no conflict: it says what the file says."""
    settings = settle_in(tmp_path)
    with serving(settings, program=DYING) as house:
        etag = draft(house)
        with pytest.raises((OSError, urllib.error.URLError)):
            ask(house, "POST", f"/api/v1/drafts/{FILE}/publish", {"etag": etag})
        assert house.process.wait(WAIT_S) == 9
    assert (tmp_path / FILE).read_text() == LATER
    with serving(settings) as house:
        (journey,) = [one for one in ask(house, "GET", "/api/v1/journeys")[1] if one["is_open"]]
        _, version = ask(house, "GET", f"/api/v1/journeys/welcome/versions/{journey['version']}")
        assert version["text"] == LATER
        assert version["before_text"] == WELCOME
        status, view = ask(house, "POST", f"/api/v1/drafts/{FILE}/publish", {"etag": etag})
        assert (status, view["refused"], view["revision"]) == (200, [], None)
        assert ask(house, "GET", f"/api/v1/files/{FILE}")[1]["draft"] is None


def test_of_two_who_publish_at_once_the_second_is_told(tmp_path: Path) -> None:
    """The same draft is published once; whoever comes second finds none any more."""
    with serving(settle_in(tmp_path)) as house:
        etag = draft(house)
        with ThreadPoolExecutor(8) as pool:
            answers = list(
                pool.map(
                    lambda _: ask(house, "POST", f"/api/v1/drafts/{FILE}/publish", {"etag": etag}), range(8)
                )
            )
        assert sorted(status for status, _ in answers) == [200, *[422] * 7]
        assert {body["code"] for status, body in answers if status != 200} == {"unknown-draft"}
        assert len(ask(house, "GET", "/api/v1/journeys/welcome/versions")[1]) == 2


def test_traffic_follows_within_a_second_survives_its_process_and_a_restart(tmp_path: Path) -> None:
    """And where its tables are gone, or were never there, everything is counted anew."""
    settings = settle_in(tmp_path)
    with serving(settings) as house:
        until(lambda: counters(house))
        until(lambda: traffic(house)["position"])
        began = time.monotonic()
        sign_up(house, "ann")
        until(lambda: traffic(house)["ways"] == {">>entry": 1})
        assert time.monotonic() - began < 5  # a second, on a machine that does nothing else
        (process,) = counters(house)
        os.kill(process, signal.SIGKILL)
        sign_up(house, "bob")
        until(lambda: traffic(house)["ways"] == {">>entry": 2})
        _, page = ask(house, "GET", "/api/v1/journeys/welcome/people?state=waiting&limit=1")
        assert [one["id"] for one in page["items"]] == ["u:bob"]
        _, page = ask(house, "GET", f"/api/v1/journeys/welcome/people?state=waiting&after={page['next']}")
        assert [(one["id"], one["state"]) for one in page["items"]] == [("u:ann", ["waiting"])]
        house.signal()
        assert house.end() == 0
    for path in (tmp_path / "data").glob("traffic.db*"):
        path.unlink()
    with serving(settings) as house:
        sign_up(house, "cid")
        until(lambda: traffic(house)["ways"] == {">>entry": 3})
        assert traffic(house)["states"]["waiting"]["n_people"] == 3
        assert traffic(house, f"?from={int(time.time() * 1000)}")["ways"] == {">>entry": 3}
        assert traffic(house, "?to=1000")["ways"] == {}


def test_no_process_is_left_when_a_server_is_killed(tmp_path: Path) -> None:
    """Its end is the end of their input."""
    with serving(settle_in(tmp_path)) as house:
        (process,) = until(lambda: counters(house))
        house.process.kill()
        house.process.wait(WAIT_S)
        until(lambda: not Path(f"/proc/{process}").exists())


def test_somebody_who_is_forgotten_is_in_no_list_and_in_no_byte_of_the_tables(tmp_path: Path) -> None:
    """While a server runs it is folded; in a folder nobody serves the tables go, and are made anew."""
    settings = settle_in(tmp_path)
    data = tmp_path / "data"
    with serving(settings) as house:
        sign_up(house, "annabella", "bernadette", "cid")
        until(lambda: traffic(house)["ways"] == {">>entry": 3})
        body = {"confirm": "annabella", "reason": "ticket 1"}
        assert ask(house, "POST", "/api/v1/people/annabella/forget", body)[0] == 200
        until(lambda: ask(house, "GET", "/api/v1/forgotten")[1][0]["stage"] == "done")
        _, page = ask(house, "GET", "/api/v1/journeys/welcome/people")
        assert [one["id"] for one in page["items"]] == ["u:cid", "u:bernadette"]
        assert b"annabella" not in b"".join(path.read_bytes() for path in data.glob("traffic.db*"))
        house.signal()
        assert house.end() == 0
    assert b"bernadette" in b"".join(path.read_bytes() for path in data.glob("traffic.db*"))
    command = [sys.executable, "-c", "from sojourn.cli import main; main()", "forget", "bernadette"]
    subprocess.run(
        [*command, "--yes", "--config", str(settings)], check=True, capture_output=True, timeout=WAIT_S
    )
    assert b"bernadette" not in b"".join(path.read_bytes() for path in data.glob("traffic.db*"))
    with serving(settings) as house:
        until(lambda: traffic(house)["ways"] == {">>entry": 1})
        _, page = ask(house, "GET", "/api/v1/journeys/welcome/people")
        assert [one["id"] for one in page["items"]] == ["u:cid"]
