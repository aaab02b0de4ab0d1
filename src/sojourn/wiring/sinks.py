"""Sinks: the configured ones, made by whoever registered their type."""

from __future__ import annotations

from difflib import get_close_matches
from importlib.metadata import entry_points

from sojourn.config import Config
from sojourn.model.errors import ConfigError
from sojourn.model.ports import Sink, SinkFactory

GROUP = "sojourn.sinks"


def make_sinks(config: Config) -> dict[str, Sink]:
    """Make every sink in force; a type that no package registered is a ConfigError."""
    return {
        name: _factory(name, sink.type)(name, sink.options) for name, sink in config.sinks_in_force().items()
    }


def _factory(name: str, type_name: str) -> SinkFactory:
    known = {point.name: point for point in entry_points(group=GROUP)}
    point = known.get(type_name)
    if point is None:
        near = get_close_matches(type_name, known, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        names = ", ".join(sorted(known))
        raise ConfigError(
            f"sinks.{name}.type: expected one of {names}, got {type_name!r}{hint} [unknown-sink-type]"
        )
    factory: SinkFactory = point.load()
    return factory
