"""Refusals: failed events counted by reason and source; what was counted once is not read again."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock
from typing import Protocol

from sojourn.model.event import FailedEvent
from sojourn.model.operating import FailedKind

PAGE = 500
MAX_COUNTED = 100_000  # the newest, where a process counts first: seconds of reading.


class Readable(Protocol):
    """What is asked of a log."""

    def failed(self, *, limit: int, before: int | None) -> Sequence[FailedEvent]:
        """Return failed events, newest first; `before` an id, to page."""


class Refusals:
    """Those of one log, up to the newest. Any thread may ask."""

    def __init__(self, log: Readable) -> None:
        self._log = log
        self._lock = Lock()
        self._through = 0
        self._kinds: dict[tuple[str, str], FailedKind] = {}

    def forget(self) -> None:
        """Count anew next time: some were retried since."""
        with self._lock:
            self._through, self._kinds = 0, {}

    def summary(self) -> list[FailedKind]:
        """Return how many there are of each kind, the newest kind first."""
        with self._lock:
            newest, before = self._through, None
            for _ in range(0, MAX_COUNTED, PAGE):
                page = [
                    one for one in self._log.failed(limit=PAGE, before=before) if _id(one) > self._through
                ]
                for one in page:
                    self._count(one)
                newest = max([newest, *map(_id, page)])
                if len(page) < PAGE:
                    break
                before = _id(page[-1])
            self._through = newest
            return sorted(self._kinds.values(), key=lambda kind: -kind.last_at)

    def _count(self, event: FailedEvent) -> None:
        if event.retried_at is not None:
            return
        name = event.code, event.source
        kind = self._kinds.get(name)
        if kind is None:
            kind = self._kinds[name] = FailedKind(code=event.code, source=event.source, n=0, last_at=0)
        kind.n += 1
        kind.last_at = max(kind.last_at, event.received_at)


def _id(event: FailedEvent) -> int:
    return event.id or 0
