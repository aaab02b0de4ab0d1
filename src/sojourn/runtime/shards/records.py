"""Records: what travels between the stages and the workers, as bytes; the log's are of `engine.records`.

inputs     from stage to stage, for one shard: [[key, input], ...]
facts      of one shard: [fact, ...]
actions    one action
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from sojourn.engine.turn import route
from sojourn.model.event import Entry, is_erased
from sojourn.model.turn import Arrived, Input, Stage

Addressed = tuple[str, Input]
"""A key and what is for it."""

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
