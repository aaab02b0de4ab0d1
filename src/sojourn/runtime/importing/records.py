"""Records: the rows of a CSV file, quoted line breaks and all; a broken row never swallows the next."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator

from msgspec import Struct

from sojourn.runtime.importing.lines import LINE_BYTES, Lines

RECORD_BYTES = LINE_BYTES
"""What one row may weigh, with all its lines."""

DELIMITERS = ",\t;|"


class Record(Struct):
    """One row."""

    number: int
    """The line it begins on, from 1."""
    values: list[str]
    text: list[bytes]
    """Its lines, as they came."""
    problem: str = ""
    """What is wrong with it, where it cannot be read."""


class Records:
    """A CSV file's rows, the header's first."""

    def __init__(self, lines: Lines) -> None:
        self._feed = _Feed(lines)
        # Ours is the smaller bound, so that ours speaks. (The library's is one for the whole process.)
        csv.field_size_limit(max(csv.field_size_limit(), 2 * RECORD_BYTES))
        self._reader = csv.reader(self._feed, delimiter=self._feed.delimiter(), strict=True)

    def __iter__(self) -> Iterator[Record]:
        """Yield each row that is not blank. A broken one is one line long: what follows it is read anew."""
        feed = self._feed
        n_columns = 0
        while True:
            feed.begin()
            values: list[str] = []
            try:
                values = next(self._reader)
            except StopIteration:
                return
            except csv.Error as error:
                feed.problem = feed.problem or f"expected CSV, got {error}"
            if not values and not feed.problem:
                continue
            n_columns = n_columns or len(values)
            if not feed.problem and len(values) != n_columns:
                feed.problem = f"expected {n_columns} columns as in the header, got {len(values)}"
            if feed.problem:
                feed.give_back()
            yield Record(feed.number, values, feed.lines, feed.problem)


class _Feed:
    """Lines on their way into the CSV reader, kept until the row they belong to is judged."""

    def __init__(self, lines: Lines) -> None:
        self._source = iter(lines)
        self._again: deque[bytes] = deque()
        self._next_number = 1
        self._weight = 0
        self.number = 1
        self.lines: list[bytes] = []
        self.problem = ""

    def delimiter(self) -> str:
        """Tell it by the header: the sign that is there most often."""
        first = next(self._source, None)
        if first is None:
            return ","
        self._again.append(first)
        return max(DELIMITERS, key=lambda sign: first.count(sign.encode()))

    def begin(self) -> None:
        """Start a row."""
        self.number = self._next_number
        self.lines = []
        self.problem = ""
        self._weight = 0

    def give_back(self) -> None:
        """Keep the row's first line only; the others are read again."""
        self._again.extendleft(reversed(self.lines[1:]))
        self._next_number -= len(self.lines) - 1
        del self.lines[1:]

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._source)
        self._next_number += 1
        self.lines.append(line)
        self._weight += len(line) + 1
        if self._weight > RECORD_BYTES:
            self.problem = (
                f"expected a row of at most {RECORD_BYTES} bytes; is there a quote that never closes?"
            )
            raise csv.Error(self.problem)
        try:
            return line.decode() + "\n"
        except UnicodeDecodeError as error:
            self.problem = f"expected UTF-8, got {error.reason} at byte {error.start}"
            return line.decode(errors="replace") + "\n"
