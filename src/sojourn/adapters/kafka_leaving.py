"""Leaving Kafka: an installation's topics read whole, up to where it parts."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from sojourn.adapters.kafka_client import Client, library
from sojourn.adapters.kafka_dead import REVIVED
from sojourn.adapters.kafka_pending import Ledger
from sojourn.adapters.kafka_topics import TIMEOUT_S
from sojourn.model.action import Action, Letter
from sojourn.model.errors import ConfigError, UnavailableError
from sojourn.model.topics import WAITED, Topics

if TYPE_CHECKING:
    from confluent_kafka import Message

OWNER = "migrate"
TICK_S = 0.2
QUIET_S = 5.0  # so long nothing more is written: checkpoints are a second apart, transactions end with them.
LOOK_S = 2.5  # doors and workers write a tick a second.
AT_ONCE = 2_000

_decode = msgspec.json.Decoder(Action).decode
_decode_waited = msgspec.json.Decoder(tuple[int, int, str]).decode


class Lying(Struct, frozen=True, gc=False):
    """A record, and where it lies."""

    partition: int
    offset: int
    stamp: int
    """The broker's instant, ms."""
    key: bytes | None
    value: bytes | None


class KafkaLeaving:
    """The topics of one installation that is moved away."""

    def __init__(self, client: Client, topics: Topics) -> None:
        """Name them; nothing is asked of the brokers yet."""
        self._kafka = library(OWNER)
        self._client = client
        self._topics = topics
        self._producer: Any = None
        self._places: list[tuple[str, int, bytes | None]] = []

    def check(self, *, n_shards: int) -> None:
        """See that the topics are there; raises ConfigError."""
        admin = import_module("confluent_kafka.admin").AdminClient(dict(self._client.settings))
        try:
            known = admin.list_topics(timeout=TIMEOUT_S).topics
        except self._kafka.KafkaException as error:
            said = self._client.clean(error.args[0].str())
            raise ConfigError(
                f"{OWNER}: Kafka does not answer: {said}; see that the brokers are up and that "
                "cluster.brokers names them [no-kafka]"
            ) from None
        for name in (self._topics.events, self._topics.controls, self._topics.states):
            if name not in known:
                raise ConfigError(
                    f"{OWNER}: there is no topic {name}: nothing can be brought home from there; see "
                    "cluster.prefix, and that the job told its states [no-topic]"
                )
        n_partitions = len(known[self._topics.events].partitions)
        if n_partitions != n_shards:
            raise ConfigError(
                f"{OWNER}: topic {self._topics.events} has {n_partitions} partitions; set cluster.shards to "
                "that [shards]"
            )

    def is_written(self) -> bool:
        """Look for a while whether somebody writes to the events: a door, or a worker."""
        before = self._ends(self._topics.events)
        time.sleep(LOOK_S)
        return self._ends(self._topics.events) != before

    def part(self, *, replicas: int) -> None:
        """Have doors, workers and publishers refuse to begin here from now on."""
        module = import_module("confluent_kafka.admin")
        admin = module.AdminClient(dict(self._client.settings))
        if self._topics.left in admin.list_topics(timeout=TIMEOUT_S).topics:
            return
        topic = module.NewTopic(self._topics.left, 1, replicas)
        for done in admin.create_topics([topic], operation_timeout=TIMEOUT_S).values():
            done.result(TIMEOUT_S)

    def read(self, topic: str) -> Iterator[list[Lying]]:
        """Yield all that is committed in a topic now, a partition's in order."""
        consumer = self._consumer(OWNER)
        try:
            left = self._assign(consumer, topic)
            ends = time.monotonic() + TIMEOUT_S
            while left:
                found: list[Lying] = []
                for message in consumer.consume(AT_ONCE, 0.5):
                    ends = time.monotonic() + TIMEOUT_S
                    if message.error() is None:
                        found.append(_lying(message))
                    elif message.error().code() == self._kafka.KafkaError._PARTITION_EOF:
                        left.discard(message.partition())
                    elif not message.error().retriable():
                        raise UnavailableError(f"topic {topic}: {message.error().str()}")
                if found:
                    yield found
                elif time.monotonic() > ends:
                    raise UnavailableError(f"topic {topic}: the brokers do not answer; run it again")
        finally:
            consumer.close()

    def follow_states(
        self, hear: Callable[[Lying], None], is_all: Callable[[], bool], *, wait_s: float
    ) -> None:
        """Hear every record of the states, keeping clocks going, until all is told and nothing more comes.

        Raises UnavailableError where that takes longer.
        """
        consumer = self._consumer(OWNER)
        n_heard, quiet_since = 0, time.monotonic()
        ends, tick_at = quiet_since + wait_s, 0.0
        try:
            self._assign(consumer, self._topics.states)
            while not (is_all() and time.monotonic() - quiet_since > QUIET_S and self._is_committed()):
                now = time.monotonic()
                if now > ends:
                    raise UnavailableError("")
                if now >= tick_at:
                    self._tick()
                    tick_at = now + TICK_S
                for message in consumer.consume(AT_ONCE, TICK_S / 2):
                    if message.error() is None:
                        hear(_lying(message))
                        n_heard, quiet_since = n_heard + 1, time.monotonic()
                        ends = max(ends, quiet_since + wait_s)
        finally:
            consumer.close()

    def open_letters(self, group: str) -> Iterator[Letter]:
        """Yield the actions that workers are not done with, by what they committed."""
        consumer = self._consumer(group)
        try:
            known = consumer.list_topics(self._topics.actions, timeout=TIMEOUT_S).topics
            numbers = known[self._topics.actions].partitions
            places = [self._kafka.TopicPartition(self._topics.actions, number) for number in numbers]
            committed = consumer.committed(places, timeout=TIMEOUT_S)
        finally:
            consumer.close()
        ledgers = {place.partition: Ledger(max(place.offset, 0), place.metadata or "") for place in committed}
        begins = {place.partition: max(place.offset, 0) for place in committed}
        consumer = self._consumer(group)
        try:
            for place in places:
                low, high = consumer.get_watermark_offsets(place, timeout=TIMEOUT_S)
                first = max(low, begins[place.partition])
                if first < high:
                    yield from self._open(consumer, ledgers[place.partition], place.partition, (first, high))
        finally:
            consumer.close()

    def _open(
        self, consumer: Any, ledger: Ledger, partition: int, between: tuple[int, int]
    ) -> Iterator[Letter]:
        first, high = between
        consumer.assign([self._kafka.TopicPartition(self._topics.actions, partition, first)])
        while True:
            messages = consumer.consume(AT_ONCE, TIMEOUT_S)
            if not messages:
                raise UnavailableError(f"topic {self._topics.actions}: the brokers do not answer")
            for message in messages:
                if message.error() is not None:
                    if message.error().code() == self._kafka.KafkaError._PARTITION_EOF:
                        return
                    continue
                if ledger.read(message.offset()) and (letter := _letter(message)) is not None:
                    yield letter
            if messages[-1].error() is None and messages[-1].offset() >= high - 1:
                return

    def _is_committed(self) -> bool:
        """Tell whether no transaction is open among the facts: a checkpoint came after the last of them."""
        return self._ends(self._topics.facts) == self._ends(self._topics.facts, "read_uncommitted")

    def _ends(self, topic: str, isolation: str = "read_committed") -> dict[int, int]:
        consumer = self._consumer(OWNER, isolation)
        try:
            known = consumer.list_topics(topic, timeout=TIMEOUT_S).topics[topic]
            return {
                number: consumer.get_watermark_offsets(
                    self._kafka.TopicPartition(topic, number), timeout=TIMEOUT_S
                )[1]
                for number in known.partitions
            }
        finally:
            consumer.close()

    def _tick(self) -> None:
        if self._producer is None:
            self._producer = self._kafka.Producer({"log_level": 0, **self._client.settings, "linger.ms": 5})
            self._places = [(self._topics.events, number, None) for number in self._ends(self._topics.events)]
            self._places.append((self._topics.controls, 0, b"tick"))
        for topic, number, key in self._places:
            self._producer.produce(topic, None, key, partition=number)
        self._producer.poll(0)

    def _assign(self, consumer: Any, topic: str) -> set[int]:
        known = consumer.list_topics(topic, timeout=TIMEOUT_S).topics[topic]
        beginning = self._kafka.OFFSET_BEGINNING
        consumer.assign([self._kafka.TopicPartition(topic, number, beginning) for number in known.partitions])
        return set(known.partitions)

    def _consumer(self, group: str, isolation: str = "read_committed") -> Any:
        own = {
            "group.id": group,  # asked for; none is joined
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "isolation.level": isolation,
        }
        return self._kafka.Consumer({"log_level": 0, **self._client.settings, **own})

    def close(self) -> None:
        """Let go of the brokers."""
        if self._producer is not None:
            self._producer.flush(TIMEOUT_S)


def _lying(message: Message) -> Lying:
    key, value, partition, offset = message.key(), message.value(), message.partition(), message.offset()
    assert partition is not None
    assert offset is not None
    assert not isinstance(key, str)
    assert not isinstance(value, str)
    return Lying(partition, offset, message.timestamp()[1], key, value)


def _letter(message: Message) -> Letter | None:
    """Read an action with what waited with it; None where a record is none."""
    headers: Any = message.headers() or ()
    told = dict(headers)
    try:
        action = _decode(message.value() or b"")
        if (revived := told.get(REVIVED)) is not None:
            return Letter(action=action, due_at=int(revived))
        attempts, due_at, last_error = _decode_waited(told[WAITED]) if WAITED in told else (0, action.at, "")
    except (msgspec.MsgspecError, ValueError):
        return None
    return Letter(action=action, attempts=attempts, due_at=due_at, last_error=last_error)
