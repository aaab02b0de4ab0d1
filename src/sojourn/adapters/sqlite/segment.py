"""Segments: immutable, sorted files of duplicate marks, asked a batch at a time.

A file is three columns of n 8-byte little-endian numbers: the digests' first halves (sorted), their second
halves, and when each was accepted (ms). Only the first column is touched by a lookup that finds nothing, and
digests are uniform, so a mark costs 8 bytes of page cache and 24 on disk.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

Column = npt.NDArray[np.uint64]
Columns = tuple[Column, Column, Column]
"""First halves, second halves, instants (ms)."""

MARK_BYTES = 24
_NUMBER = np.dtype("<u8")
_MERGE_MARKS = 1 << 20  # Marks of each side merged at once: about 100 MB at most.


class Segment:
    """One file, mapped into memory."""

    def __init__(self, path: Path) -> None:
        """Map the file; raises ValueError where its size is not a whole number of marks."""
        n_bytes = path.stat().st_size
        if n_bytes == 0 or n_bytes % MARK_BYTES:
            raise ValueError(f"{path}: not a segment of duplicate marks")
        self.path = path
        self.n_marks = n_bytes // MARK_BYTES
        columns = np.memmap(path, dtype=_NUMBER, mode="r", shape=(3, self.n_marks))
        # Plain views: numpy's memmap class costs microseconds at every slice.
        self.first, self.second, self.at = (np.asarray(column) for column in columns)

    def find(self, first: Column, second: Column, *, after: int) -> npt.NDArray[np.bool_]:
        """Tell of each digest if it is marked here with an instant above `after`; `first` must be sorted."""
        start = np.searchsorted(self.first, first)
        found = np.zeros(len(first), dtype=np.bool_)
        start_inside = np.minimum(start, self.n_marks - 1)
        for index in np.flatnonzero(self.first[start_inside] == first):
            place = int(start[index])
            while place < self.n_marks and self.first[place] == first[index]:
                if self.second[place] == second[index] and self.at[place] > after:
                    found[index] = True
                    break
                place += 1
        return found


def halves(digests: bytes) -> tuple[Column, Column]:
    """Cut digests of 16 bytes, laid end to end, into two columns."""
    pairs = np.frombuffer(digests, dtype=_NUMBER).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]


def write_segment(path: Path, columns: Columns) -> None:
    """Write a segment durably: whole under its name, or not there."""
    order = np.argsort(columns[0], kind="stable")
    n_marks = len(order)
    _write(path, n_marks, iter([(columns[0][order], columns[1][order], columns[2][order])]))


def merge_segments(path: Path, segments: Sequence[Segment], *, after: int) -> int:
    """Write the marks of some segments above the instant `after` as one; return how many there are.

    Digests are uniform, so equal parts of their range hold about equal numbers of marks: it goes part by
    part, and memory stays small however large the segments are.
    """
    n_marks = sum(int(np.count_nonzero(segment.at > after)) for segment in segments)
    if n_marks:
        _write(path, n_marks, _merged(segments, after))
    return n_marks


def _merged(segments: Sequence[Segment], after: int) -> Iterator[Columns]:
    n_parts = 1 + sum(segment.n_marks for segment in segments) // _MERGE_MARKS
    borders = np.array([(part << 64) // n_parts for part in range(1, n_parts)], dtype=np.uint64)
    cuts = [[0, *np.searchsorted(segment.first, borders).tolist(), segment.n_marks] for segment in segments]
    for part in range(n_parts):
        pieces = [slice(cut[part], cut[part + 1]) for cut in cuts]
        joined = [
            np.concatenate([column[piece] for column, piece in zip(columns, pieces, strict=True)])
            for columns in zip(*((one.first, one.second, one.at) for one in segments), strict=True)
        ]
        kept = np.flatnonzero(joined[2] > after)
        order = kept[np.argsort(joined[0][kept], kind="stable")]
        yield joined[0][order], joined[1][order], joined[2][order]


def _write(path: Path, n_marks: int, parts: Iterator[Columns]) -> None:
    unfinished = path.with_suffix(".unfinished")
    with unfinished.open("wb") as file:
        n_written = 0
        for part in parts:
            for number, column in enumerate(part):
                file.seek((number * n_marks + n_written) * _NUMBER.itemsize)
                file.write(column.astype(_NUMBER, copy=False).tobytes())
            n_written += len(part[0])
        file.flush()
        os.fsync(file.fileno())
    unfinished.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)
