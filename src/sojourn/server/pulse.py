"""Pulse: a stream that says how far the engine is, and which counts of journeys moved.

It says so after a commit is stored, so whoever asks then sees what it speaks of. A reader has the newest
only: nothing queues, and nobody who reads slowly is waited for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
from msgspec import Struct

from sojourn.model.errors import UnavailableError
from sojourn.model.views import JourneyView
from sojourn.server.http import Send
from sojourn.server.ingest.door import Receive
from sojourn.server.sse import FULL, Line, sse

MAX_OPEN = 64  # screens that look at once.
PAUSE_S = 0.2  # five times a second is as alive as an eye can tell.
LOOK_S = 1.0  # where nothing is stored, what waits is to be seen all the same.

_encode = msgspec.json.Encoder().encode


class Progress(Struct, frozen=True, kw_only=True):
    """How far the engine is."""

    position: int
    """The last log entry processed and stored."""
    clock: int
    """The instant up to which timers have fired, ms."""
    lag: int
    """Entries acknowledged and not yet processed and stored."""


class Pulse:
    """The streams of `/api/v1/stream`.

    `watch` is told how many look: `moved` is to be called while anybody does, on the event loop.
    """

    def __init__(
        self,
        progress: Callable[[], Progress],
        journeys: Callable[[], Sequence[JourneyView]],
        *,
        watch: Callable[[int], None] = lambda _: None,
        max_open: int = MAX_OPEN,
    ) -> None:
        self._progress = progress
        self._journeys = journeys
        self._watch = watch
        self._max_open = max_open
        self._open: set[Line] = set()
        self._is_closing = False
        self._counted: tuple[Progress, dict[tuple[str, str], JourneyView]] | None = None
        self.n_slow = 0

    @property
    def n_open(self) -> int:
        """How many streams are open."""
        return len(self._open)

    def moved(self) -> None:
        """Hear that something was stored."""
        for line in self._open:
            line.wake()

    def close(self) -> None:
        """End all streams, and open no more."""
        self._is_closing = True
        for line in self._open:
            line.close()

    async def serve(self, receive: Receive, send: Send) -> None:
        """Answer one who opens a stream, until either side ends it; UnavailableError where too many look."""
        if self._is_closing or len(self._open) >= self._max_open:
            raise UnavailableError(FULL, retry_after_s=5)
        line = Line(pause_s=PAUSE_S, look_s=LOOK_S)
        self._open.add(line)
        self._watch(len(self._open))
        try:
            await line.talk(_Reader(self).next_piece, receive, send)
        finally:
            self.n_slow += line.is_slow
            self._open.discard(line)
            self._watch(len(self._open))

    def look(self) -> tuple[Progress, dict[tuple[str, str], JourneyView]]:
        """Return what is to be seen now; counted once for all who look at one progress."""
        progress = self._progress()
        if self._counted is None or self._counted[0] != progress:
            views = {(view.name, view.version): view for view in self._journeys()}
            self._counted = progress, views
        return self._counted


class _Reader:
    """What one reader was told."""

    def __init__(self, pulse: Pulse) -> None:
        self._pulse = pulse
        self._progress: Progress | None = None
        self._views: dict[tuple[str, str], JourneyView] = {}

    def next_piece(self) -> bytes:
        """Write what is news to it."""
        progress, views = self._pulse.look()
        if progress == self._progress:
            return b""
        self._progress = progress
        piece = sse(_encode(progress), "progress")
        moved = [view for name, view in views.items() if view != self._views.get(name)]
        if moved:
            self._views = views
            piece += sse(_encode(moved), "journeys")
        return piece
