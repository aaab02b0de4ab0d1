"""Duplicates on a cluster are told exactly, by an oracle that forgets nothing; what is old is dropped."""

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.model.event import Entry, Event
from sojourn.model.ids import message_digest
from sojourn.runtime.shards.seen import Seen
from tests.soak import tries

WINDOW_MS = 100


class DictMarks(dict[str, int]):
    """A generation of one shard."""

    put_all = dict.update


class Kept:
    """A number of one shard."""

    def __init__(self) -> None:
        self._value: int | None = None

    def value(self) -> int | None:
        return self._value

    def update(self, value: int) -> None:
        self._value = value


def entry(message_id: str, at: int) -> Entry:
    """Make an entry of a server's."""
    event = Event(
        kind="track",
        name="Seen",
        source="web",
        message_id=message_id,
        user_id="7",
        received_at=at,
        occurred_at=at,
    )
    return Entry(position=1, at=at, event=event)


@settings(max_examples=tries(200), deadline=None)
@given(st.integers(0, 2**32))
def test_messages_are_new_where_none_like_them_was_taken_within_the_window(seed: int) -> None:
    """Over repetitions in one record, restarts, which forget what is in memory, and very long pauses."""
    random = Random(seed)
    marks, newest = (DictMarks(), DictMarks()), Kept()
    seen = Seen(marks, newest, window_ms=WINDOW_MS)
    taken: dict[str, int] = {}
    at = random.randrange(10_000)
    for _ in range(80):
        at += random.choice((0, 0, 1, 7, 30, 120, 350))
        if random.random() < 0.1:
            seen = Seen(marks, newest, window_ms=WINDOW_MS)
        record = [
            entry(random.choice("abcde"), at + (later if random.random() < 0.5 else 0))
            for later in sorted(random.choices((0, 1, 90, 150), k=random.randrange(4)))
        ]
        record.sort(key=lambda one: one.at)
        expected = []
        for one in record:
            message = one.event.message_id
            if message not in taken or taken[message] <= one.at - WINDOW_MS:
                taken[message] = one.at
                expected.append(one)
        assert seen.take(0, record) == expected
        at = max([at, *(one.at for one in record)])
        if not record:
            continue
        assert all(mark_at > at - 2 * WINDOW_MS for one in marks for mark_at in one.values())


@settings(max_examples=tries(100), deadline=None)
@given(st.integers(0, 2**32))
def test_what_was_taken_elsewhere_is_known_here(seed: int) -> None:
    """For the window's length since then, whatever order it is heard in within the two newest generations."""
    random = Random(seed)
    now = random.randrange(1_000, 10_000)
    elsewhere = {f"m{number}": now - random.randrange(2 * WINDOW_MS) for number in range(12)}
    seen = Seen((DictMarks(), DictMarks()), Kept(), window_ms=WINDOW_MS)
    heard = sorted(elsewhere.items(), key=lambda pair: pair[1] + random.randrange(20))
    for first in range(0, 12, 3):
        seen.note(0, [(message_digest("web", one), at) for one, at in heard[first : first + 3]])
    at = now
    for message_id in random.sample(sorted(elsewhere), k=12):
        at += random.choice((0, 0, 3))
        again = entry(message_id, at)
        assert seen.take(0, [again]) == ([again] if elsewhere[message_id] <= at - WINDOW_MS else [])
