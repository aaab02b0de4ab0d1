"""The tail: a stream of events as they come in, each with its verdict.

Nothing is kept and nothing is done where nobody looks. Where somebody does, each reader gets so many a second
and is told how many more there were; the append that brought them waits for nobody.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence

import msgspec
from msgspec import Struct

from sojourn.model.errors import InputError, UnavailableError
from sojourn.model.event import Entry, Event, FailedEvent, is_erased
from sojourn.model.operating import EventHeard, Verdict
from sojourn.model.ports import Appended
from sojourn.server.http import Send
from sojourn.server.ingest.door import Receive
from sojourn.server.ingest.library import library_of, library_of_agent
from sojourn.server.ingest.message import read_text
from sojourn.server.sse import FULL, Line, sse

MAX_OPEN = 16  # each that chooses has a look at every event that comes in.
MAX_PER_SLOT, SLOT_S = 50, 0.25
"""200 a second, spread over it: nobody reads more."""
MAX_PENDING = 400  # rows that wait for a reader; later ones are only counted.
MAX_REFUSED_PER_SLOT = 5
"""Requests that are refused whole: whoever sends them need not be known, and must not hide what is taken."""
PAUSE_S = 0.05
MAX_SHOWN = 200  # characters of an id or a name that could not be read.

Heard = tuple[Event | FailedEvent, Verdict, int | None]
"""An event, what became of it, and its position where it was taken."""

_encode = msgspec.json.Encoder().encode


class Wanted(Struct, frozen=True, kw_only=True):
    """Which events somebody wants to see; empty: all."""

    source: str = ""
    name: str = ""
    verdict: str = ""

    @property
    def is_all(self) -> bool:
        """Whether nothing is left out."""
        return not (self.source or self.name or self.verdict)

    def has(self, event: Event | FailedEvent, verdict: Verdict) -> bool:
        """Tell whether an event is one of them."""
        if self.verdict and verdict != self.verdict:
            return False
        if self.source and event.source != self.source:
            return False
        if not self.name:
            return True
        name = event.name if isinstance(event, Event) else _failed(event).name
        return name == self.name

    def has_refused(self, source: str) -> bool:
        """Tell whether a request that was refused whole is one of them; it has no event's name."""
        return not self.name and self.source in ("", source) and self.verdict in ("", "refused")


class Tail:
    """The streams of `/api/v1/events/stream`.

    `watch` is told how many look: `heard` is to be called while anybody does, on the event loop.
    """

    def __init__(
        self,
        *,
        watch: Callable[[int], None] = lambda _: None,
        max_open: int = MAX_OPEN,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._watch = watch
        self._max_open = max_open
        self._clock = clock
        self._open: set[_Reader] = set()
        self._is_closing = False
        self.n_slow = 0

    @property
    def n_open(self) -> int:
        """How many streams are open."""
        return len(self._open)

    def heard(self, events: Sequence[Event], failed: Sequence[FailedEvent], appended: Appended) -> None:
        """Hear what one append came to."""
        now = self._clock()
        for reader in self._open:
            reader.take(events, failed, appended, now)

    def refused(self, error: InputError, *, source: str, user_agent: str, at: int) -> None:
        """Hear of a request that was refused whole."""
        if not self._open:
            return
        row = EventHeard(
            at=at,
            source=source,
            sdk=library_of_agent(user_agent).text,
            type="",
            name="",
            user_id=None,
            anonymous_id=None,
            message_id=None,
            verdict="refused",
            code=error.code,
        )
        now = self._clock()
        for reader in self._open:
            reader.take_refused(row, now)

    def close(self) -> None:
        """End all streams, and open no more."""
        self._is_closing = True
        for reader in self._open:
            reader.line.close()

    async def serve(self, wanted: Wanted, receive: Receive, send: Send) -> None:
        """Answer one who opens a stream, until either side ends it; UnavailableError where too many look."""
        if self._is_closing or len(self._open) >= self._max_open:
            raise UnavailableError(FULL, retry_after_s=5)
        reader = _Reader(wanted)
        self._open.add(reader)
        self._watch(len(self._open))
        try:
            await reader.line.talk(reader.next_piece, receive, send)
        finally:
            self.n_slow += reader.line.is_slow
            self._open.discard(reader)
            self._watch(len(self._open))


class _Reader:
    """One who looks."""

    def __init__(self, wanted: Wanted) -> None:
        self.line = Line(pause_s=PAUSE_S)
        self._wanted = wanted
        self._pending: deque[bytes] = deque()
        self._n_skipped = 0
        self._slot = -1.0
        self._n_in_slot = 0
        self._n_refused = 0

    def take(
        self, events: Sequence[Event], failed: Sequence[FailedEvent], appended: Appended, now: float
    ) -> None:
        """Take what there is room for, and count the rest."""
        room = self._room(now)
        if room <= 0 and self._wanted.is_all:
            self._n_skipped += len(events) + len(failed)
            return
        for event, verdict, position in _all_of(events, failed, appended):
            if not self._wanted.has(event, verdict):
                continue
            if room <= 0:
                self._n_skipped += 1
                continue
            room -= 1
            self._n_in_slot += 1
            self._pending.append(sse(_encode(described(event, verdict, position))))
        self.line.wake()

    def take_refused(self, row: EventHeard, now: float) -> None:
        """Take a request that was refused whole, as far as there is room for such."""
        if not self._wanted.has_refused(row.source):
            return
        if self._room(now) <= 0 or self._n_refused >= MAX_REFUSED_PER_SLOT:
            self._n_skipped += 1
        else:
            self._n_refused += 1
            self._n_in_slot += 1
            self._pending.append(sse(_encode(row)))
        self.line.wake()

    def _room(self, now: float) -> int:
        if now - self._slot >= SLOT_S:
            self._slot, self._n_in_slot, self._n_refused = now, 0, 0
        return min(MAX_PER_SLOT - self._n_in_slot, MAX_PENDING - len(self._pending))

    def next_piece(self) -> bytes:
        """Write what waits."""
        piece = b"".join(self._pending)
        self._pending.clear()
        if self._n_skipped:
            piece += sse(_encode({"n": self._n_skipped}), "skipped")
            self._n_skipped = 0
        return piece


def described(event: Event | FailedEvent, verdict: Verdict, position: int | None) -> EventHeard:
    """Describe one event in a line."""
    if isinstance(event, FailedEvent):
        return _failed(event)
    return EventHeard(
        at=event.received_at,
        source=event.source,
        sdk=library_of(event.context).text,
        type=event.kind,
        name=event.name,
        user_id=event.user_id,
        anonymous_id=event.anonymous_id,
        message_id=event.message_id,
        verdict=verdict,
        position=position,
    )


def newest(entries: Sequence[Entry], failed: Sequence[FailedEvent], *, limit: int) -> list[EventHeard]:
    """Return the newest of what the log has and what failed, newest first; nothing of who was forgotten."""
    kept = (entry for entry in reversed(entries) if not is_erased(entry.event))
    rows = [described(entry.event, "taken", entry.position) for entry in kept]
    rows += [_failed(each) for each in failed]
    return sorted(rows, key=lambda row: row.at, reverse=True)[:limit]


class _Said(Struct):
    """What can be read of an event that could not be read."""

    type: object = None
    event: object = None
    userId: object = None  # noqa: N815, the wire's names
    anonymousId: object = None  # noqa: N815


_said = msgspec.json.Decoder(_Said)


def _failed(event: FailedEvent) -> EventHeard:
    try:
        said = _said.decode(event.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        said = _Said()
    return EventHeard(
        at=event.received_at,
        source=event.source,
        sdk="",
        type=event.kind or _text(said.type) or "",
        name=_text(said.event) or "",
        user_id=_text(said.userId),
        anonymous_id=_text(said.anonymousId),
        message_id=event.message_id,
        verdict="failed",
        code=event.code,
    )


def _text(value: object) -> str | None:
    text = read_text(value) if isinstance(value, str) else None
    return None if text is None else text[:MAX_SHOWN]


def _all_of(events: Sequence[Event], failed: Sequence[FailedEvent], appended: Appended) -> Iterator[Heard]:
    entries, gone = iter(appended.entries), set(appended.duplicates)
    for index, event in enumerate(events):
        if index in gone:
            yield event, "duplicate", None
        else:
            entry = next(entries)
            yield entry.event, "taken", entry.position
    for each in failed:
        yield each, "failed", None
