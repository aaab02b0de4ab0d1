"""Gathering: what arrives at the same time for one partition travels in one record.

While a record of a partition is unconfirmed, what comes for it waits for the next one: the busier Kafka is,
the more events a record has, and no partition waits for another. Pure: it knows no client.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Generic, TypeVar

from msgspec import Struct

from sojourn.engine.records import MAX_EVENTS

MAX_RECORD_BYTES = 900_000  # below what brokers (1 MiB) and the client (1 MB) take; no event is half of it.

T = TypeVar("T")


class Part(Struct, Generic[T], frozen=True):
    """One event on its way, and whose it is."""

    content: bytes
    of: T


class Lane(Generic[T]):
    """One partition's queue."""

    def __init__(self, *, most: int = MAX_EVENTS, most_bytes: int = MAX_RECORD_BYTES) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._waiting: deque[Part[T]] = deque()
        self._n_bytes = 0
        self._n_unconfirmed = 0

    def put(self, part: Part[T]) -> None:
        """Let an event wait."""
        self._waiting.append(part)
        self._n_bytes += len(part.content)

    def take(self) -> Sequence[Part[T]]:
        """Take the next record's events, which are then unconfirmed; none where it is to wait for more.

        What fills a record waits for nothing.
        """
        is_full = len(self._waiting) >= self._most or self._n_bytes >= self._most_bytes
        if not self._waiting or (self._n_unconfirmed and not is_full):
            return ()
        taken: list[Part[T]] = []
        n_bytes = 0
        while self._waiting and len(taken) < self._most:
            n_bytes += len(self._waiting[0].content) + 1
            if taken and n_bytes > self._most_bytes:
                break
            taken.append(self._waiting.popleft())
        self._n_bytes -= sum(len(part.content) for part in taken)
        self._n_unconfirmed += 1
        return taken

    def settle(self) -> None:
        """One record is confirmed, or refused."""
        self._n_unconfirmed -= 1
