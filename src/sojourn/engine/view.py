"""The view: a profile at one instant, as expressions and templates see it (a `Scope`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from msgspec import structs

from sojourn.definitions.expression import EXIT
from sojourn.definitions.journey import Catalogue
from sojourn.engine import forecasts, friction_state
from sojourn.engine.enrich import Enrichment
from sojourn.engine.experiments import choose
from sojourn.engine.objects import read_object
from sojourn.engine.sessions import current
from sojourn.engine.state import Enrolment, Life
from sojourn.engine.traits import count_within
from sojourn.engine.zone import zone_of
from sojourn.model.event import Event
from sojourn.model.ids import derive

_NOTHING: Mapping[str, Any] = {}


class View:
    """What a profile looks like while one input is handled; everything is looked up when it is asked for."""

    __slots__ = (
        "_cache",
        "_enrichment",
        "_event",
        "_life",
        "active",
        "at",
        "catalogue",
        "data",
        "enrolment",
        "unit",
    )

    def __init__(
        self,
        life: Life,
        catalogue: Catalogue,
        *,
        at: int,
        unit: str,
        event: Event | None = None,
        enrichment: Enrichment | None = None,
    ) -> None:
        self._life = life
        self.catalogue = catalogue
        self._event = event
        self._enrichment = enrichment
        self._cache: dict[str, Mapping[str, Any]] = {}
        self.at = at
        self.unit = unit
        self.enrolment: Enrolment | None = None
        self.active: frozenset[str] = frozenset()
        self.data: Mapping[str, Any] = _NOTHING

    @property
    def zone(self) -> ZoneInfo:
        return zone_of(self._life, self.catalogue.policy)

    @property
    def properties(self) -> Mapping[str, Any]:
        found = self._cache.get("properties")
        if found is None:
            found = self._cache["properties"] = (
                read_object(self._event.properties) if self._event else _NOTHING
            )
        return found

    @property
    def event(self) -> Mapping[str, Any]:
        found = self._cache.get("event")
        if found is None:
            found = self._cache["event"] = self._describe_event()
        return found

    @property
    def traits(self) -> Mapping[str, Any]:
        found = self._cache.get("traits")
        if found is None:
            found = self._cache["traits"] = {name: trait.value for name, trait in self._life.traits.items()}
        return found

    @property
    def profile(self) -> Mapping[str, Any]:
        life = self._life
        return {
            "id": self.unit,
            "user_id": life.user_ids[0] if life.user_ids else None,
            "anonymous_id": life.anonymous_ids[-1] if life.anonymous_ids else None,
            "first_seen_at": life.first_seen_at,
            "last_seen_at": life.last_seen_at,
            "traits": self.traits,
        }

    @property
    def entry(self) -> Mapping[str, Any]:
        if self.enrolment is None:
            return _NOTHING
        entry = self.enrolment.entry
        key = "entry:" + self.enrolment.id
        found = self._cache.get(key)
        if found is None:
            found = self._cache[key] = {
                "name": entry.name,
                "at": entry.at,
                "key": self.enrolment.key,
                "properties": read_object(entry.properties),
            }
        return found

    @property
    def session(self) -> Mapping[str, Any]:
        session = current(self._life.sessions)
        if session is None:
            return _NOTHING
        return {
            "id": session.id,
            "n_events": session.n_events,
            "started_at": session.started_at,
            "duration_s": (session.ended_at - session.started_at) / 1000,
            "channel": session.channel,
        }

    def draw(self, seed: str) -> float:
        whose = self.unit if self.enrolment is None else self.enrolment.id
        # The instant tells one round of a loop from the next; 48 bits are finer than any wait in ms.
        return int(derive("draw", whose, seed, str(self.at))[:12], 16) / 2**48

    @property
    def friction(self) -> Mapping[str, Any]:
        friction = self._life.friction
        return {
            "score": friction_state.score(friction, self.catalogue.policy.friction, self.at),
            "last": friction.signals[-1].name if friction and friction.signals else None,
        }

    def count(self, name: str, within_ms: int | None) -> int:
        counter = self._life.counters.get(name)
        if counter is None:
            return 0
        return counter.n if within_ms is None else count_within(counter, at=self.at, within_ms=within_ms)

    def since(self, name: str) -> float | None:
        counter = self._life.counters.get(name)
        return None if counter is None else max(0, self.at - counter.last_at) / 1000

    def in_segment(self, segment: str) -> bool:
        return segment in self._life.segments

    def visits(self, step: str) -> int:
        session = current(self._life.sessions)
        return session.steps.get(step, 0) if session else 0

    def loops(self, step: str) -> int:
        return max(0, self.visits(step) - 1)

    def regressed(self) -> bool:
        session = current(self._life.sessions)
        return session is not None and 0 <= session.latest_rank < session.furthest_rank

    def variant(self, experiment: str) -> str | None:
        """Return the variant the person has, or would get here; asking is not exposure."""
        kept = self._life.variants.get(experiment)
        if kept is not None or self.enrolment is None:
            return kept
        journey = self.catalogue.versions.get((self.enrolment.journey, self.enrolment.version))
        definition = journey.experiments.get(experiment) if journey else None
        if definition is None:
            return None
        learnt = self.catalogue.allocations
        choice = choose(definition, self.unit, kept=self._life.variants, scope=self, learnt=learnt)
        return choice.variant if choice is not None else None

    def friction_count(self, name: str, within_ms: int | None) -> int:
        return friction_state.count(self._life.friction, name, at=self.at, within_ms=within_ms)

    def propensity(self, goal: str) -> float | None:
        return forecasts.probability(self._life, self.catalogue, goal, at=self.at)

    def hazard(self) -> float | None:
        return forecasts.probability(self._life, self.catalogue, EXIT, at=self.at)

    def churn(self) -> float | None:
        return forecasts.churn(self._life, self.catalogue.policy.churn, at=self.at)

    def names(self) -> dict[str, Any]:
        """Return what templates may name."""
        return {
            "event": self.event,
            "properties": self.properties,
            "traits": self.traits,
            "trait": self.traits,
            "profile": self.profile,
            "entry": self.entry,
            "session": self.session,
            "journey": {"name": self.enrolment.journey, "version": self.enrolment.version}
            if self.enrolment
            else {},
        }

    def _describe_event(self) -> Mapping[str, Any]:
        event = self._event
        if event is None:
            return _NOTHING
        return {
            "name": event.name,
            "kind": event.kind,
            "message_id": event.message_id,
            "occurred_at": event.occurred_at,
            "properties": self.properties,
            "traits": read_object(event.traits),
            "user_id": event.user_id,
            "anonymous_id": event.anonymous_id,
            "group_id": event.group_id,
            "source": event.source,
            "channel": self._enrichment.channel if self._enrichment else "",
            # `to_builtins` would leave out what is usual: `is_bot` of everybody who is none.
            "device": structs.asdict(event.device) if event.device else _NOTHING,
            "geo": structs.asdict(event.geo) if event.geo else _NOTHING,
        }
