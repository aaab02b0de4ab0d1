"""Failures: where the engine failed, its events kept for whom they concern, its bugs said aloud."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from traceback import extract_tb

import msgspec
import structlog

from sojourn.model.event import Entry, Event, FailedEvent
from sojourn.runtime.salvage import Failure

MAX_CAUSES = 1_000  # bugs told apart; one that comes after so many others is only counted.
REASON_CHARS = 500

log = structlog.get_logger("sojourn")


class Failures:
    """All of one driver's run."""

    def __init__(self) -> None:
        self.n_noted = 0
        self._events: list[FailedEvent] = []
        self._causes: set[str] = set()

    def note(self, failure: Failure, entries: Sequence[Entry]) -> None:
        """Keep the event among `entries` whose input failed, and say so aloud, once for each cause."""
        self.n_noted += 1
        cause = _cause(failure.error)
        for entry in entries:
            if failure.input is not None and entry.position == failure.input.position:
                self._events.append(_failed(entry.event, failure, cause))
        if cause not in self._causes and len(self._causes) < MAX_CAUSES:
            self._causes.add(cause)
            log.error(
                "the engine failed, by a bug of ours",
                cause=cause,
                stage=failure.key[0],
                position=failure.input.position if failure.input is not None else None,
                do="please report it with this traceback; an event is kept as failed, all else goes on",
                exc_info=failure.error,
            )

    def take(self) -> list[FailedEvent]:
        """Return the events to be kept before the next commit is stored."""
        events, self._events = self._events, []
        return events


def _cause(error: Exception) -> str:
    place = extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {place.name} ({Path(place.filename).name}:{place.lineno})"


def _failed(event: Event, failure: Failure, cause: str) -> FailedEvent:
    reason = f"the engine failed on it: {cause}: {failure.error}"
    return FailedEvent(
        source=event.source,
        received_at=event.received_at,
        code="engine-error",
        reason=reason[:REASON_CHARS],
        path=failure.key[0],
        body=msgspec.json.encode(event),
        message_id=event.message_id,
    )
