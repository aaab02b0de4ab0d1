"""Tally: what one version of a journey came to, counted from facts, and added up over groups of people."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from math import isfinite
from typing import Any, get_args

from msgspec import Struct
from msgspec.structs import fields

from sojourn.model import fact as facts
from sojourn.model.fact import Fact
from sojourn.model.ids import EnrolmentId, ProfileId
from sojourn.runtime.rehearsal.durations import class_of

DAY_MS = 86_400_000
MILLIONTH = 1_000_000  # Values of goals are added as whole millionths: sums of floats depend on their order.
MAX_DETAILS = 20  # of errors, told apart per journey.

JOURNEY_FACTS: frozenset[type[Any]] = frozenset(
    kind for kind in get_args(Fact) if "journey" in kind.__struct_fields__
)
"""All facts about a journey, those of features to come among them."""

Counts = dict[str, int]


class Tally(Struct):
    """What one journey came to."""

    versions: Counts = {}
    """Version -> how many entered it."""
    entered: int = 0
    people: int = 0
    """Different people who entered."""
    held_out: Counts = {}
    """Hold-out -> how many of them it keeps back."""
    not_entered: Counts = {}
    """Reason -> how often."""
    goals: int = 0
    goals_after_exit: int = 0
    value_millionths: int = 0
    exits: Counts = {}
    actions: Counts = {}
    """`sink in state` -> how many went to the outbox."""
    withheld: dict[str, Counts] = {}
    """`sink in state` -> reason -> how many."""
    deferred: dict[str, Counts] = {}
    exposures: Counts = {}
    """`experiment: variant` -> how many."""
    errors: int = 0
    error_details: Counts = {}
    """The first few details of errors by the alphabet; which those are does not depend on who counted."""
    others: Counts = {}
    """Facts that nothing above counts, by kind."""
    ways: Counts = {}
    """`source > target > event` -> how often it was taken."""
    visits: Counts = {}
    """State -> how often it was entered."""
    left: Counts = {}
    """State -> how often it was left, the end of the enrolment included."""
    waiting: dict[str, dict[int, int]] = {}
    """State -> class of duration -> how many are in it at the end, for so long."""
    stays: dict[str, dict[int, int]] = {}
    """State -> class of duration (see `class_of`) -> how many stayed so long before they left."""
    to_goal: dict[int, int] = {}
    by_day: dict[int, int] = {}
    """Day (since 1970, UTC) -> how many actions went to the outbox."""


def add(total: Any, more: Any) -> Any:
    """Add up two tallies, counts, or objects of counts; `total` is changed, where it can be."""
    if isinstance(more, int):
        return total + more
    if isinstance(more, dict):
        for key, value in more.items():
            total[key] = add(total[key], value) if key in total else add(type(value)(), value)
        return total
    for field in fields(type(more)):
        setattr(total, field.name, add(getattr(total, field.name), getattr(more, field.name)))
    if isinstance(total, Tally):
        _keep_first(total.error_details)
    return total


class Counter:
    """Counts the facts of one group after another, journey by journey."""

    def __init__(self) -> None:
        self.tallies: dict[str, Tally] = {}

    def take(self, told: Sequence[Fact], owner_of: Callable[[Fact], ProfileId], *, until: int) -> None:
        """Take the facts of one group about journeys in, whole: those of an enrolment in their order.

        `until` is the instant at which the rehearsal ends.
        """
        enrolled: dict[EnrolmentId, _Enrolled] = {}
        people: set[tuple[ProfileId, str]] = set()
        for fact in told:
            tally = self._of(fact)
            _count(tally, fact)
            if isinstance(fact, facts.Entered):
                enrolled[fact.enrolment_id] = _Enrolled(fact.at, tally)
                people.add((owner_of(fact), fact.journey))
            elif isinstance(fact, _MOVES) and fact.enrolment_id in enrolled:
                enrolled[fact.enrolment_id].follow(fact)
        for _, journey in people:
            self.tallies[journey].people += 1
        for one in enrolled.values():
            one.end(until)

    def _of(self, fact: Fact) -> Tally:
        journey: str = fact.journey  # type: ignore[union-attr] # all of JOURNEY_FACTS have one
        tally = self.tallies.get(journey)
        if tally is None:
            tally = self.tallies[journey] = Tally()
        return tally


_MOVES = (facts.Transitioned, facts.Migrated, facts.Exited, facts.GoalReached)


_Move = facts.Transitioned | facts.Migrated | facts.Exited | facts.GoalReached


class _Enrolled:
    """Where one enrolment stands, and since when."""

    __slots__ = ("_entered_at", "_inside", "_tally")

    def __init__(self, entered_at: int, tally: Tally) -> None:
        self._entered_at = entered_at
        self._tally = tally
        self._inside: dict[str, int] = {}

    def follow(self, fact: _Move) -> None:
        """Move as the fact says."""
        match fact:
            case facts.GoalReached():
                _increase(self._tally.to_goal, class_of(max(0, fact.at - self._entered_at)))
            case facts.Exited():
                self._leave([*self._inside], fact.at)
            case _:
                self._leave(fact.source, fact.at)
                for state in fact.target:
                    self._inside[state] = fact.at
                    _increase(self._tally.visits, state)

    def end(self, until: int) -> None:
        """Count it where it waits."""
        for state, since in self._inside.items():
            _increase(self._tally.waiting.setdefault(state, {}), class_of(max(0, until - since)))

    def _leave(self, states: Iterable[str], at: int) -> None:
        for state in states:
            since = self._inside.pop(state, None)
            if since is not None:
                _increase(self._tally.left, state)
                _increase(self._tally.stays.setdefault(state, {}), class_of(at - since))


def _count(tally: Tally, fact: Fact) -> None:
    match fact:
        case facts.Entered():
            tally.entered += 1
            _increase(tally.versions, fact.version)
            if fact.held_out:
                _increase(tally.held_out, fact.holdout or "journey")
        case facts.NotEntered():
            _increase(tally.not_entered, fact.reason)
        case facts.Transitioned():
            _increase(tally.ways, f"{', '.join(fact.source)} > {', '.join(fact.target)} > {fact.event}")
        case facts.GoalReached():
            tally.goals += 1
            tally.goals_after_exit += fact.after_exit
            if fact.value is not None and isfinite(fact.value):
                tally.value_millionths += round(fact.value * MILLIONTH)
        case facts.Exited():
            _increase(tally.exits, fact.reason)
        case facts.ActionDecided() | facts.ActionWithheld() | facts.ActionDeferred():
            _count_action(tally, fact)
        case facts.Exposed():
            _increase(tally.exposures, f"{fact.experiment}: {fact.variant}")
        case facts.JourneyError():
            tally.errors += 1
            tally.error_details[fact.detail] = 1
            _keep_first(tally.error_details)
        case _:
            _increase(tally.others, str(type(fact).__struct_config__.tag))


_OfAction = facts.ActionDecided | facts.ActionWithheld | facts.ActionDeferred


def _count_action(tally: Tally, fact: _OfAction) -> None:
    match fact:
        case facts.ActionDecided():
            _increase(tally.actions, place(fact))
            _increase(tally.by_day, fact.at // DAY_MS)
        case facts.ActionWithheld():
            _increase(tally.withheld.setdefault(place(fact), {}), fact.reason)
        case facts.ActionDeferred():
            _increase(tally.deferred.setdefault(place(fact), {}), fact.reason)


def read_way(taken: str) -> tuple[list[str], list[str], str]:
    """Read `source > target > event` again: (states left, states entered, what moved it)."""
    source, target, event = taken.split(" > ", 2)
    return source.split(", ") if source else [], target.split(", ") if target else [], event


def place(fact: _OfAction) -> str:
    """Say where an action is wanted."""
    return f"{fact.sink} in {fact.state}"


def _increase(counts: dict[Any, int], key: Any) -> None:
    counts[key] = counts.get(key, 0) + 1


def _keep_first(details: Counts) -> None:
    for detail in sorted(details)[MAX_DETAILS:]:
        del details[detail]
    for detail in details:
        details[detail] = 1
