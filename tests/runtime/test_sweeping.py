"""Sweeping and controls: what is published reaches everybody, also those to whom nothing happens."""

from __future__ import annotations

from collections import deque
from typing import Any

import pytest

from sojourn.adapters.memory import MemoryLog, MemoryStore
from sojourn.definitions.compile import compile_journey
from sojourn.definitions.controls import Change, Publishing, control_event
from sojourn.definitions.publishing import InForce, Version, catalogue_of
from sojourn.engine.state import Life, decode
from sojourn.model.action import Action
from sojourn.model.event import Entry, Event
from sojourn.model.fact import Fact, Migrated, NotEntered, Transitioned
from sojourn.runtime import sweeping
from sojourn.runtime.controls import kept_in_force
from sojourn.runtime.driver import Driver
from tests.engine.makers import MINUTE, T0, event

NUDGE = """
journey: nudge
entry: { on: Started }
goal: { on: Bought }
states:
  waiting: { after: { 30m: told }, on: { Seen: idle } }
  told: { do: [ { webhook: mail, body: {} } ], after: { 1d: done } }
  idle: { on: { Back: waiting } }
  done: {}
"""
SOONER = NUDGE.replace("30m", "5m")
RENAMED = NUDGE.replace("idle", "resting")
DAY = 1_440


class House:
    """A log, a store and a driver that can be started again."""

    def __init__(self, *texts: str) -> None:
        compiled = [compile_journey(text) for text in texts]
        versions = [Version(journey=one.name, version=one.version, text=one.text) for one in compiled]
        self.first = InForce(current={one.journey: one.version for one in versions}, versions=versions)
        self.log, self.store = MemoryLog(floor=T0), MemoryStore()
        self.driver = self.start()

    def start(self) -> Driver:
        """Open the store as a start does."""
        in_force = kept_in_force(self.store) or self.first
        self.driver = Driver(self.log, self.store, catalogue_of(in_force)[0], in_force=in_force, cache=0)
        return self.driver

    def do(self, *events: Event, at: int = 0) -> list[Action]:
        """Let something happen, `at` minutes after the start."""
        entries = self.log.append(events, now=T0 + at * MINUTE).entries
        return self.driver.settle(entries, until=T0 + at * MINUTE)

    def say(self, name: str, at: int = 0, **payload: Any) -> None:
        """Append a control."""
        self.do(control_event(name, payload, after=self.log.end(), now=T0), at=at)

    def publish(self, text: str, at: int = 0, **fields: Any) -> None:
        """Publish a version."""
        journey = compile_journey(text)
        change = Change(journey=journey.name, version=journey.version, text=text, **fields)
        body = Publishing(changes=[change])
        self.do(control_event("$publish", body, after=self.log.end(), now=T0), at=at)

    def facts(self, kind: type[Fact]) -> list[Any]:
        """Return all facts of one kind, in the order they were written."""
        groups = self.store.facts_after(0, 1 << 30)
        return [fact for _, group in groups for fact in group if isinstance(fact, kind)]

    def states(self) -> list[list[str]]:
        """Return where everybody stands."""
        keys = [("profile", key) for key in self.store.keys("profile")]
        lives = [decode("profile", one.state) for one in self.store.load(keys).values()]  # type: ignore[arg-type]
        return [each.machine.active for life in lives if isinstance(life, Life) for each in life.enrolments]


def started(who: str, name: str = "Started") -> Event:
    """Make an event of one person."""
    return event(name, user_id=who, message_id=f"{name}-{who}")


def test_the_sweep_takes_along_those_to_whom_nothing_happens() -> None:
    """Nobody in `idle` has a timer, and none of them comes back."""
    house = House(NUDGE)
    house.do(*[started(str(n)) for n in range(50)], *[started(str(n), "Seen") for n in range(50)])
    house.publish(RENAMED, at=1, states={"idle": "resting"}, policy="map")
    house.driver.finish_sweep()
    assert house.states() == [["resting"]] * 50
    assert {fact.at for fact in house.facts(Migrated)} == {T0 + MINUTE}


def test_a_crash_in_the_middle_of_a_sweep_loses_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is taken up where the last commit says; whoever was asked is not asked for a second move."""
    monkeypatch.setattr(sweeping.Sweep.take, "__defaults__", (7,))
    house = House(NUDGE)
    house.do(*[started(str(n)) for n in range(50)], *[started(str(n), "Seen") for n in range(50)])
    house.publish(RENAMED, at=1, states={"idle": "resting"}, policy="map")
    n_starts = 0
    while house.driver.sweep.is_running:
        house.driver.settle((), until=house.driver.clock)
        house.start()
        n_starts += 1
    assert n_starts > 5
    assert house.states() == [["resting"]] * 50
    assert len(house.facts(Migrated)) == 50


def halved(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Go on from here, asking one person for each control."""
    monkeypatch.setattr(sweeping.Sweep.take, "__defaults__", (1,))
    monkeypatch.setattr(sweeping, "PAGE", 1)
    house.start()


def test_a_pause_at_the_instant_of_a_publishing_finds_everybody_alike(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Not whom the sweep came to first in the new version, and the others in the old one."""
    house = House(NUDGE)
    house.do(*[started(str(n)) for n in range(6)], *[started(str(n), "Seen") for n in range(6)])
    halved(house, monkeypatch)
    house.publish(RENAMED, at=1, states={"idle": "resting"}, policy="map")
    house.driver.settle((), until=house.driver.clock)
    house.say("$pause", at=1, journey="nudge")
    assert house.states() == [["resting"]] * 6


def test_a_pause_at_the_instant_of_a_resume_finds_everybody_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """What came due meanwhile has happened to all of them, then, or to none."""
    house = House(NUDGE)
    house.do(*[started(str(n)) for n in range(6)])
    house.say("$pause", at=1, journey="nudge")
    halved(house, monkeypatch)
    house.say("$resume", at=40, journey="nudge")
    house.driver.settle((), until=house.driver.clock)
    house.say("$pause", at=40, journey="nudge")
    assert house.states() == [["told"]] * 6


def test_a_publishing_at_the_instant_of_a_resume_finds_everybody_alike(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What came due meanwhile happens by the version that was in force when they went on."""
    house = House(NUDGE)
    house.do(*[started(str(n)) for n in range(6)])
    house.say("$pause", at=1, journey="nudge")
    halved(house, monkeypatch)
    house.say("$resume", at=40, journey="nudge")
    house.driver.settle((), until=house.driver.clock)
    house.publish(NUDGE.replace("told", "asked"), at=40, states={"told": "asked"}, policy="map")
    house.driver.finish_sweep()
    assert {tuple(fact.target) for fact in house.facts(Transitioned)} == {("waiting",), ("told",)}


def test_a_timer_that_became_earlier_fires_for_those_who_waited_that_long() -> None:
    """At the publishing's instant, and not when the sweep comes by."""
    house = House(NUDGE)
    house.do(started("ann"))
    house.publish(SOONER, at=10, policy="follow")
    house.driver.settle((), until=T0 + 12 * MINUTE)
    house.driver.finish_sweep()
    assert [fact.at for fact in house.facts(Transitioned)] == [T0, T0 + 10 * MINUTE]


def test_pinned_people_stay_and_nobody_is_asked() -> None:
    """A million people are not read for a version that only new ones enter."""
    house = House(NUDGE)
    house.do(started("ann"))
    house.publish(SOONER, at=10)
    assert not house.driver.sweep.is_running
    house.do(started("bob"), at=11)
    assert house.facts(Migrated) == []
    assert [action.at for action in house.do(at=20)] == [T0 + 16 * MINUTE]


def test_what_comes_due_while_a_journey_is_paused_happens_when_it_goes_on() -> None:
    """Nobody enters, no event moves it, and a restart changes nothing of it."""
    house = House(NUDGE)
    house.do(started("ann"))
    house.say("$pause", at=10, journey="nudge")
    house.start()
    assert house.do(started("bob"), started("ann", "Seen"), at=60) == []
    assert house.states() == [["waiting"]]
    assert [fact.reason for fact in house.facts(NotEntered)] == ["paused"]
    house.say("$resume", at=90, journey="nudge")
    house.driver.finish_sweep()
    assert [letter.action.at for letter in house.store.letters.values()] == [T0 + 90 * MINUTE]


def test_a_goal_is_reached_also_while_a_journey_is_paused() -> None:
    """Who has bought must not be told to when it goes on."""
    house = House(NUDGE)
    house.do(started("ann"))
    house.say("$stop", at=10)
    house.do(started("ann", "Bought"), at=20)
    assert house.states() == []


def test_a_pause_moves_the_wakes_the_store_keeps() -> None:
    """A restart must not find a thousand timers that are due and do nothing, again and again."""
    house = House(NUDGE)
    house.do(*[started(str(n)) for n in range(20)])
    house.say("$pause", at=10, journey="nudge")
    house.driver.finish_sweep()
    assert house.store.due(1 << 60, 100) == []
    house.say("$resume", at=20, journey="nudge")
    house.driver.finish_sweep()
    assert {wake for wake, _ in house.store.due(1 << 60, 100)} == {T0 + 30 * MINUTE}


def test_people_in_a_state_that_is_gone_stay_in_their_version() -> None:
    """Somebody came there between the preview and the publishing: nobody ends in a state that is none."""
    house = House(NUDGE)
    house.do(started("ann"), started("ann", "Seen"))
    house.publish(RENAMED, at=1, policy="follow")
    house.driver.finish_sweep()
    house.do(started("ann", "Back"), at=2)
    assert house.states() == [["waiting"]]
    assert house.facts(Migrated) == []


def test_another_source_controls_nothing() -> None:
    """A name is a name: a product may call its events as it likes."""
    house = House(NUDGE)
    house.do(event("$stop", kind="track", user_id="ann"), started("ann"))
    assert house.states() == [["waiting"]]


def test_a_control_makes_no_profile() -> None:
    """It concerns what is in force, and nobody."""
    house = House(NUDGE)
    house.say("$stop")
    house.say("$release")
    assert (house.store.keys("profile"), house.store.progress().position) == ([], 2)


def test_a_control_that_says_nothing_readable_is_passed_over() -> None:
    """A log is replayed by other releases; what cannot be read changes nothing."""
    house = House(NUDGE)
    house.say("$publish", changes=[{"nonsense": 1}])
    house.say("$pause", journey=7)
    assert kept_in_force(house.store) is None
    assert house.store.progress().position == 2


def test_a_driver_that_tries_a_draft_keeps_its_catalogue() -> None:
    """A rehearsal runs over a log in which others published."""
    house = House(NUDGE)
    house.publish(SOONER, policy="follow")
    draft, store = catalogue_of(house.first)[0], MemoryStore()
    driver = Driver(house.log, store, draft)
    driver.catch_up()
    assert driver.catalogue is draft


def test_a_batch_ends_before_a_control_and_begins_behind_it() -> None:
    """Whoever cuts the log asks one function."""
    house = House(NUDGE)
    events = [started("ann"), control_event("$stop", {}, after=0, now=T0), started("bob")]
    waiting = deque(house.log.append(events, now=T0).entries)
    sizes: list[list[Entry]] = []
    while waiting:
        sizes.append(house.driver.next_batch(waiting)[0])
    assert [[entry.event.name for entry in batch] for batch in sizes] == [["Started"], ["$stop"], ["Started"]]
