"""Publishing, pausing and stopping beside a server: it does and refuses what the folder alone would."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from time import monotonic, sleep

import pytest

from sojourn.adapters.sqlite import lock_folder
from tests.cli.commands import answer, run
from tests.wiring.houses import WELCOME, Serving, free_port, serving, settle_in

WAIT_S = 20
RENAMED = WELCOME.replace("waiting", "greeted")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configured folder, and we are in it; nobody works there."""
    monkeypatch.chdir(tmp_path)
    for variable in ("SOJOURN_CONFIG", "SOJOURN_DATA", "SOJOURN_ADMIN_TOKEN"):
        monkeypatch.delenv(variable, raising=False)
    settle_in(tmp_path, http={"port": free_port()})
    return tmp_path


@pytest.fixture
def house(folder: Path) -> Iterator[Serving]:
    """The server that works there, with one person who waits."""
    with serving(folder / "sojourn.yaml") as house:
        assert house.ask("/v1/track", {"userId": "ann", "event": "Signed Up"})[0] == 200
        assert stands_in(house, {"waiting": 1})
        yield house


def stands_in(house: Serving, expected: dict[str, int]) -> bool:
    """Ask the server who is where in what is in force, until it is so: events and sweeps take their time."""
    until = monotonic() + WAIT_S
    while True:
        _, journeys = house.ask("/api/v1/journeys")
        (states,) = [one["states"] for one in journeys if one["is_open"]]
        if states == expected or monotonic() > until:
            return bool(states == expected)
        sleep(0.02)


def test_the_server_publishes_and_takes_the_person_along(folder: Path, house: Serving) -> None:
    """Shown first, then done, with nothing stopped."""
    (folder / "journeys/welcome.yaml").write_text(RENAMED)

    shown = answer("publish", "--map", "waiting=greeted", "--dry-run")
    before = stands_in(house, {"waiting": 1})
    done = run("publish", "--map", "waiting=greeted", "--yes")

    assert (shown["journeys"][0]["change"], shown["revision"], before) == ("changed", None, True)
    assert (done.exit_code, done.stdout.splitlines()[-1]) == (0, "In force, as revision 2")
    assert stands_in(house, {"greeted": 1})
    assert [one["is_open"] for one in answer("versions", "welcome")] == [True, False]


def test_what_would_leave_somebody_nowhere_is_refused(folder: Path, house: Serving) -> None:
    """With what to say, and nothing is done."""
    (folder / "journeys/welcome.yaml").write_text(RENAMED)

    refused = run("publish", "--policy", "follow", "--yes")

    assert refused.exit_code == 1
    assert "--map waiting=STATE" in refused.stderr
    assert stands_in(house, {"waiting": 1})


def test_a_rollback_brings_the_version_of_before_into_force(folder: Path, house: Serving) -> None:
    """By the server, too."""
    (folder / "journeys/welcome.yaml").write_text(RENAMED)
    first = answer("versions", "welcome")[0]["version"]
    run("publish", "--map", "waiting=greeted", "--yes")

    done = answer("rollback", "welcome", "--map", "greeted=waiting")

    assert (done["journeys"][0]["version"], done["revision"]) == (first, 3)
    assert stands_in(house, {"waiting": 1})


@pytest.mark.usefixtures("folder")
def test_a_journey_is_paused_and_resumed_by_the_server(house: Serving) -> None:
    """Who signs up meanwhile does not enter, and the command says what stands still."""
    paused = run("pause", "welcome")
    house.ask("/v1/track", {"userId": "bob", "event": "Signed Up"})
    resumed = run("resume", "welcome")
    house.ask("/v1/track", {"userId": "cat", "event": "Signed Up"})

    assert (paused.stdout, resumed.stdout) == ("Journeys go on; paused: welcome\n", "Journeys go on\n")
    assert stands_in(house, {"waiting": 2})


@pytest.mark.usefixtures("folder")
def test_all_is_stopped_and_released_by_the_server(house: Serving) -> None:
    """A stop said twice is one, by whichever way it is said."""
    stopped = answer("stop", "--yes")
    asked = house.ask("/api/v1/holds", {"name": "$stop"})
    released = answer("release")

    assert stopped == asked[1] == {"revision": 2, "stopped": True, "paused": []}
    assert released == {"revision": 3, "stopped": False, "paused": []}


@pytest.mark.usefixtures("folder")
def test_nothing_is_stopped_where_nobody_is_there_to_say_yes() -> None:
    """A script must mean it."""
    said = run("stop")

    assert (said.exit_code, "--yes" in said.stderr) == (2, True)


# What is asked, and what both say against it.
WRONG: list[tuple[tuple[str, ...], str]] = [
    (("pause", "welcom"), "there is no journey 'welcom'; did you mean 'welcome'?"),
    (("rollback", "welcome"), "journey welcome has no older version"),
    (("publish", "bad.yaml", "--yes"), "bad.yaml:1:1: "),
    (
        ("publish", "journeys", "--map", "wating=done", "--yes"),
        "has a state 'wating'; did you mean 'waiting'?",
    ),
]


def test_what_the_folder_refuses_the_server_refuses_alike(
    folder: Path, request: pytest.FixtureRequest
) -> None:
    """A script that reads exit codes need not know whether a server runs."""
    (folder / "bad.yaml").write_text("journey: bad\n")
    changed = folder / "journeys/welcome.yaml"
    answer("publish", "--yes")
    changed.write_text(WELCOME.replace("1d", "2d"))

    alone = [run(*arguments) for arguments, _ in WRONG]
    changed.write_text(WELCOME)  # or the server's start publishes it
    request.getfixturevalue("house")
    changed.write_text(WELCOME.replace("1d", "2d"))
    beside = [run(*arguments) for arguments, _ in WRONG]

    for (_, reason), *both in zip(WRONG, alone, beside, strict=True):
        assert [(said.exit_code, reason in said.stderr) for said in both] == [(1, True)] * 2, both


def test_who_works_in_the_folder_and_does_not_serve_is_told_of(folder: Path) -> None:
    """An import, say: there is nobody to ask, and the message says where we looked."""
    lock = lock_folder(folder / "data")
    try:
        said = run("pause", "welcome")
    finally:
        lock.close()

    assert said.exit_code == 2
    assert "is a server of ours there?" in said.stderr
    assert "SOJOURN_HTTP_PORT" in said.stderr


@contextmanager
def answering(status: int, body: bytes) -> Iterator[str]:
    """Be a server of somebody else's; yields its address."""

    class Stranger(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Stranger) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"revived": "many"}', b'{"message": "no"}', b'"\xff"'])
@pytest.mark.parametrize("status", [200, 404])
def test_an_answer_of_another_shape_is_of_no_server_of_ours(status: int, body: bytes) -> None:
    """Whatever listens there, the operator reads a line and no traceback."""
    with answering(status, body) as url:
        said = run("dead", "retry", "--all", "--url", url)

    assert said.exit_code == 2
    assert said.stderr.startswith(f"error: {url}: ")
    assert said.stderr.endswith("is a server of ours there? If not, name it with --url\n")
