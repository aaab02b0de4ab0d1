"""A small world for stories: people do things, time passes, and what came of it can be asked."""

from __future__ import annotations

from typing import Any

import msgspec

from sojourn.adapters.memory import MemoryLog, MemoryStore
from sojourn.definitions.catalogue import build_catalogue, load_definitions
from sojourn.definitions.compile import compile_journey
from sojourn.definitions.journey import Catalogue, Journey
from sojourn.model.action import Action
from sojourn.model.fact import Fact
from sojourn.model.views import EnrolmentView, ProfileView
from sojourn.runtime.driver import Driver
from sojourn.runtime.reading import find_profile
from tests.engine.makers import MINUTE, T0, event


class World:
    """One engine in memory, with a clock of its own (minutes since the start)."""

    def __init__(self, *journeys: str) -> None:
        self.log = MemoryLog(floor=T0)
        self.store = MemoryStore()
        self.minute = 0.0
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
            [*current.journeys, *built], older=before, segments=current.segments, revision=revision
        )
        self.driver = Driver(self.log, self.store, catalogue)

    @property
    def catalogue(self) -> Catalogue:
        return self.driver.catalogue

    def when(self, name: str, who: str = "ann", *, imported: bool = False, **fields: Any) -> None:
        """Let a person do something now; `who` is a user id, or an anonymous id with a `?` before it."""
        ids = {"anonymous_id": who[1:]} if who.startswith("?") else {"user_id": who}
        made = event(name, at=self.minute, **({"message_id": f"m{self.log.end()}"} | ids | fields))
        appended = self.log.append([made], now=T0 + int(self.minute * MINUTE), play=imported, shadow=imported)
        self.driver.take(appended.entries)

    def after(self, minutes: float) -> None:
        """Let time pass; due timers fire."""
        self.minute += minutes
        clock, _ = self.log.seal(T0 + int(self.minute * MINUTE))
        self.driver.settle([], until=clock)

    def actions(self) -> list[Action]:
        """Return every action decided, in the order of deciding."""
        return sorted((letter.action for letter in self.store.letters.values()), key=lambda one: one.at)

    def sent(self) -> list[tuple[str, Any]]:
        """Return (sink, body) of every action."""
        return [(action.sink, msgspec.json.decode(action.body)) for action in self.actions()]

    def profile(self, who: str = "ann") -> ProfileView:
        found = find_profile(self.store, who.removeprefix("?"), limit=1_000)
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
