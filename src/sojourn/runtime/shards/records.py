"""Records: what travels between the door, the stages and the workers, as bytes.

Everything is JSON, as it is at the door and in the log of one machine: the parts of an event that nobody
reads stay the bytes that came in.

    events     a batch of one shard's events, in order: [[event, flags, at, position], ...];
               nothing: a tick, that only says how late it is; empty: the word that a control has come
    controls   the same, of controls
    inputs     from stage to stage, for one shard: [[key, input], ...]
    facts      of one shard: [fact, ...]
    actions    one action
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from zlib import crc32

import msgspec
from msgspec import Struct

from sojourn.engine.turn import route
from sojourn.model.event import Entry, Event, is_erased
from sojourn.model.turn import Arrived, Input, Stage

MAX_SHARDS = 1_023
CONTROLS = 1_023
"""The shard that is none: controls have their place among the positions, too."""
MAX_EVENTS = 1_024
"""In one record."""
_OFFSET = 20  # bits below an offset: 10 for the place in the record, 10 for the shard. 2^33 records fit into
# the 53 bits that every JSON reader keeps.

HISTORY, SHADOW = 1, 2

Addressed = tuple[str, Input]
"""A key and what is for it."""


class Sent(Struct, array_like=True, frozen=True, gc=False):
    """One event of a record."""

    event: Event
    flags: int = 0
    at: int = 0
    """Its instant in the log it was moved here from; 0: it came in here, when the broker says."""
    position: int = 0
    """Its position in that log."""


_encode = msgspec.json.Encoder().encode
_decode_sent = msgspec.json.Decoder(list[Sent]).decode
_decode_inputs = msgspec.json.Decoder(list[Addressed]).decode
_decode_entry = msgspec.json.Decoder(Entry).decode


def shard_of(key: str, n_shards: int) -> int:
    """Say in which of so many shards a key lives, in every stage."""
    return crc32(key.encode()) % n_shards


def entry_shard(event: Event, n_shards: int) -> int:
    """Say in which shard an event enters."""
    return shard_of(route(event)[1], n_shards)


def encode_events(events: Sequence[Sent]) -> bytes:
    """Write one record of events, at most MAX_EVENTS."""
    return _encode(events)


def read_events(record: bytes, *, shard: int, offset: int, at: int) -> list[Entry]:
    """Read a record of events at its place in the log; an empty one has none.

    The position is made of where the record lies: unique, growing along every shard, and the same whenever it
    is read.
    """
    if not record:
        return []
    base = offset << _OFFSET
    return [
        Entry(
            position=sent.position or base | index << 10 | shard,
            at=sent.at or at,
            event=sent.event,
            is_history=bool(sent.flags & HISTORY),
            is_shadow=bool(sent.flags & SHADOW),
        )
        for index, sent in enumerate(_decode_sent(record))
    ]


def offset_of(position: int) -> int:
    """Return the offset of the record that an entry of a cluster's own log lies in."""
    return position >> _OFFSET


def arrivals(entries: Iterable[Entry]) -> list[tuple[Stage, Addressed]]:
    """Say where entries begin their walk; a tombstone that concerns no device of others begins none."""
    found: list[tuple[Stage, Addressed]] = []
    for entry in entries:
        if is_erased(entry.event) and entry.event.anonymous_id is None:
            continue
        stage, key = route(entry.event)
        arrived = Arrived(entry.at, entry.position, entry.event, entry.is_history, entry.is_shadow)
        found.append((stage, (key, arrived)))
    return found


def encode_inputs(inputs: Sequence[Addressed]) -> bytes:
    """Write what goes forward to one shard."""
    return _encode(inputs)


def decode_inputs(record: bytes) -> list[Addressed]:
    """Read what came forward."""
    return _decode_inputs(record)


def encode_control(entry: Entry) -> bytes:
    """Write a control."""
    return _encode(entry)


def decode_control(record: bytes) -> Entry:
    """Read a control."""
    return _decode_entry(record)
