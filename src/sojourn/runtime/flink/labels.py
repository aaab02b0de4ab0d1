"""Labels: by what Flink knows a shard, so that each of its key groups has exactly one.

Flink spreads keys over groups by a hash, and groups over tasks in equal ranges. With shards as keys some
tasks would have twice as many as others; with these labels, and as many groups as shards, all have the same.
"""

from __future__ import annotations

from itertools import count

_MASK = 0xFFFF_FFFF


class Labels:
    """Shard -> label, and back."""

    def __init__(self, n_shards: int) -> None:
        found: dict[int, int] = {}
        for label in count():
            found.setdefault(key_group(label, n_shards), label)
            if len(found) == n_shards:
                break
        self.of = [found[shard] for shard in range(n_shards)]
        self.shard = {label: shard for shard, label in found.items()}


def key_group(key: int, n_groups: int) -> int:
    """Return the key group Flink puts an integer in: MurmurHash3 of its four bytes, modulo the groups."""
    mixed = key * 0xCC9E2D51 & _MASK
    mixed = _rotated(mixed, 15) * 0x1B873593 & _MASK
    mixed = (_rotated(mixed, 13) * 5 + 0xE6546B64) & _MASK
    mixed ^= 4  # the length, in bytes
    mixed = (mixed ^ mixed >> 16) * 0x85EBCA6B & _MASK
    mixed = (mixed ^ mixed >> 13) * 0xC2B2AE35 & _MASK
    mixed ^= mixed >> 16
    signed = mixed - (1 << 32) if mixed & 0x8000_0000 else mixed
    return (0 if signed == -(1 << 31) else abs(signed)) % n_groups


def _rotated(value: int, by: int) -> int:
    return (value << by | value >> 32 - by) & _MASK
