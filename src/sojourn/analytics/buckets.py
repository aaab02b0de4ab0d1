"""Buckets: whom a hold-out keeps back, for many people at once, as the engine's hash says for one.

GrowthBook's hash, version 2. The engine has its own, for one person at a time; a test holds both together.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

BUCKETS = 10_000

_OFFSET, _PRIME = 0x811C9DC5, np.uint32(0x01000193)  # FNV-1a, 32 bits.
_DIGITS = 10  # of 2^32 - 1.


def buckets(seed: str, units: Sequence[str] | NDArray[np.bytes_]) -> NDArray[np.int64]:
    """Place units among the numbers 0 to 9,999, shape (n_units,); a share of 10% holds those below 1,000.

    Args:
        seed: Of the hold-out or experiment.
        units: Ids; none ends with a NUL.
    """
    if not len(units):
        return np.zeros(0, dtype=np.int64)
    first = _hashed(_units_of(units), _start(seed))
    return _hashed(_decimals(first), np.uint32(_OFFSET)).astype(np.int64) % BUCKETS


def _start(seed: str) -> np.uint32:
    value = _OFFSET
    for unit in _wide(seed).tolist():
        value = (value ^ unit) * int(_PRIME) & 0xFFFFFFFF
    return np.uint32(value)


def _units_of(texts: Sequence[str] | NDArray[np.bytes_]) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """Return the UTF-16 code units of each text, 0 behind its end, shape (n, longest)."""
    if isinstance(texts, np.ndarray):
        found = _bytes_of(texts)
        return found if found.max(initial=0) < 128 else _units_of([text.decode() for text in texts.tolist()])
    if all(text.isascii() for text in texts):
        return _bytes_of(np.array([text.encode() for text in texts], dtype="S"))
    each = [_wide(text) for text in texts]
    units = np.zeros((len(each), max(map(len, each))), dtype=np.uint16)
    for row, unit in zip(units, each, strict=True):
        row[: len(unit)] = unit
    return units


def _wide(text: str) -> NDArray[np.uint16]:
    return np.frombuffer(text.encode("utf-16-le"), dtype="<u2").astype(np.uint16)


def _bytes_of(texts: NDArray[np.bytes_]) -> NDArray[np.uint8]:
    """Return the bytes of each text, 0 behind its end, shape (n, longest)."""
    texts = np.ascontiguousarray(texts)
    return texts.view(np.uint8).reshape(len(texts), texts.dtype.itemsize)


def _hashed(texts: NDArray[np.uint8] | NDArray[np.uint16], start: np.uint32) -> NDArray[np.uint32]:
    """Hash each row, up to its first 0."""
    value = np.full(len(texts), start, dtype=np.uint32)
    with np.errstate(over="ignore"):
        for column in np.ascontiguousarray(texts.T):
            value = np.where(column == 0, value, (value ^ column) * _PRIME)
    return value


def _decimals(numbers: NDArray[np.uint32]) -> NDArray[np.uint8]:
    """Write numbers with as many digits as they have, 0 behind them."""
    return _bytes_of(numbers.astype(f"S{_DIGITS}"))
