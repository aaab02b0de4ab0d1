"""What tests of browser SDKs share: a server and its log, pages of another origin, numbered events."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.error import HTTPError

import pytest
from playwright.sync_api import BrowserContext, Page

from demo.program import Program, Setup, write_config
from sojourn.adapters.sqlite.reading import SqliteLogReader
from sojourn.model.event import Event

ROOT = Path(__file__).parents[3]
DIST = ROOT / "web/sdk/dist"
MODULES = ROOT / "web/node_modules"
PATIENCE_S = 40.0
PAGE_EVENTS = 1_000
COUNTED = "Counted"
"""The event that tests track with a number, `n`."""
TYPES = {".js": "text/javascript", ".mjs": "text/javascript", ".html": "text/html; charset=utf-8"}


class Shop:
    """A running server, and what its log holds."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.setup = program.setup

    def events(self) -> list[Event]:
        """Read the log, beside the server that writes it."""
        if not (self.setup.data / "log.db").exists():
            return []
        reader = SqliteLogReader(self.setup.data)
        found: list[Event] = []
        position = 0
        while entries := reader.read(position, PAGE_EVENTS):
            found += [entry.event for entry in entries]
            position = entries[-1].position
        reader.close()
        return found

    def named(self, name: str) -> list[dict[str, Any]]:
        """Return the properties of all events of a name, in the order of the log."""
        return [json.loads(bytes(event.properties)) for event in self.events() if event.name == name]

    def wait(self, is_so: Callable[[list[Event]], bool], *, patience_s: float = PATIENCE_S) -> list[Event]:
        """Wait until the log is as it should be; fail with the names in it where it never is."""
        until = time.monotonic() + patience_s
        while not is_so(events := self.events()):
            if time.monotonic() > until:
                pytest.fail(f"never so; the log has {Counter(event.name for event in events)}")
            time.sleep(0.05)
        return events

    def has(self, numbers: range) -> None:
        """Wait for the events of these numbers; then assert that each is there exactly once."""
        wanted = set(numbers)
        self.wait(lambda _: wanted <= set(self._numbers()))
        assert sorted(n for n in self._numbers() if n in wanted) == list(numbers)

    def profile(self, who: str, has: str) -> str:
        """Wait until a person's profile, as text, has a word; return it: the engine comes after the log."""
        until = time.monotonic() + PATIENCE_S
        while True:
            try:
                found = self.program.ask(f"/api/v1/profiles/{who}").decode()
            except HTTPError as error:
                found = str(error)
            if has in found:
                return found
            assert time.monotonic() < until, f"never {has!r} in {found[:2000]}"
            time.sleep(0.05)

    def n_duplicates(self) -> int:
        """Return how many events came to the server again, and were refused."""
        return int(self.program.metrics().total("sojourn_events_duplicate_total"))

    def _numbers(self) -> list[int]:
        return [each["n"] for each in self.named(COUNTED)]


class Numbers:
    """Hands out numbers of events, each once, so that many tests share one log."""

    def __init__(self) -> None:
        self._next = 0

    def take(self, n: int) -> range:
        """Return the next `n`."""
        self._next += n
        return range(self._next - n, self._next)


class Pages:
    """Pages of a shop, on an origin of their own; and the SDKs' files under `/sdk/` and `/modules/`."""

    def __init__(self) -> None:
        self._html: dict[str, str] = {}
        handler = partial(_Handler, self._html)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        Thread(target=self._server.serve_forever, daemon=True).start()

    def put(self, path: str, body: str, *, head: str = "") -> str:
        """Publish a page; return its address."""
        shell = f"<!doctype html><meta charset=utf-8><title>Shop</title>{head}<body>{body}</body>"
        self._html[path] = shell
        return self.url + path

    def close(self) -> None:
        """Serve nothing more."""
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, html: dict[str, str], *args: Any) -> None:
        self._html = html
        super().__init__(*args)

    def do_GET(self) -> None:
        """Serve a page or a file."""
        path = self.path.partition("?")[0]
        body, kind = self._find(path)
        self.send_response(200 if body is not None else 404)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body or b"")))
        self.end_headers()
        self.wfile.write(body or b"")

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _find(self, path: str) -> tuple[bytes | None, str]:
        if path in self._html:
            return self._html[path].encode(), TYPES[".html"]
        for head, folder in (("/sdk/", DIST), ("/modules/", MODULES)):
            file = folder / path.removeprefix(head)
            if path.startswith(head) and file.is_file():
                return file.read_bytes(), TYPES.get(file.suffix, "application/octet-stream")
        return None, TYPES[".html"]


@contextmanager
def opened_shop(folder: Path, **settings: Any) -> Iterator[Shop]:
    """Serve an empty shop; `settings` are the configuration's, `journeys` files by name."""
    if not (DIST / "sojourn.min.js").exists():
        pytest.skip("the browser SDK is not built: make studio")
    journeys = folder / "journeys"
    journeys.mkdir(parents=True)
    for name, text in settings.pop("journeys", {}).items():
        (journeys / name).write_text(text, encoding="utf-8")
    with Program(write_config(folder, journeys=journeys, sinks={}, **settings)) as program:
        yield Shop(program)
        program.stop()


def script(setup: Setup, host: str, file: str = "sojourn.min.js", **data: str) -> str:
    """Write the script's tag: `auto_page="false"` is `data-auto-page`."""
    asked = {"write-key": setup.write_key, "host": host}
    asked |= {name.replace("_", "-"): value for name, value in data.items()}
    attributes = " ".join(f'data-{name}="{value}"' for name, value in asked.items())
    return f'<script src="/sdk/{file}" {attributes}></script>'


def open_page(visit: BrowserContext, pages: Pages, path: str, *, head: str, body: str = "hello") -> Page:
    """Publish a page, and open it; a query of the path is what the page is opened with."""
    published, _, query = path.partition("?")
    address = pages.put(published, body, head=head)
    page = visit.new_page()
    page.goto(f"{address}?{query}" if query else address)
    return page


def visitor(page: Page) -> str:
    """Return the anonymous id of whoever uses a page."""
    return str(page.evaluate("sojourn.user().anonymousId"))


def count(page: Page, numbers: range, *, sdk: str = "sojourn") -> None:
    """Have a page track events with these numbers, by the SDK that it calls so."""
    page.evaluate(
        f"([from, to]) => {{ for (let n = from; n < to; n++) {sdk}.track('{COUNTED}', {{ n }}) }}",
        [numbers.start, numbers.stop],
    )
