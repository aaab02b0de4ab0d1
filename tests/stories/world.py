"""A small world for stories: people do things, time passes, and what came of it can be asked.

It is a `Story` as authors have it, with its clock in minutes since the start and hold-outs as they are live.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec.structs import replace

from sojourn.definitions.catalogue import build_catalogue, load_definitions
from sojourn.definitions.compile import compile_journey
from sojourn.definitions.journey import Catalogue, Journey
from sojourn.definitions.policy import Policy
from sojourn.model.action import Action
from sojourn.model.fact import Fact
from sojourn.model.views import EnrolmentView, ProfileView
from sojourn.runtime.driver import Driver
from sojourn.testing import Story
from tests.engine.makers import MINUTE, T0, event


class World:
    """One engine in memory, with a clock of its own (minutes since the start)."""

    def __init__(self, *journeys: str, policy: str = "") -> None:
        self.story = Story(starts=datetime.fromtimestamp(T0 / 1000, UTC).isoformat(), holdouts=True)
        self.log, self.store = self.story.log, self.story.store
        self.policy = load_definitions([("policy.yaml", policy)]).policy if policy else Policy()
        """What holds for all journeys; without a text nothing, no hold-out either."""
        self.publish(*journeys)

    def publish(
        self, *files: str, older: tuple[str, ...] = (), built: tuple[Journey, ...] = (), revision: int = 0
    ) -> None:
        """Bring journeys and segments into force; `older` are journeys somebody may still be inside.

        `built` are journeys made without a file.
        """
        current = load_definitions([(f"{index}.yaml", text) for index, text in enumerate(files)])
        before = [compile_journey(text, file="older.yaml") for text in older]
        catalogue = build_catalogue(
            [*current.journeys, *built],
            older=before,
            segments=current.segments,
            policy=self.policy,
            revision=revision,
        )
        self.driver = Driver(self.log, self.store, replace(catalogue, renewed=revision, renewed_at=self.now))

    @property
    def now(self) -> int:
        """The clock, ms."""
        return self.story.now

    @property
    def driver(self) -> Driver:
        return self.story.driver

    @driver.setter
    def driver(self, driver: Driver) -> None:
        self.story.driver = driver

    @property
    def catalogue(self) -> Catalogue:
        return self.story.catalogue

    @property
    def minute(self) -> float:
        """How far the clock is, and no timer fires when a test sets it."""
        return (self.story.now - T0) / MINUTE

    @minute.setter
    def minute(self, minute: float) -> None:
        self.story.now = T0 + int(minute * MINUTE)

    def when(self, name: str, who: str = "ann", *, imported: bool = False, **fields: Any) -> None:
        """Let a person do something now; `who` is a user id, or an anonymous id with a `?` before it."""
        ids = {"anonymous_id": who[1:]} if who.startswith("?") else {"user_id": who}
        made = event(name, at=self.minute, **({"message_id": f"m{self.log.end()}"} | ids | fields))
        appended = self.log.append([made], now=self.story.now, play=imported, shadow=imported)
        self.driver.take(appended.entries)

    def after(self, minutes: float) -> None:
        """Let time pass; due timers fire."""
        self.minute += minutes
        clock, _ = self.log.seal(self.story.now)
        self.driver.settle([], until=clock)

    def actions(self) -> list[Action]:
        """Return every action decided, in the order of deciding."""
        return self.story.actions()

    def sent(self) -> list[tuple[str, Any]]:
        """Return (sink, body) of every action."""
        return [(action.sink, msgspec.json.decode(action.body)) for action in self.actions()]

    def profile(self, who: str = "ann") -> ProfileView:
        found = self.story.profile(who)
        assert found is not None, f"{who} is unknown"
        return found

    def inside(self, who: str = "ann") -> list[EnrolmentView]:
        """Return the enrolments of a person."""
        return self.profile(who).enrolments

    def states(self, who: str = "ann") -> list[list[str]]:
        """Return the active states of each enrolment."""
        return [enrolment.state for enrolment in self.inside(who)]

    def facts(self, kind: type[Fact], who: str = "ann") -> list[Any]:
        """Return a person's facts of one kind, oldest first."""
        return [fact for fact in self.profile(who).timeline if isinstance(fact, kind)]
