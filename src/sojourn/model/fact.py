"""Facts: immutable records the engine emits about what happened.

Analytics reads facts and events, never live state. A fact is named after its causes, so that the same history
gives the same facts, live, in replay, and on any number of partitions.
"""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

from sojourn.model.ids import ActionId, EnrolmentId, ProfileId, SessionId


class _Fact(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    profile_id: ProfileId
    at: int
    """The log's clock, ms."""
    position: int
    """The log entry that caused it; 0 where a timer did."""


class StepTaken(_Fact, tag="step", frozen=True, kw_only=True):
    """The person did something: one event, enriched, on the observed journey graph."""

    source: str
    message_id: str
    name: str
    occurred_at: int
    session_id: SessionId | None = None
    channel: str = ""
    previous: str = ""
    """The step before it in the same session; empty where it is the first."""


class SessionStarted(_Fact, tag="session_started", frozen=True, kw_only=True):
    """A visit began (or a late event showed that there was one)."""

    session_id: SessionId
    started_at: int
    channel: str = ""


class SessionRevised(_Fact, tag="session_revised", frozen=True, kw_only=True):
    """A late event moved a session's start, or bridged sessions into one."""

    session_id: SessionId
    replaces: list[SessionId]
    started_at: int
    channel: str = ""


class SessionEnded(_Fact, tag="session_ended", frozen=True, kw_only=True):
    """A visit is over: said when the next one begins."""

    session_id: SessionId
    started_at: int
    ended_at: int
    n_events: int
    step: str = ""
    """The last step taken in it."""


class Identified(_Fact, tag="identified", frozen=True, kw_only=True):
    """The ledger of identity: an id was tied to this profile, and by which message."""

    anonymous_id: str | None = None
    user_id: str | None = None
    how: Literal["identify", "both_ids", "alias", "unalias"]
    message_id: str


class IdentityRefused(_Fact, tag="identity_refused", frozen=True, kw_only=True):
    """The ledger of identity: an id was not tied, and why."""

    other_id: str
    reason: Literal["merge-limit", "shared-device", "self-alias"]
    message_id: str


class Entered(_Fact, tag="entered", frozen=True, kw_only=True):
    """The person entered a journey."""

    journey: str
    version: str
    enrolment_id: EnrolmentId
    key: str = ""
    held_out: bool = False
    holdout: str = ""
    """Which hold-out keeps the person back: `global`, or `journey`."""
    parent: EnrolmentId | None = None
    """The enrolment that called this journey."""


class NotEntered(_Fact, tag="not_entered", frozen=True, kw_only=True):
    """An entry event came and the person did not enter, and why."""

    journey: str
    version: str
    key: str = ""
    reason: Literal["already-in", "re-entry", "cooldown", "excluded", "paused", "no-key", "bound"]
    detail: str = ""
    """What decided: until when it cools down, which journey excludes it."""


class Judged(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One guard that was asked, its answer, and the values it saw."""

    guard: str
    held: bool
    saw: dict[str, Any] = {}
    """What the guard reads (`trait.plan`, `count('X')`), as it was then."""


class Transitioned(_Fact, tag="transition", frozen=True, kw_only=True):
    """An enrolment moved."""

    journey: str
    version: str
    enrolment_id: EnrolmentId
    n: int
    """How many effects this enrolment had before: orders them and names them."""
    source: list[str]
    """Atomic states left."""
    target: list[str]
    """Atomic states now active."""
    event: str
    """What moved it: an event's name, `after(waiting,1800000)`, `done.state.x`; empty for a branch."""
    judged: list[Judged] = []
    """The guards asked on the way, in order; the last one that held decided."""


class GoalReached(_Fact, tag="goal", frozen=True, kw_only=True):
    """The enrolment's goal happened within its window."""

    journey: str
    version: str
    enrolment_id: EnrolmentId
    value: float | None = None
    after_exit: bool = False
    """Reached after the enrolment was over, and still within the goal's window."""


class Exited(_Fact, tag="exited", frozen=True, kw_only=True):
    """The person left a journey, and why."""

    journey: str
    version: str
    enrolment_id: EnrolmentId
    reason: Literal["final", "goal", "exit", "merged", "withdrawn", "preempted", "parent", "forgotten"]
    state: list[str]
    detail: str = ""
    """Which exit rule, or which journey took the person over."""


class Migrated(_Fact, tag="migrated", frozen=True, kw_only=True):
    """A new version was published, and its policy took the enrolment along."""

    journey: str
    version: str
    """The one it is in from now on."""
    enrolment_id: EnrolmentId
    from_version: str
    n: int
    source: list[str]
    """Where it was."""
    target: list[str]
    """Where it is now."""


class SegmentEntered(_Fact, tag="segment_entered", frozen=True, kw_only=True):
    """The person belongs to a segment from now on."""

    segment: str


class SegmentLeft(_Fact, tag="segment_left", frozen=True, kw_only=True):
    """The person does not belong to a segment any more."""

    segment: str


class ConsentChanged(_Fact, tag="consent", frozen=True, kw_only=True):
    """The person allowed or forbade a channel, or a topic of one."""

    scope: str
    """`email`, or `email/newsletter`."""
    granted: bool
    message_id: str


class FrictionFound(_Fact, tag="friction", frozen=True, kw_only=True):
    """Something went against the person: a signal of friction."""

    signal: str
    """`rage`, `dead`, `error_click`, `quick_back`, `backtrack`, `loop`, `form_abandon`, ..."""
    target: str = ""
    """The element, step or form it was about."""
    score: float = 0.0
    """The person's friction score with it, 0 to 1."""


class Exposed(_Fact, tag="exposed", frozen=True, kw_only=True):
    """The person met an experiment and got a variant: said once for each person and experiment."""

    experiment: str
    variant: str
    propensity: float
    """The probability with which this variant was drawn at that moment, 0 to 1."""
    journey: str = ""
    """Of a split inside a journey; empty where a flag's rule, or an application, exposed."""
    enrolment_id: EnrolmentId = EnrolmentId("")
    flag: str = ""
    """The flag that was asked; empty for a split inside a journey."""
    decision_id: str = ""
    """The decision that told the variant."""
    eligible: dict[str, float] = {}
    """Variant -> the probability with which it would have been drawn; they sum to 1."""
    context: str = ""
    """Of a contextual allocation: the cell whose weights drew."""
    allocation: Literal["fixed", "adaptive"] = "fixed"


class AssignmentConflict(_Fact, tag="assignment_conflict", frozen=True, kw_only=True):
    """Two lives that became one had met an experiment with different variants; the first one stays."""

    experiment: str
    kept: str
    dropped: str


class Rewarded(_Fact, tag="rewarded", frozen=True, kw_only=True):
    """What an adaptive allocation is for happened, in time, to somebody who met a variant."""

    experiment: str
    variant: str
    context: str = ""
    exposed_at: int


class ActionDecided(_Fact, tag="action", frozen=True, kw_only=True):
    """A journey wanted something done and it went to the outbox."""

    action_id: ActionId
    sink: str
    journey: str
    version: str
    enrolment_id: EnrolmentId
    state: str
    channel: str = ""
    holdouts: str = ""
    """Every hold-out that keeps the person back here, by commas: `global`, `journey`, `channel`, `node`."""


class ActionDeferred(_Fact, tag="action_deferred", frozen=True, kw_only=True):
    """A journey wanted something done and it is put off; its own fact tells what came of it then."""

    action_id: ActionId
    sink: str
    journey: str
    version: str
    enrolment_id: EnrolmentId
    state: str
    channel: str = ""
    until: int
    """When it is decided again, ms."""
    reason: Literal["quiet-hours"]
    detail: str = ""
    holdouts: str = ""
    """Every hold-out that keeps the person back here, by commas: `global`, `journey`, `channel`, `node`."""


class ActionWithheld(_Fact, tag="action_withheld", frozen=True, kw_only=True):
    """A journey wanted something done and it was not sent, and why (held out: a ghost action)."""

    action_id: ActionId
    sink: str
    journey: str
    version: str
    enrolment_id: EnrolmentId
    state: str
    channel: str = ""
    reason: Literal[
        "held-out", "history", "template", "consent", "cap", "quiet-hours", "left", "bound", "expired"
    ]
    detail: str = ""
    """What decided, with the values it saw: which hold-out, which cap and how many there were."""
    holdouts: str = ""
    """Every hold-out that keeps the person back here, by commas: `global`, `journey`, `channel`, `node`."""


class Delivered(_Fact, tag="delivery", frozen=True, kw_only=True):
    """What became of an action, as its outcome event told."""

    action_id: ActionId
    outcome: str
    attempts: int
    detail: str = ""


class JourneyError(_Fact, tag="journey_error", frozen=True, kw_only=True):
    """A guard or an assignment failed while running; the journey went on as if it were false."""

    journey: str
    version: str
    enrolment_id: EnrolmentId
    detail: str


Fact = (
    StepTaken
    | SessionStarted
    | SessionRevised
    | SessionEnded
    | Identified
    | IdentityRefused
    | Entered
    | NotEntered
    | Transitioned
    | Migrated
    | GoalReached
    | Exited
    | SegmentEntered
    | SegmentLeft
    | ConsentChanged
    | FrictionFound
    | Exposed
    | AssignmentConflict
    | Rewarded
    | ActionDecided
    | ActionDeferred
    | ActionWithheld
    | Delivered
    | JourneyError
)

Json = Any
"""Where JSON enters, and nowhere else."""
