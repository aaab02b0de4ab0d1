"""Moving onto Kafka: records in a fixed order, gone on with behind what every partition has.

While it lasts there is one topic more, `PREFIX.moving`, with a note of what is moved: doors, workers and
publishers that see it do not begin, and who moves something else is refused. Records are the same each time,
and go to partitions that nobody else writes to, so what is there already is as many of them as lie there.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

from sojourn.adapters.kafka_client import Client, library
from sojourn.adapters.kafka_topics import TIMEOUT_S
from sojourn.model.errors import ConfigError, UnavailableError
from sojourn.model.topics import Topics

if TYPE_CHECKING:
    from confluent_kafka import KafkaError, Message

OWNER = "migrate"
CONFIRM_S = 300.0  # a broker may be gone so long; then the move ends, and can be begun again.
MAX_RECORD_BYTES = 16 << 20  # of the client; what the brokers take is said by the topics.
FLUSH_EVERY = 5_000  # records

Place = tuple[str, int]
"""A topic, and a partition of it."""


class Writable(Protocol):
    """A record to write."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def headers(self) -> list[tuple[str, bytes]]: ...
    @property
    def is_last(self) -> bool: ...


class KafkaMove:
    """One move into the topics of an installation."""

    def __init__(self, client: Client, topics: Topics) -> None:
        """Name them; nothing is asked of the brokers yet."""
        self._kafka = library(OWNER)
        self._admin = import_module("confluent_kafka.admin")
        self._client = client
        self._topics = topics
        self._refused: list[str] = []

    def note(self) -> bytes | None:
        """Return the note of the move that is under way; None where none is. Raises ConfigError."""
        if self._topics.moving not in self._known():
            return None
        for message in self._read(self._topics.moving):
            value = message.value()
            assert isinstance(value, bytes)
            return value
        return b""

    def filled(self) -> dict[Place, int]:
        """Return how many records every partition has, of the topics that are there."""
        known = self._known()
        consumer = self._consumer()
        try:
            return {
                (name, partition): consumer.get_watermark_offsets(
                    self._kafka.TopicPartition(name, partition), timeout=TIMEOUT_S
                )[1]
                for name in _names(self._topics)
                if name in known
                for partition in known[name].partitions
            }
        except self._kafka.KafkaException as error:
            raise self._no_answer(error) from None
        finally:
            consumer.close()

    def begin(self, note: bytes, *, replicas: int) -> int:
        """Say in a topic of its own that it begins, unless that is said; return the brokers' clock, ms."""
        if self._topics.moving not in self._known():
            config = {"message.timestamp.type": "LogAppendTime", "retention.ms": "-1"}
            topic = self._admin.NewTopic(self._topics.moving, 1, replicas, config=config)
            asked = self._admin.AdminClient(dict(self._client.settings))
            for done in asked.create_topics([topic], operation_timeout=TIMEOUT_S).values():
                done.result(TIMEOUT_S)
        stamps: list[int] = []

        def hear(error: KafkaError | None, message: Message) -> None:
            self._hear(error, message)
            stamps.append(message.timestamp()[1])

        producer = self._producer()
        producer.produce(self._topics.moving, note, partition=0, on_delivery=hear)
        self._flush(producer)
        return stamps[0]

    def write(self, records: Iterable[Writable], *, have: Mapping[Place, int]) -> Iterator[Writable]:
        """Write records behind those that are there; yield each, whether it was there or is on its way.

        The last is written when all before it are durable. Raises UnavailableError, and then it can be begun
        again.
        """
        producer = self._producer()
        left = dict(have)
        n_written = 0
        for record in records:
            place = (record.topic, record.partition)
            if left.get(place, 0) > 0:
                left[place] -= 1
                yield record
                continue
            if record.is_last:
                self._flush(producer)
            self._produce(producer, record)
            n_written += 1
            if record.is_last or n_written % FLUSH_EVERY == 0:
                self._flush(producer)
            yield record
        self._flush(producer)

    def end(self) -> None:
        """Let everybody begin: the topic of the move goes."""
        asked = self._admin.AdminClient(dict(self._client.settings))
        for done in asked.delete_topics([self._topics.moving], operation_timeout=TIMEOUT_S).values():
            done.result(TIMEOUT_S)
        ends = time.monotonic() + TIMEOUT_S
        while self._topics.moving in self._known() and time.monotonic() < ends:
            time.sleep(0.1)

    def _produce(self, producer: Any, record: Writable) -> None:
        while True:
            try:
                producer.produce(
                    record.topic,
                    record.value,
                    record.key,
                    partition=record.partition,
                    headers=record.headers or None,
                    on_delivery=self._hear,
                )
            except BufferError:
                producer.poll(0.5)
            except self._kafka.KafkaException as error:
                raise self._broken(error.args[0].str()) from None
            else:
                producer.poll(0)
                return

    def _flush(self, producer: Any) -> None:
        if producer.flush(CONFIRM_S) or self._refused:
            raise self._broken(self._refused[0] if self._refused else f"no answer in {CONFIRM_S:.0f} s")

    def _hear(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            said = f"topic {message.topic()}: {error.name()}: {error.str()}"
            self._refused.append(self._client.clean(said))

    def _broken(self, why: str) -> UnavailableError:
        what = "run it again, and it goes on"
        if "MSG_SIZE_TOO_LARGE" in why:
            what = (
                "somebody's state, or what is in force, is larger than a record there may be: let that topic "
                "take more (max.message.bytes), then run it again, and it goes on"
            )
        return UnavailableError(f"{OWNER}: not all was written: {why}; {what}")

    def _producer(self) -> Any:
        own = {
            "enable.idempotence": True,
            "message.timeout.ms": int(CONFIRM_S * 1000),
            "message.max.bytes": MAX_RECORD_BYTES,
            "compression.type": "lz4",
            "linger.ms": 20,
        }
        return self._kafka.Producer({"log_level": 0, **self._client.settings, **own})

    def _consumer(self) -> Any:
        own = {
            "group.id": self._topics.moving,  # asked for; none is joined
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
        }
        return self._kafka.Consumer({"log_level": 0, **self._client.settings, **own})

    def _read(self, topic: str) -> Iterator[Message]:
        """Yield the records of the one partition of a topic."""
        consumer = self._consumer()
        try:
            consumer.assign([self._kafka.TopicPartition(topic, 0, self._kafka.OFFSET_BEGINNING)])
            while (message := consumer.poll(TIMEOUT_S)) is not None and message.error() is None:
                yield message
        finally:
            consumer.close()

    def _known(self) -> Mapping[str, Any]:
        asked = self._admin.AdminClient(dict(self._client.settings))
        try:
            known: Mapping[str, Any] = asked.list_topics(timeout=TIMEOUT_S).topics
        except self._kafka.KafkaException as error:
            raise self._no_answer(error) from None
        return known

    def _no_answer(self, error: Any) -> ConfigError:
        said = self._client.clean(f"{error.args[0].name()}: {error.args[0].str()}")
        return ConfigError(
            f"{OWNER}: Kafka does not answer: {said}; see that the brokers are up and that cluster.brokers "
            "names them [no-kafka]"
        )


def refuse_moving(topics: Topics, known: Iterable[str]) -> None:
    """Refuse to work with topics to which an installation is being moved, or that it left; ConfigError."""
    names = set(known)
    if topics.moving in names:
        raise ConfigError(
            f"cluster: an installation is being moved here ({topics.moving} is there); let `sojourn migrate "
            "to-cluster` end, or run it again [moving]"
        )
    if topics.left in names:
        raise ConfigError(
            f"cluster: the installation that was here was moved to a folder ({topics.left} is there), and "
            "what comes is nobody's; begin with another cluster.prefix, or delete its topics first [left]"
        )


def _names(topics: Topics) -> Sequence[str]:
    return [getattr(topics, name) for name in topics.__struct_fields__]
