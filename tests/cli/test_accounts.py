"""Accounts, by the command line: who may sign in, also while a server runs."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import subprocess
import sys
import termios
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from sojourn.adapters.sqlite import SqliteAccounts
from sojourn.cli.app import app
from tests.cli.commands import answer, run
from tests.wiring.houses import TOKEN, Serving, serving, settle_in

PASSWORD = "correct horse battery staple"
ANOTHER = "another horse, same battery"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configured folder, and we are in it."""
    monkeypatch.chdir(tmp_path)
    for variable in ("SOJOURN_CONFIG", "SOJOURN_DATA", "SOJOURN_ADMIN_TOKEN"):
        monkeypatch.delenv(variable, raising=False)
    settle_in(tmp_path)
    return tmp_path


def piped(*arguments: str, password: str = PASSWORD) -> Any:
    """Run a command with a password at its standard input."""
    given = ["account", *arguments, "--password-stdin"]
    return CliRunner().invoke(app, given, input=password + "\n", catch_exceptions=False)


def request(
    house: Serving, method: str, path: str, body: Any = None, **headers: str
) -> tuple[int, Any, dict[str, str]]:
    """Make one request, with nothing that it does not name."""
    content = None if body is None else json.dumps(body).encode()
    asked = urllib.request.Request(house.url + path, data=content, method=method)
    asked.add_header("content-type", "application/json")
    for name, value in headers.items():
        asked.add_header(name.replace("_", "-"), value)
    try:
        with urllib.request.urlopen(asked, timeout=20) as got:
            return got.status, json.loads(got.read()), dict(got.headers)
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read()), dict(error.headers)


def test_somebody_is_added_listed_and_removed(folder: Path) -> None:
    """Before a server ever ran."""
    added = piped("add", "Ada", "--role", "editor")
    assert (added.exit_code, added.stdout) == (0, "ada may sign in as editor\n")
    (view,) = answer("account", "list")
    assert (view["name"], view["role"], view["last_seen_at"]) == ("ada", "editor", None)
    assert "never" in run("account", "list").stdout
    assert run("account", "remove", "ada").exit_code == 0
    assert answer("account", "list") == []


def test_a_role_is_viewer_unless_more_is_said(folder: Path) -> None:
    """Nobody may change anything by an oversight."""
    piped("add", "ada")
    assert answer("account", "list")[0]["role"] == "viewer"


@pytest.mark.parametrize(
    ("arguments", "password", "code", "reason"),
    [
        (["add", "ada"], PASSWORD, 1, "there is such an account"),
        (["add", "ben"], "short", 2, "12 to 1000 characters, got 5"),
        (["add", "ben"], "", 2, "got 0"),
        (["add", "$operator"], PASSWORD, 2, "bad-name"),
        (["add", "ben", "--role", "owner"], PASSWORD, 2, "'owner'"),
        (["password", "ben"], PASSWORD, 1, "there is no such account"),
        (["password", "ada"], "short", 2, "characters"),
    ],
)
def test_what_cannot_be_is_refused(
    folder: Path, arguments: list[str], password: str, code: int, reason: str
) -> None:
    """In a line that says why, and without the password."""
    piped("add", "ada")
    refused = piped(*arguments, password=password)
    assert (refused.exit_code, reason in refused.stderr) == (code, True)
    assert not password or password not in refused.output
    assert [each["name"] for each in answer("account", "list")] == ["ada"]


def test_who_is_not_there_is_not_removed(folder: Path) -> None:
    """A slip of the pen is told."""
    refused = run("account", "remove", "ada")
    assert (refused.exit_code, "no such account" in refused.stderr) == (1, True)


def test_without_a_terminal_one_is_told_how_a_password_comes_in(folder: Path) -> None:
    """A prompt that nobody sees would wait for ever."""
    refused = CliRunner().invoke(app, ["account", "add", "ada"], input=PASSWORD, catch_exceptions=False)
    assert (refused.exit_code, "--password-stdin" in refused.stderr) == (2, True)


def test_at_a_terminal_the_password_is_asked_for_twice_and_not_shown(folder: Path) -> None:
    """On a real terminal, where it would be seen."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", "from sojourn.cli import main; main()", "account", "add", "ada"]
    process = subprocess.Popen(
        command,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - one call, no lock
    )
    os.close(theirs)
    shown = b""
    for _ in range(2):
        while not shown.endswith(b": "):  # the blank comes once nothing is shown any more
            shown += os.read(ours, 1024)
        os.write(ours, PASSWORD.encode() + b"\n")
        shown += b"\n"
    assert process.wait(20) == 0
    shown += os.read(ours, 4096)
    os.close(ours)
    assert b"Repeat" in shown
    assert b"ada may sign in as viewer" in shown
    assert PASSWORD.encode() not in shown


def test_beside_a_server_all_is_known_at_once(folder: Path) -> None:
    """It has the same file open: nothing is sent. And a new start of the server signs nobody out."""
    file = folder / "sojourn.yaml"
    config = json.loads(file.read_text())
    file.write_text(json.dumps({name: each for name, each in config.items() if name != "admin_token"}))
    ada = {"name": "ada", "password": PASSWORD}
    with serving(file) as house:
        assert request(house, "POST", "/api/v1/session", ada)[1]["code"] == "api-off"
        piped("add", "ada", "--role", "viewer")
        status, view, headers = request(house, "POST", "/api/v1/session", ada)
        assert (status, view["role"]) == (200, "viewer")
        cookie = headers["set-cookie"].partition(";")[0]
        assert request(house, "GET", "/api/v1/status", cookie=cookie)[0] == 200
        hold = {"name": "$stop"}
        refused = request(house, "POST", "/api/v1/holds", hold, cookie=cookie, x_csrf_token=view["csrf"])
        assert (refused[0], refused[1]["code"]) == (403, "forbidden")
        piped("password", "ada", password=ANOTHER)
        assert request(house, "GET", "/api/v1/status", cookie=cookie)[0] == 401
        again = request(house, "POST", "/api/v1/session", {**ada, "password": ANOTHER})
        cookie = again[2]["set-cookie"].partition(";")[0]
        house.signal()
        assert house.end() == 0
    assert "account add" in house.says("the API is off")[0]["do"]
    told = json.dumps(house.told)
    assert not any(secret in told for secret in (PASSWORD, ANOTHER, view["csrf"], cookie))
    with serving(file) as house:
        assert request(house, "GET", "/api/v1/status", cookie=cookie)[0] == 200
        assert "<!doctype html>" in house.read("/studio/")
        run("account", "remove", "ada")
        assert request(house, "GET", "/api/v1/status", cookie=cookie)[0] == 401


def test_where_the_studio_is_off_there_are_no_pages_and_nobody_signs_in(folder: Path) -> None:
    """For an engine that only programs talk to."""
    with serving(settle_in(folder, studio={"enabled": False})) as house:
        assert request(house, "GET", "/studio/")[0] == 404
        assert request(house, "POST", "/api/v1/session", {"token": TOKEN})[1]["code"] == "studio-off"


def test_nothing_that_is_kept_opens_anything(folder: Path) -> None:
    """The file alone, as it would be in a backup."""
    piped("add", "ada")
    SqliteAccounts(folder / "data").close()
    kept = (folder / "data/accounts.db").read_bytes()
    assert b"$scrypt$ln=15,r=8,p=3$" in kept
    assert PASSWORD.encode() not in kept
