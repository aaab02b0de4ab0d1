"""Journeys: the compiled form of one definition, and the catalogue of those in force."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from msgspec import Struct

from sojourn.definitions.chart import Chart
from sojourn.definitions.experiment import Experiment, Flag
from sojourn.definitions.expression import Clock, Expression, Needs
from sojourn.definitions.policy import Policy

Reentry = Literal["never", "after_exit", "always"]


class Schedule(Struct, frozen=True):
    """When a scheduled entry happens, compiled once from a recurrence rule (RFC 5545)."""

    text: str
    """The rule as written."""
    after: Callable[[int, str], int | None]
    """(an instant in ms, a time zone's name) -> the next occurrence after it, ms; None: there is none."""
    time_zone: str = ""
    """Whose wall clock; empty: the person's own."""


class Entry(Struct, frozen=True, kw_only=True):
    """Who enters, and how often. Of `names`, `segment`, `schedule` and `is_api` at least one says when."""

    names: frozenset[str] = frozenset()
    when: Expression | None = None
    key: Expression | None = None
    """Several enrolments at once, one per value of this."""
    reentry: Reentry = "after_exit"
    cooldown_ms: int = 0
    """So long after an exit nobody enters again (with `after_exit`)."""
    segment: str = ""
    """Entered by becoming a member of it; with `schedule`, only its members enter."""
    schedule: Schedule | None = None
    is_api: bool = False
    """May be entered by a call."""


class Goal(Struct, frozen=True, kw_only=True):
    """What the journey is for."""

    names: frozenset[str]
    when: Expression | None = None
    within_ms: int | None = None
    """Counted from the entry; None: as long as the enrolment lasts."""
    value: Expression | None = None
    outlives: bool = True
    """Reached also after the enrolment is over, while the window lasts."""


class Exit(Struct, frozen=True, kw_only=True):
    """What ends the enrolment at once, whatever its state."""

    names: frozenset[str] = frozenset()
    """Empty: whatever happens to the person, once `when` is true."""
    when: Expression | None = None


class Template(Struct, frozen=True):
    """A JSON value with Liquid templates in its strings, compiled once."""

    source: Any
    """The JSON value as written."""
    render: Any
    """Callable[[Mapping[str, Any]], JSON value]; raises TemplateError (a ValueError) when it cannot."""
    names: frozenset[str] = frozenset()
    """The first names its templates ask for (`profile`, `event`, `entry`, ...)."""


class Do(Struct, frozen=True, kw_only=True):
    """An action a state wants on entry."""

    sink: str
    body: Template
    expires_ms: int = 86_400_000  # a day: nobody wants yesterday's reminder.
    channel: str = ""
    """Whose consent, caps and quiet hours hold for it; empty: that of the sink in the policy, if any."""
    topic: str = ""
    """What it is about, for consent: `newsletter`."""
    holdout: float = 0.0
    """The share of people who do not get what this state does, 0 to 1."""
    is_transactional: bool = False
    """Owed to the person (a receipt, a failed payment): no cap, quiet hour, hold-out or topic stops it."""


class Call(Struct, frozen=True, kw_only=True):
    """Another journey a state starts for the same person."""

    journey: str
    key: Expression | None = None
    is_awaited: bool = True
    """The state is left by `done.call.<its id>`, which comes when the called enrolment is over, or at once
    where none could begin. Where not: the person goes on at once."""


class Journey(Struct, frozen=True, kw_only=True):
    """One journey, one immutable version of it."""

    name: str
    version: str
    """12 digits of the digest of its content."""
    text: str
    """The definition as written."""
    entry: Entry
    goal: Goal | None = None
    exits: tuple[Exit, ...] = ()
    holdout: float = 0.0
    """The share of people who enter and are held out, 0 to 1."""
    priority: int = 0
    """Of two that want the same person at once, the higher one goes first."""
    group: str = ""
    """A person is in at most one journey of a group at a time; empty: it excludes nobody."""
    chart: Chart
    experiments: dict[str, Experiment] = {}
    needs: Needs = Needs()
    lines: dict[str, int] = {}
    """State, or way (by the id it is drawn and counted by) -> its line in the text, from 1."""


class Segment(Struct, frozen=True, kw_only=True):
    """A named condition: who is in it is kept up to date, and every change is a fact."""

    name: str
    text: str
    """The definition as written."""
    when: Expression
    clock: Clock = Clock()
    """When time alone may change who is in it."""


class SegmentIndex(Struct, frozen=True, kw_only=True):
    """What may change which segments; each tuple in the order of the catalogue's segments."""

    by_event: dict[str, tuple[Segment, ...]] = {}
    """Event name -> segments it may concern, those that ask for one of these included."""
    by_any: tuple[Segment, ...] = ()
    """What an event of any other name may concern: segments about the profile itself."""
    by_time: tuple[Segment, ...] = ()
    """What time alone may change."""
    clock: Clock = Clock()
    """When time alone may change any of them."""


class Migration(Struct, frozen=True, kw_only=True):
    """What happens to the people inside one version when another comes into force."""

    revision: int
    """The catalogue's own, with which it came into force: an enrolment placed at or after it stays."""
    at: int
    """The instant of the log at which it came into force, ms."""
    to: str
    """The version they are in from then on."""
    states: dict[str, str] = {}
    """State of the old version -> state of the new one; one not named stays where it is."""
    position: int = 0
    """Of the publishing, in the log."""


EVERY_JOURNEY = ""
"""Under this name stand the holds of all journeys together."""


class Hold(Struct, frozen=True):
    """A journey (or all) stands still from an instant on: nobody enters, no timer fires, nothing moves."""

    since: int
    until: int | None = None
    """None: until somebody says otherwise."""
    position: int = 0
    """The log entry that said so: what happens at its very instant comes before it or after it."""


class Catalogue(Struct, frozen=True, kw_only=True):
    """All definitions in force, indexed by what an event asks for first: who cares about its name."""

    journeys: dict[str, Journey]
    """By name: the version new people enter."""
    versions: dict[tuple[str, str], Journey] = {}
    """By (name, version): every version somebody may still be inside."""
    entries: dict[str, tuple[Journey, ...]] = {}
    """Event name -> journeys it may enter, in the order of their names."""
    needs: Needs = Needs()
    """What all of them together ask of a profile."""
    ranks: dict[str, int] = {}
    """Step -> its stage, for `regressed()`."""
    session_gap_ms: int = 30 * 60_000  # the web's convention since Urchin.
    policy: Policy = Policy()
    segments: dict[str, Segment] = {}
    """By name; one that asks for another stands after it."""
    by_segment: dict[str, tuple[Journey, ...]] = {}
    """Segment -> journeys that becoming a member enters."""
    scheduled: tuple[Journey, ...] = ()
    """Journeys that are entered by the clock."""
    renewed: int = 0
    """The revision of the last publishing: a person brought up to date before it is to be so again."""
    renewed_at: int = 0
    """The instant of the log at which that was, ms."""
    migrations: dict[tuple[str, str], tuple[Migration, ...]] = {}
    """(name, version) -> what happens to the people inside it, in order of their revisions."""
    holds: dict[str, tuple[Hold, ...]] = {}
    """Journey -> when it stood still, in order; under EVERY_JOURNEY, all of them."""
    forecasts: dict[str, dict[str, float]] = {}
    """Goal -> step -> the probability of reaching the goal from it before the visit ends."""
    allocations: dict[str, dict[str, list[float]]] = {}
    """Experiment -> cell of its context -> what was learnt of its weights, in the order of the variants."""
    flags: dict[str, Flag] = {}
    """Stand-alone flags, by name."""
    experiments: dict[str, Experiment] = {}
    """By id: of flags, and of every version of a journey."""
    adaptive: dict[str, Experiment] = {}
    """Those with adaptive allocation."""
    rewards: dict[str, tuple[Experiment, ...]] = {}
    """Event name -> adaptive experiments that it may reward."""
    goal_rewards: dict[str, tuple[Experiment, ...]] = {}
    """Journey -> adaptive experiments that its goal rewards."""
    is_playing: bool = False
    """Imports are played: whoever enters, also by the clock or a segment, is a shadow."""
    segment_index: SegmentIndex = SegmentIndex()
    late_goals: frozenset[str] = frozenset()
    """Events that reach a goal also after the enrolment is over."""
