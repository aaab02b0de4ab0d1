"""Folding: what facts change in the tables of traffic, worked out in memory for one batch of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import msgspec

from sojourn.model.fact import Entered, Exited, Fact, GoalReached, Identified, Migrated, Transitioned

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
ALL = -1
"""Stands for all hours, and all days: the totals."""
MAX_KINDS = 2_000
"""Of what happens in one version, told apart: some ways of one chart, times what may take them. Of moves
beyond it only the states are told, for `*` may answer any name."""
PRECISION_BITS = 5  # a class of durations is 1/32 wide: a quantile is told to within 3 %.
ANY = "*"

_Key = TypeVar("_Key")


class Versions:
    """The numbers of versions."""

    def __init__(self, rows: Iterable[tuple[str, str, int]], kinds: Iterable[tuple[int, str]]) -> None:
        self._numbers = {(journey, version): number for journey, version, number in rows}
        self._new: list[tuple[str, str, int]] = []
        self.kinds: dict[int, set[str]] = {}
        """Of each version, what was told apart of what happened."""
        for version, what in kinds:
            self.kinds.setdefault(version, set()).add(what)

    def number(self, journey: str, version: str) -> int:
        """Return a version's number, a new one where it has none."""
        number = self._numbers.get((journey, version))
        if number is None:
            number = self._numbers[journey, version] = len(self._numbers) + 1
            self._new.append((journey, version, number))
        return number

    def new(self) -> list[tuple[str, str, int]]:
        """Return those numbered since this was asked last."""
        new, self._new = self._new, []
        return new


@dataclass(slots=True)
class Enrolled:
    """One enrolment that is not over."""

    n: int
    """In the order of entry."""
    version: int
    person: str
    key: str
    entered_at: int
    states: dict[str, int]
    """Atomic states it is in -> since when, ms."""


@dataclass(slots=True)
class Changes:
    """What is to be written."""

    inside: dict[str, Enrolled] = field(default_factory=dict)
    gone: list[int] = field(default_factory=list)
    placed: list[tuple[int, str, int, int]] = field(default_factory=list)
    unplaced: list[tuple[int, str, int, int]] = field(default_factory=list)
    people: dict[tuple[int, str], int] = field(default_factory=dict)
    happened: dict[tuple[int, int, str], int] = field(default_factory=dict)
    stays: dict[tuple[int, int, str, int], int] = field(default_factory=dict)
    renamed: list[tuple[str, str]] = field(default_factory=list)


class Folding:
    """Takes the facts of one batch in, in their order."""

    def __init__(self, versions: Versions, known: Mapping[str, Enrolled], *, next_n: int) -> None:
        self.next_n = next_n
        self._versions = versions
        self._known: dict[str, Enrolled | None] = dict(known)
        self._before = {name: (one.version, dict(one.states)) for name, one in known.items()}
        self._numbers = {name: one.n for name, one in known.items()}
        self._touched: dict[str, None] = {}
        self._changes = Changes()

    def take(self, fact: Fact) -> None:
        """Count one fact."""
        match fact:
            case Transitioned():
                self._happened(fact, ["moved", fact.source, fact.target, fact.event])
                self._move(fact, fact.source, fact.target)
            case Entered():
                self._happened(fact, ["entered"])
                self._enter(fact)
            case Exited():
                self._happened(fact, ["exited", fact.reason, fact.state])
                self._exit(fact)
            case GoalReached():
                self._happened(fact, ["goal"])
            case Migrated():
                self._migrate(fact)
            case Identified() if fact.anonymous_id is not None:
                self._changes.renamed.append((fact.profile_id, f"a:{fact.anonymous_id}"))
            case _:
                return

    def changes(self) -> Changes:
        """Return what all of them came to."""
        changes = self._changes
        for name in self._touched:
            one = self._known[name]
            version, before = self._before.get(name, (0, {}))
            after = {} if one is None else one.states
            number = self._numbers[name]
            for state, since in before.items():
                if one is None or one.version != version or after.get(state) != since:
                    changes.unplaced.append((version, state, since, number))
            if one is None:
                changes.gone.append(number)
                continue
            changes.inside[name] = one
            for state, since in after.items():
                if one.version != version or before.get(state) != since:
                    changes.placed.append((one.version, state, since, number))
        return changes

    def _enter(self, fact: Entered) -> None:
        version = self._versions.number(fact.journey, fact.version)
        if self._known.get(fact.enrolment_id) is None:
            self._known[fact.enrolment_id] = Enrolled(
                self.next_n, version, fact.profile_id, fact.key, fact.at, {}
            )
            self._numbers.setdefault(fact.enrolment_id, self.next_n)
            self.next_n += 1
            self._touched[fact.enrolment_id] = None

    def _move(self, fact: Transitioned, source: Iterable[str], target: Iterable[str]) -> None:
        version = self._versions.number(fact.journey, fact.version)
        one = self._known.get(fact.enrolment_id)
        self._leave(one, version, source, fact.at)
        for state in target:
            self._count_people(version, state, +1)
            if one is not None:
                one.states[state] = fact.at
        if one is not None:
            one.person = fact.profile_id
            self._touched[fact.enrolment_id] = None

    def _exit(self, fact: Exited) -> None:
        version = self._versions.number(fact.journey, fact.version)
        one = self._known.get(fact.enrolment_id)
        if fact.reason == "final":  # one that ended is left by nobody
            for state in fact.state:
                self._count_people(version, state, -1)
        else:
            self._leave(one, version, fact.state, fact.at)
        if one is not None:
            self._known[fact.enrolment_id] = None
            self._touched[fact.enrolment_id] = None

    def _migrate(self, fact: Migrated) -> None:
        old = self._versions.number(fact.journey, fact.from_version)
        new = self._versions.number(fact.journey, fact.version)
        self._note(old, fact.at, ["went", fact.source])
        self._note(new, fact.at, ["came", fact.target])
        one = self._known.get(fact.enrolment_id)
        for state in fact.source:
            self._count_people(old, state, -1)
        before = {} if one is None else one.states
        for state in fact.target:
            self._count_people(new, state, +1)
        if one is not None:
            # Who stays where they are waits on from when they came; who is put elsewhere begins there.
            one.states = {state: before.get(state, fact.at) for state in fact.target}
            one.version, one.person = new, fact.profile_id
            self._touched[fact.enrolment_id] = None

    def _leave(self, one: Enrolled | None, version: int, states: Iterable[str], at: int) -> None:
        for state in states:
            self._count_people(version, state, -1)
            since = None if one is None else one.states.pop(state, None)
            if since is not None:
                edge = class_of(max(0, at - since))
                for day in (ALL, at // DAY_MS):
                    _add(self._changes.stays, (version, day, state, edge))

    def _count_people(self, version: int, state: str, by: int) -> None:
        _add(self._changes.people, (version, state), by)

    def _happened(
        self, fact: Transitioned | Entered | Exited | GoalReached, what: list[str | list[str]]
    ) -> None:
        self._note(self._versions.number(fact.journey, fact.version), fact.at, what)

    def _note(self, version: int, at: int, what: list[str | list[str]]) -> None:
        kinds = self._versions.kinds.setdefault(version, set())
        text = msgspec.json.encode(what).decode()
        if text not in kinds and len(kinds) >= MAX_KINDS and what[0] == "moved":
            text = msgspec.json.encode([*what[:3], ANY]).decode()
        kinds.add(text)
        for hour in (ALL, at // HOUR_MS):
            _add(self._changes.happened, (version, hour, text))


def class_of(duration_ms: int) -> int:
    """Return the class of a duration: its lower edge, ms.

    >>> class_of(50), class_of(1_000), class_of(86_400_000)
    (50, 992, 85983232)
    """
    excess_bits = max(0, duration_ms.bit_length() - PRECISION_BITS - 1)
    return duration_ms >> excess_bits << excess_bits


def _add(counts: dict[_Key, int], key: _Key, by: int = 1) -> None:
    counts[key] = counts.get(key, 0) + by
