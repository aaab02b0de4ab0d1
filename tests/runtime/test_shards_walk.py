"""A walk through keys that come and go, over an engine's iterator and the mistake it makes."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.runtime.shards.walk import Walk
from tests.soak import tries


class Keys:
    """Keys in their order, read ahead some at a time, as RocksDB's iterator in Flink does."""

    def __init__(self, keys: set[str], n_ahead: int) -> None:
        self.there = keys
        self._n_ahead = n_ahead

    def __call__(self) -> Iterator[str]:
        """Look the place up by the last key, and pass over whatever lies there."""
        ahead = sorted(self.there)[: self._n_ahead]
        while ahead:
            yield from ahead
            behind = [key for key in sorted(self.there) if key >= ahead[-1]]
            ahead = behind[1 : 1 + self._n_ahead]


@settings(max_examples=tries(200), deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 5), st.integers(1, 4))
def test_every_key_that_stays_is_met(seed: int, n_ahead: int, most: int) -> None:
    """Whatever goes and comes meanwhile."""
    random = Random(seed)
    keys = Keys({f"{n:02}" for n in random.sample(range(100), random.randint(0, 40))}, n_ahead)
    stays, walk, met = set(keys.there), Walk(), set[str]()
    while taken := walk.take(keys, most):
        met.update(taken)
        for _ in range(random.choice((0, 0, 1, 3))):
            if keys.there and random.random() < 0.5:
                gone = random.choice(sorted(keys.there))
                keys.there.remove(gone)
                stays.discard(gone)
                walk.miss()
            else:
                keys.there.add(f"{random.randrange(100):02}")
        if random.random() < 0.1:
            met.update(walk.take(keys, None))
            break
    assert stays <= met


def test_the_iterator_alone_would_pass_over_one() -> None:
    """That is why a walk hears of what is gone."""
    keys = Keys({"a", "b", "c"}, 1)
    alone = keys()
    assert next(alone) == "a"
    keys.there.remove("a")
    assert list(alone) == ["c"]
