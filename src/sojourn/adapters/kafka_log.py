"""The log on Kafka: what makes events durable, and keeps the clocks going that a cluster's timers live by.

    events     a record of events of one shard (`engine.records`), in the shard's own partition
    controls   the same of controls, in the only partition; then an empty record in every shard's
    failed     a record for each failed event, as JSON

Every record is confirmed by all replicas in sync before anybody is told that its events are taken. The
producer is idempotent, so that its own retries add nothing twice. What a client sends again, though it was
taken, is a duplicate that the first stage refuses.

Ticks, records of nothing, go through a producer of their own, confirmed by the leader alone: a lost one is
followed by another, and events do not wait in line with them.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from time import monotonic, time_ns
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from sojourn.adapters.kafka_beat import Beat
from sojourn.adapters.kafka_client import Client, Producing, library
from sojourn.adapters.kafka_gather import Lane, Part
from sojourn.adapters.kafka_moving import refuse_moving
from sojourn.adapters.kafka_topics import TIMEOUT_S
from sojourn.definitions.controls import is_control
from sojourn.engine.records import CONTROLS, Sent, encode_sent, entry_shard, join_sent, position_of
from sojourn.model.errors import ConfigError, UnavailableError
from sojourn.model.event import Entry, Event, FailedEvent
from sojourn.model.ports import Appended
from sojourn.model.topics import Topics

if TYPE_CHECKING:
    from confluent_kafka import KafkaError, Message, Producer

MAX_PENDING = 20_000  # events that wait for Kafka: seconds of them; more are told to come again.
CONFIRM_S = 15.0  # for a record to be confirmed: a new leader is found sooner, and clients wait no longer.
AGAIN_MS = 3_000  # so long after a refusal nobody is sent here: only what comes shows that it is over.
TICK_MS = 20
TICK_CONFIRM_S = 1.0

UNTOLD = -1
"""The position of an event that is in the log where nobody said."""

OWNER = "cluster"
OURS = frozenset({
    "bootstrap.servers", "metadata.broker.list", "enable.idempotence", "delivery.timeout.ms",
    "message.timeout.ms", "acks", "request.required.acks", "transactional.id", "linger.ms",
    "queue.buffering.max.ms",
})  # fmt: skip
"""What is not to be chosen: what is promised rests on it."""

_DEFAULTS: dict[str, Any] = {
    "log_level": 0,  # it writes to stderr as it likes; what matters is in `trouble`
    "message.max.bytes": 1_000_000,
    "socket.nagle.disable": True,
    "reconnect.backoff.max.ms": 1_000,  # its own 10 s are for clients that nobody waits for
}

_WHAT_TO_DO = {
    "UNKNOWN_TOPIC_OR_PART": "run `sojourn cluster init`",
    "_UNKNOWN_TOPIC": "run `sojourn cluster init`",
    "_UNKNOWN_PARTITION": "run `sojourn cluster init`; cluster.shards may differ from what it was then",
    "TOPIC_AUTHORIZATION_FAILED": "let this user write to the topics",
    "CLUSTER_AUTHORIZATION_FAILED": "let this user write idempotently",
    "NOT_ENOUGH_REPLICAS": "bring brokers back: too few replicas are in sync",
    "NOT_ENOUGH_REPLICAS_AFTER_APPEND": "bring brokers back: too few replicas are in sync",
    "MSG_SIZE_TOO_LARGE": "let the topics take records of 1 MB (max.message.bytes)",
    "_MSG_TIMED_OUT": "see that the brokers are up and that cluster.brokers names them",
}


class _Request(Struct, gc=False):
    """What one call of `accept` waits for."""

    events: Sequence[Event]
    entries: list[Entry | None]
    answer: asyncio.Future[Appended]
    n_missing: int


class _Place(Struct, frozen=True, gc=False):
    """Which event of which request: from `len(events)` on, failed ones; -1: the word that a control came."""

    request: _Request
    index: int


class _Record(Struct, eq=False):
    """One record on its way."""

    lane: int
    parts: Sequence[Part[_Place]]
    producer: Producer
    error: KafkaError | None = None
    offset: int = -1
    stamp: int = 0


class KafkaLog:
    """The topics of one installation, to write to. Its methods are for one event loop."""

    def __init__(self, client: Client, topics: Topics, *, n_shards: int, tick_ms: int = TICK_MS) -> None:
        """Connect; raises ConfigError where the client library is missing, or does not take a setting."""
        self._kafka = library(OWNER)
        self._client = client
        self._topics = topics
        self._n_shards = n_shards
        self._lanes: list[Lane[_Place]] = [Lane() for _ in range(n_shards + 1)]
        self._lanes.append(Lane(most=1))  # of failed events
        self._dirty: set[int] = set()
        self._n_pending = 0
        self._unsettled: set[_Record] = set()
        self._heard: deque[_Record] = deque()
        self._ticked: deque[tuple[int, int | None]] = deque()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_closing = False
        self._stopping = asyncio.Event()
        self._settled = asyncio.Event()
        self._settled.set()
        self._moved = asyncio.Event()
        self._beat = Beat(n_shards + 1, tick_ms=tick_ms)
        self.n_ticks = 0
        """Ticks sent."""
        self.n_refused = 0
        """Records of events that Kafka did not confirm."""
        self._refused_at = 0
        self.trouble: str | None = None
        """Why the last record was not confirmed, and what to do; None: it was."""
        self.on_trouble: Callable[[str | None], None] = _tell_nobody
        """Called when that begins, and when it is over."""
        settings = {**_DEFAULTS, **client.settings}
        self._producing = Producing(
            OWNER,
            Client(settings, client.hidden),
            self._own(),
            after_poll=self._call_loop,
            on_stop=self._call_stopped,
        )
        self._ticking = Producing(
            OWNER, Client(settings, client.hidden), self._own_of_ticks(), after_poll=self._call_loop
        )

    def __repr__(self) -> str:
        return f"KafkaLog({self._topics.events!r}, shards={self._n_shards})"

    @property
    def n_pending(self) -> int:
        """How many events wait to be confirmed."""
        return self._n_pending

    @property
    def is_ready(self) -> bool:
        """Whether it takes events now; after trouble, whether it is worth trying."""
        is_well = self.trouble is None or _now() - self._refused_at > AGAIN_MS
        return is_well and not self._is_closing and self._n_pending <= MAX_PENDING

    def check(self) -> None:
        """See that the topics are there, as they must be; raises ConfigError with what to do."""
        try:
            known = self._producing.producer.list_topics(timeout=TIMEOUT_S).topics
        except self._kafka.KafkaException as error:
            raise ConfigError(
                f"{OWNER}: Kafka does not answer: {self._client.clean(error.args[0].str())}; see that the "
                "brokers are up and that cluster.brokers names them [no-kafka]"
            ) from None
        refuse_moving(self._topics, known)
        for name in (self._topics.events, self._topics.controls, self._topics.failed):
            if name not in known:
                raise ConfigError(f"{OWNER}: there is no topic {name}; run `sojourn cluster init` [no-topic]")
        n_partitions = len(known[self._topics.events].partitions)
        if n_partitions != self._n_shards:
            raise ConfigError(
                f"{OWNER}: topic {self._topics.events} has {n_partitions} partitions, not {self._n_shards}: "
                f"people's states lie by their number; set cluster.shards to {n_partitions} [shards]"
            )

    async def accept(self, events: Sequence[Event], failed: Sequence[FailedEvent] = ()) -> Appended:
        """Make events durable, together with whatever else arrives at the same time.

        Returns each with its position and the broker's instant, in the order given. Raises UnavailableError
        where Kafka does not confirm all of them, too much is waiting already, or the server is stopping: then
        nothing is promised, though some may be in the log.
        """
        if self._is_closing:
            raise UnavailableError("the server is stopping")
        if self._n_pending > MAX_PENDING:
            raise UnavailableError("Kafka cannot keep up with what is sent")
        if not events and not failed:
            return Appended([], [])
        self._loop = asyncio.get_running_loop()
        n_parts = len(events) + len(failed)
        request = _Request(events, [None] * len(events), self._loop.create_future(), n_parts)
        self._n_pending += n_parts
        self._settled.clear()
        for index, event in enumerate(events):
            lane = self._n_shards if is_control(event) else entry_shard(event, self._n_shards)
            self._put(lane, encode_sent(Sent(event)), _Place(request, index))
        for index, one in enumerate(failed, start=len(events)):
            self._put(self._n_shards + 1, msgspec.json.encode(one), _Place(request, index))
        return await request.answer

    async def run(self) -> None:
        """Keep the clocks going, until `close`."""
        self._loop = asyncio.get_running_loop()
        while not self._stopping.is_set():
            wait_s = (self._beat.next_at() - _now()) / 1000
            if wait_s > 0:
                self._moved.clear()
                try:
                    async with asyncio.timeout(wait_s):
                        await self._moved.wait()
                except TimeoutError:
                    pass
                continue
            for lane in self._beat.round(now=_now()):
                self._tick(lane)

    async def close(self) -> None:
        """Take nothing more; return when what was taken is confirmed, or refused."""
        self._is_closing = True
        self._stopping.set()
        self._moved.set()
        await self._settled.wait()  # at most CONFIRM_S: by then the client has refused it
        await self._producing.close()
        await self._ticking.close()

    def _put(self, lane: int, content: bytes, place: _Place) -> None:
        self._lanes[lane].put(Part(content, place))
        if not self._dirty:
            asyncio.get_running_loop().call_soon(self._send_all)
        self._dirty.add(lane)

    def _send_all(self) -> None:
        """Send what has gathered in this round of the loop, and may go."""
        dirty, self._dirty = self._dirty, set()
        for lane in dirty:
            while parts := self._lanes[lane].take():
                self._send(lane, parts)

    def _send(self, lane: int, parts: Sequence[Part[_Place]]) -> None:
        record = _Record(lane, parts, self._producing.producer)
        self._unsettled.add(record)
        topic, number = self._place_of(lane)
        is_failed = lane > self._n_shards
        contents = [part.content for part in parts if part.content]
        content = contents[0] if is_failed else join_sent(contents) if contents else b""
        # Each record of controls has a key of its own: what is compacted away are empty ones.
        key = f"control-{time_ns()}" if lane == self._n_shards else None
        try:
            record.producer.produce(
                topic, content, key, partition=number, on_delivery=partial(self._hear, record)
            )
        except BufferError:
            record.error = self._kafka.KafkaError(self._kafka.KafkaError._QUEUE_FULL)
        except self._kafka.KafkaException as error:
            record.error = error.args[0]
        if record.error is not None:
            self._heard.append(record)
            asyncio.get_running_loop().call_soon(self._settle_all)
        elif not is_failed:
            self._beat.sent(lane, now=_now())

    def _place_of(self, lane: int) -> tuple[str, int]:
        if lane < self._n_shards:
            return self._topics.events, lane
        return (self._topics.controls if lane == self._n_shards else self._topics.failed), 0

    def _hear(self, record: _Record, error: KafkaError | None, message: Message) -> None:
        """Hear of a record; on the client's thread."""
        offset = message.offset()
        record.error = error
        record.offset = -1 if offset is None else offset
        record.stamp = message.timestamp()[1]
        self._heard.append(record)

    def _call_loop(self) -> None:
        """Have the loop look at what was heard; on a client's thread, once for all that came together."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._settle_all)

    def _call_stopped(self, producer: Producer) -> None:
        """Have the loop replace a producer; on the client's thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stopped, producer)

    def _stopped(self, producer: Producer) -> None:
        """A producer stopped for good: nothing more is said of what it has."""
        self._settle_all()
        self._producing.replace(producer)
        for record in [one for one in self._unsettled if one.producer is producer]:
            record.error = self._kafka.KafkaError(
                self._kafka.KafkaError._FATAL, "the client stopped", fatal=True
            )
            self._settle(record)
        self._settle_all()

    def _settle_all(self) -> None:
        while self._heard:
            self._settle(self._heard.popleft())
        if not self._n_pending:
            self._settled.set()
        while self._ticked:
            self._beat.ticked(*self._ticked.popleft())
        self._moved.set()

    def _settle(self, record: _Record) -> None:
        """Tell those whose events are in a record, and send what has waited for it."""
        if record not in self._unsettled:
            return  # it was given up with its producer
        self._unsettled.remove(record)
        lane = self._lanes[record.lane]
        lane.settle()
        if record.error is None:
            self._confirmed(record)
        else:
            self._refused(record, record.error)
        while parts := lane.take():
            self._send(record.lane, parts)

    def _confirmed(self, record: _Record) -> None:
        shard = CONTROLS if record.lane == self._n_shards else record.lane
        if record.lane <= self._n_shards:
            self._beat.confirmed(record.lane, record.stamp, now=_now())
        number = 0  # in the record
        for part in record.parts:
            request, index = part.of.request, part.of.index
            if record.lane == self._n_shards:
                self._spread(request)
            if 0 <= index < len(request.events):
                # Of its producer's repetition a broker may say that it knows it, and not from where.
                is_told = record.offset >= 0
                position = position_of(record.offset, number, shard=shard) if is_told else UNTOLD
                request.entries[index] = Entry(
                    position=position, at=record.stamp, event=request.events[index]
                )
                number += 1
            self._n_pending -= 1
            request.n_missing -= 1
            if not request.n_missing and not request.answer.done():
                entries = [entry for entry in request.entries if entry is not None]
                request.answer.set_result(Appended(entries, []))
        self._tell(None)

    def _spread(self, request: _Request) -> None:
        """Have every shard look at a control that is in the log; the request waits for that, too."""
        self._n_pending += self._n_shards
        request.n_missing += self._n_shards
        for shard in range(self._n_shards):
            self._put(shard, b"", _Place(request, -1))

    def _refused(self, record: _Record, error: KafkaError) -> None:
        """Kafka did not confirm a record: none of the requests with a part in it is answered with 200."""
        self._producing.heed(error, record.producer)
        self.n_refused += 1
        self._refused_at = _now()
        said = self._client.clean(f"{error.name()}: {error.str()}")
        self._tell(f"{said}; {_WHAT_TO_DO.get(error.name(), 'see the logs of the brokers')}")
        for part in record.parts:
            self._n_pending -= 1
            part.of.request.n_missing -= 1
            if not part.of.request.answer.done():
                part.of.request.answer.set_exception(UnavailableError("Kafka did not confirm it"))

    def _tell(self, trouble: str | None) -> None:
        began_or_ended = (trouble is None) != (self.trouble is None)
        self.trouble = trouble
        if began_or_ended:
            self.on_trouble(trouble)

    def _tick(self, lane: int) -> None:
        producer = self._ticking.producer
        topic, number = self._place_of(lane)

        def hear(error: KafkaError | None, message: Message) -> None:
            self._ticked.append((lane, message.timestamp()[1] if error is None else None))

        try:
            key = b"tick" if lane == self._n_shards else None
            producer.produce(topic, None, key, partition=number, on_delivery=hear)
            self.n_ticks += 1
        except (BufferError, self._kafka.KafkaException):
            self._beat.ticked(lane, None)

    def _own(self) -> dict[str, Any]:
        return {
            "enable.idempotence": True,
            "delivery.timeout.ms": int(CONFIRM_S * 1000),
            "linger.ms": 0,  # events have gathered already
            "queue.buffering.max.messages": 4 * MAX_PENDING,
        }

    def _own_of_ticks(self) -> dict[str, Any]:
        return {"acks": 1, "delivery.timeout.ms": int(TICK_CONFIRM_S * 1000), "linger.ms": 0}


def _tell_nobody(trouble: str | None) -> None:
    del trouble


def _now() -> int:
    return int(monotonic() * 1000)
