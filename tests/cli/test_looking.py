"""Looking: searches, sinks, sources and failed events from the command line, beside a server or without."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sojourn.config import load_config
from sojourn.definitions.controls import Forgetting, forget_event
from sojourn.model.event import FailedEvent
from sojourn.wiring import open_house
from tests.cli.commands import answer, run
from tests.cli.folders import shop
from tests.wiring.houses import settle_in

GOOD = b'{"type":"track","event":"Seen","userId":"zoe","messageId":"z1"}'
BAD = b'{"type":"track","userId":"zoe","messageId":"z2"}'


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A data folder with the shop's events."""
    return str(shop(tmp_path_factory.mktemp("shop")))


def test_people_are_found_by_how_their_ids_begin(data: str) -> None:
    """As over HTTP."""
    assert [one["id"] for one in answer("search", "a", "--data", data)] == ["u:ada"]
    assert [one["id"] for one in answer("search", "--data", data, "--limit", "2")] == ["u:eve", "u:dan"]
    assert "u:bob" in run("search", "bob", "--data", data).stdout
    assert "Nobody is found." in run("search", "nobody", "--data", data).stdout


def test_sinks_and_sources_are_listed(data: str) -> None:
    """Also where nothing was sent yet."""
    (sink,) = answer("sinks", "--data", data)
    assert (sink["name"], sink["type"], sink["waiting"]) == ("console", "console", 0)
    (source,) = answer("sources", "--data", data)
    assert (source["name"], source["sdks"]) == ("web", [])
    assert "nothing yet" in run("sources", "--data", data).stdout
    assert "console" in run("sinks", "--data", data).stdout


def test_the_status_says_who_is_being_forgotten(tmp_path: Path) -> None:
    """How far it is, and since when; no id is in it."""
    file = settle_in(tmp_path)
    with open_house(load_config(file, environment={})) as house:
        house.driver.bring(forget_event(Forgetting(request="r1", users=["zoe"]), now=0))
    where = ("--config", str(file))
    (row,) = answer("status", *where)["forgetting"]
    assert (row["request_id"], row["stage"]) == ("r1", "waiting")
    text = run("status", *where).stdout
    assert "waiting, since 1970-01-01" in text
    assert "zoe" not in text


def test_failed_events_are_counted_and_retried_where_no_server_works(tmp_path: Path) -> None:
    """Each once; what still reads badly is told, and the exit code says so."""
    file = settle_in(tmp_path)
    refused = FailedEvent(source="web", received_at=1, code="bad-type", reason="no", body=GOOD)
    with open_house(load_config(file, environment={})) as house:
        again = FailedEvent(source="web", received_at=2, code="missing-name", reason="no", body=BAD)
        house.driver.log.append([], now=1, failed=[refused, again])
    where = ("--config", str(file))
    kinds = answer("failed", "summary", *where)
    assert [(kind["code"], kind["n"]) for kind in kinds] == [("missing-name", 1), ("bad-type", 1)]
    assert [one["verdict"] for one in answer("failed", "retry", "1", *where)] == ["taken"]
    assert answer("profile", "zoe", *where)["n_events"] == 1
    result = run("failed", "retry", "1", "2", *where, "--json")
    assert [one["verdict"] for one in json.loads(result.stdout)] == ["refused", "failed"]
    assert result.exit_code == 1
    assert [kind["code"] for kind in answer("failed", "summary", *where)] == ["missing-name"]
