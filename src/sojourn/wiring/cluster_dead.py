"""The dead letters of a cluster, for who looks at them and tries them again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sojourn.adapters.kafka_dead import DeadLetters
from sojourn.config import Config
from sojourn.wiring.cluster import client_for, topics_of
from sojourn.wiring.house import now_ms

__all__ = ["dead_letters", "now_ms"]


@contextmanager
def dead_letters(config: Config) -> Iterator[DeadLetters]:
    """Open the dead letters of the configured cluster; raises ConfigError where none is configured."""
    letters = DeadLetters(client_for(config).settings, topics_of(config))
    try:
        yield letters
    finally:
        letters.close()
