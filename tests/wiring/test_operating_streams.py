"""Streams for an operator, by the real server: what comes in is seen at once, and nobody is waited for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest

from tests.cli.commands import answer
from tests.wiring.houses import Serving, serving, settle_in
from tests.wiring.sse import ignoring, listening

PROGRESS, EVENTS = "/api/v1/stream", "/api/v1/events/stream"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """Serve for all tests of this file: each sends events of its own."""
    with serving(settle_in(tmp_path_factory.mktemp("streams"))) as served:
        yield served


def post(house: Serving, *events: dict[str, Any]) -> None:
    """Send events."""
    assert house.ask("/v1/batch", {"batch": list(events)})[0] == 200


def track(name: str, who: str, message_id: str) -> dict[str, Any]:
    """Make an event."""
    library = {"name": "analytics-node", "version": "2.2.1"}
    return {
        "type": "track",
        "event": name,
        "userId": who,
        "messageId": message_id,
        "context": {"library": library},
    }


def test_the_progress_stream_tells_that_an_event_was_processed_and_which_counts_moved(
    house: Serving,
) -> None:
    """All journeys first, then those that moved."""
    with listening(house, PROGRESS) as screen:
        screen.until(lambda: bool(screen.named("journeys")))
        first = screen.named("progress")[0]
        assert first["position"] >= 1  # the publishing
        assert [one["name"] for one in screen.named("journeys")[0]] == ["welcome"]
        entered = screen.named("journeys")[0][0]["entered"]
        post(house, track("Signed Up", "p1", "p1"))
        screen.until(lambda: len(screen.named("journeys")) > 1)
        assert screen.named("journeys")[-1][0]["entered"] == entered + 1
        assert screen.named("progress")[-1] == screen.named("progress")[-1] | {"lag": 0}


def test_the_progress_stream_says_nothing_where_nothing_moved(house: Serving) -> None:
    """And never the same twice, nor more than four times a second."""
    with listening(house, PROGRESS) as screen:
        screen.until(lambda: bool(screen.named("progress")))
        began = monotonic()
        for number in range(30):
            post(house, track("Seen", "q1", f"q{number}"))
        last = house.ask("/api/v1/status")[1]["log_end"]
        screen.until(lambda: screen.named("progress")[-1]["position"] == last)
        n_told, passed = len(screen.named("progress")), monotonic() - began
        assert n_told <= 4 * passed + 3
        sleep(0.6)
        assert len(screen.named("progress")) == n_told


def test_the_tail_tells_each_event_with_its_verdict(house: Serving) -> None:
    """Taken, known before, and failed: with who sent it and what it was."""
    with listening(house, EVENTS) as screen:
        sleep(0.05)
        post(
            house,
            track("Signed Up", "t1", "t1"),
            track("Again", "t1", "t1"),
            {"type": "track", "userId": "t1", "messageId": "t2"},
        )
        screen.until(lambda: len(screen.told) >= 3)
        rows = {(row["message_id"], row["verdict"]): row for row in screen.named("")}
    assert set(rows) == {("t1", "taken"), ("t1", "duplicate"), ("t2", "failed")}
    taken, failed = rows["t1", "taken"], rows["t2", "failed"]
    assert taken["sdk"] == "analytics-node 2.2.1"
    assert (taken["source"], taken["type"], taken["name"], taken["user_id"]) == (
        "web", "track", "Signed Up", "t1",
    )  # fmt: skip
    assert taken["position"] >= 1
    assert (failed["code"], failed["user_id"], failed["position"]) == ("missing-name", "t1", None)


def test_the_tail_can_be_of_some_events_only(house: Serving) -> None:
    """Of a source, a name and a verdict."""
    with listening(house, EVENTS + "?name=Wanted&source=web&verdict=taken") as screen:
        sleep(0.05)
        post(house, track("Other", "f1", "f1"), track("Wanted", "f1", "f2"), track("Wanted", "f1", "f2"))
        screen.until(lambda: bool(screen.told))
        post(house, track("Wanted", "f1", "f3"))
        screen.until(lambda: len(screen.told) >= 2)
        assert [row["message_id"] for row in screen.named("")] == ["f2", "f3"]


def test_a_reader_that_reads_nothing_keeps_nobody_waiting(house: Serving) -> None:
    """Others see what comes; what is beyond 200 a second is counted, and nothing is lost at the door."""
    with ignoring(house, EVENTS), ignoring(house, PROGRESS), listening(house, EVENTS) as screen:
        sleep(0.1)
        n_sent = 0
        crowd = [track("Crowd" * 90, "c", "") for _ in range(500)]  # names of 450 characters
        until = monotonic() + 1.5
        while monotonic() < until:
            for each in crowd:
                each["messageId"] = f"c{n_sent}"
                n_sent += 1
            post(house, *crowd)
        rows = lambda: len(screen.named("")) + sum(each["n"] for each in screen.named("skipped"))  # noqa: E731
        screen.until(lambda: rows() >= n_sent)
        assert rows() == n_sent
        assert screen.named("skipped")


def test_a_stream_wants_the_token_and_is_only_read(house: Serving) -> None:
    """As every route of the API."""
    for path in (PROGRESS, EVENTS):
        status, refused = house.ask(path, Authorization="Bearer no")
        assert (status, refused["code"]) == (401, "wrong-token")
        assert house.ask(path, {})[0] == 405
    status, refused = house.ask(EVENTS + "?verdict=maybe")
    assert (status, refused["code"]) == (422, "bad-parameter")
    assert house.ask(EVENTS + "?nmae=x")[0] == 422


def test_streams_end_where_the_server_is_told_to(tmp_path: Path) -> None:
    """A screen that stays open keeps none from ending; what was counted is in the folder then."""
    file = settle_in(tmp_path, sources={"web": {"write_key": "a-long-write-key"}})
    with serving(file) as house, listening(house, PROGRESS) as one, listening(house, EVENTS) as other:
        one.until(lambda: bool(one.told))
        event = {"batch": [track("Signed Up", "ann", "m1")]}
        assert house.ask("/v1/batch", event, **{"X-Write-Key": "a-long-write-key"})[0] == 200
        house.signal()
        assert house.end() == 0
        one.until(lambda: one.has_ended and other.has_ended)
    (source,) = answer("sources", "--config", str(file))
    assert (source["name"], source["write_key_hint"], source["n_events"]) == ("web", "-key", 1)
    (sdk,) = source["sdks"]
    assert (sdk["name"], sdk["version"], sdk["n"], sdk["last_event"]) == (
        "analytics-node", "2.2.1", 1, "Signed Up",
    )  # fmt: skip
