"""The API: what the house knows, for whoever carries the operator's token, and for nobody else."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from structlog.testing import capture_logs

from sojourn import __version__
from tests.engine.makers import T0, event
from tests.server.houses import TOKEN, House, refusal

PATHS = (
    "/api/v1/profiles/ann",
    "/api/v1/journeys",
    "/api/v1/failed-events",
    "/api/v1/dead-letters",
    "/api/v1/status",
    "/api/openapi.json",
    "/api",
    "/api/v1/nothing",
)
RETRY = "/api/v1/dead-letters/retry"


# Who may ask


@pytest.mark.parametrize("path", PATHS)
def test_without_the_token_every_path_is_401(path: str) -> None:
    """Also those that are not there: whoever has no token learns nothing of what is."""
    answer = House().ask(path, token=None)
    assert refusal(answer) == (401, "no-token")
    assert answer.headers["www-authenticate"] == 'Bearer realm="sojourn"'


@pytest.mark.parametrize(
    "path", ["/%2Fapi/v1/status", "/%2F%2Fapi/v1/journeys", "/api/%2Fv1/status", "/api%2Fv1/status/"]
)
def test_more_slashes_than_one_need_the_token_too(path: str) -> None:
    """The framework takes them for one when it routes; a guard that did not would let anybody in."""
    assert House().ask(path).status_code == 200
    assert refusal(House().ask(path, token=None)) == (401, "no-token")


@pytest.mark.parametrize("path", PATHS)
def test_with_a_wrong_token_every_path_is_401(path: str) -> None:
    """And the challenge says that it was the token (RFC 6750)."""
    answer = House().ask(path, token=TOKEN[:-1])
    assert refusal(answer) == (401, "wrong-token")
    assert answer.headers["www-authenticate"] == 'Bearer realm="sojourn", error="invalid_token"'


@pytest.mark.parametrize("token", [None, "", TOKEN])
def test_where_no_token_is_configured_nobody_gets_in_and_is_told_how(token: str | None) -> None:
    """An open API by accident would be worse than none."""
    answer = House(admin_token=None).ask("/api/v1/status", token=token)
    assert refusal(answer) == (401, "api-off")
    assert "admin_token" in answer.json()["do"]


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN}x", "Bearer \xff\xfe", "Bearer " * 9],
)
def test_what_is_no_token_is_401(header: str) -> None:
    """Whatever a header holds, it is compared as bytes."""
    headers: Any = {"authorization": header.encode("latin-1")}
    assert House().ask("/api/v1/status", token=None, headers=headers).status_code == 401


def test_the_scheme_may_be_written_in_any_case() -> None:
    """As HTTP has it."""
    headers = {"authorization": f"bearer  {TOKEN} "}
    assert House().ask("/api/v1/status", token=None, headers=headers).status_code == 200


# What can be asked


@pytest.mark.parametrize("who", ["ann", "a/b", "/a//b/", "ann@example.com", "ü ?#%", "a%2Fb"])
def test_a_person_is_found_by_whatever_their_id_is(who: str) -> None:
    """Ids are the customer's, and hold what they hold; in a path they are percent-encoded."""
    house = House()
    house.take(event("Signed Up", user_id=who))
    encoded = "".join(f"%{byte:02X}" for byte in who.encode())
    answer = house.ask(f"/api/v1/profiles/{encoded}")
    assert answer.json()["user_ids"] == [who]


@pytest.mark.parametrize("who", ["ann", "a/b", "/a//b/", "ann@example.com", "ü ?#%", "a%2Fb"])
def test_a_person_is_shown_before_they_are_forgotten_whatever_their_id_is(who: str) -> None:
    """Nobody may be impossible to forget for the sake of a slash."""
    house = House()
    house.take(event("Signed Up", user_id=who))
    encoded = "".join(f"%{byte:02X}" for byte in who.encode())
    answer = house.ask(f"/api/v1/people/{encoded}/forget", method="POST", json={"dry_run": True})
    assert (answer.status_code, answer.json()["ids"]) == (200, [who])


def test_a_person_s_timeline_is_as_long_as_asked() -> None:
    """The newest facts; the default is a hundred."""
    house = House()
    house.take(event("Signed Up", user_id="ann"))
    answer = house.ask("/api/v1/profiles/ann?limit=1")
    assert [fact["type"] for fact in answer.json()["timeline"]] == ["transition"]


def test_nobody_is_404() -> None:
    """With the id, so that a slip of the pen is seen."""
    answer = House().ask("/api/v1/profiles/nobody")
    assert refusal(answer) == (404, "not-found")
    assert "'nobody'" in answer.json()["message"]


def test_journeys_say_how_many_are_where() -> None:
    """What the demo and a dashboard show."""
    house = House()
    house.take(event("Signed Up", user_id="ann"))
    (journey,) = house.ask("/api/v1/journeys").json()
    assert (journey["name"], journey["entered"], journey["states"]) == ("welcome", 1, {"waiting": 1})


def test_the_status_says_how_far_the_engine_is() -> None:
    """The same as `sojourn status --json`."""
    house = House()
    house.take(event("Signed Up", user_id="ann"))
    status = house.ask("/api/v1/status").json()
    assert (status["version"], status["position"], status["log_end"]) == (__version__, 1, 1)


def pages(house: House, path: str, *, limit: int) -> list[list[Any]]:
    """Follow a list page by page to its end."""
    found, cursor = [], ""
    while True:
        page = house.ask(f"{path}?limit={limit}{cursor}").json()
        found.append(page["items"])
        if page["next"] is None:
            return found
        cursor = f"&before={page['next']}"


def test_failed_events_are_paged_newest_first() -> None:
    """A sender that breaks can leave a million of them."""
    house = House()
    house.fail(5)
    found = pages(house, "/api/v1/failed-events", limit=2)
    assert [[each["message_id"] for each in page] for page in found] == [["4", "3"], ["2", "1"], ["0"]]


def test_dead_letters_are_paged_newest_first_whatever_their_instants() -> None:
    """Sixteen at once can die in one millisecond: the cursor tells them apart."""
    house = House()
    house.bury(5, 7, 5, 5, 9)
    found = pages(house, "/api/v1/dead-letters", limit=2)
    assert [[each["action"]["id"] for each in page] for page in found] == [["a4", "a1"], ["a3", "a2"], ["a0"]]


def test_a_page_stays_true_where_letters_left_it() -> None:
    """The cursor is a place, not a letter: that one may be on its way again."""
    house = House()
    house.bury(1, 2, 3)
    first = house.ask("/api/v1/dead-letters?limit=2").json()
    house.store.revive(["a1"], now=T0)
    second = house.ask(f"/api/v1/dead-letters?limit=2&before={first['next']}").json()
    assert [each["action"]["id"] for each in second["items"]] == ["a0"]


# What can be done


def test_dead_letters_are_tried_again() -> None:
    """Those that are named; the others stay."""
    house = House()
    house.bury(1, 2, 3)
    answer = house.ask(RETRY, method="POST", json={"action_ids": ["a0", "a2", "none"]})
    assert (answer.status_code, answer.json()) == (200, {"revived": 2})
    assert [letter.action.id for letter in house.store.dead()] == ["a1"]


def test_null_tries_all_dead_letters_again() -> None:
    """It has to be said: an empty body does nothing."""
    house = House()
    house.bury(1, 2, 3)
    assert house.ask(RETRY, method="POST", json={"action_ids": None}).json() == {"revived": 3}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", (422, "bad-parameter")),
        (b"{}", (422, "bad-parameter")),
        (b'{"action_ids": 7}', (422, "bad-parameter")),
        (b'{"action_ids": [7]}', (422, "bad-parameter")),
        (b'{"action_ids": null, "al": 1}', (422, "bad-parameter")),
        (msgspec.json.encode({"action_ids": ["a"] * 1_001}), (422, "bad-parameter")),
        (b"{", (400, "bad-request")),
        (b"\xff\xfe", (400, "bad-request")),
        (b"[" * 100_000, (400, "bad-request")),
        (b" " * (1 << 21), (413, "too-large")),
    ],
)
def test_a_wrong_body_does_nothing_and_says_why(body: bytes, expected: tuple[int, str]) -> None:
    """Above all it does not try everything again."""
    house = House()
    assert refusal(house.ask(RETRY, method="POST", content=body)) == expected
    assert house.retried == []


# What is wrong


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/failed-events?limit=0",
        "/api/v1/failed-events?limit=1001",
        "/api/v1/failed-events?limit=many",
        "/api/v1/failed-events?before=-1",
        "/api/v1/dead-letters?before=yesterday",
        "/api/v1/profiles/ann?limit=0",
    ],
)
def test_a_parameter_out_of_its_bounds_is_422_and_named(path: str) -> None:
    """The name stands in the message: nobody guesses."""
    answer = House().ask(path)
    assert refusal(answer) == (422, "bad-parameter")
    assert answer.json()["message"].startswith(path.partition("?")[2].partition("=")[0] + ": ")


@pytest.mark.parametrize(("method", "path"), [("POST", "/api/v1/journeys"), ("GET", RETRY)])
def test_a_wrong_method_is_405_and_the_right_ones_are_named(method: str, path: str) -> None:
    """As HTTP wants it."""
    answer = House().ask(path, method=method)
    assert refusal(answer) == (405, "bad-method")
    assert {"GET": "POST", "POST": "GET"}[method] in answer.headers["allow"]


@pytest.mark.parametrize("path", ["/api/v1/nothing", "/nothing", "/api/v1/profiles/"])
def test_what_is_not_there_is_404(path: str) -> None:
    """In the one shape of every refusal."""
    assert refusal(House().ask(path)) == (404, "not-found")


def test_a_bug_is_500_and_loud_and_tells_a_stranger_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The traceback is in the log."""
    house = House()
    monkeypatch.setattr(type(house.store), "counts", lambda self: 1 / 0)
    with capture_logs() as logs:
        answer = house.ask("/api/v1/status")
    assert refusal(answer) == (500, "internal")
    assert [line["log_level"] for line in logs] == ["error"]
    assert "division" not in answer.text


def test_the_log_of_a_bug_names_the_route_and_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ids of people are in paths; a log is kept longer than somebody who is forgotten."""
    house = House()
    monkeypatch.setattr(type(house.store), "load", lambda self, keys: 1 / 0)
    with capture_logs() as logs:
        house.ask("/api/v1/profiles/ada")
    assert [line["path"] for line in logs] == ["/api/v1/profiles/{any_id}"]


def test_a_path_that_is_none_is_named_with_where_events_go() -> None:
    """Whoever types /v1/trak sends events, and holds no token for the document."""
    told = House().ask("/v1/trak").json()
    assert told["message"] == "nothing is at /v1/trak"
    assert "events go to /v1/batch" in told["do"]


def test_a_retry_without_a_body_is_told_so() -> None:
    """The framework says only `data`."""
    answer = House().ask("/api/v1/dead-letters/retry", method="POST", content=b"")
    assert answer.json()["message"] == "expected a body of JSON, got none"
