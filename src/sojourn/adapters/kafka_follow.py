"""Following a topic: every record of it that says something, from the beginning, and then those that come."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from threading import Event
from typing import Any

from msgspec import Struct

from sojourn.adapters.kafka_client import library
from sojourn.adapters.kafka_read import partitions_of
from sojourn.model.errors import UnavailableError

POLL_S = 0.2
AT_ONCE = 1_000


class Written(Struct, frozen=True):
    """One record, and where it lies."""

    offset: int
    at: int
    """When the broker took it, or what it brought along, ms."""
    content: bytes


class TopicFollower:
    """The one partition of a topic. `follow` runs on a thread of its own."""

    def __init__(self, client: Mapping[str, Any], topic: str) -> None:
        """Name the topic; `client` are settings of librdkafka, with `bootstrap.servers`."""
        self._kafka = library("cluster")
        self._client = dict(client)
        self._topic = topic
        self._stopping = Event()

    def follow(self, hear: Callable[[Written], None], caught_up: Callable[[], None]) -> None:
        """Hear every record that is not empty until `stop`; be told once that all that was there is heard.

        Raises ConfigError where the topic is not there.
        """
        consumer = self._kafka.Consumer(
            {
                "log_level": 0,  # the outbox's client says the same
                **self._client,
                "group.id": f"{self._topic}.followers",  # asked for; none is joined
                "enable.auto.commit": False,
                "auto.offset.reset": "error",
                "enable.partition.eof": True,
                "isolation.level": "read_committed",
            }
        )
        is_behind = True
        try:
            self._begin(consumer)
            while not self._stopping.is_set():
                for message in consumer.consume(AT_ONCE, POLL_S):
                    if message.error() is None:
                        self._tell(message, hear)
                    elif self._is_end(message) and is_behind:
                        is_behind = False
                        caught_up()
        finally:
            consumer.close()

    def _tell(self, message: Any, hear: Callable[[Written], None]) -> None:
        content = message.value()
        if content:  # most records of controls only keep the clock going
            hear(Written(message.offset(), message.timestamp()[1], content))

    def _is_end(self, message: Any) -> bool:
        error = message.error()
        if error.fatal() or error.code() == self._kafka.KafkaError._AUTO_OFFSET_RESET:
            raise UnavailableError(f"topic {self._topic}: {error.str()}")
        return bool(error.code() == self._kafka.KafkaError._PARTITION_EOF)

    def stop(self) -> None:
        """Have `follow` return."""
        self._stopping.set()

    def _begin(self, consumer: Any) -> None:
        partitions_of(consumer, self._topic)  # that it is there
        consumer.assign([self._kafka.TopicPartition(self._topic, 0, self._kafka.OFFSET_BEGINNING)])
