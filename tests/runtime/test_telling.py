"""Telling: every fact is a line that people can read."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from sojourn.model import fact as facts
from sojourn.model.fact import Fact
from sojourn.model.ids import ActionId, EnrolmentId, ProfileId, SessionId
from sojourn.runtime.telling import tell, tell_story

AT: dict[str, Any] = {"profile_id": ProfileId("u:ada"), "at": 5, "position": 1}
IN: dict[str, Any] = AT | {"journey": "rescue", "version": "v1"}
ENROLMENT: dict[str, Any] = IN | {"enrolment_id": EnrolmentId("e1")}
ACTION: dict[str, Any] = ENROLMENT | {"action_id": ActionId("a1"), "sink": "hook", "state": "nudged"}
SESSION = SessionId("s1")
EXPOSED = facts.Exposed(
    **AT,
    experiment="x",
    variant="b",
    journey="rescue",
    enrolment_id=EnrolmentId("e1"),
    propensity=0.5,
)

LINES: list[tuple[Fact, str]] = [
    (facts.StepTaken(**AT, source="web", message_id="m", name="Bought", occurred_at=4), "did Bought"),
    (
        facts.SessionStarted(**AT, session_id=SESSION, started_at=1, channel="email"),
        "session began, by email",
    ),
    (
        facts.SessionRevised(**AT, session_id=SESSION, replaces=[SESSION], started_at=1),
        "a late event moved the session's start",
    ),
    (
        facts.SessionEnded(**AT, session_id=SESSION, started_at=0, ended_at=9000, n_events=3),
        "session was over: 3 events in 9 s",
    ),
    (
        facts.Identified(**AT, anonymous_id="a", user_id="ada", how="identify", message_id="m"),
        "is known: a and ada (identify)",
    ),
    (
        facts.IdentityRefused(**AT, other_id="b", reason="merge-limit", message_id="m"),
        "was not joined with b: merge-limit",
    ),
    (facts.Entered(**ENROLMENT, key="c7", held_out=True), "rescue: entered for c7 (held out)"),
    (facts.NotEntered(**IN, reason="already-in"), "rescue: did not enter: already-in"),
    (
        facts.Transitioned(**ENROLMENT, n=0, source=["waiting"], target=["nudged"], event="after(30m)"),
        "rescue: waiting -> nudged, on after(30m)",
    ),
    (facts.GoalReached(**ENROLMENT, value=12.5), "rescue: reached its goal, worth 12.5"),
    (facts.Exited(**ENROLMENT, reason="goal", state=["waiting"]), "rescue: left: goal"),
    (EXPOSED, "rescue: met experiment x: b"),
    (facts.Exposed(**AT, experiment="x", variant="b", propensity=0.5, flag="f"), "met experiment x: b"),
    (facts.AssignmentConflict(**AT, experiment="x", kept="a", dropped="b"), "keeps a of x; had met b, too"),
    (facts.Rewarded(**AT, experiment="x", variant="b", exposed_at=1), "rewarded b of x"),
    (facts.ActionDecided(**ACTION), "rescue: action for hook, in nudged"),
    (
        facts.ActionWithheld(**ACTION, reason="held-out"),
        "rescue: action for hook was not sent: held-out",
    ),
    (
        facts.Delivered(**AT, action_id=ActionId("a1"), outcome="failed", attempts=3, detail="500"),
        "action failed after 3 attempts (500)",
    ),
    (
        facts.ActionDeferred(**ACTION, until=9, reason="quiet-hours", detail="22:00 to 08:00"),
        "rescue: action for hook is put off: quiet-hours (22:00 to 08:00)",
    ),
    (
        facts.Migrated(**ENROLMENT, from_version="v0", n=1, source=["a"], target=["b"]),
        "rescue: moved to version v1, in b",
    ),
    (facts.SegmentEntered(**AT, segment="loyal"), "is in the segment loyal"),
    (facts.SegmentLeft(**AT, segment="loyal"), "is no more in the segment loyal"),
    (facts.ConsentChanged(**AT, scope="email", granted=False, message_id="m"), "forbade email"),
    (
        facts.FrictionFound(**AT, signal="rage", target="#pay", score=0.5),
        "met friction at #pay: rage, score 0.50",
    ),
    (facts.JourneyError(**ENROLMENT, detail="division by zero"), "rescue: went wrong: division by zero"),
]


@pytest.mark.parametrize(("fact", "line"), LINES)
def test_a_fact_is_told_in_a_line(fact: Fact, line: str) -> None:
    """Why did this person (not) get that: the answer is read, not decoded."""
    assert tell(fact) == line


def test_an_outcome_names_its_action_where_that_is_told_too() -> None:
    """Of two actions, one to a sink that is down, the reader asks which failed."""
    decided = facts.ActionDecided(**ACTION)
    known = facts.Delivered(**AT, action_id=decided.action_id, outcome="delivered", attempts=1)
    strange = facts.Delivered(**AT, action_id=ActionId("zz"), outcome="expired", attempts=2)

    assert tell_story([decided, known, strange]) == [
        "rescue: action for hook, in nudged",
        "rescue: action for hook delivered after 1 attempt",
        "action expired after 2 attempts",
    ]


def test_every_kind_of_fact_is_told_here() -> None:
    """A new one is not forgotten."""
    assert {type(fact) for fact, _ in LINES} == set(get_args(Fact))
