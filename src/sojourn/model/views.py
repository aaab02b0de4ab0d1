"""Views: what a person who asks is shown; the same for the command line and the API."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

from sojourn.model.fact import Fact, Judged
from sojourn.model.operating import OperatingView


class SessionView(Struct, kw_only=True):
    """One of the newest visits."""

    id: str
    started_at: int
    ended_at: int
    n_events: int
    channel: str


class EnrolmentView(Struct, kw_only=True):
    """Where the person stands in one journey."""

    id: str
    journey: str
    version: str
    key: str
    state: list[str]
    entered_at: int
    next_timer_at: int | None
    held_out: bool


class KnownIdView(Struct, kw_only=True):
    """One id of a person, and how it came to be theirs."""

    id: str
    kind: Literal["user", "anonymous"]
    since: int | None
    """When it was theirs first, ms; null where the fact that tells is older than those looked at."""
    how: Literal["first-seen", "identify", "both_ids", "alias", "unalias", "earlier"]
    """`first-seen`: it began the profile; `identify`, `both_ids`, `alias`: the event that joined it;
    `earlier`: nothing that was looked at tells."""
    event_id: str = ""
    """The message that joined it."""


class ConsentView(Struct, kw_only=True):
    """What the person said last of one channel or topic."""

    granted: bool
    at: int
    """When, ms."""
    event_id: str


class SignalView(Struct, kw_only=True):
    """One thing that went against the person."""

    name: str
    target: str
    at: int


class FrictionView(Struct, kw_only=True):
    """How much goes against the person of late."""

    score: float
    """0 to 1, as `friction.score` in a guard."""
    signals: list[SignalView]
    """The newest, oldest first."""


class ProfileView(Struct, kw_only=True):
    """One person: who they are, where they stand, and what led there."""

    id: str
    user_ids: list[str]
    anonymous_ids: list[str]
    first_seen_at: int
    last_seen_at: int
    n_events: int
    traits: dict[str, Any]
    sessions: list[SessionView]
    enrolments: list[EnrolmentView]
    variants: dict[str, str]
    segments: dict[str, int]
    """Those the person is in -> since when, ms."""
    timeline: list[Fact]
    """Oldest first; those of the devices tied to the person among them."""
    ids: list[KnownIdView] = []
    """Every id of theirs with since when and how; those known longest first."""
    consent: dict[str, ConsentView] = {}
    """`email` or `email/newsletter` -> what they said last."""
    friction: FrictionView | None = None
    """Null where no definition in force asks for it."""
    propensities: dict[str, float] = {}
    """Goal -> how likely it is, as `propensity(goal)` in a guard: of those that definitions ask for."""


class JourneyView(Struct, kw_only=True):
    """One journey in force, and how many people are where."""

    name: str
    version: str
    is_open: bool
    """False: its definition is gone; people inside go on, nobody enters."""
    is_paused: bool = False
    """It stands still: nobody enters, and no timer of it fires."""
    entered: int = 0
    goals: int = 0
    exited: int = 0
    actions: int = 0
    withheld: int = 0
    states: dict[str, int] = {}
    """Atomic state -> people in it now."""


class LandingView(Struct, kw_only=True):
    """The people in one state of one version, and where a publishing puts them."""

    version: str
    state: str
    n_people: int
    stays: bool
    """They keep their version."""
    lands_in: list[str] | None
    """The states they stand in afterwards; null: they would have nowhere to go."""


class ChangeView(Struct, kw_only=True):
    """What a publishing does to one journey."""

    journey: str
    change: str
    """`new`, `changed`, `removed` or `unchanged`."""
    version: str
    before: str | None
    """The version that new people entered until then, where it changes."""
    people: list[LandingView]


class SharedView(Struct, kw_only=True):
    """What a publishing does to something that all journeys share."""

    what: str
    """`policy`, or `segment` and its name."""
    change: str
    """`new`, `changed` or `removed`."""


class SettingView(Struct, kw_only=True):
    """A setting that a publishing changes."""

    name: str
    """`steps` or `session_gap`."""
    before: str = ""
    after: str = ""


class PlanView(Struct, kw_only=True):
    """What publishing some files changes."""

    policy: str
    """`pin`, `follow` or `map`."""
    journeys: list[ChangeView]
    refused: list[str]
    """Why it cannot be done as asked, a sentence each."""
    revision: int | None
    """With which it is in force; null where nothing was done."""
    shared: list[SharedView] = []
    """What differs beside journeys."""
    settings: list[SettingView] = []
    """What else changes."""


class VersionView(Struct, kw_only=True):
    """One version of one journey that is kept."""

    journey: str
    version: str
    is_open: bool
    """New people enter it."""
    revision: int
    published_at: int
    """The instant of the log at which it last came into force, ms; 0 where no control said so."""
    policy: str
    n_people: int
    """Inside now."""


class HoldView(Struct, kw_only=True):
    """What stands still after a pause, a resume, a stop or a release."""

    revision: int
    stopped: bool
    """All of it."""
    paused: list[str]
    """These journeys."""


class ForgottenRow(Struct, kw_only=True):
    """One request to forget somebody, in the ledger: nothing in it is personal."""

    request_id: str
    at: int
    """The instant of the log at which their life ended, ms."""
    by: str
    """Who asked for it."""
    reason: str
    hashes: list[str]
    """Keyed hashes of the ids: who has the data folder's key can tell whether an id was among them."""
    position: int
    """Of the control in the log."""
    stage: str = "waiting"
    """What is being erased: `waiting`, `states`, `log`, `facts`, `lake`, `traces`; `done`."""
    n_events: int = 0
    """Entries of the log that were erased: of this and what follows, so far."""
    n_facts: int = 0
    n_failed: int = 0
    """Failed events that named them."""
    n_withheld: int = 0
    """Actions that were on their way, and were withheld."""
    n_files: int = 0
    """Files of the lake that were written anew."""
    took_ms: int = 0
    finished_at: int | None = None
    """When nothing was left, ms."""


class StatusView(Struct, kw_only=True):
    """How the house is doing."""

    version: str
    position: int
    """The last log entry processed and stored."""
    log_end: int
    """The last log entry."""
    clock: int
    """The instant up to which timers have fired, ms."""
    counts: dict[str, int]
    """`profiles`, `devices`, `timers`, `outbox`, `dead_letters`."""
    forgetting: list[ForgottenRow] = []
    """Requests to forget somebody that are not done, the one under way first; at most 20."""
    operating: OperatingView | None = None
    """What an operator looks at beside these; null where a folder is read that no server works in."""


class AwaitedView(Struct, kw_only=True):
    """One way out of where an enrolment stands now, and what it waits for."""

    state: str
    to: list[str]
    event: str = ""
    """The event it answers; empty for a condition alone."""
    due_at: int | None = None
    """When its timer fires, ms; None where no time moves it."""
    guards: list[Judged] = []
    """What it asks on top, and the answer it would get now."""


class RunView(Struct, kw_only=True):
    """One enrolment: everything that happened in it, oldest first, and what it waits for."""

    id: str
    version: str
    key: str
    is_over: bool
    facts: list[Fact]
    """Its own, the step that caused each, and what became of its actions."""
    awaits: list[AwaitedView] = []
    """Empty where it is over."""


class ExplanationView(Struct, kw_only=True):
    """Why a person did, or did not, get what a journey sends."""

    profile_id: str
    journey: str
    runs: list[RunView]
    """Oldest first."""
    refusals: list[Fact]
    """When the person could have entered, and did not."""
    entry: list[Judged] = []
    """What the entry asks, and the answer it would get now; empty where it asks nothing."""
    hints: list[str] = []
    """What decided, in words, where no fact tells: a journey nobody may enter, an event that never came."""
    is_cut: bool = False
    """Older facts than those looked at are left out."""


class MemberView(Struct, kw_only=True):
    """One person in a segment."""

    id: str
    since: int
    """When they joined, ms."""


class SegmentView(Struct, kw_only=True):
    """A segment, and who is in it now."""

    name: str
    n_members: int
    members: list[MemberView]
    """Those who joined last, newest first."""


class ForgottenView(Struct, kw_only=True):
    """What is kept of a person, and what became of it."""

    request_id: str | None
    """In the ledger; null where nothing was done."""
    ids: list[str]
    """All ids of theirs; empty where nothing of them is kept."""
    shared: list[str]
    """Of these, devices that others named, too: they stay those others'."""
    n_events: int
    """Steps that their profiles count."""
    n_journeys: int
    """Journeys they are inside."""
    n_failed: int
    """Failed events that name them."""
    n_facts: int = 0
    """Facts about them, of which 10,000 at most are counted; those lived on a shared device are not."""
    n_actions: int = 0
    """Actions on their way to them: that wait, were put off, or were given up."""
    done: ForgottenRow | None = None
    """The ledger's row, as far as it is: bytes are erased in the background."""
