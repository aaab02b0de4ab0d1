"""Entering by a call: who may ask, for whom, and that nobody outside can pretend to be the house."""

from __future__ import annotations

from typing import Any

import pytest

from sojourn.model.event import ENTER
from tests.engine.makers import event
from tests.server.houses import House, refusal

PATH = "/api/v1/journeys/welcome/enter"


def facts(house: House, who: str = "ann") -> list[str]:
    """Return the types of a person's facts, oldest first."""
    return [fact["type"] for fact in house.ask(f"/api/v1/profiles/{who}").json()["timeline"]]


def enter(house: House, path: str = PATH, **body: Any) -> Any:
    """Ask for somebody to enter."""
    return house.ask(path, method="POST", json=body)


def test_a_program_lets_a_person_enter() -> None:
    """Whether they entered is a fact like any other."""
    house = House()
    answer = enter(house, user_id="ann", message_id="m1")
    assert (answer.status_code, answer.json()) == (200, {"message_id": "m1", "is_new": True})
    assert facts(house)[0] == "entered"


def test_a_call_that_is_sent_again_is_taken_once() -> None:
    """A client that heard no answer must be able to ask again."""
    house = House()
    enter(house, user_id="ann", message_id="m1")
    assert enter(house, user_id="ann", message_id="m1").json()["is_new"] is False
    assert facts(house).count("not_entered") == 0


def test_two_calls_without_a_message_id_are_two() -> None:
    """The second one is refused by the journey, and says why."""
    house = House()
    enter(house, user_id="ann")
    enter(house, user_id="ann")
    assert [kind for kind in facts(house) if kind in ("entered", "not_entered")] == ["entered", "not_entered"]


@pytest.mark.parametrize("name", ["nothing", "a%20b"])
def test_an_unknown_journey_is_404(name: str) -> None:
    """A misspelt name must not be lost in silence."""
    assert refusal(enter(House(), f"/api/v1/journeys/{name}/enter", user_id="ann")) == (404, "not-found")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"user_id": "ann", "anonymous_id": "phone"},
        {"user_id": ""},
        {"user_id": "null"},
        {"user_id": "ann", "propertise": {}},
        {"user_id": "ann", "properties": {"x": "y" * 40_000}},
    ],
)
def test_what_names_nobody_or_is_misspelt_is_422(body: dict[str, Any]) -> None:
    """Before it is in the log, where nothing could be done about it."""
    assert refusal(enter(House(), **body)) == (422, "bad-parameter")


def test_nobody_enters_by_an_event_that_looks_like_a_call() -> None:
    """A browser can send any name; the house's own source it cannot have."""
    house = House()
    house.take(event(ENTER, kind="track", user_id="ann", properties={"journey": "welcome"}))
    assert not {"entered", "not_entered"} & set(facts(house))


def test_an_unnamed_person_can_be_let_in() -> None:
    """By the id of the device."""
    house = House()
    enter(house, anonymous_id="phone")
    assert facts(house, "phone")[0] == "entered"
