"""People's states as their topic has them, for who asks about a few people and has time.

The topic is read whole for each round of questions: a minute for some millions of people. What is kept of a
reading is what is asked for, whatever names one of the ids that were asked for, and all aliases.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sojourn.adapters.kafka_client import library
from sojourn.adapters.kafka_read import partitions_of, read_topic
from sojourn.adapters.kafka_topics import TIMEOUT_S
from sojourn.engine.records import decode_saved, saved_name
from sojourn.model.fact import Fact
from sojourn.model.ports import Stored
from sojourn.model.topics import Topics
from sojourn.model.turn import Key, Stage

if TYPE_CHECKING:
    from confluent_kafka import Message

LEAST = 4  # bytes of an id that is looked for in states: a shorter one stands in too many
MARKS = "mark|"
ALIASES = saved_name("alias", "")


class TopicStates:
    """The states of one installation, as of each reading."""

    def __init__(self, client: Mapping[str, Any], topics: Topics) -> None:
        """Name the topic; `client` are settings of librdkafka, with `bootstrap.servers`."""
        self._client = client
        self._topic = topics.states
        self._wanted: set[str] = set()
        """Names that were looked for in all of it."""
        self._found: dict[str, Stored] = {}
        self._aliases: list[str] | None = None
        self._marks: dict[str, tuple[int, int]] = {}

    def is_kept(self) -> bool:
        """Tell whether the job writes states: whether there ever was a record."""
        consumer = library("cluster").Consumer(
            {"log_level": 0, **self._client, "group.id": f"{self._topic}.readers"}  # none is joined
        )
        try:
            places = [
                library("cluster").TopicPartition(self._topic, number)
                for number in partitions_of(consumer, self._topic)
            ]
            return any(consumer.get_watermark_offsets(each, timeout=TIMEOUT_S)[1] > 0 for each in places)
        finally:
            consumer.close()

    def marks(self) -> list[tuple[int, int]]:
        """Return (at, position) of the last control that took effect, for each shard of each stage."""
        self._read()
        return list(self._marks.values())

    def load(self, keys: Sequence[Key]) -> Mapping[Key, Stored]:
        """Return the states that exist of these keys."""
        names = {saved_name(*key): key for key in keys}
        if names.keys() - self._wanted - self._found.keys():
            self._wanted |= names.keys()
            self._read()
        return {key: self._found[name] for name, key in names.items() if name in self._found}

    def keys(self, stage: Stage, *, after: str | None = None, limit: int | None = None) -> list[str]:
        """Return the aliases, a page; of other stages, where there are many, it cannot be asked."""
        assert stage == "alias"
        if self._aliases is None:
            self._read()
        found = sorted(self._aliases or ())
        return [each for each in found if after is None or each > after][:limit]

    def facts(self, key: Key, *, limit: int = 1000) -> list[Fact]:
        """Return none: facts of a cluster are not kept by key."""
        del key, limit
        return []

    def _read(self) -> None:
        ids = {name.partition("|")[2].encode() for name in self._wanted}
        needles = [each for each in ids if len(each) >= LEAST]

        def hear(message: Message) -> None:
            name, content = message.key(), message.value()
            assert isinstance(name, bytes), "states have their names as keys"
            key = name.decode()
            if content and key.startswith(MARKS):
                mark = decode_saved(content)
                self._marks[key] = (mark.at, mark.position)
            elif not content:
                self._found.pop(key, None)
            elif key in self._wanted or key.startswith(ALIASES) or any(one in content for one in needles):
                saved = decode_saved(content)
                self._found[key] = Stored(saved.state, saved.wake or None, 0)
            elif key in self._found:
                del self._found[key]  # it names nobody any more

        self._found.clear()
        read_topic(self._client, self._topic, hear)
        self._aliases = [key[len(ALIASES) :] for key in self._found if key.startswith(ALIASES)]
