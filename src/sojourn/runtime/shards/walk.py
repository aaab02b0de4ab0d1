"""A walk through all keys of a shard, a few at a time, while keys come and go.

An engine's iterator looks its place up by the last key it had. Where that one is gone meanwhile, it may pass
over the key behind it. So after a key is gone the place is found anew, by how many keys lie before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice


class Walk:
    """It meets every key that is there all the time; some may be met twice."""

    def __init__(self) -> None:
        self.last_at = -1
        """The watermark at which some were taken last."""
        self._keys: Iterator[str] | None = None
        self._n_before = 0
        """Keys before its place, at least."""

    def take(self, keys: Callable[[], Iterable[str]], most: int | None) -> list[str]:
        """Return the next of the keys, so many at most, or all that are left."""
        if self._keys is None:
            self._keys = islice(keys(), self._n_before, None)
        taken = list(islice(self._keys, most))
        self._n_before += len(taken)
        return taken

    def miss(self) -> None:
        """Hear that a key is gone."""
        self._keys = None
        self._n_before = max(0, self._n_before - 1)
