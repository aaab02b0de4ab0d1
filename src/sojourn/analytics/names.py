"""Names: many texts as one run of bytes, so that a million ids cost what they weigh."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import overload

import numpy as np
from numpy.typing import NDArray

CHUNK = 65_536  # texts decoded at once when all are asked for.


class Names(Sequence[str]):
    """A sequence of texts that is decoded where it is looked at; what is mapped from a file stays there."""

    __slots__ = ("blob", "offsets")

    def __init__(self, blob: NDArray[np.uint8], offsets: NDArray[np.int64]) -> None:
        self.blob = blob
        """All texts as UTF-8, one after another."""
        self.offsets = offsets
        """Shape (n + 1,): text `i` is `blob[offsets[i]:offsets[i + 1]]`."""

    @classmethod
    def of(cls, texts: Iterable[str]) -> Names:
        """Pack texts.

        >>> list(Names.of(["ada", "", "ü"]))
        ['ada', '', 'ü']
        """
        texts = list(texts)
        blob = "".join(texts).encode()
        lengths = np.fromiter(map(len, texts), np.int64, len(texts))
        if lengths.sum() != len(blob):  # Not all of it is ASCII.
            lengths = np.fromiter((len(text.encode()) for text in texts), np.int64, len(texts))
        offsets = np.zeros(len(texts) + 1, dtype=np.int64)
        np.cumsum(lengths, out=offsets[1:])
        return cls(np.frombuffer(blob, dtype=np.uint8), offsets)

    def take(self, indices: NDArray[np.integer]) -> Names:
        """Return the texts at some places, packed, in the order of the places."""
        starts, lengths = self.offsets[indices], np.diff(self.offsets)[indices]
        offsets = np.zeros(len(indices) + 1, dtype=np.int64)
        np.cumsum(lengths, out=offsets[1:])
        sources = np.repeat(starts - offsets[:-1], lengths) + np.arange(offsets[-1])
        return Names(self.blob[sources], offsets)

    def __len__(self) -> int:
        """Count the texts."""
        return len(self.offsets) - 1

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        """Decode one text, or some."""
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        i = range(len(self))[index]
        return bytes(self.blob[self.offsets[i] : self.offsets[i + 1]]).decode()

    def __iter__(self) -> Iterator[str]:
        """Decode all texts, a run at a time."""
        for first in range(0, len(self), CHUNK):
            offsets = self.offsets[first : first + CHUNK + 1].tolist()
            run = bytes(self.blob[offsets[0] : offsets[-1]])
            base = offsets[0]
            for start, end in pairwise(offsets):
                yield run[start - base : end - base].decode()

    def __eq__(self, other: object) -> bool:
        """Compare text by text, with any sequence."""
        if isinstance(other, Names):
            return np.array_equal(self.offsets, other.offsets) and bytes(self.blob) == bytes(other.blob)
        return isinstance(other, Sequence) and len(self) == len(other) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        """Show the first texts."""
        shown = ", ".join(map(repr, self[:3]))
        return f"Names({len(self):,}: {shown}{', ...' if len(self) > 3 else ''})"
