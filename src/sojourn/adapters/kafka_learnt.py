"""What was learnt, on Kafka: the counts of the one process that learns, and whose turn it is.

The topic has one partition, which a consumer group gives to one of those who want to learn. Brokers may take
somebody for gone who is only slow: so whoever begins writes its name first, in a transaction that the one
before cannot write after, and takes the publishers' place, too. A control goes out only where the newest name
is one's own: then nobody has begun since, or the brokers refuse it.

    key     `counts`
    value   `runtime.shards.pupil.Progress`, as compressed JSON: counts and offsets in one record
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from sojourn.adapters.kafka_client import library
from sojourn.adapters.kafka_merge import Merge
from sojourn.adapters.kafka_read import partitions_of, read_topic, reading
from sojourn.adapters.kafka_topics import COUNTS_BYTES, TIMEOUT_S, missing_topic
from sojourn.model.errors import UnavailableError
from sojourn.model.fact import Fact
from sojourn.model.topics import Topics

if TYPE_CHECKING:
    from confluent_kafka import Message

COUNTS = "counts"
AT_ONCE = 2_000  # records of facts, at most
TRANSACTION_MS = 10_000

_decode_facts = msgspec.json.Decoder(list[Fact]).decode


class Turn:
    """Whose turn it is to learn, as the group says; asked again and again, at least every few minutes."""

    def __init__(self, client: Mapping[str, Any], topics: Topics, *, group: str) -> None:
        """Join the group; `client` are settings of librdkafka, with `bootstrap.servers`."""
        kafka = library("cluster")
        self._consumer = kafka.Consumer(
            {
                "log_level": 0,
                **client,
                "group.id": group,
                "enable.auto.commit": False,
                "partition.assignment.strategy": "cooperative-sticky",  # who stands by takes nobody's turn
            }
        )
        self._topic = topics.learnt
        self._is_ours = False
        self.leaving: Callable[[], None] | None = None
        """Called before it is somebody else's, where there is time for that."""
        self._consumer.subscribe(
            [self._topic], on_assign=self._assign, on_revoke=self._revoke, on_lost=self._lose
        )

    def is_ours(self, wait_s: float) -> bool:
        """Tell whether it is ours now; raises ConfigError where the topic is not there."""
        kinds = library("cluster").KafkaError
        message = self._consumer.poll(wait_s)
        if message is not None and message.error() is not None:
            error = message.error()
            if error.code() in (kinds.UNKNOWN_TOPIC_OR_PART, kinds._UNKNOWN_TOPIC):
                raise missing_topic(self._topic)
        return self._is_ours

    def close(self) -> None:
        """Leave the group: somebody else begins at once."""
        self._consumer.close()

    def _assign(self, consumer: Any, places: list[Any]) -> None:
        consumer.incremental_assign(places)
        if places:
            self._is_ours = True
            consumer.pause(places)  # what is in it is read otherwise

    def _revoke(self, consumer: Any, places: list[Any]) -> None:
        if places and self.leaving is not None:
            self.leaving()
        self._lose(consumer, places)

    def _lose(self, consumer: Any, places: list[Any]) -> None:
        self._is_ours = self._is_ours and not places
        consumer.incremental_unassign(places)


class Counts:
    """The record of the counts, for who has begun to learn."""

    def __init__(self, client: Mapping[str, Any], topics: Topics) -> None:
        """Take the place of whoever learnt before. Raises UnavailableError."""
        self._kafka = library("cluster")
        self._client = dict(client)
        self._topic = topics.learnt
        self._producer = self._kafka.Producer(
            {
                "log_level": 0,
                **client,
                "transactional.id": topics.learnt,
                "transaction.timeout.ms": TRANSACTION_MS,
                "message.max.bytes": COUNTS_BYTES,
            }
        )
        try:
            self._producer.init_transactions(TIMEOUT_S)
        except self._kafka.KafkaException as error:
            raise UnavailableError(f"topic {self._topic}: {error.args[0].str()}") from error

    def read(self) -> bytes | None:
        """Return the newest record, unpacked; None: there is none."""
        found: list[bytes] = []

        def hear(message: Message) -> None:
            content = message.value()
            if isinstance(content, bytes) and content:
                found[:] = [content]

        read_topic(self._client, self._topic, hear)
        return zlib.decompress(found[0]) if found else None

    def write(self, content: bytes) -> None:
        """Keep another one; raises UnavailableError, also where somebody else has begun since."""
        try:
            self._producer.begin_transaction()
            self._producer.produce(*self.record(content), partition=0)
            self._producer.commit_transaction(TIMEOUT_S)
        except (self._kafka.KafkaException, SystemError) as error:
            said = error.args[0].str() if isinstance(error, self._kafka.KafkaException) else str(error)
            raise UnavailableError(f"topic {self._topic}: the counts are not kept: {said}") from error

    def record(self, content: bytes) -> tuple[str, bytes, str]:
        """Return topic, value and key of the record, as a producer takes them."""
        return self._topic, zlib.compress(content, 6), COUNTS


class FactsReader:
    """Facts of all partitions, from some offsets on, each partition as far as the others."""

    def __init__(self, client: Mapping[str, Any], topics: Topics, offsets: Mapping[int, int]) -> None:
        """Begin behind `offsets`; in partitions that are not among them, with what is kept."""
        self._kafka = kafka = library("cluster")
        self._topic = topics.facts
        self._consumer = kafka.Consumer(reading(client, topics.facts))
        partitions = partitions_of(self._consumer, self._topic)
        self._consumer.assign(
            [
                kafka.TopicPartition(self._topic, number, offsets.get(number, kafka.OFFSET_BEGINNING))
                for number in partitions
            ]
        )
        self._merge: Merge[list[Fact]] = Merge(partitions)
        self._partitions = partitions
        self._paused: set[int] = set()

    def read(self, wait_s: float) -> tuple[list[Fact], dict[int, int]]:
        """Return facts, and up to where they go: partition -> offset. Raises UnavailableError."""
        for message in self._consumer.consume(AT_ONCE, wait_s):
            error, partition = message.error(), message.partition()
            if error is None:
                facts = _decode_facts(message.value() or b"[]")
                at = max((fact.at for fact in facts), default=0)
                self._merge.put(partition, message.offset(), at, content=facts)
            elif error.code() == self._kafka.KafkaError._PARTITION_EOF:
                self._merge.end(partition)
            elif error.fatal():
                raise UnavailableError(f"topic {self._topic}: {error.str()}")
        taken, offsets = self._merge.take()
        self._steer()
        return [fact for facts in taken for fact in facts], offsets

    def close(self) -> None:
        """Let go of the brokers."""
        self._consumer.close()

    def _steer(self) -> None:
        full = {each for each in self._partitions if self._merge.is_full(each)}
        if pause := full - self._paused:
            self._consumer.pause(self._places(pause))
        if resume := self._paused - full:
            self._consumer.resume(self._places(resume))
        self._paused = full

    def _places(self, partitions: set[int]) -> list[Any]:
        return [self._kafka.TopicPartition(self._topic, number) for number in sorted(partitions)]
