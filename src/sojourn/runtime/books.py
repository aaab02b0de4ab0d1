"""Books: what became of deliveries, sink by sink, since the data folder was made."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec
from msgspec import Struct

from sojourn.runtime.lane import Meter, Result

DOCUMENT = "sinks"
"""The store's, in which they last over restarts."""
FORGOTTEN = "what it said went with somebody who was forgotten"
MAX_SINKS = 1_000  # some may not be configured any more.


class Book(Struct):
    """Of one sink."""

    delivered: int = 0
    retried: int = 0
    last_delivered_at: int = 0
    last_error: str = ""
    last_error_at: int = 0

    @property
    def is_failing(self) -> bool:
        """Whether its last attempt failed."""
        return self.last_error_at > self.last_delivered_at


class Books(Meter):
    """All of them; on the event loop, but for `of`, which any thread may ask."""

    def __init__(self, kept: bytes | None = None, *, now: Callable[[], int]) -> None:
        """Go on from what was kept."""
        self._books = {} if kept is None else msgspec.json.decode(kept, type=dict[str, Book])
        self._now = now
        self.has_changed = False
        """Since the last `document`."""

    def attempted(self, sink: str, result: Result, took_ms: int) -> None:
        """Count an attempt."""
        del took_ms
        book = self._open(sink)
        if result == "delivered":
            book.delivered += 1
            book.last_delivered_at = self._now()
        elif result == "retried":
            book.retried += 1

    def refused(self, sink: str, reason: str) -> None:
        """Note why an attempt failed."""
        book = self._open(sink)
        book.last_error, book.last_error_at = reason, self._now()

    def of(self, sink: str) -> Book:
        """Return what was counted of a sink."""
        return self._books.get(sink, Book())

    def sinks(self) -> list[str]:
        """Return the sinks that something was counted of."""
        return list(self._books)

    def forget(self) -> None:
        """Keep nothing of what destinations said: it may have named somebody who was forgotten since."""
        self.has_changed = True
        _forget_errors(self._books)

    def document(self) -> bytes:
        """Return them as they are kept."""
        self.has_changed = False
        return msgspec.json.encode(self._books)

    def _open(self, sink: str) -> Book:
        self.has_changed = True
        found = self._books.get(sink)
        if found is None:
            found = Book()
            if len(self._books) < MAX_SINKS:
                self._books[sink] = found
        return found


def without_errors(kept: bytes) -> bytes:
    """Return what is kept of books without what destinations said."""
    found = msgspec.json.decode(kept, type=dict[str, Book])
    _forget_errors(found)
    return msgspec.json.encode(found)


def _forget_errors(books: Mapping[str, Book]) -> None:
    for book in books.values():
        book.last_error = book.last_error and FORGOTTEN
