"""Partitions merged by time, however unevenly they are read."""

from __future__ import annotations

from random import Random

import pytest

from sojourn.adapters.kafka_merge import MOST_WAITING, Merge


def test_what_is_ahead_waits_for_the_others() -> None:
    """Until they have come as far, or have nothing more."""
    merge: Merge[str] = Merge([0, 1])
    merge.put(0, 7, 10, content="a")
    merge.put(0, 9, 30, content="c")
    assert merge.take() == ([], {})
    merge.put(1, 3, 20, content="b")
    assert merge.take() == (["a", "b"], {0: 8, 1: 4})
    merge.end(1)
    assert merge.take() == (["c"], {0: 10})
    merge.put(1, 5, 40, content="d")
    assert merge.take() == ([], {})  # the other one was not seen to end
    merge.end(0)
    assert merge.take() == (["d"], {1: 6})


def test_a_partition_that_is_far_ahead_need_not_be_read() -> None:
    """So that what waits is bounded."""
    merge: Merge[int] = Merge([0, 1])
    for n in range(MOST_WAITING):
        assert not merge.is_full(0)
        merge.put(0, n, n, content=n)
    assert (merge.is_full(0), merge.is_full(1)) == (True, False)
    merge.end(0)
    merge.end(1)
    assert len(merge.take()[0]) == MOST_WAITING
    assert not merge.is_full(0)


@pytest.mark.parametrize("seed", range(20))
def test_all_of_it_goes_on_in_the_order_of_time(seed: int) -> None:
    """Given by given, whatever comes first: nothing is later than what is given after it, and all is."""
    random = Random(seed)
    queues = {p: sorted(random.randrange(1_000) for _ in range(random.randrange(40))) for p in range(4)}
    wanted = sorted(at for queue in queues.values() for at in queue)
    merge: Merge[int] = Merge(queues)
    given: list[list[int]] = []
    offsets = dict.fromkeys(queues, 0)
    while any(queues.values()):
        partition = random.choice([p for p, queue in queues.items() if queue])
        for _ in range(random.randrange(1, 9)):
            if queues[partition]:
                at = queues[partition].pop(0)
                merge.put(partition, offsets[partition], at, content=at)
                offsets[partition] += 1
        if not queues[partition] or random.random() < 0.1:
            for each in (each for each, queue in queues.items() if not queue):
                merge.end(each)
        given.append(merge.take()[0])
    for each in queues:
        merge.end(each)
    given.append(merge.take()[0])
    latest = 0
    for batch in given:
        assert all(at >= latest for at in batch)
        latest = max([latest, *batch])
    assert sorted(at for batch in given for at in batch) == wanted
