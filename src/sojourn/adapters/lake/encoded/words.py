"""Words: texts by code, those that are kept on disk and those that were learnt since."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sojourn.analytics.events import MISSING
from sojourn.analytics.names import Names

_STRIDE = 32  # Every so many kept texts one stands in a list that is searched first.


class Places:
    """Where texts stand among sorted ones that stay on disk; a search reads a few of them."""

    def __init__(self, kept: Names) -> None:
        self._n = len(kept)
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
