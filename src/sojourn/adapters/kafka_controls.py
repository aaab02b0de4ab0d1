"""Controls on Kafka: read from the topic's beginning, and appended by one publisher at a time.

A publisher has a transaction under one name for all of them: the brokers let the newest go on and refuse the
one before, so that nobody's plan is carried out on top of another's that it has not seen. In the same
transaction every shard of the events has an empty record, so that it looks at the control.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sojourn.adapters.kafka_client import Client, library
from sojourn.adapters.kafka_moving import refuse_moving
from sojourn.adapters.kafka_topics import COUNTS_BYTES, TIMEOUT_S
from sojourn.engine.records import CONTROLS, Sent, encode_events, read_events
from sojourn.model.errors import ConfigError, UnavailableError
from sojourn.model.event import Entry, Event
from sojourn.model.topics import Topics

if TYPE_CHECKING:
    from confluent_kafka import KafkaError, Message

BATCH = 10_000  # records at once; most are empty
TRANSACTION_MS = 10_000  # while one is open, nobody reads on; one whose publisher died ends so soon.
OWNER = "cluster"


def read_controls(client: Client, topics: Topics) -> list[Entry]:
    """Return every control there is, as all readers of the log order them; raises ConfigError."""
    kafka = library(OWNER)
    own = {
        "group.id": topics.controls,  # no group is joined, and nothing is kept of it
        "enable.auto.commit": False,
        "enable.partition.eof": True,
        "isolation.level": "read_committed",
        "log_level": 0,
    }
    consumer = kafka.Consumer({**client.settings, **own})
    try:
        place = kafka.TopicPartition(topics.controls, 0, kafka.OFFSET_BEGINNING)
        _, end = consumer.get_watermark_offsets(place, timeout=TIMEOUT_S)
        consumer.assign([place])
        found: list[Entry] = []
        while not _take(kafka, consumer.consume(BATCH, 1.0), found, end=end):
            pass
    except kafka.KafkaException as error:
        raise _refusal(error.args[0], client) from None
    finally:
        consumer.close()
    return sorted(found, key=lambda entry: (entry.at, entry.position))


def _take(kafka: Any, messages: list[Message], found: list[Entry], *, end: int) -> bool:
    """Read messages; tell whether the end is reached."""
    for message in messages:
        error = message.error()
        if error is not None:
            if error.code() == kafka.KafkaError._PARTITION_EOF:
                return True
            raise kafka.KafkaException(error)
        record, offset = message.value(), message.offset()
        if record and offset is not None:
            found += read_events(record, shard=CONTROLS, offset=offset, at=message.timestamp()[1])
        if offset is not None and offset >= end - 1:
            return True
    return False


class Publisher:
    """Whoever appends controls. Made before they are read, it is refused where another came meanwhile."""

    def __init__(self, client: Client, topics: Topics, *, n_shards: int) -> None:
        """Take the place of any publisher before; raises ConfigError."""
        self._kafka = library(OWNER)
        self._client = client
        self._topics = topics
        self._n_shards = n_shards
        own = {
            "transactional.id": topics.controls,
            "transaction.timeout.ms": TRANSACTION_MS,
            "log_level": 0,
            "message.max.bytes": COUNTS_BYTES,
        }
        self._producer = self._kafka.Producer({**client.settings, **own})
        self._entry: Entry | None = None
        try:
            refuse_moving(topics, self._producer.list_topics(timeout=TIMEOUT_S).topics)
            self._producer.init_transactions(TIMEOUT_S)
        except self._kafka.KafkaException as error:
            raise _refusal(error.args[0], client) from None

    def append(self, event: Event, *, key: str = "", also: Sequence[tuple[str, str, bytes]] = ()) -> Entry:
        """Append a control; raises UnavailableError where another publisher came meanwhile.

        Args:
            event: The control.
            key: One of the same key, before, may be compacted away; by default its message's id.
            also: (topic, key, value) of records that are there if it is, and else not.
        """

        def hear(error: KafkaError | None, message: Message) -> None:
            offset = message.offset()
            if error is None and offset is not None:
                record = encode_events([Sent(event)])
                (self._entry,) = read_events(record, shard=CONTROLS, offset=offset, at=message.timestamp()[1])

        producer = self._producer
        try:
            producer.begin_transaction()
            producer.produce(
                self._topics.controls,
                encode_events([Sent(event)]),
                key or event.message_id,
                partition=0,
                on_delivery=hear,
            )
            for topic, name, value in also:
                producer.produce(topic, value, name, partition=0)
            producer.flush(TIMEOUT_S)  # so that what follows has a later instant
            for shard in range(self._n_shards):
                producer.produce(self._topics.events, b"", partition=shard)
            producer.commit_transaction(TIMEOUT_S)
        except (self._kafka.KafkaException, SystemError) as error:
            # Of the client's own errors one comes so: that it may go on no more, in the midst of a callback.
            if isinstance(error, SystemError) or error.args[0].code() in self._fenced():
                raise UnavailableError(
                    "somebody else publishes; see what is in force now, and publish again"
                ) from None
            raise _refusal(error.args[0], self._client) from None
        assert self._entry is not None, "what is committed was confirmed"
        return self._entry

    def _fenced(self) -> set[int]:
        errors = self._kafka.KafkaError
        return {errors._FENCED, errors.PRODUCER_FENCED, errors.INVALID_PRODUCER_EPOCH}


def _refusal(error: KafkaError, client: Client) -> ConfigError:
    said = client.clean(f"{error.name()}: {error.str()}")
    if error.name() in ("UNKNOWN_TOPIC_OR_PART", "_UNKNOWN_TOPIC", "_UNKNOWN_PARTITION"):
        return ConfigError(
            f"{OWNER}: the topics are not there; run `sojourn cluster init` ({said}) [no-topic]"
        )
    return ConfigError(
        f"{OWNER}: Kafka does not answer, or refuses: {said}; see that the brokers are up, that "
        "cluster.brokers names them, and what this user may do [no-kafka]"
    )
