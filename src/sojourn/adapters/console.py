"""The console sink: one line of JSON to standard output for each action, for first steps."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from sojourn.adapters.options import read_options
from sojourn.model.action import Action, Delivery
from sojourn.model.errors import SinkError


class _Options(Struct, forbid_unknown_fields=True):
    pass


class ConsoleSink:
    """Writes each action as the outbox keeps it. It takes no options and remembers nothing: at least once."""

    def __init__(self, name: str, options: Mapping[str, Any]) -> None:
        read_options(name, options, _Options)
        self._name = name

    def __repr__(self) -> str:
        return f"ConsoleSink({self._name!r})"

    async def deliver(self, action: Action) -> Delivery:
        """Write the action's line; raise SinkError where nobody reads standard output any more."""
        try:
            # A terminal or pipe may be slow to read, and nobody else is to wait for it.
            await asyncio.to_thread(_write, msgspec.json.encode(action).decode() + "\n")
        except (OSError, ValueError) as error:
            raise SinkError(f"standard output is gone: {error}", retry=True) from error
        return Delivery(outcome="delivered", attempts=1)

    async def close(self) -> None:
        """Release nothing: standard output belongs to the process."""


def _write(line: str) -> None:
    sys.stdout.write(line)
    sys.stdout.flush()
