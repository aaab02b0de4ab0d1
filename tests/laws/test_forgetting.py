"""Live = replay = partitioned, over people who are forgotten: before their bytes are gone, and after."""

from __future__ import annotations

from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from sojourn.adapters.memory import MemoryLog, MemoryStore
from sojourn.definitions.compile import compile_journey
from sojourn.definitions.controls import (
    PUBLISH,
    Change,
    Forgetting,
    Publishing,
    control_event,
    forget_event,
    is_control,
)
from sojourn.definitions.publishing import InForce, catalogue_of
from sojourn.engine import identity
from sojourn.engine.forgetting import Belongings, Ownership, erased_control, keys_of, strange_devices
from sojourn.model.action import Action
from sojourn.model.event import Entry, is_erased
from sojourn.runtime import sweeping
from sojourn.runtime.driver import Driver
from sojourn.runtime.forgotten import Waiting
from sojourn.runtime.kin import find_kin
from sojourn.runtime.tallies import Tallies
from tests.laws.edited import in_force_of, live, restarted
from tests.laws.histories import MINUTE, ONCE, PATHS, PATIENT, RESCUE, T0, history
from tests.laws.runtimes import Outcome, partitioned, sequential
from tests.laws.sharded import sharded
from tests.laws.test_equality import end_of, outcome_of, same
from tests.laws.test_shards import viewed
from tests.soak import tries

FIRST = in_force_of((RESCUE, PATHS, ONCE, PATIENT))
CATALOGUE, _ = catalogue_of(FIRST)
IDS = ("d0", "d1", "d2", "d3", "u0", "u1", "u2")
EVERYBODY = frozenset(IDS)

seeds = st.integers(0, 2**32)
lengths = st.integers(5, 60)


class Lived(msgspec.Struct):
    """A history that was lived, with people forgotten on the way."""

    entries: list[Entry]
    store: MemoryStore
    waiting: list[Waiting]
    groups: list[int]
    """The last group of facts with each request."""


def lived(seed: int, n_events: int) -> tuple[Random, Lived]:
    """Live a random history; some of its entries are controls that forget whoever has an id then."""
    random = Random(seed)
    log, store = MemoryLog(), MemoryStore()
    driver = restarted(log, store, FIRST)
    entries: list[Entry] = []
    groups: list[int] = []
    for drawn in history(random, n_events=n_events):
        entry = drawn
        if random.random() < 0.08:
            kin = find_kin(store, random.choice(IDS), also=EVERYBODY)
            if kin.devices:
                asked = Forgetting(request=f"r{entry.position}", users=kin.users, devices=kin.devices)
                event = forget_event(asked, now=entry.at)
                entry = replace(drawn, event=event, is_history=False, is_shadow=False)
        entries.append(entry)
        driver.settle([entry], until=entry.at)
        if is_control(entry.event):
            told = store.kept(f"told/{entry.position}")
            assert told is not None
            groups.append(msgspec.json.decode(told)["group"])
        if random.random() < 0.2:
            driver = restarted(log, store, FIRST)
    driver.settle([], until=end_of(entries))
    return random, Lived(entries, store, driver.forgotten.waiting, groups)


def erased(lived: Lived) -> tuple[list[Entry], list[Belongings]]:
    """Write the log again without those who were forgotten, one request after the other."""
    entries = list(lived.entries)
    belongings = []
    for one in lived.waiting:
        before = entries[: one.position - 1]
        shared = {*one.shared, *strange_devices(one.forgetting, before)}
        owned = Ownership(one.forgetting, shared=shared)
        for entry in before:
            owned.take(entry)
        entries = [owned.left.get(entry.position, entry) for entry in entries]
        entries[one.position - 1] = erased_control(entries[one.position - 1], shared=sorted(shared))
        belongings.append(Belongings(one.forgetting, shared=shared, windows=owned.windows))
    return entries, belongings


def kept(lived: Lived, belongings: list[Belongings]) -> Outcome:
    """Lay out what the store holds, without the facts and actions of those who were forgotten."""
    found = outcome_of(lived.store)
    facts = []
    for number, group in lived.store.facts_after(0, 1 << 30):
        for fact in group:
            left = fact
            for one, last in zip(belongings, lived.groups, strict=True):
                if left is not None and number <= last:
                    left = one.left(left)
            if left is not None:
                facts.append(msgspec.json.encode(left))
    actions = []
    for each in found.actions:
        action = msgspec.json.decode(each, type=Action)
        if not any(one.has(action) for one in belongings):
            actions.append(each)
    return Outcome(sorted(facts), actions, found.states)


@settings(max_examples=tries(20), deadline=None)
@given(seeds, lengths, st.integers(1, 3))
def test_a_log_that_was_not_written_again_yet_comes_to_the_same(
    seed: int, n_events: int, n_partitions: int
) -> None:
    """The control ends lives at its position, alike in every runtime."""
    random, found = lived(seed, n_events)
    until = end_of(found.entries)
    expected = sequential(found.entries, CATALOGUE, until=until, in_force=FIRST)
    same(outcome_of(found.store), expected)
    parted = partitioned(
        found.entries, CATALOGUE, until=until, n_partitions=n_partitions, random=random, in_force=FIRST
    )
    same(parted, expected)


@settings(max_examples=tries(30), deadline=None)
@given(seeds, lengths, st.integers(1, 3), st.sampled_from((2, 5)))
def test_a_replay_of_what_is_left_is_what_is_left_of_the_life(
    seed: int, n_events: int, n_partitions: int, max_owners: int
) -> None:
    """Facts, actions, states: as if those who were forgotten had never been, but for others' devices."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(identity, "MAX_OWNERS", max_owners)
        random, found = lived(seed, n_events)
        entries, belongings = erased(found)
        until = end_of(entries)
        replayed = sequential(entries, CATALOGUE, until=until, in_force=FIRST)
        same(kept(found, belongings), replayed)
        parted = partitioned(
            entries, CATALOGUE, until=until, n_partitions=n_partitions, random=random, in_force=FIRST
        )
        same(parted, replayed)


@settings(max_examples=tries(20), deadline=None)
@given(seeds, lengths)
def test_counts_without_their_facts_are_those_of_a_replay(seed: int, n_events: int) -> None:
    """What their facts had counted goes with them, and nobody is left standing anywhere."""
    _, found = lived(seed, n_events)
    entries, belongings = erased(found)
    tallies = Tallies(found.store)
    for number, group in found.store.facts_after(0, 1 << 30):
        for fact in group:
            requests = zip(belongings, found.groups, strict=True)
            if any(number <= last and one.left(fact) is None for one, last in requests):
                tallies.take_back([fact])
    store = MemoryStore()
    driver = Driver(MemoryLog(), store, CATALOGUE, in_force=FIRST)
    driver.take(entries)
    driver.settle([], until=end_of(entries))
    assert _counts(tallies) == _counts(Tallies(store))


def _counts(tallies: Tallies) -> list[bytes]:
    views = [view for view in tallies.views(CATALOGUE) if view.entered or view.states or view.withheld]
    experiments = {name: one for name, one in tallies.experiments.items() if one.exposed}
    return [msgspec.json.encode(each) for each in (*views, sorted(experiments.items()))]


def test_histories_reach_what_they_are_meant_to_reach() -> None:
    """A law over histories in which nobody is forgotten holds for nothing."""
    n_erased = n_namings = n_shared = n_again = 0
    for seed in range(20):
        _, found = lived(seed, 60)
        entries, _ = erased(found)
        n_erased += sum(is_erased(entry.event) for entry in entries)
        n_namings += sum(is_erased(entry.event) and entry.event.user_id is not None for entry in entries)
        n_shared += sum(len(one.shared) for one in found.waiting)
        for one in found.waiting:
            n_again += any(key in found.store.load([key]) for key in keys_of(one.forgetting))
    assert n_erased > 150
    assert min(n_namings, n_shared, n_again) > 5


@settings(max_examples=tries(20), deadline=None)
@given(seeds, st.integers(1, 3))
def test_who_goes_was_asked_about_the_last_change_first(seed: int, n_parts: int) -> None:
    """However far a sweep has come by then, on one machine or in shards."""
    random = Random(seed)
    entries, first, gone = asked_and_forgotten(12)
    catalogue, until = catalogue_of(first)[0], end_of(entries)
    expected = sequential(entries, catalogue, until=until, in_force=first)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sweeping.Sweep.take, "__defaults__", (1,))
        same(live(entries, random, first), expected)
    parted = partitioned(entries, catalogue, until=until, n_partitions=n_parts, random=random, in_force=first)
    same(parted, expected)
    found = sharded(entries, in_force=first, until=until, n_shards=n_parts, n_tasks=1, random=random)
    # What was decided before is not called back here: workers do that.
    actions = [each for each in found.actions if user_of(each) not in gone]
    same(Outcome(found.facts, actions, found.states), expected)


PLAIN = """
journey: plain
entry: { on: Viewed }
states:
  waiting: { after: { 2h: told } }
  told: { do: [ { webhook: shop, body: {} } ], after: { 1h: done } }
  done: {}
"""
HASTY = PLAIN.replace("2h", "1m")


def asked_and_forgotten(n_people: int) -> tuple[list[Entry], InForce, list[str]]:
    """Let people wait, shorten the wait of all of them, and forget some at once.

    Returns the history, what is in force before it, and who is forgotten in its last entry but one.
    """
    hasty = compile_journey(HASTY)
    change = Change(journey=hasty.name, version=hasty.version, text=HASTY, policy="follow")
    at = T0 + 10 * MINUTE
    gone = [f"p{n}" for n in range(0, n_people, 7)]
    events = [
        *(viewed(f"p{n}") for n in range(n_people)),
        control_event(PUBLISH, Publishing(changes=[change]), after=0, now=at),
        forget_event(Forgetting(request="r", users=gone), now=at),
        viewed("late"),
    ]
    instants = [*range(T0, T0 + n_people), at, at + 3, at + 4]
    entries = [
        Entry(position=n, at=at, event=event)
        for n, (at, event) in enumerate(zip(instants, events, strict=True), 1)
    ]
    return entries, in_force_of([PLAIN]), gone


def user_of(action: bytes) -> str:
    """Say for whom an action is."""
    return msgspec.json.decode(action, type=Action).user_id or ""
