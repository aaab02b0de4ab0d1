"""Report: what a rehearsal came to, for people and for programs; the same bytes on every run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from sojourn.definitions.journey import Catalogue, Journey
from sojourn.definitions.way_ids import ENTRY, EXIT, GOAL, ways_taken
from sojourn.runtime.rehearsal.collecting import Example, Part
from sojourn.runtime.rehearsal.durations import Quantiles, quantiles
from sojourn.runtime.rehearsal.suspicions import Suspicion, suspect
from sojourn.runtime.rehearsal.tally import DAY_MS, MILLIONTH, Counts, Tally, read_way


class VersionReport(Struct, frozen=True, kw_only=True):
    """What one version of a journey came to."""

    version: str
    entered: int
    people: int
    held_out: Counts
    not_entered: Counts
    goals: int
    goals_after_exit: int
    value: float
    exits: Counts
    actions: Counts
    withheld: dict[str, Counts]
    deferred: dict[str, Counts]
    exposures: Counts
    errors: int
    error_details: list[str]
    others: Counts
    states: Counts
    """State -> how often it was entered."""
    ways: Counts
    """Way of the chart, by its id -> how often it was taken."""
    waiting: Counts
    """State -> how many are in it at the end."""
    stays: dict[str, Quantiles]
    """State -> how long people stayed who left it."""
    to_goal: Quantiles | None
    actions_by_day: list[int]
    """From the first day of the rehearsal to its last."""


class JourneyReport(Struct, frozen=True, kw_only=True):
    """One journey, in the draft and as it is published."""

    journey: str
    is_draft: bool
    """False: another journey, to which a draft makes a difference."""
    draft: VersionReport | None
    published: VersionReport | None
    differences: dict[str, Counts]
    """What, and where -> kind -> how many."""
    affected: dict[str, Counts]
    """What, and where -> kind -> how many people."""


class Report(Struct, frozen=True, kw_only=True):
    """All of it: differences first."""

    affected: int
    """People to whom the versions make a difference."""
    people: int
    """People who entered a journey in one version or the other."""
    groups: int
    events: int
    since: int
    """The first instant rehearsed, ms."""
    until: int
    deliver: str
    is_compared: bool
    journeys: list[JourneyReport]
    suspicions: list[Suspicion]
    examples: list[Example]
    broken: int
    """Groups of people that a bug of ours kept out."""
    broken_groups: list[str]


class Frame(Struct, frozen=True, kw_only=True):
    """What was rehearsed."""

    draft: Catalogue
    published: Catalogue | None
    drafts: frozenset[str]
    """The names of the drafts; what else was played is shown where they make a difference to it."""
    since: int
    until: int
    deliver: str


def build_report(part: Part, frame: Frame) -> Report:
    """Lay out what was counted."""
    catalogues = [each for each in (frame.draft, frame.published) if each is not None]
    names = sorted({name for catalogue in catalogues for name in catalogue.journeys})
    shown = [name for name in names if name in frame.drafts or name in part.n_different]
    suspicions = [
        suspicion
        for name in shown
        if name in frame.drafts and name in frame.draft.journeys
        for suspicion in suspect(
            frame.draft.journeys[name], part.draft.get(name, Tally()), part.asked.get(name, {})
        )
    ]
    return Report(
        affected=part.n_affected,
        people=part.n_people,
        groups=part.n_groups,
        events=part.n_events,
        since=frame.since,
        until=frame.until,
        deliver=frame.deliver,
        is_compared=frame.published is not None,
        journeys=[_journey(name, part, frame) for name in shown],
        suspicions=suspicions,
        examples=part.examples,
        broken=part.n_broken,
        broken_groups=part.broken,
    )


def _journey(name: str, part: Part, frame: Frame) -> JourneyReport:
    return JourneyReport(
        journey=name,
        is_draft=name in frame.drafts,
        draft=_version(name, frame.draft, part.draft, frame),
        published=_version(name, frame.published, part.published, frame),
        differences=_two_deep(part.n_different.get(name, {})),
        affected=_two_deep(part.n_affected_by.get(name, {})),
    )


def _version(
    name: str, catalogue: Catalogue | None, tallies: Mapping[str, Tally], frame: Frame
) -> VersionReport | None:
    if catalogue is None or name not in catalogue.journeys:
        return None
    tally = tallies.get(name, Tally())
    return VersionReport(
        version=catalogue.journeys[name].version,
        entered=tally.entered,
        people=tally.people,
        held_out=_by_name(tally.held_out),
        not_entered=_by_name(tally.not_entered),
        goals=tally.goals,
        goals_after_exit=tally.goals_after_exit,
        value=tally.value_millionths / MILLIONTH,
        exits=_by_name(tally.exits),
        actions=_by_name(tally.actions),
        withheld=_two_deep(tally.withheld),
        deferred=_two_deep(tally.deferred),
        exposures=_by_name(tally.exposures),
        errors=tally.errors,
        error_details=sorted(tally.error_details),
        others=_by_name(tally.others),
        states=_by_name(tally.visits),
        ways=_ways(catalogue.journeys[name], tally),
        waiting={state: sum(waiting.values()) for state, waiting in sorted(tally.waiting.items())},
        stays={state: quantiles(stays) for state, stays in sorted(tally.stays.items())},
        to_goal=quantiles(tally.to_goal) if tally.to_goal else None,
        actions_by_day=_days(tally.by_day, frame.since, frame.until),
    )


def _ways(journey: Journey, tally: Tally) -> Counts:
    """Count by the ids that a chart of the journey has."""
    ways: Counts = {ENTRY: tally.entered, GOAL: tally.goals, EXIT: tally.exits.get("exit", 0)}
    for taken, n in tally.ways.items():
        source, target, event = read_way(taken)
        for way in ways_taken(journey.chart, source, target, event):
            ways[way] = ways.get(way, 0) + n
    return {way: n for way, n in sorted(ways.items()) if n}


def _days(by_day: Mapping[int, int], since: int, until: int) -> list[int]:
    if not by_day:
        return []
    return [by_day.get(day, 0) for day in range(since // DAY_MS, until // DAY_MS + 1)]


def _by_name(counts: Mapping[str, int]) -> Counts:
    return dict(sorted(counts.items()))


def _two_deep(counts: Mapping[str, Counts]) -> dict[str, Counts]:
    return {key: _by_name(inner) for key, inner in sorted(counts.items())}


def told_of(examples: Iterable[Example], any_id: str) -> Sequence[Example]:
    """Return the examples about a person; about everybody the id ever concerned, where it is nobody's own."""
    each = list(examples)
    own = [example for example in each if example.person in ("u:" + any_id, "a:" + any_id)]
    return own or each
