"""The Kafka client: settings with their secrets, and a producer that is replaced where it stops.

The library is an extra (`pip install 'sojourn[kafka]'`), imported where somebody talks to Kafka.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from threading import Thread
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from sojourn.adapters.reasons import clean
from sojourn.model.errors import ConfigError

if TYPE_CHECKING:
    from confluent_kafka import KafkaError, Producer

POLL_S = 0.1  # how long the client's thread sleeps at most before it looks whether to end.
CLOSE_S = 5.0


class Client(Struct, frozen=True):
    """How to reach a cluster: settings of librdkafka, and what of them is not to be told."""

    settings: dict[str, Any]
    hidden: list[str] = []

    def __repr__(self) -> str:
        return f"Client(<{', '.join(self.settings)}>)"

    def clean(self, text: str) -> str:
        """Cut what the client says to a bound, without secrets."""
        return clean(text, self.hidden)


def client_of(owner: str, brokers: str, settings: Mapping[str, Any], secrets: Mapping[str, str]) -> Client:
    """Put a client's settings together.

    Args:
        owner: whose it is, for messages: `sink 'bus'`.
        brokers: `host:port`, by commas.
        settings: of librdkafka.
        secrets: further ones, each with the environment variable that holds it.

    Raises ConfigError where a variable is not set.
    """
    found = {}
    for key, variable in secrets.items():
        if not os.environ.get(variable):
            raise ConfigError(f"{owner}: environment variable {variable} is not set [no-secret]")
        found[key] = os.environ[variable]
    told = [str(value) for key, value in settings.items() if _is_secret(key)]
    return Client({**settings, **found, "bootstrap.servers": brokers}, [*found.values(), *told])


def library(owner: str) -> Any:
    """Return the client library; ConfigError where it is not installed."""
    try:
        return import_module("confluent_kafka")
    except ImportError:
        raise ConfigError(
            f"{owner}: needs the Kafka client; install it with: pip install 'sojourn[kafka]' [no-kafka]"
        ) from None


class Producing:
    """A producer whose confirmations are heard by a thread: no event loop is to wait for brokers.

    After a fatal error a producer takes nothing more, and another takes its place.
    """

    def __init__(
        self,
        owner: str,
        client: Client,
        own: Mapping[str, Any],
        *,
        after_poll: Callable[[], None] = lambda: None,
        on_stop: Callable[[Any], None] | None = None,
    ) -> None:
        """Make it; `own` are settings that nobody else may say.

        The thread calls `after_poll` after confirmations, and `on_stop` where a producer stopped for good: of
        records that it had, some are confirmed or refused no more.
        """
        self._owner = owner
        self._client = client
        self._kafka = library(owner)
        self._settings = {**client.settings, **own}
        self._after_poll = after_poll
        self._on_stop = on_stop
        self.producer = self._produces()
        """The one that takes records now."""
        self._stopped: list[Producer] = []
        """Those that stopped for good, until their last records were refused."""
        self._is_closed = False
        self._asker = Thread(target=self._ask, name=f"kafka {owner}", daemon=True)
        self._asker.start()

    def heed(self, error: KafkaError, producer: Producer) -> None:
        """Put another in the place of one that stopped for good; any other error changes nothing."""
        if error.fatal():
            self.replace(producer)

    def replace(self, producer: Producer) -> None:
        """Put another in the place of one, unless that is done."""
        if producer is self.producer:
            self._stopped.append(producer)
            self.producer = self._produces()

    async def close(self) -> None:
        """Wait a little for what is unconfirmed, and let go."""
        if not self._is_closed:
            await asyncio.to_thread(self.producer.flush, CLOSE_S)
            self._is_closed = True
            await asyncio.to_thread(self._asker.join, CLOSE_S)
            self._after_poll()

    def _ask(self) -> None:
        while not self._is_closed:
            n_heard = self._poll(self.producer, POLL_S)
            for stopped in list(self._stopped):
                n_heard += self._poll(stopped, 0)
                if not len(stopped):
                    self._stopped.remove(stopped)
            if n_heard:
                self._after_poll()

    def _poll(self, producer: Producer, timeout_s: float) -> int:
        try:
            return producer.poll(timeout_s)
        except (self._kafka.KafkaException, SystemError):
            # A fatal error is raised here; a callback that runs with it set trips over it, and is lost.
            if self._on_stop is not None:
                self._on_stop(producer)
            return 1

    def _produces(self) -> Producer:
        try:
            producer: Producer = self._kafka.Producer(self._settings)
            return producer
        except (self._kafka.KafkaException, ValueError, TypeError) as error:
            raise ConfigError(
                f"{self._owner}: client: {self._client.clean(str(error))} [bad-option]"
            ) from None


def refuse_ours(owner: str, ours: Sequence[str] | frozenset[str], *told: Mapping[str, Any]) -> None:
    """Refuse settings of the client that are not to be chosen."""
    wrong = sorted({key for settings in told for key in settings} & set(ours))
    if wrong:
        raise ConfigError(f"{owner}: client: {wrong[0]!r} is set by Sojourn itself [bad-option]")


def _is_secret(setting: str) -> bool:
    return any(word in setting for word in ("password", "secret", "pem", "jaas", "oauthbearer.config"))
