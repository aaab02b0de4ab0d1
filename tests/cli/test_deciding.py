"""`sojourn decide`: what an application would be told, from the folder or by its server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep

import pytest

from tests.cli.commands import answer, run
from tests.wiring.houses import KEY, Serving, free_port, serving, settle_in

WAIT_S = 20
BANNER = """
flag: banner
variants: { plain: grey, festive: red }
default: plain
rules:
  - when: "properties.plan == 'pro'"
    experiment: { id: banners, variants: { plain: 1, festive: 1 } }
"""


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serving]:
    """A server with one person who waits, and we are in its folder."""
    monkeypatch.chdir(tmp_path)
    for variable in ("SOJOURN_CONFIG", "SOJOURN_DATA", "SOJOURN_ADMIN_TOKEN"):
        monkeypatch.delenv(variable, raising=False)
    file = settle_in(tmp_path, http={"port": free_port()})
    (tmp_path / "journeys/banner.yaml").write_text(BANNER)
    (tmp_path / "journeys/policy.yaml").write_text("policy: { holdout: off }")
    welcome = (tmp_path / "journeys/welcome.yaml").read_text()
    (tmp_path / "journeys/welcome.yaml").write_text(welcome + "holdout: off\n")
    with serving(file) as server:
        assert server.ask("/v1/track", {"userId": "ann", "event": "Signed Up"})[0] == 200
        until = monotonic() + WAIT_S
        while server.ask("/api/v1/profiles/ann")[0] != 200:
            assert monotonic() < until
            sleep(0.02)
        yield server


def test_all_flags_are_shown_beside_a_server(house: Serving) -> None:
    """Read from its folder, or asked of it: the same."""
    read = answer("decide", "ann")
    assert {one["key"]: one["value"] for one in read}["journey.welcome.state"] == "waiting"
    assert answer("decide", "ann", "--url", house.url) == read


def test_one_flag_is_shown_with_what_the_application_sends(house: Serving) -> None:
    """JSON where it is JSON, else a text; and nobody is exposed by it."""
    found = answer("decide", "ann", "banner", "--context", "plan=pro", "--context", "n=3")
    assert (found["key"], found["reason"]) == ("banner", "SPLIT")
    assert answer("decide", "ann", "banner", "--context", "plan=free")["reason"] == "STATIC"
    assert answer("profile", "ann")["variants"] == {}


def test_an_exposure_is_made_where_it_is_asked_for(house: Serving) -> None:
    """As when an application asks for one flag."""
    found = answer("decide", "ann", "banner", "--context", "plan=pro", "--expose")
    until = monotonic() + WAIT_S
    while (kept := answer("profile", "ann")["variants"]) == {}:
        assert monotonic() < until
        sleep(0.05)
    assert kept == {"banners": found["variant"]}


def test_people_see_a_table(house: Serving) -> None:
    """One flag a line."""
    shown = run("decide", "ann")
    assert shown.exit_code == 0
    (line,) = [line for line in shown.output.splitlines() if "journey.welcome.state" in line]
    assert line.split()[:4] == ["journey.welcome.state", "waiting", "waiting", "TARGETING_MATCH"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("ann", "baner"), "there is no such flag"),
        (("ann", "--context", "plan"), "[bad-context]"),
        (("ann", "--expose"), "[no-flag]"),
        (("ann", "baner", "--expose"), "there is no flag"),
        (("undefined", "banner", "--expose"), "means nobody"),
    ],
)
def test_a_slip_is_told(house: Serving, arguments: tuple[str, ...], words: str) -> None:
    """Each with what to do."""
    done = run("decide", *arguments)
    assert done.exit_code != 0
    assert words in done.output + done.stderr


def test_where_no_server_answers_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And where to name it."""
    monkeypatch.chdir(tmp_path)
    settle_in(tmp_path, http={"port": free_port()})
    assert KEY
    done = run("decide", "ann", "x", "--expose")
    assert done.exit_code == 2
    assert "is a server of ours there" in done.stderr
