"""What was brought about, asked of a real server whose hold-out kept people back a moment ago."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from urllib.parse import quote

import pytest

from sojourn.analytics.buckets import buckets
from sojourn.analytics.questions import Causal
from sojourn.analytics.questions.fields import fields_of
from sojourn.definitions.holdouts import OF_CHANNEL
from sojourn.wiring.lake import open_lake
from tests.cli.commands import run
from tests.wiring.houses import START_S, TOKEN, Serving, serving, settle_in
from tests.wiring.test_analytics_over_http import as_query

PEOPLE = [f"p{n}" for n in range(400)]
MAILS = """
journey: mails
entry: { on: Basket Left }
holdout: off
states:
  told:
    do: [ { sink: mailer, channel: email, body: { say: hello } } ]
    after: { 1m: done }
"""
POLICY = """
policy:
  holdout: off
  channels:
    email: { holdout: 25% }
"""
HELD = {
    who for who, n in zip(PEOPLE, buckets(OF_CHANNEL + "email", PEOPLE).tolist(), strict=True) if n < 2_500
}
"""Whom the hash keeps back."""
BOUGHT = {who for n, who in enumerate(PEOPLE) if (who not in HELD and n % 2 == 0) or n % 8 == 1}

ASKED = [
    ["--conversion", "Buy", "--value", "total"],
    ["--conversion", "Buy", "--method", "fixed", "--level", "0.9", "--seed", "3", "--covariate", "keen",
     "--by", "land"],
    ["--conversion", "Buy", "--within", "1s", "--model", "last", "--touch", "Seen", "--channel", "how",
     "--inside", "campaign"],
]  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Serving, Path]]:
    """A server among whose people some were mailed and some kept back, and some bought."""
    folder = tmp_path_factory.mktemp("mails")
    file = settle_in(folder)
    (folder / "journeys/mails.yaml").write_text(MAILS)
    (folder / "journeys/policy.yaml").write_text(POLICY)
    with serving(file) as house:
        tell(house, "Basket Left", PEOPLE, keen=1.5, land="SE", campaign="spring")
        data = folder / "data"
        wait_for(data, len(PEOPLE))
        tell(house, "Seen", [who for who in PEOPLE if who not in HELD], how="email", campaign="spring")
        tell(house, "Buy", sorted(BOUGHT), total=10.0)
        sleep(1.1)  # for a window of a second to be over
        tell(house, "Viewed", PEOPLE[:1])
        yield house, data


def tell(house: Serving, event: str, people: list[str], **properties: Any) -> None:
    """Let people do something now."""
    batch = [{"type": "track", "event": event, "userId": who, "properties": properties} for who in people]
    status, _ = house.ask("/v1/batch", {"batch": batch})
    assert status == 200


def wait_for(data: Path, n_actions: int) -> None:
    """Wait until so many actions were decided."""
    until, found = monotonic() + START_S, 0
    while monotonic() < until and found < n_actions:
        with open_lake(data) as lake:
            found = lake.ask("SELECT count(*) FROM actions")[1][0][0]
        sleep(0.1)
    assert found == n_actions


def over_http(house: Serving, query: str) -> bytes:
    """Ask; return the bytes of the answer."""
    request = urllib.request.Request(
        f"{house.url}/api/v1/analytics/causal?{query}", headers={"Authorization": f"Bearer {TOKEN}"}
    )
    with urllib.request.urlopen(request, timeout=START_S * 4) as answer:
        body: bytes = answer.read()
        return body


@pytest.mark.parametrize("arguments", ASKED)
def test_an_answer_over_http_is_the_command_s_to_the_byte(
    server: tuple[Serving, Path], arguments: list[str]
) -> None:
    """Beside a running server, of one folder, by the same words."""
    house, data = server
    said = run("causal", *arguments, "--data", str(data), "--json")
    assert said.exit_code == 0, said.output
    assert over_http(house, as_query(arguments)) == said.stdout.removesuffix("\n").encode()


def test_every_option_was_asked() -> None:
    """So that the test above forgets none."""
    asked = {each.removeprefix("--") for arguments in ASKED for each in arguments if each.startswith("--")}
    assert {field.option for field in fields_of(Causal)} == asked


def test_the_engine_s_ghosts_are_those_whom_the_hash_keeps_back(server: tuple[Serving, Path]) -> None:
    """Found in the lake of a real engine, with what those did who were mailed and those who were not."""
    house, _ = server
    found = json.loads(over_http(house, "conversion=Buy&method=fixed"))
    (unit,) = found["units"]
    assert (unit["kind"], unit["name"], unit["people"], unit["held"]) == ("channel", "email", 400, len(HELD))
    met = [who for who in PEOPLE if who not in HELD]
    assert unit["effect"]["mean_met"] == pytest.approx(sum(who in BOUGHT for who in met) / len(met))
    assert unit["effect"]["mean_held"] == pytest.approx(sum(who in BOUGHT for who in HELD) / len(HELD))
    assert unit["ratio"]["expected"] == 0.25
    assert unit["verdict"] == "brings"


def test_a_page_is_written(server: tuple[Serving, Path], tmp_path: Path) -> None:
    """One file, that loads nothing."""
    _, data = server
    place = tmp_path / "causal.html"
    said = run("causal", "--conversion", "Buy", "--data", str(data), "--html", str(place))
    assert said.exit_code == 0, said.output
    page = place.read_text()
    assert "channel email" in page
    assert "<script" not in page


def test_people_read_a_decision_and_what_not_to_conclude(server: tuple[Serving, Path]) -> None:
    """In words."""
    _, data = server
    said = run("causal", "--conversion", "Buy", "--data", str(data), "--method", "fixed")
    assert "brings about" in said.output
    assert "What not to conclude" in said.output
    assert "of one look" in said.output


@pytest.mark.parametrize(
    ("query", "complaint"),
    [
        ("", "say what a conversion is"),
        ("conversion=Buy&within=soon", "within"),
        ("conversion=Buy&by=how", "post-treatment"),
        ("conversion=Nothing", "Nothing"),
    ],
)
def test_a_bad_question_is_refused_with_its_reason(
    server: tuple[Serving, Path], query: str, complaint: str
) -> None:
    """As of every question."""
    status, body = server[0].ask(f"/api/v1/analytics/causal?{quote(query, safe='=&')}")
    assert status == 422
    assert complaint in body["message"]
