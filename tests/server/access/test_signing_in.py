"""Signing in: a name and its password, or the admin token, become a session; and it ends."""

from __future__ import annotations

import asyncio
import hashlib
from asyncio import FIRST_COMPLETED
from http.cookies import SimpleCookie
from threading import Event
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from sojourn.model.account import Account, Role
from sojourn.server.access.gate import MAX_HASHING, MAX_SESSIONS, Access, AccessSettings
from sojourn.server.access.passwords import hash_password
from tests.engine.makers import T0
from tests.server.houses import CHEAP, TOKEN, House, refusal

PASSWORD = "correct horse battery staple"
SESSION = "/api/v1/session"
MINUTE_MS, DAY_MS = 60_000, 86_400_000


def house(*, role: Role = "editor", **options: Any) -> House:
    """Make a house in which ada may sign in."""
    made = House(**options)
    kept = hash_password(PASSWORD, CHEAP)
    made.accounts.add(Account(name="ada", role=role, password=kept, created_at=T0))
    return made


def sign_in(
    house: House, name: str = "ada", password: str = PASSWORD, **headers: str
) -> tuple[httpx.Response, dict[str, str]]:
    """Sign in; return the answer, and the headers of what is asked next."""
    asked = {"name": name, "password": password}
    answer = house.ask(SESSION, method="POST", token=None, json=asked, headers=headers)
    return answer, following(answer)


def following(answer: httpx.Response) -> dict[str, str]:
    """Return what a browser that was answered so sends next."""
    if answer.status_code != 200:
        return {}
    cookie = answer.headers["set-cookie"].partition(";")[0]
    return {"cookie": cookie, "x-csrf-token": answer.json()["csrf"]}


def status(house: House, headers: dict[str, str]) -> int:
    """Ask something as whoever has these headers."""
    return house.ask("/api/v1/status", token=None, headers=headers).status_code


# Beginning


def test_a_name_and_its_password_open_what_the_role_may() -> None:
    """And the browser learns who it is, and what its changes have to carry."""
    home = house()
    answer, headers = sign_in(home)
    view = answer.json()
    assert (view["name"], view["role"]) == ("ada", "editor")
    assert view["expires_at"] == T0 + 7 * DAY_MS
    assert home.ask(SESSION, token=None, headers=headers).json() == view
    assert status(home, headers) == 200


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites() -> None:
    """Its attributes are all that guards it in a browser."""
    (morsel,) = SimpleCookie(sign_in(house())[0].headers["set-cookie"]).values()
    assert (morsel.key, morsel["path"], morsel["httponly"]) == ("sojourn_session", "/", True)
    assert (morsel["samesite"], morsel["max-age"], morsel["domain"]) == ("Strict", "604800", "")
    assert len(morsel.value) == 43  # 32 bytes in base64


@pytest.mark.parametrize(
    ("proxies", "headers", "is_secure"),
    [
        (0, {}, False),
        (0, {"x-forwarded-proto": "https"}, False),
        (1, {"x-forwarded-proto": "https"}, True),
        (1, {"x-forwarded-proto": "https, http"}, False),
        (2, {"x-forwarded-proto": "https, http"}, True),
        (2, {"x-forwarded-proto": "https"}, True),
        (1, {}, False),
    ],
)
def test_the_cookie_is_for_https_alone_where_the_browser_spoke_https(
    proxies: int, headers: dict[str, str], is_secure: bool
) -> None:
    """Of proxies only the operator's own are believed: their number is configured."""
    home = house(access=AccessSettings(admin_token=TOKEN, n_proxies=proxies, cost=CHEAP))
    assert ("; Secure" in sign_in(home, **headers)[0].headers["set-cookie"]) is is_secure


def test_the_admin_token_signs_in_as_admin() -> None:
    """So that one who just started can look at once."""
    home = House()
    answer = home.ask(SESSION, method="POST", token=None, json={"token": TOKEN})
    assert (answer.json()["name"], answer.json()["role"]) == ("$operator", "admin")
    assert home.ask("/api/v1/accounts", token=None, headers=following(answer)).json() == []


def test_capitals_of_a_name_do_not_matter() -> None:
    """A telephone writes the first one large."""
    assert sign_in(house(), "Ada ")[0].status_code == 200


@pytest.mark.parametrize(
    ("name", "password"),
    [("ada", PASSWORD[:-1]), ("ada", ""), ("eve", PASSWORD), ("", ""), ("$operator", TOKEN), ("a\x00b", "x")],
)
def test_what_was_wrong_is_not_said(name: str, password: str) -> None:
    """Nobody learns who has an account."""
    answer, _ = sign_in(house(), name, password)
    assert refusal(answer) == (401, "wrong-sign-in")
    assert answer.json()["message"] == "name and password are not an account's"
    assert "set-cookie" not in answer.headers


def test_an_unknown_name_costs_the_same_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the time would say who has an account."""
    hashed: list[tuple[int, int, int]] = []
    scrypt = hashlib.scrypt

    def counted(*args: Any, **options: Any) -> bytes:
        hashed.append((options["n"], options["r"], options["p"]))
        return scrypt(*args, **options)

    home = house()
    monkeypatch.setattr(hashlib, "scrypt", counted)
    for name in ("ada", "eve", "$$$"):
        sign_in(home, name, "wrong")
    assert hashed == [(16, 1, 1)] * 3


@pytest.mark.parametrize(
    "asked",
    [{}, {"name": "ada"}, {"password": PASSWORD}, {"name": "ada", "password": PASSWORD, "token": TOKEN}],
)
def test_one_signs_in_by_one_of_the_two_ways(asked: dict[str, str]) -> None:
    """Half of one is a slip, and said so."""
    answer = house().ask(SESSION, method="POST", token=None, json=asked)
    assert refusal(answer) == (422, "bad-parameter")


def test_a_large_request_of_somebody_unknown_is_refused() -> None:
    """Whoever sends it has not signed in yet."""
    answer = house().ask(SESSION, method="POST", token=None, json={"name": "x" * 20_000})
    assert answer.status_code == 413


def test_who_guesses_waits_and_is_told_how_long() -> None:
    """Also with the right password, or guessing would go on."""
    home = house()
    for _ in range(5):
        sign_in(home, password="wrong")
    answer, _ = sign_in(home)
    assert refusal(answer) == (429, "too-many-attempts")
    assert answer.headers["retry-after"] == "1"
    home.now += 1_000
    assert sign_in(home)[0].status_code == 200


def test_who_guesses_at_the_admin_token_waits_too() -> None:
    """It is a password like any other."""
    home = House()
    answers = [
        home.ask(SESSION, method="POST", token=None, json={"token": f"wrong{number}"}).status_code
        for number in range(6)
    ]
    assert answers == [401] * 5 + [429]


def test_passwords_that_wait_to_be_hashed_are_bounded() -> None:
    """Each takes a core; who comes then is told to come again."""
    home = house()

    async def many() -> list[int]:
        transport = httpx.ASGITransport(home.app)  # type: ignore[arg-type]
        busy = Event()
        home.access._hashing.submit(busy.wait)
        async with httpx.AsyncClient(transport=transport, base_url="http://house") as client:
            asked = [{"name": f"n{number}", "password": "x"} for number in range(MAX_HASHING + 3)]
            answers = [asyncio.create_task(client.post(SESSION, json=each)) for each in asked]
            while sum(each.done() for each in answers) < 3:
                await asyncio.wait([each for each in answers if not each.done()], return_when=FIRST_COMPLETED)
            refused = [each.result().status_code for each in answers if each.done()]
            busy.set()
            others = [(await each).status_code for each in answers]
        return sorted(others) if refused == [503] * 3 else refused

    assert asyncio.run(many()) == [401] * MAX_HASHING + [503] * 3


def test_who_could_not_be_tried_is_not_taken_for_one_who_guesses() -> None:
    """Else a crowd at the door would shut out for a minute whom it kept from signing in."""
    home = house()

    async def one_too_many() -> list[int]:
        transport = httpx.ASGITransport(home.app)  # type: ignore[arg-type]
        busy = Event()
        home.access._hashing.submit(busy.wait)
        async with httpx.AsyncClient(transport=transport, base_url="http://house") as client:
            crowd = [{"name": f"n{number}", "password": "x"} for number in range(MAX_HASHING)]
            waiting = [asyncio.create_task(client.post(SESSION, json=each)) for each in crowd]
            while home.access._n_hashing < MAX_HASHING:
                await asyncio.sleep(0)
            asked = {"name": "ada", "password": "x"}
            answers = [(await client.post(SESSION, json=asked)).status_code for _ in range(6)]
            busy.set()
            await asyncio.gather(*waiting)
        return answers

    assert asyncio.run(one_too_many()) == [503] * 6


# Ending


def test_signing_out_ends_the_session_and_takes_the_cookie_back() -> None:
    """A cookie that was copied opens nothing any more."""
    home = house()
    _, headers = sign_in(home)
    _, elsewhere = sign_in(home)
    answer = home.ask(SESSION, method="DELETE", token=None, headers=headers)
    assert answer.json() == {"name": "ada"}
    assert answer.headers["set-cookie"].startswith("sojourn_session=; Path=/; Max-Age=0; HttpOnly")
    refused = home.ask(SESSION, token=None, headers=headers)
    assert refusal(refused) == (401, "signed-out")
    assert status(home, elsewhere) == 200


def test_a_session_ends_when_nobody_was_there_for_long() -> None:
    """Of the default 12 hours, each request begins them anew."""
    home = house()
    _, headers = sign_in(home)
    for _ in range(3):
        home.now += DAY_MS // 2 - 1
        assert status(home, headers) == 200
    home.now += DAY_MS // 2
    assert status(home, headers) == 401
    home.now -= DAY_MS // 2
    assert status(home, headers) == 401


def test_a_session_ends_after_its_length_however_busy() -> None:
    """A cookie that was stolen is of use for so long at most."""
    home = house()
    _, headers = sign_in(home)
    for _ in range(27):
        home.now += DAY_MS // 4
        assert status(home, headers) == 200
    home.now += DAY_MS // 4
    assert status(home, headers) == 401


def test_the_oldest_of_too_many_sessions_ends() -> None:
    """Sessions of one account have a bound."""
    home, sessions = house(), []
    for _ in range(MAX_SESSIONS + 2):
        home.now += 1
        sessions.append(sign_in(home)[1])
    assert [status(home, each) for each in sessions] == [401] * 2 + [200] * MAX_SESSIONS


def test_who_signs_in_again_has_one_session() -> None:
    """The browser's session of before would be nobody's."""
    home = house()
    _, before = sign_in(home)
    _, after = sign_in(home, cookie=before["cookie"])
    assert (status(home, before), status(home, after)) == (401, 200)


def test_a_new_password_ends_all_sessions() -> None:
    """It is what one does when somebody else may have had it."""
    home = house()
    _, headers = sign_in(home)
    new = {"password": "another horse, same battery"}
    answer = home.ask("/api/v1/accounts/ada/password", method="POST", json=new)
    assert (answer.status_code, answer.json()["name"]) == (200, "ada")
    assert status(home, headers) == 401
    assert sign_in(home)[0].status_code == 401
    assert sign_in(home, password=new["password"])[0].status_code == 200


def test_an_account_that_is_removed_is_signed_out() -> None:
    """At once."""
    home = house()
    _, headers = sign_in(home)
    assert home.ask("/api/v1/accounts/ada", method="DELETE").status_code == 200
    assert status(home, headers) == 401
    assert sign_in(home)[0].status_code == 401


def test_a_password_that_changes_while_somebody_signs_in_does_not_let_them_in() -> None:
    """Their session would outlive the password it was opened with."""
    home = house()
    verify = home.access.verify

    async def overtaken(name: str, password: str, *, address: str) -> Account | None:
        found = await verify(name, password, address=address)
        home.accounts.change_password("ada", "another")
        return found

    home.access.verify = overtaken  # type: ignore[method-assign]
    assert refusal(sign_in(home)[0]) == (401, "wrong-sign-in")


def test_who_signed_in_with_the_admin_token_signs_in_again_after_a_start() -> None:
    """The token may have been changed, and a session of the old one must not go on."""
    home = House()
    headers = following(home.ask(SESSION, method="POST", token=None, json={"token": TOKEN}))
    assert status(home, headers) == 200
    Access(home.accounts, AccessSettings(admin_token="another", cost=CHEAP), now_ms=lambda: T0).close()
    assert status(home, headers) == 401


# Nothing that is kept or told opens anything


def test_neither_token_nor_password_is_kept() -> None:
    """Who reads the database, or a backup of it, gets in nowhere."""
    home = house()
    _, headers = sign_in(home)
    token = headers["cookie"].partition("=")[2]
    kept = repr((home.accounts._accounts, home.accounts._sessions))
    assert token not in kept
    assert headers["x-csrf-token"] not in kept
    assert PASSWORD not in kept


def test_the_log_says_who_and_nothing_that_opens() -> None:
    """A failed try of somebody unknown is not named: it may be a password in the wrong field."""
    with capture_logs() as said:
        home = house()
        _, headers = sign_in(home)
        sign_in(home, "my-own-password", "x")
        sign_in(home, password="wrong")
        home.ask("/api/v1/holds", method="POST", token=None, headers=headers, json={"name": "$stop"})
    assert [(each["event"], each.get("account")) for each in said[:3]] == [
        ("signed in", "ada"),
        ("a sign-in failed", None),
        ("a sign-in failed", "ada"),
    ]
    assert said[3] == {
        "event": "a request to change",
        "log_level": "info",
        "by": "ada",
        "method": "POST",
        "path": "/api/v1/holds",
        "status": 200,
    }
    for secret in (PASSWORD, "my-own-password", headers["x-csrf-token"], headers["cookie"][-20:]):
        assert secret not in repr(said)


def test_the_log_names_things_and_no_people() -> None:
    """The path of a person has their id in it; the route has not."""
    with capture_logs() as said:
        home = house()
        home.ask("/api/v1/journeys/welcome/enter", method="POST", json={"user_id": "ann@example.com"})
        home.ask("/api/v1/accounts/ada", method="DELETE")
    told = [(each["path"], each["of_name"]) for each in said if each["event"] == "a request to change"]
    assert told == [("/api/v1/journeys/{name}/enter", "welcome"), ("/api/v1/accounts/{name}", "ada")]
    assert "ann@example.com" not in repr(said)


# Where nobody can


def test_without_a_token_and_an_account_the_api_stays_shut() -> None:
    """And says how it is opened."""
    answer = House(admin_token=None).ask(SESSION, method="POST", token=None, json={"token": "x"})
    assert refusal(answer) == (401, "api-off")
    assert "sojourn account add" in answer.json()["do"]


def test_an_account_alone_opens_it() -> None:
    """No admin token is needed."""
    home = house(admin_token=None)
    assert status(home, sign_in(home)[1]) == 200
    assert refusal(home.ask("/api/v1/status", token=None)) == (401, "no-token")


def test_where_the_studio_is_off_nobody_signs_in() -> None:
    """The admin token is all there is, as it was before there were accounts."""
    home = house(access=AccessSettings(admin_token=TOKEN, is_studio=False, cost=CHEAP))
    assert refusal(sign_in(home)[0]) == (403, "studio-off")
    assert refusal(home.ask("/api/v1/status", token=None, headers=home.cookie("ada"))) == (401, "no-token")
    assert home.ask("/api/v1/status").status_code == 200
