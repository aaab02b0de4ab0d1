"""What the first stage passes on to the lake: the entries the reference takes, each once, where they lie."""

from __future__ import annotations

from collections import defaultdict
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.adapters.memory import MemoryLog
from sojourn.engine.records import (
    HISTORY,
    SHADOW,
    Sent,
    encode_events,
    encode_taken,
    entry_shard,
    read_events,
    read_taken,
)
from sojourn.model.event import Entry, Event
from sojourn.runtime.shards.seen import Seen
from tests.laws.histories import T0, history
from tests.runtime.test_shards_seen import DictMarks, Kept
from tests.soak import tries

N_SHARDS = 3


@settings(max_examples=tries(80), deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 50))
def test_entries_are_what_the_reference_takes(seed: int, n_events: int) -> None:
    """However events are repeated, in whatever records they come, here for the first time or moved here."""
    random = Random(seed)
    passed, all_read = [], []
    reference = MemoryLog()
    seen = [Seen((DictMarks(), DictMarks()), Kept()) for _ in range(N_SHARDS)]
    for offset, (at, batch) in enumerate(sent(random, n_events)):
        reference.append([one.event for one in batch], now=at)
        for shard in range(N_SHARDS):
            record = encode_events([one for one in batch if entry_shard(one.event, N_SHARDS) == shard])
            entries = read_events(record, shard=shard, offset=offset, at=at)
            new = seen[shard].take(shard, entries)
            all_read += entries
            if new:
                passed.append(encode_taken(record, new, len(entries), shard=shard, offset=offset, at=at))
    found = [entry for record in passed for entry in read_taken(record)]
    taken = reference.read(0, 10_000)
    assert by_shard(found) == by_shard(taken)
    assert [entry for entry in all_read if entry in found] == found
    assert len({entry.position for entry in found}) == len(found)


def sent(random: Random, n_events: int) -> list[tuple[int, list[Sent]]]:
    """Draw batches with their instants; an event may come again in its own, or in a later one."""
    at, place = T0, 0
    batches: list[tuple[int, list[Sent]]] = []
    before: list[Event] = []
    waiting = [entry.event for entry in history(random, n_events=n_events)]
    while waiting:
        at += random.choice((0, 1, 60_000))
        n_new = random.randrange(1, 6)
        events = waiting[:n_new] + random.choices([*before, *waiting[:n_new]], k=random.randrange(3))
        waiting = waiting[n_new:]
        before += events
        random.shuffle(events)
        is_moved, flags = random.random() < 0.3, random.choice((0, HISTORY, SHADOW, HISTORY | SHADOW))
        batch = []
        for event in events:
            place += 1
            batch.append(Sent(event, flags, at, 10**12 + place) if is_moved else Sent(event, flags))
        batches.append((at, batch))
    return batches


def by_shard(entries: list[Entry]) -> dict[int, list[tuple[str, str]]]:
    """Return the messages of each shard, in order."""
    found = defaultdict(list)
    for entry in entries:
        event = entry.event
        found[entry_shard(event, N_SHARDS)].append((event.source, event.message_id))
    return dict(found)
