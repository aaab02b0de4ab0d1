"""Failures: where the engine failed, its events kept for whom they concern, its bugs said aloud."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from sojourn.model.event import Entry, FailedEvent
from sojourn.runtime.salvage import Failure, cause_of, failed_event

MAX_CAUSES = 1_000  # bugs told apart; one that comes after so many others is only counted.

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
        cause = cause_of(failure.error)
        for entry in entries:
            if failure.input is not None and entry.position == failure.input.position:
                self._events.append(failed_event(entry.event, failure))
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
