"""Roles: every route of the document, asked by everybody there is."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

import pytest

from sojourn.server.access.roles import NEEDS, need_of
from tests.server.houses import House, refusal

HOUSE = House()
DOCUMENT: dict[str, Any] = HOUSE.ask("/api/openapi.json").json()
ROUTES = [
    (method.upper(), path, operation["x-role"])
    for path, item in DOCUMENT["paths"].items()
    if path.startswith("/api")
    for method, operation in item.items()
]
CALLERS = ("nobody", "viewer", "editor", "admin")
MAY = {
    "anyone": {"nobody", "viewer", "editor", "admin"},
    "viewer": {"viewer", "editor", "admin"},
    "editor": {"editor", "admin"},
    "own": {"admin"},  # of those here: the account that is named is another's
    "admin": {"admin"},
}


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize(("method", "path", "need"), ROUTES)
def test_a_route_lets_in_who_has_its_role_and_nobody_else(
    method: str, path: str, need: str, caller: str
) -> None:
    """Whoever may ask is answered for what they ask: with anything but 401 and 403."""
    headers = {} if caller == "nobody" else HOUSE.sign_in(caller)  # type: ignore[arg-type]
    asked = re.sub(r"\{.*?\}", "somebody", path)
    status, code = asyncio.run(ask(method, asked, headers))
    if caller in MAY[need]:
        assert status not in (401, 403)
    else:
        assert (status, code) == ((401, "no-token") if caller == "nobody" else (403, "forbidden"))


async def ask(method: str, path: str, headers: dict[str, str]) -> tuple[int, str]:
    """Ask and hang up, for some answers have no end; return the status, and the code of a refusal."""
    sent: list[Any] = []
    waiting = [{"type": "http.disconnect"}, {"type": "http.request", "body": b"[]"}]

    async def receive() -> Any:
        return waiting.pop() if len(waiting) > 1 else waiting[0]

    async def send(message: Any) -> None:
        sent.append(message)

    given = {"content-type": "application/json", **headers}
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"no-such=1",  # so that no question of analytics has to be answered
        "headers": [(name.encode(), value.encode()) for name, value in given.items()],
    }
    await HOUSE.app(scope, receive, send)
    body = b"".join(each.get("body", b"") for each in sent)
    return sent[0]["status"], json.loads(body)["code"] if sent[0]["status"] in (401, 403) else ""


def test_every_role_is_asked_for_somewhere() -> None:
    """Else the test above would show nothing of it."""
    assert {need for _, _, need in ROUTES} == MAY.keys()


def test_what_the_table_names_is_there() -> None:
    """A route that was renamed must not fall back to a rule that was not meant for it."""
    served = {(method, path) for method, path, _ in ROUTES}
    assert NEEDS.keys() - served == set()


@pytest.mark.parametrize(
    ("method", "need"), [("GET", "viewer"), ("HEAD", "viewer"), ("POST", "admin"), ("BREW", "admin")]
)
def test_what_nobody_thought_of_is_for_admins_unless_it_reads(method: str, need: str) -> None:
    """A route that is forgotten in the table must not be one that anybody may use."""
    assert need_of(method, "/api/v1/new") == need


@pytest.mark.parametrize(
    "path", ["/%2Fapi/v1/publish", "/api//v1/publish", "/api/v1/publish/", "/api/v1/%70ublish"]
)
def test_a_path_written_otherwise_needs_the_same_role(path: str) -> None:
    """The framework routes all of these, so the role is asked of the route and not of what was written."""
    viewer = HOUSE.sign_in("viewer")
    answer = HOUSE.ask(path, method="POST", token=None, headers=viewer, json={"definitions": []})
    assert refusal(answer) == (403, "forbidden")
