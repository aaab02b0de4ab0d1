"""The failed events of a cluster, for who looks at them and tries them again."""

from __future__ import annotations

from collections.abc import Sequence

from sojourn.adapters.kafka_failed import FailedEvents
from sojourn.adapters.lookups import LocalLookups
from sojourn.config import Config
from sojourn.model.event import FailedEvent
from sojourn.model.operating import FailedRetried
from sojourn.wiring.cluster import client_for, topics_of
from sojourn.wiring.house import now_ms
from sojourn.wiring.retrying import mended, missing, reread, told


def failed_events(config: Config, *, limit: int, before: int | None = None) -> list[FailedEvent]:
    """Return failed events, newest first; `before` a number, to page."""
    return _opened(config).read(limit=limit, before=before)


def retry_failed(config: Config, numbers: Sequence[int]) -> list[FailedRetried]:
    """Read failed events again as the door does now; put those into the log that read well, each once."""
    failed = _opened(config)
    known = failed.named(numbers)
    lookups = LocalLookups(config.geo_database)
    try:
        tried = [
            reread(known[number], set(config.sources), lookups) if number in known else missing(number)
            for number in dict.fromkeys(numbers)
        ]
    finally:
        lookups.close()
    found = mended(tried)
    if found:
        failed.take([(each.id, each.event) for each in found], now=now_ms())
    return told(tried, [])


def _opened(config: Config) -> FailedEvents:
    return FailedEvents(client_for(config).settings, topics_of(config), n_shards=config.cluster.shards)
