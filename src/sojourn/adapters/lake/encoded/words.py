"""Words: texts by code, those that are kept on disk and those that were learnt since."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from sojourn.analytics.events import MISSING
from sojourn.analytics.names import Names

_STRIDE = 32  # Every so many kept texts one stands in a list that is searched first.


_MANY = 64  # texts; fewer are found as quickly one by one.
_WORD = 8  # bytes
_MASKS = np.array([(1 << 64) - (1 << 8 * (_WORD - n)) for n in range(_WORD + 1)], dtype=np.uint64)
"""What is left of a word where a text has so many bytes in it."""


class Places:
    """Where texts stand among sorted ones that stay on disk; a search reads a few of them."""

    def __init__(self, kept: Names) -> None:
        self._n, self._kept = len(kept), kept
        self._blob, self._offsets = kept.blob.data, kept.offsets.data
        self._sample: list[bytes] = []
        self._found: dict[str, tuple[int, bool]] = {}

    def find(self, text: str) -> tuple[int, bool]:
        """Return (the place of the first kept text that is not smaller, whether it is this one)."""
        if not self._n:
            return 0, False
        found = self._found.get(text)
        if found is None:
            found = self._found[text] = self._search(text.encode())
        return found

    def look_up(self, texts: Iterable[str]) -> None:
        """Search many at once, so that `find` knows them: of thousands that takes a tenth of the time."""
        new = [text for text in texts if text not in self._found]
        if self._n and len(new) >= _MANY:
            places, is_there = places_among(self._kept, Names.of(new))
            self._found |= zip(new, zip(places.tolist(), is_there.tolist(), strict=True), strict=True)

    def _search(self, wanted: bytes) -> tuple[int, bool]:
        blob, offsets = self._blob, self._offsets
        if not self._sample:
            places = range(0, self._n, _STRIDE)
            self._sample = [bytes(blob[offsets[i] : offsets[i + 1]]) for i in places]
        block = bisect_right(self._sample, wanted)
        low, high = max(block - 1, 0) * _STRIDE, min(block * _STRIDE, self._n)
        while low < high:  # Spelled out: it is asked for everybody who is touched.
            middle = (low + high) // 2
            if bytes(blob[offsets[middle] : offsets[middle + 1]]) < wanted:
                low = middle + 1
            else:
                high = middle
        return low, low < self._n and bytes(blob[offsets[low] : offsets[low + 1]]) == wanted


def places_among(kept: Names, wanted: Names) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return (the place of the first of sorted texts that is not smaller than each, whether it is this one).

    All are searched in step, and texts compared eight bytes at a time.
    """
    blob, offsets = _padded(kept.blob), kept.offsets
    lengths = np.diff(wanted.offsets)
    own = _padded(wanted.blob)
    n_words = -(-int(lengths.max(initial=0)) // _WORD)
    words = [_word(own, wanted.offsets[:-1], lengths, i) for i in range(n_words)]
    low, high = _near(blob, offsets, words[0]) if words else (0 * lengths, 0 * lengths + len(kept))
    is_there = np.zeros(len(wanted), dtype=np.bool_)
    left = np.flatnonzero(low < high)
    while len(left):
        middle = (low[left] + high[left]) // 2
        starts = offsets[middle]
        n_bytes = offsets[middle + 1] - starts
        is_less, is_equal = np.zeros(len(left), dtype=np.bool_), np.ones(len(left), dtype=np.bool_)
        for i, word in enumerate(words):
            found, one = _word(blob, starts, n_bytes, i), word[left]
            is_less |= is_equal & (found < one)
            is_equal &= found == one
        # Words are filled up with zeros, which a text may have at its end, too.
        is_less |= is_equal & (n_bytes < lengths[left])
        is_there[left] |= is_equal & (n_bytes == lengths[left])
        low[left] = np.where(is_less, middle + 1, low[left])
        high[left] = np.where(is_less, high[left], middle)
        left = left[low[left] < high[left]]
    return low, is_there


def _near(
    blob: NDArray[np.uint64], offsets: NDArray[np.int64], word: NDArray[np.uint64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return between which of sorted texts others lie, by first words and those of a few of the texts."""
    n = len(offsets) - 1
    places = np.arange(0, n, _STRIDE)
    sample = _word(blob, offsets[places], offsets[places + 1] - offsets[places], 0)
    below, above = np.searchsorted(sample, word, side="left"), np.searchsorted(sample, word, side="right")
    return np.maximum(below - 1, 0) * _STRIDE, np.minimum(above * _STRIDE, n)


def _padded(blob: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Return eight bytes from each place of a blob on, as numbers that are in order as the bytes are."""
    if len(blob) < _WORD:
        blob = np.append(blob, np.zeros(_WORD - len(blob), dtype=np.uint8))
    return np.ndarray((len(blob) - _WORD + 1,), dtype=">u8", buffer=blob.data, strides=(1,))


def _word(
    blob: NDArray[np.uint64], starts: NDArray[np.int64], n_bytes: NDArray[np.int64], i: int
) -> NDArray[np.uint64]:
    """Return the i-th eight bytes of texts; what lies behind a text's end is zero."""
    wanted = starts + i * _WORD
    places = np.clip(wanted, None, len(blob) - 1)
    found = blob[places].astype(np.uint64)
    found <<= np.clip(wanted - places, 0, _WORD - 1).astype(np.uint64) * np.uint64(8)
    return found & _MASKS[np.clip(n_bytes - i * _WORD, 0, _WORD)]


class Words:
    """A dictionary that grows: the kept texts have the first codes, in their order."""

    def __init__(self, kept: Sequence[str]) -> None:
        self._kept = kept
        self._places = Places(kept) if isinstance(kept, Names) else None
        self._more: list[str] = []
        self._codes: dict[str, int] = {}
        self._texts: dict[int, str] = {}

    def __len__(self) -> int:
        """Count the texts."""
        return len(self._kept) + len(self._more)

    def __getitem__(self, code: int) -> str:
        """Return the text of a code."""
        text = self._texts.get(code)
        if text is None:
            text = self._texts[code] = self._kept[code]
        return text

    def code(self, text: str | None) -> int:
        """Return a text's code, a new one where it is new; MISSING of None."""
        if text is None:
            return MISSING
        code = self._codes.get(text)
        if code is None:
            place, is_there = self._find(text)
            code = place if is_there else len(self)
            if not is_there:
                self._more.append(text)
            self._codes[text] = code
            self._texts[code] = text
        return code

    def codes(self, texts: Sequence[str | None]) -> NDArray[np.int32]:
        """Return the codes of texts, shape (n_texts,)."""
        if self._places is not None:
            self._places.look_up(text for text in set(texts) if text is not None and text not in self._codes)
        return np.fromiter(map(self.code, texts), np.int32, len(texts))

    def in_order(self) -> tuple[Sequence[str], NDArray[np.int32] | None]:
        """Return (all texts, sorted; each code's place among them, None where that is the code)."""
        if not self._more:
            return self._kept, None
        texts = [*self._kept, *self._more]
        order = sorted(range(len(texts)), key=texts.__getitem__)
        # The last entry is where MISSING points.
        table = np.full(len(texts) + 1, MISSING, dtype=np.int32)
        table[order] = np.arange(len(texts), dtype=np.int32)
        return [texts[code] for code in order], table

    def _find(self, text: str) -> tuple[int, bool]:
        if self._places is not None:
            return self._places.find(text)
        place = bisect_left(self._kept, text)
        return place, place < len(self._kept) and self._kept[place] == text
