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
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from sojourn.adapters.kafka_client import library
from sojourn.adapters.kafka_read import read_topic
from sojourn.adapters.kafka_topics import COUNTS_BYTES, TIMEOUT_S
from sojourn.model.errors import ConfigError, UnavailableError
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
        settings = {"log_level": 0, **client, "group.id": group, "enable.auto.commit": False}
        self._consumer = kafka.Consumer(settings)
        self._topic = topics.learnt
        self._is_ours = False
        self._consumer.subscribe([self._topic], on_assign=self._assign, on_revoke=self._revoke)

    def is_ours(self, wait_s: float) -> bool:
        """Tell whether it is ours now; raises ConfigError where the topic is not there."""
        kinds = library("cluster").KafkaError
        message = self._consumer.poll(wait_s)
        if message is not None and message.error() is not None:
            error = message.error()
            if error.code() in (kinds.UNKNOWN_TOPIC_OR_PART, kinds._UNKNOWN_TOPIC):
                raise ConfigError(
                    f"topic {self._topic} is not there; `sojourn cluster init` makes it [no-topic]"
                )
        return self._is_ours

    def close(self) -> None:
        """Leave the group: somebody else begins at once."""
        self._consumer.close()

    def _assign(self, consumer: Any, places: list[Any]) -> None:
        self._is_ours = bool(places)
        consumer.assign(places)
        if places:
            consumer.pause(places)  # what is in it is read otherwise

    def _revoke(self, consumer: Any, places: list[Any]) -> None:
        del places
        self._is_ours = False
        consumer.unassign()


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
    """Facts of all partitions, from some offsets on."""

    def __init__(self, client: Mapping[str, Any], topics: Topics, offsets: Mapping[int, int]) -> None:
        """Begin behind `offsets`; in partitions that are not among them, with what is kept."""
        kafka = self._kafka = library("cluster")
        self._topic = topics.facts
        self._consumer = kafka.Consumer(
            {
                "log_level": 0,
                **client,
                "group.id": f"{topics.facts}.learners",  # asked for; none is joined
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "isolation.level": "read_committed",
            }
        )
        known = self._consumer.list_topics(self._topic, timeout=TIMEOUT_S).topics[self._topic]
        self._consumer.assign(
            [
                kafka.TopicPartition(self._topic, number, offsets.get(number, kafka.OFFSET_BEGINNING))
                for number in sorted(known.partitions)
            ]
        )

    def read(self, wait_s: float) -> tuple[list[Fact], dict[int, int]]:
        """Return facts, and where what was read ends: partition -> offset. Raises UnavailableError."""
        facts: list[Fact] = []
        offsets: dict[int, int] = {}
        for message in self._consumer.consume(AT_ONCE, wait_s):
            error = message.error()
            if error is not None:
                if error.fatal():
                    raise UnavailableError(f"topic {self._topic}: {error.str()}")
                continue
            facts += _decode_facts(message.value() or b"[]")
            offsets[message.partition()] = message.offset() + 1
        return facts, offsets

    def close(self) -> None:
        """Let go of the brokers."""
        self._consumer.close()
