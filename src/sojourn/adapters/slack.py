"""The Slack sink: messages to an incoming webhook of Slack, or of what speaks its form, as Mattermost does.

An action's body is `{"text": "...", "blocks": [...]}`; `blocks` may be left out, and `text` is what a
notification shows. The address is the whole credential, so it is never shown. Slack has no idempotency key:
a message whose answer was lost on its way comes twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from sojourn.adapters.http import TIMEOUT_S, Address
from sojourn.adapters.options import read_body, read_options, secret_of
from sojourn.model.action import Action, Delivery
from sojourn.model.errors import ConfigError

TEXT_CHARS = 40_000  # Slack cuts a longer one.
N_BLOCKS = 50  # Slack refuses more.


class _Options(Struct, forbid_unknown_fields=True):
    url: str = ""
    url_env: str = ""
    """The name of an environment variable that holds the address."""
    timeout_s: float = TIMEOUT_S
    allow_link_local: bool = False


class _Message(Struct, forbid_unknown_fields=True, omit_defaults=True):
    text: Annotated[str, Meta(min_length=1, max_length=TEXT_CHARS)]
    blocks: Annotated[list[dict[str, Any]], Meta(max_length=N_BLOCKS)] = []


class SlackSink:
    """One incoming webhook. Options: `url` or `url_env`; `timeout_s`; `allow_link_local`."""

    def __init__(self, name: str, options: Mapping[str, Any]) -> None:
        chosen = read_options(name, options, _Options)
        if bool(chosen.url) == bool(chosen.url_env):
            raise ConfigError(f"sink {name!r}: needs either url or url_env [bad-option]")
        self._name = name
        self._address = Address(
            name,
            chosen.url or secret_of(name, chosen.url_env),
            timeout_s=chosen.timeout_s,
            allow_link_local=chosen.allow_link_local,
        )

    def __repr__(self) -> str:
        return f"SlackSink({self._name!r}, host={self._address.host!r})"

    async def deliver(self, action: Action) -> Delivery:
        """Post the message once; raise SinkError saying whether another attempt makes sense."""
        message = read_body(action, _Message)
        return await self._address.post(msgspec.json.encode(message), {"idempotency-key": action.id})

    async def close(self) -> None:
        """Close the connections; a later delivery opens new ones."""
        await self._address.close()
