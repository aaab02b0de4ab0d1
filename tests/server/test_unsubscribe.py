"""Unsubscribing: a page that changes nothing, one click that does, and nothing told to who has no link."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from html.parser import HTMLParser
from typing import Any

import httpx
import msgspec
import pytest

from sojourn.adapters.memory import MemoryLog
from sojourn.model.errors import UnavailableError
from sojourn.model.event import Event, FailedEvent
from sojourn.model.optout import OptOut, sign
from sojourn.model.ports import Appended
from sojourn.server.http import Http
from sojourn.server.ingest.door import Door
from sojourn.server.unsubscribe import ONCE_IN_MS, Unsubscribing
from tests.engine.makers import T0

SECRET = "a secret of the operator"
WISH = OptOut("ann", None, "email", "newsletter")
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


class House:
    """The page with a log behind it."""

    def __init__(self) -> None:
        self.log = MemoryLog(floor=T0)
        self.now = T0
        self.is_full = False
        self.counted: list[str] = []
        self.app = Http(
            Door({}, self.accept),
            rest=Unsubscribing(
                SECRET, self.accept, rest=nothing, observe=self.observe, now_ms=lambda: self.now
            ),
        )

    async def accept(self, events: Sequence[Event], failed: Sequence[FailedEvent]) -> Appended:
        if self.is_full:
            raise UnavailableError("full")
        return self.log.append(events, now=self.now, failed=failed)

    def observe(self, name: str, n: int) -> None:
        self.counted.append(name)

    def ask(self, method: str, token: str, **options: Any) -> httpx.Response:
        async def story() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)  # type: ignore[arg-type]
            async with httpx.AsyncClient(transport=transport, base_url="http://house") as client:
                return await client.request(method, f"/u/{token}", **options)

        return asyncio.run(story())

    def click(self, wish: OptOut = WISH) -> httpx.Response:
        return self.ask("POST", sign(wish, SECRET), data=ONE_CLICK)

    def events(self) -> list[Event]:
        return [entry.event for entry in self.log.read(0, 100)]


async def nothing(scope: Any, receive: Any, send: Any) -> None:
    """Answer what is not ours with a teapot."""
    await send({"type": "http.response.start", "status": 418, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def test_one_click_forbids_the_topic_in_the_log() -> None:
    """A mail program posts without a person at it, as RFC 8058 says."""
    house = House()
    answer = house.click()
    (event,) = house.events()
    assert answer.status_code == 200
    assert (event.name, event.kind, event.source) == ("Consent Updated", "track", "sojourn")
    assert (event.user_id, event.anonymous_id) == ("ann", None)
    assert msgspec.json.decode(event.properties) == {
        "channel": "email", "topic": "newsletter", "granted": False,
    }  # fmt: skip


def test_without_a_topic_the_whole_channel_is_forbidden() -> None:
    """Of somebody nobody can name, too."""
    house = House()
    house.click(OptOut(None, "phone", "push"))
    (event,) = house.events()
    assert (event.user_id, event.anonymous_id) == (None, "phone")
    assert msgspec.json.decode(event.properties) == {"channel": "push", "granted": False}


def test_looking_changes_nothing() -> None:
    """Scanners of mail open every link in it."""
    house = House()
    for method in ("GET", "HEAD"):
        assert house.ask(method, sign(WISH, SECRET)).status_code == 200
    assert house.events() == []


def test_the_page_has_a_button_that_is_the_one_click() -> None:
    """A form to the same address, so that it works behind any proxy's path, and no script."""
    fields: list[tuple[str, dict[str, str | None]]] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            fields.append((tag, dict(attrs)))

    answer = House().ask("GET", sign(WISH, SECRET))
    Reader().feed(answer.text)
    assert ("form", {"method": "post"}) in fields
    assert ("input", {"type": "hidden", "name": "List-Unsubscribe", "value": "One-Click"}) in fields
    assert ("button", {}) in fields
    assert "script" not in {tag for tag, _ in fields}
    assert "newsletter" in answer.text


def test_the_page_may_load_nothing_and_tells_nobody_its_address() -> None:
    """The address is what unsubscribes."""
    headers = House().ask("GET", sign(WISH, SECRET)).headers
    assert headers["content-security-policy"].startswith("default-src 'none'; form-action 'self'")
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"


def test_what_came_from_outside_is_only_shown() -> None:
    """A topic is what a journey wrote, and may come from a template."""
    token = sign(OptOut("ann", None, "email", "<script>alert(1)</script>"), SECRET)
    for method in ("GET", "POST"):
        page = House().ask(method, token).text
        assert "<script" not in page
        assert "&lt;script&gt;" in page


@pytest.mark.parametrize(
    "token",
    ["", "x", "x.y", sign(WISH, "another secret, of another"), sign(WISH, SECRET)[:-1], "%00", "..%2f"],
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_a_token_that_was_not_signed_here_is_not_found(token: str, method: str) -> None:
    """The same answer to all, so that nobody learns anything by asking."""
    house = House()
    answer = house.ask(method, token)
    assert (answer.status_code, "ann" in answer.text) == (404, False)
    assert answer.content == house.ask("GET", "y").content
    assert house.events() == []


def test_clicks_in_one_minute_are_one() -> None:
    """Providers of mail post again where an answer is lost."""
    house = House()
    assert [house.click().status_code for _ in range(3)] == [200, 200, 200]
    assert len(house.events()) == 1


def test_a_later_click_counts_again() -> None:
    """The person may have allowed the channel in between, and clicks in an old mail."""
    house = House()
    house.click()
    house.now += ONCE_IN_MS
    house.click()
    assert len(house.events()) == 2


def test_a_house_that_is_full_asks_to_come_again() -> None:
    """Nothing is promised that is not in the log."""
    house = House()
    house.is_full = True
    answer = house.click()
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


def test_other_methods_are_refused() -> None:
    """With those there are."""
    answer = House().ask("PUT", sign(WISH, SECRET))
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, POST")


def test_other_paths_are_somebody_elses_and_requests_are_counted() -> None:
    """The page stands before the rest of the server."""
    house = House()
    house.click()

    async def story() -> int:
        transport = httpx.ASGITransport(house.app)  # type: ignore[arg-type]
        async with httpx.AsyncClient(transport=transport, base_url="http://house") as client:
            return (await client.get("/users")).status_code

    assert asyncio.run(story()) == 418
    assert house.counted == ["requests.200"]
