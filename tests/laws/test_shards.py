"""Live = replay = partitioned holds for the shards that a cluster runs on, over everything there is."""

from __future__ import annotations

from random import Random

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sojourn.definitions.controls import PUBLISH, Forgetting, Publishing, control_event, forget_event
from sojourn.definitions.publishing import InForce
from sojourn.engine import records
from sojourn.engine.forgetting import erased_control
from sojourn.engine.records import Sent, encode_events, entry_shard, read_events
from sojourn.engine.state import Life, decode
from sojourn.model.event import Entry, Event
from sojourn.model.fact import ActionWithheld
from sojourn.model.turn import Aliased, Arrived
from sojourn.runtime.salvage import Failure, failed_step
from sojourn.runtime.shards.chronicle import BEGINNING, Chronicle
from sojourn.runtime.shards.records import arrivals
from tests.laws import test_everything_published as everything
from tests.laws import test_publishing as published
from tests.laws.edited import in_force_of
from tests.laws.histories import MINUTE, T0
from tests.laws.runtimes import Outcome, sequential
from tests.laws.sharded import Floor, sharded
from tests.laws.test_equality import end_of, same
from tests.soak import tries

seeds = st.integers(0, 2**32)
lengths = st.integers(0, 60)


def on_shards(entries: list[Entry], first: InForce, random: Random) -> Outcome:
    """Run a history on some number of shards and tasks."""
    n_shards = random.choice((1, 2, 3, 8))
    n_tasks = random.randint(1, n_shards)
    until = end_of(entries)
    return sharded(entries, in_force=first, until=until, n_shards=n_shards, n_tasks=n_tasks, random=random)


@settings(max_examples=tries(60), deadline=None)
@given(seeds, lengths)
def test_on_shards_is_replay(seed: int, n_events: int) -> None:
    """With publishings, pauses and stops in it, each history comes to the same on any number of shards."""
    random, entries = published.drawn(seed, n_events)
    alone = sequential(entries, published.CATALOGUE, until=end_of(entries), in_force=published.FIRST)
    same(on_shards(entries, published.FIRST, random), alone)


@settings(max_examples=tries(40), deadline=None)
@given(seeds, lengths)
@example(
    1_492_565, 26
)  # a shard came late to two controls; what the first set going was due before the second
def test_on_shards_is_replay_with_everything(seed: int, n_events: int) -> None:
    """With every feature in force, too."""
    random, entries = everything.edited(seed, n_events)
    alone = sequential(entries, everything.CATALOGUE, until=end_of(entries), in_force=everything.FIRST)
    same(on_shards(entries, everything.FIRST, random), alone)


TELLING = """
journey: telling
entry: { on: Viewed, reentry: always }
states:
  waiting: { after: { 10m: told } }
  told: { do: [ { webhook: shop, body: {} } ], after: { 1h: done } }
  done: {}
"""
STRICT = "policy: { channels: { email: { sinks: [shop], consent: opt_in } } }"


def test_what_is_due_before_a_control_is_done_by_what_was_in_force() -> None:
    """One call may find the control and timers on both sides of it: each follows its own side."""
    first = in_force_of([TELLING])
    publishing = control_event(PUBLISH, Publishing(shared=[STRICT]), after=0, now=T0)
    seen = [("ann", 0), ("bob", 20), ("cyd", 40)]
    entries = [Entry(position=n, at=T0 + s * 1_000, event=viewed(who)) for n, (who, s) in enumerate(seen, 1)]
    control = Entry(position=4, at=T0 + 10 * MINUTE + 30_000, event=publishing)
    chronicle = Chronicle(first)
    floor = Floor("profile", chronicle, n_shards=1, n_tasks=1)
    for _, addressed in arrivals(entries):
        floor.shelves[0].wait([addressed])
    floor.advance(T0 + MINUTE)
    chronicle.hear(control)
    outcomes = [outcome for _, outcome in floor.advance(T0 + 60 * MINUTE)]
    told = [action.user_id for outcome in outcomes for action in outcome.actions]
    withheld = [
        (fact.profile_id, fact.reason)
        for outcome in outcomes
        for fact in outcome.facts
        if isinstance(fact, ActionWithheld)
    ]
    assert told == ["ann", "bob"]
    assert withheld == [("u:cyd", "consent")]


def viewed(who: str) -> Event:
    """Make an event of a server's about somebody."""
    return Event(
        kind="track",
        name="Viewed",
        source="shop",
        message_id=who,
        user_id=who,
        received_at=T0,
        occurred_at=T0,
    )


def test_a_position_says_where_its_record_lies() -> None:
    """Positions are unique, grow along a shard, and are the same whenever the record is read."""
    record = encode_events([Sent(viewed("ann")), Sent(viewed("bob"), records.HISTORY)])
    entries = read_events(record, shard=5, offset=7, at=T0)
    later = read_events(record, shard=5, offset=8, at=T0)
    positions = [entry.position for entry in (*entries, *later)]
    assert positions == sorted(set(positions))
    assert [records.offset_of(position) for position in positions] == [7, 7, 8, 8]
    assert [entry.is_history for entry in entries] == [False, True]
    assert read_events(record, shard=5, offset=7, at=T0) == entries
    assert read_events(b"", shard=5, offset=9, at=T0) == []


def test_an_entry_that_was_moved_here_keeps_its_place() -> None:
    """An instant and a position of another log are taken as they are."""
    record = encode_events([Sent(viewed("ann"), 0, T0 - 5, 42)])
    (entry,) = read_events(record, shard=0, offset=3, at=T0)
    assert (entry.at, entry.position) == (T0 - 5, 42)
    assert entry_shard(entry.event, 8) == records.shard_of("ann", 8)


def test_a_control_loses_its_ids_and_what_it_did_stays_done() -> None:
    """By another one of its name that comes once the log has nothing of theirs; it forgets nobody again."""
    named = Entry(position=2, at=T0 + 2, event=forget_event(Forgetting(request="r", users=["ann"]), now=T0))
    bare = Entry(position=9, at=T0 + 9, event=erased_control(named).event)
    chronicle = Chronicle(in_force_of([TELLING]))
    floor = Floor("profile", chronicle, n_shards=1, n_tasks=1)

    def live(at: int, position: int) -> None:
        for _, addressed in arrivals([Entry(position=position, at=at, event=viewed("ann"))]):
            floor.shelves[0].wait([addressed])
        floor.advance(at)

    live(T0 + 1, 1)
    chronicle.hear(named)
    live(T0 + 3, 3)
    assert floor.shelves[0].mark == (T0 + 2, 2)
    chronicle.hear(bare)
    first = chronicle.next(BEGINNING, upto=T0 + 3)
    assert first is not None
    assert b"ann" not in bytes(first.entry.event.properties)
    floor.advance(T0 + 9)
    live(T0 + 10, 10)
    assert floor.shelves[0].mark == (T0 + 9, 9)
    life = decode("profile", floor.shelves[0].kept["ann"].state)
    assert isinstance(life, Life)
    assert life.n_events == 2  # since the first control


def test_a_step_that_failed_keeps_its_event() -> None:
    """Or says where it stood, where an earlier stage's word, or a timer, is all there is."""
    with pytest.raises(ValueError, match="planted") as planted:
        raise ValueError("planted")
    event = viewed("ann")
    arrived = failed_step(Failure(("profile", "ann"), Arrived(T0, 7, event), planted.value, T0))
    assert (arrived.source, arrived.message_id, arrived.path) == ("shop", "ann", "profile")
    assert msgspec.json.decode(arrived.body, type=Event) == event
    assert arrived.reason.startswith("the engine failed on it: ValueError in test_a_step_that")
    told = failed_step(Failure(("alias", "ann"), Aliased(T0, 8, "bob", "m"), planted.value, T0))
    timer = failed_step(Failure(("profile", "ann"), None, planted.value, T0 + 5))
    assert (told.message_id, timer.message_id) == ("alias:ann:8", f"profile:ann:{T0 + 5}")
    assert (told.received_at, timer.received_at, timer.code) == (T0, T0 + 5, "engine-error")
    assert "position 8" in told.reason
    assert "a timer" in timer.reason
