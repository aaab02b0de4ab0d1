"""Failed events of a cluster: a topic of what doors refused and of what the engine failed on.

    key     none; `retried`: some of those before were tried again and taken
    value   the failed event, as JSON; or which ones that were, and when

An event's number is its offset and one more. What is tried again enters the log, and is noted here, in one
transaction.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from sojourn.adapters.kafka_client import library
from sojourn.adapters.kafka_read import read_topic
from sojourn.adapters.kafka_topics import TIMEOUT_S
from sojourn.engine.records import Sent, encode_events, entry_shard
from sojourn.model.errors import UnavailableError
from sojourn.model.event import Event, FailedEvent
from sojourn.model.topics import Topics

if TYPE_CHECKING:
    from confluent_kafka import Message

MOST = 20_000
"""Of so many, the newest, a reading knows."""
RETRIED = b"retried"

_decode = msgspec.json.Decoder(FailedEvent).decode


class _Retried(Struct):
    ids: list[int]
    at: int


class FailedEvents:
    """The failed events of one installation."""

    def __init__(self, client: Mapping[str, Any], topics: Topics, *, n_shards: int) -> None:
        """Name them; `client` are settings of librdkafka, with `bootstrap.servers`."""
        self._kafka = library("cluster")
        self._client = {"log_level": 0, **client}
        self._topics = topics
        self._n_shards = n_shards

    def read(self, *, limit: int = 100, before: int | None = None) -> list[FailedEvent]:
        """Return failed events, newest first; `before` a number, to page.

        One that was written twice, by a job that had to begin again, is there once.
        """
        found = [each for each in self._all() if before is None or (each.id or 0) < before]
        return found[::-1][:limit]

    def named(self, numbers: Collection[int]) -> dict[int, FailedEvent]:
        """Return failed events by their numbers, those that are there."""
        wanted = set(numbers)
        return {each.id: each for each in self._all() if each.id is not None and each.id in wanted}

    def take(self, events: Sequence[tuple[int, Event]], *, now: int) -> None:
        """Put events that read well now into the log, and note that their numbers were tried again.

        Where the log has a message of the same id, the first stage drops it. Raises UnavailableError.
        """
        producer = self._kafka.Producer(
            {
                **self._client,
                "transactional.id": f"{self._topics.failed}.retry",
                "transaction.timeout.ms": int(2 * TIMEOUT_S * 1000),
            }
        )
        try:
            producer.init_transactions(TIMEOUT_S)
            producer.begin_transaction()
            for _, event in events:
                shard = entry_shard(event, self._n_shards)
                producer.produce(self._topics.events, encode_events([Sent(event)]), partition=shard)
            note = msgspec.json.encode(_Retried([number for number, _ in events], now))
            producer.produce(self._topics.failed, note, RETRIED, partition=0)
            producer.commit_transaction(TIMEOUT_S)
        except self._kafka.KafkaException as error:
            raise UnavailableError(
                f"topic {self._topics.events}: nothing was tried again: {error.args[0].str()}; try once more"
            ) from error

    def _all(self) -> list[FailedEvent]:
        found: OrderedDict[bytes | int, FailedEvent] = OrderedDict()
        retried: dict[int, int] = {}

        def hear(message: Message) -> None:
            content, offset = message.value(), message.offset()
            if not isinstance(content, bytes) or offset is None:
                return
            if message.key() == RETRIED:
                note = msgspec.json.decode(content, type=_Retried)
                retried.update(dict.fromkeys(note.ids, note.at))
                return
            try:
                event = replace(_decode(content), id=offset + 1)
            except msgspec.MsgspecError:
                return  # whoever wrote it
            found.setdefault(event.mark or offset, event)
            if len(found) > MOST:
                found.popitem(last=False)

        read_topic(self._client, self._topics.failed, hear)
        return [replace(each, retried_at=retried.get(each.id or 0)) for each in found.values()]
