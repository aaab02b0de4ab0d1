"""Reading a topic once: from its beginning, or from some offsets, to where it ends now."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from sojourn.adapters.kafka_client import library
from sojourn.adapters.kafka_topics import TIMEOUT_S
from sojourn.model.errors import ConfigError, UnavailableError

if TYPE_CHECKING:
    from confluent_kafka import Message

AT_ONCE = 1_000
POLL_S = 0.2


def read_topic(
    client: Mapping[str, Any],
    topic: str,
    take: Callable[[Message], None],
    *,
    begin: Mapping[int, int] | None = None,
) -> None:
    """Hand over every committed record of a topic, each partition's in order.

    Args:
        client: Settings of librdkafka, with `bootstrap.servers`.
        topic: Its name.
        take: Called with each record.
        begin: Partition -> the offset to begin at; of others, their beginning.

    Raises ConfigError where there is no such topic, UnavailableError where the brokers do not answer.
    """
    kafka = library("cluster")
    consumer = kafka.Consumer(reading(client, topic))
    try:
        left = set(partitions_of(consumer, topic))
        offsets = begin or {}
        consumer.assign(
            [
                kafka.TopicPartition(topic, number, offsets.get(number, kafka.OFFSET_BEGINNING))
                for number in sorted(left)
            ]
        )
        ends = time.monotonic() + TIMEOUT_S
        while left:
            for message in consumer.consume(AT_ONCE, POLL_S):
                ends = time.monotonic() + TIMEOUT_S
                error = message.error()
                if error is None:
                    take(message)
                elif error.code() == kafka.KafkaError._PARTITION_EOF:
                    left.discard(message.partition())
                elif not error.retriable():
                    raise UnavailableError(f"topic {topic}: {error.str()}")
            if time.monotonic() > ends:
                raise UnavailableError(f"topic {topic}: the brokers do not answer")
    finally:
        consumer.close()


class EndReader:
    """The one partition of a topic, read on again and again to where it ends by then."""

    def __init__(self, client: Mapping[str, Any], topic: str) -> None:
        """Begin at the topic's beginning; `client` are settings of librdkafka."""
        self._kafka = library("cluster")
        self._topic = topic
        self._consumer = self._kafka.Consumer(reading(client, topic))
        self._place = self._kafka.TopicPartition(topic, 0, self._kafka.OFFSET_BEGINNING)
        self._consumer.assign([self._place])
        self._next = 0

    def read_on(self, take: Callable[[int, int, bytes], None]) -> None:
        """Hand over offset, instant and content of every committed record that says something.

        Raises UnavailableError where the brokers do not answer.
        """
        try:
            _, end = self._consumer.get_watermark_offsets(self._place, timeout=TIMEOUT_S, cached=False)
        except self._kafka.KafkaException as refusal:
            raise UnavailableError(f"topic {self._topic}: {refusal.args[0].str()}") from refusal
        ends = time.monotonic() + TIMEOUT_S
        while self._next < end:
            for message in self._consumer.consume(AT_ONCE, POLL_S):
                ends = time.monotonic() + TIMEOUT_S
                error, content = message.error(), message.value()
                if error is None:
                    self._next = message.offset() + 1
                    if content:
                        take(message.offset(), message.timestamp()[1], content)
                elif error.code() == self._kafka.KafkaError._PARTITION_EOF:
                    self._next = max(self._next, message.offset())  # past what only marks transactions
                elif not error.retriable():
                    raise UnavailableError(f"topic {self._topic}: {error.str()}")
            if time.monotonic() > ends:
                raise UnavailableError(f"topic {self._topic}: the brokers do not answer")

    def close(self) -> None:
        """Let go of the brokers."""
        self._consumer.close()


def reading(client: Mapping[str, Any], topic: str) -> dict[str, Any]:
    """Return the settings of whoever reads a topic without a group."""
    return {
        "log_level": 0,
        **client,
        "group.id": f"{topic}.readers",  # asked for; none is joined
        "enable.auto.commit": False,
        "auto.offset.reset": "earliest",  # what an offset named may be deleted for its age
        "enable.partition.eof": True,
        "isolation.level": "read_committed",
    }


def partitions_of(client: Any, topic: str) -> list[int]:
    """Return the partitions of a topic; `client` is any of the library's."""
    kafka = library("cluster")
    try:
        known = client.list_topics(topic, timeout=TIMEOUT_S).topics[topic]
    except kafka.KafkaException as error:
        raise UnavailableError(f"Kafka does not answer: {error.args[0].str()}") from error
    if known.error is not None:
        raise ConfigError(f"topic {topic}: {known.error.str()}; `sojourn cluster init` makes it [no-topic]")
    return sorted(known.partitions)
