"""Operating: what answers an operator of a running server: what can be looked at, streams, and retries."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from msgspec import Struct

from sojourn.model.operating import FailedRetried, OperatingView
from sojourn.model.ports import Log, Lookups
from sojourn.model.views import StatusView
from sojourn.runtime.books import Books
from sojourn.runtime.outbox import OutboxWorker
from sojourn.server.ingest.door import Accept
from sojourn.server.pulse import Pulse
from sojourn.server.sources import Sources
from sojourn.server.tail import Tail
from sojourn.wiring.house import Readings, now_ms
from sojourn.wiring.looking import Known, Looking
from sojourn.wiring.retrying import mended, read_failed, told


class Surroundings(Struct, kw_only=True):
    """What an operator's answers are made of, beside what the folder says."""

    log: Log
    accept: Accept
    """Makes events durable, as for the door."""
    sources: Sources
    books: Books
    pulse: Pulse
    tail: Tail
    known: Known
    lookups: Lookups | None = None
    outbox: OutboxWorker | None = None
    measure: Callable[[], OperatingView] = OperatingView


class Operator(Looking):
    """Answers what `server/operating.py` asks."""

    def __init__(self, readings: Readings, around: Surroundings) -> None:
        super().__init__(
            readings, around.known, sources=around.sources, books=around.books, outbox=around.outbox
        )
        self._around = around
        self._retrying = asyncio.Lock()
        self.pulse = around.pulse
        self.tail = around.tail

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
        around = self._around
        sources = set(self._known.write_keys.values())
        async with self._retrying:
            tried = await asyncio.to_thread(
                read_failed, self._readings, ids, sources=sources, lookups=around.lookups
            )
            found = mended(tried)
            if not found:
                return told(tried, [])
            appended = await around.accept([each.event for each in found], ())
            numbers = [each.id for each in found]
            await asyncio.to_thread(around.log.mark_retried, numbers, at=now_ms())
            self._refusals.forget()
        return told(tried, appended.duplicates)
