"""What a cluster's outbox worker has in hand, against brokers in a list and a naive count of what is done."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from sojourn.adapters.kafka_pending import NOTE_CHARS, Bounds, Ledger, Pending, Taken
from sojourn.model.action import Letter
from sojourn.model.ids import ProfileId
from sojourn.model.ports import Queue
from tests.runtime.outboxes import action


class World:
    """Partitions in lists, workers that come and go, and what each record and action came to.

    The naive side: `delivered` counts by action, `done` has every record whose action was done with by
    somebody while the record, or a copy of it, was theirs.
    """

    def __init__(self, seed: int, *, with_notes: bool = True) -> None:
        self.random = Random(seed)
        self.partitions: list[list[str]] = [[] for _ in range(3)]
        self.committed: list[tuple[int, str]] = [(0, "")] * 3
        self.with_notes = with_notes
        self.workers = [Pending(), Pending()]
        self.owner: list[int | None] = [None] * 3
        self.next: list[int] = [0] * 3
        self.delivered: Counter[tuple[int, str]] = Counter()
        """By life of a worker, and action."""
        self.in_flight: list[dict[str, Letter]] = [{}, {}]
        self.lives = [0, 1]
        self.n_lives = 2
        self.done: set[str] = set()

    def write(self) -> None:
        """The job writes an action; or, after a failure of its own, one that it wrote before, anywhere."""
        partition = self.random.randrange(3)
        written = [name for names in self.partitions for name in names]
        if written and self.random.random() < 0.3:
            self.partitions[partition].append(self.random.choice(written[-8:]))
        else:
            self.partitions[partition].append(f"a{len(written)}")

    def share_out(self) -> None:
        """Partitions move, one by one, as a cooperative group has it."""
        partition = self.random.randrange(3)
        before, after = self.owner[partition], self.random.choice([0, 1])
        if before is not None:
            self.commit(before)
            self.workers[before].give_up([partition])
        self.owner[partition] = after
        offset, note = self.committed[partition]
        self.next[partition] = offset
        self.workers[after].assign(partition, Ledger(offset, note if self.with_notes else ""))

    def read(self) -> None:
        partition = self.random.randrange(3)
        owner, offset = self.owner[partition], self.next[partition]
        if owner is not None and offset < len(self.partitions[partition]):
            name = self.partitions[partition][offset]
            self.next[partition] += 1
            self.workers[owner].take(Taken(partition=partition, offset=offset, action=action(name)))

    def deliver(self) -> None:
        """Begin a delivery; a lane begins none of a letter that it has in flight."""
        number = self.random.choice([0, 1])
        waiting = self.workers[number].waiting("shop", now=0, limit=10)
        free = [letter for letter in waiting if letter.action.id not in self.in_flight[number]]
        if free:
            letter = self.random.choice(free)
            self.delivered[self.lives[number], letter.action.id] += 1
            self.in_flight[number][letter.action.id] = letter

    def land(self) -> None:
        """End a delivery, whoever has its partition by now."""
        number = self.random.choice([0, 1])
        if self.in_flight[number]:
            name = self.random.choice(sorted(self.in_flight[number]))
            self.done.add(name)
            self.workers[number].settle([self.in_flight[number].pop(name)])

    def commit(self, number: int) -> None:
        for partition, place in self.workers[number].commits().items():
            assert self.owner[partition] == number
            self.committed[partition] = place
        self.check()

    def crash(self) -> None:
        """A worker is gone without a word, and another takes its place in the group."""
        number = self.random.choice([0, 1])
        self.workers[number] = Pending()
        self.in_flight[number] = {}
        self.lives[number], self.n_lives = self.n_lives, self.n_lives + 1
        for partition in range(3):
            if self.owner[partition] == number:
                self.owner[partition] = None

    def check(self) -> None:
        """Nothing below a committed offset is open, nor is anything a note calls done."""
        for partition, (offset, note) in enumerate(self.committed):
            names = self.partitions[partition]
            assert offset <= len(names)
            assert set(names[:offset]) <= self.done
            successor = Ledger(offset, note)
            passed_over = [name for at, name in enumerate(names[offset:], offset) if not successor.read(at)]
            assert set(passed_over) <= self.done

    def finish(self) -> None:
        """Whoever is left reads and does all."""
        for partition in range(3):
            while self.owner[partition] is None:
                self.share_out()
        for _ in range(5_000):
            self.read()
            self.deliver()
            self.land()
        for number in (0, 1):
            self.commit(number)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.booleans())
def test_nothing_is_lost_and_no_life_does_a_thing_twice(seed: int, with_notes: bool) -> None:
    """Whatever is written twice, moved, killed and committed when."""
    world = World(seed, with_notes=with_notes)
    steps = [
        world.write,
        world.write,
        world.read,
        world.read,
        world.read,
        world.deliver,
        world.deliver,
        world.land,
        world.land,
    ]
    steps += [lambda: world.commit(world.random.choice([0, 1]))]
    for _ in range(world.random.randrange(300)):
        world.random.choice(steps)()
        if world.random.random() < 0.08:
            world.share_out()
        if world.random.random() < 0.03:
            world.crash()
    world.finish()
    assert world.done == {name for names in world.partitions for name in names}
    assert set(world.delivered.values()) <= {1}
    assert [offset for offset, _ in world.committed] == [len(names) for names in world.partitions]


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**32))
def test_a_successor_reads_again_what_was_open_and_nothing_else(seed: int) -> None:
    """The note beside the commit says which records behind it are done, however the records lie."""
    random = Random(seed)
    offsets = sorted(random.sample(range(50), random.randrange(1, 30)))
    ledger, open_ = Ledger(), set(offsets)
    for offset in offsets:
        assert ledger.read(offset)
    for offset in random.sample(offsets, random.randrange(len(offsets) + 1)):
        ledger.close(offset)
        open_.discard(offset)
    committed = ledger.committable
    assert committed == min(open_, default=offsets[-1] + 1)
    successor = Ledger(committed, ledger.note())
    assert (successor.committable, successor.note()) == (committed, ledger.note())  # it may end at once, too
    assert {offset for offset in offsets if offset >= committed and successor.read(offset)} == open_
    assert successor.read(60)


def test_a_note_has_an_end() -> None:
    """Where more is open than a commit may carry, what lies behind is done again."""
    ledger = Ledger()
    for offset in range(4_000):
        assert ledger.read(offset)
    for offset in range(1, 4_000, 2):
        ledger.close(offset)
    note = ledger.note()
    assert len(note) <= NOTE_CHARS + 10
    successor = Ledger(ledger.committable, note)
    again = [offset for offset in range(4_000) if successor.read(offset)]
    assert set(range(0, 4_000, 2)) <= set(again)
    assert 500 <= sum(offset not in again for offset in range(1, 4_000, 2)) < 2_000


@pytest.mark.parametrize("note", ["", "what?", "3", "3:9", "3:1,1", "x:1", "3:2,1", "2:-1"])
def test_a_note_that_is_not_ours_says_nothing(note: str) -> None:
    """Somebody set the offsets of the group back by hand, with another tool."""
    ledger = Ledger(7, note)
    expected = 10 if note == "3" else 7
    assert ledger.committable == expected


def test_what_the_broker_deleted_is_waited_for_no_longer() -> None:
    """A record that was open when its worker ended grew too old meanwhile."""
    ledger = Ledger(5, "4:0,2")
    assert ledger.read(7)
    assert ledger.committable == 7
    ledger.close(7)
    assert ledger.committable == 9
    assert [ledger.read(8), ledger.read(9)] == [False, True]


def test_an_action_that_was_given_up_comes_again_once_for_each_time() -> None:
    """It is known as done, and the operator says: try again."""
    pending = Pending()
    pending.assign(0, Ledger())
    assert pending.take(Taken(partition=0, offset=0, action=action("a")))
    pending.settle(pending.waiting("shop", now=0, limit=1))
    assert not pending.take(Taken(partition=0, offset=1, action=action("a")))
    assert pending.take(Taken(partition=0, offset=2, action=action("a"), revived_at=50))
    assert pending.next_due("shop") == 50
    pending.settle(pending.waiting("shop", now=50, limit=1))
    assert not pending.take(Taken(partition=0, offset=3, action=action("a"), revived_at=50))
    assert pending.take(Taken(partition=0, offset=4, action=action("a"), revived_at=60))


def test_a_worker_remembers_the_newest_and_is_full_at_its_bounds() -> None:
    """Memory has an end, in letters and in bytes."""
    pending = Pending(Bounds(records=4, record_bytes=100, remembered=2))
    pending.assign(0, Ledger())
    for offset, name in enumerate("abcb"):
        pending.take(Taken(partition=0, offset=offset, action=action(name), n_bytes=10))
    assert (pending.n_open, pending.is_above(1.0)) == (4, True)
    letters = pending.waiting("shop", now=0, limit=10)
    assert [letter.action.id for letter in letters] == ["a", "b", "c"]
    pending.settle(letters)
    assert (pending.n_open, pending.is_above(0.01)) == (0, False)
    assert pending.take(Taken(partition=0, offset=4, action=action("a"), n_bytes=100))  # forgotten by now
    assert not pending.take(Taken(partition=0, offset=5, action=action("b")))
    assert (pending.is_above(1.0), pending.queues()) == (True, {"shop": Queue(waiting=1, oldest_at=0)})
    assert pending.give_up([0]) == {"a"}
    assert (pending.n_open, pending.is_above(0.01), pending.sinks()) == (0, False, [])


def test_a_letter_in_two_partitions_stays_while_one_is_ours() -> None:
    """Both records wait for its one delivery."""
    pending = Pending()
    pending.assign(0, Ledger())
    pending.assign(1, Ledger())
    pending.take(Taken(partition=0, offset=0, action=action("a")))
    pending.take(Taken(partition=1, offset=0, action=action("a")))
    assert pending.commits() == {0: (0, "1:0"), 1: (0, "1:0")}
    assert pending.give_up([0]) == set()
    (letter,) = pending.waiting("shop", now=0, limit=1)
    pending.postpone(replace(letter, attempts=1, due_at=9))
    assert (pending.waiting("shop", now=8, limit=1), pending.next_due("shop")) == ([], 9)
    pending.settle([letter])
    assert pending.commits() == {1: (1, "")}


def test_somebody_who_is_forgotten_is_sent_nothing_that_was_decided_before() -> None:
    """Neither what is in hand nor what is still to be read; a new life under the same id is another's."""
    pending, bob = Pending(), ProfileId("u:8")
    pending.assign(0, Ledger())
    letters = [action("a"), action("b", profile_id=bob), replace(action("c", profile_id=bob), at=51)]
    for offset, one in enumerate(letters):
        pending.take(Taken(partition=0, offset=offset, action=one))
    pending.withdraw({bob}, at=50)
    later = [replace(action("d", profile_id=bob), at=50), replace(action("e", profile_id=bob), at=52)]
    for offset, one in enumerate(later, start=3):
        pending.take(Taken(partition=0, offset=offset, action=one))
    waiting = pending.waiting("shop", now=100, limit=10)
    assert [letter.action.id for letter in waiting] == ["a", "c", "e"]
    assert pending.commits() == {0: (0, "5:0,2,4")}


def test_what_leaves_is_handed_out_no_more_and_may_end() -> None:
    """While a partition is about to be another worker's."""
    pending = Pending()
    pending.assign(0, Ledger())
    pending.assign(1, Ledger())
    for partition, name in ((0, "a"), (0, "b"), (1, "c"), (1, "b")):
        offset = pending.n_open % 2 if partition else pending.n_open
        pending.take(Taken(partition=partition, offset=offset, action=action(name)))
    carried, *_ = pending.waiting("shop", now=0, limit=10)
    assert pending.leave([0]) == {"a"}
    assert [letter.action.id for letter in pending.waiting("shop", now=0, limit=10)] == ["b", "c"]
    pending.postpone(replace(carried, attempts=1))
    assert [letter.action.id for letter in pending.waiting("shop", now=0, limit=10)] == ["b", "c"]
    pending.settle([carried])
    assert pending.commits() == {0: (1, "1:0"), 1: (0, "2:0,1")}
    assert pending.give_up([0]) == set()
    pending.settle(pending.waiting("shop", now=0, limit=10))
    assert pending.commits() == {1: (2, "")}
