"""Tallies: how many people are where in each journey, and met which experiment.

They are counted from facts, in the commit that stores these.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

import msgspec
from msgspec import Struct

from sojourn.definitions.journey import EVERY_JOURNEY, Catalogue
from sojourn.model.fact import (
    ActionDecided,
    ActionWithheld,
    AssignmentConflict,
    Entered,
    Exited,
    Exposed,
    Fact,
    GoalReached,
    Migrated,
    Transitioned,
)
from sojourn.model.views import JourneyView

DOCUMENT = "tallies"
EXPERIMENTS = "experiment_tallies"
MAX_EXPERIMENTS = 1_000  # counted, those that were met first: definitions hold no more at once.
_COUNTED = frozenset({
    Transitioned, Migrated, Entered, Exited, GoalReached, ActionDecided, ActionWithheld, Exposed,
    AssignmentConflict,
})  # fmt: skip


class Tally(Struct):
    """Of one version of one journey."""

    entered: int = 0
    goals: int = 0
    exited: int = 0
    actions: int = 0
    withheld: int = 0
    states: dict[str, int] = {}
    migrated: int = 0
    """Taken along from another version, less those taken along to another."""


class ExperimentTally(Struct):
    """Of one experiment."""

    exposed: int = 0
    conflicts: int = 0
    """People who met two variants: above one in a hundred of those exposed, identity is in question."""


class Kept(Protocol):
    """Where they are kept."""

    def kept(self, name: str) -> bytes | None:
        """Return a document kept under a name."""


class Tallies:
    """All of them, by journey and version, and by experiment."""

    def __init__(self, store: Kept) -> None:
        kept, met = store.kept(DOCUMENT), store.kept(EXPERIMENTS)
        self._tallies = {} if kept is None else msgspec.json.decode(kept, type=dict[str, dict[str, Tally]])
        self.experiments: dict[str, ExperimentTally] = {}
        """By their ids."""
        if met is not None:
            self.experiments = msgspec.json.decode(met, type=dict[str, ExperimentTally])

    def take_back(self, facts: Iterable[Fact]) -> bool:
        """Take facts out again; return whether that changed anything."""
        return self.take(facts, by=-1)

    def add(self, other: Tallies) -> None:
        """Add what was counted elsewhere, or taken back there."""
        for journey, versions in other._tallies.items():
            for version, more in versions.items():
                tally = self._of(journey, version)
                for name in ("entered", "goals", "exited", "actions", "withheld", "migrated"):
                    setattr(tally, name, getattr(tally, name) + getattr(more, name))
                for state, n_people in more.states.items():
                    _move(tally.states, [state], n_people)
        for name, met in other.experiments.items():
            own = self._met(name)
            own.exposed += met.exposed
            own.conflicts += met.conflicts

    def take(self, facts: Iterable[Fact], *, by: int = 1) -> bool:
        """Take facts in, each so many times; return whether they changed anything."""
        has_changed = False
        for fact in facts:
            if type(fact) not in _COUNTED:  # most are steps: one look instead of six
                continue
            match fact:
                case Transitioned():
                    states = self._of(fact.journey, fact.version).states
                    _move(states, fact.source, -by)
                    _move(states, fact.target, +by)
                case Migrated():
                    before, tally = (self._of(fact.journey, one) for one in (fact.from_version, fact.version))
                    _move(before.states, fact.source, -by)
                    _move(tally.states, fact.target, +by)
                    before.migrated -= by
                    tally.migrated += by
                case Entered():
                    tally = self._of(fact.journey, fact.version)
                    tally.entered += by
                case Exited():
                    tally = self._of(fact.journey, fact.version)
                    tally.exited += by
                    _move(tally.states, fact.state, -by)
                case GoalReached():
                    self._of(fact.journey, fact.version).goals += by
                case ActionDecided():
                    self._of(fact.journey, fact.version).actions += by
                case ActionWithheld():
                    self._of(fact.journey, fact.version).withheld += by
                case Exposed():
                    self._met(fact.experiment).exposed += by
                case AssignmentConflict():
                    self._met(fact.experiment).conflicts += by
            has_changed = True
        return has_changed

    def documents(self) -> dict[str, bytes]:
        """Return them as the store keeps them."""
        documents = {DOCUMENT: msgspec.json.encode(self._tallies)}
        if self.experiments:
            documents[EXPERIMENTS] = msgspec.json.encode(self.experiments)
        return documents

    def views(self, catalogue: Catalogue) -> list[JourneyView]:
        """Lay them out for a reader: versions in force, and older ones that somebody was in."""
        versions = dict.fromkeys((journey.name, journey.version) for journey in catalogue.journeys.values())
        versions.update(dict.fromkeys((name, one) for name, row in self._tallies.items() for one in row))
        return [self._view(catalogue, name, version) for name, version in sorted(versions)]

    def inside(self, journey: str) -> dict[str, int]:
        """Return how many are inside each version of a journey: who came, less who went."""
        tallies = self._tallies.get(journey, {})
        return {version: one.entered + one.migrated - one.exited for version, one in tallies.items()}

    def _of(self, journey: str, version: str) -> Tally:
        return self._tallies.setdefault(journey, {}).setdefault(version, Tally())

    def _met(self, experiment: str) -> ExperimentTally:
        found = self.experiments.get(experiment)
        if found is None:
            found = ExperimentTally()
            if len(self.experiments) < MAX_EXPERIMENTS:
                self.experiments[experiment] = found
        return found

    def _view(self, catalogue: Catalogue, name: str, version: str) -> JourneyView:
        tally = self._tallies.get(name, {}).get(version, Tally())
        current = catalogue.journeys.get(name)
        return JourneyView(
            name=name,
            version=version,
            is_open=current is not None and current.version == version,
            is_paused=_is_paused(catalogue, name),
            entered=tally.entered,
            goals=tally.goals,
            exited=tally.exited,
            actions=tally.actions,
            withheld=tally.withheld,
            states=dict(sorted(tally.states.items())),
        )


def _is_paused(catalogue: Catalogue, name: str) -> bool:
    holds = (catalogue.holds.get(one, ()) for one in (name, EVERY_JOURNEY))
    return any(several and several[-1].until is None for several in holds)


def _move(states: dict[str, int], names: Sequence[str], by: int) -> None:
    for name in names:
        states[name] = states.get(name, 0) + by
        if not states[name]:
            del states[name]
