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

    put = dict.__setitem__


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
def test_a_message_is_new_where_none_like_it_was_taken_within_the_window(seed: int) -> None:
    """Over restarts, which forget what is only in memory, and over pauses longer than both generations."""
    random = Random(seed)
    marks, newest = (DictMarks(), DictMarks()), Kept()
    seen = Seen(marks, newest, window_ms=WINDOW_MS)
    taken: dict[str, int] = {}
    at = random.randrange(10_000)
    for _ in range(80):
        at += random.choice((0, 0, 1, 7, 30, 120, 350))
        message = random.choice("abcde")
        if random.random() < 0.1:
            seen = Seen(marks, newest, window_ms=WINDOW_MS)
        is_new = message not in taken or taken[message] <= at - WINDOW_MS
        assert seen.is_new(0, entry(message, at)) == is_new
        if is_new:
            taken[message] = at
        assert all(mark_at > at - 2 * WINDOW_MS for one in marks for mark_at in one.values())


@settings(max_examples=tries(100), deadline=None)
@given(st.integers(0, 2**32))
def test_what_was_taken_elsewhere_is_known_here(seed: int) -> None:
    """For the window's length since then, whatever order it is heard in within the two newest generations."""
    random = Random(seed)
    now = random.randrange(1_000, 10_000)
    elsewhere = {f"m{number}": now - random.randrange(2 * WINDOW_MS) for number in range(12)}
    seen = Seen((DictMarks(), DictMarks()), Kept(), window_ms=WINDOW_MS)
    for message_id, at in sorted(elsewhere.items(), key=lambda pair: pair[1] + random.randrange(20)):
        seen.note(0, message_digest("web", message_id), at)
    at = now
    for message_id in random.sample(sorted(elsewhere), k=12):
        at += random.choice((0, 0, 3))
        assert seen.is_new(0, entry(message_id, at)) is (elsewhere[message_id] <= at - WINDOW_MS)
