"""Sinks: the configured ones, made by whoever registered their type."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from importlib.metadata import entry_points
from typing import Any

from sojourn import config as settings
from sojourn.config import Config
from sojourn.model.errors import ConfigError
from sojourn.model.ports import Sink, SinkFactory
from sojourn.runtime.rate import Rate

GROUP = "sojourn.sinks"

OVERSLEEP_MS = 20  # a loaded event loop wakes so late; a rate without a burst would fall behind by that.


def make_sinks(config: Config) -> dict[str, Sink]:
    """Make every sink in force; a type that no package registered is a ConfigError."""
    sinks = {}
    for name, sink in config.sinks_in_force().items():
        factory = _factory(name, sink.type)
        sinks[name] = factory(name, {**_of_the_house(factory, config), **sink.options})
    return sinks


def rates_of(config: Config) -> dict[str, Rate]:
    """Return how fast each sink may be given deliveries; one that is not named has no such bound."""
    rates = {name: sink.rate or config.deliver.rate for name, sink in config.sinks_in_force().items()}
    return {name: _rate(rate) for name, rate in rates.items() if rate is not None}


def _rate(rate: settings.Rate) -> Rate:
    oversleep = max(1, rate.most * OVERSLEEP_MS // rate.per_ms)
    return Rate(most=rate.most, per_ms=rate.per_ms, burst=rate.burst or oversleep)


def _of_the_house(factory: SinkFactory, config: Config) -> Mapping[str, Any]:
    """Return the options that a sink has of the house, unless it is configured with its own.

    A sink's class says by `has_unsubscribe_links` that it knows `unsubscribe_url` and `unsubscribe_secret`.
    """
    secret, public_url = config.unsubscribe.secret, config.unsubscribe.public_url
    if secret is None or not getattr(factory, "has_unsubscribe_links", False):
        return {}
    return {
        "unsubscribe_url": public_url.rstrip("/") + "/u/{token}",
        "unsubscribe_secret": secret.reveal(),
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
