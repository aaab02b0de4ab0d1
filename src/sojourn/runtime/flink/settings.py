"""What a job is told: where its topics are, and how many shards there are."""

from __future__ import annotations

from pathlib import Path

import msgspec
from msgspec import Struct

from sojourn.definitions.publishing import InForce
from sojourn.model.topics import Topics


class JobSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One job."""

    brokers: str
    """`host:port`, by commas."""
    prefix: str = "sojourn"
    """What the topics' names begin with."""
    shards: int = 64
    """Partitions of the events, and shards of every stage; chosen once."""
    in_force: InForce = InForce()
    """What was in force before the first control."""
    entries: bool = False
    """Whether what was taken as new is passed on to the topic of entries, for a lake."""
    client: dict[str, str] = {}
    """Further settings of Kafka's Java client: `security.protocol`, ..."""
    states: bool = False
    """Whether every state is written to the topic of that name, for whoever follows them."""
    transaction_timeout_ms: int = 600_000  # longer than any checkpoint or restart; brokers allow 15 min.

    @property
    def topics(self) -> Topics:
        """The names of the topics."""
        return Topics.of(self.prefix)


_decode = msgspec.json.Decoder(JobSettings).decode


def read_settings(path: Path) -> JobSettings:
    """Read a job's settings from JSON."""
    return _decode(path.read_bytes())
