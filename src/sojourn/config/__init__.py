"""Configuration: one file plus environment, read once, wrong settings refused with what to do."""

from sojourn.config.loading import journey_files, load_config, metric_files
from sojourn.config.settings import (
    Analytics,
    Cluster,
    Config,
    Deliver,
    Http,
    Lake,
    Logging,
    Rate,
    Secret,
    Sink,
    Source,
    Studio,
    Unsubscribe,
)
from sojourn.config.starting import Started, start

__all__ = [
    "Analytics",
    "Cluster",
    "Config",
    "Deliver",
    "Http",
    "Lake",
    "Logging",
    "Rate",
    "Secret",
    "Sink",
    "Source",
    "Started",
    "Studio",
    "Unsubscribe",
    "journey_files",
    "load_config",
    "metric_files",
    "start",
]
