"""Each of Flink's key groups gets one shard."""

from __future__ import annotations

import pytest

from sojourn.runtime.flink.labels import Labels, key_group


@pytest.mark.parametrize("n_shards", [1, 2, 4, 64, 1_023])
def test_every_key_group_has_exactly_one_shard(n_shards: int) -> None:
    """Labels are as many as shards, lie in the group of their shard, and lead back to it."""
    labels = Labels(n_shards)
    assert [key_group(label, n_shards) for label in labels.of] == list(range(n_shards))
    assert [labels.shard[label] for label in labels.of] == list(range(n_shards))


def test_the_hash_is_murmurs() -> None:
    """MurmurHash3 (32 bits, seed 0) of four little-endian bytes; a value of the published test vectors."""
    assert key_group(0x87654321, 1 << 31) == (1 << 32) - 0xF55B516B  # of a negative one Flink takes the size
