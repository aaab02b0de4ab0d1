"""Ages: how long a topic keeps the last byte of what was written, by its own settings, and if it is gone.

Records cannot be rewritten. What is deleted for its age goes with the segment it lies in, and that once the
segment's newest record is old enough. So the last byte written by some instant is gone after the time in
which a segment is filled, the retention, and the time brokers take to look and to delete.

A topic that is compacted loses a value that a newer one of the same key, or none, has taken the place of:
once its segment is full, and the cleaner has come, which `max.compaction.lag.ms` bounds. Without it nobody
knows.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from importlib import import_module
from typing import Any

from msgspec import Struct

from sojourn.adapters.kafka_client import library
from sojourn.adapters.kafka_read import partitions_of
from sojourn.adapters.kafka_topics import TIMEOUT_S
from sojourn.model.errors import ConfigError, UnavailableError

FOREVER = (1 << 63) - 1
"""What Kafka says where nothing bounds it."""
LATE_MS = 15 * 60_000
"""So much later than it happened a record may be written: by a job that had to begin again."""
CLEANING_MS = 60_000  # between two looks of the cleaner there are 15 s; then it works.


class Age(Struct, frozen=True, kw_only=True):
    """What a topic's settings, and its brokers', say."""

    is_compacted: bool
    is_deleted: bool
    """For its age."""
    retention_ms: int
    """-1: for ever."""
    segment_ms: int
    lag_ms: int
    """The longest time until what is new is compacted."""
    tombstones_ms: int
    check_ms: int
    """Between two looks of a broker for what is too old."""
    unlink_ms: int
    """Between a segment's end and its file's."""

    @property
    def longest_ms(self) -> int | None:
        """After which time nothing is left of what stood there, whatever comes; None: nobody knows."""
        if not self.is_deleted or self.retention_ms < 0:
            return None
        return self.segment_ms + self.retention_ms + self.check_ms + self.unlink_ms

    def replaced_ms(self, *, has_key: bool) -> int | None:
        """After which time nothing is left of a record that another one of its key has taken the place of.

        While others come, too; with `has_key` nothing of its key either, where what came last has no value.
        """
        compacted = None
        if self.is_compacted and self.lag_ms < FOREVER:
            round_ms = min(self.segment_ms, self.lag_ms) + self.lag_ms + CLEANING_MS
            compacted = round_ms + self.unlink_ms + (self.tombstones_ms + round_ms if has_key else 0)
        known = [each for each in (compacted, self.longest_ms) if each is not None]
        return min(known, default=None)


def ages_of(client: Mapping[str, Any], topics: Collection[str]) -> dict[str, Age]:
    """Ask the brokers; a topic that is not there is left out. Raises UnavailableError."""
    kafka, admin = library("cluster"), import_module("confluent_kafka.admin")
    asked = admin.AdminClient({"log_level": 0, **client})
    kinds = admin.ResourceType
    try:
        known = asked.list_topics(timeout=TIMEOUT_S)
        there = [name for name in topics if name in known.topics]
        wanted = [admin.ConfigResource(kinds.TOPIC, name) for name in there]
        wanted.append(admin.ConfigResource(kinds.BROKER, str(next(iter(known.brokers)))))
        told = {
            resource.name: done.result(TIMEOUT_S) for resource, done in asked.describe_configs(wanted).items()
        }
    except kafka.KafkaException as error:
        raise UnavailableError(f"Kafka does not say how long it keeps what: {error.args[0].str()}") from error
    broker = told[wanted[-1].name]
    return {name: _age(told[name], broker) for name in there}


def _age(topic: Mapping[str, Any], broker: Mapping[str, Any]) -> Age:
    policy = topic["cleanup.policy"].value.split(",")
    return Age(
        is_compacted="compact" in policy,
        is_deleted="delete" in policy,
        retention_ms=int(topic["retention.ms"].value),
        segment_ms=int(topic["segment.ms"].value),
        lag_ms=int(topic["max.compaction.lag.ms"].value),
        tombstones_ms=int(topic["delete.retention.ms"].value),
        check_ms=int(broker["log.retention.check.interval.ms"].value),
        unlink_ms=int(topic["file.delete.delay.ms"].value),
    )


def is_past(client: Mapping[str, Any], topic: str, at: int) -> bool:
    """Tell whether a topic begins, in every partition, behind all that was written by an instant (ms).

    What it begins behind is deleted: its files go within `file.delete.delay.ms`. Raises as `read_topic`.
    """
    kafka = library("cluster")
    consumer = kafka.Consumer({"log_level": 0, **client, "group.id": f"{topic}.readers"})  # none is joined
    try:
        places = [kafka.TopicPartition(topic, number, at + 1) for number in partitions_of(consumer, topic)]
        for place in consumer.offsets_for_times(places, timeout=TIMEOUT_S):
            low, high = consumer.get_watermark_offsets(place, timeout=TIMEOUT_S)
            first_after = high if place.offset < 0 else place.offset
            if low < first_after:
                return False
    except kafka.KafkaException as error:
        if error.args[0].code() in (kafka.KafkaError.TOPIC_AUTHORIZATION_FAILED,):
            raise ConfigError(f"topic {topic}: {error.args[0].str()} [not-allowed]") from error
        raise UnavailableError(f"topic {topic}: {error.args[0].str()}") from error
    finally:
        consumer.close()
    return True
