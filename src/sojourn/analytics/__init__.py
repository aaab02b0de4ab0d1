"""Analytics: what people really do, counted from events: graphs, funnels, retention, attribution.

    import sojourn.analytics as analytics

    events = analytics.read_events("events.parquet")

Names are loaded where they are first used: whoever asks one question does not wait for all the others.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_PLACES = {
    "Events": "events",
    "Mapping": "reading",
    "StepRules": "reading",
    "Table": "tables",
    "load_steps": "reading",
    "open_events": "reading",
    "read_events": "reading",
    "save_events": "reading",
}
"""Name -> the module it lives in."""

__all__ = list(_PLACES)


def __getattr__(name: str) -> Any:
    """Load a public name."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
