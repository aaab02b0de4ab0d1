"""The Kafka sink: actions as records of a topic, each confirmed by the brokers before it is delivered.

    key       the profile's id, so that one person's actions stay in order in one partition
    value     the action as the outbox keeps it, as JSON
    headers   idempotency-key: <action id>

The producer is idempotent: its own retries add nothing twice. Where that cannot be held any more the client
stops for good, and another one takes its place. The outbox may still send again after that or a crash, under
the same key. The client library is an extra (`pip install 'sojourn[kafka]'`).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from sojourn.adapters.kafka_client import Producing, client_of, library, refuse_ours
from sojourn.adapters.options import read_options
from sojourn.model.action import Action, Delivery
from sojourn.model.errors import ConfigError, SinkError

if TYPE_CHECKING:
    from confluent_kafka import KafkaError, Message, Producer

TIMEOUT_S = 20.0  # for a record to be confirmed: within the 30 s that the outbox gives a delivery.
QUEUED_RECORDS = 10_000  # in the client, unconfirmed: far above what a lane has in flight.

_TOPIC = re.compile(r"[A-Za-z0-9._-]{1,249}", re.ASCII)  # Kafka's own rule.
_OURS = frozenset({
    "bootstrap.servers", "metadata.broker.list", "enable.idempotence", "delivery.timeout.ms",
    "message.timeout.ms", "acks", "request.required.acks",
})  # fmt: skip


class _Options(Struct, forbid_unknown_fields=True):
    bootstrap_servers: str
    topic: str
    client: dict[str, Any] = {}
    """Further settings of librdkafka: `security.protocol`, `compression.type`, ..."""
    client_env: dict[str, str] = {}
    """Those that are secrets, with the environment variables that hold them: `sasl.password`, ..."""
    timeout_s: float = TIMEOUT_S


class KafkaSink:
    """One topic of one cluster.

    Options: `bootstrap_servers`, `topic`; `client`, `client_env`, `timeout_s`.
    """

    def __init__(self, name: str, options: Mapping[str, Any]) -> None:
        chosen = read_options(name, options, _Options)
        _check(name, chosen)
        self._name = name
        self._topic = chosen.topic
        self._kafka = library(f"sink {name!r}")
        self._client = client_of(f"sink {name!r}", chosen.bootstrap_servers, chosen.client, chosen.client_env)
        own = {"enable.idempotence": True, "delivery.timeout.ms": int(chosen.timeout_s * 1000)}
        if "queue.buffering.max.messages" not in self._client.settings:
            own["queue.buffering.max.messages"] = QUEUED_RECORDS
        self._producing = Producing(f"sink {name!r}", self._client, own)
        self._is_closed = False

    def __repr__(self) -> str:
        return f"KafkaSink({self._name!r}, topic={self._topic!r})"

    async def deliver(self, action: Action) -> Delivery:
        """Write the record and wait for the brokers to confirm it; raise SinkError where they do not."""
        if self._is_closed:
            raise SinkError("the sink is closed", retry=True)
        loop, producer = asyncio.get_running_loop(), self._producing.producer
        confirmed: asyncio.Future[KafkaError | None] = loop.create_future()

        def confirm(error: KafkaError | None, message: Message) -> None:
            del message
            if not loop.is_closed():
                loop.call_soon_threadsafe(_settle, confirmed, error)

        try:
            producer.produce(
                self._topic,
                key=action.profile_id.encode(),
                value=msgspec.json.encode(action),
                headers=[("idempotency-key", action.id.encode())],
                timestamp=action.at,
                on_delivery=confirm,
            )
        except BufferError:
            raise SinkError("the client's queue is full", retry=True) from None
        except self._kafka.KafkaException as error:
            raise self._refusal(error.args[0], producer) from None
        refused = await confirmed
        if refused is not None:
            raise self._refusal(refused, producer)
        return Delivery(outcome="delivered", attempts=1)

    async def close(self) -> None:
        """Wait a little for what is unconfirmed, and let go."""
        if not self._is_closed:
            self._is_closed = True
            await self._producing.close()

    def _refusal(self, error: KafkaError, producer: Producer) -> SinkError:
        """Say what an error means: what is wrong with the record itself comes again with every attempt.

        After a fatal one a producer takes nothing more: the next attempt is for another.
        """
        name = error.name()
        self._producing.heed(error, producer)
        return SinkError(self._client.clean(f"{name}: {error.str()}"), retry=name not in _FINAL)


# Of the record itself. A topic that is not there, or may not be written, is the operator's to mend.
_FINAL = frozenset({"MSG_SIZE_TOO_LARGE", "INVALID_MSG", "INVALID_RECORD", "INVALID_MSG_SIZE"})


def _settle(confirmed: asyncio.Future[KafkaError | None], error: KafkaError | None) -> None:
    if not confirmed.done():  # else the outbox gave the delivery up
        confirmed.set_result(error)


def _check(name: str, options: _Options) -> None:
    for wrong, what in (
        (
            not options.bootstrap_servers.strip(),
            "bootstrap_servers must be host:port, or several with commas",
        ),
        (not _TOPIC.fullmatch(options.topic), "topic must be letters, digits, `.`, `_` and `-`, at most 249"),
        (not 0 < options.timeout_s <= 300, "timeout_s must be above 0 and at most 300"),
    ):
        if wrong:
            raise ConfigError(f"sink {name!r}: {what} [bad-option]")
    refuse_ours(f"sink {name!r}", _OURS, options.client, options.client_env)
