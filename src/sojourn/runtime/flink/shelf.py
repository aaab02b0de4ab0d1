"""A shelf in Flink's keyed state: the key is the shard, and what it holds moves with it.

states    key -> when it wants to be woken (8 bytes), and its state
due       instant -> the keys that asked to be woken then; Flink has a timer for each
waiting   records of inputs that the watermark has not passed, each behind its first instant (8 bytes)
mark      the last control that took effect
asking    whether somebody is still to be asked about it

Each call of Flink's state costs some microseconds, however little it is for. So what a call of the worker
changes is written at its end, all at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from pyflink.common import Types
from pyflink.datastream.state import ListStateDescriptor, MapStateDescriptor, ValueStateDescriptor

from sojourn.runtime.shards.chronicle import BEGINNING, Mark
from sojourn.runtime.shards.records import Addressed, decode_inputs, encode_inputs
from sojourn.runtime.shards.walk import Walk
from sojourn.runtime.shards.worker import Kept

_INSTANT_BYTES = 8
_encode = msgspec.msgpack.Encoder().encode
_decode_keys = msgspec.msgpack.Decoder(list[str]).decode
_decode_mark = msgspec.msgpack.Decoder(Mark).decode


class FlinkShelf:
    """The shelf of whichever shard Flink is at; there is one for each operator."""

    def __init__(self, context: Any) -> None:
        text, raw, instant = Types.STRING(), Types.PICKLED_BYTE_ARRAY(), Types.LONG()
        self._states = context.get_map_state(MapStateDescriptor("states", text, raw))
        self._due = context.get_map_state(MapStateDescriptor("due", instant, raw))
        self._waiting = context.get_list_state(ListStateDescriptor("waiting", raw))
        self._mark = context.get_state(ValueStateDescriptor("mark", raw))
        self._asking = context.get_state(ValueStateDescriptor("asking", Types.BOOLEAN()))
        self._marks: dict[int, Mark] = {}
        self._walks: dict[int, Walk | None] = {}
        """Shard -> who is asked next; None: nobody is asked."""
        self._changed: dict[str, bytes] = {}
        self._wakes: dict[int, list[str]] = {}
        self._called: dict[int, int] = {}
        """Shard -> the earliest instant at which it is called for what waits, as far as is remembered."""
        self._timers: Any = None
        self.number = -1

    def at(self, number: int, timers: Any) -> FlinkShelf:
        """Turn to the shard that Flink is at."""
        self.number, self._timers = number, timers
        return self

    @property
    def watermark(self) -> int:
        """The instant up to which everything has come, ms."""
        watermark: int = self._timers.current_watermark()
        return watermark

    @property
    def mark(self) -> Mark:
        """The last control that took effect."""
        mark = self._marks.get(self.number)
        if mark is None:
            raw = self._mark.value()
            mark = self._marks[self.number] = BEGINNING if raw is None else _decode_mark(raw)
        return mark

    @mark.setter
    def mark(self, mark: Mark) -> None:
        self._marks[self.number] = mark
        self._mark.update(_encode(mark))

    def get(self, key: str) -> Kept | None:
        """Return a key's state."""
        raw = self._changed.get(key) or self._states.get(key)
        if raw is None:
            return None
        wake, state = _apart(raw)
        return Kept(state, wake)

    def put(self, key: str, kept: Kept) -> None:
        """Keep a key's state."""
        self._changed[key] = _behind(kept.wake, kept.state)

    def remove(self, key: str) -> None:
        """Keep nothing of a key any more."""
        self._changed.pop(key, None)
        self._states.remove(key)
        walk = self._walk()
        if walk is not None:
            walk.miss()

    def everybody(self) -> Iterable[str]:
        """Return every key that has a state."""
        return list(dict.fromkeys([*(key for key, _ in self._states.items()), *self._changed]))

    def ask_all(self) -> None:
        """Begin to ask everybody, from the first on."""
        self.flush()
        if self._walk() is None:
            self._asking.update(True)
        self._walks[self.number] = Walk()

    def unasked(self, most: int | None = None) -> list[str]:
        """Take the next keys that are to be asked, once with each step of the watermark, or all of them."""
        walk = self._walk()
        if walk is None or (most is not None and walk.last_at == self.watermark):
            return []
        self.flush()
        keys = walk.take(self._states.keys, most)
        if most is None or len(keys) < most:
            self._walks[self.number] = None
            self._asking.clear()
        else:
            walk.last_at = self.watermark
            self.call_at(walk.last_at + 1)
        return keys

    def _walk(self) -> Walk | None:
        if self.number not in self._walks:
            self._walks[self.number] = Walk() if self._asking.value() else None  # It begins anew.
        return self._walks[self.number]

    def wake(self, key: str, at: int) -> None:
        """Call the worker at an instant, with this key among those due."""
        self._wakes.setdefault(at, []).append(key)

    def flush(self) -> None:
        """Write what was changed."""
        if self._changed:
            self._states.put_all(self._changed)
            self._changed = {}
        if self._wakes:
            self._due.put_all({at: self._with_known(at, keys) for at, keys in self._wakes.items()})
            for at in self._wakes:
                self._timers.register_event_time_timer(at)
            self._wakes = {}

    def _with_known(self, at: int, keys: list[str]) -> bytes:
        known = self._due.get(at)
        return _encode(keys if known is None else [*_decode_keys(known), *keys])

    def due(self, at: int) -> list[str]:
        """Take those who asked to be woken at an instant."""
        raw = self._due.get(at)
        if raw is None:
            return []
        self._due.remove(at)
        return _decode_keys(raw)

    def take(self, upto: int) -> list[Addressed]:
        """Take the records that begin at or before an instant; those that lie beyond it are not even read."""
        self._called.pop(self.number, None)
        taken: list[bytes] = []
        left: list[tuple[int, bytes]] = []
        for record in self._waiting.get() or ():
            first_at, content = _begun(record)
            if first_at > upto:
                left.append((first_at, record))
            else:
                taken.append(content)
        if taken:
            self._waiting.update([record for _, record in left])
        if left:
            self.call_at(min(first_at for first_at, _ in left))
        return [one for record in taken for one in decode_inputs(record)]

    def wait(self, inputs: Sequence[Addressed]) -> None:
        """Put back what is to wait."""
        self.wait_encoded(encode_inputs(inputs), min(one[1].at for one in inputs))

    def wait_encoded(self, record: bytes, first_at: int) -> None:
        """Let a record of inputs wait, the first of which is of an instant."""
        self._waiting.add(_behind(first_at, record))
        self.call_at(first_at)

    def call_at(self, at: int) -> None:
        """Call the worker at an instant."""
        called = self._called.get(self.number)
        if called is None or at < called:
            self._called[self.number] = at
            self._timers.register_event_time_timer(at)


def _begun(record: bytes) -> tuple[int, bytes]:
    """Part a record from its first instant. Those of the first release have none before their bracket."""
    return (0, record) if record.startswith(b"[") else _apart(record)


def _behind(at: int, content: bytes) -> bytes:
    """Put content behind an instant, ms."""
    return at.to_bytes(_INSTANT_BYTES, "big") + content


def _apart(raw: bytes) -> tuple[int, bytes]:
    """Part an instant from the content behind it."""
    return int.from_bytes(raw[:_INSTANT_BYTES], "big"), raw[_INSTANT_BYTES:]
