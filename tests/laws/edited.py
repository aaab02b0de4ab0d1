"""Random controls: somebody publishes, pauses, stops and goes back while people are on their way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, NamedTuple

from msgspec.structs import replace

from sojourn.adapters.memory import MemoryLog, MemoryStore
from sojourn.definitions.compile import compile_journey
from sojourn.definitions.controls import (
    LEARNT,
    PAUSE,
    PUBLISH,
    RELEASE,
    RESUME,
    STOP,
    Change,
    Holding,
    Learnt,
    Publishing,
    control_event,
)
from sojourn.definitions.journey import Journey
from sojourn.definitions.publishing import InForce, Version, catalogue_of
from sojourn.model.event import Entry, Event
from sojourn.runtime.controls import kept_in_force
from sojourn.runtime.driver import Driver
from tests.laws.runtimes import Outcome
from tests.laws.test_equality import end_of, outcome_of

RANKS = {"Viewed": 0, "Checkout Started": 1, "Shipping": 2, "Order Completed": 3}
OTHER_RANKS = (None, {}, {"Order Completed": 0, "Shipping": 1, "Viewed": 2})
GAPS_MS = (None, 5 * 60_000, 60 * 60_000, None)
P_CONTROL = 0.12

Edit = tuple[str, Mapping[str, str]]
"""A journey's text, and where its states of before lead, for who goes along by a map."""


class Edits(NamedTuple):
    """What somebody who works on these definitions may do."""

    journeys: Sequence[Edit]
    compiled: Mapping[str, Journey]
    """By their texts."""
    removable: Sequence[str]
    holdable: Sequence[str]
    """Names of journeys that may be paused."""
    shared: Sequence[list[str]] = ()
    """What segments and policy may become, whole; none: nobody edits them."""
    learnt: Sequence[Mapping[str, Any]] = ()
    """What may be learnt of people's steps and of variants, as fields of `Learnt`; none: nothing is."""

    def among(self, random: Random, entries: list[Entry]) -> list[Entry]:
        """Put controls in the place of some entries."""
        return [
            replace(entry, event=self._control(random, entry), is_history=False, is_shadow=False)
            if random.random() < P_CONTROL
            else entry
            for entry in entries
        ]

    def _control(self, random: Random, entry: Entry) -> Event:
        """Draw one: mostly a publishing, some pauses, and now and then all stands still."""
        dice = random.random()
        name, payload = PUBLISH, self._published(random, entry)
        if dice < 0.3:
            name = random.choice((PAUSE, RESUME, RESUME))
            payload = Holding(journey=random.choice(self.holdable))
        elif dice < 0.45:
            name, payload = random.choice((STOP, RELEASE, RELEASE)), {}
        elif dice < 0.55 and self.shared:
            name, payload = PUBLISH, Publishing(shared=random.choice(self.shared))
        elif dice < 0.65 and self.learnt:
            name, payload = LEARNT, Learnt(**random.choice(self.learnt))
        return control_event(name, payload, after=entry.position, now=entry.at)

    def _published(self, random: Random, entry: Entry) -> Any:
        """Draw an edit of one journey and what becomes of people inside; settings by its place in the log."""
        text, states = random.choice(self.journeys)
        journey = self.compiled[text]
        policy = random.choice(("pin", "follow", "map", "map"))
        change = Change(
            journey=journey.name,
            version=journey.version,
            text=text,
            policy=policy,  # type: ignore[arg-type]
            states=dict(states) if policy == "map" else {},
        )
        return Publishing(
            changes=[change],
            removed=[random.choice(self.removable)] if random.random() < 0.1 else [],
            ranks=OTHER_RANKS[entry.at % 3],
            session_gap_ms=GAPS_MS[entry.position % 4],
        )


def edits_of(journeys: Sequence[Edit], texts: Sequence[str], **more: Any) -> Edits:
    """Return edits of journeys which these texts begin as."""
    compiled = {text: compile_journey(text) for text, _ in journeys}
    holdable = [compile_journey(text).name for text in texts]
    return Edits(journeys, compiled, holdable=holdable, **more)


def in_force_of(texts: Sequence[str], **more: Any) -> InForce:
    """Return what is in force before the first control."""
    compiled = [compile_journey(text) for text in texts]
    return InForce(
        current={one.name: one.version for one in compiled},
        versions=[Version(journey=one.name, version=one.version, text=one.text) for one in compiled],
        ranks=RANKS,
        session_gap_ms=20 * 60_000,
        **more,
    )


def live(entries: list[Entry], random: Random, before: InForce) -> Outcome:
    """Run the driver in random batches, with clock ticks and restarts, also in the middle of a sweep."""
    log, store = MemoryLog(), MemoryStore()
    driver = restarted(log, store, before)
    waiting = list(entries)
    while waiting:
        n_taken = random.randrange(1, 12)
        batch, waiting = waiting[:n_taken], waiting[n_taken:]
        driver.settle(batch, until=batch[-1].at)
        if random.random() < 0.5:
            ceiling = waiting[0].at if waiting else end_of(entries)
            driver.settle([], until=random.randint(batch[-1].at, ceiling))
        if random.random() < 0.2:
            driver = restarted(log, store, before)
    driver.settle([], until=end_of(entries))
    driver.finish_sweep()
    return outcome_of(store)


def restarted(log: MemoryLog, store: MemoryStore, before: InForce) -> Driver:
    """Open the store as a start does."""
    in_force = kept_in_force(store) or before
    catalogue, _ = catalogue_of(in_force)
    return Driver(log, store, catalogue, in_force=in_force, cache=0)
