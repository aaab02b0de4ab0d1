"""What a lake is written from: the topics of entries, controls and facts, from where the lake is.

One process reads all partitions, and as one of no group: how far it has come is in the lake, in the commit of
the rows themselves, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from sojourn.adapters.kafka_client import library
from sojourn.adapters.kafka_topics import TIMEOUT_S, missing_topic
from sojourn.model.errors import ConfigError, UnavailableError
from sojourn.model.topics import Topics

AT_ONCE = 500
ENTRIES, CONTROLS, FACTS = "entries", "controls", "facts"


class Record(Struct, frozen=True, gc=False):
    """One record, and where it lies."""

    topic: str
    """Without the prefix."""
    partition: int
    offset: int
    at: int
    content: bytes


class LakeTopics:
    """All that a lake is written from."""

    def __init__(self, client: Mapping[str, Any], topics: Topics) -> None:
        """Find the partitions; raises ConfigError where a topic is not there, UnavailableError."""
        self._kafka = library("cluster")
        self._consumer = self._kafka.Consumer(
            {
                "log_level": 0,
                **client,
                "group.id": f"{topics.entries}.lake",  # asked for; none is joined
                "enable.auto.commit": False,
                "auto.offset.reset": "error",
                "isolation.level": "read_committed",
            }
        )
        names = {topics.entries: ENTRIES, topics.controls: CONTROLS, topics.facts: FACTS}
        self._names = names
        try:
            known = self._consumer.list_topics(timeout=TIMEOUT_S)
        except self._kafka.KafkaException as error:
            self._consumer.close()
            raise UnavailableError(f"Kafka does not answer: {error.args[0].str()}") from error
        missing = sorted(names.keys() - known.topics.keys())
        if missing:
            self._consumer.close()
            raise missing_topic(missing[0])
        self.log = f"{known.cluster_id}/{topics.entries.rpartition('.')[0]}"
        """Whose topics they are."""
        self.next = {short: [0] * len(known.topics[name].partitions) for name, short in names.items()}
        """Where to go on, for each partition: behind what was read."""

    def begin(self, known: Callable[[str, int], int | None]) -> None:
        """Go to where a lake is; `known` says so of a topic's partition, None where it has nothing of it."""
        places = []
        for name, short in self._names.items():
            for partition in range(len(self.next[short])):
                at = known(short, partition)
                self.next[short][partition] = at or 0
                begun = self._kafka.OFFSET_BEGINNING if at is None else at
                places.append(self._kafka.TopicPartition(name, partition, begun))
        self._consumer.assign(places)

    def read(self, timeout_s: float) -> Iterator[Record]:
        """Yield what has come, with what is read of each partition in order.

        Raises ConfigError where what is to be read was deleted for its age.
        """
        for message in self._consumer.consume(AT_ONCE, timeout_s):
            if message.error() is not None:
                self._heed(message)
                continue
            short, partition = self._names[message.topic()], message.partition()
            self.next[short][partition] = message.offset() + 1
            content = message.value()
            if content:  # controls are ticks, mostly
                yield Record(short, partition, message.offset(), message.timestamp()[1], content)

    def close(self) -> None:
        """Let go."""
        self._consumer.close()

    def _heed(self, message: Any) -> None:
        error = message.error()
        if error.code() == self._kafka.KafkaError._AUTO_OFFSET_RESET:
            raise ConfigError(
                f"topic {message.topic()}, partition {message.partition()}: what comes next for the lake was "
                f"deleted for its age ({error.str()}); raise cluster.retention, and begin another "
                "cluster.lake.namespace, or know what is missing [lake-behind]"
            )
        if error.fatal():
            raise UnavailableError(f"Kafka: {error.str()}")
