"""Analytics: what people really do, counted from events: graphs, funnels, retention, attribution.

    import sojourn.analytics as analytics

    events = analytics.read_events("events.parquet")

Names are loaded where they are first used: whoever asks one question does not wait for all the others.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_PLACES = {
    "Asked": "graph.journey_graph",
    "Did": "selecting",
    "Events": "events",
    "Mapping": "reading",
    "Selection": "selecting",
    "StepRules": "reading",
    "Table": "tables",
    "Where": "selecting",
    "dfg": "graph.dfg",
    "difference": "graph.difference",
    "journey_graph": "graph.journey_graph",
    "load_steps": "reading",
    "open_events": "reading",
    "read_events": "reading",
    "save_events": "reading",
    "select": "selecting",
    "step_matrix": "graph.step_matrix",
    "with_sessions": "sessions",
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
