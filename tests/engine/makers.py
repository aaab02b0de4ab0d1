"""Small makers: an event, an arrival, a turn."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw

from sojourn.definitions.catalogue import build_catalogue
from sojourn.definitions.compile import compile_journey
from sojourn.definitions.journey import Catalogue
from sojourn.model.event import Event
from sojourn.model.turn import Arrived

T0 = 1_700_000_000_000
MINUTE = 60_000
EMPTY = Catalogue(journeys={})


def event(name: str, *, at: float = 0, **fields: Any) -> Event:
    """Make an event `at` minutes after the start; `properties` and `traits` may be dicts."""
    instant = T0 + int(at * MINUTE)
    kind = name.removeprefix("$") if name.startswith("$") else "track"
    for part in ("properties", "traits", "context"):
        if part in fields:
            fields[part] = Raw(msgspec.json.encode(fields[part]))
    defaults = {"source": "web", "message_id": f"{name}@{instant}", "kind": kind, "name": name}
    return Event(**(defaults | {"occurred_at": instant, "received_at": instant} | fields))


def arrived(name: str, *, at: float = 0, position: int = 1, **fields: Any) -> Arrived:
    """Make an event that the log stamped at its own time."""
    made = event(name, at=at, **fields)
    return Arrived(made.occurred_at, position, made)


def catalogue(*texts: str) -> Catalogue:
    """Compile journeys."""
    return build_catalogue([compile_journey(text, file=f"{index}.yaml") for index, text in enumerate(texts)])
