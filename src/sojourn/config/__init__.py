"""Configuration: one file plus environment, read once, wrong settings refused with what to do."""

from sojourn.config.loading import journey_files, load_config
from sojourn.config.settings import Config, Deliver, Http, Logging, Secret, Sink, Source
from sojourn.config.starting import Started, start

__all__ = [
    "Config",
    "Deliver",
    "Http",
    "Logging",
    "Secret",
    "Sink",
    "Source",
    "Started",
    "journey_files",
    "load_config",
    "start",
]
