"""A sink in one file: messages to people's phones by ntfy (https://ntfy.sh, or a server of your own).

    sinks:
      phones: { type: ntfy, url: "https://ntfy.sh", topic: my-shop-alerts, token_env: NTFY_TOKEN }

An action's body is `{"message": "...", "title": "..."}`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import httpx
import msgspec
from msgspec import Struct

from sojourn.adapters.options import read_body, read_options
from sojourn.model.action import Action, Delivery
from sojourn.model.errors import ConfigError, SinkError

TIMEOUT_S = 15.0


class Options(Struct, forbid_unknown_fields=True):
    """What the configuration says of one sink of this type."""

    url: str
    topic: str
    token_env: str = ""
    """The name of the environment variable that holds the access token."""


class Body(Struct, forbid_unknown_fields=True):
    """What a journey wants sent."""

    message: str
    title: str = ""


class NtfySink:
    """One topic of one server. The entry point in pyproject.toml names this class."""

    def __init__(self, name: str, options: Mapping[str, Any]) -> None:
        """Read the options; a wrong one is refused here, where the operator looks."""
        self._name = name
        self._options = read_options(name, options, Options)
        token = os.environ.get(self._options.token_env, "")
        if self._options.token_env and not token:
            raise ConfigError(f"sink {name!r}: environment variable {self._options.token_env} is not set")
        self._headers = {"authorization": f"Bearer {token}"} if token else {}
        self._client: httpx.AsyncClient | None = None

    def __repr__(self) -> str:
        """Show nothing that is secret: this goes to logs."""
        return f"NtfySink({self._name!r}, topic={self._options.topic!r})"

    async def deliver(self, action: Action) -> Delivery:
        """Send it once. A SinkError says whether another attempt makes sense; the outbox does the rest."""
        body = read_body(action, Body)
        message = {"topic": self._options.topic, "message": body.message, "title": body.title}
        if self._client is None:
            self._client = httpx.AsyncClient(timeout=TIMEOUT_S)
        try:
            answer = await self._client.post(
                self._options.url,
                content=msgspec.json.encode(message),
                # The same at every attempt: a receiver that honours it drops repetitions.
                headers={**self._headers, "idempotency-key": action.id},
            )
        except httpx.TransportError as error:
            raise SinkError(f"{type(error).__name__}: {error}", retry=True) from None
        if answer.is_success:
            return Delivery(outcome="delivered", attempts=1, status=answer.status_code)
        retry = answer.status_code == 429 or answer.status_code >= 500
        raise SinkError(f"HTTP {answer.status_code}", retry=retry, status=answer.status_code)

    async def close(self) -> None:
        """Release what is open; it may be called twice."""
        if self._client is not None:
            client, self._client = self._client, None
            await client.aclose()
