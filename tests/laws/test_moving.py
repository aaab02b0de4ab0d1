"""Cut anywhere, its first half on one machine, its second on shards, a history comes to the same."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from sojourn.adapters.memory import MemoryLog, MemoryStore
from sojourn.definitions.controls import LEFT, control_event, is_control
from sojourn.definitions.publishing import InForce
from sojourn.engine.records import entry_shard, is_moved, read_events, read_moved
from sojourn.model.action import Letter
from sojourn.model.event import Entry, FailedEvent
from sojourn.model.ids import message_digest
from sojourn.model.ports import Commit
from sojourn.model.topics import Topics
from sojourn.runtime.controls import DOCUMENT, encode_in_force, kept_in_force
from sojourn.runtime.moving.homeward import Marks, standing_of, state_of
from sojourn.runtime.moving.outward import Block, Cut, Record, records
from sojourn.runtime.shards.chronicle import Chronicle
from sojourn.runtime.shards.records import Adopted, adoptions, marks_of
from sojourn.runtime.shards.seen import Seen
from sojourn.runtime.shards.worker import Kept
from tests.laws import test_everything_published as everything
from tests.laws import test_publishing as published
from tests.laws.edited import restarted
from tests.laws.histories import MINUTE
from tests.laws.runtimes import Outcome, sequential
from tests.laws.sharded import Run
from tests.laws.test_equality import end_of, outcome_of, same
from tests.soak import tries

TOPICS = Topics.of("shop")
seeds = st.integers(0, 2**32)
lengths = st.integers(2, 60)


class Folder:
    """A history's first half on one machine."""

    def __init__(self, entries: list[Entry], first: InForce, clock: int) -> None:
        self._entries = entries
        self._first = first
        self.store = MemoryStore()
        driver = restarted(MemoryLog(), self.store, first)
        driver.settle(entries, until=clock)
        driver.finish_sweep()

    def blocks(self) -> Iterator[Block]:
        for entry in self._entries:
            event = entry.event
            yield event.received_at, [message_digest(event.source, event.message_id)], [entry]

    def letters(self) -> Iterator[Letter]:
        yield from ()

    def failed(self) -> Iterator[FailedEvent]:
        yield from ()

    def cut(self, clock: int) -> Cut:
        in_force = kept_in_force(self.store) or self._first
        position = self._entries[-1].position
        return Cut(move="m", clock=clock, position=position, in_force=in_force)


class Moved(Run):
    """Shards that begin with what was moved to them, and know duplicates."""

    def __init__(self, n_shards: int, random: Random) -> None:
        super().__init__(InForce(), n_shards=n_shards, n_tasks=random.randint(1, n_shards), random=random)
        self._n = n_shards
        self._seen = [Seen((DictMarks(), DictMarks()), Number()) for _ in range(n_shards)]
        self.n_refused = 0
        self.controls: list[list[Entry]] = []

    def adopt(self, record: Record) -> None:
        """Take a record of the move."""
        if record.is_last:
            (control,) = read_events(record.value or b"", shard=1_023, offset=0, at=0)
            self.controls.append([control])
            self.feed(control)
        elif record.topic == TOPICS.events and record.value and is_moved(record.value):
            moved = read_moved(record.value)
            self._seen[record.partition].note(record.partition, marks_of(moved))
            for stage, addressed in adoptions(moved):
                self.deliver(stage, addressed)

    def hear(self, entry: Entry) -> None:
        """Take an entry, unless it is one that was there."""
        shard = entry_shard(entry.event, self._n)
        if self._seen[shard].take(shard, [entry]):
            self.feed(entry)
        else:
            self.n_refused += 1


class DictMarks(dict[str, int]):
    put_all = dict.update


class Number:
    _value: int | None = None

    def value(self) -> int | None:
        return self._value

    def update(self, value: int) -> None:
        self._value = value


def cuts_of(entries: list[Entry]) -> list[int]:
    """Say where a history may be cut: where the clock goes on, as it does while somebody moves."""
    return [n for n in range(1, len(entries)) if entries[n].at > entries[n - 1].at]


def moved(entries: list[Entry], first: InForce, random: Random) -> Outcome | None:
    """Run it on one machine up to somewhere, then on shards; what is sent again after the cut is refused."""
    cuts = cuts_of(entries)
    if not cuts:
        return None
    n_first = random.choice(cuts)
    before, after = entries[:n_first], entries[n_first:]
    clock = random.randint(before[-1].at, after[0].at - 1)
    folder = Folder(before, first, clock)
    n_shards = random.choice((1, 2, 3, 8))
    shards = Moved(n_shards, random)
    for record in records(folder, folder.store, folder.cut(clock), TOPICS, n_shards=n_shards, n_partitions=2):
        shards.adopt(record)
    again = [one for one in before if random.random() < 0.2]
    sent = sorted(
        [*after, *(replace(one, at=random.choice(after).at) for one in again)], key=lambda one: one.at
    )
    shards.take(sent, until=end_of(entries), feed=shards.hear)
    assert shards.n_refused == len(again)
    return joined(outcome_of(folder.store), shards.outcome())


def joined(*outcomes: Outcome) -> Outcome:
    """Return what came of all parts; the states are those of the last."""
    facts = [fact for one in outcomes for fact in one.facts]
    actions = [action for one in outcomes for action in one.actions]
    return Outcome(sorted(facts), sorted(actions), outcomes[-1].states)


def there_and_back(entries: list[Entry], first: InForce, random: Random) -> Outcome | None:
    """Run it on one machine, on shards, and on one machine again; shards hear of what comes after, too."""
    cuts = cuts_of(entries)
    if len(cuts) < 2:
        return None
    begins, ends = sorted(random.sample(cuts, 2))
    clock = random.randint(entries[begins - 1].at, entries[begins].at - 1)
    folder = Folder(entries[:begins], first, clock)
    n_shards = random.choice((1, 2, 3, 8))
    shards = Moved(n_shards, random)
    for record in records(folder, folder.store, folder.cut(clock), TOPICS, n_shards=n_shards, n_partitions=2):
        shards.adopt(record)
    left_at = random.randint(entries[ends - 1].at, entries[ends].at - 1)
    left = Entry(
        position=entries[ends - 1].position + 1,
        at=left_at,
        event=control_event(LEFT, {}, after=1, now=left_at),
    )
    late = entries[ends : random.randint(ends, len(entries))]
    shards.take([*entries[begins:ends], left, *late], until=end_of(entries))
    marks = Marks(n_shards, (left.at, left.position))
    home = MemoryStore()
    for name, value in shards.newest().items():
        marks.take(name, value)
        if (write := state_of(name, value)) is not None:
            home.commit(Commit(0, left_at, [write], []))
    assert not marks.awaited
    controls = [entry for entry in entries[begins:ends] if is_control(entry.event)]
    arrived = [entry for record in shards.controls for entry in record]
    home.keep(DOCUMENT, encode_in_force(standing_of([*arrived, *controls, left], InForce()).in_force))
    driver = restarted(MemoryLog(), home, first)
    driver.settle(entries[ends:], until=end_of(entries))
    driver.finish_sweep()
    return joined(outcome_of(folder.store), shards.outcome(), outcome_of(home))


@settings(max_examples=tries(12), deadline=None)
@given(seeds, lengths)
def test_moved_is_replay_over_controls(seed: int, n_events: int) -> None:
    """With publishings by every policy, pauses and stops before the cut and after it."""
    random, entries = published.drawn(seed, n_events)
    found = moved(entries, published.FIRST, random)
    if found is not None:
        same(found, sequential(entries, published.CATALOGUE, until=end_of(entries), in_force=published.FIRST))


@settings(max_examples=tries(6), deadline=None)
@given(seeds, lengths)
def test_moved_is_replay_with_everything(seed: int, n_events: int) -> None:
    """With every feature in force, too."""
    random, entries = everything.edited(seed, n_events)
    found = moved(entries, everything.FIRST, random)
    if found is not None:
        expected = sequential(entries, everything.CATALOGUE, until=end_of(entries), in_force=everything.FIRST)
        same(found, expected)


@settings(max_examples=tries(8), deadline=None)
@given(seeds, lengths)
def test_there_and_back_is_replay(seed: int, n_events: int) -> None:
    """What was acknowledged behind the parting is nobody's there, and the folder's to take in."""
    random, entries = everything.edited(seed, n_events)
    found = there_and_back(entries, everything.FIRST, random)
    if found is not None:
        expected = sequential(entries, everything.CATALOGUE, until=end_of(entries), in_force=everything.FIRST)
        same(found, expected)


def is_broken() -> bool:
    """Look for a history that comes to something else when it moves there and back."""
    for seed in range(25):
        random, entries = everything.edited(seed, 60)
        try:
            found = there_and_back(entries, everything.FIRST, random)
        except AssertionError:
            return True
        if found is None:
            continue
        until = end_of(entries)
        if found != sequential(entries, everything.CATALOGUE, until=until, in_force=everything.FIRST):
            return True
    return False


def test_a_lost_wake_up_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A state that nobody wakes lies there; most people do something soon, and hide it."""
    monkeypatch.setattr("sojourn.runtime.shards.worker.Kept", lambda state, _: Kept(state, 0))
    assert is_broken()


def test_a_shard_that_goes_on_behind_the_parting_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was acknowledged there would be done twice."""
    monkeypatch.setattr(Chronicle, "has_left", lambda *_: False)
    assert is_broken()


def test_a_state_that_is_of_a_later_instant_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Controls are past then, and people are asked about what they were asked about."""
    dated = Adopted

    def late(at: int, position: int, state: bytes, wake: int) -> Adopted:
        return dated(at + 5 * MINUTE, position, state, wake)

    monkeypatch.setattr("sojourn.runtime.shards.records.Adopted", late)
    assert is_broken()
