"""Operating: what answers an operator: searches, streams, sinks, sources, and failed events tried again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from sojourn.model.errors import InputError
from sojourn.model.event import Event, FailedEvent
from sojourn.model.operating import (
    EventHeard,
    FailedKind,
    FailedRetried,
    OperatingView,
    PersonFound,
    RateView,
    SinkState,
    SinkView,
    SourceView,
)
from sojourn.model.ports import Log, Lookups, Queue
from sojourn.model.views import StatusView
from sojourn.runtime.books import Books
from sojourn.runtime.outbox import OutboxWorker
from sojourn.runtime.refusals import Refusals
from sojourn.runtime.searching import search
from sojourn.server.ingest.door import Accept
from sojourn.server.ingest.message import Request
from sojourn.server.ingest.segment import Batch, judge, open_parcel
from sojourn.server.pulse import Pulse
from sojourn.server.sources import Sources
from sojourn.server.tail import Tail, newest
from sojourn.wiring.house import Readings, now_ms

ENGINE_ERROR = "engine-error"
"""The code of events that are in the log, and that the engine failed on."""


class Surroundings(Struct, kw_only=True):
    """What an operator's answers are made of, beside what the folder says."""

    log: Log
    accept: Accept
    """Makes events durable, as for the door."""
    sources: Sources
    books: Books
    pulse: Pulse
    tail: Tail
    write_keys: Mapping[str, str] = {}
    """Write key -> source."""
    types: Mapping[str, str] = {}
    """Sink -> type, of those configured."""
    rates: Mapping[str, RateView] = {}
    lookups: Lookups | None = None
    outbox: OutboxWorker | None = None
    measure: Callable[[], OperatingView] = OperatingView


class Operator:
    """Answers what `server/operating.py` asks."""

    def __init__(self, readings: Readings, around: Surroundings) -> None:
        self._readings = readings
        self._around = around
        self._refusals = Refusals(readings)
        self._retrying = asyncio.Lock()
        self.pulse = around.pulse
        self.tail = around.tail

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

    def sinks(self) -> list[SinkView]:
        """Return every sink, and how it does."""
        queues = self._readings.outbox.queues()
        names = {*self._around.types, *queues, *self._around.books.sinks()}
        return [self._sink(name, queues.get(name, Queue())) for name in sorted(names)]

    def sources(self) -> list[SourceView]:
        """Return every source, and what sends for it."""
        return self._around.sources.views(self._around.write_keys)

    def status(self) -> StatusView:
        """Return how the house is doing."""
        view = self._readings.status()
        queues = self._readings.outbox.queues().values()
        view.operating = self._around.measure()
        view.operating.oldest_action_at = min(
            (queue.oldest_at for queue in queues if queue.oldest_at is not None), default=None
        )
        return view

    async def retry_failed(self, ids: Sequence[int]) -> list[FailedRetried]:
        """Read failed events again through the door; take those that read well now, each once.

        A crash between the append and the note that they were retried has them tried again: then the log
        knows their message ids.
        """
        async with self._retrying:
            tried = await asyncio.to_thread(lambda: [self._try(each) for each in dict.fromkeys(ids)])
            events = [each for each in tried if isinstance(each, _Read)]
            gone: set[int] = set()
            if events:
                appended = await self._around.accept([each.event for each in events], ())
                gone = {events[index].id for index in appended.duplicates}
                log, numbers = self._around.log, [each.id for each in events]
                await asyncio.to_thread(lambda: log.mark_retried(numbers, at=now_ms()))
                self._refusals.forget()
        return [each.told(gone) if isinstance(each, _Read) else each for each in tried]

    def _try(self, number: int) -> _Read | FailedRetried:
        found = self._readings.failed(limit=1, before=number + 1)
        if not found or found[0].id != number:
            return _refused(number, "there is no such failed event")
        return reread(found[0], self._around.lookups, set(self._around.write_keys.values()))

    def _sink(self, name: str, queue: Queue) -> SinkView:
        around = self._around
        book = around.books.of(name)
        lane = around.outbox.lanes.get(name) if around.outbox is not None else None
        is_paused = lane is not None and lane.is_paused
        is_busy = queue.waiting > 0 or (lane is not None and lane.n_in_flight > 0)
        state: SinkState = "delivering" if is_busy else "idle"
        if is_paused or (queue.waiting > 0 and book.is_failing):
            state = "backing-off"
        if around.outbox is not None and around.outbox.is_held:
            state = "held"
        return SinkView(
            name=name,
            type=around.types.get(name, ""),
            state=state,
            waiting=queue.waiting,
            dead=queue.dead,
            delivered=book.delivered,
            retried=book.retried,
            last_delivered_at=book.last_delivered_at or None,
            last_error=book.last_error,
            last_error_at=book.last_error_at or None,
            oldest_at=queue.oldest_at,
            rate=around.rates.get(name),
        )


class _Read(Struct, frozen=True):
    """A failed event that reads well now."""

    id: int
    event: Event

    def told(self, duplicates: set[int]) -> FailedRetried:
        """Say what came of it."""
        if self.id in duplicates:
            reason = "the log has a message of this id already"
            return FailedRetried(id=self.id, verdict="duplicate", reason=reason)
        return FailedRetried(id=self.id, verdict="taken")


def reread(failed: FailedEvent, lookups: Lookups | None, sources: set[str]) -> _Read | FailedRetried:
    """Read a failed event's kept bytes as the door would now.

    What its request said around it (a batch's own context, headers) is not kept, and not there.
    """
    number = failed.id or 0
    if failed.retried_at is not None:
        return _refused(number, "it was tried again before, and is in the log")
    if failed.code == ENGINE_ERROR:
        return _refused(number, "it is in the log: the engine failed on it, by a bug of ours")
    if failed.source not in sources:
        return _refused(number, f"the source {failed.source!r} has no write key any more")
    try:
        batch = _judged(failed, lookups)
    except InputError as error:
        batch = Batch([], [_again(failed, error)], [])
    if batch.events:
        return _Read(number, batch.events[0])
    if not batch.failed or batch.failed[0].code == "bad-json":
        reason = f"of its bytes only the first {len(failed.body):,} are kept, and they are no whole event"
        return _refused(number, reason)
    again = batch.failed[0]
    return FailedRetried(id=number, verdict="failed", reason=f"{again.reason} [{again.code}]")


def _judged(failed: FailedEvent, lookups: Lookups | None) -> Batch:
    request = Request(source=failed.source, received_at=failed.received_at, arrival=f"failed-{failed.id}")
    body = failed.body if failed.kind else b'{"batch":[' + failed.body + b"]}"
    return judge(open_parcel(body, failed.kind), request, lookups=lookups)


def _again(failed: FailedEvent, error: InputError) -> FailedEvent:
    return replace(failed, code=error.code, reason=error.reason)


def _refused(number: int, reason: str) -> FailedRetried:
    return FailedRetried(id=number, verdict="refused", reason=reason)
