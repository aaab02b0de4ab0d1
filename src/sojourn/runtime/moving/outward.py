"""Outward: what a data folder holds, as the records that a cluster begins with.

    events     each shard's entries of the log, and its states with their wakes (`engine.records.Moved`)
    facts      what happened so far
    actions    what waits in the outbox, with its attempts and its next instant
    dead_letters, failed   as they are
    controls   last of all, what is in force: before it nobody's clock goes, and nothing counts

The same folder gives the same records in the same order, each to the same partition: so whoever was stopped
goes on behind what every partition has.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

import msgspec
from msgspec import Struct

from sojourn.definitions.controls import MOVED, control_event
from sojourn.definitions.publishing import Arrival, InForce
from sojourn.engine.records import (
    HISTORY,
    SHADOW,
    MovedMark,
    MovedState,
    Sent,
    encode_events,
    encode_sent,
    entry_shard,
    join_moved,
    offset_of,
    shard_of,
)
from sojourn.model.action import Letter
from sojourn.model.event import Entry, Event, FailedEvent
from sojourn.model.fact import Fact
from sojourn.model.ids import message_digest
from sojourn.model.ports import Stored
from sojourn.model.topics import WAITED, Topics
from sojourn.model.turn import STAGES, Key, Stage

TICK = b"tick"
"""The key of records of nothing among the controls."""

PAGE = 1_000
RECORD_PARTS = 1_024
RECORD_BYTES = 128 << 10  # of each shard so much is in memory; one part may be larger.
LATE_MS = 3_600_000  # so long after the door had it an event is not appended, but for one that was mended.

_encode = msgspec.json.Encoder().encode

Block = tuple[int, Sequence[bytes], Sequence[Entry]]
"""When some entries were appended (ms), the digests of their messages, and the entries."""


class Origin(Protocol):
    """What of a folder is read in order, whole."""

    def blocks(self) -> Iterator[Block]:
        """Yield the log."""
        ...

    def letters(self) -> Iterator[Letter]:
        """Yield the outbox, what waits and what is dead, the oldest first."""
        ...

    def failed(self) -> Iterator[FailedEvent]:
        """Yield the events that could not be taken, the oldest first."""
        ...


class States(Protocol):
    """What of a store is read."""

    def load(self, keys: Sequence[Key]) -> dict[Key, Stored]:
        """Return the states that exist of these keys."""
        ...

    def keys(
        self, stage: Stage, *, prefix: str = "", after: str | None = None, limit: int | None = None
    ) -> list[str]:
        """Return a page of a stage's keys."""
        ...

    def facts_after(self, group: int, limit: int) -> list[tuple[int, list[Fact]]]:
        """Return groups of facts above a number, in order."""
        ...


class Cut(Struct, frozen=True, kw_only=True):
    """What is moved, and up to where."""

    move: str
    """Its name, derived from what it is."""
    clock: int
    """The instant up to which all is done, ms."""
    position: int
    """The last of the log."""
    in_force: InForce
    documents: dict[str, bytes] = {}
    """What goes along of the store's, by name."""

    @property
    def behind(self) -> int:
        """The position that states have: behind the log, and behind the control, which is one before."""
        return self.position + 2


class Record(Struct, frozen=True, kw_only=True, gc=False):
    """One record, and what of the installation is in it."""

    topic: str
    partition: int
    value: bytes | None
    key: bytes | None = None
    headers: list[tuple[str, bytes]] = []
    kind: str = ""
    """`entries`, `states`, `facts`, `letters`, `failed`; empty: nothing is."""
    n: int = 0
    """How many of them."""
    is_last: bool = False
    """With it, all counts: everything before it is to be durable first."""


def records(
    origin: Origin, states: States, cut: Cut, topics: Topics, *, n_shards: int, n_partitions: int
) -> Iterator[Record]:
    """Yield everything, in the order in which it is to be written."""
    n_written: Counter[int] = Counter()
    for record in _of_events(origin, states, cut, topics, n_shards=n_shards):
        n_written[record.partition] += 1
        yield record
    yield from _facts(states, topics, n_partitions=n_partitions)
    yield from _letters(origin, topics, n_partitions=n_partitions)
    for failed in origin.failed():
        yield Record(topic=topics.failed, partition=0, value=_encode(failed), kind="failed", n=1)
    # Positions of the cluster's own log are made of offsets: they begin behind those of the folder's.
    n_least = offset_of(cut.behind) + 1
    for shard in range(n_shards):
        for _ in range(n_least - n_written[shard]):
            yield Record(topic=topics.events, partition=shard, value=None)
    for _ in range(n_least):
        yield Record(topic=topics.controls, partition=0, value=None, key=TICK)
    control = control_of(cut)
    value = encode_events([Sent(control, 0, cut.clock, cut.position + 1)])
    key = control.message_id.encode()
    yield Record(topic=topics.controls, partition=0, value=value, key=key, is_last=True)
    for shard in range(n_shards):
        yield Record(topic=topics.events, partition=shard, value=b"")


def control_of(cut: Cut) -> Event:
    """Make the control with which all of it counts."""
    arrival = Arrival(move=cut.move, in_force=cut.in_force, documents=cut.documents)
    return control_event(MOVED, arrival, after=cut.position, now=cut.clock)


class _Shards:
    """Parts on their way to their shards' records."""

    def __init__(self, kind: str, cut: Cut, topics: Topics) -> None:
        self._kind = kind
        self._cut = cut
        self._topic = topics.events
        self._parts: dict[int, list[bytes]] = {}
        self._n_bytes: Counter[int] = Counter()

    def put(self, shard: int, part: bytes) -> Iterator[Record]:
        """Take a part in; yield the record that is full."""
        parts = self._parts.setdefault(shard, [])
        if parts and (len(parts) == RECORD_PARTS or self._n_bytes[shard] + len(part) > RECORD_BYTES):
            yield self._record(shard)
            parts = self._parts[shard] = []
        parts.append(part)
        self._n_bytes[shard] += len(part)

    def rest(self) -> Iterator[Record]:
        """Yield what is not full."""
        for shard in sorted(shard for shard, parts in self._parts.items() if parts):
            yield self._record(shard)

    def _record(self, shard: int) -> Record:
        parts = self._parts.pop(shard)
        self._n_bytes[shard] = 0
        value = join_moved(self._kind, parts, at=self._cut.clock, position=self._cut.behind)
        kind, n = ("", 0) if self._kind == "marks" else (self._kind, len(parts))
        return Record(topic=self._topic, partition=shard, value=value, kind=kind, n=n)


def _of_events(
    origin: Origin, states: States, cut: Cut, topics: Topics, *, n_shards: int
) -> Iterator[Record]:
    entries, marks, kept = (_Shards(kind, cut, topics) for kind in ("entries", "marks", "states"))
    for appended_at, digests, block in origin.blocks():
        for digest, entry in zip(digests, block, strict=True):
            shard = _shard_of(entry.event, n_shards)
            yield from entries.put(shard, encode_sent(_sent(entry)))
            for place in _marked(entry.event, digest, appended_at, shards=(shard, n_shards)):
                yield from marks.put(place, _encode(MovedMark(digest, appended_at)))
    yield from entries.rest()
    yield from marks.rest()
    for stage, key, stored in everybody(states):
        state = MovedState(stage, key, stored.state, stored.wake or 0)
        yield from kept.put(shard_of(key, n_shards), _encode(state))
    yield from kept.rest()


def _shard_of(event: Event, n_shards: int) -> int:
    has_id = event.anonymous_id is not None or event.user_id is not None
    return entry_shard(event, n_shards) if has_id else 0


def _sent(entry: Entry) -> Sent:
    flags = HISTORY * entry.is_history | SHADOW * entry.is_shadow
    return Sent(entry.event, flags, entry.at, entry.position)


def _marked(event: Event, digest: bytes, appended_at: int, *, shards: tuple[int, int]) -> Iterable[int]:
    """Say where a message is to be known beside its entry: everywhere, where nothing says whose it was."""
    shard, n_shards = shards
    if digest != message_digest(event.source, event.message_id):
        return range(n_shards)
    return (shard,) if appended_at > event.received_at + LATE_MS else ()


def everybody(states: States) -> Iterator[tuple[Stage, str, Stored]]:
    """Yield every state there is."""
    for stage in STAGES:
        after: str | None = None
        while page := states.keys(stage, after=after, limit=PAGE):
            after = page[-1]
            found = states.load([(stage, key) for key in page])
            for key in page:
                if (stored := found.get((stage, key))) is not None:
                    yield stage, key, stored


def facts_of(states: States) -> Iterator[Fact]:
    """Yield all facts, in the order of their commits."""
    number = 0
    while groups := states.facts_after(number, PAGE):
        number = groups[-1][0]
        for _, facts in groups:
            yield from facts


def _facts(states: States, topics: Topics, *, n_partitions: int) -> Iterator[Record]:
    parts: list[bytes] = []
    n_bytes = n_records = 0

    def record() -> Record:
        value = b"[%b]" % b",".join(parts)
        place = n_records % n_partitions
        return Record(topic=topics.facts, partition=place, value=value, kind="facts", n=len(parts))

    for fact in facts_of(states):
        part = _encode(fact)
        if parts and n_bytes + len(part) > RECORD_BYTES:
            yield record()
            parts, n_bytes, n_records = [], 0, n_records + 1
        parts.append(part)
        n_bytes += len(part)
    if parts:
        yield record()


def _letters(origin: Origin, topics: Topics, *, n_partitions: int) -> Iterator[Record]:
    for letter in origin.letters():
        action = letter.action
        # What a destination said may be cut in the middle of a character.
        said = letter.last_error.encode("utf-8", "replace").decode()
        if letter.dead_at is not None:
            value = _encode(msgspec.structs.replace(letter, last_error=said))
            key = action.id.encode()
            yield Record(topic=topics.dead_letters, partition=0, value=value, key=key, kind="letters", n=1)
            continue
        waited = _encode((letter.attempts, letter.due_at, said))
        yield Record(
            topic=topics.actions,
            partition=shard_of(action.profile_id, n_partitions),
            value=_encode(action),
            key=action.profile_id.encode(),
            headers=[(WAITED, waited)],
            kind="letters",
            n=1,
        )
