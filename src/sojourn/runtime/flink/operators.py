"""The three stages as operators: what comes waits on its shard's shelf until the watermark is past it.

An operator's watermark is the least of all partitions of the events and of the controls. Everything at or
before it has come, so that a shard is called with all its inputs in order, whichever way they travelled.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import msgspec
from pyflink.common import Types
from pyflink.datastream import KeyedBroadcastProcessFunction
from pyflink.datastream.state import MapStateDescriptor, ValueStateDescriptor

from sojourn.definitions.publishing import InForce
from sojourn.engine.records import (
    CONTROLS,
    LAST,
    Saved,
    encode_events,
    encode_saved,
    encode_taken,
    is_moved,
    mark_name,
    read_events,
    read_moved,
    saved_name,
    shard_of,
)
from sojourn.model.turn import Stage
from sojourn.runtime.flink import memory
from sojourn.runtime.flink.labels import Labels
from sojourn.runtime.flink.shelf import FlinkShelf
from sojourn.runtime.salvage import failed_step
from sojourn.runtime.shards.chronicle import Chronicle, Mark, takes_ids_out, without_ids
from sojourn.runtime.shards.records import (
    Addressed,
    adoptions,
    arrivals,
    decode_control,
    decode_parcel,
    encode_control,
    encode_facts,
    encode_inputs,
    encode_parcel,
    marks_of,
)
from sojourn.runtime.shards.seen import Seen
from sojourn.runtime.shards.worker import Kept, Outcome, Worker

OUTPUTS = Types.TUPLE([Types.INT(), Types.INT(), Types.STRING(), Types.PRIMITIVE_ARRAY(Types.BYTE())])
"""(for whom, the label of the shard it goes to, the record's name, content). Nameless: empty; nothing: empty
content. A tuple of Java's has no nothing in it."""

CONTROL_STATE = MapStateDescriptor("controls", Types.LONG(), Types.PICKLED_BYTE_ARRAY())

_json = msgspec.json.Encoder().encode
_read_in_force = msgspec.json.Decoder(InForce).decode
TO: dict[Stage, int] = {"alias": 0, "profile": 1}
FACTS, ACTIONS, FAILED, STATES, ENTRIES = 2, 3, 4, 5, 6
"""For whom an output is."""

_Out = Iterable[tuple[int, int, str, bytes]]


class StageOperator(KeyedBroadcastProcessFunction):  # type: ignore[misc]
    """One stage; what comes are records of inputs."""

    def __init__(self, stage: Stage, n_shards: int, in_force: InForce, *, tells_states: bool = False) -> None:
        self._tells_states = tells_states
        self._stage: Stage = stage
        self._n_shards = n_shards
        self._labels = Labels(n_shards)
        self._in_force = _json(in_force)  # As text: Flink sends an operator around pickled.

    def open(self, context: Any) -> None:
        """Begin, or go on after a restart: what is in memory only is empty."""
        self._shelf = FlinkShelf(context)
        self._chronicle = Chronicle(_read_in_force(self._in_force))
        self._worker = Worker(self._stage, self._chronicle)
        self._has_read_controls = False
        self._has_told_all = context.get_state(ValueStateDescriptor("told-all", Types.BOOLEAN()))
        self._known_to_tell: set[int] = set()
        memory.settle()

    def process_broadcast_element(self, value: Any, context: Any) -> None:
        """Hear a control."""
        state = context.get_broadcast_state(CONTROL_STATE)
        for entry in read_events(value[3], shard=CONTROLS, offset=value[1], at=context.timestamp()):
            self._chronicle.hear(entry)
            if takes_ids_out(entry):
                for position, raw in list(state.items()):
                    state.put(position, encode_control(without_ids(decode_control(raw), entry)))
            state.put(entry.position, encode_control(entry))

    def process_element(self, value: Any, context: Any) -> _Out:
        """Let a record of inputs wait; an empty one says that a control is to take effect."""
        shard, at, record = decode_parcel(value)
        shelf = self._shelf.at(shard, context.timer_service())
        if record:
            shelf.wait_encoded(record, at)
        else:
            shelf.call_at(at)
        return ()

    def on_timer(self, timestamp: int, context: Any) -> _Out:
        """Do what a shard has to do at an instant."""
        self._read_controls(context)
        timers = context.timer_service()
        shelf = self._shelf.at(self._labels.shard[context.get_current_key()], timers)
        outcome = self._worker.call(shelf, timestamp, upto=timers.current_watermark())
        yield from self._told(outcome)
        if shelf.number not in self._known_to_tell:
            yield from self._tell_all(shelf, outcome, min(outcome.place, (timestamp, LAST)))

    def _tell_all(self, shelf: FlinkShelf, outcome: Outcome, place: Mark) -> _Out:
        """Tell of everybody in a shard, once, where states were not told before."""
        self._known_to_tell.add(shelf.number)
        has_told = bool(self._has_told_all.value())
        if has_told != self._tells_states:
            self._has_told_all.update(self._tells_states)
        if has_told or not self._tells_states:
            return
        for key in shelf.everybody():
            kept = None if key in outcome.kept else shelf.get(key)
            if kept is not None:
                yield self._state(key, kept, place)

    def _read_controls(self, context: Any) -> None:
        """Hear the controls from before a restart again."""
        if not self._has_read_controls:
            self._has_read_controls = True
            for _, raw in context.get_broadcast_state(CONTROL_STATE).items():
                self._chronicle.hear(decode_control(raw))

    def _told(self, outcome: Outcome) -> _Out:
        if outcome.forward:
            yield from self._forwarded((one.stage, (one.key, one.input)) for one in outcome.forward)
        if outcome.facts:
            for record in encode_facts(outcome.facts):
                yield FACTS, 0, "", record
        for action in outcome.actions:
            yield ACTIONS, 0, action.profile_id, _json(action)
        for failure in outcome.failures:
            yield FAILED, 0, "", _json(failed_step(failure))
        if self._tells_states:
            yield from self._kept(outcome)

    def _kept(self, outcome: Outcome) -> _Out:
        for key, (kept, place) in outcome.kept.items():
            yield self._state(key, kept, place)
        for chapter in outcome.switched:
            content = encode_saved(Saved(b"", 0, *chapter.mark))
            yield STATES, 0, mark_name(self._stage, self._shelf.number), content

    def _state(self, key: str, kept: Kept | None, place: Mark) -> tuple[int, int, str, bytes]:
        content = b"" if kept is None else encode_saved(Saved(kept.state, kept.wake, *place))
        return STATES, 0, saved_name(self._stage, key), content

    def _forwarded(self, forward: Iterable[tuple[Stage, Addressed]]) -> _Out:
        records: dict[tuple[Stage, int], list[Addressed]] = defaultdict(list)
        for stage, addressed in forward:
            records[stage, shard_of(addressed[0], self._n_shards)].append(addressed)
        for (stage, shard), inputs in records.items():
            at = min(given.at for _, given in inputs)
            yield TO[stage], self._labels.of[shard], "", encode_parcel(shard, at, encode_inputs(inputs))


class IdentityOperator(StageOperator):
    """The first stage: what comes are records of the log, of one partition for each shard."""

    def __init__(
        self, n_shards: int, in_force: InForce, *, tells_states: bool = False, passes_on: bool = False
    ) -> None:
        """With `passes_on`, what is new goes to the topic of entries, too."""
        super().__init__("identity", n_shards, in_force, tells_states=tells_states)
        self._passes_on = passes_on

    def open(self, context: Any) -> None:
        """Begin, or go on after a restart."""
        super().open(context)
        marks = [MapStateDescriptor(f"seen-{n}", Types.STRING(), Types.LONG()) for n in (0, 1)]
        newest = ValueStateDescriptor("seen-newest", Types.LONG())
        self._seen = Seen([context.get_map_state(one) for one in marks], context.get_state(newest))
        self._clock = context.get_state(ValueStateDescriptor("clock", Types.LONG()))
        self._clocks: dict[int, int] = {}

    def process_element(self, value: Any, context: Any) -> _Out:
        """Take a record of the log in: what is new waits, or goes to where its walk begins."""
        self._read_controls(context)
        shard, offset, content = value
        shelf = self._shelf.at(shard, context.timer_service())
        at = self._tick(shard, max(context.timestamp(), shelf.watermark + 1))
        chapter = self._chronicle.next(shelf.mark, upto=at)
        if chapter is not None:
            shelf.call_at(chapter.mark[0])
        if not content:
            shelf.call_at(at)  # The control travels beside this word of it: by that instant it is heard.
        entries = read_events(content, shard=shard, offset=offset, at=at)
        if is_moved(content):
            moved = read_moved(content)
            self._seen.note(shard, marks_of(moved))
            if self._passes_on and entries:
                record, n = encode_events(moved.entries), len(entries)
                taken = encode_taken(record, entries, n, shard=shard, offset=0, at=at)
                yield ENTRIES, 0, "", taken
            yield from self._spread(shelf, adoptions(moved))
            return
        new = self._seen.take(shard, entries)
        if self._passes_on and new:
            taken = encode_taken(content, new, len(entries), shard=shard, offset=offset, at=at)
            yield ENTRIES, 0, "", taken
        yield from self._spread(shelf, arrivals(new))

    def _spread(self, shelf: FlinkShelf, inputs: Iterable[tuple[Stage, Addressed]]) -> _Out:
        """Let wait what is for this stage, and pass on the rest."""
        here: list[Addressed] = []
        beyond: list[tuple[Stage, Addressed]] = []
        for one in inputs:
            if one[0] == self._stage:
                here.append(one[1])
            else:
                beyond.append(one)
        if here:
            shelf.wait(here)
        yield from self._forwarded(beyond)

    def _told(self, outcome: Outcome) -> _Out:
        yield from super()._told(outcome)
        for chapter in outcome.switched:
            shard = self._shelf.number
            for kind in TO.values():
                yield kind, self._labels.of[shard], "", encode_parcel(shard, chapter.mark[0], b"")

    def _tick(self, shard: int, stamped: int) -> int:
        """Move a partition's clock; where its broker's goes back behind what was said, ours stands still."""
        clock = self._clocks.get(shard)
        if clock is None:
            clock = self._clock.value() or 0
        if stamped > clock:
            clock = stamped
            self._clock.update(clock)
        self._clocks[shard] = clock
        return clock
