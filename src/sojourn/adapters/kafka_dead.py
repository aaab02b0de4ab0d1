"""Dead letters of a cluster: a topic of the actions that were given up, the newest letter of each.

    key     the action's id
    value   the letter, as JSON; none: it is on its way again

Reviving puts an action among the actions again, and takes its letter out, in one transaction. The record says
by a header, `revived`, since when (ms), for else whoever did it before would know it as done.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from sojourn.adapters.kafka_client import library
from sojourn.adapters.kafka_topics import TIMEOUT_S
from sojourn.model.action import Letter
from sojourn.model.errors import ConfigError, UnavailableError
from sojourn.model.ids import ProfileId
from sojourn.model.ports import Place
from sojourn.model.topics import Topics

if TYPE_CHECKING:
    from confluent_kafka import KafkaError, Message

REVIVED = "revived"
"""The header of an action that was given up before."""
MOST = 20_000
"""Of so many, the newest, a reading knows: what one looks at, and tries again at once."""
CONFIRM_S = 300.0  # brokers may be gone so long; then the process ends, and the action comes again.
AT_ONCE = 500  # in one transaction
RECORD_BYTES = 1_200_000

_decode = msgspec.json.Decoder(Letter).decode


class DeadLetters:
    """The dead letters of one installation."""

    def __init__(self, client: Mapping[str, Any], topics: Topics) -> None:
        """Name them; `client` are settings of librdkafka, with `bootstrap.servers`."""
        self._kafka = library("cluster")
        self._client = {"log_level": 0, **client}
        self._topics = topics
        self._producer: Any = None

    def bury(self, letters: Sequence[Letter]) -> None:
        """Keep letters; return once they are durable. UnavailableError where the brokers do not confirm."""
        self._write([(letter.action.id, _encode(letter)) for letter in letters])

    def erase(self, forgotten: Mapping[ProfileId, int]) -> None:
        """Take out what was decided for people until an instant (ms).

        Their bytes are gone once the brokers compact the topic, or delete them for their age.
        """
        found = [letter.action for letter in self._all()]
        self._write([(one.id, None) for one in found if one.at <= forgotten.get(one.profile_id, -1)])

    def _write(self, records: Sequence[tuple[str, bytes | None]]) -> None:
        if self._producer is None:
            self._producer = self._produces({"message.timeout.ms": int(CONFIRM_S * 1000)})
        refused: list[str] = []

        def confirm(error: KafkaError | None, message: Message) -> None:
            del message
            if error is not None:
                refused.append(error.str())

        for key, value in records:
            self._producer.produce(
                self._topics.dead_letters, key=key.encode(), value=value, on_delivery=confirm
            )
        if self._producer.flush(CONFIRM_S) or refused:
            why = refused[0] if refused else f"no answer in {CONFIRM_S:.0f} s"
            raise UnavailableError(f"topic {self._topics.dead_letters}: not written: {why}")

    def read(self, *, limit: int = 100, before: Place | None = None) -> list[Letter]:
        """Return dead letters, newest first; `before` a letter's place, to page."""
        older = [letter for letter in self._all() if before is None or _place(letter) < before]
        return sorted(older, key=_place, reverse=True)[:limit]

    def revive(self, action_ids: Collection[str] | None, *, now: int) -> list[str]:
        """Put dead letters (the MOST newest, with None) back among the actions; return their ids."""
        wanted = None if action_ids is None else set(action_ids)
        found = [letter for letter in self._all() if wanted is None or letter.action.id in wanted]
        if found:
            producer = self._produces(
                {
                    "transactional.id": f"{self._topics.dead_letters}.revive",
                    "message.timeout.ms": int(TIMEOUT_S * 1000),
                    "transaction.timeout.ms": int(2 * TIMEOUT_S * 1000),
                }
            )
            try:
                producer.init_transactions(TIMEOUT_S)
                for first in range(0, len(found), AT_ONCE):
                    self._send(producer, found[first : first + AT_ONCE], now)
            except self._kafka.KafkaException as error:
                raise UnavailableError(
                    f"topic {self._topics.actions}: dead letters were not put back: {error.args[0].str()}; "
                    "what was is listed no more, try the others again"
                ) from error
        return [letter.action.id for letter in found]

    def _send(self, producer: Any, letters: Sequence[Letter], now: int) -> None:
        producer.begin_transaction()
        for letter in letters:
            producer.produce(
                self._topics.actions,
                key=letter.action.profile_id.encode(),
                value=msgspec.json.encode(letter.action),
                headers=[(REVIVED, str(now).encode())],
            )
            producer.produce(self._topics.dead_letters, key=letter.action.id.encode(), value=None)
        producer.commit_transaction(TIMEOUT_S)

    def _all(self) -> list[Letter]:
        """Read the topic from its beginning to where it ends now."""
        found: OrderedDict[str, bytes] = OrderedDict()
        consumer = self._consumes()
        try:
            left = self._begin(consumer)
            ends = time.monotonic() + TIMEOUT_S
            while left:
                for message in consumer.consume(1_000, timeout=0.2):
                    ends = time.monotonic() + TIMEOUT_S
                    error = message.error()
                    if error is None:
                        _note(found, message)
                    elif error.code() == self._kafka.KafkaError._PARTITION_EOF:
                        left.discard(message.partition())
                    elif not error.retriable():
                        raise UnavailableError(f"topic {self._topics.dead_letters}: {error.str()}")
                if time.monotonic() > ends:
                    raise UnavailableError(f"topic {self._topics.dead_letters}: the brokers do not answer")
        finally:
            consumer.close()
        return [_decode(value) for value in found.values()]

    def _begin(self, consumer: Any) -> set[int]:
        name = self._topics.dead_letters
        try:
            known = consumer.list_topics(name, timeout=TIMEOUT_S).topics[name]
        except self._kafka.KafkaException as error:
            raise UnavailableError(f"Kafka does not answer: {error.args[0].str()}") from error
        if known.error is not None:
            raise ConfigError(f"topic {name}: {known.error.str()}; `sojourn cluster init` makes it")
        places = [
            self._kafka.TopicPartition(name, partition, self._kafka.OFFSET_BEGINNING)
            for partition in known.partitions
        ]
        consumer.assign(places)
        return set(known.partitions)

    def _consumes(self) -> Any:
        return self._kafka.Consumer(
            {
                **self._client,
                "group.id": f"{self._topics.dead_letters}.readers",  # asked for; none is joined
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "isolation.level": "read_committed",
            }
        )

    def _produces(self, more: Mapping[str, Any]) -> Any:
        ours = {"enable.idempotence": True, "message.max.bytes": RECORD_BYTES}
        return self._kafka.Producer({**self._client, **ours, **more})

    def close(self) -> None:
        """Let go of the brokers."""
        if self._producer is not None:
            self._producer.flush(TIMEOUT_S)
            self._producer = None


def _note(found: OrderedDict[str, bytes], message: Message) -> None:
    key, value = message.key(), message.value()
    assert isinstance(key, bytes), "letters have their action's id as the key"
    found.pop(key.decode(), None)
    if isinstance(value, bytes):
        found[key.decode()] = value
    if len(found) > MOST:
        found.popitem(last=False)


def _encode(letter: Letter) -> bytes:
    # What a destination said may be cut in the middle of a character.
    said = letter.last_error.encode("utf-8", "replace").decode()
    return msgspec.json.encode(msgspec.structs.replace(letter, last_error=said))


def _place(letter: Letter) -> Place:
    return letter.dead_at or 0, letter.action.id
