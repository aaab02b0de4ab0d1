"""Deciding: what is told of a person now, and who is to hear when that changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from msgspec import Struct, structs

from sojourn.definitions.journey import Catalogue
from sojourn.engine.decisions import Asking, Decision, decide, decide_all
from sojourn.model.ports import Commit, Store
from sojourn.model.turn import Key
from sojourn.runtime.exposures import Exposures
from sojourn.runtime.finding import Found, Who
from sojourn.runtime.reading import find_life

NOTHING: Mapping[str, Any] = {}


class Question(Struct, frozen=True, kw_only=True):
    """Of whom is asked, and what is said beside it."""

    who: Who
    context: Mapping[str, Any] = NOTHING
    is_trusted: bool = True
    """As `Asking` has it."""


class InForceNow(Protocol):
    """What holds, as whoever answers knows it."""

    @property
    def catalogue(self) -> Catalogue:
        """The definitions in force."""
        ...

    @property
    def clock(self) -> int:
        """The log's, ms."""
        ...


class Processing(Protocol):
    """What tells of everything that is written of people."""

    on_processed: Callable[[Commit], None] | None


class Searching(Protocol):
    """What finds people."""

    async def find(self, who: Who, *, waits: bool = True) -> tuple[Found, bool]:
        """Find somebody, and tell whether all that is acknowledged is seen."""
        ...

    async def was_a_device(self, found: Found, who: Who) -> bool:
        """Tell whether they were asked about before, by an id that may be a device's."""
        ...


class Watch:
    """One who is to hear when what is told of a person may have changed."""

    def __init__(self, question: Question, on_change: Callable[[], None]) -> None:
        self.question = question
        self.on_change = on_change
        self.keys: frozenset[Key] = frozenset()


class Deciding:
    """Answers questions, on the event loop."""

    def __init__(
        self,
        driver: InForceNow,
        live: Processing,
        *,
        people: Searching,
        exposures: Exposures,
        now: Callable[[], int],
    ) -> None:
        self._driver = driver
        self._live = live
        self._people = people
        self._exposures = exposures
        self._now = now
        self._watched: dict[Key, set[Watch]] = {}
        self._watches: set[Watch] = set()
        self._catalogue = driver.catalogue

    async def decide(self, question: Question, key: str) -> tuple[Decision | None, bool]:
        """Answer one flag, which is an exposure where it was drawn; and tell whether all is seen.

        None where there is no such flag.
        """
        found, is_current = await self._people.find(question.who)
        decision = decide(found.life, key, self._asking(found, question))
        if decision is None:
            return None, is_current
        if self._exposures.is_new(found, decision):
            was_a_device = await self._people.was_a_device(found, question.who)
            self._exposures.note(found, decision, was_a_device=was_a_device)
        return _as_stranger(decision, found), is_current

    async def decide_all(
        self, question: Question, *, watch: Watch | None = None
    ) -> tuple[list[Decision], bool]:
        """Answer every flag, which is no exposure; and tell whether all is seen.

        `watch` hears from now on of what changes after this answer, which waits for nothing then.
        """
        found, is_current = await self._people.find(question.who, waits=watch is None)
        if watch is not None:
            self._look_at(watch, {*question.who.keys, found.key})
        decisions = decide_all(found.life, self._asking(found, question))
        return [_as_stranger(each, found) for each in decisions] if found.stranger else decisions, is_current

    def unwatch(self, watch: Watch) -> None:
        """Let somebody hear no more."""
        self._watches.discard(watch)
        self._look_at(watch, ())
        if not self._watches:
            self._live.on_processed = None

    @property
    def catalogue(self) -> Catalogue:
        """What is in force now."""
        return self._driver.catalogue

    def _asking(self, found: Found, question: Question) -> Asking:
        return Asking(
            catalogue=self._driver.catalogue,
            at=max(self._now(), self._driver.clock),
            unit=found.key[1],
            context=question.context,
            is_trusted=question.is_trusted,
        )

    def _look_at(self, watch: Watch, keys: Iterable[Key]) -> None:
        wanted = frozenset(keys)
        if wanted:
            self._watches.add(watch)
            self._live.on_processed = self._heed
        for key in watch.keys - wanted:
            self._watched[key].discard(watch)
            if not self._watched[key]:
                del self._watched[key]
        for key in wanted - watch.keys:
            self._watched.setdefault(key, set()).add(watch)
        watch.keys = wanted

    def _heed(self, commit: Commit) -> None:
        """Tell whoever watches that something was written of their person, or that definitions are others."""
        if self._driver.catalogue is not self._catalogue:
            self._catalogue = self._driver.catalogue
            for watch in self._watches:
                watch.on_change()
            return
        watched = self._watched
        for write in commit.writes:
            if write.key in watched:
                for watch in watched[write.key]:
                    watch.on_change()


def _as_stranger(decision: Decision, found: Found) -> Decision:
    """Say beside an answer why it is a stranger's, where it is."""
    if not found.stranger:
        return decision
    return structs.replace(decision, metadata={**decision.metadata, "stranger": found.stranger})


def decide_kept(
    store: Store, catalogue: Catalogue, any_id: str, *, now: int, context: Mapping[str, Any] = NOTHING
) -> list[Decision]:
    """Answer all flags as the store knows a person."""
    found = find_life(store, any_id)
    asking = Asking(
        catalogue=catalogue,
        at=max(now, store.progress().clock),
        unit=any_id if found is None else found[0][1],
        context=context,
    )
    return decide_all(None if found is None else found[1], asking)
