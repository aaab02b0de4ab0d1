"""Documents: links lead somewhere, journeys shown are good, and commands shown run.

A page is one session, top to bottom, in one empty folder. A fenced block says by its first line what happens:

- `sh run`: it is run, and must succeed;
- `sh serve`: it is started, answers on /health, and is stopped at the end of the page;
- `yaml file=PATH` (or `json`, `text`, ...): it is written to PATH.

`localhost:8080` becomes a free port.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct
from typer.core import TyperGroup
from typer.main import get_command

from sojourn.analytics.questions import QUESTIONS
from sojourn.cli.app import app
from sojourn.config.reading import settings_of
from sojourn.config.settings import Config
from sojourn.definitions.experiment_schema import FLAG_KEYWORDS
from sojourn.definitions.schema import KEYWORDS
from sojourn.definitions.vocabulary import FUNCTIONS, ROOTS
from sojourn.server.analytics import PATHS
from sojourn.server.http import ROUTES
from tests.wiring.houses import free_port

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
BIN = Path(sys.executable).parent

SHOWN_ADDRESS = "localhost:8080"
BLOCK_SECONDS = 60
START_SECONDS = 30
STOP_SECONDS = 15
MANY = 7
"""Commands of a page, each a process: who shows more is followed by `make docs` and `make slow-test`."""

FENCE = re.compile(r"^```(?P<info>[^\n`]+)\n(?P<body>.*?)^```$", re.M | re.S)
COMMAND = re.compile(r"(?:^|[|;&(] *)sojourn (\w[\w-]*)", re.M)
LINK = re.compile(r"(?<!`)!?\[[^\]\n]*\]\(([^)\s]+)\)")


def blocks(page: Path) -> list[tuple[str, str]]:
    """List a page's fenced blocks as (info line, body)."""
    return [
        (match["info"].strip(), match["body"]) for match in FENCE.finditer(page.read_text(encoding="utf-8"))
    ]


def is_session(page: Path) -> bool:
    """Tell whether a page has commands to run."""
    return any(info in ("sh run", "sh serve") for info, _ in blocks(page))


def sessions() -> Iterator[Any]:
    """Yield the pages that are sessions; long ones are slow."""
    for page in filter(is_session, PAGES):
        n = sum(len(COMMAND.findall(body)) for info, body in blocks(page) if info in ("sh run", "sh serve"))
        yield pytest.param(page, id=page_id(page), marks=[pytest.mark.slow] if n > MANY else [])


def page_id(page: Path) -> str:
    """Name a page in a test's id."""
    return page.relative_to(ROOT).as_posix()


@cache
def commands() -> frozenset[str]:
    """Name the commands that the command line knows."""
    whole = get_command(app)
    assert isinstance(whole, TyperGroup)
    return frozenset(whole.commands)


def missing_commands(page: Path) -> list[str]:
    """List the commands a page runs that the command line does not know yet."""
    text = "\n".join(body for info, body in blocks(page) if info in ("sh run", "sh serve"))
    return sorted(set(COMMAND.findall(text)) - commands())


class Session:
    """One page, being followed by a reader who types everything."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.address = f"localhost:{free_port()}"
        self.servers: list[subprocess.Popen[bytes]] = []
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("SOJOURN_")},
            "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
            "SOJOURN_HTTP_PORT": self.address.partition(":")[2],
            "NO_COLOR": "1",
        }

    def follow(self, info: str, body: str) -> None:
        """Do what one block says."""
        body = body.replace(SHOWN_ADDRESS, self.address)
        if info == "sh run":
            self.run(body)
        elif info == "sh serve":
            self.serve(body)
        elif " file=" in info:
            path = self.folder / info.partition(" file=")[2]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(body, encoding="utf-8")

    def run(self, script: str) -> None:
        """Run one block in the foreground, without a terminal."""
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=BLOCK_SECONDS,
        )
        assert done.returncode == 0, f"$ {script}{done.stdout}{self.logs()}"

    def serve(self, script: str) -> None:
        """Start one block in the background and wait until it answers."""
        with (self.folder / "serve.log").open("ab") as log:
            server = subprocess.Popen(
                ["bash", "-euo", "pipefail", "-c", f"exec {script.strip()}"],
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self.servers.append(server)
        until = time.monotonic() + START_SECONDS
        while not self.is_answering():
            assert server.poll() is None, f"the server ended by itself\n{self.logs()}"
            assert time.monotonic() < until, f"no answer in {START_SECONDS} s\n{self.logs()}"
            time.sleep(0.05)

    def is_answering(self) -> bool:
        """Ask the server whether it is well."""
        try:
            with urllib.request.urlopen(f"http://{self.address}/health", timeout=1) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def logs(self) -> str:
        """Return what the server said, for a failure's message."""
        log = self.folder / "serve.log"
        return f"--- serve.log ---\n{log.read_text(errors='replace')[-4000:]}" if log.exists() else ""

    def stop(self) -> None:
        """Stop what is still running, politely first."""
        for server in self.servers:
            server.send_signal(signal.SIGTERM)
        for server in self.servers:
            try:
                server.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


@contextmanager
def session(folder: Path) -> Iterator[Session]:
    """Follow a page; leave nothing running behind."""
    following = Session(folder)
    try:
        yield following
    finally:
        following.stop()


@pytest.mark.parametrize("page", [*sessions()])
def test_every_command_a_page_shows_runs(page: Path, tmp_path: Path) -> None:
    """The first command that fails is where a newcomer leaves."""
    if missing := missing_commands(page):
        pytest.skip(f"not built yet: sojourn {', '.join(missing)}")
    if shutil.which("curl") is None:
        pytest.skip("the pages use curl, which is not installed")
    with session(tmp_path) as following:
        for info, body in blocks(page):
            following.follow(info, body)


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_every_link_inside_the_project_leads_to_a_file(page: Path) -> None:
    """A page is moved sooner than what points to it."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    inside = [
        link.partition("#")[0]
        for link in LINK.findall(text)
        if "://" not in link and not link.startswith("#")
    ]
    assert [link for link in inside if not (page.parent / link).exists()] == []


def test_every_page_can_be_reached_from_the_readme() -> None:
    """A page nobody is led to is a page nobody reads."""
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in reached:
            continue
        reached.add(page)
        links = [link.partition("#")[0] for link in LINK.findall(page.read_text(encoding="utf-8"))]
        targets = [(page.parent / link).resolve() for link in links if "://" not in link and link]
        waiting += [target for target in targets if target.suffix == ".md" and target.exists()]
    assert [page_id(page) for page in PAGES if page not in reached] == []


def test_the_command_reference_is_what_the_commands_say() -> None:
    """`make docs` writes it; by hand it would drift with the first new option."""
    written = subprocess.run(
        [sys.executable, "-m", "typer", "sojourn.cli.app", "utils", "docs", "--name", "sojourn"],
        capture_output=True,
        text=True,
        check=True,
        timeout=BLOCK_SECONDS,
    )
    assert (ROOT / "docs/reference/cli.md").read_text(encoding="utf-8").strip() == written.stdout.strip()


def test_the_journey_reference_names_every_keyword_and_function() -> None:
    """What is not in the reference does not exist for an author."""
    names = {name for names in KEYWORDS.values() for name in names} | FUNCTIONS.keys() | ROOTS.keys()
    assert undocumented("docs/reference/journey.md", names) == set()


def test_the_reference_of_flags_names_every_keyword() -> None:
    """Of a flag, its rules and its experiments."""
    names = {name for names in FLAG_KEYWORDS.values() for name in names}
    assert undocumented("docs/reference/flags.md", names) == set()


def test_the_configuration_reference_names_every_setting() -> None:
    """What is not in the reference does not exist for an operator."""
    assert undocumented("docs/reference/configuration.md", set(settings(Config))) == set()


def test_the_http_reference_names_every_path_of_the_door() -> None:
    """Whoever writes a client reads this page, and not the source."""
    assert undocumented("docs/reference/http.md", {"/" + path for path in ROUTES}) == set()


def test_the_http_reference_names_every_question_of_analytics() -> None:
    """Each is a path of its own."""
    assert undocumented("docs/reference/http.md", {f"{PATHS}{name}" for name in QUESTIONS}) == set()


def undocumented(page: str, names: set[str]) -> set[str]:
    """Return the names a page does not have as words of their own in code."""
    code = " ".join(re.findall(r"`([^`\n]+)`", (ROOT / page).read_text(encoding="utf-8")))
    return {name for name in names if not re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", code)}


def settings(kind: type[Struct], group: str = "") -> Iterator[str]:
    """Yield every setting as an operator writes it, groups as `http.port`."""
    for setting in settings_of(kind):
        if isinstance(setting.kind, type) and issubclass(setting.kind, Struct):
            yield from settings(setting.kind, f"{group}{setting.name}.")
        else:
            yield group + setting.name


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_every_make_target_a_page_names_exists(page: Path) -> None:
    """The two commands of the README are the first thing anybody types."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", page.read_text(encoding="utf-8"), re.M))
    assert named - targets == set()


def test_fences_use_no_word_the_session_does_not_know() -> None:
    """A misspelt mark would be a command nobody runs."""
    marks = {info.partition(" ")[2] for page in PAGES for info, _ in blocks(page) if " " in info}
    assert {mark for mark in marks if mark not in ("run", "serve") and not mark.startswith("file=")} == set()
