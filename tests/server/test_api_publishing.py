"""The API, where it changes what is in force: shown before it is done, and refused in plain words."""

from __future__ import annotations

from typing import Any

import pytest
from structlog.testing import capture_logs

from sojourn.model.errors import UnavailableError
from tests.engine.makers import event
from tests.server.houses import WELCOME, House, refusal

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


def test_a_folder_of_hundreds_of_journeys_is_published_at_once() -> None:
    """They stand together, so they cannot be sent one after the other."""
    long = "x" * 6_000
    texts = [WELCOME.replace("journey: welcome", f"journey: j{n}\ndescription: {long}") for n in range(250)]
    status, view = post(House(), "/api/v1/publish", files(*texts, is_whole=True, dry_run=True))
    assert (status, len(view["journeys"])) == (200, 251)


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


def test_a_rollback_to_a_version_said_twice_is_one() -> None:
    """A request whose answer was lost is sent again."""
    house = inhabited()
    before = house.desk.in_force.current["welcome"]
    post(house, "/api/v1/publish", asked(RENAMED))
    body = {"journey": "welcome", "to": before}
    assert post(house, "/api/v1/rollback", body)[1]["revision"] == 2
    status, view = post(house, "/api/v1/rollback", body)
    assert (status, view["journeys"][0]["change"], view["revision"]) == (200, "unchanged", None)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/v1/publish", asked(RENAMED)),
        ("/api/v1/rollback", {"journey": "welcome"}),
        ("/api/v1/holds", {"name": "$stop"}),
        ("/api/v1/dead-letters/retry", {"action_ids": None}),
    ],
)
def test_a_house_that_is_closing_is_no_bug(path: str, body: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks is to ask again, and no operator is to report it."""

    async def closing(*_: Any) -> None:
        raise UnavailableError("the engine is stopping")

    for name in ("publish", "hold", "retry_dead"):
        monkeypatch.setattr(House, name, closing)
    with capture_logs() as logs:
        answer = House().ask(path, method="POST", json=body)
    assert (refusal(answer), answer.headers["retry-after"]) == ((503, "unavailable"), "1")
    assert [each for each in logs if each["log_level"] != "info"] == [], "who asked is told, and no failure"


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


# What journeys need of one another

CALLER = "{ journey: a, entry: { on: A }, steps: [ { call: b }, { wait: 1d } ] }"
CALLED = "{ journey: b, entry: { on: B }, steps: [ { wait: 1d } ] }"


def test_a_journey_may_call_one_that_is_in_force() -> None:
    """Files that are published alone stand beside what is there; so does a version of before."""
    house = sharing(CALLER, CALLED)
    _, view = post(house, "/api/v1/publish", files(CALLER.replace("1d", "2d")))
    assert view["revision"] == 2
    _, view = post(house, "/api/v1/rollback", {"journey": "a"})
    assert view["revision"] == 3


def test_a_journey_may_not_call_one_that_goes() -> None:
    """Whoever is there then would be called for nothing."""
    house = sharing(CALLER, CALLED)
    status, refusal = post(house, "/api/v1/publish", files(CALLER, is_whole=True))
    assert (status, refusal["code"]) == (422, "bad-definition")
    assert "[unknown-journey]" in refusal["message"]


# What journeys share

GOLD = "segments: { gold: trait.plan == 'gold' }"
SILVER = "segments: { silver: trait.plan == 'silver' }"
OPT_IN = "policy: { holdout: off, channels: { email: { consent: opt_in } } }"
FOR_GOLD = "{ journey: for-gold, entry: { segment: gold }, states: { a: { after: { 1d: done } } } }"


def sharing(*texts: str) -> House:
    """Make a house in which these are in force, and nothing else."""
    house = House()
    status, view = post(house, "/api/v1/publish", files(*texts, is_whole=True))
    assert (status, view["revision"]) == (200, 1)
    return house


def files(*texts: str, **fields: Any) -> dict[str, Any]:
    """Make a request of some files."""
    named = [{"file": f"{n}.yaml", "text": text} for n, text in enumerate(texts)]
    return {"definitions": named, **fields}


def test_segments_alone_leave_the_policy_in_force() -> None:
    """Else an edit of one segment would let people be written to who never allowed it."""
    house = sharing(WELCOME, GOLD, OPT_IN)
    post(house, "/api/v1/publish", files(SILVER))
    assert list(house.driver.catalogue.segments) == ["silver"]
    assert house.driver.catalogue.policy.channel("email").consent == "opt_in"


def test_a_policy_alone_leaves_the_segments_in_force() -> None:
    """Journeys go on asking for them."""
    house = sharing(FOR_GOLD, GOLD, OPT_IN)
    post(house, "/api/v1/publish", files("policy: { holdout: off }"))
    assert list(house.driver.catalogue.segments) == ["gold"]
    assert not house.driver.catalogue.policy.channels
    assert post(house, "/api/v1/publish", files("policy: { holdout: off }"))[1]["revision"] is None


def test_half_of_a_file_that_holds_both_is_not_lost() -> None:
    """Which text is the policy's alone nobody can say."""
    house = sharing(WELCOME, f"{GOLD}\n{OPT_IN}")
    status, refusal = post(house, "/api/v1/publish", files("policy: { holdout: off }"))
    assert (status, refusal["code"]) == (422, "bad-definition")
    assert refusal["message"].startswith(
        "0.yaml:1:1: the policy in force stands in one file with the segments"
    )


def test_a_segment_that_a_journey_in_force_asks_for_does_not_go() -> None:
    """Nobody would be in it any more, and nobody would be told."""
    house = sharing(FOR_GOLD, GOLD)
    status, refusal = post(house, "/api/v1/publish", files(SILVER))
    assert (status, refusal["code"]) == (422, "unknown-segment")
    assert "for-gold" in refusal["message"]
    assert post(house, "/api/v1/publish", files(SILVER, is_whole=True))[1]["revision"] == 2
