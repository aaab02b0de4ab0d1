"""Records: how the log of a cluster holds events, as bytes; and where in it an event has its place.

Everything is JSON, as it is at the door and in the log of one machine: the parts of an event that nobody
reads stay the bytes that came in.

    events     a batch of one shard's events, in order: [[event, flags, at, position], ...];
               nothing: a tick, that only says how late it is; empty: the word that a control has come;
               an object: what was moved here from the log and the states of one machine (`Moved`)
    controls   the same, of controls
    entries    what the first stage took as new of a record of events: [shard, offset, at, [[event, flags, at,
               position], ...]], the record as it was where nothing of it had been seen

What a stage keeps of a key is written where somebody follows it, under the name `STAGE|KEY`:

    states     [state, wake, at, position], as msgpack; nothing: no state of the key is kept any more.
               `mark|STAGE|SHARD`: a control has taken effect in a shard
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from zlib import crc32

import msgspec
from msgspec import Struct

from sojourn.engine.turn import route
from sojourn.model.event import Entry, Event
from sojourn.model.turn import Stage

MAX_SHARDS = 1_023
CONTROLS = 1_023
"""The shard that is none: controls have their place among the positions, too."""
MAX_EVENTS = 1_024
"""In one record."""
_OFFSET = 20  # bits below an offset: 10 for the place in the record, 10 for the shard. 2^33 records fit into
# the 53 bits that every JSON reader keeps, and 2^43 into those that everything else here does.

HISTORY, SHADOW = 1, 2

MARK = b"mark|"
"""What the names of words begin with that are no states."""
LAST = (1 << 63) - 1
"""The position after every entry of an instant."""


class Sent(Struct, array_like=True, frozen=True, gc=False):
    """One event of a record."""

    event: Event
    flags: int = 0
    at: int = 0
    """Its instant in the log it was moved here from; 0: it came in here, when the broker says."""
    position: int = 0
    """Its position in that log."""


class MovedState(Struct, array_like=True, frozen=True, gc=False):
    """A key's state, as it was where it was moved from."""

    stage: Stage
    key: str
    state: bytes
    wake: int = 0
    """When it wants to be woken, ms; 0: not at all."""


class MovedMark(Struct, array_like=True, frozen=True, gc=False):
    """A message that was taken there, though nothing is left of it, for who sent it was forgotten."""

    digest: bytes
    at: int
    """When it was taken, ms."""


class Moved(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one shard gets of an installation that was moved here: it is there, and nothing comes of it."""

    at: int
    """The instant up to which all was done, there, ms."""
    position: int
    """Behind all positions of that log."""
    entries: list[Sent] = []
    """Entries of its log, with their places: who sends one of them again sends a duplicate."""
    states: list[MovedState] = []
    marks: list[MovedMark] = []


class Taken(Struct, array_like=True, frozen=True, gc=False):
    """What was new of one record of events, and where that lies in the log."""

    shard: int
    offset: int
    at: int
    """Its instant, ms."""
    sent: list[Sent]


encode_sent = msgspec.json.Encoder().encode
"""Write one event of a record, for `join_sent`."""
_decode_sent = msgspec.json.Decoder(list[Sent]).decode
_decode_moved = msgspec.json.Decoder(Moved).decode
_decode_taken = msgspec.json.Decoder(Taken).decode


def shard_of(key: str, n_shards: int) -> int:
    """Say in which of so many shards a key lives, in every stage."""
    return crc32(key.encode()) % n_shards


def entry_shard(event: Event, n_shards: int) -> int:
    """Say in which shard an event enters."""
    return shard_of(route(event)[1], n_shards)


def encode_events(events: Sequence[Sent]) -> bytes:
    """Write one record of events, at most MAX_EVENTS."""
    return encode_sent(events)


def join_sent(parts: Iterable[bytes]) -> bytes:
    """Write one record of events that are written already, at most MAX_EVENTS."""
    return b"[%b]" % b",".join(parts)


def join_moved(kind: str, parts: Iterable[bytes], *, at: int, position: int) -> bytes:
    """Write one record of what was moved: `entries`, `states` or `marks` that are written already."""
    return b'{"at":%d,"position":%d,"%b":[%b]}' % (at, position, kind.encode(), b",".join(parts))


def is_moved(record: bytes) -> bool:
    """Tell whether a record of events is one of what was moved here."""
    return record[:1] == b"{"


def read_moved(record: bytes) -> Moved:
    """Read one."""
    return _decode_moved(record)


def read_events(record: bytes, *, shard: int, offset: int, at: int) -> list[Entry]:
    """Read a record of events at its place in the log; an empty one has none.

    The position is made of where the record lies: unique, growing along every shard, and the same whenever it
    is read. Entries that were moved here are read, too: whoever takes them through stages looks first.
    """
    if not record:
        return []
    sent = _decode_moved(record).entries if is_moved(record) else _decode_sent(record)
    return _placed(Taken(shard, offset, at, sent))


def encode_taken(record: bytes, new: Sequence[Entry], n: int, *, shard: int, offset: int, at: int) -> bytes:
    """Write what was new of a record of `n` events, for the lake.

    Where all of it was, it is passed on as it is. What is left of others says its own places:
    they are counted in the whole record.
    """
    if len(new) < n:
        record = encode_events([_sent(entry) for entry in new])
    return b"[%d,%d,%d,%b]" % (shard, offset, at, record)


def read_taken(record: bytes) -> list[Entry]:
    """Read what was new of a record of events: the same entries that `read_events` read."""
    return _placed(_decode_taken(record))


def _sent(entry: Entry) -> Sent:
    flags = HISTORY * entry.is_history | SHADOW * entry.is_shadow
    return Sent(entry.event, flags, entry.at, entry.position)


def _placed(taken: Taken) -> list[Entry]:
    return [
        Entry(
            position=sent.position or position_of(taken.offset, index, shard=taken.shard),
            at=sent.at or taken.at,
            event=sent.event,
            is_history=bool(sent.flags & HISTORY),
            is_shadow=bool(sent.flags & SHADOW),
        )
        for index, sent in enumerate(taken.sent)
    ]


def position_of(offset: int, index: int, *, shard: int) -> int:
    """Return the position of the event at a place (from 0) in a record of a cluster's own log."""
    return offset << _OFFSET | index << 10 | shard


def offset_of(position: int) -> int:
    """Return the offset of the record that an entry of a cluster's own log lies in."""
    return position >> _OFFSET


class Saved(Struct, array_like=True, frozen=True, gc=False):
    """A key's state as its stage keeps it, and up to where in the log it is taken."""

    state: bytes
    """As `engine.state` encodes it; of a mark nothing."""
    wake: int
    """When it wants to be woken, ms; 0: not at all."""
    at: int
    """Of the log: what was to come of everything up to there has come of it."""
    position: int
    """Among those of one instant; LAST: all."""


encode_saved = msgspec.msgpack.Encoder().encode
decode_saved = msgspec.msgpack.Decoder(Saved).decode


def saved_name(stage: Stage, key: str) -> str:
    """Name a key's state."""
    return f"{stage}|{key}"


def mark_name(stage: Stage, shard: int) -> str:
    """Name the word that a control took effect in a shard of a stage."""
    return f"mark|{stage}|{shard}"
