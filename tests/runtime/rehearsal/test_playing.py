"""Playing: what a replay comes to is what the live engine came to."""

from __future__ import annotations

from pathlib import Path
from random import Random

import msgspec
import pytest
from msgspec.structs import replace

from sojourn.adapters.memory import MemoryLog, MemoryStore
from sojourn.engine.bounds import MAX_ACTIONS
from sojourn.engine.journeys import is_outcome
from sojourn.model.action import Delivery
from sojourn.model.event import Entry
from sojourn.model.fact import ActionDecided, Delivered, Fact, Transitioned
from sojourn.runtime.driver import Driver
from sojourn.runtime.outbox import outcome_event
from sojourn.runtime.rehearsal import gather, playing
from sojourn.runtime.rehearsal.playing import hears_outcomes, play
from tests.engine.makers import MINUTE, T0, event
from tests.laws import histories
from tests.laws.runtimes import sequential
from tests.runtime.rehearsal.histories import REMIND, catalogue, entries, ignore

PATIENT = """
journey: patient
holdout: 0%
entry: { on: Began }
states:
  told:
    do: [ { sink: crm, body: {} } ]
    on: { $delivered: waiting, $delivery_failed: lost }
    after: { 1d: done }
  waiting:
    after: { 1h: done }
  lost: {}
"""


def facts_of_groups(log: list[Entry], forced: str, *, deliver: str, until: int, folder: Path) -> list[Fact]:
    """Play all groups of a history, as a replay does, whole where it may, or step by step."""
    history = gather(log, tell=ignore, scratch=folder)
    found: list[Fact] = []
    for number in range(len(history.members)):
        arrivals = history.read(number)
        own = histories.catalogue()
        if forced == "whole":
            found += play(arrivals, own, until=until, deliver=deliver, hears=False).facts
        else:
            found += playing._play_step_by_step(arrivals, own, until=until, deliver=deliver).facts
    history.close()
    return found


@pytest.mark.parametrize("forced", ["whole", "by step"])
@pytest.mark.parametrize("seed", range(30))
def test_groups_by_themselves_come_to_what_the_whole_log_comes_to(
    seed: int, forced: str, tmp_path: Path
) -> None:
    """Live = replay = partitioned: this is what allows a replay to go person by person."""
    log = [
        replace(entry, is_history=False, is_shadow=False)
        for entry in histories.history(Random(seed), n_events=120)
        if not is_outcome(entry.event)
    ]
    until = log[-1].at + 90 * MINUTE
    expected = sequential(log, histories.catalogue(), until=until)
    facts = facts_of_groups(log, forced, deliver="no", until=until, folder=tmp_path)
    assert sorted(map(msgspec.json.encode, facts)) == expected.facts, f"seed {seed}"


def live_facts() -> tuple[list[Entry], list[Fact]]:
    """Run a live engine with an outbox that delivers after two minutes, or fails; return log and facts."""
    log, store = MemoryLog(floor=T0), MemoryStore()
    driver = Driver(log, store, catalogue(PATIENT, REMIND))
    minutes = {f"u{n}": n * 7 for n in range(8)}
    told: list[tuple[int, object]] = []
    for minute in range(300):
        now = T0 + minute * MINUTE
        begun = [
            event("Began", at=minute, user_id=who, message_id=who)
            for who, at in minutes.items()
            if at == minute
        ]
        due = [one for at, one in told if at == minute]
        driver.take(log.append([*begun, *due], now=now).entries)
        clock, _ = log.seal(now)
        driver.settle([], until=clock)
        for letter in list(store.letters.values()):
            outcome = "failed" if letter.action.user_id == "u3" else "delivered"
            delivery = Delivery(outcome=outcome, attempts=1)
            told.append((minute + 2, outcome_event(letter.action, delivery, now=now + 2 * MINUTE)))
        store.letters.clear()
    facts = [fact for _, group in store.facts_after(0, 10_000) for fact in group]
    return log.read(0, 10_000), facts


def test_a_replay_of_a_live_log_with_its_outcomes_tells_the_same_facts(tmp_path: Path) -> None:
    """Outcomes that the log has are those of the same actions, for ids are derived from causes."""
    log, facts = live_facts()
    own = catalogue(PATIENT, REMIND)
    assert hears_outcomes(own)
    history = gather(log, tell=ignore, scratch=tmp_path)
    replayed: list[Fact] = []
    for number in range(len(history.members)):
        until = T0 + 299 * MINUTE
        played = play(history.read(number), own, until=until, deliver="no", hears=True)
        replayed += played.facts
    assert sorted(map(msgspec.json.encode, replayed)) == sorted(map(msgspec.json.encode, facts))
    assert sum(isinstance(fact, Delivered) for fact in facts) == 16


def test_an_action_without_an_outcome_is_delivered_at_once() -> None:
    """An imported history has no outcomes, and a journey that waits for one would wait for ever."""
    played = play_one(PATIENT, deliver="yes")
    moves = [fact.target for fact in played if isinstance(fact, Transitioned)]
    assert moves == [["told"], ["waiting"], ["done"]]


def test_nothing_is_heard_of_an_action_where_nothing_is_to_be_assumed() -> None:
    """`--deliver no` asks what happens when a provider is silent."""
    played = play_one(PATIENT, deliver="no")
    assert [fact.target for fact in played if isinstance(fact, Transitioned)] == [["told"], ["done"]]


def test_an_outcome_of_an_action_that_was_not_decided_is_not_heard() -> None:
    """A recorded outcome belongs to the version that wanted its action."""
    log, _ = live_facts()
    foreign = [entry for entry in log if is_outcome(entry.event)]
    history = gather(foreign, tell=ignore)
    arrivals = history.read(0)
    assert playing._play_step_by_step(arrivals, catalogue(PATIENT), until=T0, deliver="yes").facts == []


LOOP = """
journey: loop
holdout: 0%
entry: { on: Began }
states:
  a: { do: [ { sink: crm, body: {} } ], on: { $delivered: b }, after: { 1d: done } }
  b: { do: [ { sink: crm, body: {} } ], on: { $delivered: a }, after: { 1d: done } }
"""


def test_a_journey_that_acts_on_its_own_outcomes_ends() -> None:
    """Delivered at once, it would go round for ever."""
    played = play_one(LOOP, deliver="yes")
    assert sum(isinstance(fact, ActionDecided) for fact in played) == MAX_ACTIONS


def test_so_many_outcomes_are_assumed_and_no_more() -> None:
    """What rests between its rounds meets no bound of the engine, and may go on for years."""
    rests = LOOP[: LOOP.index("  b:")] + "  b: { after: { 1m: a } }\n"
    played = play_one(rests, deliver="yes")
    assert sum(fact.outcome == "delivered" for fact in played if isinstance(fact, Delivered)) == (
        playing.MAX_ANSWERS
    )


def play_one(text: str, *, deliver: str) -> list[Fact]:
    """Let one person begin, and see two days."""
    history = gather(entries((0, "ann", "Began")), tell=ignore)
    until = T0 + 2 * 24 * 60 * MINUTE
    return play(history.read(0), catalogue(text), until=until, deliver=deliver, hears=True).facts  # type: ignore[arg-type]
