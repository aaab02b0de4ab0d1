"""The API, where it changes what is in force: shown before it is done, and refused in plain words."""

from __future__ import annotations

from typing import Any

from tests.engine.makers import event
from tests.server.houses import WELCOME, House

RENAMED = WELCOME.replace("waiting", "greeted")


def asked(text: str, **fields: Any) -> dict[str, Any]:
    """Make a request of one file."""
    return {"definitions": [{"file": "welcome.yaml", "text": text}], **fields}


def inhabited() -> House:
    """Make a house with one person inside."""
    house = House()
    house.take(event("Signed Up", user_id="ann"))
    return house


def post(house: House, path: str, body: Any) -> tuple[int, Any]:
    """Ask for a change."""
    answer = house.ask(path, method="POST", json=body)
    return answer.status_code, answer.json()


def test_the_same_content_publishes_nothing() -> None:
    """Publishing from a folder is idempotent."""
    status, view = post(inhabited(), "/api/v1/publish", asked(WELCOME))
    assert (status, view["journeys"][0]["change"], view["revision"]) == (200, "unchanged", None)


def test_people_in_a_state_that_is_gone_are_named_and_nothing_is_done() -> None:
    """With what to do."""
    house = inhabited()
    _, view = post(house, "/api/v1/publish", asked(RENAMED, policy="follow"))
    assert "1 person is in 'waiting'" in view["refused"][0]
    assert "--map waiting=STATE" in view["refused"][0]
    assert (view["revision"], house.desk.in_force.revision) == (None, 0)


def test_a_map_takes_them_along() -> None:
    """And the preview says so before."""
    house = inhabited()
    body = asked(RENAMED, states={"waiting": "greeted"})
    _, shown = post(house, "/api/v1/publish", {**body, "dry_run": True})
    _, done = post(house, "/api/v1/publish", body)
    assert (shown["revision"], done["revision"]) == (None, 1)
    assert done["journeys"] == shown["journeys"]
    assert done["journeys"][0]["people"][0]["lands_in"] == ["greeted"]


def test_a_map_of_states_that_are_none_is_refused() -> None:
    """A slip of the pen must not look like success."""
    house = inhabited()
    for states in ({"waitng": "greeted"}, {"waiting": "greted"}):
        status, refusal = post(house, "/api/v1/publish", asked(RENAMED, states=states))
        assert (status, refusal["code"]) == (422, "unknown-state")


def test_a_wrong_definition_is_refused_with_its_place() -> None:
    """As `sojourn check` says it."""
    status, refusal = post(House(), "/api/v1/publish", asked("journey: broken"))
    assert (status, refusal["code"]) == (422, "bad-definition")
    assert "welcome.yaml:1:1" in refusal["message"]


def test_a_rollback_publishes_the_version_of_before() -> None:
    """The same content, so the same version."""
    house = inhabited()
    before = house.desk.in_force.current["welcome"]
    post(house, "/api/v1/publish", asked(RENAMED))
    status, view = post(house, "/api/v1/rollback", {"journey": "welcome"})
    assert (status, view["revision"], house.desk.in_force.current["welcome"]) == (200, 2, before)
    assert (
        post(house, "/api/v1/rollback", {"journey": "welcome", "to": "none"})[1]["code"] == "unknown-version"
    )


def test_settings_that_are_said_come_into_force_and_others_stay() -> None:
    """A running server reads no configuration anew: what it is to take has to be said."""
    house = inhabited()
    said = {"steps": ["Cart", "Pay"], "session_gap_ms": 60_000}
    _, shown = post(house, "/api/v1/publish", asked(WELCOME, settings=said, dry_run=True))
    assert (house.driver.catalogue.ranks, len(shown["settings"])) == ({}, 2)
    _, done = post(house, "/api/v1/publish", asked(WELCOME, settings=said))
    post(house, "/api/v1/publish", asked(RENAMED))
    post(house, "/api/v1/rollback", {"journey": "welcome"})
    catalogue = house.driver.catalogue
    assert (done["settings"], catalogue.ranks) == (shown["settings"], {"Cart": 0, "Pay": 1})
    assert catalogue.session_gap_ms == 60_000


def test_settings_that_mean_nothing_are_refused() -> None:
    """With their place."""
    for steps, gap_ms, expected in (
        (["A", "B", "A"], 1, "repeated-step"),
        ([], 0, "bad-parameter"),
        ([], 1 << 60, "bad-parameter"),
    ):
        settings = {"steps": steps, "session_gap_ms": gap_ms}
        status, refusal = post(House(), "/api/v1/publish", asked(WELCOME, settings=settings))
        assert (400 <= status < 500, refusal["code"]) == (True, expected)


def test_a_pause_said_twice_is_one() -> None:
    """Nobody needs to know whether it is so already."""
    house = inhabited()
    body = {"name": "$pause", "journey": "welcome"}
    answers = [post(house, "/api/v1/holds", body)[1] for _ in range(2)]
    assert answers == [{"revision": 1, "stopped": False, "paused": ["welcome"]}] * 2
    assert post(house, "/api/v1/holds", {"name": "$stop"})[1]["stopped"]
    assert post(house, "/api/v1/holds", {"name": "$pause", "journey": "x"})[1]["code"] == "unknown-journey"
