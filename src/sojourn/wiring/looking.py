"""Looking: what an operator sees of a folder: people, what came in and failed, sinks, and sources."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from sojourn.config import Config
from sojourn.model.operating import (
    EventHeard,
    FailedKind,
    PersonFound,
    RateView,
    SinkState,
    SinkView,
    SourceView,
)
from sojourn.model.ports import Queue
from sojourn.runtime.books import DOCUMENT as BOOKS
from sojourn.runtime.books import Books
from sojourn.runtime.outbox import OutboxWorker
from sojourn.runtime.refusals import Refusals
from sojourn.runtime.searching import search
from sojourn.server.sources import Sources
from sojourn.server.tail import newest
from sojourn.wiring.house import Readings, now_ms

SOURCES = "sources"
"""The document in the store that counts last in over restarts."""


class Known(Struct, frozen=True, kw_only=True):
    """What the configuration says of who sends, and where actions go."""

    write_keys: Mapping[str, str] = {}
    """Write key -> source."""
    types: Mapping[str, str] = {}
    """Sink -> type."""
    rates: Mapping[str, RateView] = {}
    """Sink -> how fast it is given deliveries, where that is bounded."""

    @classmethod
    def of(cls, config: Config) -> Known:
        """Read it."""
        sinks = config.sinks_in_force()
        rates = {name: sink.rate or config.deliver.rate for name, sink in sinks.items()}
        return cls(
            write_keys=config.write_keys(),
            types={name: sink.type for name, sink in sinks.items()},
            rates={
                name: RateView(most=rate.most, per_ms=rate.per_ms)
                for name, rate in rates.items()
                if rate is not None
            },
        )


class Looking:
    """What can be looked at; any thread may ask.

    Without an outbox worker nothing is on its way, whatever waits.
    """

    def __init__(
        self,
        readings: Readings,
        known: Known,
        *,
        sources: Sources,
        books: Books,
        outbox: OutboxWorker | None = None,
    ) -> None:
        self._readings = readings
        self._known = known
        self._sources = sources
        self._books = books
        self._outbox = outbox
        self._refusals = Refusals(readings)

    def people(self, query: str, *, limit: int) -> list[PersonFound]:
        """Find people."""
        return search(self._readings.store, self._readings.log, query, limit=limit)

    def events(self, *, limit: int) -> list[EventHeard]:
        """Return the newest events, newest first."""
        log = self._readings.log
        entries = log.read(max(log.end() - limit, 0), limit)
        return newest(entries[-limit:], self._readings.failed(limit=limit), limit=limit)

    def failed_kinds(self) -> list[FailedKind]:
        """Count failed events by reason and source."""
        return self._refusals.summary()

    def forget(self) -> None:
        """Count failed events anew: some went with somebody who was forgotten."""
        self._refusals.forget()

    def sinks(self) -> list[SinkView]:
        """Return every sink, and how it does."""
        queues = self._readings.outbox.queues()
        names = {*self._known.types, *queues, *self._books.sinks()}
        return [self._sink(name, queues.get(name, Queue())) for name in sorted(names)]

    def sources(self) -> list[SourceView]:
        """Return every source, and what sends for it."""
        return self._sources.views(self._known.write_keys)

    def _sink(self, name: str, queue: Queue) -> SinkView:
        book = self._books.of(name)
        return SinkView(
            name=name,
            type=self._known.types.get(name, ""),
            state=self._state(name, queue),
            waiting=queue.waiting,
            dead=queue.dead,
            delivered=book.delivered,
            retried=book.retried,
            last_delivered_at=book.last_delivered_at or None,
            last_error=book.last_error,
            last_error_at=book.last_error_at or None,
            oldest_at=queue.oldest_at,
            rate=self._known.rates.get(name),
        )

    def _state(self, name: str, queue: Queue) -> SinkState:
        lane = None if self._outbox is None else self._outbox.lanes.get(name)
        if self._outbox is not None and self._outbox.is_held:
            return "held"
        is_paused = lane is not None and lane.is_paused
        if is_paused or (queue.waiting > 0 and self._books.of(name).is_failing):
            return "backing-off"
        is_busy = queue.waiting > 0 or (lane is not None and lane.n_in_flight > 0)
        return "delivering" if is_busy else "idle"


def look(config: Config, readings: Readings) -> Looking:
    """Look at a folder that this process does not serve: counts are those that were kept last."""
    return Looking(
        readings,
        Known.of(config),
        sources=Sources(readings.store.kept(SOURCES)),
        books=Books(readings.store.kept(BOOKS), now=now_ms),
    )
