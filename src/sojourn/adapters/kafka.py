"""The Kafka sink: actions as records of a topic, each confirmed by the brokers before it is delivered.

    key       the profile's id, so that one person's actions stay in order in one partition
    value     the action as the outbox keeps it, as JSON
    headers   idempotency-key: <action id>

The producer is idempotent: its own retries add nothing twice. Where that cannot be held any more the client
stops for good, and another one takes its place. The outbox may still send again after that or a crash, under
the same key. The client library is an extra (`pip install 'sojourn[kafka]'`), imported here alone.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from importlib import import_module
from threading import Thread
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from sojourn.adapters.options import read_options, secret_of
from sojourn.adapters.reasons import clean
from sojourn.model.action import Action, Delivery
from sojourn.model.errors import ConfigError, SinkError

if TYPE_CHECKING:
    from confluent_kafka import KafkaError, Message, Producer

TIMEOUT_S = 20.0  # for a record to be confirmed: within the 30 s that the outbox gives a delivery.
QUEUED_RECORDS = 10_000  # in the client, unconfirmed: far above what a lane has in flight.
POLL_S = 0.1  # how long the client's thread sleeps at most before it looks whether to end.
CLOSE_S = 5.0

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
        secrets = {key: secret_of(name, held) for key, held in chosen.client_env.items()}
        settings = chosen.client | secrets
        told = [str(value) for key, value in chosen.client.items() if _is_secret(key)]
        self._hidden = [*secrets.values(), *told]
        self._kafka = _client(name)
        self._settings = {
            "queue.buffering.max.messages": QUEUED_RECORDS,
            **settings,
            "bootstrap.servers": chosen.bootstrap_servers,
            "enable.idempotence": True,
            "delivery.timeout.ms": int(chosen.timeout_s * 1000),
        }
        self._producer = self._produces()
        self._stopped: list[Producer] = []
        """Those that stopped for good, until their last records were refused."""
        self._is_closed = False
        # Confirmations come where somebody asks for them; the event loop is not to wait for brokers.
        self._asker = Thread(target=self._ask, name=f"kafka-{name}", daemon=True)
        self._asker.start()

    def __repr__(self) -> str:
        return f"KafkaSink({self._name!r}, topic={self._topic!r})"

    async def deliver(self, action: Action) -> Delivery:
        """Write the record and wait for the brokers to confirm it; raise SinkError where they do not."""
        if self._is_closed:
            raise SinkError("the sink is closed", retry=True)
        loop, producer = asyncio.get_running_loop(), self._producer
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
            await asyncio.to_thread(self._asker.join, CLOSE_S)
            await asyncio.to_thread(self._producer.flush, CLOSE_S)

    def _ask(self) -> None:
        while not self._is_closed:
            self._producer.poll(POLL_S)
            for stopped in list(self._stopped):
                stopped.poll(0)
                if not len(stopped):
                    self._stopped.remove(stopped)

    def _produces(self) -> Producer:
        try:
            producer: Producer = self._kafka.Producer(self._settings)
            return producer
        except (self._kafka.KafkaException, ValueError, TypeError) as error:
            said = clean(str(error), self._hidden)
            raise ConfigError(f"sink {self._name!r}: client: {said} [bad-option]") from None

    def _refusal(self, error: KafkaError, producer: Producer) -> SinkError:
        """Say what an error means: what is wrong with the record itself comes again with every attempt.

        After a fatal one a producer takes nothing more: the next attempt is for another.
        """
        name = error.name()
        if error.fatal() and producer is self._producer:
            self._stopped.append(producer)
            self._producer = self._produces()
        return SinkError(clean(f"{name}: {error.str()}", self._hidden), retry=name not in _FINAL)


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
    ours = sorted(_OURS & {*options.client, *options.client_env})
    if ours:
        raise ConfigError(f"sink {name!r}: client: {ours[0]!r} is set by Sojourn itself [bad-option]")


def _client(name: str) -> Any:
    """Return the client library; ConfigError where it is not installed."""
    try:
        return import_module("confluent_kafka")
    except ImportError:
        raise ConfigError(
            f"sink {name!r}: needs the Kafka client; install it with: pip install 'sojourn[kafka]' [no-kafka]"
        ) from None


def _is_secret(setting: str) -> bool:
    return any(word in setting for word in ("password", "secret", "pem", "jaas", "oauthbearer.config"))
