"""Records: what travels between the stages and the workers, as bytes; the log's are of `engine.records`.

inputs     from stage to stage, for one shard: [[key, input], ...]
parcel     the same, behind the shard's number (2 bytes) and the first instant (8)
facts      of one shard: [fact, ...]
actions    one action
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence

import msgspec
from msgspec import Struct

from sojourn.engine.records import Moved
from sojourn.engine.turn import route
from sojourn.model.event import Entry, is_erased
from sojourn.model.fact import Fact
from sojourn.model.ids import message_digest
from sojourn.model.turn import Arrived, Input, Stage


class Adopted(Struct, frozen=True, tag="adopted", array_like=True, gc=False):
    """A key's state as it was where the installation was moved from: it goes onto the shelf as it is."""

    at: int
    position: int
    state: bytes
    wake: int


Addressed = tuple[str, Input | Adopted]
"""A key and what is for it."""

RECORD_BYTES = 1 << 19
"""Of a record of facts, where one fact alone is not larger: half of what a broker takes by itself."""

_HEAD = struct.Struct(">HQ")
_encode = msgspec.json.Encoder().encode
_decode_inputs = msgspec.json.Decoder(list[Addressed]).decode
_decode_entry = msgspec.json.Decoder(Entry).decode


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


def adoptions(moved: Moved) -> Iterator[tuple[Stage, Addressed]]:
    """Say whose states were moved here, and to which stage."""
    for one in moved.states:
        yield one.stage, (one.key, Adopted(moved.at, moved.position, one.state, one.wake))


def marks_of(moved: Moved) -> Iterator[tuple[bytes, int]]:
    """Say which messages were taken where an installation was moved from, and when (ms) by the door's clock.

    The log's own clock goes by the time that an import plays.
    """
    for sent in moved.entries:
        event = sent.event
        yield message_digest(event.source, event.message_id), event.received_at
    for mark in moved.marks:
        yield mark.digest, mark.at


def encode_inputs(inputs: Sequence[Addressed]) -> bytes:
    """Write what goes forward to one shard."""
    return _encode(inputs)


def decode_inputs(record: bytes) -> list[Addressed]:
    """Read what came forward."""
    return _decode_inputs(record)


def encode_parcel(shard: int, at: int, record: bytes) -> bytes:
    """Put a shard's inputs behind where they go and their first instant, ms.

    In one piece: on Flink each field of a row is converted by itself, on both sides.
    """
    return _HEAD.pack(shard, at) + record


def decode_parcel(parcel: bytes) -> tuple[int, int, bytes]:
    """Return (shard, the first instant, a record of inputs); empty: a control takes effect."""
    return *_HEAD.unpack_from(parcel), parcel[_HEAD.size :]


def encode_facts(facts: Sequence[Fact]) -> Iterator[bytes]:
    """Write facts, in order, in as many records as brokers want: a shard that catches up has many at once."""
    record = _encode(facts)
    if len(record) <= RECORD_BYTES or len(facts) == 1:
        yield record
        return
    middle = len(facts) // 2
    yield from encode_facts(facts[:middle])
    yield from encode_facts(facts[middle:])


def encode_control(entry: Entry) -> bytes:
    """Write a control."""
    return _encode(entry)


def decode_control(record: bytes) -> Entry:
    """Read a control."""
    return _decode_entry(record)
