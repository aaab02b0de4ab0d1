"""Merging partitions by time: nobody is given what is later than something still to be read elsewhere.

A consumer may read one partition to its end before it begins with the next. What it read waits here until
every other partition has come as far, or to its end. Pure: it knows no client.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Generic, NamedTuple, TypeVar

MOST_WAITING = 2_000  # records of one partition; then it is not read while the others catch up

T = TypeVar("T")


class _Waiting(NamedTuple, Generic[T]):
    offset: int
    at: int
    content: T


class Merge(Generic[T]):
    """Records of some partitions, on their way."""

    def __init__(self, partitions: Iterable[int]) -> None:
        """Begin with nothing read of them."""
        self._waiting: dict[int, deque[_Waiting[T]]] = {each: deque() for each in partitions}
        self._reached: dict[int, int] = dict.fromkeys(self._waiting, -1)
        """Partition -> the latest instant that was read in it."""
        self._ended: set[int] = set()

    def put(self, partition: int, offset: int, at: int, *, content: T) -> None:
        """Take a record in, the next of its partition; `at` is the latest instant in it."""
        self._ended.discard(partition)
        self._reached[partition] = max(self._reached[partition], at)
        self._waiting[partition].append(_Waiting(offset, at, content))

    def end(self, partition: int) -> None:
        """Know that a partition has nothing more by now."""
        self._ended.add(partition)

    def take(self) -> tuple[list[T], dict[int, int]]:
        """Return what may go on by now, and partition -> the first offset that has not gone on."""
        behind = [at for partition, at in self._reached.items() if partition not in self._ended]
        until = min(behind, default=max(self._reached.values(), default=0))
        taken: list[T] = []
        offsets: dict[int, int] = {}
        for partition, queue in self._waiting.items():
            while queue and queue[0].at <= until:
                one = queue.popleft()
                taken.append(one.content)
                offsets[partition] = one.offset + 1
        return taken, offsets

    def is_full(self, partition: int) -> bool:
        """Tell whether a partition is so far ahead that it need not be read."""
        return len(self._waiting[partition]) >= MOST_WAITING
