"""Forged requests: what a page of somebody else's makes a signed-in browser send changes nothing."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from sojourn.server.access.gate import AccessSettings
from sojourn.server.access.guard import ASK_AGAIN_S, Sealed
from tests.server.houses import CHEAP, TOKEN, House, refusal

HOLD = {"name": "$stop", "journey": ""}
HOUSE = House()
EDITOR = HOUSE.sign_in("editor")


def change(house: House, headers: dict[str, str]) -> Any:
    """Ask to change something."""
    return house.ask("/api/v1/holds", method="POST", token=None, headers=headers, json=HOLD)


@pytest.mark.parametrize("given", [None, "", "wrong", "0" * 64, "another's"])
def test_a_change_without_the_sessions_token_is_refused(given: str | None) -> None:
    """A form of another page carries the cookie, in old browsers, and cannot know the token."""
    house = House()
    ada, ben = house.sign_in("admin", name="ada"), house.sign_in("admin", name="ben")
    del ada["x-csrf-token"]
    if given is not None:
        ada["x-csrf-token"] = ben["x-csrf-token"] if given == "another's" else given
    assert refusal(change(house, ada)) == (403, "no-csrf-token")
    assert not house.desk.holds().stopped


def test_with_the_sessions_token_it_is_made() -> None:
    """Also where the browser says nothing of where it comes from."""
    house = House()
    assert change(house, house.sign_in("editor")).status_code == 200
    assert house.desk.holds().stopped


@pytest.mark.parametrize(
    ("headers", "is_made"),
    [
        ({"sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "same-origin", "origin": "http://localhost:5173"}, True),  # a developer's proxy
        ({"sec-fetch-site": "same-site"}, False),
        ({"sec-fetch-site": "cross-site"}, False),
        ({"sec-fetch-site": "none"}, False),
        ({"origin": "http://house"}, True),
        ({"origin": "http://house:80"}, True),
        ({"origin": "https://house"}, True),  # a proxy took the TLS away
        ({"origin": "HTTP://HOUSE"}, True),
        ({"origin": "http://house:8080"}, False),
        ({"origin": "http://evil.example"}, False),
        ({"origin": "http://house.evil.example"}, False),
        ({"origin": "null"}, False),
        ({"origin": ""}, False),
        ({"origin": "http://evil.example", "x-forwarded-host": "evil.example"}, False),
    ],
)
def test_a_change_that_another_page_asks_for_is_refused(headers: dict[str, str], is_made: bool) -> None:
    """Even one that has the token."""
    answer = change(HOUSE, EDITOR | headers)
    assert (answer.status_code == 200) is is_made
    if not is_made:
        assert refusal(answer) == (403, "cross-origin")


def test_behind_a_proxy_of_ones_own_its_name_counts_too() -> None:
    """It may ask this server by another."""
    house = House(access=AccessSettings(admin_token=TOKEN, n_proxies=1, cost=CHEAP))
    headers = {"origin": "https://studio.example", "x-forwarded-host": "studio.example"}
    assert change(house, house.sign_in("editor") | headers).status_code == 200


@pytest.mark.parametrize(("site", "status"), [("same-site", 403), ("cross-site", 403), ("none", 200)])
def test_what_is_read_by_the_cookie_is_read_by_our_own_pages(site: str, status: int) -> None:
    """Or by whoever types the address."""
    headers = EDITOR | {"sec-fetch-site": site}
    assert HOUSE.ask("/api/v1/status", token=None, headers=headers).status_code == status


def test_another_page_can_sign_nobody_in() -> None:
    """Whoever worked on in somebody else's account would show them what they do."""
    house = House()
    headers = {"origin": "http://evil.example"}
    answer = house.ask("/api/v1/session", method="POST", token=None, headers=headers, json={"token": TOKEN})
    assert refusal(answer) == (403, "cross-origin")


def test_a_program_with_the_admin_token_needs_neither() -> None:
    """No browser adds that by itself."""
    house = House()
    headers = {"sec-fetch-site": "cross-site", "origin": "http://evil.example"}
    answer = house.ask("/api/v1/holds", method="POST", headers=headers, json=HOLD)
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "cookie",
    [
        "",
        "sojourn_session",
        "sojourn_session=",
        "sojourn_session=\xff\xfe",
        "sojourn_session=" + "x" * 100,
        "other=1; sojourn_session=no",
        "=" * 9_000,
        'sojourn_session="; DROP TABLE session"',
    ],
)
def test_what_is_no_session_is_401(cookie: str) -> None:
    """Whatever a cookie holds."""
    headers: Any = {"cookie": cookie.encode("latin-1")}
    assert HOUSE.ask("/api/v1/status", token=None, headers=headers).status_code == 401


def test_a_cookie_is_found_among_others() -> None:
    """A browser sends those of every port of its host, malformed ones too."""
    headers = {"cookie": f'a="b; c=d; x[y]=z; {EDITOR["cookie"]}; last=1'}
    assert HOUSE.ask("/api/v1/status", token=None, headers=headers).status_code == 200


def test_answers_of_the_api_are_kept_by_nobody_and_taken_for_nothing_else() -> None:
    """They show people."""
    for path in ("/api/v1/status", "/api/v1/profiles/nobody", "/api/openapi.json"):
        for token in (TOKEN, None):
            headers = HOUSE.ask(path, token=token).headers
            assert (headers["cache-control"], headers["x-content-type-options"]) == ("no-store", "nosniff")


def test_a_stream_ends_with_its_session() -> None:
    """It was begun by somebody who might ask then, and goes on for hours."""
    sent: list[dict[str, Any]] = []
    clock, is_open = [0.0], [True]

    async def send(message: Any) -> None:
        sent.append(message)

    async def ask() -> bool:
        return is_open[0]

    async def stream() -> None:
        sealed = Sealed(send, is_open=ask, now_s=lambda: clock[0])
        await sealed({"type": "http.response.start", "status": 200, "headers": []})
        for second in range(0, 4 * ASK_AGAIN_S, 10):
            clock[0] = second
            is_open[0] = second <= ASK_AGAIN_S
            await sealed({"type": "http.response.body", "body": b"%d " % second, "more_body": True})

    asyncio.run(stream())
    assert b"".join(each.get("body", b"") for each in sent) == b"0 10 20 30 40 50 "
    assert not sent[-1].get("more_body")
