"""Decisions of the real process: seen at once, pushed, logged, and ended in good order."""

from __future__ import annotations

import hmac
import http.client
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest

from tests.wiring.houses import START_S, Serving, serving, settle_in

APP_KEY = "a-key-of-an-application"
PAGE_KEY, TRUSTING_KEY = "a-key-that-is-in-the-page", "a-key-of-a-page-that-trusts"
SECRET = "a secret of the operator"
FLAGS = "/ofrep/v1/evaluate/flags"
N_ROUNDS = 15
SHARE = """
flag: share
variants: { low: 1.0, high: 2.5 }
default: low
rules: [ { experiment: { id: shares, variants: { low: 1, high: 1 } } } ]
"""
POLICY = "policy: { holdout: off }"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Serving]:
    """Serve, with an application and two pages, one of which believes events."""
    page = {"kind": "browser", "flags": ["journey.welcome.*", "share"], "secret": SECRET}
    keys = {
        "app": {"key": APP_KEY},
        "page": {"key": PAGE_KEY, **page},
        "trusting": {"key": TRUSTING_KEY, **page, "trust_events": True},
    }
    file = settle_in(tmp_path, decisions={"keys": keys})
    (tmp_path / "journeys/share.yaml").write_text(SHARE)
    (tmp_path / "journeys/policy.yaml").write_text(POLICY)
    welcome = (tmp_path / "journeys/welcome.yaml").read_text()
    (tmp_path / "journeys/welcome.yaml").write_text(welcome + "holdout: off\n")
    with serving(file) as server:
        yield server


def ask(house: Serving, who: str, flag: str | None = None) -> Any:
    """Ask for one flag, or all."""
    path = FLAGS if flag is None else f"{FLAGS}/{flag}"
    status, found = house.ask(path, {"context": {"targetingKey": who}}, Authorization=f"Bearer {APP_KEY}")
    assert status == 200, found
    return found


def post(house: Serving, who: str, *names: str) -> None:
    """Let somebody do something."""
    events = [{"type": "track", "event": name, "userId": who} for name in names]
    assert house.ask("/v1/batch", {"batch": events}) == (200, {"success": True})


def test_what_was_acknowledged_is_seen_while_others_flood_the_server(house: Serving) -> None:
    """Post, and ask with the answer to it in hand."""
    crowd = [{"type": "track", "event": "Signed Up", "userId": f"c{n}"} for n in range(100)]
    told: list[str] = []
    with ThreadPoolExecutor(2) as pool:
        floods = [pool.submit(house.ask, "/v1/batch", {"batch": crowd}) for _ in range(30)]
        for n in range(N_ROUNDS):
            post(house, f"p{n}", "Signed Up")
            told.append(ask(house, f"p{n}", "journey.welcome.state")["value"])
        assert [one.result()[0] for one in floods] == [200] * 30
    assert told == ["waiting"] * N_ROUNDS


def from_page(house: Serving, path: str, key: str = PAGE_KEY, **context: str) -> Any:
    """Ask as a page does."""
    status, found = house.ask(path, {"context": context}, Authorization=f"Bearer {key}")
    assert status == 200, found
    return found


def test_a_device_tied_to_a_guessed_user_tells_nothing_of_them_and_signing_in_does(house: Serving) -> None:
    """The attack needs what is in every page: the write key and a browser's key. A signature is not there."""
    state = f"{FLAGS}/journey.welcome.state"
    before = from_page(house, FLAGS, targetingKey="evil")["flags"]
    post(house, "ann", "Signed Up")
    tie = {"type": "identify", "userId": "ann", "anonymousId": "evil", "traits": {"plan": "pro"}}
    assert house.ask("/v1/batch", {"batch": [tie]}) == (200, {"success": True})
    for flag in from_page(house, FLAGS, targetingKey="evil")["flags"]:
        assert flag["metadata"].pop("stranger") == "unsigned-device"
        assert flag in before
    one = from_page(house, state, targetingKey="evil", userId="ann", anonymousId="evil")
    assert (one["value"], one["metadata"]["stranger"]) == ("", "unsigned-device")
    signature = hmac.new(SECRET.encode(), b"ann", sha256).hexdigest()
    signed = from_page(house, state, targetingKey="ann", targetingKeySignature=signature)
    assert (signed["value"], "stranger" in signed["metadata"]) == ("waiting", False)
    assert from_page(house, state, TRUSTING_KEY, targetingKey="evil")["value"] == "waiting"


def test_a_stream_tells_of_a_change_and_ends_when_the_server_is_told_to(house: Serving) -> None:
    """A page that stays open keeps no server from ending."""
    (stream,) = ask(house, "ann")["eventStreams"]
    host, _, port = house.url.rpartition("/")[2].partition(":")
    line = http.client.HTTPConnection(host, int(port), timeout=START_S)
    line.request("GET", stream["endpoint"]["requestUri"])
    answer = line.getresponse()
    assert (answer.status, answer.headers["content-type"]) == (200, "text/event-stream")
    post(house, "ann", "Signed Up")
    text = ""
    while not text.startswith("data: "):
        text = answer.readline().decode()
    assert json.loads(text.removeprefix("data: "))["type"] == "refetchEvaluation"
    house.signal()
    while answer.readline():
        pass
    assert house.end() == 0
    assert house.says("stopped")


def test_what_was_drawn_and_told_is_a_fact_of_the_person(house: Serving) -> None:
    """Once, by the log; also where the server is told to end right after the answer."""
    post(house, "ann", "Seen")
    found = ask(house, "ann", "share")
    until = monotonic() + START_S
    while not (kept := house.ask("/api/v1/profiles/ann")[1]).get("variants"):
        assert monotonic() < until
        sleep(0.02)
    assert kept["variants"] == {"shares": found["variant"]}
    (exposed,) = [fact for fact in kept["timeline"] if fact["type"] == "exposed"]
    assert (exposed["flag"], exposed["decision_id"]) == ("share", found["metadata"]["decision_id"])
    assert exposed["eligible"] == {"low": 0.5, "high": 0.5}
    metrics = house.read("/metrics")
    assert "sojourn_exposures_logged_total 1.0" in metrics
    assert 'sojourn_decision_seconds_count{kind="single"} 1.0' in metrics
