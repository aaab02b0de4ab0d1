"""States on Kafka: the topic of that name, shared out among those who follow it, from where each partition is
known to have been stored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from threading import Event
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from sojourn.adapters.kafka_client import library
from sojourn.adapters.kafka_read import partitions_of
from sojourn.engine.records import MARK
from sojourn.model.errors import UnavailableError

if TYPE_CHECKING:
    from confluent_kafka import Message, TopicPartition

POLL_S = 0.05  # how long it waits for the first record; the others come with it.
AT_ONCE = 1_000


class Batch(Struct):
    """What came at once."""

    records: list[tuple[str, bytes | None]] = []
    """(name, content), in the topic's order of each name; None: it is gone."""
    offsets: dict[int, int] = {}
    """Partition -> from where it is to be read on once these are stored."""


class StatesFollower:
    """One of a consumer group. All of it is for one thread, but `stop`."""

    def __init__(
        self,
        client: Mapping[str, Any],
        topic: str,
        *,
        group: str,
        offsets: Callable[[], Mapping[int, int]],
    ) -> None:
        """Name the topic and the group; `client` are settings of librdkafka, with `bootstrap.servers`.

        `offsets` says from where each partition is to be read on; one that it does not name, from its
        beginning.
        """
        self._kafka = library("cluster")
        self._client = dict(client)
        self._topic = topic
        self._group = group
        self._offsets = offsets
        self._consumer: Any = None
        self._stopping = Event()
        self.partitions: set[int] = set()
        """Those that are ours."""

    def follow(
        self,
        store: Callable[[Batch], None],
        *,
        idle: Callable[[], bool],
        shared: Callable[[int], None],
    ) -> None:
        """Have every batch stored, until `stop`.

        What is stored is committed then. `idle` is asked between batches whether all is to be read anew;
        `shared` hears how many partitions are ours. Raises ConfigError where the topic is not there,
        UnavailableError where Kafka ends it, and whatever `store` raises.
        """
        self._consumer = consumer = self._kafka.Consumer(
            {
                "log_level": 0,
                **self._client,
                "group.id": self._group,
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "isolation.level": "read_committed",
                "partition.assignment.strategy": "cooperative-sticky",
            }
        )
        try:
            partitions_of(consumer, self._topic)  # that it is there
            consumer.subscribe(
                [self._topic],
                on_assign=lambda _, places: self._assign(places, shared),
                on_revoke=lambda _, places: self._revoke(places, shared),
                on_lost=lambda _, places: self._revoke(places, shared),
            )
            while not self._stopping.is_set():
                batch = self._read(consumer)
                if batch.offsets:
                    store(batch)
                    self._commit(consumer, batch)
                if idle():
                    self._begin_anew(consumer)
        finally:
            consumer.close()

    def stop(self) -> None:
        """Have `follow` return."""
        self._stopping.set()

    def lag(self) -> int:
        """Return how many records are behind what is stored, in our partitions, as far as is known."""
        consumer, total = self._consumer, 0
        if consumer is None:
            return 0
        for place in consumer.position([self._place(number) for number in self.partitions]):
            _, end = consumer.get_watermark_offsets(place, cached=True)
            total += max(0, end - max(place.offset, 0))
        return total

    def _read(self, consumer: Any) -> Batch:
        batch = Batch()
        for message in consumer.consume(AT_ONCE, POLL_S):
            error = message.error()
            if error is None:
                self._take(message, batch)
            elif error.fatal() or not error.retriable():
                raise UnavailableError(f"topic {self._topic}: {error.str()}")
        return batch

    def _take(self, message: Message, batch: Batch) -> None:
        partition, offset, key, content = (
            message.partition(), message.offset(), message.key(), message.value(),
        )  # fmt: skip
        assert partition is not None
        assert offset is not None
        batch.offsets[partition] = offset + 1
        if isinstance(key, bytes) and not key.startswith(MARK):
            batch.records.append((key.decode(), content if isinstance(content, bytes) else None))

    def _commit(self, consumer: Any, batch: Batch) -> None:
        # What counts is beside the states; this is for whoever watches the group.
        places = [
            self._place(number, at) for number, at in batch.offsets.items() if number in self.partitions
        ]
        if places:
            consumer.commit(offsets=places, asynchronous=True)

    def _assign(self, places: list[TopicPartition], shared: Callable[[int], None]) -> None:
        self._consumer.incremental_assign(self._beginnings({one.partition for one in places}))
        self.partitions |= {one.partition for one in places}
        shared(len(self.partitions))

    def _revoke(self, places: list[TopicPartition], shared: Callable[[int], None]) -> None:
        self._consumer.incremental_unassign(places)
        self.partitions -= {one.partition for one in places}
        shared(len(self.partitions))

    def _begin_anew(self, consumer: Any) -> None:
        for place in self._beginnings(self.partitions):
            consumer.seek(place)

    def _beginnings(self, partitions: set[int]) -> list[TopicPartition]:
        known = self._offsets()
        return [self._place(one, known.get(one, self._kafka.OFFSET_BEGINNING)) for one in sorted(partitions)]

    def _place(self, partition: int, offset: int | None = None) -> TopicPartition:
        at = self._kafka.OFFSET_INVALID if offset is None else offset
        place: TopicPartition = self._kafka.TopicPartition(self._topic, partition, at)
        return place
