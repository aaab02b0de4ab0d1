"""The failed events of a cluster, for who looks at them and tries them again."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sojourn.adapters.kafka_failed import MOST, FailedEvents
from sojourn.adapters.lookups import LocalLookups
from sojourn.config import Config
from sojourn.model.event import FailedEvent
from sojourn.model.operating import FailedKind, FailedRetried
from sojourn.runtime.refusals import Refusals
from sojourn.wiring.cluster import client_for, topics_of
from sojourn.wiring.house import now_ms
from sojourn.wiring.named import is_about
from sojourn.wiring.retrying import mended, missing, reread, told


def failed_events(config: Config, *, limit: int, before: int | None = None) -> list[FailedEvent]:
    """Return failed events, newest first; `before` a number, to page."""
    return _opened(config).read(limit=limit, before=before)


def failed_kinds(config: Config) -> list[FailedKind]:
    """Count failed events by reason and source."""
    return Refusals(Read(_opened(config).read(limit=MOST))).summary()


def n_failed_of(config: Config, ids: Collection[str]) -> int:
    """Count failed events that name one of some ids."""
    return sum(is_about(event, ids) for event in _opened(config).read(limit=MOST))


class Read:
    """Failed events that were read already."""

    def __init__(self, events: Sequence[FailedEvent]) -> None:
        """Keep them, the newest first."""
        self._events = events

    def failed(self, *, limit: int, before: int | None) -> Sequence[FailedEvent]:
        """Return a page."""
        return [each for each in self._events if before is None or (each.id or 0) < before][:limit]


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
