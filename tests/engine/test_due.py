"""Due: what time alone does to a person, once each, whoever they are."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from sojourn.definitions.catalogue import build_catalogue, load_definitions
from sojourn.definitions.journey import Catalogue
from sojourn.engine.turn import turn
from sojourn.model.event import ENTER, OUR_SOURCE
from sojourn.model.fact import Entered, SegmentEntered
from sojourn.model.turn import Arrived
from tests.engine.makers import MINUTE, T0, arrived

OPEN = """
journey: open
entry: { api: true }
states: { waiting: { after: { 90d: done } }, done: {} }
"""
DIGEST = """
journey: digest
entry: { schedule: "FREQ=HOURLY" }
states: { waiting: { after: { 90d: done } }, done: {} }
"""
SEGMENTS = "segments: { unpaid: trait.plan == null }"


def in_force(*texts: str, revision: int = 0, minute: float = 0) -> Catalogue:
    """Bring definitions into force `minute` minutes after the start."""
    found = load_definitions((f"{index}.yaml", text) for index, text in enumerate(texts))
    built = build_catalogue(found.journeys, segments=found.segments, revision=revision)
    return replace(built, renewed=revision, renewed_at=T0 + int(minute * MINUTE))


def lived(*each: tuple[Catalogue, Arrived | None, float]) -> list[Any]:
    """Take one person through (what is in force, an input or none, until which minute); return all facts."""
    state, facts = None, []
    for catalogue, given, minutes in each:
        inputs = [] if given is None else [given]
        until = T0 + int(minutes * MINUTE)
        result = turn("profile", "ann", state, inputs, until=until, catalogue=catalogue)
        state, facts = result.state, facts + result.facts
    return facts


CALLED = arrived(ENTER, kind="track", source=OUR_SOURCE, properties={"journey": "open"}, user_id="ann")
VIEWED = arrived("Viewed", user_id="ann")


@pytest.mark.parametrize("first", [VIEWED, CALLED], ids=["by an event", "by a call only"])
def test_a_publishing_reaches_whoever_is_known(first: Arrived) -> None:
    """At its own instant: also whom nobody but the operator's own program ever named."""
    facts = lived((in_force(OPEN), first, 1), (in_force(OPEN, SEGMENTS, revision=1, minute=2), None, 9))
    assert [fact.at for fact in facts if isinstance(fact, SegmentEntered)] == [T0 + 2 * MINUTE]


@pytest.mark.parametrize("revision", [0, 1], ids=["as an author's story does", "by a publishing"])
@pytest.mark.parametrize("first", [VIEWED, CALLED], ids=["by an event", "by a call only"])
def test_a_schedule_that_is_gone_lets_nobody_enter(first: Arrived, revision: int) -> None:
    """And does not stay due for ever."""
    after = in_force(OPEN, revision=revision, minute=2)
    facts = lived((in_force(OPEN, DIGEST), first, 1), (after, None, 300))
    assert {fact.journey for fact in facts if isinstance(fact, Entered)} <= {"open"}
