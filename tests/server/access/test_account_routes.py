"""Accounts over HTTP: an admin says who may sign in, and everybody keeps their own password."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.makers import T0
from tests.server.access.test_signing_in import PASSWORD, SESSION, house, sign_in, status
from tests.server.houses import House, refusal

ANOTHER = "another horse, the same battery"
ACCOUNTS = "/api/v1/accounts"
PASSWORD_OF_ADA = ACCOUNTS + "/ada/password"


def post(house: House, path: str, body: Any, headers: dict[str, str] | None = None) -> Any:
    """Send something, as the operator or as somebody who signed in."""
    if headers is None:
        return house.ask(path, method="POST", json=body)
    return house.ask(path, method="POST", token=None, headers=headers, json=body)


def test_whom_an_admin_adds_may_sign_in_and_is_listed() -> None:
    """With nothing of the password."""
    home = House()
    asked = {"name": "Ben@Example.com", "role": "viewer", "password": PASSWORD}
    added = post(home, ACCOUNTS, asked)
    assert added.status_code == 200
    home.now += 5
    assert sign_in(home, "ben@example.com")[0].status_code == 200
    assert home.ask(ACCOUNTS).json() == [
        {"name": "ben@example.com", "role": "viewer", "created_at": T0, "last_seen_at": T0 + 5}
    ]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"name": "ada", "role": "viewer", "password": PASSWORD}, (409, "account-exists")),
        ({"name": "Ada", "role": "viewer", "password": PASSWORD}, (409, "account-exists")),
        ({"name": "$operator", "role": "admin", "password": PASSWORD}, (422, "bad-name")),
        ({"name": "ben", "role": "owner", "password": PASSWORD}, (422, "bad-parameter")),
        ({"name": "ben", "role": "admin", "password": "short"}, (422, "bad-password")),
        ({"name": "ben", "role": "admin"}, (422, "bad-parameter")),
    ],
)
def test_what_cannot_be_added_is_refused(asked: dict[str, str], expected: tuple[int, str]) -> None:
    """And nothing that was there changes."""
    home = house()
    before = home.ask(ACCOUNTS).json()
    refused = post(home, ACCOUNTS, asked)
    assert refusal(refused) == expected
    assert home.ask(ACCOUNTS).json() == before
    assert asked.get("password", PASSWORD) not in refused.text


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/ben/password", {"password": ANOTHER}),
        ("DELETE", "/ben", None),
        ("DELETE", "/%24operator", None),
    ],
)
def test_who_is_not_there_is_404(method: str, path: str, body: Any) -> None:
    """Admins may know."""
    assert refusal(house().ask(ACCOUNTS + path, method=method, json=body)) == (404, "not-found")


@pytest.mark.parametrize("role", ["viewer", "admin"])
def test_who_changes_their_own_password_knows_the_one_until_now(role: Any) -> None:
    """Somebody else at their desk does not, and would shut them out."""
    home = house(role=role)
    _, headers = sign_in(home)
    for given in ({}, {"current": "wrong"}):
        refused = post(home, PASSWORD_OF_ADA, {"password": ANOTHER, **given}, headers)
        assert refusal(refused) == (403, "wrong-password")
    assert status(home, headers) == 200
    done = post(home, PASSWORD_OF_ADA, {"password": ANOTHER, "current": PASSWORD}, headers)
    assert (done.status_code, status(home, headers)) == (200, 401)
    assert sign_in(home, password=ANOTHER)[0].status_code == 200


def test_who_guesses_at_it_waits() -> None:
    """At a desk left alone as at the door."""
    home = house()
    _, headers = sign_in(home)
    asked = {"password": ANOTHER, "current": "wrong"}
    answers = [post(home, PASSWORD_OF_ADA, asked, headers).status_code for _ in range(6)]
    assert answers == [403] * 5 + [429]


def test_nobody_but_an_admin_changes_somebody_elses() -> None:
    """Who may publish may not become somebody else."""
    home = house()
    for role, expected in (("viewer", 403), ("editor", 403), ("admin", 200)):
        headers = home.sign_in(role, name=f"the-{role}")  # type: ignore[arg-type]
        assert post(home, PASSWORD_OF_ADA, {"password": ANOTHER}, headers).status_code == expected


def test_the_admin_token_needs_no_session_to_say_who_it_is() -> None:
    """A program asks the same as a page, and has nothing to carry beside its token."""
    view = House().ask(SESSION).json()
    assert view == {"name": "$operator", "role": "admin", "csrf": "", "expires_at": None}
